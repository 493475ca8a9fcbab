"""Generated from the op table: type, reference, derivative, transpose, batching and form of every row."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import numpy as np
import pytest

import sable.dialects.ops  # noqa: F401  (defines the table)
from sable.ir.aval import aval_of, bfloat16
from sable.ir.bindings import UNKNOWN, ir
from sable.ir.function import Function, FunctionBuilder
from sable.ir.op import OPS, Linear, NumpyBuilder, Op, Refused, Sample
from sable.ir.reading import find_row
from sable.ir.writing import write_function
from sable.passes.linearize import tangent

from . import oracle
from .invariants import invariants

B = NumpyBuilder()
#: step of central differences: the error is about STEP**2 and 1e-16 / STEP
STEP = 1e-5
#: tolerance of central differences, relative to the largest derivative
DIFFERENCE = 2e-6
#: batching may reorder sums: (rtol, atol) by itemsize of the real part
REORDERED = {2: (2e-2, 1e-2), 4: (1e-4, 1e-5), 8: (1e-10, 1e-12)}
#: size of the mapped axis
SIZE = 2

#: ops whose results XLA does not determine, with the reason
NOT_XLA = {
    "optimization_barrier": "the identity",
    **{name: "needs a mapped axis" for name, op in OPS.items() if op.collective},
}
#: ops whose batch is no loop, by design
NO_LOOP = {"rng_bit_generator": "one block of the first state, as in JAX: tests/random"}
#: ops where XLA's sign of zero depends on the order of operands or on the lowering
UNSIGNED_ZERO = {"maximum", "minimum", "clamp"}


@functools.cache
def samples_of(op: Op) -> list[Sample]:
    return list(op.samples())


#: ops that name functions have tests of their own: test_functions.py
ORDINARY = [op for op in OPS.values() if op.rules is None]
CASES = [pytest.param(op, i, id=f"{op.name}-{i}") for op in ORDINARY for i in range(len(samples_of(op)))]
GRADS = [case for case in CASES if samples_of(case.values[0])[case.values[1]].grad]


def has_derivative(op: Op) -> bool:
    if callable(op.jvp):
        return True
    return any(not isinstance(rule, Refused) for rule in (op.jvp or {}).values())


every_sample = pytest.mark.parametrize(("op", "i"), CASES)
every_differentiable_sample = pytest.mark.parametrize(("op", "i"), [c for c in GRADS if has_derivative(c.values[0])])
every_linear_sample = pytest.mark.parametrize(("op", "i"), [c for c in GRADS if c.values[0].transpose])


def is_real(x: Any) -> bool:
    return x.dtype.kind == "f" or x.dtype == bfloat16


def is_inexact(x: Any) -> bool:
    return is_real(x) or x.dtype.kind == "c"


def wide(x: np.ndarray) -> np.ndarray:
    """Floats in float64, complex numbers in complex128."""
    return x.astype(np.float64) if is_real(x) else x.astype(np.complex128) if x.dtype.kind == "c" else x


def wide_params(params: dict) -> dict:
    """A dtype among the parameters widens like the operands."""
    return {k: wide(np.empty(0, v)).dtype if isinstance(v, np.dtype) else v for k, v in params.items()}


def wide_sample(op: Op, i: int) -> tuple[list[np.ndarray], dict]:
    s = samples_of(op)[i]
    return [wide(x) for x in s.operands], wide_params(dict(s.params))


def results(op: Op, operands: Any, params: dict) -> list[np.ndarray]:
    out = B.bind(op, *operands, **params)
    return list(out) if op.multiple_results else [out]


def packed(op: Op, values: list) -> Any:
    return tuple(values) if op.multiple_results else values[0]


def random_like(x: np.ndarray, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    out = rng.uniform(-1, 1, x.shape)
    return (out + 1j * rng.uniform(-1, 1, x.shape)).astype(x.dtype) if x.dtype.kind == "c" else out.astype(x.dtype)


def compared(x: np.ndarray) -> np.ndarray:
    """Something that NumPy's assertions can compare."""
    return x.astype(np.float32) if x.dtype == bfloat16 else x


def assert_close(got: np.ndarray, want: np.ndarray, rtol: float, atol: float) -> None:
    assert got.shape == want.shape
    assert got.dtype == want.dtype
    np.testing.assert_allclose(compared(got), compared(want), rtol=rtol, atol=atol)


# ---- type --------------------------------------------------------------------------------------------------


@every_sample
def test_type_agrees_with_reference(op: Op, i: int) -> None:
    s = samples_of(op)[i]
    out = op.type(*[aval_of(x) for x in s.operands], **s.params)
    avals = list(out) if op.multiple_results else [out]
    got = [(y.shape, y.dtype) for y in results(op, s.operands, s.params)]
    assert got == [(a.shape, a.dtype) for a in avals]
    # weak types change neither shape nor dtype
    weak = op.type(*[aval_of(x).update(weak_type=True) for x in s.operands], **s.params)
    assert got == [(a.shape, a.dtype) for a in (weak if op.multiple_results else [weak])]


# ---- reference ---------------------------------------------------------------------------------------------


@functools.cache
def xla_results(op: Op) -> list[list[np.ndarray]]:
    return oracle.run(op, samples_of(op))


@every_sample
def test_reference_agrees_with_xla(op: Op, i: int) -> None:
    pytest.importorskip("jax")
    if op.name in NOT_XLA:
        pytest.skip(NOT_XLA[op.name])
    s = samples_of(op)[i]
    found = (invariants(op.name, r) for r in (results(op, s.operands, s.params), xla_results(op)[i]))
    for got, want in zip(*found):
        assert_close(got, want, s.rtol, s.atol)
        if is_real(got) and op.name not in UNSIGNED_ZERO:
            zero = (got == 0) & (want == 0)
            np.testing.assert_array_equal(np.signbit(got)[zero], np.signbit(want)[zero], "signs of zeros")


# ---- derivatives -------------------------------------------------------------------------------------------


def differentiable(op: Op, operands: list[np.ndarray]) -> list[int]:
    """Numbers of the operands that the op has a derivative in."""
    if op.jvp is None:
        return []
    inexact = [k for k, x in enumerate(operands) if is_inexact(x)]
    if callable(op.jvp):
        return inexact
    return [k for k in inexact if not isinstance(op.jvp.get(op.operand_name(k)), (Refused, type(None)))]


def difference(op: Op, operands: list, params: dict, ts: list) -> list[np.ndarray]:
    """Central difference of the reference in the direction of the tangents."""

    def moved(step: float) -> list[np.ndarray]:
        xs = [x if t is None else np.asarray(x + step * t) for x, t in zip(operands, ts)]
        return results(op, xs, params)

    def slope(plus: np.ndarray, minus: np.ndarray) -> np.ndarray:
        if not is_inexact(plus):
            return np.zeros_like(plus)
        still = plus == minus  # an infinity, say of an empty maximum, does not move
        return np.where(still, 0, plus - np.where(still, 0, minus)).astype(plus.dtype) / (2 * STEP)

    return [slope(p, m) for p, m in zip(moved(STEP), moved(-STEP))]


def derivative(op: Op, operands: list, params: dict, ts: list) -> list[np.ndarray]:
    """The derivative by the op's rule; zeros where the rule says None."""
    ys = results(op, operands, params)
    out = tangent(B, op, ts, packed(op, ys), operands, params)
    found = [None] * len(ys) if out is None else list(out) if op.multiple_results else [out]
    return [np.zeros_like(y) if t is None else np.asarray(t) for t, y in zip(found, ys)]


@every_differentiable_sample
def test_jvp_agrees_with_differences(op: Op, i: int) -> None:
    operands, params = wide_sample(op, i)
    active = differentiable(op, operands)
    choices = [(k,) for k in active] + ([tuple(active)] if len(active) > 1 else [])
    for chosen in choices:
        ts = [random_like(x, k) if k in chosen else None for k, x in enumerate(operands)]
        for got, want in zip(derivative(op, operands, params, ts), difference(op, operands, params, ts)):
            assert got.dtype == want.dtype
            assert got.shape == want.shape
            scale = max(1.0, np.abs(want).max(initial=0))
            np.testing.assert_allclose(got, want, rtol=0, atol=DIFFERENCE * scale, err_msg=f"operands {chosen}")


@every_differentiable_sample
def test_jvp_keeps_dtype(op: Op, i: int) -> None:
    s = samples_of(op)[i]
    active = differentiable(op, list(s.operands))
    if not active:
        pytest.skip("no derivative")
    ts = [random_like(x, k) if k in active else None for k, x in enumerate(s.operands)]
    ys = results(op, s.operands, s.params)
    for t, y in zip(derivative(op, list(s.operands), dict(s.params), ts), ys):
        assert (t.shape, t.dtype) == (y.shape, y.dtype)


def pair(xs: list, ys: list) -> float:
    """The real bilinear pairing in which transposes are taken: no conjugation."""
    return float(sum(np.sum(x * y).real for x, y in zip(xs, ys)))


def pulled(op: Op, k: int, ct: list, operands: list, params: dict) -> np.ndarray:
    """The cotangent of operand k by the op's transpose rule."""
    rule = op.transpose[op.operand_name(k)]
    avals = [aval_of(x) for x in operands]
    joint = isinstance(op.jvp, dict) and any(isinstance(r, Linear) and r.jointly for r in op.jvp.values())
    linear = {j for j in range(len(operands)) if j == k or (joint and op.operand_name(j) in op.transpose)}
    xs = [None if j in linear else x for j, x in enumerate(operands)]
    repeated = op.variadic or (len(operands) > len(op.operands) and k >= len(op.operands) - 1)
    extra = {"index": k} if repeated else {}
    return rule(B, packed(op, ct), avals, *xs, **extra, **params)


@every_linear_sample
def test_transpose_pairs_with_jvp(op: Op, i: int) -> None:
    operands, params = wide_sample(op, i)
    linear = [k for k, x in enumerate(operands) if is_inexact(x) and op.operand_name(k) in op.transpose]
    if not linear:
        pytest.skip("not linear in any operand")
    for k in linear:
        t = random_like(operands[k], 10 + k)
        out = derivative(op, operands, params, [t if j == k else None for j in range(len(operands))])
        ct = [random_like(y, 20 + j) for j, y in enumerate(out)]
        back = pulled(op, k, ct, operands, params)
        assert (back.shape, back.dtype) == (t.shape, t.dtype)
        np.testing.assert_allclose(pair(ct, out), pair([back], [t]), rtol=1e-9, atol=1e-9)


# ---- batching ----------------------------------------------------------------------------------------------


def choices_of_mapped(count: int) -> list[tuple[bool, ...]]:
    """Which operands are mapped: all combinations of few, else all and each alone."""
    if count <= 3:
        return [m for m in itertools.product((True, False), repeat=count) if any(m)]
    return [(True,) * count] + [tuple(j == k for j in range(count)) for k in range(count)]


def stacked(x: np.ndarray) -> np.ndarray:
    """Examples made of the same values."""
    return np.stack([np.roll(x, shift) for shift in range(SIZE)])


@every_sample
def test_batch_agrees_with_loop(op: Op, i: int) -> None:
    if op.name in NO_LOOP:
        pytest.skip(NO_LOOP[op.name])
    s = samples_of(op)[i]
    for mapped in choices_of_mapped(len(s.operands)):
        values = [stacked(x) if m else x for x, m in zip(s.operands, mapped)]
        with np.errstate(all="ignore"):
            out = op.batch(B, op, SIZE, values, list(mapped), **s.params)
        got = list(out) if op.multiple_results else [out]
        loop = [
            results(op, [np.asarray(x[n]) if m else x for x, m in zip(values, mapped)], s.params) for n in range(SIZE)
        ]
        for y, want in zip(got, map(np.stack, zip(*loop))):
            size = want.dtype.itemsize // (2 if want.dtype.kind == "c" else 1)
            rtol, atol = REORDERED[size] if is_inexact(want) else (0, 0)
            assert_close(np.asarray(y), want, rtol, atol)


# ---- form --------------------------------------------------------------------------------------------------


@every_sample
def test_form_round_trip(op: Op, i: int) -> None:
    s = samples_of(op)[i]
    avals = [aval_of(x) for x in s.operands]
    function = Function(avals)
    out = FunctionBuilder(function).bind(op, *function.arguments, **s.params)
    function.finish(list(out) if op.multiple_results else [out])
    written = write_function(function, {})
    assert written.verify()
    with written.context, UNKNOWN:
        parsed = ir.Operation.parse(written.get_asm(print_generic_op_form=True))
    operation = list(parsed.regions[0].blocks[0].operations)[-2].operation
    assert operation.name == op.mlir_name
    assert find_row(operation, operation.name) is op
    found = [aval_of(np.empty(y.shape, y.dtype)) for y in results(op, s.operands, s.params)]
    operands, params = op.form.decode(operation, found)
    assert operands == list(parsed.regions[0].blocks[0].arguments)
    assert params == dict(s.params)
