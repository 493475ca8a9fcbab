"""Gathers, scatters, dynamic slices, searches."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence

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
    multiplied,
    repeated,
    same,
    union,
)
from tests.differential.draw import Draft
from tests.differential.elementwise import exact_real, integral
from tests.differential.program import add

INDEX_DTYPES = ("int32", "int32", "int8", "uint8", "int16", "uint32")


def index_array(d: Draft, extent: int, shape: tuple[int, ...], beyond: bool) -> int:
    """An input of indices, negative ones too, out of range where `beyond`."""
    if not extent:
        raise Unfit("nothing to index")
    reach = extent + 3 if beyond else extent - 1
    low = 0 if beyond and d.chance(0.3) else -reach if beyond else -extent
    return d.input(shape, d.choice(INDEX_DTYPES), max(low, -100), min(reach, 100))


def _few(d: Draft) -> tuple[int, ...]:
    return tuple(d.choice((1, 2, 3, 7, 17)) for _ in range(d.choice((0, 1, 1, 2))))


def _draw_take(modes: Sequence[str]) -> Callable[[Draft], tuple[list[int], dict]]:
    def draw(d: Draft) -> tuple[list[int], dict]:
        a = d.pick(lambda v: v.rank and v.elements and v.elements < 3000)
        axis = d.axis(d.values[a].rank)
        mode = d.choice(modes)
        return [a, index_array(d, d.values[a].shape[axis], _few(d), True)], {
            "axis": axis,
            "mode": mode,
            "slices": _colons(d, a),
        }

    return draw


def _colons(d: Draft, a: int) -> str:
    return ":, " * d.integer(0, d.values[a].rank - 1)


def _filled(values: Sequence[Value], params: dict, out: Value) -> Bound:
    """`fill` writes NaN, or the extreme of integers, for what is out of range: compared, but not used any more."""
    return union([values[0].bound, Bound(math.inf if out.kind in "iu" else 1)])


add("take", "jnp.take({0}, {1}, axis={axis}, mode={mode!r})", _draw_take(("clip", "wrap")), same)
add("take_all", "jnp.take({0}, {1}, mode='clip')", _draw_take(("clip",)), same)
add("take_fill", "jnp.take({0}, {1}, axis={axis}, mode='fill', fill_value=1)", _draw_take(("fill",)), _filled)
add("index_array", "{0}[{1}]", _draw_take(("clip",)), same)
add("index_array_later", "{0}[{slices}{1}]", _draw_take(("clip",)), same)
add("index_array_twice", "jnp.atleast_3d({0})[{1}, ::-1, {1}]", _draw_take(("clip",)), same)
add("index_array_apart", "jnp.atleast_3d({0})[{1}, None, 0, 0:1]", _draw_take(("clip",)), same)
add(
    "at_get",
    "{0}.at[{1}].get(mode={mode!r}, fill_value=0)",
    _draw_take(("fill", "clip", "promise_in_bounds")),
    lambda v, p, o: same(v, p, o) if p["mode"] != "promise_in_bounds" else _refused(),
)


def _refused() -> Bound:
    raise Unfit("out of range by promise")


def _draw_along(d: Draft) -> tuple[list[int], dict]:
    a = d.pick(lambda v: v.rank and v.elements)
    axis = d.axis(d.values[a].rank)
    shape = list(d.values[a].shape)
    extent = shape[axis]
    shape[axis] = d.choice((1, 2, extent))
    return [a, index_array(d, extent, tuple(shape), False)], {"axis": axis}


add("take_along_axis", "jnp.take_along_axis({0}, {1}, axis={axis})", _draw_along, same)


# ---- scatters --------------------------------------------------------------------------------------------------
def _draw_scatter(d: Draft, modes: Sequence[str] = ("drop", "clip")) -> tuple[list[int], dict]:
    a = d.pick(lambda v: v.rank and v.elements and v.kind != "b")
    value = d.values[a]
    indices = index_array(d, value.shape[0], (d.choice((1, 2, 3, 7, 40)),), True)
    rows = (*d.values[indices].shape, *value.shape[1:])
    if math.prod(rows) > 3000:
        raise Unfit("too large")
    updates = d.input(d.choice((rows, value.shape[1:], ())), value.dtype.name, -8, 8)
    return [a, indices, updates], {"mode": d.choice(modes)}


def _scattered(rule: Callable[[Bound, Bound, int], Bound]) -> Rule:
    def bound(values: Sequence[Value], params: dict, out: Value) -> Bound:
        return rule(values[0].bound, values[2].bound, values[1].elements)

    return bound


def _products(a: Bound, b: Bound, times: int) -> Bound:
    if times > 3:
        raise Unfit("overflows")
    for _ in range(times):
        a = union([a, multiplied(a, b)])
    return a


_ORDERED = lambda v, p, o: union([v[0].bound, v[2].bound]) if v[0].kind != "c" else _refused()  # noqa: E731
add(
    "scatter_add",
    "{0}.at[{1}].add({2}, mode={mode!r})",
    _draw_scatter,
    _scattered(lambda a, b, n: added(a, repeated(b, n))),
)
add(
    "scatter_subtract",
    "{0}.at[{1}].subtract({2}, mode={mode!r})",
    _draw_scatter,
    _scattered(lambda a, b, n: added(a, repeated(b, n))),
)
add("scatter_multiply", "{0}.at[{1}].multiply({2}, mode={mode!r})", _draw_scatter, _scattered(_products), False)
# the derivatives by clipped positions are wrong in JAX: docs/differences.md
for _name in ("min", "max"):
    _text = f"{{0}}.at[{{1}}].{_name}({{2}}, mode={{mode!r}})"
    add(f"scatter_{_name}", _text, functools.partial(_draw_scatter, modes=("drop",)), _ORDERED)
    add(f"scatter_{_name}_clipped", _text, functools.partial(_draw_scatter, modes=("clip",)), _ORDERED, False)
add(
    "scatter_add_last",
    "jnp.atleast_2d({0}).at[..., {1}].add(1, mode={mode!r})",
    _draw_scatter,
    lambda v, p, o: added(v[0].bound, Bound(v[1].elements)),
)
add(
    "scatter_add_pairs",
    "jnp.atleast_2d({0}).at[{1}, {1}[::-1]].add(1)",
    _draw_scatter,
    lambda v, p, o: added(v[0].bound, Bound(v[1].elements)),
)
add(
    "scatter_add_apart",
    "jnp.atleast_3d({0}).at[{1}, :, 0].add(2)",
    _draw_scatter,
    lambda v, p, o: added(v[0].bound, Bound(2 * v[1].elements)),
)
add(
    "scatter_set_constant",
    "{0}.at[{1}].set(5, mode={mode!r})",
    _draw_scatter,
    lambda v, p, o: union([v[0].bound, Bound(5)]),
)
add(
    "scatter_mask",
    "jnp.where({0}.at[{1}].set(0, mode={mode!r}) == {0}, 1, {0} * 0)",
    _draw_scatter,
    lambda v, p, o: integer(v[:1], p, o) if v[0].exact and v[0].kind in "iu" else _refused(),
    False,
)


def _draw_scatter_set(d: Draft) -> tuple[list[int], dict]:
    """Different positions: which of several updates stays is nobody's business."""
    a = d.pick(lambda v: v.rank and v.elements and v.kind != "b")
    value = d.values[a]
    many = d.integer(1, min(value.shape[0], 20))
    places = tuple(int(i) - value.shape[0] * d.chance(0.3) for i in d.rng.permutation(value.shape[0])[:many])
    fitting = d.input((many, *value.shape[1:]), value.dtype.name)
    return [a, fitting], {"places": places}


add("scatter_set", "{0}.at[np.array({places})].set({1})", _draw_scatter_set, all_of)
add("scatter_apply", "{0}.at[np.array({places})].apply(jnp.negative)", _draw_scatter_set, same, False)


# ---- dynamic slices ----------------------------------------------------------------------------------------------
def _draw_dynamic(d: Draft) -> tuple[list[int], dict]:
    a = d.pick(lambda v: v.rank and v.elements)
    shape = d.values[a].shape
    sizes = tuple(d.choice((1, n, max(1, n // 2))) for n in shape)
    # JAX clamps positions in their dtype, which may not hold the last one: it then reads and writes beside the array
    held = [dtype for dtype in INDEX_DTYPES if np.iinfo(dtype).max >= max(shape)]
    start = d.input((), d.choice(held), -3, max(shape) + 2 if max(shape) < 90 else 90)
    update = d.input(sizes, d.values[a].dtype.name)
    others = tuple(d.integer(-1, 2) for _ in shape[1:])
    return [a, start, update], {
        "sizes": sizes,
        "others": "".join(f", {k}" for k in others),
        "axis": d.integer(0, len(shape) - 1),
    }


add("dynamic_slice", "lax.dynamic_slice({0}, ({1}{others},), {sizes})", _draw_dynamic, same)
add(
    "dynamic_update_slice",
    "lax.dynamic_update_slice({0}, {2}, ({1}{others},))",
    _draw_dynamic,
    lambda v, p, o: all_of((v[0], v[2]), p, o),
)
add("dynamic_index", "lax.dynamic_index_in_dim({0}, {1}, axis={axis}, keepdims=False)", _draw_dynamic, same)
add("dynamic_slice_in_dim", "lax.dynamic_slice_in_dim({0}, {1}, {sizes}[{axis}], axis={axis})", _draw_dynamic, same)
add("dynamic_scalar_index", "{0}[{1}]", _draw_dynamic, same)
add(
    "dynamic_scalar_set",
    "{0}.at[{1}].set(2)",
    _draw_dynamic,
    lambda v, p, o: union([v[0].bound, Bound(2)]) if v[0].kind != "b" else _refused(),
)


# ---- searches and counts -------------------------------------------------------------------------------------------
def _draw_search(d: Draft) -> tuple[list[int], dict]:
    a = d.pick(lambda v: exact_real(v) and v.rank == 1 and v.elements)
    return [a, d.pick(lambda v: exact_real(v) and v.elements < 3000)], {
        "side": d.choice(("left", "right")),
        "method": d.choice(("scan", "scan_unrolled", "sort", "compare_all")),
        "size": d.integer(1, 9),
        "k": d.integer(1, 5),
    }


add(
    "searchsorted",
    "jnp.searchsorted(jnp.sort({0}), {1}, side={side!r}, method={method!r})",
    _draw_search,
    lambda v, p, o: counted(v, p, o),
    False,
)
add("digitize", "jnp.digitize({1}, jnp.sort({0}), right={side!r} == 'right')", _draw_search, counted, False)
add("top_k", "lax.top_k({0}, min({k}, {0}.size))[0]", _draw_search, exact_same)
add("top_k_places", "lax.top_k({0}, min({k}, {0}.size))[1]", _draw_search, counted, False)
add("nonzero", "jnp.nonzero({0} > 0, size={size}, fill_value=-1)[0]", _draw_search, counted, False)
add("lexsort", "jnp.lexsort(({0}, jnp.abs({0})))", _draw_search, counted, False)


def _draw_classes(d: Draft) -> tuple[list[int], dict]:
    a = d.pick(lambda v: integral(v) and v.elements < 1000)
    return [a], {"classes": d.integer(1, 9), "axis": d.choice((-1, 0)), "dtype": d.dtype(lambda t: t.kind != "b")}


add(
    "one_hot",
    "jax.nn.one_hot({0}, {classes}, dtype={dtype!r}, axis={axis})",
    _draw_classes,
    lambda v, p, o: Bound(1),
    False,
)
