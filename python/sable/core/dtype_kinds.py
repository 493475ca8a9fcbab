"""The kinds of dtypes: what belongs below what, and which dtype of another kind corresponds to a dtype.

Nothing here depends on the configuration. Users of this module import `sable.core.dtypes`, which has these
names too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import ml_dtypes
import numpy as np

from . import lattice


class extended(np.generic):
    """Scalar type above all dtypes that NumPy does not know, for `jnp.issubdtype`. It has no instances.

    Example: `jnp.issubdtype(jax.random.key(0).dtype, jax.dtypes.extended)` is True.

    Example:
      >>> jax.dtypes.issubdtype(jax.random.key(0).dtype, jax.dtypes.extended)
      True
    """


class prng_key(extended):
    """Scalar type of the dtypes of random keys, for `jnp.issubdtype`. It has no instances.

    Example: `jnp.issubdtype(jax.random.key(0).dtype, jax.dtypes.prng_key)` is True.

    Example:
      >>> jax.dtypes.issubdtype(jax.random.key(0).dtype, jax.dtypes.prng_key)
      True
    """


class ExtendedDType:
    """Base of the dtypes that are not NumPy's: an element is a vector of words. Subclasses define `__eq__` and `__hash__`.

    Attributes:
      type: the scalar type, a subclass of `extended`.
      name, tag: as printed, such as `key<fry>` and `fry`.
      words, word_dtype: how many words make an element, and of which dtype: an array of this dtype and shape `s` holds one of
        shape `(*s, words)`.
      wrapper: the class of arrays of this dtype, made of the array of words.
    """

    type: type
    name: str
    tag: str
    words: int
    word_dtype: np.dtype
    wrapper: type


bfloat16: type[np.generic] = ml_dtypes.bfloat16
finfo = ml_dtypes.finfo
iinfo = ml_dtypes.iinfo
can_cast = np.can_cast


def _dtypes_named(names: Iterable[str]) -> tuple[np.dtype, ...]:
    """NumPy dtypes by name, without those that the installed ml_dtypes lacks (int1, uint1)."""
    types = [getattr(ml_dtypes, name, None) or getattr(np, "bool_" if name == "bool" else name, None) for name in names]
    return tuple(np.dtype(found) for found in types if found is not None)


BOOL = np.dtype(np.bool_)
_UNSIGNED = _dtypes_named(("uint1", "uint2", "uint4", *lattice.UNSIGNED))
_SIGNED = _dtypes_named(("int1", "int2", "int4", *lattice.SIGNED))
_FLOATS = _dtypes_named((*lattice.NARROW_FLOATS, *lattice.FLOATS))
_COMPLEX = _dtypes_named(lattice.COMPLEX)

#: dtype -> its kind, one of b, u, i, f, c. Unlike `np.dtype.kind` it knows what the dtypes of ml_dtypes are.
KIND: dict[np.dtype, str] = {
    BOOL: "b",
    **dict.fromkeys(_UNSIGNED, "u"),
    **dict.fromkeys(_SIGNED, "i"),
    **dict.fromkeys(_FLOATS, "f"),
    **dict.fromkeys(_COMPLEX, "c"),
}
#: Where the scalar types of ml_dtypes belong among NumPy's abstract types, which their own bases do not say.
_ABSTRACT_KINDS = {"u": np.unsignedinteger, "i": np.signedinteger, "f": np.floating}
_ABSTRACT_PARENT: dict[type, type] = {
    known.type: _ABSTRACT_KINDS[kind]
    for known, kind in KIND.items()
    if kind in _ABSTRACT_KINDS and not issubclass(known.type, np.number)
}


def is_extended(dtype: Any) -> bool:
    """True for a dtype that is not NumPy's, such as that of random keys."""
    return isinstance(dtype, ExtendedDType) or (isinstance(dtype, type) and issubclass(dtype, extended))


def kind_of(dtype: Any) -> str:
    """One of b, u, i, f, c; 'V' for dtypes that do not promote (float0, keys)."""
    return KIND.get(dtype, "V")


def itemsize_bits(dtype: Any) -> int:
    """Bits of one element of a dtype: 4 for int4, 8 for bool.

    Raises:
      ValueError: the dtype has no size (None, keys).

    Example:
      >>> jax.dtypes.itemsize_bits(jnp.int4), jax.dtypes.itemsize_bits(bool)
      (4, 8)
    """
    kind = "V" if dtype is None or is_extended(dtype) else kind_of(np.dtype(dtype))
    if kind == "b":
        return 8
    if kind in "ui":
        return iinfo(np.dtype(dtype)).bits
    if kind == "f":
        return finfo(np.dtype(dtype)).bits
    if kind == "c":
        return 8 * np.dtype(dtype).itemsize
    raise ValueError(f"expected a dtype of booleans or numbers, got {dtype}")


def _scalar_type(spec: Any) -> type:
    """The scalar type of a dtype, a scalar type or what `np.dtype` makes one of."""
    if isinstance(spec, ExtendedDType):
        return spec.type
    if isinstance(spec, type) and issubclass(spec, np.generic):
        return spec
    return np.dtype(spec).type


def issubdtype(arg1: Any, arg2: Any) -> bool:
    """True if the first dtype (or scalar type) is the second or lies below it, as in `np.issubdtype`.

    It also knows bfloat16 and its like (below `np.floating`), narrow integers and `jax.dtypes.extended`.

    Args:
      arg1, arg2: dtypes or scalar types.

    Example:
      >>> jnp.issubdtype(jnp.bfloat16, jnp.floating), np.issubdtype(jnp.bfloat16.dtype, np.floating)
      (True, False)
    """
    if isinstance(arg2, ExtendedDType):
        return isinstance(arg1, ExtendedDType) and arg1 == arg2
    below, above = _scalar_type(arg1), _scalar_type(arg2)
    return below is above or issubclass(_ABSTRACT_PARENT.get(below, below), above)


_CATEGORIES: dict[str, str] = {
    "bool": "b",
    "signed integer": "i",
    "unsigned integer": "u",
    "integral": "iu",
    "real floating": "f",
    "complex floating": "c",
    "numeric": "iufc",
}


def isdtype(dtype: Any, kind: Any) -> bool:
    """True if a dtype is of a kind.

    Args:
      dtype: the dtype.
      kind: a dtype; or "bool", "signed integer", "unsigned integer", "integral", "real floating",
        "complex floating" or "numeric"; or a tuple of these, of which one has to fit.

    Raises:
      ValueError: a string that is neither a kind nor a dtype.
      TypeError: anything else that is not a dtype.

    Example:
      >>> jnp.isdtype(jnp.bfloat16, "real floating"), jnp.isdtype(jnp.int32, ("bool", "integral"))
      (True, True)
    """
    resolved = np.dtype(dtype)
    kinds = kind if isinstance(kind, tuple) else (kind,)
    # All are looked at first: a bad entry is an error even behind one that fits.
    matches = [_is_kind(resolved, one) for one in kinds]
    return any(matches)


def _is_kind(dtype: np.dtype, kind: Any) -> bool:
    if isinstance(kind, str) and kind in _CATEGORIES:
        return kind_of(dtype) in _CATEGORIES[kind]
    try:
        return dtype == np.dtype(kind)
    except TypeError as error:
        if isinstance(kind, str):
            raise ValueError(f"Unrecognized kind={kind!r}: expected a dtype or one of {list(_CATEGORIES)}") from error
        raise TypeError(f"Expected kind to be a dtype, string, or tuple; got kind={kind!r}") from error


def supports_inf(dtype: Any) -> bool:
    """True if the dtype has infinities."""
    resolved = np.dtype(dtype)
    if resolved.name.startswith("float8") and resolved.name.endswith(("fnuz", "e4m3fn")):
        return False
    return issubdtype(resolved, np.inexact)


# -- conversions to a kind


def to_numeric_dtype(dtype: Any) -> np.dtype:
    """int32 for bool, else the dtype itself."""
    resolved = np.dtype(dtype)
    return np.dtype(np.int32) if resolved == BOOL else resolved


def to_inexact_dtype(dtype: Any) -> np.dtype:
    """The dtype in which a function like `sin` computes.

    That is float64 for 64-bit integers, float32 for other integers and bool, and the dtype itself if it is
    inexact.
    """
    resolved = np.dtype(dtype)
    if kind_of(resolved) not in "bui":
        return resolved
    return np.dtype(np.float64) if resolved.itemsize == 8 else np.dtype(np.float32)


def to_floating_dtype(dtype: Any) -> np.dtype:
    """Like `to_inexact_dtype`, and for a complex dtype that of its parts."""
    return finfo(to_inexact_dtype(dtype)).dtype


def to_complex_dtype(dtype: Any) -> np.dtype:
    """The complex dtype that holds a dtype's values: complex128 for 64-bit ones, else complex64."""
    inexact = to_inexact_dtype(dtype)
    return np.dtype(np.complex128 if inexact in (np.float64, np.complex128) else np.complex64)
