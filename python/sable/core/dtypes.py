"""Dtypes: what is valid, what 64 bits become, and what dtype operands of different dtypes get.

Python scalars have *weak* types: they give way to any array of the same or a higher kind. The lattice of
promotion is in `sable.core.lattice`; here are its clients, from `jnp.result_type` to `promote_avals`, which
operators call.
"""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Sequence
from types import FrameType
from typing import Any

import numpy as np

from sable._config import config
from sable.ir.aval import Aval, float0
from sable.ir.location import is_internal

from . import lattice
from .dtype_kinds import (
    BOOL,
    KIND,
    ExtendedDType,
    bfloat16,
    can_cast,
    extended,
    finfo,
    iinfo,
    is_extended,
    isdtype,
    issubdtype,
    itemsize_bits,
    kind_of,
    prng_key,
    supports_inf,
    to_complex_dtype,
    to_floating_dtype,
    to_inexact_dtype,
    to_numeric_dtype,
)
from .lattice import TypePromotionError

__all__ = [
    "ExtendedDType",
    "TypePromotionError",
    "bfloat16",
    "can_cast",
    "canonicalize_dtype",
    "coerce_to_array",
    "default_complex_dtype",
    "default_dtype",
    "default_float_dtype",
    "default_int_dtype",
    "default_uint_dtype",
    "dtype",
    "explicit_dtype",
    "extended",
    "finfo",
    "float0",
    "iinfo",
    "is_extended",
    "is_weakly_typed",
    "isdtype",
    "issubdtype",
    "itemsize_bits",
    "kind_of",
    "lattice_result_type",
    "prng_key",
    "promote_avals",
    "promote_types",
    "python_scalar_dtype",
    "result_type",
    "safe_to_cast",
    "scalar_type_of",
    "supports_inf",
    "to_complex_dtype",
    "to_floating_dtype",
    "to_inexact_dtype",
    "to_numeric_dtype",
    "user_dtype",
]

#: dtype -> its node in the lattice (a dictionary since `np.dtype.name` takes a microsecond).
_NODE: dict[np.dtype, str] = {known: known.name for known in KIND}
_WEAK_NODE = {"u": "int*", "i": "int*", "f": "float*", "c": "complex*"}
_NODE_TYPE: dict[str, Any] = {**{name: known for known, name in _NODE.items()}, **lattice.WEAK_NODES}
_VALID = frozenset(KIND) | {float0}

_NARROWED: dict[np.dtype, np.dtype] = {
    np.dtype(np.int64): np.dtype(np.int32),
    np.dtype(np.uint64): np.dtype(np.uint32),
    np.dtype(np.float64): np.dtype(np.float32),
    np.dtype(np.complex128): np.dtype(np.complex64),
}
_DEFAULT_64: dict[str, np.dtype] = {
    "b": BOOL,
    "u": np.dtype(np.uint64),
    "i": np.dtype(np.int64),
    "f": np.dtype(np.float64),
    "c": np.dtype(np.complex128),
}
_DEFAULT_32 = {kind: _NARROWED.get(wide, wide) for kind, wide in _DEFAULT_64.items()}
_SCALAR_KIND: dict[type, str] = {bool: "b", int: "i", float: "f", complex: "c"}
_KIND_SCALAR: dict[str, type] = {"b": bool, "u": int, "i": int, "f": float, "c": complex}


# -- default and canonical dtypes


def default_dtype(kind: str) -> np.dtype:
    """The dtype of Python scalars of a kind (b, i, u, f, c): 64 bits with `jax_enable_x64`, else 32.

    `jax_default_dtype_bits` says that it is 32 nevertheless.
    """
    return _DEFAULT_64[kind] if config.jax_enable_x64 and config.jax_default_dtype_bits == "64" else _DEFAULT_32[kind]


def default_int_dtype() -> np.dtype:
    """int32, or int64 with `jax_enable_x64`."""
    return default_dtype("i")


def default_uint_dtype() -> np.dtype:
    """uint32, or uint64 with `jax_enable_x64`."""
    return default_dtype("u")


def default_float_dtype() -> np.dtype:
    """float32, or float64 with `jax_enable_x64`."""
    return default_dtype("f")


def default_complex_dtype() -> np.dtype:
    """complex64, or complex128 with `jax_enable_x64`."""
    return default_dtype("c")


def canonicalize_dtype(dtype: Any, allow_extended_dtype: bool = False) -> Any:
    """The dtype that arrays asked to have `dtype` get: 64 bits become 32 unless `jax_enable_x64` is on.

    Args:
      dtype: anything that `np.dtype` takes (None means float).
      allow_extended_dtype: let dtypes such as that of random keys through.

    Raises:
      TypeError: `dtype` is no dtype.
      ValueError: it is an extended dtype and these are not allowed.

    Example:
      >>> jax.dtypes.canonicalize_dtype("float64"), jax.dtypes.canonicalize_dtype(int)
      (dtype('float32'), dtype('int32'))
    """
    resolved = dtype if isinstance(dtype, np.dtype) else _resolve(dtype, allow_extended_dtype)
    if config.jax_enable_x64:
        return resolved
    return _NARROWED.get(resolved, resolved)


def _resolve(dtype: Any, allow_extended_dtype: bool) -> Any:
    """`np.dtype(dtype)`, or an extended dtype itself where these are allowed."""
    if not is_extended(dtype):
        return np.dtype(dtype)
    if not allow_extended_dtype:
        raise ValueError(f"expected a NumPy dtype, got the extended dtype {dtype}")
    return dtype


def _warn(message: str) -> None:
    """A UserWarning that points at the first frame outside of Sable."""
    frame: FrameType | None = sys._getframe(1)
    level = 2
    while frame is not None and is_internal(frame.f_code):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, UserWarning, stacklevel=level)


def explicit_dtype(dtype: np.dtype, function_name: str = "") -> np.dtype:
    """The canonical form of a dtype that the user asked for by name, with a warning if that costs bits.

    Args:
      dtype: a NumPy dtype.
      function_name: the function it was given to, for the message.

    Raises:
      ValueError: a 64-bit dtype while `jax_enable_x64` is off and `jax_explicit_x64_dtypes` is "error".
    """
    narrow = _NARROWED.get(dtype)
    if narrow is None or config.jax_enable_x64:
        return dtype
    policy = config.jax_explicit_x64_dtypes
    if policy == "allow":
        return dtype
    start = f"Explicitly requested dtype {dtype}{f' requested in {function_name}' if function_name else ''}"
    mend = "For 64-bit dtypes call jax.config.update('jax_enable_x64', True) or set JAX_ENABLE_X64=1."
    if policy == "error":
        raise ValueError(f"{start} is not available. {mend}")
    _warn(f"{start} is not available, and will be truncated to dtype {narrow.name}. {mend}")
    return narrow


def _check_valid(dtype: np.dtype, value: Any) -> None:
    if dtype not in _VALID:
        raise TypeError(
            f"Value {value!r} with dtype {dtype} is not a valid JAX array type. "
            "Only arrays of booleans and numbers are supported."
        )


def user_dtype(dtype: Any, function_name: str = "") -> Any:
    """Checks the `dtype` argument of a function and brings it into its canonical form.

    Python's scalar types mean the default dtypes; a 64-bit dtype given by name warns while `jax_enable_x64`
    is off.

    Args:
      dtype: what the user gave; not None.
      function_name: the function that it was given to, for messages.

    Raises:
      ValueError: None or an array in place of a dtype.
      TypeError: not a dtype, or not one that arrays can have; the message names it.
    """
    if dtype is None:
        raise ValueError("dtype must be specified.")
    if isinstance(getattr(dtype, "aval", None), Aval):
        raise ValueError("expected a dtype, got an array: pass dtype=arr.dtype in place of dtype=arr")
    if is_extended(dtype):
        return dtype
    if isinstance(dtype, type) and dtype in _SCALAR_KIND:
        return default_dtype(_SCALAR_KIND[dtype])
    resolved = np.dtype(dtype)
    if resolved not in _VALID:
        where = f" in {function_name}" if function_name else ""
        raise TypeError(f"JAX only supports number, bool, and string dtypes, got dtype {dtype}{where}")
    return explicit_dtype(resolved, function_name)


# -- dtypes of values


def dtype(x: Any, canonicalize: bool = True) -> Any:
    """The dtype of an array, a scalar, an aval, a dtype or a scalar type.

    Arrays keep what they have; NumPy arrays, Python scalars and scalar types are made canonical; so are
    dtypes and NumPy's scalar types, with a warning, as they were asked for by name.

    Args:
      x: the value or dtype.
      canonicalize: False leaves 64-bit dtypes as they are.

    Raises:
      ValueError: `x` is None.
      TypeError: `x` has no dtype, or one that arrays cannot have; the message names it.

    Example:
      >>> lax.dtype(1.5), lax.dtype(jnp.int8(1)), lax.dtype(bool)
      (dtype('float32'), dtype('int8'), dtype('bool'))
      >>> lax.dtype(1.5, canonicalize=False)
      dtype('float64')
    """
    if x is None:
        raise ValueError(f"expected a value or a dtype, got {x}")
    kind = _SCALAR_KIND.get(x if isinstance(x, type) else type(x))
    if kind is not None:
        return default_dtype(kind) if canonicalize else _DEFAULT_64[kind]
    aval = _aval_of(x)
    if aval is not None:
        return aval.dtype
    if isinstance(x, ExtendedDType):
        return x
    by_name = isinstance(x, (str, np.dtype)) or (isinstance(x, type) and issubclass(x, np.generic))
    found = np.dtype(x) if by_name else _attribute_dtype(x)
    if isinstance(found, ExtendedDType):
        return found
    _check_valid(found, x)
    if not canonicalize:
        return found
    return explicit_dtype(found, "dtype") if by_name else canonicalize_dtype(found)


def _aval_of(x: Any) -> Aval | None:
    """The aval of an array or tracer; an aval is its own."""
    found = x if isinstance(x, Aval) else getattr(x, "aval", None)
    return found if isinstance(found, Aval) else None


def _attribute_dtype(x: Any) -> Any:
    """The dtype that a foreign object says it has, or that NumPy finds for it."""
    found = getattr(x, "dtype", None)
    if isinstance(found, (np.dtype, ExtendedDType)):
        return found
    try:
        return np.result_type(x)
    except TypeError:
        raise TypeError(f"Cannot determine dtype of {x}") from None


def is_weakly_typed(x: Any) -> bool:
    """True for Python ints, floats and complex numbers, and for arrays and avals of a weak type."""
    if type(x) in (int, float, complex):
        return True
    aval = _aval_of(x)
    return aval is not None and aval.weak_type


def python_scalar_dtype(scalar_type: type, value: Any = None) -> np.dtype:
    """The dtype of a Python scalar.

    Args:
      scalar_type: bool, int, float or complex.
      value: the scalar, if its range is to be checked.

    Raises:
      OverflowError: `value` is an int that the dtype cannot hold.
    """
    found = default_dtype(_SCALAR_KIND[scalar_type])
    if scalar_type is int and value is not None:
        bits = 8 * found.itemsize - 1
        if not -(1 << bits) <= value < 1 << bits:
            raise OverflowError(f"Python int {value} too large to convert to {found}")
    return found


def coerce_to_array(x: Any, dtype: Any = None) -> np.ndarray:
    """A NumPy array of a scalar, NumPy array or nested list; Python scalars get Sable's dtypes, not NumPy's.

    Raises:
      OverflowError: a Python int that its dtype cannot hold.
    """
    if dtype is None and type(x) in _SCALAR_KIND:
        dtype = python_scalar_dtype(type(x), x)
    return np.asarray(x, dtype)


def scalar_type_of(x: Any) -> type:
    """The Python type (bool, int, float or complex) of the elements of a value or dtype.

    Raises:
      TypeError: `x` has none.

    Example:
      >>> jax.dtypes.scalar_type_of(jnp.bfloat16(1)), jax.dtypes.scalar_type_of(np.int8)
      (<class 'float'>, <class 'int'>)
    """
    found = _KIND_SCALAR.get(kind_of(dtype(x)))
    if found is None:
        raise TypeError(f"Invalid scalar value {x}")
    return found


# -- promotion


def _node(dtype: Any, weak: bool) -> str:
    """A dtype's node in the lattice."""
    if weak:
        node = _WEAK_NODE.get(kind_of(dtype))
        if node is not None:
            return node
    node = _NODE.get(dtype)
    if node is None:
        raise ValueError(f"{dtype=} is not a valid dtype for JAX type promotion.")
    return node


def promote_types(a: Any, b: Any) -> np.dtype:
    """The dtype in which operands of two dtypes meet.

    Args:
      a, b: dtypes; `int`, `float` and `complex` stand for Python scalars, which give way.

    Raises:
      TypePromotionError: there is none (strict mode, 8-bit floats).
      ValueError: not a dtype of arrays.

    Example:
      >>> jnp.promote_types("int32", "float16")  # float64 in NumPy
      dtype('float16')
      >>> jnp.promote_types("uint8", int)
      dtype('uint8')
    """
    resolved = np.dtype(a), np.dtype(b)
    nodes = tuple(_node(found, _is_weak_type(spec)) for found, spec in zip(resolved, (a, b)))
    meet = lattice.least_upper_bound(nodes, config.jax_numpy_dtype_promotion == "strict", config.jax_enable_x64)
    return np.dtype(_NODE_TYPE[meet])


def _is_weak_type(spec: Any) -> bool:
    # Identity, since np.dtype("int64") == int.
    return spec is int or spec is float or spec is complex


def _promote(dtypes: Sequence[Any], weak: Sequence[bool]) -> tuple[Any, bool]:
    """The (dtype, weak type) of operands, given theirs. It may have 64 bits while `jax_enable_x64` is off."""
    first = dtypes[0]
    if len(dtypes) == 1:
        return first, weak[0] and first != BOOL
    all_weak = all(weak)
    if not all_weak and all(other == first for other in dtypes):
        return first, False  # also for dtypes that the lattice does not know
    strict = config.jax_numpy_dtype_promotion == "strict"
    # Weak types among themselves meet as their strong counterparts would, and the result is weak: so the
    # width of weak values of other than the default dtypes (weak float16) survives.
    strong = all_weak and not strict
    nodes = tuple(dict.fromkeys(_node(one, flag and not strong) for one, flag in zip(dtypes, weak)))
    meet = lattice.least_upper_bound(nodes, strict, config.jax_enable_x64)
    if meet in lattice.WEAK_NODES:
        return default_dtype(_SCALAR_KIND[_NODE_TYPE[meet]]), True
    return _NODE_TYPE[meet], strong and meet != "bool"


@functools.lru_cache(4096)
def _promote_memo(operands: tuple[tuple[Any, bool], ...], promotion: str, x64: bool) -> tuple[Any, bool]:
    """`_promote` under the current configuration, which the caller passes as part of the key."""
    return _promote([operand[0] for operand in operands], [operand[1] for operand in operands])


@functools.lru_cache(1024)
def _promote_avals_memo(avals: tuple[Aval, ...], promotion: str, x64: bool) -> tuple[tuple[Any, bool], bool]:
    """What `promote_avals` returns, and whether a warning has to go with it.

    Avals hash by identity, several times faster than dtypes, which are the key of the memo below this one.
    """
    operands = tuple([(aval.dtype, aval.weak_type) for aval in avals])
    found = _promote_memo(operands, promotion, x64)
    return found, not x64 and _is_truncated(operands, found[0])


def promote_avals(avals: tuple[Aval, ...]) -> tuple[Any, bool]:
    """The dtype and weak type to which operands of these avals are converted. Memoised: operators call it.

    Args:
      avals: at least one, in a tuple.

    Returns:
      The pair (dtype, weak type).

    Raises:
      TypePromotionError: strict mode and different dtypes.
    """
    found, truncated = _promote_avals_memo(avals, config.jax_numpy_dtype_promotion, config.jax_enable_x64)
    return (explicit_dtype(found[0], "dtype"), found[1]) if truncated else found


def _is_truncated(operands: Sequence[tuple[Any, bool]], dtype: Any) -> bool:
    """True where promotion gives a dtype that is narrowed, with a warning, as long as x64 is off.

    Operands that all have the dtype keep it; it is lost where different ones meet, and by weak operands.
    """
    if dtype not in _NARROWED or len(operands) == 1:
        return False
    return any(operand[0] != dtype for operand in operands) or all(operand[1] for operand in operands)


def lattice_result_type(*args: Any) -> tuple[Any, bool]:
    """The dtype and weak type in which arrays, scalars, avals and dtypes meet: `promote_avals` for any value.

    Raises:
      TypeError: an argument without a dtype that arrays can have.
      TypePromotionError: the dtypes do not meet.
    """
    x64 = config.jax_enable_x64
    operands = tuple([(dtype(arg), _is_weak_type(arg) or is_weakly_typed(arg)) for arg in args])
    found, weak = _promote_memo(operands, config.jax_numpy_dtype_promotion, x64)
    truncated = not x64 and _is_truncated(operands, found)
    return (explicit_dtype(found, "dtype") if truncated else found), weak


def result_type(*args: Any, return_weak_type_flag: bool = False) -> Any:
    """The dtype of the result of an operation on the arguments.

    Args:
      *args: arrays, scalars, avals, dtypes or scalar types; None means the default float dtype.
      return_weak_type_flag: also return whether the result is weakly typed.

    Returns:
      The dtype, or the pair (dtype, weak type).

    Raises:
      ValueError: there are no arguments.
      TypeError: an argument without a dtype that arrays can have.
      TypePromotionError: the dtypes do not meet.

    Example:
      >>> jnp.result_type(jnp.ones(2, jnp.bfloat16), 1.5), jnp.result_type(jnp.int32(1), jnp.float16)
      (dtype(bfloat16), dtype('float16'))
    """
    if not args:
        raise ValueError("at least one array or dtype is required")
    found, weak = lattice_result_type(*(default_float_dtype() if arg is None else arg for arg in args))
    if weak:
        found = default_dtype(kind_of(found))
    return (found, weak) if return_weak_type_flag else found


def safe_to_cast(input_dtype_or_value: Any, output_dtype_or_value: Any) -> bool:
    """True if promotion leads from the first dtype (or value's dtype) to the second.

    Raises:
      TypePromotionError: the dtypes do not meet.

    Example: `safe_to_cast('int16', 'float32')` is True, `safe_to_cast('float32', 'int16')` is False.
    """
    goal = dtype(output_dtype_or_value)
    if dtype(input_dtype_or_value) == goal:
        return True
    return result_type(input_dtype_or_value, goal) == goal
