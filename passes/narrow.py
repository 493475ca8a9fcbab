"""narrow: a function without narrow dtypes (float8, float6, float4, int4, int2), which no target computes with.

Values are bytes of the elements' bits. Ops that move elements move the bytes; all others are computed in a wider dtype,
and their results rounded to the nearest (floats) or wrapped (integers) at once, so that no digit survives that the narrow
dtype does not have.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import ml_dtypes
import numpy as np

from sable.ir.aval import Aval, aval
from sable.ir.codec import GatherDimensions
from sable.ir.function import Function, FunctionBuilder, Node, Variable
from sable.ir.literal import Literal
from sable.ir.narrow import NARROW, Narrow, bits_of, storage_aval, stored, wide_params
from sable.ir.op import OPS

_F32, _I8, _I32, _U32, _U8 = (np.dtype(t) for t in (np.float32, np.int8, np.int32, np.uint32, np.uint8))
#: of float32: bits of the mantissa, and the exponent's bias
_MANTISSA, _BIAS = 23, 127
_MAGNITUDE = 0x7FFFFFFF
_BYTE = 8
_BITCAST = OPS["bitcast_convert"]


def without_narrow(function: Function) -> Function:
    """The function on bytes; itself where nothing in it is narrow."""
    key = "without narrow"
    if key not in function.memo:
        function.memo[key] = _stored(function) if _has_narrow(function) else function
    return function.memo[key]


def _has_narrow(function: Function) -> bool:
    if any(a.narrow for a in function.in_avals):
        return True
    return any(_is_narrow(node) for node in function.nodes())


def _is_narrow(node: Node) -> bool:
    if any(x.aval.narrow for x in (*node.operands, *node.results)):
        return True
    return any(_has_narrow(f) for name in node.op.functions for f in _functions(node.params[name]))


def _functions(named: Any) -> list[Function]:
    return [f for f in (named if isinstance(named, tuple) else (named,)) if isinstance(f, Function)]


def _stored(function: Function) -> Function:
    made = Function([storage_aval(a) for a in function.in_avals], function.name)
    made.info = function.info
    b = FunctionBuilder(made)
    env: dict[Variable, Variable] = dict(zip(function.arguments, made.arguments))
    for node in function.nodes():
        b.at(node.location)
        out = _written(b, node, [env[x] for x in node.operands])
        env.update(zip(node.results, out if node.op.multiple_results else (out,)))
    return made.finish([env[x] for x in function.outputs], [storage_aval(a) for a in function.out_avals])


def _written(b: FunctionBuilder, node: Node, xs: list[Variable]) -> Any:
    """The node's results, on the bytes of its operands."""
    op, params = node.op, node.params
    if not _is_narrow(node):
        return b.bind(op, *xs, **params)
    if op.functions:
        return b.bind(op, *xs, **{name: _without_narrow(value) for name, value in params.items()})
    if op is _BITCAST:
        return _regrouped(b, xs[0], node.operands[0].aval.dtype, node.results[0].aval)
    if op.moves:
        return b.bind(op, *xs, **{name: _storage(value) for name, value in params.items()})
    wide = [_wide(b, x, v.aval, op.traits.extended) for x, v in zip(xs, node.operands)]
    made = b.bind(op, *wide, **wide_params(params))
    results = made if op.multiple_results else (made,)
    found = tuple(_narrow(b, y, v.aval) for y, v in zip(results, node.results))
    return found if op.multiple_results else found[0]


def _without_narrow(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_without_narrow(v) for v in value)
    return without_narrow(value) if isinstance(value, Function) else value


def _storage(value: Any) -> Any:
    if isinstance(value, Literal) and value.aval.narrow:
        return Literal(storage_aval(value.aval), stored(value.data))
    known = NARROW.get(value) if isinstance(value, np.dtype) else None
    return value if known is None else known.storage


def _regrouped(b: Any, x: Any, dtype: np.dtype, a: Aval) -> Any:
    """The bits of elements of a dtype, which are read as others."""
    old, new = bits_of(dtype), bits_of(a.dtype)
    shape, stored = b.aval(x).shape, storage_aval(a)
    if old == new:
        return _wrapped_parts(b, b.bitcast_convert(x, dtype=stored.dtype), a)
    if old > new:
        found = b.bitcast_convert(x, dtype=_U8)  # a last axis of bytes, if they are several
        parts = min(old, _BYTE) // new
        spread = aval((*b.aval(found).shape, parts), _U8)
        found = b.broadcast_in_dim(found, shape=spread.shape, broadcast_dimensions=tuple(range(spread.ndim - 1)))
        found = b.shift_right_logical(found, _places(b, spread, new))
        return _wrapped_parts(b, b.bitcast_convert(b.reshape(found, shape=a.shape), dtype=stored.dtype), a)
    parts = min(new, _BYTE) // old
    grouped = aval((*shape[:-1], shape[-1] // parts, parts), _U8)
    found = b.reshape(b.bitcast_convert(x, dtype=_U8), shape=grouped.shape)
    found = getattr(b, "and")(found, b.full(grouped, (1 << old) - 1))
    found = b.shift_left(found, _places(b, grouped, old))
    found = b.reduce_or(found, dimensions=(grouped.ndim - 1,))
    if new <= _BYTE:
        found = b.reshape(found, shape=a.shape)
    return _wrapped_parts(b, b.bitcast_convert(found, dtype=stored.dtype), a)


def _places(b: Any, a: Aval, bits: int) -> Any:
    """0, bits, 2 bits ... along the last axis."""
    order = b.iota(shape=a.shape, dtype=a.dtype, iota_dimension=a.ndim - 1)
    return b.multiply(order, b.full(a, bits))


def _wrapped_parts(b: Any, x: Any, a: Aval) -> Any:
    known = NARROW.get(a.dtype)
    return x if known is None or known.bits == _BYTE else _wrapped(b, x, known)


# ---- bytes to numbers and back ---------------------------------------------------------------------------------
def _wide(b: Any, x: Any, a: Aval, extended: str) -> Any:
    """The numbers that bytes stand for."""
    if not a.narrow:
        return x
    n = NARROW[a.dtype]
    if extended == "upper" and not n.is_float:
        bits = b.bitcast_convert(x, dtype=_U8)
        bits = b.shift_left(bits, b.full(b.aval(bits), _BYTE - n.bits))
        return getattr(b, "or")(bits, b.full(b.aval(bits), 1 << (_BYTE - n.bits - 1)))
    if extended and not n.is_float:
        n = replace(n, storage=_U8 if extended == "zeros" else _I8)
        return _wrapped(b, b.bitcast_convert(x, dtype=n.storage), n)
    return _looked_up(b, x, n) if n.is_float else _wrapped(b, x, n)


def _narrow(b: Any, x: Any, a: Aval) -> Any:
    """The bytes that stand for numbers."""
    if not a.narrow:
        return x
    n = NARROW[a.dtype]
    return _rounded(b, x, n) if n.is_float else _wrapped(b, b.bitcast_convert(x, dtype=n.storage), n)


def _looked_up(b: Any, x: Any, n: Narrow) -> Any:
    """Floats by their bits, from a table of all."""
    codes = np.arange(256, dtype=np.uint8) & np.uint8((1 << n.bits) - 1)
    table = b.constant(value=Literal.of(codes.view(n.dtype).astype(np.float32)))
    rank = b.aval(x).ndim
    dims = GatherDimensions(offset_dims=(), collapsed_slice_dims=(0,), start_index_map=(0,), index_vector_dim=rank)
    return b.gather(table, b.convert(x, dtype=_I32), dimension_numbers=dims, slice_sizes=(1,), indices_are_sorted=True)


def _wrapped(b: Any, x: Any, n: Narrow) -> Any:
    """Integers modulo 2**bits, in the byte's dtype."""
    a = b.aval(x)
    if n.storage == _U8:
        return getattr(b, "and")(x, b.full(a, (1 << n.bits) - 1))
    shift = b.full(a, 8 - n.bits)
    return b.shift_right_arithmetic(b.shift_left(x, shift), shift)


def _rounded(b: Any, x: Any, n: Narrow) -> Any:
    """Bits of the nearest float, the even one of two."""
    shape = b.aval(x).shape
    integers, bits32 = aval(shape, _I32), aval(shape, _U32)
    zero, minus_zero, nan, most, least, minus_one = map(int, _encoded(_SPECIAL, n))
    form = _Format(n)
    bits = b.bitcast_convert(x, dtype=_U32)
    magnitude = b.bitcast_convert(getattr(b, "and")(bits, b.full(bits32, _MAGNITUDE)), dtype=_I32)
    code = form.code(b, magnitude, integers)
    beyond = b.compare(code, b.full(integers, form.largest), comparison_direction="GT")
    plus = b.select(beyond, b.full(integers, most), code)
    if minus_one == nan:  # there are positive numbers only
        minus = b.full(integers, nan)
    else:
        minus = b.select(beyond, b.full(integers, least), b.add(code, b.full(integers, form.sign)))
    negative = b.compare(bits, b.full(bits32, _MAGNITUDE), comparison_direction="GT")
    signed = b.select(negative, minus, plus)
    if minus_zero != zero + form.sign:  # there is one zero, or none
        nothing = b.compare(code, b.full(integers, 0), comparison_direction="EQ")
        signed = b.select(nothing, b.full(integers, zero), signed)
    is_nan = b.compare(x, x, comparison_direction="NE")
    return b.convert(b.select(is_nan, b.full(integers, nan), signed), dtype=_U8)


def _encoded(values: np.ndarray, n: Narrow) -> np.ndarray:
    with np.errstate(all="ignore"):
        return values.astype(n.dtype).view(np.uint8)


#: 0, -0, NaN, a large number, its negative, -1: what formats have of them
_SPECIAL = np.array([0.0, -0.0, np.nan, 3e38, -3e38, -1.0], np.float32)


class _Format:
    """A binary format of floats.

    Attributes:
      mantissa: its bits. least: the exponent of the least normal number. largest: the code of the largest finite number.
      sign: the code of the sign.
    """

    def __init__(self, n: Narrow):
        info = ml_dtypes.finfo(n.dtype)
        self.mantissa = int(info.nmant)
        # without a mantissa there are no fractions of the least number: the next one takes its place
        self.least = int(info.minexp) + (self.mantissa == 0)
        self.largest = int(_encoded(np.array([info.max], np.float32), n)[0])
        self.sign = 1 << (n.bits - 1)

    def code(self, b: Any, magnitude: Any, integers: Aval) -> Any:
        """Of positive float32 by their bits: the nearest multiple of the unit in the last place, and the exponent above it."""
        exponent = b.shift_right_logical(magnitude, b.full(integers, _MANTISSA))
        lowest, highest = self.least + _BIAS, self.least + _BIAS + (self.largest >> self.mantissa) + 1
        exponent = b.clamp(b.full(integers, lowest), exponent, b.full(integers, min(highest, 2 * _BIAS)))
        # of two units, whose reciprocal is never denormal
        units = b.subtract(b.full(integers, 2 * _BIAS + self.mantissa + 1), exponent)
        scale = b.bitcast_convert(b.shift_left(units, b.full(integers, _MANTISSA)), dtype=_F32)
        floats = aval(integers.shape, _F32)
        half = b.multiply(b.multiply(b.bitcast_convert(magnitude, dtype=_F32), scale), b.full(floats, 0.5))
        multiple = b.round_nearest_even(b.minimum(half, b.full(floats, 4 << self.mantissa)))
        above = b.shift_left(b.subtract(exponent, b.full(integers, lowest)), b.full(integers, self.mantissa))
        return b.add(above, b.convert(multiple, dtype=_I32))
