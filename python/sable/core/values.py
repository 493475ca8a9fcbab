"""Anything that users pass as an array, as a value: arrays, tracers, NumPy arrays, Python scalars."""

from __future__ import annotations

from typing import Any

import numpy as np

from sable._config import config
from sable.ir.aval import ELEMENT_TYPES, Aval, aval, float0

from . import transfers
from .array import Array, Value
from .bind import constant
from .dtypes import canonicalize_dtype, python_scalar_dtype
from .placement import default_device
from .state import STATE
from .trace import Tracer

_SCALARS = (bool, int, float, complex)

#: Arrays for small Python scalars, by (type, value, False or the bits of default dtypes): most programs use few.
_MEMO: dict[tuple, Array] = {}
_MEMO_SIZE = 1024


def as_value(x: Any, explicit: bool = False) -> Value:
    """x as an `Array` or `Tracer`.

    Args:
      explicit: whether the user asked for a transfer to a device; see `transfers.guard`.
      x: an array or tracer (returned as it is), a NumPy array or scalar (canonical dtype), a Python scalar (weakly
        typed).

    Raises:
      TypeError: anything else; names the type.
      ValueError: an object with `__jax_array__`, which library functions convert (`converted`), transformations do not.
    """
    kind = type(x)
    if kind is Array or kind is Tracer:
        return x
    if isinstance(x, Value):
        return x
    if kind not in _SCALARS and not isinstance(x, (np.ndarray, np.generic)) and hasattr(x, "__jax_array__"):
        raise ValueError(
            "Triggering __jax_array__() during abstractification is no longer supported: make an array of the "
            f"{kind.__name__} by jax.numpy.array(), or register its class as a pytree."
        )
    made = _from_host(kind, x)
    if config.eager_key is None and STATE.staged is None and (STATE.given is None or id(x) in STATE.given):
        transfers.guard(transfers.HOST_TO_DEVICE, made.aval, default_device(), explicit)
    return made


def _from_host(kind: type, x: Any) -> Array:
    """An array of a Python scalar, a NumPy array or a NumPy scalar."""
    if kind in _SCALARS:
        return _scalar(kind, x)
    if isinstance(x, (np.ndarray, np.generic)):
        return _from_numpy(x)
    if isinstance(x, _SCALARS):
        return _scalar(next(s for s in _SCALARS if isinstance(x, s)), x)
    raise TypeError(
        f"Cannot interpret value of type {kind} as an abstract array; it does not have a dtype attribute. "
        "Expected an array, a NumPy array or a Python scalar."
    )


def _scalar(kind: type, x: Any) -> Array:
    key = (kind, x, config.jax_enable_x64 and config.jax_default_dtype_bits)
    found = _MEMO.get(key)
    # 0.0 == -0.0 and NaN is not equal to itself: neither may be looked up
    if found is not None and x and not found.deleted:
        return found
    made = constant(np.asarray(x, python_scalar_dtype(kind, x)), weak_type=kind is not bool)
    if len(_MEMO) < _MEMO_SIZE and x == x:
        _MEMO[key] = made
    return made


def _check_unmasked(x: Any) -> None:
    if isinstance(x, np.ma.MaskedArray):
        raise ValueError(
            "numpy masked arrays are not supported as direct inputs to JAX functions. Use arr.filled() to convert the "
            "value to a standard numpy array."
        )


def _from_numpy(x: Any) -> Array:
    _check_unmasked(x)
    dtype = canonicalize_dtype(x.dtype)
    if dtype == float0:
        raise TypeError(
            f"Called with a float0 array of shape {x.shape}: float0s do not support any operations by design."
        )
    if dtype not in ELEMENT_TYPES:
        raise TypeError(
            f"Argument '{x}' of type {type(x)} is not a valid JAX type. Dtype {x.dtype} is not a valid JAX array type. Only "
            "arrays of booleans and numbers are supported."
        )
    # a copy: the caller may go on writing to the array
    return constant(np.array(x, dtype, order="C"))


def aval_of_value(x: Any) -> Aval:
    """Abstract value of anything that `as_value` takes, without making an array of it."""
    kind = type(x)
    if kind is Array or kind is Tracer:
        return x.aval
    if kind in _SCALARS:
        return aval((), python_scalar_dtype(kind, x), kind is not bool)
    if isinstance(x, (np.ndarray, np.generic)):
        _check_unmasked(x)
        dtype = canonicalize_dtype(x.dtype)
        if dtype in ELEMENT_TYPES:
            return aval(tuple(x.shape), dtype)
    return as_value(x).aval


def converted(x: Any) -> Any:
    """What an object with `__jax_array__` gives as its array; all else as it is."""
    if not isinstance(x, (Value, np.ndarray, np.generic, *_SCALARS)) and hasattr(x, "__jax_array__"):
        return converted(x.__jax_array__())
    return x


def is_array_like(x: Any) -> bool:
    """True for what `as_value` takes, and for what it refuses in words of its own."""
    return isinstance(x, (Value, np.ndarray, np.generic, *_SCALARS)) or hasattr(x, "__jax_array__")


def concrete(x: Any) -> Array | None:
    """x if it is an array, None for tracers and all else: for functions that do something else where a value is known.

    No library function asks in another way: what it does then holds for this one value, so that a plan, which holds for
    all arrays of a type, must not be made of such a call (`Trace.asked`).
    """
    if type(x) is Tracer:
        x.owner.asked()
    return x if type(x) is Array else None


def retype(x: Value, weak_type: bool) -> Value:
    """x with another weak type."""
    if x.aval.weak_type == weak_type:
        return x
    a = x.aval.update(weak_type=weak_type)
    if type(x) is Tracer:
        return Tracer(a, x.value, x.owner)
    made = Array(a, x._value, x._buffer, x._device)  # type: ignore[attr-defined]
    made.constant, made.committed = x.constant, x.committed  # type: ignore[attr-defined]
    return made
