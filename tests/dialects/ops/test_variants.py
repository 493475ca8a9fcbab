"""Every row with every dtype that it takes, as scalars, empty, of one element, with special values: `variants.py`.

The reference against JAX's functions, compiled programs against the reference. An elementwise row is compared on all values
at once, and in other shapes with parts of that; compiled, many of them are one kernel, told by an argument which to compute.
"""

from __future__ import annotations

import functools
import itertools
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import sable.dialects.ops  # noqa: F401  (defines the table)
from sable import runtime
from sable._config.managers import enable_x64
from sable.core import loading
from sable.core.array import Array
from sable.dialects.ops.rules import elementwise
from sable.dialects.ops.samples import TOLERANCES
from sable.ir.aval import aval_of
from sable.ir.function import Function, FunctionBuilder
from sable.ir.op import OPS, NumpyBuilder, Op, Sample

from . import lax_functions, oracle
from .invariants import invariants
from .test_iree import bundle
from .variants import DTYPES, NARROW, Variant, kind, variants

B = NumpyBuilder()
ROWS = [op for op in OPS.values() if op.rules is None and op.collective is None and op.operands]

# ---- differences that stand --------------------------------------------------------------------------------------
#: Signs of zeros that depend on the order of operands or of additions; of all others they are compared.
UNSIGNED_ZERO = "maximum minimum clamp complex sort dot_general convolution fft symmetric_product"
UNSIGNED_ZERO_PREFIXES = ("reduce_", "cum", "scatter_", "arg")
#: Not compared where an operand is a denormal, the smallest normal or the largest number.
AT_ENDS = {
    "atan2": "XLA divides two denormals, which is 0 / 0; complex zeros have a phase by the signs of their parts",
    "integer_pow": "products of complex infinities, in parts or as numbers",
    "log": "XLA's polynomial of a denormal",
    "next_after": "XLA takes denormals for zeros and answers with the second operand",
    **dict.fromkeys(
        ["zeta", "polygamma", "igamma", "igammac", "igamma_grad_a", "random_gamma_grad", "betainc"],
        "terms of XLA's and our series overflow or are denormals, where SciPy has the limit",
    ),
}
#: (rows, kinds of dtypes, special values): which results JAX's libraries or orders of operations make there
UNDETERMINED = [
    ("reduce_max reduce_min cummax cummin scatter_min scatter_max", "c", "nan", "no order among complex NaN"),
    ("cumlogsumexp", "c", "infinities", "JAX has NaN of complex infinities"),
    ("cumprod", "f", "ends", "partial products underflow in one order and not in another"),
    ("convolution dot_general", "c", "infinities ends", "products of complex infinities, in parts or as numbers"),
    ("cholesky geqrf householder_product lu qr eigh svd eig", "fc", "nan infinities ends", "LAPACK's pivots, scales"),
    (
        "hessenberg tridiagonal schur geqp3 ormqr tridiagonal_solve",
        "fc",
        "nan infinities ends",
        "LAPACK's pivots, scales",
    ),
    ("cholesky_update symmetric_product", "f", "nan infinities ends", "rotations and products of what is not finite"),
    ("triangular_solve lu_solve", "fc", "infinities ends", "inf - inf in one order and not in another"),
    ("lu_solve lu_pivots_to_permutation", "fci", "one ends", "no permutation"),
    ("fft", "fc", "infinities ends nan", "sums of infinities in the order of the algorithm"),
]
#: JAX's loops take minutes at some special values: these are compared of compiled programs and the reference alone
ENDLESS = ("igamma", "igammac", "igamma_grad_a", "random_gamma_grad", "betainc")
#: XLA refuses windows without elements; JAX has no pivots of empty matrices, and its oracle here no stack of none
NO_EMPTY = ("convolution", "geqp3", "qr", "cholesky_update")
#: int4 has a byte for each element, of which XLA's bitcast takes half
BYTES = ("bitcast_convert",)


def stands(v: Variant) -> bool:
    return (
        any(
            v.op.name in names.split() and kind(v.dtype) in kinds and v.what in what.split()
            for names, kinds, what, _ in UNDETERMINED
        )
        or (v.what == "empty" and v.op.name in NO_EMPTY)
        or (v.dtype in NARROW and v.op.name in BYTES)
    )


# ---- comparison --------------------------------------------------------------------------------------------------


def flushed(x: np.ndarray) -> np.ndarray:
    """Denormals as zeros of their sign, as compiled code and XLA on CPUs have them; half precision keeps its own."""
    if x.dtype.kind == "c":
        parts = flushed(x.real), flushed(x.imag)
        made = np.empty_like(x)
        made.real, made.imag = parts
        return made
    if kind(x.dtype) != "f" or x.dtype == np.float16 or x.dtype in NARROW:
        return x
    tiny = ml_dtypes.finfo(x.dtype).tiny
    return np.where((x != 0) & (np.abs(x) < tiny), np.copysign(np.zeros_like(x), x), x)


def at_end(x: np.ndarray) -> np.ndarray:
    """Where a number is the largest one, or not zero and at most the smallest normal one; complex numbers with a zero or infinite part."""
    if kind(x.dtype) != "f":
        ends = (x.real == 0) | (x.imag == 0) | np.isinf(x) if kind(x.dtype) == "c" else False
        return np.broadcast_to(ends, x.shape)
    info, size = ml_dtypes.finfo(x.dtype), np.abs(x)
    return (size == info.max) | ((x != 0) & (size <= info.tiny))


def meaning(op: Op, sample: Sample, operands: Sequence[np.ndarray]) -> list[np.ndarray]:
    out = B.bind(op, *operands, **sample.params)
    return list(out) if op.multiple_results else [out]


def wide(x: np.ndarray) -> np.ndarray:
    return x.astype(np.float64) if kind(x.dtype) == "f" else x


def real_agrees(got: np.ndarray, want: np.ndarray, size: np.ndarray, rtol: float, atol: float) -> np.ndarray:
    same = (got == want) | (np.isnan(got) & np.isnan(want))
    return same | (np.isfinite(got) & np.isfinite(want) & (np.abs(got - want) <= atol + rtol * size))


def agrees(op: Op, got: np.ndarray, want: np.ndarray, sample: Sample) -> np.ndarray:
    """Which elements agree."""
    if kind(want.dtype) in "biu":
        return got == want
    rtol, atol = TOLERANCES.get(want.dtype, (0.0, 0.0))
    rtol, atol = max(rtol, sample.rtol), max(atol, sample.atol)
    if want.dtype.kind == "c":
        # of a number that is not finite one part says so, and the other may be anything
        both = ~np.isfinite(got) & ~np.isfinite(want)
        size = np.abs(want)
        return both | (
            real_agrees(got.real, want.real, size, rtol, atol) & real_agrees(got.imag, want.imag, size, rtol, atol)
        )
    g, w = wide(got), wide(want)
    ok = real_agrees(g, w, np.abs(w), rtol, atol)
    if op.name in UNSIGNED_ZERO.split() or op.name.startswith(UNSIGNED_ZERO_PREFIXES) or op.native is not None:
        return ok
    return ok & ~((g == 0) & (w == 0) & (np.signbit(g) != np.signbit(w)))


def check(op: Op, sample: Sample, got: Sequence[np.ndarray], what: str) -> None:
    """What was computed is the meaning of the operands, or of these with denormals flushed, element by element."""
    with np.errstate(all="ignore"):
        wants = [meaning(op, sample, sample.operands), meaning(op, sample, [flushed(x) for x in sample.operands])]
        for g, *each in zip(*[invariants(op.name, made) for made in (got, *wants)]):
            assert (g.shape, g.dtype) == (each[0].shape, each[0].dtype), what
            ok = agrees(op, g, each[0], sample) | agrees(op, g, each[1], sample)
            if op.name in AT_ENDS:
                ok |= functools.reduce(np.logical_or, map(at_end, sample.operands))
            places = np.argwhere(~ok)[:5]
            told = [
                f"{len(np.argwhere(~ok))}: "
                f"{[x[tuple(i)] for x in sample.operands if x.shape == g.shape]}: {g[tuple(i)]}, "
                f"wanted {each[0][tuple(i)]}"
                for i in places
            ]
            assert not told, f"{what} {dict(sample.params)}: {told}"


@functools.cache
def variants_of(op: Op) -> tuple[Variant, ...]:
    with np.errstate(all="ignore"):
        return tuple(variants(op))


# ---- the reference -----------------------------------------------------------------------------------------------


def whole(op: Op, dtype: np.dtype) -> Variant | None:
    """Of an elementwise row: the values of all variants of a dtype in one."""
    kinds = ("typical",) if op.name in ENDLESS else ("typical", "special")
    found = [v for v in variants_of(op) if v.dtype == dtype and v.what in kinds]
    if not found:
        return None
    columns = zip(*[v.sample.operands for v in found])
    operands = tuple(np.concatenate([x.reshape(-1) for x in column]) for column in columns)
    s = found[0].sample
    return Variant(op, dtype, "all values", Sample(operands, s.params, s.rtol, s.atol))


def turn(v: Variant, parts: int) -> bool:
    """Whether it is this dtype's turn: each row has each shape in every so many dtypes."""
    return ([*DTYPES, *NARROW].index(v.dtype) + zlib.crc32(f"{v.op.name}{v.what}".encode())) % parts == 0


def is_flat(op: Op) -> bool:
    """Whether all values may stand in one vector."""
    return op.batch is elementwise and not op.multiple_results and op.name != "bitcast_convert"


def compared_with_jax(op: Op) -> list[Variant]:
    if is_flat(op):
        return [v for v in (whole(op, dtype) for dtype in [*DTYPES, *NARROW]) if v is not None]
    return [v for v in variants_of(op) if not stands(v) and (v.what == "typical" or turn(v, 3))]


@pytest.mark.parametrize("op", ROWS, ids=str)
def test_reference_agrees_with_jax(op: Op) -> None:
    pytest.importorskip("jax")
    chosen = compared_with_jax(op)
    assert chosen
    runner = lax_functions if lax_functions.has_function(op) else oracle
    for v, got in zip(chosen, runner.run(op, [v.sample for v in chosen])):
        check(op, v.sample, got, str(v))


@pytest.mark.parametrize("op", ROWS, ids=str)
def test_reference_in_every_shape(op: Op) -> None:
    """Shapes and dtypes are those of the type rule, nothing warns, and an elementwise row does not see the shape."""
    for v in variants_of(op):
        operands = v.sample.operands
        if v.op.name == "lu_solve" and v.what == "one":
            continue  # no permutation
        types = op.type(*[aval_of(x) for x in operands], **v.sample.params)
        types = types if op.multiple_results else (types,)
        made = meaning(op, v.sample, operands)
        assert [(y.shape, y.dtype) for y in made] == [(a.shape, a.dtype) for a in types], str(v)
        if op.batch is elementwise and v.what in ("scalar", "one"):
            flat = meaning(op, v.sample, [np.repeat(x.reshape(-1), 3) for x in operands])
            for y, f in zip(made, flat):
                np.testing.assert_array_equal(y.reshape(f[:1].shape), f[:1], str(v))


# ---- compiled: elementwise rows ----------------------------------------------------------------------------------

#: rows in one kernel
TOGETHER = 10
#: rows whose lowering is long or has loops: with the others
LONG = {"polygamma", "zeta", "igamma", "igammac", "igamma_grad_a", "random_gamma_grad", "betainc", "power"}


def is_short(op: Op) -> bool:
    return is_flat(op) and op.name not in LONG


def kernels(dtype: np.dtype) -> Iterator[list[Variant]]:
    """Rows of as many operands and one result dtype, some at a time."""
    found: dict[Any, list[Variant]] = {}
    for op in ROWS:
        v = whole(op, dtype) if is_short(op) else None
        if v is not None:
            result = op.type(*[aval_of(x) for x in v.sample.operands], **v.sample.params)
            types = tuple(x.dtype for x in v.sample.operands)
            found.setdefault((types, result.dtype), []).append(v)
    for group in found.values():
        for i in range(0, len(group), TOGETHER):
            yield group[i : i + TOGETHER]


def chosen_by_number(group: Sequence[Variant], shapes: Sequence[tuple[int, ...]]) -> Function:
    """A function of a number and operands of each shape: what the row of that number makes of them."""
    types = [x.dtype for x in group[0].sample.operands]
    empties = [np.empty(shape, dtype) for shape in shapes for dtype in types]
    function = Function([aval_of(np.int32(0)), *[aval_of(x) for x in empties]], "rows")
    b = FunctionBuilder(function)
    number, *rest = function.arguments
    outputs = []
    for operands in zip(*[iter(rest)] * len(types)):
        made = None
        for k, v in enumerate(group):
            y = b.bind(v.op, *operands, **v.sample.params)
            here = b.compare(number, b.full(b.aval(number), k), comparison_direction="EQ")
            made = y if made is None else b.select(here, y, made)
        outputs.append(made)
    return function.finish(outputs)


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: d.name)
def test_compiled_elementwise_rows(dtype: np.dtype) -> None:
    device = runtime.devices("cpu")[0]
    with enable_x64(True):
        for count, group in enumerate(kernels(dtype)):
            size = max(x.size for v in group for x in v.sample.operands)
            shapes = [(size,)]
            if (count + DTYPES.index(dtype)) % 3 == 0:
                shapes += [(), (1,), (0,), (0, 3)]
            loaded = loading.load(chosen_by_number(group, shapes), device)
            for k, v in enumerate(group):
                given = [[np.resize(x, shape) for x in v.sample.operands] for shape in shapes]
                arguments = [np.int32(k), *itertools.chain(*given)]
                results = loaded([Array(aval_of(x), x) for x in map(np.asarray, arguments)])
                for operands, y in zip(given, results):
                    s = v.sample
                    check(v.op, Sample(tuple(operands), s.params, s.rtol, s.atol), [np.asarray(y)], str(v))


# ---- compiled: the others ----------------------------------------------------------------------------------------


def compiled_variants(op: Op) -> list[Variant]:
    """Dtypes that no sample has, and of shapes and special values as many as time allows."""
    had = {x.dtype for s in op.samples() for x in s.operands}
    found: dict[str, Variant] = {}
    for v in variants_of(op):
        if stands(v) or v.dtype in NARROW or (op.name in LONG and v.what in ("scalar", "one")):
            continue
        if v.what != "typical":
            of_f32 = v.op.name in ENDLESS and v.what == "special"
            if v.what not in found and (v.dtype == np.float32 if of_f32 else turn(v, 3)):
                found[v.what] = v
        elif v.dtype not in had and turn(v, 4):
            found[str(v)] = v
    return list(found.values())


@pytest.mark.parametrize("op", [op for op in ROWS if not is_short(op)], ids=str)
def test_compiled_rows(op: Op) -> None:
    chosen = compiled_variants(op)
    if not chosen:
        pytest.skip("its samples have all dtypes, and no shape may change")
    with enable_x64(True):
        function, operands = bundle(op, [v.sample for v in chosen])
        loaded = loading.load(function, runtime.devices("cpu")[0])
        results = iter(loaded([Array(aval_of(x), x) for x in operands]))
        for v in chosen:
            count = len(meaning(op, v.sample, v.sample.operands))
            check(op, v.sample, [np.asarray(next(results)) for _ in range(count)], str(v))
