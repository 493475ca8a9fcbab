"""Arrays of given shape: zeros, ones, full; sequences."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sable.core.array import Array, Value
from sable.core.bind import BIND, constant
from sable.core.destinations import at_device
from sable.core.dtypes import default_dtype, kind_of, lattice_result_type, to_inexact_dtype
from sable.core.operands import (
    array_argument,
    array_arguments,
    broadcast_values,
    convert,
    dtype_argument,
    expand_to,
    filled,
    kind,
    known_integer,
    known_values,
    reshape_to,
    shape_argument,
    value_in,
)
from sable.core.operands import full_like as constant_like
from sable.core.state import STATE
from sable.core.trace import Tracer
from sable.core.values import retype
from sable.lax.creation import refuse_complex
from sable.library.declare import library

from .manipulation import broadcast_to, moveaxis
from .ufuncs import power, sign
from .ufuncs_float import log10

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
      shape: an int or a sequence of ints, known while tracing.
      dtype: None: the default float dtype, float32 (float64 under `jax_enable_x64`).
      device: where the array shall be; None: the default device.

    Raises:
      TypeError: sizes that are no known integers; not a dtype; `zeros(2, 3)`, where a tuple was meant.

    Example:
      >>> jnp.zeros((2, 2))
      Array([[0., 0.],
             [0., 0.]], dtype=float32)
      >>> jnp.zeros(2, dtype=int)
      Array([0, 0], dtype=int32)
    """
    return _constant_array("zeros", shape, dtype, 0, device)


@library(moves=())
def ones(shape: Any, dtype: Any = None, *, device: Any = None) -> Value:
    """An array of ones; arguments as of `zeros`.

    Example:
      >>> jnp.ones((1, 3), dtype=bool)
      Array([[ True,  True,  True]], dtype=bool)
    """
    return _constant_array("ones", shape, dtype, 1, device)


@library(moves=())
def empty(shape: Any, dtype: Any = None, *, device: Any = None) -> Value:
    """An array of zeros (there are no arrays without values); arguments as of `zeros`.

    Example:
      >>> jnp.empty(2)
      Array([0., 0.], dtype=float32)
    """
    return _constant_array("empty", shape, dtype, 0, device)


@library(moves=(), fills=("fill_value",))
def full(shape: Any, fill_value: Any, dtype: Any = None, *, device: Any = None) -> Value:
    """An array of a repeated value.

    Args:
      shape: an int or a sequence of ints.
      fill_value: scalar, or array that broadcasts to the shape.
      dtype: None: that of the value; a Python scalar leaves the array weakly typed.
      device: where the array shall be; None: that of the value.

    Raises:
      TypeError: sizes that are no known integers; not a dtype; no array. ValueError: shapes that do not broadcast.

    Example:
      >>> jnp.full((2, 2), jnp.array([1, 2]))
      Array([[1, 2],
             [1, 2]], dtype=int32)
      >>> jnp.full(2, 7.0) + jnp.ones(2, jnp.bfloat16)  # weakly typed: gives way
      Array([8, 8], dtype=bfloat16)
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
    refuse_complex(name, x, dtype)
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
    refuse_complex(name, value, a_dtype if wanted is None else wanted)
    if isinstance(value, Value):
        made = full(sizes, convert(value, a_dtype if wanted is None else wanted, wanted is None and weak))
    else:
        made = filled(sizes, a_dtype if wanted is None else wanted, value, wanted is None and weak and device is None)
    like = None if weak or np.ndim(value) else _place(x)
    return at_device(made, like if device is None else device)


@library(moves=("a",))
def zeros_like(a: Any, dtype: Any = None, shape: Any = None, *, device: Any = None) -> Value:
    """Zeros in the shape and dtype of an array, unless other ones are given.

    Args:
      a: array, scalar, or anything with `shape` and `dtype`.
      dtype, shape: None: those of `a`.
      device: where the array shall be; None: where `a` is.

    Example:
      >>> jnp.zeros_like(jnp.array([1, 2]))
      Array([0, 0], dtype=int32)
    """
    return _like("zeros_like", a, 0, dtype, shape, device)


@library(moves=("a",))
def ones_like(a: Any, dtype: Any = None, shape: Any = None, *, device: Any = None) -> Value:
    """Ones in the shape and dtype of an array, unless other ones are given.

    Args:
      a, dtype, shape, device: as of `zeros_like`.

    Example:
      >>> jnp.ones_like(jnp.array([1, 2]), dtype=float)
      Array([1., 1.], dtype=float32)
    """
    return _like("ones_like", a, 1, dtype, shape, device)


@library(moves=("prototype",))
def empty_like(prototype: Any, dtype: Any = None, shape: Any = None, *, device: Any = None) -> Value:
    """Zeros in the shape and dtype of an array, unless other ones are given.

    Args:
      prototype: array, scalar, or anything with `shape` and `dtype`.
      dtype, shape, device: as of `zeros_like`.

    Example:
      >>> jnp.empty_like(jnp.ones(2))
      Array([0., 0.], dtype=float32)
    """
    return _like("empty_like", prototype, 0, dtype, shape, device)


@library(operands=("fill_value",), moves=("a",), fills=("fill_value",))
def full_like(a: Any, fill_value: Any, dtype: Any = None, shape: Any = None, *, device: Any = None) -> Value:
    """A repeated value in the shape and dtype of an array, unless other ones are given.

    Args:
      a, dtype, shape, device: as of `zeros_like`.
      fill_value: scalar, or array that broadcasts to the shape; it is converted to the dtype.

    Example:
      >>> jnp.full_like(jnp.array([1, 2]), 2.7)  # of integers: the fraction is cut
      Array([2, 2], dtype=int32)
      >>> jnp.full_like(jnp.array([1, 2]), 2.7, dtype=float)
      Array([2.7, 2.7], dtype=float32)
    """
    if type(fill_value) not in (int, complex):  # an int is taken in the dtype asked for, whatever its size
        fill_value = array_argument("full_like", fill_value, 1)
    return _like("full_like", a, fill_value, dtype, shape, device)


# ---- sequences -----------------------------------------------------------------------------------


def _known_number(x: Any, name: str) -> Any:
    """An argument of `arange` as a NumPy or Python number."""
    if np.iscomplexobj(x) if not isinstance(x, Value) else kind(x) == "c":
        raise ValueError(f"Passing complex start/stop/step to jnp.arange is no longer supported; {name} is {x}.")
    if isinstance(x, (Value, np.ndarray)) and np.ndim(x):
        raise ValueError(f"jax.numpy.arange: arguments must be scalars; got {name}={x}")
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
      TypeError: an argument is no number.
      ValueError: an argument is an array. ConcretizationTypeError: one is traced.
      ZeroDivisionError: step is 0.

    Example:
      >>> jnp.arange(3), jnp.arange(1, 2, 0.5)
      (Array([0, 1, 2], dtype=int32), Array([1. , 1.5], dtype=float32))
      >>> jnp.arange(1, 1.3, 0.1).size  # one too many: where steps are not exact use `linspace`
      4
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

    Example:
      >>> jnp.linspace(0, 1, 5)
      Array([0.  , 0.25, 0.5 , 0.75, 1.  ], dtype=float32)
      >>> jnp.linspace(0, 1, 4, endpoint=False, retstep=True)
      (Array([0.  , 0.25, 0.5 , 0.75], dtype=float32), Array(0.25, dtype=float32))
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
    """Numbers evenly spaced on a logarithmic scale: base ** linspace(start, stop).

    Args:
      start, stop: the first and the last exponent.
      num, endpoint, axis: as of `linspace`.
      base: scalar or array that broadcasts.
      dtype: None: the float dtype in which start and stop meet.

    Example:
      >>> jnp.logspace(0, 3, 4, base=2)
      Array([1., 2., 4., 8.], dtype=float32)
    """
    wanted = dtype_argument(dtype, "logspace")
    exponents = linspace(start, stop, num, endpoint, axis=axis)
    found = power(convert(array_argument("logspace", base), exponents.aval.dtype), exponents)
    return found if wanted is None else convert(found, wanted)


@library
def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Value:
    """Numbers in geometric progression from start to stop: not 0, real ones of the same sign (else NaN).

    Args:
      start, stop: the first and the last number, or arrays of them.
      num, endpoint, axis: as of `linspace`.
      dtype: None: the float dtype in which start and stop meet.

    Example:
      >>> jnp.round(jnp.geomspace(1, 1000, 4), 2)
      Array([   1.,   10.,  100., 1000.], dtype=float32)
    """
    values = array_arguments("geomspace", start, stop)
    wanted = dtype_argument(dtype, "geomspace") or to_inexact_dtype(lattice_result_type(*values)[0])
    first, last = broadcast_values("geomspace", [convert(x, to_inexact_dtype(wanted)) for x in values])
    direction = sign(first)
    found = logspace(log10(BIND.divide(first, direction)), log10(BIND.divide(last, direction)), num, endpoint)
    found = moveaxis(BIND.multiply(expand_to(direction, found.aval.shape), found), 0, axis)
    return retype(convert(found, wanted), False)
