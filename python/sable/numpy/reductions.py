"""Sums, products, extremes, means along axes; arguments of extremes."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND, OPS, bind
from sable.core.dtypes import default_dtype, finfo, kind_of, to_inexact_dtype
from sable.core.operands import (
    array_argument,
    array_arguments,
    broadcast_shape,
    broadcast_values,
    convert,
    dtype_argument,
    expand_to,
    filled,
    full_like,
    kind,
    known_integer,
    normal_axes,
    normal_axis,
    promote_dtypes,
    reshape_to,
    scalar,
    select,
    truth,
)
from sable.core.values import retype
from sable.library.declare import library

_FLOAT32 = np.dtype(np.float32)

# ---- common ----------------------------------------------------------------------------------------


def no_out(name: str, out: Any) -> None:
    """Arrays never change, so results cannot be written into one.

    Raises:
      NotImplementedError: `out` is given.
    """
    if out is not None:
        raise NotImplementedError(f"The 'out' argument to jnp.{name} is not supported.")


def reduced_axes(x: Value, axis: Any) -> tuple[int, ...]:
    """The axes to reduce over.

    Raises:
      TypeError: not an int nor a sequence of ints. ValueError: out of bounds, or twice.
    """
    if axis is not None and not isinstance(axis, Sequence):
        axis = (known_integer(axis, "The axis argument must be known statically."),)
    return normal_axes(axis, x.aval.ndim)


def reduce_with(mnemonic: str, x: Value, axes: tuple[int, ...], keepdims: bool) -> Value:
    """A reduction op over axes, with axes of size 1 in their places where `keepdims`."""
    made = bind(OPS[mnemonic], x, dimensions=axes) if axes else x
    if keepdims:
        made = reshape_to(made, tuple(1 if i in axes else n for i, n in enumerate(x.aval.shape)))
    return retype(made, False)


def squeezed(made: Value, axes: tuple[int, ...], keepdims: bool) -> Value:
    """A result of `keepdims=True` without the axes, unless they were asked for."""
    if keepdims:
        return made
    return reshape_to(made, tuple(n for i, n in enumerate(made.aval.shape) if i not in axes))


def mask_argument(name: str, where: Any) -> Value | None:
    """A `where=` argument as a value, or None.

    Raises:
      ValueError: it is no boolean array; names the function.
    """
    if where is None:
        return None
    mask = array_argument(name, where)
    if kind(mask) != "b":
        raise ValueError(f"jnp.{name}: where must be None or a boolean array; got where.dtype={mask.aval.dtype!r}.")
    return mask


def masked(x: Value, mask: Value, fill: Any) -> Value:
    """x where the mask is true, else a neutral element (a Python scalar or a value)."""
    other = fill if isinstance(fill, Value) else scalar(fill, x.aval.dtype)
    shape = broadcast_shape((x.aval.shape, mask.aval.shape))
    other = expand_to(convert(other, x.aval.dtype), shape)
    return select(expand_to(mask, shape), expand_to(retype(x, False), shape), other)


@functools.lru_cache(256)
def _wide_integer(dtype: np.dtype, default: np.dtype) -> np.dtype:
    k = kind_of(dtype)
    if k == "b" or (k == "i" and dtype.itemsize < default.itemsize):
        return default
    if k == "u" and dtype.itemsize < default.itemsize:
        return np.dtype(f"u{default.itemsize}")
    return dtype


def accumulator(x: Value, dtype: Any, widen: bool = True) -> np.dtype:
    """The dtype in which sums and products are taken: narrow integers and booleans get the default width."""
    if dtype is not None:
        return dtype
    if widen:
        return _wide_integer(x.aval.dtype, default_dtype("i"))
    return default_dtype("i") if kind(x) == "b" else x.aval.dtype


def _with_initial(combine: str, made: Value, initial: Any) -> Value:
    if initial is None:
        return made
    (value,) = array_arguments("initial", initial)
    if value.aval.shape:
        raise ValueError(f"initial value must be a scalar. Got array of shape {value.aval.shape}")
    value = convert(value, made.aval.dtype)
    return bind(OPS[combine], *broadcast_values("initial", [made, value]))


# ---- sums and products -----------------------------------------------------------------------------


def _accumulate(
    name: str, mnemonics: tuple[str, str], neutral: int, a: Any, axis: Any, dtype: Any, out: Any, keepdims: bool,
    initial: Any, where: Any, promote_integers: bool,
) -> Value:  # fmt: skip
    no_out(name, out)
    x = array_argument(name, a)
    x = convert(x, accumulator(x, dtype_argument(dtype, name), promote_integers))
    if kind(x) == "b":  # asked for by dtype=bool: or, and
        mnemonics = {"reduce_sum": ("reduce_or", "or"), "reduce_prod": ("reduce_and", "and")}[mnemonics[0]]
    mask = mask_argument(name, where)
    if mask is not None:
        x = masked(x, mask, neutral)
    made = reduce_with(mnemonics[0], x, reduced_axes(x, axis), keepdims)
    return _with_initial(mnemonics[1], made, initial)


@library
def sum(
    a: Any, axis: Any = None, dtype: Any = None, out: None = None, keepdims: bool = False, initial: Any = None,
    where: Any = None, promote_integers: bool = True,
) -> Value:  # fmt: skip
    """Sum of the elements along axes.

    Args:
      a: array.
      axis: an axis or several; None: all.
      dtype: dtype in which the sum is taken; None: the array's, for narrow integers and booleans int32 (uint32).
      keepdims: leave axes of size 1.
      initial: is added.
      where: mask that broadcasts against the array: what to count.
      promote_integers: False keeps narrow integers.

    Raises:
      ValueError: an axis out of bounds or given twice. TypeError: not an array. NotImplementedError: `out`.

    Example:
      >>> jnp.sum(jnp.array([[1, 2], [3, 4]]), axis=0)
      Array([4, 6], dtype=int32)
      >>> x = jnp.array([200, 100], dtype=jnp.uint8)
      >>> jnp.sum(x), jnp.sum(x, promote_integers=False)
      (Array(300, dtype=uint32), Array(44, dtype=uint8))
    """
    names = ("reduce_sum", "add")
    return _accumulate("sum", names, 0, a, axis, dtype, out, keepdims, initial, where, promote_integers)


@library
def prod(
    a: Any, axis: Any = None, dtype: Any = None, out: None = None, keepdims: bool = False, initial: Any = None,
    where: Any = None, promote_integers: bool = True,
) -> Value:  # fmt: skip
    """Product of the elements along axes; arguments as of `sum`.

    Example:
      >>> jnp.prod(jnp.array([[1, 2], [3, 4]]), axis=1, keepdims=True)
      Array([[ 2],
             [12]], dtype=int32)
      >>> jnp.prod(jnp.array([])), jnp.prod(jnp.arange(1, 20))  # 19! is no int32: it wraps around
      (Array(1., dtype=float32), Array(109641728, dtype=int32))
    """
    names = ("reduce_prod", "multiply")
    return _accumulate("prod", names, 1, a, axis, dtype, out, keepdims, initial, where, promote_integers)


@library
def count_nonzero(a: Any, axis: Any = None, keepdims: bool = False) -> Value:
    """Number of elements along axes that are not zero.

    Args:
      a: array.
      axis, keepdims: as of `sum`.

    Returns:
      Integers in the default dtype.

    Example:
      >>> jnp.count_nonzero(jnp.array([[0, 1], [2, 3]]), axis=0)
      Array([1, 2], dtype=int32)
    """
    return sum(retype(truth(array_argument("count_nonzero", a)), False), axis, keepdims=keepdims)


# ---- extremes --------------------------------------------------------------------------------------


def _extreme(name: str, a: Any, axis: Any, out: Any, keepdims: bool, initial: Any, where: Any) -> Value:
    no_out(name, out)
    x = array_argument(name, a)
    axes = reduced_axes(x, axis)
    if initial is None and 0 in [x.aval.shape[i] for i in axes]:
        raise ValueError(f"zero-size array to reduction operation {name} which has no identity")
    mask = mask_argument(name, where)
    if mask is not None:
        if initial is None:
            raise ValueError(
                f"reduction operation {name} does not have an identity, so to use a where mask one has to specify "
                "'initial'"
            )
        x = masked(x, mask, array_argument(name, initial))
    if kind(x) == "c":
        made = _complex_extreme(name, x, axes, keepdims)
    else:
        made = reduce_with(f"reduce_{name}", x, axes, keepdims)
    return _with_initial(f"{name}imum", made, initial)


def _complex_extreme(name: str, x: Value, axes: tuple[int, ...], keepdims: bool) -> Value:
    """Lexicographic: the largest real part, and among those the largest imaginary part."""
    if not axes:
        return x
    re, im = BIND.real(x), BIND.imag(x)
    best = reduce_with(f"reduce_{name}", re, axes, True)
    none = float("-inf") if name == "max" else float("inf")
    tied = BIND.compare(re, expand_to(best, re.aval.shape), comparison_direction="EQ")
    second = reduce_with(f"reduce_{name}", select(tied, im, full_like(im, none)), axes, True)
    second = select(BIND.compare(best, best, comparison_direction="EQ"), second, best)  # NaN in both parts
    return squeezed(BIND.complex(best, second), axes, keepdims)


@library
def max(
    a: Any, axis: Any = None, out: None = None, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Value:
    """The largest element along axes; NaN if there is one.

    Args:
      a: array.
      axis: an axis or several; None: all.
      keepdims: leave axes of size 1.
      initial: the result is not below it; needed for empty arrays and with `where`.
      where: mask: what to look at.

    Raises:
      ValueError: nothing to look at and no `initial`.

    Example:
      >>> jnp.max(jnp.array([1.0, jnp.nan, 3.0])), jnp.nanmax(jnp.array([1.0, jnp.nan, 3.0]))
      (Array(nan, dtype=float32), Array(3., dtype=float32))
      >>> jnp.max(jnp.array([[1, 5], [7, 2]]), axis=1, initial=3)
      Array([5, 7], dtype=int32)
    """
    return _extreme("max", a, axis, out, keepdims, initial, where)


@library
def min(
    a: Any, axis: Any = None, out: None = None, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Value:
    """The smallest element along axes; arguments as of `max`.

    Example:
      >>> x = jnp.array([3, 1, 2])
      >>> jnp.min(x, where=x > 1, initial=100)
      Array(2, dtype=int32)
    """
    return _extreme("min", a, axis, out, keepdims, initial, where)


amax, amin = max, min


@library
def ptp(a: Any, axis: Any = None, out: None = None, keepdims: bool = False) -> Value:
    """The largest less the smallest element along axes.

    Args:
      a: array.
      axis: an axis or several; None: all.
      keepdims: leave axes of size 1.

    Example:
      >>> jnp.ptp(jnp.array([[1, 5], [7, 2]]), axis=1)
      Array([4, 5], dtype=int32)
    """
    no_out("ptp", out)
    return BIND.subtract(max(a, axis, keepdims=keepdims), min(a, axis, keepdims=keepdims))


def _arg_extreme(name: str, a: Any, axis: Any, out: Any, keepdims: bool | None) -> Value:
    no_out(name, out)
    x = array_argument(name, a)
    shape = x.aval.shape
    if axis is None:
        x, place = reshape_to(x, (x.aval.size,)), 0
        kept = (1,) * len(shape)
    else:
        place = normal_axis(axis, len(shape))
        kept = (*shape[:place], 1, *shape[place + 1 :])
    if x.aval.shape[place] == 0:
        raise ValueError(f"attempt to get {name} of an empty sequence")
    made = retype(bind(OPS[name], x, axis=place, index_dtype=default_dtype("i")), False)
    return reshape_to(made, kept) if keepdims else made


@library
def argmax(a: Any, axis: Any = None, out: None = None, keepdims: bool | None = None) -> Value:
    """Position of the (first) largest element, or of the first NaN, along an axis.

    Args:
      a: array.
      axis: None: in the array as a vector.
      keepdims: leave an axis of size 1.

    Raises:
      ValueError: nothing to look at.

    Example:
      >>> jnp.argmax(jnp.array([[1, 7], [7, 2]])), jnp.argmax(jnp.array([[1, 7], [7, 2]]), axis=1)
      (Array(1, dtype=int32), Array([1, 0], dtype=int32))
    """
    return _arg_extreme("argmax", a, axis, out, keepdims)


@library
def argmin(a: Any, axis: Any = None, out: None = None, keepdims: bool | None = None) -> Value:
    """Position of the (first) smallest element, or of the first NaN; arguments as of `argmax`.

    Example:
      >>> jnp.argmin(jnp.array([3.0, jnp.nan, 1.0]))
      Array(1, dtype=int32)
    """
    return _arg_extreme("argmin", a, axis, out, keepdims)


# ---- truth -----------------------------------------------------------------------------------------


def _truth(name: str, mnemonic: str, neutral: bool, a: Any, axis: Any, out: Any, keepdims: bool, where: Any) -> Value:
    no_out(name, out)
    x = retype(truth(array_argument(name, a)), False)
    mask = mask_argument(name, where)
    if mask is not None:
        x = masked(x, mask, neutral)
    return reduce_with(mnemonic, x, reduced_axes(x, axis), keepdims)


@library
def all(a: Any, axis: Any = None, out: None = None, keepdims: bool = False, *, where: Any = None) -> Value:
    """True where all elements along axes are not zero (`where` says which to look at).

    Args:
      a: array; what is not boolean is compared with zero.
      axis: an axis or several; None: all.
      keepdims: leave axes of size 1.
      where: mask that broadcasts against the array.

    Example:
      >>> jnp.all(jnp.array([[1, 0], [2, 3]]), axis=1), jnp.all(jnp.array([]))
      (Array([False,  True], dtype=bool), Array(True, dtype=bool))
    """
    return _truth("all", "reduce_and", True, a, axis, out, keepdims, where)


@library
def any(a: Any, axis: Any = None, out: None = None, keepdims: bool = False, *, where: Any = None) -> Value:
    """True where some element along axes is not zero (`where` says which to look at).

    Args:
      a, axis, keepdims, where: as of `all`.

    Example:
      >>> jnp.any(jnp.array([[1, 0], [0, 0]]), axis=1)
      Array([ True, False], dtype=bool)
    """
    return _truth("any", "reduce_or", False, a, axis, out, keepdims, where)


def reduce_bits(
    mnemonic: str, truth_only: bool, a: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False,
    initial: Any = None, where: Any = None,
) -> Value:  # fmt: skip
    """`and`, `or` or `xor` of the elements along axes: of their bits, or of whether they are not zero.

    Raises:
      ValueError: the bits of numbers that are no integers.
    """
    name = f"reduce_{mnemonic}"
    x = array_argument(name, a)
    if truth_only:
        x = truth(BIND.real(x) if kind(x) == "c" else x)
    elif kind(x) not in "biu":
        raise ValueError(f"integer argument required; got dtype={x.aval.dtype}")
    x = convert(x, x.aval.dtype if dtype is None else dtype_argument(dtype, name))
    mask = mask_argument(name, where)
    if mask is not None:
        x = masked(x, mask, np.array(-1 if mnemonic == "and" else 0).astype(x.aval.dtype))
    return _with_initial(mnemonic, reduce_with(name, x, reduced_axes(x, axis), keepdims), initial)


# ---- means -----------------------------------------------------------------------------------------


def computed_in(dtype: np.dtype) -> np.dtype:
    """The dtype in which means are computed: half precision would overflow."""
    return _FLOAT32 if kind_of(dtype) == "f" and finfo(dtype).bits < 32 else dtype


def _count(x: Value, axes: tuple[int, ...], mask: Value | None, keepdims: bool, dtype: np.dtype) -> Value:
    """How many elements each result is made of, as a value of that dtype."""
    if mask is None:
        return scalar(math.prod(x.aval.shape[i] for i in axes), dtype)
    mask = expand_to(retype(mask, False), broadcast_shape((x.aval.shape, mask.aval.shape)))
    return convert(sum(mask, axes, keepdims=keepdims), dtype)


@library
def mean(
    a: Any, axis: Any = None, dtype: Any = None, out: None = None, keepdims: bool = False, *, where: Any = None
) -> Value:
    """Mean of the elements along axes.

    Args:
      a: array.
      axis: an axis or several; None: all.
      dtype: of the result; None: the array's, float32 of integers.
      keepdims: leave axes of size 1.
      where: mask: what to count.

    Example:
      >>> jnp.mean(jnp.array([[1, 2], [3, 5]]), axis=0)
      Array([2. , 3.5], dtype=float32)
      >>> jnp.mean(jnp.array([1.0, 2.0, 30.0]), where=jnp.array([True, True, False]))
      Array(1.5, dtype=float32)
    """
    no_out("mean", out)
    x = array_argument("mean", a)
    wanted = dtype_argument(dtype, "mean")
    result = to_inexact_dtype(x.aval.dtype) if wanted is None else wanted
    computed = computed_in(result)
    axes = reduced_axes(x, axis)
    mask = mask_argument("mean", where)
    total = sum(x, axes, computed, keepdims=keepdims, where=mask)
    count = _count(x, axes, mask, keepdims, computed)
    return convert(BIND.divide(*broadcast_values("mean", [total, count])), result)


@library
def average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, keepdims: bool = False) -> Any:
    """Weighted mean along axes.

    Args:
      a: array.
      axis: an axis or several; None: all.
      weights: in the array's shape, or a vector for the one axis.
      returned: also return the sums of the weights.
      keepdims: leave axes of size 1.

    Raises:
      ValueError: the weights' shape does not fit.

    Example:
      >>> jnp.average(jnp.array([1.0, 2.0, 4.0]), weights=jnp.array([3, 1, 0]), returned=True)
      (Array(1.25, dtype=float32), Array(4., dtype=float32))
    """
    if weights is None:
        made = mean(a, axis, keepdims=keepdims)
        x = array_argument("average", a)
        count = _count(x, reduced_axes(x, axis), None, keepdims, made.aval.dtype)
    else:
        x, w = promote_dtypes(array_arguments("average", a, weights), "inexact")
        w = _spread_weights(x, w, axis)
        count = sum(w, axis, keepdims=keepdims)
        made = BIND.divide(sum(BIND.multiply(x, w), axis, keepdims=keepdims), count)
    return (made, expand_to(count, made.aval.shape)) if returned else made


def _spread_weights(x: Value, w: Value, axis: Any) -> Value:
    if w.aval.shape == x.aval.shape:
        return w
    if axis is None:
        raise ValueError("Axis must be specified when shapes of a and weights differ.")
    axes = reduced_axes(x, axis)
    if w.aval.shape != tuple(x.aval.shape[i] for i in axes):
        raise ValueError("Shape of weights must be consistent with shape of a along specified axis.")
    order = tuple(sorted(range(len(axes)), key=axes.__getitem__))
    w = w if order == tuple(range(len(axes))) else BIND.transpose(w, permutation=order)
    return BIND.broadcast_in_dim(w, shape=x.aval.shape, broadcast_dimensions=tuple(sorted(axes)))


@library
def var(
    a: Any, axis: Any = None, dtype: Any = None, out: None = None, ddof: Any = 0, keepdims: bool = False, *,
    where: Any = None, mean: Any = None, correction: Any = None,
) -> Value:  # fmt: skip
    """Variance of the elements along axes: the mean square of their distances from the mean.

    Args:
      a: array.
      axis: an axis or several; None: all.
      dtype: of the result; None: the array's, float32 of integers; that of the parts of complex numbers.
      ddof: is taken off the number of elements (`correction` is the same).
      keepdims: leave axes of size 1.
      where: mask: what to count.
      mean: the mean, with axes of size 1, if it is known.

    Raises:
      ValueError: both `ddof` and `correction` are given.

    Example:
      >>> jnp.var(jnp.array([1.0, 3.0])), jnp.var(jnp.array([1.0, 3.0]), ddof=1)
      (Array(1., dtype=float32), Array(2., dtype=float32))
    """
    no_out("var", out)
    return variance("var", a, axis, dtype, ddof, keepdims, where, mean, correction)


def variance(
    name: str, a: Any, axis: Any, dtype: Any, ddof: Any, keepdims: bool, where: Any, mean: Any, correction: Any
) -> Value:
    """`var`, for the function that the messages name."""
    if correction is not None:
        if not isinstance(ddof, int) or ddof != 0:
            raise ValueError("ddof and correction can't be provided simultaneously.")
        ddof = correction
    x = array_argument(name, a)
    mask = mask_argument(name, where)
    wanted = dtype_argument(dtype, name)
    check_variance_dtype(x, wanted)
    inner = to_inexact_dtype(x.aval.dtype)
    computed = computed_in(inner)
    result = wanted if wanted is not None else _real_of(inner)
    axes = reduced_axes(x, axis)
    x = convert(x, computed)
    center = _mean(x, axes, None, keepdims=True, where=mask) if mean is None else array_argument(name, mean)
    center = expand_to(convert(center, computed), x.aval.shape)
    distance = BIND.subtract(x, center)
    if kind(x) == "c":
        re, im = BIND.real(distance), BIND.imag(distance)
        squares = BIND.add(BIND.multiply(re, re), BIND.multiply(im, im))
    else:
        squares = BIND.multiply(distance, distance)
    total = sum(squares, axes, keepdims=keepdims, where=mask)
    count = _count(x, axes, mask, keepdims, total.aval.dtype)
    rest = BIND.subtract(*broadcast_values(name, [count, convert(array_argument(name, ddof), total.aval.dtype)]))
    total, rest = broadcast_values(name, [total, rest])
    nan = filled(total.aval.shape, total.aval.dtype, float("nan"))
    positive = BIND.compare(rest, full_like(rest, 0), comparison_direction="GT")
    return convert(select(positive, BIND.divide(total, rest), nan), result)


_mean = mean


def check_variance_dtype(x: Value, wanted: Any) -> None:
    """The mean square of complex distances is real, but computed in complex numbers."""
    if wanted is not None and kind(x) == "c" and kind_of(wanted) != "c":
        raise ValueError(
            "jax.numpy.var does not yet support real dtype parameters when computing the variance of an array of complex "
            f"values; got dtype {wanted.name} for {x.aval.short()}"
        )


def _real_of(dtype: np.dtype) -> np.dtype:
    return finfo(dtype).dtype if kind_of(dtype) == "c" else dtype


@library
def std(
    a: Any, axis: Any = None, dtype: Any = None, out: None = None, ddof: Any = 0, keepdims: bool = False, *,
    where: Any = None, mean: Any = None, correction: Any = None,
) -> Value:  # fmt: skip
    """Standard deviation, the root of the variance; arguments as of `var`.

    Example:
      >>> jnp.std(jnp.array([[1.0, 3.0], [2.0, 2.0]]), axis=1)
      Array([1., 0.], dtype=float32)
    """
    no_out("std", out)
    return BIND.sqrt(variance("std", a, axis, dtype, ddof, keepdims, where, mean, correction))
