"""Arrays of given shape: zeros, ones, full; sequences; identity, triangles, diagonals; grids."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from sable.core.array import Array, Value
from sable.core.bind import BIND, constant
from sable.core.destinations import at_device
from sable.core.dtype_kinds import BOOL
from sable.core.dtypes import default_dtype, kind_of, lattice_result_type, to_inexact_dtype
from sable.core.operands import (
    array_argument,
    array_arguments,
    broadcast_values,
    compare,
    convert,
    dtype_argument,
    expand_to,
    filled,
    kind,
    known_integer,
    known_values,
    logical,
    normal_axis,
    reshape_to,
    scalar,
    select,
    shape_argument,
    sizes_argument,
    value_in,
)
from sable.core.operands import full_like as constant_like
from sable.core.state import STATE
from sable.core.trace import Tracer
from sable.core.values import retype
from sable.library.declare import library

from .arrays import asarray
from .manipulation import broadcast_to, moveaxis
from .ufuncs import power, sign
from .ufuncs_float import log10

_INT32 = np.dtype(np.int32)

# ---- constants -----------------------------------------------------------------------------------


def _constant_array(name: str, shape: Any, dtype: Any, value: Any, device: Any = None) -> Value:
    if isinstance(shape, int) and isinstance(dtype, int) and not isinstance(dtype, bool):
        raise TypeError(
            f"Cannot interpret '{dtype}' as a data type.\n\nDid you accidentally write `jax.numpy.{name}({shape}, {dtype})` "
            f"when you meant `jax.numpy.{name}(({shape}, {dtype}))`, with one tuple for the shape?"
        )
    wanted = default_dtype("f") if dtype is None else dtype_argument(dtype, name)
    made = filled(shape_argument(shape), wanted, value)
    return at_device(made, device)


@library(moves=())
def zeros(shape: Any, dtype: Any = None, *, device: Any = None) -> Value:
    """An array of zeros.

    Args:
      shape: an int or a sequence of ints.
      dtype: None: the default float dtype.

    Raises:
      TypeError: sizes that are no known integers; not a dtype.

    Example:
      >>> import sable.numpy as jnp
      >>> jnp.zeros((2, 2))
      Array([[0., 0.],
             [0., 0.]], dtype=float32)
    """
    return _constant_array("zeros", shape, dtype, 0, device)


@library(moves=())
def ones(shape: Any, dtype: Any = None, *, device: Any = None) -> Value:
    """An array of ones; arguments as of `zeros`."""
    return _constant_array("ones", shape, dtype, 1, device)


@library(moves=())
def empty(shape: Any, dtype: Any = None, *, device: Any = None) -> Value:
    """An array of zeros (there are no arrays without values); arguments as of `zeros`."""
    return _constant_array("empty", shape, dtype, 0, device)


@library(moves=(), fills=("fill_value",))
def full(shape: Any, fill_value: Any, dtype: Any = None, *, device: Any = None) -> Value:
    """An array of a repeated value.

    Args:
      shape: an int or a sequence of ints.
      fill_value: scalar, or array that broadcasts to the shape.
      dtype: None: that of the value.
    """
    wanted = dtype_argument(dtype, "full")
    value = array_argument("full", fill_value) if wanted is None else _in_dtype("full", fill_value, wanted)
    sizes = shape_argument(shape)
    a = value.aval
    if STATE.staged is None and a.ndim == 0 and type(value) is not Tracer:
        made = filled(sizes, a.dtype, value.numpy(), a.weak_type)  # type: ignore[attr-defined]
    else:
        made = _broadcast(value, sizes)
    place = _place(value) if device is None else device
    return made if place is None else at_device(retype(made, False), place)


def _place(x: Any) -> Any:
    """Where arrays that are made like x go: None, unless x is bound to a device."""
    return x.device if isinstance(x, Array) and x.committed else None


def _in_dtype(name: str, x: Any, dtype: np.dtype) -> Value:
    return value_in(dtype, x, name) if type(x) is int else convert(array_argument(name, x), dtype)


def _broadcast(x: Value, shape: tuple[int, ...]) -> Value:
    return broadcast_to(x, shape)


def _like(name: str, x: Any, value: Any, dtype: Any, shape: Any, device: Any = None) -> Value:
    if (
        not isinstance(x, Value)
        and hasattr(x, "shape")
        and hasattr(x, "dtype")
        and not isinstance(x, (np.ndarray, np.generic))
    ):
        a_shape, a_dtype, weak = tuple(x.shape), np.dtype(x.dtype), bool(getattr(x, "weak_type", False))
    else:
        a = array_argument(name, x).aval
        a_shape, a_dtype, weak = a.shape, a.dtype, a.weak_type
    wanted = dtype_argument(dtype, name)
    sizes = a_shape if shape is None else shape_argument(shape)
    if isinstance(value, Value):
        made = full(sizes, convert(value, a_dtype if wanted is None else wanted, wanted is None and weak))
    else:
        made = filled(sizes, a_dtype if wanted is None else wanted, value, wanted is None and weak and device is None)
    like = None if weak or np.ndim(value) else _place(x)
    return at_device(made, like if device is None else device)


@library(moves=("a",))
def zeros_like(a: Any, dtype: Any = None, shape: Any = None, *, device: Any = None) -> Value:
    """Zeros in the shape and dtype of an array, unless other ones are given."""
    return _like("zeros_like", a, 0, dtype, shape, device)


@library(moves=("a",))
def ones_like(a: Any, dtype: Any = None, shape: Any = None, *, device: Any = None) -> Value:
    """Ones in the shape and dtype of an array, unless other ones are given."""
    return _like("ones_like", a, 1, dtype, shape, device)


@library(moves=("prototype",))
def empty_like(prototype: Any, dtype: Any = None, shape: Any = None, *, device: Any = None) -> Value:
    """Zeros in the shape and dtype of an array, unless other ones are given."""
    return _like("empty_like", prototype, 0, dtype, shape, device)


@library(operands=("fill_value",), moves=("a",), fills=("fill_value",))
def full_like(a: Any, fill_value: Any, dtype: Any = None, shape: Any = None, *, device: Any = None) -> Value:
    """A repeated value in the shape and dtype of an array, unless other ones are given."""
    if type(fill_value) is not int:  # that is taken in the dtype asked for, whatever its size
        fill_value = array_argument("full_like", fill_value, 1)
    return _like("full_like", a, fill_value, dtype, shape, device)


# ---- sequences -----------------------------------------------------------------------------------


def _known_number(x: Any, name: str) -> Any:
    """An argument of `arange` as a NumPy or Python number."""
    if np.iscomplexobj(x) if not isinstance(x, Value) else kind(x) == "c":
        raise ValueError(f"Passing complex start/stop/step to jnp.arange is no longer supported; {name} is {x}.")
    if x is None or isinstance(x, (bool, int, float, np.generic)):
        return x
    if isinstance(x, Value):
        x = known_values(x, f"It arose in the jnp.arange argument {name!r}") if isinstance(x, Tracer) else x
    if isinstance(x, Value):
        return x.item() if x.aval.weak_type else np.asarray(x.item(), x.aval.dtype)[()]
    if isinstance(x, np.ndarray) and x.ndim == 0:
        return x[()]
    raise TypeError(f"arange requires ndarray, scalar, or None arguments, got {type(x)}.")


@library
def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None, *, device: Any = None) -> Value:
    """Evenly spaced numbers: start, start + step, ..., before stop.

    Args:
      start: the first number; without `stop`, the end, and the first number is 0.
      stop: the end, not included.
      step: the distance; None means 1.
      dtype: None: that in which the arguments meet (int32 of Python ints).

    Raises:
      TypeError: an argument is no scalar. ConcretizationTypeError: one is traced.
      ZeroDivisionError: step is 0.
    """
    wanted = dtype_argument(dtype, "arange")
    given = [x for x in (start, stop, step) if x is not None]
    if start is None:
        raise TypeError("arange: the first argument must be a real number, not None")
    names = ("stop" if stop is None and step is None else "start", "stop", "step")
    numbers = [_known_number(x, name) for x, name in zip((start, stop, step), names)]
    if wanted is None:
        wanted = lattice_result_type(*given)[0]
    if kind_of(wanted) == "b":
        raise TypeError("arange does not accept dtype bool. Accepted dtypes are subtypes of integer, floating.")
    first, last, distance = numbers
    if last is None and distance is None:
        n = max(0, math.ceil(first))
        made = BIND.iota(shape=(n,), dtype=wanted, iota_dimension=0)
        return at_device(made, device)
    if last is None:
        first, last = 0, first
    if distance is not None and distance == 0:
        raise ZeroDivisionError("arange: step must not be 0")
    values = np.arange(first, last, 1 if distance is None else distance)
    made = constant(values.astype(wanted))
    return at_device(made, device)


@library
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Any:
    """`num` evenly spaced numbers from start to stop.

    Args:
      start, stop: first and last number, or arrays of them that broadcast.
      num: how many.
      endpoint: False leaves out `stop`; the distance is then (stop - start) / num.
      retstep: also return the distance.
      dtype: None: the float dtype in which start and stop meet; numbers are rounded down to integers.
      axis: where the new axis goes in the result.

    Raises:
      ValueError: `num` is negative.
    """
    num = known_integer(num, "'num' argument of jnp.linspace")
    if num < 0:
        raise ValueError(f"Number of samples, {num}, must be non-negative.")
    ends = array_arguments("linspace", start, stop)
    wanted = dtype_argument(dtype, "linspace")
    computed = to_inexact_dtype(lattice_result_type(*ends)[0])
    result = computed if wanted is None else wanted
    low, high = broadcast_values("linspace", [convert(x, computed) for x in ends])
    out, delta = _spaced(low, high, num, endpoint)
    if axis != 0:
        out = moveaxis(out, 0, axis)
    if kind_of(result) in "iu":
        out = BIND.floor(out)
    out = at_device(retype(convert(out, result), False), device)
    return (out, at_device(delta, device)) if retstep else out


@library
def _spaced(low: Value, high: Value, num: int, endpoint: bool) -> tuple[Value, Value]:
    a = low.aval
    divisions = num - 1 if endpoint else num
    if num == 0:
        return filled((0, *a.shape), a.dtype, 0), filled((), a.dtype, np.nan)
    if divisions < 1:
        delta = filled((), a.dtype, np.nan) if endpoint else BIND.subtract(high, low)
        return reshape_to(low, (1, *a.shape)), delta
    delta = BIND.divide(BIND.subtract(high, low), constant_like(low, divisions))
    shape = (divisions, *a.shape)
    steps = BIND.divide(BIND.iota(shape=shape, dtype=a.dtype, iota_dimension=0), filled(shape, a.dtype, divisions))
    first, last = expand_to(low, shape), expand_to(high, shape)
    rest = BIND.subtract(constant_like(steps, 1), steps)
    out = BIND.add(BIND.multiply(first, rest), BIND.multiply(last, steps))
    if endpoint:
        out = BIND.concatenate(out, reshape_to(high, (1, *a.shape)), dimension=0)
    return out, delta


@library
def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Value:
    """Numbers evenly spaced on a logarithmic scale: base ** linspace(start, stop)."""
    wanted = dtype_argument(dtype, "logspace")
    exponents = linspace(start, stop, num, endpoint, axis=axis)
    found = power(convert(array_argument("logspace", base), exponents.aval.dtype), exponents)
    return found if wanted is None else convert(found, wanted)


@library
def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Value:
    """Numbers in geometric progression from start to stop: not 0, real ones of the same sign (else NaN)."""
    values = array_arguments("geomspace", start, stop)
    wanted = dtype_argument(dtype, "geomspace") or to_inexact_dtype(lattice_result_type(*values)[0])
    first, last = broadcast_values("geomspace", [convert(x, to_inexact_dtype(wanted)) for x in values])
    direction = sign(first)
    found = logspace(log10(BIND.divide(first, direction)), log10(BIND.divide(last, direction)), num, endpoint)
    found = moveaxis(BIND.multiply(expand_to(direction, found.aval.shape), found), 0, axis)
    return retype(convert(found, wanted), False)


# ---- identity, triangles, diagonals --------------------------------------------------------------


def _size(n: Any, what: str) -> int:
    try:
        return max(0, operator.index(n))
    except TypeError as error:
        if type(error) is not TypeError:
            raise
        raise TypeError(f"expected an integer for {what}, got {n!r}") from None


def _offsets(rows: int, columns: int, k: Any) -> tuple[Value, Value]:
    """Row numbers plus k, and column numbers, each in the whole shape."""
    shape = (rows, columns)
    i = BIND.iota(shape=shape, dtype=_INT32, iota_dimension=0)
    if not (isinstance(k, int) and k == 0):
        k = max(-rows, min(k, columns)) if isinstance(k, int) else k
        k = convert(array_argument("eye", k), _INT32)
        i = BIND.add(i, expand_to(k, shape))
    return i, BIND.iota(shape=shape, dtype=_INT32, iota_dimension=1)


@library
def eye(N: Any, M: Any = None, k: Any = 0, dtype: Any = None, *, device: Any = None) -> Value:
    """A matrix with ones on a diagonal and zeros elsewhere.

    Args:
      N, M: numbers of rows and columns; M is N by default.
      k: which diagonal: above the main one if positive.
      dtype: None: the default float dtype.
    """
    wanted = default_dtype("f") if dtype is None else dtype_argument(dtype, "eye")
    rows = _size(N, "N of eye")
    i, j = _offsets(rows, rows if M is None else _size(M, "M of eye"), k)
    made = convert(compare(i, j, "EQ"), wanted)
    return at_device(made, device)


@library
def identity(n: Any, dtype: Any = None) -> Value:
    """The n by n identity matrix."""
    return eye(n, dtype=dtype)


@library
def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Value:
    """A matrix with ones on and below a diagonal; arguments as of `eye`."""
    wanted = default_dtype("f") if dtype is None else dtype_argument(dtype, "tri")
    rows, columns = [max(0, n) for n in sizes_argument((N, N if M is None else M))]
    i, j = _offsets(rows, columns, k)
    return convert(compare(i, j, "GE"), wanted)


def _triangle(name: str, m: Any, k: int, lower: bool) -> Value:
    x = array_argument(name, m)
    a = x.aval
    if a.ndim < 2:
        raise ValueError(f"Argument to jax.numpy.{name} must be at least 2D")
    mask = tri(a.shape[-2], a.shape[-1], k if lower else k - 1, BOOL)
    mask = expand_to(mask if lower else logical("not", mask), a.shape)
    return select(mask, x, constant_like(x, 0))


@library(moves=("m",))
def tril(m: Any, k: int = 0) -> Value:
    """The lower triangles of matrices (the last two axes), with zeros above diagonal k."""
    return _triangle("tril", m, k, True)


@library(moves=("m",))
def triu(m: Any, k: int = 0) -> Value:
    """The upper triangles of matrices (the last two axes), with zeros below diagonal k."""
    return _triangle("triu", m, k, False)


@library
def diag(v: Any, k: int = 0) -> Value:
    """A vector as a diagonal of a matrix, or a diagonal of a matrix as a vector.

    Raises:
      ValueError: neither a vector nor a matrix.
    """
    x = array_argument("diag", v)
    a = x.aval
    k = operator.index(k)
    if a.ndim == 2:
        return diagonal(x, k)
    if a.ndim != 1:
        raise ValueError("diag input must be 1d or 2d")
    n = a.shape[0] + (k if k >= 0 else -k)
    padded = BIND.pad(
        x,
        scalar(0, a.dtype, a.weak_type),
        edge_padding_low=(max(0, k),),
        edge_padding_high=(max(0, -k),),
        interior_padding=(0,),
    )
    whole = retype(expand_to(padded, (n, n)), a.weak_type)
    return select(eye(n, k=k, dtype=BOOL), whole, constant_like(whole, 0))


@library
def diagflat(v: Any, k: int = 0) -> Value:
    """The elements of an array as a diagonal of a matrix."""
    x = array_argument("diagflat", v)
    return diag(reshape_to(x, (x.aval.size,)), k)


@library(moves=("a",))
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Value:
    """The diagonal of each matrix that lies along two axes; it becomes the last axis.

    Raises:
      ValueError: less than two dimensions, or an axis twice.
    """
    x = array_argument("diagonal", a)
    if x.aval.ndim < 2:
        raise ValueError("diagonal requires an array of at least two dimensions.")
    first, second = normal_axis(axis1, x.aval.ndim), normal_axis(axis2, x.aval.ndim)
    if first == second:
        raise ValueError(f"axis1 and axis2 can not be same: got {axis1} and {axis2}")
    x = moveaxis(x, (first, second), (-2, -1))
    offset = operator.index(offset)
    *lead, rows, columns = x.aval.shape
    top, left = max(0, -offset), max(0, offset)
    n = max(0, min(rows - top, columns - left))
    whole = (0,) * len(lead)
    block = BIND.slice(
        x,
        start_indices=(*whole, min(top, rows), min(left, columns)),
        limit_indices=(*lead, min(top, rows) + n, min(left, columns) + n),
        strides=(1,) * (len(lead) + 2),
    )
    # the diagonal of an n by n matrix is every (n + 1)-th element of its rows
    flat = reshape_to(block, (*lead, n * n))
    return BIND.slice(
        flat, start_indices=(*whole, 0), limit_indices=(*lead, n * n), strides=(1,) * len(lead) + (n + 1,)
    )


@library
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Value:
    """Powers of a vector's elements as the columns of a matrix, the highest first unless `increasing`."""
    value = array_argument("vander", x)
    if value.aval.ndim != 1:
        raise ValueError("x must be a one-dimensional array")
    n = value.aval.shape[0]
    columns = n if N is None else operator.index(N)
    if columns < 0:
        raise ValueError("N must be nonnegative")
    if kind(value) == "b":
        raise TypeError("vander: the powers of booleans are not defined; convert them, x.astype(int)")
    exponents = np.arange(columns) if increasing else np.arange(columns)[::-1]
    return power(reshape_to(value, (n, 1)), asarray(exponents.reshape(1, columns), dtype=value.aval.dtype))


# ---- grids ---------------------------------------------------------------------------------------


@library(moves=("xi",))
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> list[Value]:
    """Coordinate arrays of the grid that vectors span.

    Args:
      *xi: vectors (or scalars).
      sparse: leave axes of size 1 where an array is constant.
      indexing: "xy" swaps the first two axes, "ij" does not.

    Raises:
      ValueError: an argument with more than one dimension; another `indexing`.
    """
    values = array_arguments("meshgrid", *xi)
    if indexing not in ("xy", "ij"):
        raise ValueError(f"Valid values for indexing are 'xy' and 'ij', got {indexing}")
    if any(x.aval.ndim > 1 for x in values):
        raise ValueError(
            f"Arguments to jax.numpy.meshgrid must be at most 1D, got shapes {[x.aval.shape for x in values]}"
        )
    order = list(range(len(values)))
    if indexing == "xy" and len(values) > 1:
        order[0], order[1] = 1, 0
    sizes = [x.aval.size for x in values]
    shape = tuple(sizes[order[i]] for i in range(len(values)))
    found = []
    for x, axis in zip(values, order):
        own = tuple(n if i == axis else 1 for i, n in enumerate(shape))
        column = reshape_to(x, own)
        found.append(column if sparse else expand_to(column, shape))
    return found
