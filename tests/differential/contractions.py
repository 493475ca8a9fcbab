"""Products of matrices, convolutions, windows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from tests.differential.bounds import Bound, Rule, Unfit, Value, multiplied, repeated, rounded_to, same, union
from tests.differential.draw import Draft, Fits
from tests.differential.elementwise import anything, floating, number
from tests.differential.program import add


def contracted(times: Callable[[Sequence[Value], dict], int]) -> Rule:
    def bound(values: Sequence[Value], params: dict, out: Value) -> Bound:
        a, b = (rounded_to(v, out.dtype) for v in values[:2])
        return union([repeated(multiplied(a, b), max(1, times(values, params))), Bound(0)])

    return bound


def _fitting(d: Draft, shape: tuple[int, ...], fits: Fits) -> int:
    """A value of the shape, there already or new."""
    there = [i for i, v in enumerate(d.values) if v.shape == shape and fits(v)]
    if there and d.chance(0.5):
        return d.choice(there)
    return d.input(shape, d.dtype(lambda dtype: fits(Value(shape, dtype, False, Bound(1)))))


def _small(fits: Fits) -> Fits:
    return lambda v: fits(v) and v.elements <= 3000


def _draw_matmul(d: Draft) -> tuple[list[int], dict]:
    a = d.pick(_small(lambda v: v.rank >= 1))
    shape = d.values[a].shape
    inner = shape[-1]
    columns = d.choice((1, 2, 3, 7, 17))
    other = d.choice(((inner,), (inner, columns), (*(1 if d.chance(0.3) else n for n in shape[:-2]), inner, columns)))
    if math.prod(shape) * columns > 70_000:
        raise Unfit("too large")
    return [a, _fitting(d, tuple(other), anything)], {}


def _refused() -> Bound:
    raise Unfit("complex numbers as real ones")


_INNER = contracted(lambda v, p: v[0].shape[-1])
add("matmul", "{0} @ {1}", _draw_matmul, _INNER)
add("dot", "jnp.dot({0}, {1})", _draw_matmul, _INNER)
add(
    "matmul_preferred",
    "jnp.matmul({0}, {1}, preferred_element_type='float32')",
    _draw_matmul,
    lambda v, p, o: _INNER(v, p, o) if "c" not in (v[0].kind, v[1].kind) else _refused(),
)


def _draw_einsum(d: Draft) -> tuple[list[int], dict]:
    a = d.pick(_small(lambda v: 1 <= v.rank <= 3 and v.elements <= 1000))
    shape = d.values[a].shape
    letters = "ijk"[: len(shape)]
    mine = dict(zip(letters, shape, strict=True)) | {"m": d.choice((1, 2, 5))}
    other = "".join(d.rng.permutation(list(mine))[: d.integer(1, 3)])
    union_of = sorted(set(letters + other))
    out = "".join(str(letter) for letter in d.rng.permutation(union_of)[: d.integer(0, len(union_of))])
    pattern = f"{letters},{other}->{out}"
    times = math.prod(mine[letter] for letter in union_of if letter not in out)
    if math.prod(mine[letter] for letter in union_of) > 20_000:
        raise Unfit("too large")
    return [a, _fitting(d, tuple(mine[letter] for letter in other), anything)], {"pattern": pattern, "times": times}


add("einsum", "jnp.einsum({pattern!r}, {0}, {1})", _draw_einsum, contracted(lambda v, p: p["times"]))
add(
    "einsum_one",
    "jnp.einsum({pattern!r}, {0})",
    lambda d: _draw_einsum_one(d),
    lambda v, p, o: repeated(rounded_to(v[0], o.dtype), max(1, v[0].elements)),
)


def _draw_einsum_one(d: Draft) -> tuple[list[int], dict]:
    a = d.pick(lambda v: 1 <= v.rank <= 3)
    shape = d.values[a].shape
    letters = "ijk"[: len(shape)]
    if len(shape) >= 2 and shape[0] == shape[1]:
        letters = "ii" + letters[2:]
    chosen = sorted(set(letters))
    out = "".join(str(letter) for letter in d.rng.permutation(chosen)[: d.integer(0, len(chosen))])
    return [a], {"pattern": f"{letters}->{out}"}


def _draw_dot_general(d: Draft) -> tuple[list[int], dict]:
    """One batch dimension and one contracted one, wherever they stand."""
    a = d.pick(_small(lambda v: v.rank >= 2 and v.kind in "iufc"))
    shape, dtype = d.values[a].shape, d.values[a].dtype.name
    batch, inner = (int(i) for i in d.rng.permutation(len(shape))[:2])
    own = [d.choice((1, 2, 5)), d.choice((1, 3))]
    own_batch, own_inner = sorted(d.rng.permutation(4)[:2].tolist(), reverse=d.chance(0.5))
    for axis, extent in sorted(((own_batch, shape[batch]), (own_inner, shape[inner]))):
        own.insert(axis, extent)
    if math.prod(own) * math.prod(shape) > 300_000:
        raise Unfit("too large")
    dims = (((inner,), (own_inner,)), ((batch,), (own_batch,)))
    return [a, d.input(tuple(own), dtype)], {"dims": dims, "times": shape[inner]}


add("dot_general", "lax.dot_general({0}, {1}, {dims})", _draw_dot_general, contracted(lambda v, p: p["times"]))


def _draw_pair(d: Draft) -> tuple[list[int], dict]:
    a = d.pick(lambda v: v.elements <= 200)
    return [a, d.pick(lambda v: v.elements <= 200)], {}


def _draw_same_shape(d: Draft) -> tuple[list[int], dict]:
    a = d.pick(_small(anything))
    return [a, _fitting(d, d.values[a].shape, anything)], {}


add("outer", "jnp.outer({0}, {1})", _draw_pair, contracted(lambda v, p: 1))
add("kron", "jnp.kron({0}, {1})", lambda d: _few_axes(d), contracted(lambda v, p: 1))
add("vdot", "jnp.vdot({0}, {1})", _draw_same_shape, contracted(lambda v, p: v[0].elements))
add("inner", "jnp.inner({0}, {1})", _draw_same_shape, contracted(lambda v, p: (1, *v[0].shape)[-1]))
add("tensordot", "jnp.tensordot({0}, {1}, axes={0}.ndim)", _draw_same_shape, contracted(lambda v, p: v[0].elements))


def _few_axes(d: Draft) -> tuple[list[int], dict]:
    a, b = _draw_pair(d)[0]
    if d.values[a].rank > 2 or d.values[b].rank > 2:
        raise Unfit("many axes")
    return [a, b], {}


# ---- convolutions ------------------------------------------------------------------------------------------------
def _draw_conv(d: Draft) -> tuple[list[int], dict]:
    a = d.pick(lambda v: floating(v) and 3 <= v.rank <= 4 and 0 < v.elements <= 2000)
    shape, dtype = d.values[a].shape, d.values[a].dtype.name
    spatial = len(shape) - 2
    groups = d.choice([g for g in (1, 1, 2, 3) if shape[1] % g == 0])
    kernel = (groups * d.integer(1, 2), shape[1] // groups, *(d.integer(1, 3) for _ in range(spatial)))
    pads = tuple((d.integer(-1, 2), d.integer(0, 2)) for _ in range(spatial))
    params = {
        "strides": tuple(d.integer(1, 2) for _ in range(spatial)),
        "padding": d.choice((repr(pads), "'SAME'", "'VALID'")),
        "holes": tuple(d.integer(1, 2) for _ in range(spatial)) if d.chance(0.3) else (1,) * spatial,
        "dilation": tuple(d.integer(1, 2) for _ in range(spatial)),
        "groups": groups,
        "times": math.prod(kernel[1:]),
    }
    return [a, d.input(kernel, dtype)], params


add(
    "conv_general_dilated",
    "lax.conv_general_dilated({0}, {1}, {strides}, {padding}, lhs_dilation={holes}, rhs_dilation={dilation}, feature_group_count={groups})",
    _draw_conv,
    contracted(lambda v, p: p["times"]),
)


# ---- windows -----------------------------------------------------------------------------------------------------
def _draw_windows(fits: Fits) -> Callable[[Draft], tuple[list[int], dict]]:
    def draw(d: Draft) -> tuple[list[int], dict]:
        a = d.pick(lambda v: fits(v) and v.rank and 0 < v.elements <= 3000)
        shape = d.values[a].shape
        params = {
            "window": tuple(d.integer(1, min(3, n)) for n in shape),
            "strides": tuple(d.integer(1, 3) for _ in shape),
            "padding": d.choice(("'SAME'", "'VALID'", repr(tuple((d.integer(0, 1), d.integer(0, 2)) for _ in shape)))),
            "holes": tuple(d.integer(1, 2) for _ in shape) if d.chance(0.2) else (1,) * len(shape),
            "dilation": tuple(d.integer(1, 2) for _ in shape) if d.chance(0.3) else (1,) * len(shape),
        }
        return [a], params

    return draw


def _window(function: str, initial: str) -> str:
    return (
        f"lax.reduce_window({{0}}, jnp.asarray({initial}, {{0}}.dtype), {function}, {{window}}, {{strides}}, {{padding}},"
        " {holes}, {dilation})"
    )


def _window_sum(values: Sequence[Value], params: dict, out: Value) -> Bound:
    return repeated(values[0].bound, math.prod(params["window"]))


add("window_sum", _window("lax.add", "0"), _draw_windows(number), _window_sum)
add(
    "window_max",
    _window(
        "lax.max",
        "-100 if jnp.issubdtype({0}.dtype, jnp.signedinteger) or jnp.issubdtype({0}.dtype, jnp.floating) else 0",
    ),
    _draw_windows(lambda v: v.kind in "iuf"),
    lambda v, p, o: union([v[0].bound, Bound(100)]),
    False,
)
add(
    "window_min",
    _window("lax.min", "100"),
    _draw_windows(lambda v: v.kind in "iuf"),
    lambda v, p, o: union([v[0].bound, Bound(100)]),
    False,
)
add(
    "max_pool",
    "lax.reduce_window({0}, -jnp.inf, lax.max, {window}, {strides}, {padding})",
    _draw_windows(lambda v: v.kind == "f"),
    same,
)
