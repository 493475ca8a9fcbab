"""Generated from the op table: ops that name functions, under every pass, on the samples of their rules.

The passes' results are functions, and NumPy interprets them: nothing is compiled but in the test against IREE, which
puts all samples of an op, transformed and not, into one program.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

import sable.dialects.ops  # noqa: F401  (defines the table)
from sable import runtime
from sable._config.managers import enable_x64
from sable.core import loading
from sable.core.array import Array
from sable.ir.aval import aval_of
from sable.ir.function import Function, FunctionBuilder
from sable.ir.op import OPS, NumpyBuilder, Op, Sample, interpret
from sable.passes import batch_function, jvp_function, linearize_function, transpose_function
from sable.passes.assemble import assemble
from sable.tools import sable_opt

from .test_table import DIFFERENCE, SIZE, STEP, choices_of_mapped, is_inexact, pair, random_like, stacked

B = NumpyBuilder()
#: ops that have no meaning by themselves, with the reason
NOT_EVALUATED = {"custom_vjp_linear": "only its transpose is known: tested through custom_vjp_call"}
NAMES = [name for name, op in OPS.items() if op.rules is not None]


@functools.cache
def samples_of(name: str) -> list[Sample]:
    return list(OPS[name].samples())


EVERY = [(name, i) for name in NAMES for i in range(len(samples_of(name)))]
MEANING = [c for c in EVERY if c[0] not in NOT_EVALUATED]
every_sample = pytest.mark.parametrize(("name", "i"), EVERY)
every_meaning = pytest.mark.parametrize(("name", "i"), MEANING)
every_forward = pytest.mark.parametrize(("name", "i"), [c for c in MEANING if OPS[c[0]].rules.forward])
every_both = pytest.mark.parametrize(
    ("name", "i"), [c for c in MEANING if OPS[c[0]].rules.forward and OPS[c[0]].rules.reverse]
)
every_reverse = pytest.mark.parametrize(("name", "i"), [c for c in MEANING if OPS[c[0]].rules.reverse])


def function_of_op(op: Op, s: Sample) -> Function:
    """A function of one operation."""
    function = Function([aval_of(np.asarray(x)) for x in s.operands], op.name)
    out = FunctionBuilder(function).bind(op, *function.arguments, **s.params)
    return function.finish(list(out) if op.multiple_results else [out])


def case(name: str, i: int) -> tuple[Function, list[np.ndarray]]:
    s = samples_of(name)[i]
    return function_of_op(OPS[name], s), [np.asarray(x) for x in s.operands]


def run(function: Function, values: Sequence[Any]) -> list[np.ndarray]:
    return [np.asarray(y) for y in interpret(function, values, B)]


def active_of(values: Sequence[np.ndarray]) -> list[tuple[bool, ...]]:
    """All inexact operands, and each alone."""
    inexact = [k for k, x in enumerate(values) if is_inexact(x)]
    alone = [tuple(j == k for j in range(len(values))) for k in inexact]
    return [tuple(map(is_inexact, values)), *(alone if len(inexact) > 1 else [])]


def tangents_of(values: Sequence[np.ndarray], active: Sequence[bool], seed: int) -> list[np.ndarray]:
    return [random_like(x, seed + k) for k, (x, on) in enumerate(zip(values, active)) if on]


def difference(function: Function, values: Sequence[np.ndarray], active: Sequence[bool], ts: Sequence[np.ndarray]):
    """Central differences; zeros for results that are no floats."""
    rest = iter(ts)
    steps = [next(rest) if on else None for on in active]

    def moved(step: float) -> list[np.ndarray]:
        return run(function, [x if t is None else np.asarray(x + step * t) for x, t in zip(values, steps)])

    def slope(plus: np.ndarray, minus: np.ndarray) -> np.ndarray:
        return (plus - minus) / (2 * STEP) if is_inexact(plus) else np.zeros(plus.shape)

    return [slope(p, m) for p, m in zip(moved(STEP), moved(-STEP))]


def filled(values: Sequence[np.ndarray], there: Sequence[bool], like: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Zeros where a tangent is not there."""
    rest = iter(values)
    return [next(rest) if on else np.zeros(y.shape) for on, y in zip(there, like)]


def assert_near(got: Sequence[np.ndarray], want: Sequence[np.ndarray], tolerance: float) -> None:
    for g, w in zip(got, want, strict=True):
        assert g.shape == w.shape
        np.testing.assert_allclose(g, w, rtol=0, atol=tolerance * max(1.0, np.abs(w).max(initial=0)))


def gradient_function(function: Function, active: tuple[bool, ...]) -> Function:
    """Arguments and cotangents of the active results to cotangents of the active arguments: linearize, transpose."""
    made = linearize_function(function, active)
    cts = [a for a, on in zip(function.out_avals, made.active) if on]
    moving = len(made.linear.in_avals) - made.residuals
    linear = (*[True] * moving, *[False] * made.residuals)
    back = transpose_function(made.linear, linear, (True,) * len(cts))
    k = len(function.in_avals)
    whole = Function([*function.in_avals, *cts], "gradient")
    b = FunctionBuilder(whole)
    residuals = interpret(made.forward, whole.arguments[:k], b)[len(function.out_avals) :]
    return whole.finish(interpret(back, [*residuals, *whole.arguments[k:]], b))


def cotangents_of(gradient: Function, count: int) -> list[np.ndarray]:
    """For the arguments of a gradient function behind the first `count`."""
    return [random_like(np.empty(a.shape, a.dtype), 20 + k) for k, a in enumerate(gradient.in_avals[count:])]


# ---- meaning and derivatives ---------------------------------------------------------------------------------


def test_every_op_has_samples() -> None:
    assert all(samples_of(name) for name in NAMES)


@every_sample
def test_types_and_checks_accept_the_samples(name: str, i: int) -> None:
    function, values = case(name, i)
    if name not in NOT_EVALUATED:
        assert [(y.shape, y.dtype) for y in run(function, values)] == [(a.shape, a.dtype) for a in function.out_avals]
    params = {p: v.get() if hasattr(v, "get") else v for p, v in samples_of(name)[i].params.items()}
    OPS[name].rules.verify([aval_of(x) for x in values], **params)


@every_forward
def test_jvp_agrees_with_differences(name: str, i: int) -> None:
    function, values = case(name, i)
    ys = run(function, values)
    for active in active_of(values):
        ts = tangents_of(values, active, 10)
        made, there = jvp_function(function, active)
        out = run(made, [*values, *ts])
        assert_near(out[: len(ys)], ys, 1e-12)
        assert_near(filled(out[len(ys) :], there, ys), difference(function, values, active, ts), DIFFERENCE)


@every_both
def test_linearize_agrees_with_jvp(name: str, i: int) -> None:
    function, values = case(name, i)
    ys = run(function, values)
    for active in active_of(values):
        ts = tangents_of(values, active, 10)
        made = linearize_function(function, active)
        out = run(made.forward, values)
        assert_near(out[: len(ys)], ys, 1e-12)
        tangents = run(made.linear, [*ts, *out[len(ys) :]])
        twin, there = jvp_function(function, active)
        wanted = run(twin, [*values, *ts])[len(ys) :]
        assert_near(filled(tangents, made.active, ys), filled(wanted, there, ys), 1e-12)


@every_reverse
def test_transpose_pairs_with_differences(name: str, i: int) -> None:
    function, values = case(name, i)
    for active in active_of(values):
        there = linearize_function(function, active).active
        gradient = gradient_function(function, active)
        cts = cotangents_of(gradient, len(values))
        back = run(gradient, [*values, *cts])
        ts = tangents_of(values, active, 10)
        assert [(c.shape, c.dtype) for c in back] == [(t.shape, t.dtype) for t in ts]
        slopes = [d for d, on in zip(difference(function, values, active, ts), there) if on]
        np.testing.assert_allclose(pair(back, ts), pair(cts, slopes), rtol=DIFFERENCE, atol=DIFFERENCE)


@pytest.mark.parametrize("name", [n for n in NAMES if not OPS[n].rules.forward])
def test_forward_mode_is_refused(name: str) -> None:
    function, values = case(name, 0)
    with pytest.raises((TypeError, ValueError), match=r"jvp|JVP"):
        jvp_function(function, active_of(values)[0])


@pytest.mark.parametrize("name", [n for n in NAMES if not OPS[n].rules.reverse])
def test_reverse_mode_is_refused(name: str) -> None:
    function, values = case(name, 0)
    with pytest.raises(ValueError, match=r"Reverse-mode|(Pure|IO) callbacks|JVP rule"):
        gradient_function(function, active_of(values)[0])


@every_both
def test_second_order_forward(name: str, i: int) -> None:
    """jvp of jvp, and linearize of jvp, against differences of jvp."""
    function, values = case(name, i)
    active = active_of(values)[0]
    first, _ = jvp_function(function, active)
    inputs = [*values, *tangents_of(values, active, 10)]
    twice = active_of(inputs)[0]
    ts = tangents_of(inputs, twice, 30)
    second, there = jvp_function(first, twice)
    ys = run(first, inputs)
    wanted = difference(first, inputs, twice, ts)
    assert_near(filled(run(second, [*inputs, *ts])[len(ys) :], there, ys), wanted, DIFFERENCE)
    made = linearize_function(first, twice)
    residuals = run(made.forward, inputs)[len(ys) :]
    assert_near(filled(run(made.linear, [*ts, *residuals]), made.active, ys), wanted, DIFFERENCE)


@every_reverse
def test_second_order_reverse(name: str, i: int) -> None:
    """The gradient of the gradient, by dot products with differences of the gradient."""
    function, values = case(name, i)
    first = gradient_function(function, active_of(values)[0])
    inputs = [*values, *cotangents_of(first, len(values))]
    twice = active_of(inputs)[0]
    ts = tangents_of(inputs, twice, 30)
    there = linearize_function(first, twice).active
    second = gradient_function(first, twice)
    cts = cotangents_of(second, len(inputs))
    slopes = [d for d, on in zip(difference(first, inputs, twice, ts), there) if on]
    back = run(second, [*inputs, *cts])
    np.testing.assert_allclose(pair(back, ts), pair(cts, slopes), rtol=DIFFERENCE, atol=DIFFERENCE)


# ---- batching ------------------------------------------------------------------------------------------------


@every_meaning
def test_batch_agrees_with_loop(name: str, i: int) -> None:
    function, values = case(name, i)
    for mapped in choices_of_mapped(len(values)):
        given = [stacked(x) if m else x for x, m in zip(values, mapped)]
        made, marks = batch_function(function, tuple(mapped), SIZE)
        rows = [run(function, [x[n] if m else x for x, m in zip(given, mapped)]) for n in range(SIZE)]
        for y, mark, *want in zip(run(made, given), marks, *rows):
            got = y if mark else np.stack([y] * SIZE)
            np.testing.assert_allclose(got, np.stack(want), rtol=1e-12, atol=1e-12)


# ---- printing and reading ------------------------------------------------------------------------------------


@every_sample
def test_import_and_print(name: str, i: int, tmp_path: Any) -> None:
    """sable-opt reads what we write, accepts it, finds the operation, and what it writes it reads as the same."""
    function, _ = case(name, i)
    source, first, second = (tmp_path / f for f in ("in.mlir", "first.mlir", "second.mlir"))
    source.write_text(str(assemble(function, rules=True)))
    assert sable_opt.main([str(source), "-o", str(first)]) == 0
    assert OPS[name].mlir_name.removeprefix("func.") in first.read_text()
    assert sable_opt.main([str(first), "-o", str(second)]) == 0
    assert second.read_text() == first.read_text()


# ---- IREE ----------------------------------------------------------------------------------------------------


def programs(name: str) -> Iterator[tuple[Function, list[np.ndarray]]]:
    """Functions and arguments of an op's samples: as they are, batched, and their derivatives."""
    rules = OPS[name].rules
    for i in range(len(samples_of(name))):
        function, values = case(name, i)
        yield function, values
        yield batch_function(function, (True,) * len(values), SIZE)[0], [stacked(x) for x in values]
        active = active_of(values)[0]
        if rules.forward:
            yield jvp_function(function, active)[0], [*values, *tangents_of(values, active, 10)]
        if rules.reverse:
            made = gradient_function(function, active)
            yield made, [*values, *cotangents_of(made, len(values))]


@pytest.mark.parametrize("name", [n for n in NAMES if n not in NOT_EVALUATED])
def test_iree_agrees_with_the_reference(name: str) -> None:
    parts = list(programs(name))
    values = [x for _, given in parts for x in given]
    whole = Function([aval_of(x) for x in values], name)
    b, arguments = FunctionBuilder(whole), iter(whole.arguments)
    whole.finish([y for f, given in parts for y in interpret(f, [next(arguments) for _ in given], b)])
    wanted = [y for f, given in parts for y in run(f, given)]
    with enable_x64(True):
        loaded = loading.load(whole, runtime.devices("cpu")[0])
        got = [np.asarray(y) for y in loaded([Array(aval_of(x), x) for x in values])]
    for g, w in zip(got, wanted, strict=True):
        assert (g.shape, g.dtype) == (w.shape, w.dtype)
        np.testing.assert_allclose(g, w, rtol=1e-9, atol=1e-9)
