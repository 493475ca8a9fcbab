"""Anything to arrays: `array`, `asarray`, `astype`, `copy`; what an array is: `shape`, `ndim`, `size` ..."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from sable.core.array import Value, copy_of
from sable.core.bind import BIND, constant
from sable.core.destinations import at_device
from sable.core.dtypes import default_dtype, kind_of, lattice_result_type
from sable.core.operands import array_argument, convert, dtype_argument, normal_axes, reshape_to, truth
from sable.core.state import STATE
from sable.core.trace import Tracer
from sable.core.values import as_value, concrete, converted, is_array_like, retype
from sable.library.declare import library
from sable.pytree.arrays import WRAPPERS

from .joining import stack

_KINDS = {bool: "b", int: "i", float: "f", complex: "c"}
_SEQUENCES = (list, tuple)


# ---- conversion ----------------------------------------------------------------------------------


@library(moves=("object",))
def array(
    object: Any,
    dtype: Any = None,
    *args: Any,
    copy: bool = True,
    order: str | None = "K",
    ndmin: int = 0,
    device: Any = None,
) -> Value:
    """An array of anything: arrays, scalars, nested sequences of them (also of traced values).

    Args:
      object: the values.
      dtype: dtype of the result; None: that in which the values meet. Python scalars stay weakly typed.
      copy: make a copy of NumPy arrays (they always are copied, as Sable's arrays never change).
      order: accepted for NumPy's sake: None, "C" or "K".
      ndmin: leading axes are added up to this many dimensions.
      device: where the array shall be; None: the default device.
      *args: copy, order and ndmin by position, which is deprecated.

    Raises:
      TypeError: no numbers; a dtype that arrays cannot have; an argument given twice.
      ValueError: None; rows of different lengths.
      OverflowError: a Python int that the dtype cannot hold.

    Example:
      >>> jnp.array([1, 2.5]), jnp.array(1.0)  # a Python scalar stays weakly typed
      (Array([1. , 2.5], dtype=float32), Array(1., dtype=float32, weak_type=True))
    """
    if args:
        copy, order, ndmin = _by_position(args, (copy, order, ndmin))
    if order not in (None, "C", "K"):
        raise NotImplementedError(f"Only implemented for order='C'|'K'|None, got {order!r}")
    wanted = dtype_argument(dtype, "array")
    if copy and isinstance(object, np.ma.MaskedArray):
        object = np.asarray(object)
    found = at_device(_convert_any(object, wanted), device, given=object)
    if found.aval.ndim < ndmin:
        found = reshape_to(found, (1,) * (ndmin - found.aval.ndim) + found.aval.shape)
    if copy and found is object and (own := concrete(found)) is not None:
        found = copy_of(own)
    elif (
        copy and found is object and type(found) is Tracer and not found.owner.staged
    ):  # else `vmap` gives back the array
        found = retype(BIND.convert(found, dtype=found.aval.dtype), found.aval.weak_type)
    return found


def _by_position(args: tuple, named: tuple) -> tuple:
    """copy, order and ndmin, the first of them given by position."""
    names, defaults = ("copy", "order", "ndmin"), (True, "K", 0)
    if len(args) > len(names):
        raise TypeError(f"array() takes at most {2 + len(names)} positional arguments, got {2 + len(args)}")
    for name, given, default in zip(names[: len(args)], named, defaults):
        if given != default:
            raise TypeError(f"array() got multiple values for argument {name!r}: by position and by name")
    message = "Passing the copy, order, and ndmin arguments to jnp.array by position is deprecated: pass them by name."
    warnings.warn(message, DeprecationWarning, stacklevel=3)
    return (*args, *named[len(args) :])


@library(moves=("a",))
def asarray(
    a: Any, dtype: Any = None, order: str | None = None, *, copy: bool | None = None, device: Any = None
) -> Value:
    """Like `array`, but arrays of the right dtype are returned as they are.

    Args:
      a: the values.
      dtype, order, device: as of `array`.
      copy: None: where it is needed; True: always; False: never.

    Raises:
      ValueError: `copy=False` where a copy is needed; otherwise as `array`.

    Example:
      >>> x = jnp.arange(3)
      >>> jnp.asarray(x) is x, jnp.array(x) is x
      (True, False)
    """
    return array(a, dtype=dtype, copy=bool(copy), order=order, device=device)


def _convert_any(object: Any, dtype: Any) -> Value:
    if isinstance(object, Value):
        return object if dtype is None else convert(object, dtype)
    if object is None:
        raise ValueError("None is not a valid value for jnp.array")
    python_type = type(object)
    if python_type in _KINDS:
        if dtype is None:
            return as_value(object)
        return constant(np.asarray(object, dtype))
    if isinstance(object, _SEQUENCES):
        return _of_sequence(object, dtype)
    object = converted(object)
    if not is_array_like(object):
        object = _foreign(object)
        if isinstance(object, _SEQUENCES):
            return _of_sequence(object, dtype)
    found = as_value(object)
    return found if dtype is None else convert(found, dtype)


def _foreign(x: Any) -> Any:
    """Objects that NumPy can read, ranges.

    Raises:
      TypeError: NumPy makes no array of numbers of it.
    """
    if isinstance(x, range):
        return list(x)
    found = np.asarray(x)
    if found.dtype.kind in "OSU" or found.dtype.kind == "M":
        raise TypeError(
            f"Value {x!r} with dtype {found.dtype} is not a valid JAX array type. "
            "Only arrays of numeric types are supported by JAX."
        )
    return found


def _leaves(x: Any) -> Iterator[Any]:
    for element in x:
        if isinstance(element, _SEQUENCES):
            yield from _leaves(element)
        else:
            yield element


def _mapped(f: Callable, x: Any) -> Any:
    return [_mapped(f, e) if isinstance(e, _SEQUENCES) else f(e) for e in x]


def _of_sequence(x: Any, dtype: Any) -> Value:
    leaves = list(_leaves(x))
    kinds = set(map(type, leaves))
    if kinds <= _KINDS.keys():
        if dtype is None:
            dtype = default_dtype(max((_KINDS[k] for k in kinds), key="bifc".index, default="f"))
        return constant(np.array(x, dtype))
    if any(leaf is None for leaf in leaves):
        raise ValueError("None is not a valid value for jnp.array")
    if not all(is_array_like(leaf) for leaf in leaves):
        x = _mapped(lambda leaf: leaf if is_array_like(leaf) else _foreign(leaf), x)
        return _of_sequence(x, dtype)
    x = _mapped(converted, x)
    leaves = [as_value(leaf) if type(leaf) not in _KINDS else leaf for leaf in _leaves(x)]
    if dtype is None:
        dtype = lattice_result_type(*leaves)[0]
    if STATE.staged is None and not any(isinstance(leaf, Tracer) for leaf in leaves):
        rows = _mapped(lambda leaf: np.asarray(leaf) if isinstance(leaf, Value) else leaf, x)
        return convert(constant(_uniform(rows)), dtype) if kind_of(dtype) == "V" else constant(np.array(rows, dtype))
    return _stacked(x, dtype)


def _uniform(rows: Any) -> np.ndarray:
    return np.array(rows)


def _stacked(x: Any, dtype: Any) -> Value:
    rows = [_stacked(e, dtype) if isinstance(e, _SEQUENCES) else convert(as_value(e), dtype) for e in x]
    if not rows:
        return constant(np.zeros((0,), dtype))
    return stack(rows)


@library(moves=("x",))
def astype(x: Any, dtype: Any, /, *, copy: bool = False, device: Any = None) -> Value:
    """x in another dtype; floats are cut to integers towards zero.

    Args:
      x: array.
      dtype: the dtype; None: the default float dtype.
      copy: a new array even where x is one of that dtype on that device.
      device: where the array shall be; None: where x is.

    Raises:
      TypeError: not a dtype. ValueError: no device.

    Example:
      >>> jnp.astype(jnp.array([-1.7, 1.7]), int)
      Array([-1,  1], dtype=int32)
      >>> jnp.astype(jnp.array([1, 0, 2]), bool)
      Array([ True, False,  True], dtype=bool)
    """
    value = array_argument("astype", x)
    wanted = default_dtype("f") if dtype is None else dtype_argument(dtype, "astype")
    if kind_of(value.aval.dtype) == "c" and kind_of(wanted) == "b":
        return retype(truth(value), False)
    if kind_of(value.aval.dtype) == "c" and kind_of(wanted) != "c":
        message = "Casting from complex to real dtypes is deprecated: take jnp.real or jnp.imag of the values first."
        warnings.warn(message, DeprecationWarning, stacklevel=3)
    found = at_device(convert(value, wanted), device, given=value)
    if copy and found is x and (own := concrete(found)) is not None:
        return copy_of(own)
    return found


@library(moves=("a",))
def copy(a: Any, order: str | None = None) -> Value:
    """A copy with the same values, dtype and weak type.

    Args:
      a: array or scalar.
      order: accepted for NumPy's sake: None, "C" or "K".

    Example:
      >>> x = np.zeros(2)
      >>> y = jnp.copy(x)
      >>> x[0] = 1
      >>> y
      Array([0., 0.], dtype=float32)
    """
    return array(array_argument("copy", a), copy=True, order=order)


# ---- what an array is ----------------------------------------------------------------------------


def shape(a: Any) -> tuple[int, ...]:
    """Sizes of the dimensions of an array, a scalar or nested sequences.

    Args:
      a: array or scalar; nested sequences are deprecated.

    Example:
      >>> jnp.shape(jnp.ones((1, 3))), jnp.shape(1.0)
      ((1, 3), ())
    """
    return _checked("shape", a).shape


def _checked(name: str, a: Any) -> Any:
    """An array of a, or typed keys."""
    if type(a) in WRAPPERS:
        return a
    if not is_array_like(a):
        warnings.warn(
            f"{name} requires ndarray or scalar arguments, got {type(a)} at position 0: make an array of it first.",
            DeprecationWarning,
            stacklevel=3,
        )
    return asarray(a)


def ndim(a: Any) -> int:
    """Number of dimensions of an array, a scalar or nested sequences.

    Args:
      a: array or scalar; nested sequences are deprecated.

    Example:
      >>> jnp.ndim(jnp.ones((1, 3))), jnp.ndim(1.0)
      (2, 0)
    """
    return _checked("ndim", a).ndim


def size(a: Any, axis: Any = None) -> int:
    """Number of elements, or of positions along an axis or several.

    Args:
      a: array or scalar; nested sequences are deprecated.
      axis: an axis or several; None: all.

    Example:
      >>> jnp.size(jnp.ones((2, 3))), jnp.size(jnp.ones((2, 3)), axis=1)
      (6, 3)
    """
    a = _checked("size", a)
    if axis is None:
        return a.size
    return math.prod(a.shape[i] for i in normal_axes(axis, a.ndim, "repeated axis"))


def isscalar(element: Any) -> bool:
    """True for Python and NumPy scalars and for arrays of no dimension.

    Args:
      element: anything.

    Example:
      >>> jnp.isscalar(jnp.array(1.0)), jnp.isscalar(jnp.array([1.0]))
      (True, False)
      >>> np.isscalar(np.array(1.0))  # unlike NumPy's
      False
    """
    element = converted(element)
    if isinstance(element, (Value, np.ndarray)) or type(element) in WRAPPERS:
        return element.ndim == 0
    return bool(np.isscalar(element))


def iscomplexobj(x: Any) -> bool:
    """True for arrays and scalars with a complex dtype.

    Args:
      x: array or scalar.

    Example:
      >>> jnp.iscomplexobj(jnp.array([1 + 0j])), jnp.iscomplex(jnp.array([1 + 0j]))
      (True, Array([False], dtype=bool))
    """
    if isinstance(x, (list, tuple)):
        x = asarray(x)
    return kind_of(x.dtype if hasattr(x, "dtype") else np.asarray(x).dtype) == "c"


def isrealobj(x: Any) -> bool:
    """True for arrays and scalars without a complex dtype.

    Args:
      x: array or scalar.

    Example:
      >>> jnp.isrealobj(jnp.array([1])), jnp.isrealobj(jnp.array([1 + 0j]))
      (True, False)
    """
    return not iscomplexobj(x)


def array_repr(
    arr: Any,
    max_line_width: int | None = None,
    precision: int | None = None,
    suppress_small: bool | None = None,
) -> str:
    """The text `Array([1., 2.], dtype=float32)`.

    Args:
      arr: array.
      max_line_width, precision, suppress_small: as of `numpy.array_repr`.

    Example:
      >>> jnp.array_repr(jnp.array([1.23456, 2.0]), precision=2)
      'Array([1.23, 2.  ], dtype=float32)'
    """
    options = {"linewidth": max_line_width, "precision": precision, "suppress": suppress_small}
    with np.printoptions(**{k: v for k, v in options.items() if v is not None}):
        return repr(arr)


def array_str(
    a: Any,
    max_line_width: int | None = None,
    precision: int | None = None,
    suppress_small: bool | None = None,
) -> str:
    """The elements as text, without name and dtype.

    Args:
      a: array.
      max_line_width, precision, suppress_small: as of `numpy.array_str`.

    Example:
      >>> jnp.array_str(jnp.array([1.23456, 2.0]), precision=2)
      '[1.23 2.  ]'
    """
    return np.array_str(np.asarray(a), max_line_width, precision, suppress_small)
