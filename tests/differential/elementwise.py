"""Elementwise operations, casts and reductions."""

from __future__ import annotations

import math
from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np

from tests.differential.bounds import (
    Bound,
    Rule,
    Unfit,
    Value,
    added,
    all_of,
    counted,
    exact_same,
    integer,
    kind_of,
    multiplied,
    product_rule,
    repeated,
    rounded,
    rounded_to,
    same,
    smooth,
    sum_rule,
    union,
)
from tests.differential.draw import Draft, Fits
from tests.differential.program import add


# ---- which values go with an operation ------------------------------------------------------------------------
def real(v: Value) -> bool:
    return v.kind in "iuf"


def number(v: Value) -> bool:
    return v.kind != "b"


def floating(v: Value) -> bool:
    return v.kind == "f"


def integral(v: Value) -> bool:
    return v.kind in "iu"


def logical(v: Value) -> bool:
    return v.kind in "iub"


def exact(v: Value) -> bool:
    return v.exact and v.kind != "c"


def exact_real(v: Value) -> bool:
    return v.exact and v.kind in "iuf"


def anything(v: Value) -> bool:
    return True


def unary(name: str, template: str, fits: Fits, bound: Rule, differentiable: bool = True) -> None:
    add(name, template, lambda d: ([d.pick(fits)], {}), bound, differentiable)


def binary(name: str, template: str, fits: Fits, bound: Rule, differentiable: bool = True) -> None:
    def draw(d: Draft) -> tuple[list[int], dict]:
        a = d.pick(fits)
        operands = [a, d.beside(a, fits)]
        return operands[:: d.choice((1, -1))], {}

    add(name, template, draw, bound, differentiable)


# ---- smooth functions, in forms that are well-conditioned everywhere -------------------------------------------
def _smooth(lipschitz: float, size: float = 1.0, grows: bool = False) -> Rule:
    """No steeper than `lipschitz`; no larger than `size`, or than `size` beyond the operand's."""

    def rule(values: Sequence[Value], params: dict, out: Value) -> Bound:
        bound = rounded_to(values[0], out.dtype)
        return smooth(bound, lipschitz, size + bound.size * grows)

    return rule


for _name, _template, _lipschitz, _size, _grows in (
    ("sin", "jnp.sin({0})", 1, 1, False),
    ("cos", "jnp.cos({0})", 1, 1, False),
    ("tanh", "jnp.tanh({0})", 1, 1, False),
    ("arctan", "jnp.arctan({0})", 1, 2, False),
    ("exp_falling", "jnp.exp(-abs({0}))", 1, 1, False),
    ("exp2_falling", "jnp.exp2(-abs({0}))", 1, 1, False),
    ("expm1_falling", "jnp.expm1(-abs({0}))", 1, 1, False),
    ("log1p", "jnp.log1p(abs({0}))", 1, 0, True),
    ("log", "jnp.log(abs({0}) + 1)", 1, 0, True),
    ("log2", "jnp.log2(abs({0}) + 1.5)", 1.5, 1, True),
    ("sqrt", "jnp.sqrt(abs({0}) + 0.25)", 1, 1, True),
    ("rsqrt", "lax.rsqrt(abs({0}) + 1.0)", 1, 1, False),
    ("cbrt", "jnp.cbrt(abs({0}) + 1)", 1, 1, True),
    ("arcsinh", "jnp.arcsinh({0})", 1, 0, True),
    ("erf", "jax.scipy.special.erf({0})", 1.2, 1, False),
    ("sigmoid", "jax.nn.sigmoid({0})", 1, 1, False),
    ("softplus", "jax.nn.softplus({0})", 1, 1, True),
    ("log_sigmoid", "jax.nn.log_sigmoid({0})", 1, 1, True),
    ("gelu", "jax.nn.gelu({0})", 1.2, 0, True),
    ("silu", "jax.nn.silu({0})", 1.2, 0, True),
    ("elu", "jax.nn.elu({0})", 1, 1, True),
    ("leaky_relu", "jax.nn.leaky_relu({0})", 1, 0, True),
    ("softsign", "{0} / (1 + abs({0}))", 2, 1, False),
    ("reciprocal", "jnp.reciprocal(1.0 + abs({0}))", 1, 1, False),
    ("weak_scaled", "{0} * 0.3", 1, 0, True),
    ("weak_divided", "{0} / 3", 1, 0, True),
    ("integer_pow", "jnp.tanh({0}) ** 3", 3, 1, False),
    ("integer_pow_negative", "(1.0 + abs({0})) ** -2", 2, 1, False),
    ("float_pow", "(1.0 + abs({0})) ** 0.7", 1, 2, True),
    ("nan_to_num", "jnp.nan_to_num({0} * 1.1)", 1.1, 2, True),
):
    unary(_name, _template, floating, _smooth(_lipschitz, _size, bool(_grows)))
unary("sin_of_integers", "jnp.sin({0})", lambda v: integral(v) and v.bound.size < 1000, _smooth(1, 1))


def _magnitude(values: Sequence[Value], params: dict, out: Value) -> Bound:
    return smooth(values[0].bound, 1, values[0].bound.size)


unary("complex_abs", "abs({0})", lambda v: v.kind == "c", _magnitude, False)
unary("complex_angle", "jnp.sin(jnp.angle({0} + 100))", lambda v: v.kind == "c", _smooth(1, 1), False)
unary("conj", "jnp.conj({0})", number, same, False)
unary("real", "jnp.real({0})", number, same, False)
unary("imag", "jnp.imag({0})", number, same, False)


def _made_complex(values: Sequence[Value], params: dict, out: Value) -> Bound:
    return added(rounded_to(values[0], out.dtype), rounded_to(values[1], out.dtype))


def _floats32(v: Value) -> bool:
    return v.dtype == np.float32


binary("complex", "lax.complex(*jnp.broadcast_arrays({0}, {1}))", _floats32, _made_complex, False)


# ---- exact functions -------------------------------------------------------------------------------------------
def _squared(values: Sequence[Value], params: dict, out: Value) -> Bound:
    bound = rounded_to(values[0], out.dtype)
    return multiplied(bound, bound)


def _shifted(values: Sequence[Value], params: dict, out: Value) -> Bound:
    return added(rounded_to(values[0], out.dtype), Bound(300, 0, 1 / 8))


def _jump(values: Sequence[Value], params: dict, out: Value) -> Bound:
    """Roundings and signs: of exact values alone, no larger than they and one more."""
    integer(values, params, out)
    return Bound(values[0].bound.size + 1, 0, min(1, values[0].bound.grain * 1e9))


unary("abs", "abs({0})", real, same)
unary("negative", "-{0}", number, same)
unary("positive", "+{0}", number, same)
unary("square", "jnp.square({0})", number, _squared)
unary("power_2", "{0} ** 2", number, _squared)
unary("plus_1", "{0} + 1", anything, _shifted)
unary("weak_minus", "2.5 - {0}", anything, _shifted)
unary("weak_doubled", "{0} * 2", anything, lambda v, p, o: repeated(rounded_to(v[0], o.dtype), 2))
unary("relu", "jax.nn.relu({0})", real, same)
unary("relu6", "jax.nn.relu6({0})", floating, same)
unary("sign", "jnp.sign({0})", exact_real, _jump)
for _name in ("floor", "ceil", "trunc", "rint", "round"):
    unary(_name, f"jnp.{_name}({{0}})", lambda v: exact(v) and v.kind in "iuf", _jump)
unary("isnan", "jnp.isnan({0})", number, lambda v, p, o: Bound(1), False)
unary("isfinite", "jnp.isfinite({0})", number, lambda v, p, o: Bound(1), False)
unary("logical_not", "jnp.logical_not({0})", exact, integer, False)
unary("invert", "~{0}", logical, integer, False)
unary("population_count", "lax.population_count({0})", integral, integer, False)
unary("clz", "lax.clz({0})", integral, integer, False)
unary(
    "bitcast",
    "lax.bitcast_convert_type({0}, jnp.int32)",
    lambda v: v.exact and v.dtype.itemsize in (1, 4),
    lambda v, p, o: _bits(v, p, o),
    False,
)


def _ordinary(values: Sequence[Value]) -> Sequence[Value]:
    if any(v.extreme for v in values):
        raise Unfit("what this makes of extremes is not defined")
    return values


def _bits(values: Sequence[Value], params: dict, out: Value) -> Bound:
    return integer(_ordinary(values), params, out)


unary("integer_cube", "{0} ** 3", integral, integer, False)
unary("stop_gradient", "lax.stop_gradient({0})", anything, same)

# ---- two operands ----------------------------------------------------------------------------------------------
binary("add", "{0} + {1}", anything, sum_rule)
binary("subtract", "{0} - {1}", number, sum_rule)
binary("multiply", "{0} * {1}", anything, product_rule)
binary("maximum", "jnp.maximum({0}, {1})", real, all_of)
binary("minimum", "jnp.minimum({0}, {1})", real, all_of)
binary("fmax", "jnp.fmax({0}, {1})", real, all_of)


def _beyond_one(value: Value) -> Bound:
    """The bound of 1 + |value|, which is computed in the operand's own dtype."""
    if integral(value) and value.bound.size > 100:
        raise Unfit("wraps around to 0")
    return rounded(added(value.bound, Bound(1)), value.dtype)


def _quotient(values: Sequence[Value], params: dict, out: Value) -> Bound:
    a, b = rounded_to(values[0], out.dtype), _beyond_one(values[1])
    return Bound(a.size, a.error + a.size * b.error, 0)


def _hypot(values: Sequence[Value], params: dict, out: Value) -> Bound:
    a, b = (rounded_to(v, out.dtype) for v in values)
    return smooth(added(a, b), 1, a.size + b.size)


def _soft_maximum(values: Sequence[Value], params: dict, out: Value) -> Bound:
    bound = union([rounded_to(v, out.dtype) for v in values])
    return smooth(bound, 1, bound.size + 1)


def _angle(values: Sequence[Value], params: dict, out: Value) -> Bound:
    return Bound(2, rounded_to(values[0], out.dtype).error + _beyond_one(values[1]).error, 0)


def _power(values: Sequence[Value], params: dict, out: Value) -> Bound:
    base, exponent = (rounded(smooth(v.bound, 1, 3), v.dtype) for v in values)
    return Bound(3, 3 * (base.error + exponent.error), 0)


binary("divide", "{0} / (1 + abs({1}))", lambda v: v.kind in "iuf", _quotient)
binary("arctan2", "jnp.arctan2({0}, abs({1}) + 1)", real, _angle)
binary("hypot", "jnp.hypot({0}, {1})", real, _hypot, False)
binary("logaddexp", "jnp.logaddexp({0}, {1})", lambda v: real(v) and v.bound.size < 1000, _soft_maximum)
binary("power", "jnp.power(2 + jnp.sin({0}), jnp.cos({1}))", floating, _power)
for _name in (
    "equal",
    "not_equal",
    "less",
    "less_equal",
    "greater",
    "greater_equal",
    "logical_and",
    "logical_or",
    "logical_xor",
):
    binary(_name, f"jnp.{_name}({{0}}, {{1}})", exact, integer, False)
binary("equal_complex", "{0} == {1}", lambda v: v.exact, integer, False)
for _name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
    binary(_name, f"jnp.{_name}({{0}}, {{1}})", logical, integer, False)
for _name, _template in (
    ("floor_divide_integers", "{0} // {1}"),
    ("remainder_integers", "{0} % {1}"),
    ("fmod_integers", "jnp.fmod({0}, {1})"),
    ("divmod_integers", "sum(jnp.divmod({0}, {1}))"),
    ("left_shift", "{0} << ({1} & 7)"),
    ("right_shift", "{0} >> ({1} & 7)"),
    ("left_shift_far", "jnp.left_shift({0}, {1})"),
    ("right_shift_far", "jnp.right_shift({0}, {1})"),
):
    binary(_name, _template, integral, integer, False)


def _draw_alike(d: Draft) -> tuple[list[int], dict]:
    a = d.pick(integral)
    shape, dtype = d.values[a].shape, d.values[a].dtype
    return [a, d.input(shape, dtype.name, -3, 3)], {}


for _name in ("div", "rem", "shift_left", "shift_right_arithmetic", "shift_right_logical"):
    add(f"lax_{_name}", f"lax.{_name}({{0}}, {{1}})", _draw_alike, integer, False)


def _remainder(values: Sequence[Value], params: dict, out: Value) -> Bound:
    integer(values, params, out)
    bound = union([rounded_to(values[0], out.dtype), _beyond_one(values[1])])
    if not bound.grain or bound.size / bound.grain > 2**10:
        raise Unfit("quotients are rounded")
    return Bound(bound.size + 1, 0, bound.grain)


binary("remainder", "{0} % (1 + abs({1}))", lambda v: exact_real(v) and floating(v), _remainder)
binary("fmod", "jnp.fmod({0}, 1 + abs({1}))", lambda v: exact_real(v) and floating(v), _remainder)
binary(
    "floor_divide",
    "{0} // (1 + abs({1}))",
    lambda v: exact_real(v) and floating(v),
    lambda v, p, o: Bound(_remainder(v, p, o).size, 0, 1),
    False,
)


# ---- three operands and casts -----------------------------------------------------------------------------------
def _draw_where(d: Draft) -> tuple[list[int], dict]:
    condition = d.pick(exact)
    a = d.beside(condition)
    return [condition, a, d.beside(condition)], {}


add("where", "jnp.where({0}, {1}, {2})", _draw_where, lambda v, p, o: all_of(v[1:], p, o))
add("where_weak", "jnp.where({0}, {1}, 2)", _draw_where, lambda v, p, o: union([all_of(v[1:2], p, o), Bound(2)]))
add("where_compared", "jnp.where({0} > 0, {1}, {2})", _draw_where, lambda v, p, o: all_of(v[1:], p, o))


def _draw_clip(d: Draft) -> tuple[list[int], dict]:
    low = d.integer(-20, 10) / 8
    params = {"low": d.choice((low, int(low), None)), "high": d.choice((low + d.integer(0, 24) / 8, 3))}
    return [d.pick(real)], params


add(
    "clip",
    "jnp.clip({0}, {low}, {high})",
    _draw_clip,
    lambda v, p, o: added(rounded_to(v[0], o.dtype), Bound(4, 0, 1 / 8)),
)


def _draw_cast(d: Draft) -> tuple[list[int], dict]:
    return [d.pick()], {"dtype": d.dtype()}


def _cast(values: Sequence[Value], params: dict, out: Value) -> Bound:
    (value,) = values
    if kind_of(out.dtype) in "iub":
        return integer([v for v in values if v.kind not in "iub"], params, out)
    return rounded_to(value, out.dtype)


add("cast", "{0}.astype({dtype!r})", _draw_cast, _cast)
add("convert_element_type", "lax.convert_element_type({0}, {dtype!r})", _draw_cast, _cast)


# ---- reductions ------------------------------------------------------------------------------------------------
def draw_axes(d: Draft, fits: Fits) -> tuple[list[int], dict]:
    a = d.pick(fits)
    rank = d.values[a].rank
    axes: object = None
    if rank and d.chance(0.5):
        axes = d.axis(rank)
    elif rank and d.chance(0.7):
        axes = tuple(int(i) for i in d.rng.permutation(rank)[: d.integer(0, rank)])
    return [a], {"axis": axes, "keepdims": d.chance(0.3)}


def reduced(value: Value, out: Value) -> int:
    """How many elements a result is computed of."""
    return max(1, value.elements // max(1, out.elements)) if value.elements else 1


def _sum(values: Sequence[Value], params: dict, out: Value) -> Bound:
    return repeated(rounded_to(values[0], out.dtype), reduced(values[0], out))


def _prod(values: Sequence[Value], params: dict, out: Value) -> Bound:
    times = reduced(values[0], out)
    bound = rounded_to(values[0], out.dtype)
    if kind_of(out.dtype) in "iub":
        return Bound(math.inf)
    if times > 8:
        raise Unfit("overflows")
    result = Bound(1)
    for _ in range(times):
        result = multiplied(result, bound)
    return union([result, Bound(1)])


def _mean(values: Sequence[Value], params: dict, out: Value) -> Bound:
    bound = rounded_to(values[0], out.dtype)
    return Bound(bound.size, bound.error, 0)


def _var(values: Sequence[Value], params: dict, out: Value) -> Bound:
    bound = rounded_to(values[0], out.dtype)
    eps = float(jnp.finfo(out.dtype).eps)
    return Bound(bound.size**2, 4 * bound.size * (bound.error + bound.size * eps), 0)


def reduction(name: str, fits: Fits, bound: Rule, differentiable: bool = True, extra: str = "") -> None:
    template = f"jnp.{name}({{0}}, axis={{axis}}, keepdims={{keepdims}}{extra})"

    def draw(d: Draft) -> tuple[list[int], dict]:
        operands, params = draw_axes(d, fits)
        if not d.values[operands[0]].elements:
            raise Unfit("means and extremes of nothing")
        return operands, params

    add(
        name,
        template,
        draw if name not in ("sum", "prod", "any", "all") else lambda d: draw_axes(d, fits),
        bound,
        differentiable,
    )


reduction("sum", anything, _sum)
reduction("prod", lambda v: v.kind != "c", _prod)
reduction("max", lambda v: v.kind in "iufb", same)
reduction("min", lambda v: v.kind in "iufb", same)
reduction("mean", anything, _mean)
reduction("var", real, _var)
reduction("any", exact, integer, False)
reduction("all", exact, integer, False)
reduction("ptp", lambda v: v.kind in "iuf", lambda v, p, o: added(v[0].bound, v[0].bound))
reduction("count_nonzero", exact, counted, False)
reduction("nanmax", floating, same)
reduction("nansum", floating, _sum)
add(
    "logsumexp",
    "jax.nn.logsumexp({0}, axis={axis}, keepdims={keepdims})",
    lambda d: draw_axes(d, floating),
    lambda v, p, o: smooth(v[0].bound, 1, v[0].bound.size + 12),
)
add(
    "sum_where",
    "jnp.sum({0}, axis={axis}, keepdims={keepdims}, where={0} > 0, initial=1)",
    lambda d: draw_axes(d, lambda v: exact(v) and v.kind in "iuf"),
    lambda v, p, o: added(_sum(v, p, o), Bound(1)),
)
add("max_initial", "jnp.max({0}, axis={axis}, keepdims={keepdims}, initial=0)", lambda d: draw_axes(d, real), same)
add("sum_dtype", "jnp.sum({0}, axis={axis}, keepdims={keepdims}, dtype='float32')", lambda d: draw_axes(d, real), _sum)


def _draw_one_axis(fits: Fits, nothing: bool = False) -> object:
    def draw(d: Draft) -> tuple[list[int], dict]:
        a = d.pick(fits)
        value = d.values[a]
        axis = d.axis(value.rank)
        if not nothing and not value.shape[axis]:
            raise Unfit("an empty axis")
        return [a], {"axis": axis, "reverse": d.chance(0.5), "keepdims": d.chance(0.3)}

    return draw


for _name in ("argmax", "argmin"):
    add(_name, f"jnp.{_name}({{0}}, axis={{axis}}, keepdims={{keepdims}})", _draw_one_axis(exact), counted, False)
    add(
        f"{_name}_all",
        f"jnp.{_name}({{0}})",
        lambda d: ([d.pick(lambda v: exact(v) and v.elements)], {}),
        counted,
        False,
    )


# ---- cumulative operations -------------------------------------------------------------------------------------
def _cumulative_sum(values: Sequence[Value], params: dict, out: Value) -> Bound:
    return repeated(rounded_to(values[0], out.dtype), max(1, out.shape[params["axis"]]))


def _cumulative_product(values: Sequence[Value], params: dict, out: Value) -> Bound:
    return _prod(
        [Value((out.shape[params["axis"]],), values[0].dtype, False, values[0].bound)],
        params,
        Value((), out.dtype, False, Bound(0)),
    )


add("cumsum", "jnp.cumsum({0}, axis={axis})", _draw_one_axis(anything, True), _cumulative_sum)
add(
    "lax_cumsum",
    "lax.cumsum({0}, axis={axis} % {0}.ndim, reverse={reverse})",
    _draw_one_axis(number, True),
    _cumulative_sum,
)
add(
    "cumprod",
    "jnp.cumprod({0}, axis={axis})",
    _draw_one_axis(lambda v: v.kind != "c", True),
    _cumulative_product,
    False,
)
add("cummax", "lax.cummax({0}, axis={axis} % {0}.ndim, reverse={reverse})", _draw_one_axis(real), same)
add("cummin", "lax.cummin({0}, axis={axis} % {0}.ndim, reverse={reverse})", _draw_one_axis(real), same)
add(
    "associative_scan",
    "lax.associative_scan(jnp.add, {0}, axis={axis} % {0}.ndim, reverse={reverse})",
    _draw_one_axis(number),
    _cumulative_sum,
)
add(
    "associative_max",
    "lax.associative_scan(jnp.maximum, {0}, axis={axis} % {0}.ndim, reverse={reverse})",
    _draw_one_axis(real),
    same,
)
add("softmax", "jax.nn.softmax({0}, axis={axis})", _draw_one_axis(floating), _smooth(2, 1))
add(
    "log_softmax",
    "jax.nn.log_softmax({0}, axis={axis})",
    _draw_one_axis(floating),
    lambda v, p, o: smooth(v[0].bound, 2, 2 * v[0].bound.size + 12),
)
add("sorted_values", "jnp.sort({0}, axis={axis})", _draw_one_axis(lambda v: v.kind in "iufb", True), same)
add(
    "argsort", "jnp.argsort({0}, axis={axis}, stable=True, descending={reverse})", _draw_one_axis(exact), counted, False
)
add(
    "lax_sort",
    "lax.sort((lax.bitwise_and({0}, {0}), lax.iota('int32', {0}.size).reshape({0}.shape)), dimension={axis} % {0}.ndim, num_keys=1)[1]",
    _draw_one_axis(integral),
    counted,
    False,
)
add(
    "median", "jnp.median({0}, axis={axis}, keepdims={keepdims})", _draw_one_axis(lambda v: v.kind == "f"), _mean, False
)
add("diff", "jnp.diff({0}, axis={axis})", _draw_one_axis(real, True), lambda v, p, o: added(v[0].bound, v[0].bound))
add(
    "exact_median",
    "jnp.partition({0}, {0}.shape[{axis}] // 2, axis={axis})[..., :1]",
    _draw_one_axis(lambda v: exact(v) and v.rank == 1),
    # JAX negates what it partitions, which leaves the least integer where it is
    lambda v, p, o: _ordinary(v) and exact_same(v, p, o),
    False,
)
