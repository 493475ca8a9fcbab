"""Cumulative sums, products, extremes and log-sums of exponentials along one axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable.ir.aval import Aval, aval, bfloat16
from sable.ir.codec import BOOL as FLAG
from sable.ir.codec import INT
from sable.ir.op import LINEAR, OPS, NumpyBuilder, Traits, defop

from .compose import compare, pad_axis, slice_axis
from .long_sums import long_cumulative_sum, wider
from .nary import accepted, transcendental
from .reduction import highest, lowest
from .rules import floats, generator, integers, kind_of, sample

# ---- scans in terms of ops -----------------------------------------------------------------------


def _interleave(b: Any, even: Any, odd: Any, axis: int) -> Any:
    """even[0], odd[0], even[1], odd[1] ...; `even` may have one more."""
    shape = list(b.aval(odd).shape)
    n, extra = shape[axis], b.aval(even).shape[axis] > shape[axis]
    apart = (*shape[: axis + 1], 1, *shape[axis + 1 :])
    together = (*shape[:axis], 2 * n, *shape[axis + 1 :])
    first = slice_axis(b, even, axis, 0, n) if extra else even
    pairs = b.concatenate(b.reshape(first, shape=apart), b.reshape(odd, shape=apart), dimension=axis + 1)
    out = b.reshape(pairs, shape=together)
    return b.concatenate(out, slice_axis(b, even, axis, n, n + 1), dimension=axis) if extra else out


def associative_scan(b: Any, combine: Callable, elements: Sequence[Any], axis: int) -> list[Any]:
    """Prefixes of an associative `combine(earlier, later)` of tuples of arrays; less than 2 n combinations.

    Neighbours are combined, the scan of these pairs gives every other prefix, one more combination the rest
    (Ladner and Fischer, Parallel prefix computation, 1980). The order of combination is that of
    `jax.lax.associative_scan`, which matters at ties.
    """
    n = b.aval(elements[0]).shape[axis]
    if n < 2:
        return list(elements)

    def part(xs: Sequence[Any], start: int, limit: int, stride: int = 1) -> list[Any]:
        return [slice_axis(b, x, axis, start, limit, stride) for x in xs]

    pairs = combine(part(elements, 0, n - 1, 2), part(elements, 1, n, 2))
    odd = associative_scan(b, combine, pairs, axis)
    first = part(elements, 0, 1)
    if n == 2:
        return [b.concatenate(x, y, dimension=axis) for x, y in zip(first, odd)]
    later = combine(part(odd, 0, (n - 1) // 2), part(elements, 2, n, 2))
    even = [b.concatenate(x, y, dimension=axis) for x, y in zip(first, later)]
    return [_interleave(b, x, y, axis) for x, y in zip(even, odd)]


def _scan(b: Any, combine: Callable, elements: Sequence[Any], axis: int, reverse: bool) -> list[Any]:
    if not reverse:
        return associative_scan(b, combine, elements, axis)
    turned = [b.reverse(x, dimensions=(axis,)) for x in elements]
    return [b.reverse(x, dimensions=(axis,)) for x in associative_scan(b, combine, turned, axis)]


def doubling_scan(b: Any, combine: Callable, x: Any, axis: int, reverse: bool, neutral: Any) -> Any:
    """Prefixes by log2(n) passes over the whole array, combining with what is 1, 2, 4 ... places before.

    More operations than `associative_scan`, but few and large kernels (Hillis and Steele, Data parallel
    algorithms, 1986).
    """
    n, step = b.aval(x).shape[axis], 1
    while step < n:
        if reverse:
            moved = pad_axis(b, slice_axis(b, x, axis, step, n), axis, 0, step, neutral)
        else:
            moved = pad_axis(b, slice_axis(b, x, axis, 0, n - step), axis, step, 0, neutral)
        x = combine(moved, x)
        step *= 2
    return x


# ---- the rows' parts -----------------------------------------------------------------------------


def _type(name: str, kinds: str) -> Callable:
    def rule(x: Aval, axis: int, reverse: bool) -> Aval:
        if kind_of(x.dtype) not in kinds:
            wanted = "number" if kinds == "iufc" else accepted(kinds)
            raise TypeError(f"{name} does not accept dtype {x.dtype.name}. Accepted dtypes are subtypes of {wanted}.")
        if not 0 <= axis < x.ndim:
            raise ValueError(f"axis {axis} is out of bounds for array of shape {x.shape}")
        return aval(x.shape, x.dtype, x.weak_type)

    return rule


def _ref(ufunc: np.ufunc) -> Callable:
    def accumulate(x: np.ndarray, axis: int) -> np.ndarray:
        if ufunc is np.add and wider(x.dtype, x.shape[axis]):
            return long_cumulative_sum(x, axis)
        return ufunc.accumulate(x, axis, dtype=x.dtype)

    def ref(operand: np.ndarray, axis: int, reverse: bool) -> np.ndarray:
        dtype = operand.dtype
        wide = np.float32 if dtype in (bfloat16, np.float16) else dtype
        if reverse:
            operand = np.flip(operand, axis)
        out = accumulate(operand.astype(wide, copy=False), axis).astype(dtype, copy=False)
        return np.flip(out, axis) if reverse else out

    return ref


def _logaddexp_ref(operand: np.ndarray, axis: int, reverse: bool) -> np.ndarray:
    if operand.dtype.kind != "c":
        return _ref(np.logaddexp)(operand, axis, reverse)
    # shifted by the running maximum of the real parts, element by element: NumPy has no complex logaddexp
    x = np.moveaxis(np.flip(operand, axis) if reverse else operand, axis, 0)
    out = x.copy()
    for i in range(1, len(x)):
        top = np.maximum(out[i - 1].real, x[i].real)
        top = np.where(np.isfinite(top), top, 0)
        out[i] = top + np.log(np.exp(out[i - 1] - top) + np.exp(x[i] - top))
    out = np.moveaxis(out, 0, axis)
    return np.flip(out, axis) if reverse else out


def _batch(b: Any, op: Any, size: int, operands: Any, mapped: Any, axis: int, reverse: bool) -> Any:
    return b.bind(op, operands[0], axis=axis + 1, reverse=reverse)


def _lower(mnemonic: str, neutral: Callable) -> Callable:
    def lower(b: Any, operand: Any, axis: int, reverse: bool) -> Any:
        op = OPS[mnemonic]
        worst = neutral(b.aval(operand).dtype)
        return doubling_scan(b, lambda x, y: b.bind(op, x, y), operand, axis, reverse, worst)

    return lower


def _logaddexp(b: Any, x: Any, y: Any) -> Any:
    """log(e^x + e^y) = max + log1p(e^-|x - y|); equal infinities (difference NaN) add up to themselves."""
    a = b.aval(x)
    if a.dtype.kind == "c":
        later = compare(b, b.real(x), b.real(y), "LT")
        high, low = b.select(later, y, x), b.select(later, x, y)
        gap = b.subtract(low, high)
    else:
        high = b.maximum(x, y)
        gap = b.negate(b.abs(b.subtract(x, y)))
    total = b.add(high, b.log_plus_one(b.exponential(gap)))
    same = compare(b, x, y, "EQ")
    endless = b.bind(OPS["and"], same, compare(b, gap, gap, "NE"))
    return b.select(endless, x, total)


def _logsumexp_lower(b: Any, operand: Any, axis: int, reverse: bool) -> Any:
    # -inf is neutral
    return doubling_scan(b, lambda x, y: _logaddexp(b, x, y), operand, axis, reverse, -np.inf)


# ---- derivatives ---------------------------------------------------------------------------------


def _prod_jvp(b: Any, t: Any, y: Any, operand: Any, axis: int, reverse: bool) -> Any:
    # (p, dp) of a product of products: (p q, dp q + p dq); without division, so that zeros do no harm
    def combine(x: Any, z: Any) -> list:
        (p, dp), (q, dq) = x, z
        return [b.multiply(p, q), b.add(b.multiply(dp, q), b.multiply(dq, p))]

    return _scan(b, combine, [operand, t], axis, reverse)[1]


def _extreme_jvp(mnemonic: str) -> Callable:
    def rule(b: Any, t: Any, y: Any, operand: Any, axis: int, reverse: bool) -> Any:
        def combine(x: Any, z: Any) -> list:
            (p, dp), (q, dq) = x, z
            best = b.bind(OPS[mnemonic], p, q)
            a = b.aval(best)
            zero, half, one = (b.full(a, v) for v in (0, 0.5, 1))
            first, second = compare(b, p, best, "EQ"), compare(b, q, best, "EQ")
            # halves at a tie, as `maximum` has it
            share = b.select(first, b.select(second, half, one), zero)
            rest = b.select(second, b.select(first, half, one), zero)
            return [best, b.add(b.multiply(dp, share), b.multiply(dq, rest))]

        return _scan(b, combine, [operand, t], axis, reverse)[1]

    return rule


def _logsumexp_jvp(b: Any, t: Any, y: Any, operand: Any, axis: int, reverse: bool) -> Any:
    # d log(e^p + e^q) = dp e^(p - s) + dq e^(q - s) with s the sum, where the weights of -inf and -inf are 1
    def combine(x: Any, z: Any) -> list:
        (p, dp), (q, dq) = x, z
        total = _logaddexp(b, p, q)
        return [total, b.add(b.multiply(dp, _weight(b, p, total)), b.multiply(dq, _weight(b, q, total)))]

    return _scan(b, combine, [operand, t], axis, reverse)[1]


def _weight(b: Any, part: Any, total: Any) -> Any:
    same = compare(b, part, total, "EQ")
    return b.select(same, b.full(b.aval(part), 1), b.exponential(b.subtract(part, total)))


def _sum_transpose(b: Any, ct: Any, avals: Any, operand: Any, axis: int, reverse: bool) -> Any:
    return b.cumsum(ct, axis=axis, reverse=not reverse)


# ---- rows ----------------------------------------------------------------------------------------


def _samples(integer: bool, complex_: bool, low: float, *more: Any) -> Callable:
    def samples() -> list:
        half = {"rtol": 2e-2, "atol": 2e-2, "why": "rounding of half precision"}
        found = [
            sample(floats((5,), low), axis=0, reverse=False),
            sample(floats((2, 7), low), axis=1, reverse=True),
            sample(floats((4, 3), low), axis=0, reverse=False),
            sample(floats((1, 3), low), axis=0, reverse=False),
            sample(floats((0, 3)), axis=0, reverse=True),
            sample(floats((3, 0)), axis=0, reverse=False),
            sample(floats((6,), low, dtype=np.float64), axis=0, reverse=False),
            sample(floats((6,), low, dtype=np.float16), axis=0, reverse=False, **half),
            sample(floats((6,), low, dtype=bfloat16), axis=0, reverse=True, **half),
            sample(
                np.array([-np.inf, 1, -np.inf, np.inf, np.nan, 2], np.float32),
                axis=0,
                reverse=False,
                grad=False,
                why="not finite",
            ),
            sample(np.array([-np.inf, -np.inf, 1], np.float32), axis=0, reverse=False, grad=False, why="not finite"),
            *more,
        ]
        if integer:
            found.append(sample(integers((2, 5)), axis=1, reverse=False))
            found.append(sample(integers((5,), 0, 99, np.uint8), axis=0, reverse=True))
        if complex_:
            z = generator(3).normal(size=(2, 4)) + 1j * generator(4).normal(size=(2, 4))
            found.append(sample(z.astype(np.complex64), axis=1, reverse=False))
        return found

    return samples


_PLAIN = Traits()


def _row(
    name: str,
    kinds: str,
    ref: Callable,
    jvp: Any,
    transpose: dict,
    samples: Callable,
    lower: Callable,
    traits: Traits = _PLAIN,
) -> None:
    defop(
        name,
        dialect="sable",
        operands=("operand",),
        params={"axis": INT, "reverse": FLAG},
        type=_type(name, kinds),
        ref=ref,
        jvp=jvp,
        transpose=transpose,
        batch=_batch,
        samples=samples,
        lower=lower,
        traits=traits,
    )


_row(
    "cumsum",
    "iufc",
    _ref(np.add),
    {"operand": LINEAR},
    {"operand": _sum_transpose},
    _samples(True, True, -2.0),
    _lower("add", lambda dtype: 0),
)
_row(
    "cumprod",
    "iufc",
    _ref(np.multiply),
    {"operand": _prod_jvp},
    {},
    _samples(True, True, -2.0, sample(np.array([2, 0, 3, 0, 5], np.float64), axis=0, reverse=False)),
    _lower("multiply", lambda dtype: 1),
)


def _extreme_lower(mnemonic: str, neutral: Callable) -> Callable:
    def neutral_of(dtype: np.dtype) -> Any:
        return complex(neutral(dtype), neutral(dtype)) if dtype.kind == "c" else neutral(dtype)

    return _lower(mnemonic, neutral_of)


def _extreme_ref(ufunc: np.ufunc, lower: Callable) -> Callable:
    # those of complex numbers lose NaN, as `maximum` does: in the same order everywhere
    plain, builder = _ref(ufunc), NumpyBuilder()

    def ref(operand: np.ndarray, axis: int, reverse: bool) -> np.ndarray:
        if operand.dtype.kind == "c":
            return lower(builder, operand, axis, reverse)
        return plain(operand, axis, reverse)

    return ref


_TIED = np.array([1, 1, 0, 2, 2, 2, -1], np.float32)
for _name, _mnemonic, _ufunc, _neutral in (
    ("cummax", "maximum", np.maximum, lowest),
    ("cummin", "minimum", np.minimum, highest),
):
    _row(
        _name,
        "iufc",
        _extreme_ref(_ufunc, _extreme_lower(_mnemonic, _neutral)),
        {"operand": _extreme_jvp(_mnemonic)},
        {},
        _samples(True, True, -2.0, sample(_TIED, axis=0, reverse=False, grad=False, why="ties")),
        _extreme_lower(_mnemonic, _neutral),
    )
_row(
    "cumlogsumexp",
    "fc",
    _logaddexp_ref,
    {"operand": _logsumexp_jvp},
    {},
    _samples(False, True, -2.0),
    _logsumexp_lower,
    transcendental(20),
)
