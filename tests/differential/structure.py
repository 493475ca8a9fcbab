"""Operations that move elements: shapes, slices, padding, joins."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tests.differential.bounds import Bound, Unfit, Value, added, all_of, counted, kind_of, same, union
from tests.differential.draw import Draft
from tests.differential.elementwise import anything, exact, unary
from tests.differential.program import add


def factored(d: Draft, elements: int) -> tuple[int, ...]:
    """Some shape of so many elements."""
    rest, shape = elements, []
    for _ in range(d.integer(0, 3)):
        divisors = [k for k in range(1, min(rest, 2000) + 1) if rest % k == 0] or [1]
        shape.append(d.choice(divisors))
        rest //= shape[-1]
    shape.insert(d.integer(0, len(shape)), rest)
    return tuple(shape)


def _draw_reshape(d: Draft) -> tuple[list[int], dict]:
    a = d.pick()
    shape = factored(d, d.values[a].elements)
    if d.chance(0.3) and d.values[a].elements:
        k = d.integer(0, len(shape) - 1)
        shape = (*shape[:k], -1, *shape[k + 1 :])
    return [a], {"shape": shape, "order": d.choice(("C", "C", "F"))}


add("reshape", "jnp.reshape({0}, {shape}, order={order!r})", _draw_reshape, same)
unary("ravel", "{0}.ravel()", anything, same)
unary("transpose_all", "{0}.T", anything, same)
unary("squeeze", "jnp.squeeze({0})", anything, same)
unary("flip_all", "jnp.flip({0})", anything, same)
unary("atleast_2d", "jnp.atleast_2d({0})", anything, same)


def _draw_permutation(d: Draft) -> tuple[list[int], dict]:
    a = d.pick()
    return [a], {"axes": tuple(int(i) for i in d.rng.permutation(d.values[a].rank))}


add("transpose", "jnp.transpose({0}, {axes})", _draw_permutation, same)


def _draw_two_axes(d: Draft) -> tuple[list[int], dict]:
    a = d.pick(lambda v: v.rank)
    rank = d.values[a].rank
    return [a], {"one": d.axis(rank), "other": d.axis(rank), "k": d.integer(-3, 3)}


add("swapaxes", "jnp.swapaxes({0}, {one}, {other})", _draw_two_axes, same)
add("moveaxis", "jnp.moveaxis({0}, {one}, {other})", _draw_two_axes, same)
add("expand_dims", "jnp.expand_dims({0}, {one})", _draw_two_axes, same)
add("flip", "jnp.flip({0}, {one})", _draw_two_axes, same)
add("rot90", "jnp.rot90({0}, {k}, ({one}, {other}))", _draw_two_axes, same)
add("diagonal", "jnp.diagonal({0}, {k}, {one}, {other})", _draw_two_axes, same)
add("roll", "jnp.roll({0}, {k}, {one})", _draw_two_axes, same)
add("roll_two", "jnp.roll({0}, ({k}, 2), ({one}, {other}))", _draw_two_axes, same)
add("roll_all", "jnp.roll({0}, {k})", _draw_two_axes, same)
add("triu", "jnp.triu({0}, {k})", _draw_two_axes, lambda v, p, o: union([v[0].bound, Bound(0)]))
add("tril", "jnp.tril({0}, {k})", _draw_two_axes, lambda v, p, o: union([v[0].bound, Bound(0)]))


def _draw_diag(d: Draft) -> tuple[list[int], dict]:
    return [d.pick(lambda v: v.rank == 2 or (v.rank == 1 and v.elements < 200))], {"k": d.integer(-3, 3)}


add("diag", "jnp.diag({0}, {k})", _draw_diag, same)


# ---- slices ----------------------------------------------------------------------------------------------------
def slice_text(d: Draft, extent: int) -> str:
    """A slice of an axis, with steps of either sign and ends beyond the array now and then."""
    step = d.choice((1, 1, 1, 2, 3, -1, -1, -2))

    def end() -> str:
        return "" if d.chance(0.4) else str(d.integer(-extent - 2, extent + 2))

    return f"{end()}:{end()}:{step}" if step != 1 else f"{end()}:{end()}"


def index_text(d: Draft, shape: Sequence[int]) -> str:
    """A static index: integers, slices, `None`, an ellipsis."""
    parts = []
    for extent in shape[: d.integer(0, len(shape))]:
        parts.append(str(d.integer(-extent, extent - 1)) if extent and d.chance(0.25) else slice_text(d, extent))
    if len(parts) == len(shape) or d.chance(0.5):
        if d.chance(0.3):
            parts.insert(d.integer(0, len(parts)), "None")
        if d.chance(0.2):
            parts.append("...")
    return ", ".join(parts) or "..."


def _draw_index(d: Draft) -> tuple[list[int], dict]:
    a = d.pick(lambda v: v.rank)
    return [a], {"index": index_text(d, d.values[a].shape)}


add("index", "{0}[{index}]", _draw_index, same)
add("set_slice", "{0}.at[{index}].set(1)", _draw_index, lambda v, p, o: union([v[0].bound, Bound(1)]))
add("add_slice", "{0}.at[{index}].add(2)", _draw_index, lambda v, p, o: added(v[0].bound, Bound(2)))
add("max_slice", "{0}.at[{index}].max(0)", _draw_index, lambda v, p, o: same(v if v[0].kind != "c" else _no(), p, o))


def _no() -> Sequence[Value]:
    raise Unfit("complex numbers have no order")


def _draw_set_array(d: Draft) -> tuple[list[int], dict]:
    a = d.pick(lambda v: v.rank)
    return [a, d.pick(lambda v: v.kind == d.values[a].kind)], {"index": index_text(d, d.values[a].shape)}


add("set_slice_array", "{0}.at[{index}].set({1}.ravel()[:1])", _draw_set_array, all_of)
add(
    "min_slice_array",
    "{0}.at[{index}].min({1}.ravel()[-1:])",
    _draw_set_array,
    lambda v, p, o: all_of(v if v[0].kind != "c" else _no(), p, o),
)


# ---- padding, repetition, joins ----------------------------------------------------------------------------------
def _draw_pad(d: Draft) -> tuple[list[int], dict]:
    a = d.pick()
    value = d.values[a]
    mode = d.choice(("constant", "edge", "reflect", "symmetric", "wrap"))
    width = tuple((d.integer(0, 3), d.integer(0, 3)) for _ in value.shape)
    if mode != "constant" and not value.elements:
        raise Unfit("nothing to repeat")
    return [a], {"width": width, "mode": mode}


add("pad", "jnp.pad({0}, {width}, mode={mode!r})", _draw_pad, lambda v, p, o: union([v[0].bound, Bound(0)]))


def _draw_lax_pad(d: Draft) -> tuple[list[int], dict]:
    a = d.pick(lambda v: v.kind != "b")
    config = tuple((d.integer(-2, 3), d.integer(-2, 3), d.integer(0, 2)) for _ in d.values[a].shape)
    return [a], {"config": config, "dtype": d.values[a].dtype.name}


add(
    "lax_pad",
    "lax.pad({0}, jnp.asarray(2, {dtype!r}), {config})",
    _draw_lax_pad,
    lambda v, p, o: union([v[0].bound, Bound(2)]),
)


def _draw_joined(d: Draft) -> tuple[list[int], dict]:
    a = d.pick()
    shape = d.values[a].shape
    axis = d.axis(len(shape))
    operands = [a]
    for _ in range(d.integer(1, 2)):
        own = list(shape)
        own[axis] = d.choice((0, 1, 2, 5, own[axis]))
        fitting = [i for i, v in enumerate(d.values) if v.shape == tuple(own)]
        operands.append(d.choice(fitting) if fitting and d.chance(0.7) else d.input(tuple(own), d.dtype()))
    return operands, {"axis": axis}


def _draw_stacked(d: Draft) -> tuple[list[int], dict]:
    a = d.pick()
    shape = d.values[a].shape
    fitting = [i for i, v in enumerate(d.values) if v.shape == shape]
    operands = [a, *(d.choice(fitting) if d.chance(0.7) else d.input(shape, d.dtype()) for _ in range(d.integer(0, 2)))]
    return operands, {"axis": d.axis(len(shape) + 1)}


def _joined(name: str, rest: str = ", axis={axis}") -> object:
    return lambda params, names: f"jnp.{name}([{', '.join(names)}]{rest.format(**params)})"


add("concatenate", _joined("concatenate"), _draw_joined, all_of)
add("stack", _joined("stack"), _draw_stacked, all_of)
add("vstack", _joined("vstack", ""), _draw_stacked, all_of)
add("hstack", _joined("hstack", ""), _draw_stacked, all_of)


def _draw_tile(d: Draft) -> tuple[list[int], dict]:
    a = d.pick(lambda v: v.elements < 2000)
    return [a], {"times": tuple(d.integer(0 if d.chance(0.05) else 1, 3) for _ in range(d.integer(1, 3)))}


add("tile", "jnp.tile({0}, {times})", _draw_tile, same)


def _draw_repeat(d: Draft) -> tuple[list[int], dict]:
    a = d.pick(lambda v: v.rank and v.elements < 2000)
    axis = d.axis(d.values[a].rank)
    extent = d.values[a].shape[axis]
    times: object = d.integer(0, 3)
    length = "None"
    if d.chance(0.4) and extent < 100:
        times = f"np.array({[d.integer(0, 3) for _ in range(extent)]}, np.int32)"
        length = str(d.integer(0, 2 * extent)) if extent and d.chance(0.5) else "None"
    return [a], {"axis": axis, "times": times, "length": length}


add("repeat", "jnp.repeat({0}, {times}, axis={axis}, total_repeat_length={length})", _draw_repeat, same)


def _draw_broadcast(d: Draft) -> tuple[list[int], dict]:
    a = d.pick(lambda v: v.elements < 500)
    shape = d.values[a].shape
    front = d.shape(d.integer(0, 1))
    return [a], {"shape": (*front, *(d.choice((2, 3, 5)) if n == 1 else n for n in shape))}


add("broadcast_to", "jnp.broadcast_to({0}, {shape})", _draw_broadcast, same)


def _draw_in_dim(d: Draft) -> tuple[list[int], dict]:
    a = d.pick(lambda v: v.elements < 200 and v.rank <= 3)
    shape = list(d.values[a].shape)
    where = sorted(int(i) for i in d.rng.permutation(len(shape) + 1)[: len(shape)])
    target = [d.integer(1, 4) for _ in range(len(shape) + 1)]
    for axis, extent in zip(where, shape, strict=True):
        target[axis] = d.integer(1, 4) if extent == 1 else extent
    return [a], {"shape": tuple(target), "dims": tuple(where)}


add("broadcast_in_dim", "lax.broadcast_in_dim({0}, {shape}, {dims})", _draw_in_dim, same)


def _draw_split(d: Draft) -> tuple[list[int], dict]:
    a = d.pick(lambda v: v.rank)
    axis = d.axis(d.values[a].rank)
    extent = d.values[a].shape[axis]
    return [a], {"axis": axis, "at": tuple(sorted(d.integer(0, extent) for _ in range(2))), "part": d.integer(0, 2)}


add("split", "jnp.split({0}, {at}, axis={axis})[{part}]", _draw_split, same)


def _draw_lax_slice(d: Draft) -> tuple[list[int], dict]:
    a = d.pick(lambda v: v.rank and v.elements)
    shape = d.values[a].shape
    starts = tuple(d.integer(0, n - 1) for n in shape)
    ends = tuple(d.integer(s, n) for s, n in zip(starts, shape, strict=True))
    return [a], {"starts": starts, "ends": ends, "steps": tuple(d.integer(1, 3) for _ in shape)}


add("lax_slice", "lax.slice({0}, {starts}, {ends}, {steps})", _draw_lax_slice, same)


def _draw_made(d: Draft) -> tuple[list[int], dict]:
    a = d.pick()
    return [a], {"shape": d.shape(), "dtype": d.dtype(), "axis": d.integer(0, 1), "step": d.choice((1, 2, -1, 0.5))}


add(
    "iota",
    "lax.broadcasted_iota('int32', {0}.shape, {0}.ndim - 1)",
    lambda d: ([d.pick(lambda v: v.rank)], {}),
    counted,
    False,
)
add("full_like", "jnp.full_like({0}, 3)", _draw_made, lambda v, p, o: Bound(3))
add(
    "zeros",
    "jnp.zeros({shape}, {dtype!r}) + jnp.sum({0}).astype({dtype!r}) * 0",
    _draw_made,
    lambda v, p, o: _zeros(v, o),
)
add("arange", "jnp.arange(0, 20, abs({step}))", _draw_made, lambda v, p, o: Bound(20, 0, 0.5))
add("eye", "jnp.eye(5, 7, {axis}, dtype={dtype!r})", _draw_made, lambda v, p, o: Bound(1))


def _zeros(values: Sequence[Value], out: Value) -> Bound:
    if not exact(values[0]) or (values[0].kind == "f" and kind_of(out.dtype) != "f"):
        raise Unfit("a jump")
    if math.isinf(values[0].bound.size) or values[0].bound.size * values[0].elements > 6e4:
        raise Unfit("overflows")
    return Bound(0)
