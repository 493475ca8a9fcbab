"""Divisors and multiples, bits in bytes."""

from __future__ import annotations

from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.operands import (
    array_argument,
    array_arguments,
    compare_to,
    convert,
    expand_to,
    full_like,
    kind,
    logical,
    normal_axis,
    promote_dtypes,
    reshape_to,
    select,
)
from sable.lax.control_flow import while_loop
from sable.library.declare import library

from .manipulation import broadcast_arrays, moveaxis
from .rearrangement import slice_axis
from .reductions import any as any_true
from .ufuncs import absolute, floor_divide

_UINT8 = np.dtype(np.uint8)
#: Bits of a byte.
_BITS = 8

# ---- divisors --------------------------------------------------------------------------------------------------------


def _integers(name: str, x1: Any, x2: Any) -> list[Value]:
    """Absolute values of two operands."""
    values = promote_dtypes(array_arguments(name, x1, x2))
    if kind(values[0]) not in "iu":
        raise ValueError(f"Arguments to jax.numpy.{name} must be integers.")
    return [absolute(x) for x in broadcast_arrays(*values)]


def _euclid(pair: Any) -> Any:
    """(a, b) -> (b, a mod b), where b is not 0."""
    a, b = pair
    more = compare_to(b, 0, "NE")
    rest = BIND.remainder(a, select(more, b, full_like(b, 1)))
    return select(more, b, a), select(more, rest, b)


@library(operands=("x1", "x2"))
def gcd(x1: Any, x2: Any) -> Value:
    """The greatest common divisor of each two integers; 0 of two zeros.

    Args:
      x1, x2: arrays or scalars of integers; they broadcast.

    Raises:
      ValueError: no integers, or shapes that do not broadcast.

    Example:
      >>> jnp.gcd(jnp.array([12, 0, -4]), 6)
      Array([6, 6, 2], dtype=int32)
    """
    return while_loop(lambda pair: any_true(compare_to(pair[1], 0, "NE")), _euclid, tuple(_integers("gcd", x1, x2)))[0]


@library(operands=("x1", "x2"))
def lcm(x1: Any, x2: Any) -> Value:
    """The least common multiple of each two integers, 0 if one of them is 0; arguments as of `gcd`.

    Example:
      >>> jnp.lcm(jnp.array([4, 0]), 6)
      Array([12,  0], dtype=int32)
    """
    x, y = _integers("lcm", x1, x2)
    divisor = gcd(x, y)
    zero = compare_to(divisor, 0, "EQ")
    return BIND.multiply(x, floor_divide(y, select(zero, full_like(y, 1), divisor)))


# ---- bits ------------------------------------------------------------------------------------------------------------


def _check_order(bitorder: str) -> None:
    if bitorder not in ("little", "big"):
        raise ValueError("'order' must be either 'little' or 'big'")


def _last(x: Value, axis: int | None) -> tuple[Value, int]:
    """The array with the axis at the end, and where it was; None: the array as a vector."""
    if axis is None:
        return reshape_to(x, (x.aval.size,)), 0
    place = normal_axis(axis, x.aval.ndim)
    return moveaxis(x, place, -1), place


def _shifts(bitorder: str, shape: tuple[int, ...]) -> Value:
    """By how much each of eight bits is shifted, in the last of the dimensions."""
    line = BIND.iota(shape=(_BITS,), dtype=_UINT8, iota_dimension=0)
    return expand_to(line if bitorder == "little" else BIND.reverse(line, dimensions=(0,)), shape)


def _resized(x: Value, size: int) -> Value:
    """The last axis cut, or continued by zeros; a negative size counts from its end."""
    n = x.aval.shape[-1]
    if size <= n:
        return slice_axis(x, x.aval.ndim - 1, 0, max(size + n, 0) if size < 0 else size)
    high = (*[0] * (x.aval.ndim - 1), size - n)
    none = (0,) * x.aval.ndim
    zero = BIND.full(x.aval.update(shape=()), 0)
    return BIND.pad(x, zero, edge_padding_low=none, edge_padding_high=high, interior_padding=none)


@library
def packbits(a: Any, axis: int | None = None, bitorder: str = "big") -> Value:
    """Bits put together into bytes; missing bits of the last byte are 0.

    Args:
      a: array of booleans or integers, of which those other than 0 count as 1.
      axis: along which axis; None: of the array as a vector.
      bitorder: whether the first bit of a byte is its highest ("big") or its lowest ("little").

    Returns:
      Array of uint8, whose axis has an eighth of the elements.

    Raises:
      TypeError: neither integers nor booleans. ValueError: another order; no such axis.

    Example:
      >>> jnp.packbits(jnp.array([1, 0, 1])), jnp.packbits(jnp.array([1, 0, 1]), bitorder="little")
      (Array([160], dtype=uint8), Array([5], dtype=uint8))
    """
    x = array_argument("packbits", a)
    if kind(x) not in "biu":
        raise TypeError("Expected an input array of integer or boolean data type")
    _check_order(bitorder)
    bits = x if kind(x) == "b" else compare_to(x, 0, "NE")
    bits, place = _last(convert(bits, _UINT8), axis)
    count = -(-bits.aval.shape[-1] // _BITS)
    bits = _resized(bits, count * _BITS)
    bits = reshape_to(bits, (*bits.aval.shape[:-1], count, _BITS))
    bits = BIND.shift_left(bits, _shifts(bitorder, bits.aval.shape))
    return moveaxis(BIND.reduce_sum(bits, dimensions=(bits.aval.ndim - 1,)), -1, place)


@library
def unpackbits(a: Any, axis: int | None = None, count: int | None = None, bitorder: str = "big") -> Value:
    """The bits of bytes, each an element of its own.

    Args:
      a: array of uint8.
      axis: along which axis; None: of the array as a vector.
      count: how many bits to return along the axis: others are left out, missing ones are 0, a negative number is left
        out at the end. None: all.
      bitorder: see `packbits`.

    Returns:
      Array of uint8: zeros and ones.

    Raises:
      TypeError: another dtype. ValueError: another order; no such axis.

    Example:
      >>> jnp.unpackbits(jnp.array([5], dtype=jnp.uint8), count=-4, bitorder="little")
      Array([1, 0, 1, 0], dtype=uint8)
    """
    x = array_argument("unpackbits", a)
    if x.aval.dtype != _UINT8:
        raise TypeError("Expected an input array of unsigned byte data type")
    _check_order(bitorder)
    x, place = _last(x, axis)
    shape = (*x.aval.shape, _BITS)
    wide = BIND.broadcast_in_dim(x, shape=shape, broadcast_dimensions=tuple(range(x.aval.ndim)))
    shifted = BIND.shift_right_logical(wide, _shifts(bitorder, shape))
    bits = logical("and", shifted, full_like(shifted, 1))
    bits = reshape_to(bits, (*shape[:-2], shape[-2] * _BITS))
    return moveaxis(bits if count is None else _resized(bits, count), -1, place)
