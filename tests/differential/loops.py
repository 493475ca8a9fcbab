"""Control flow: loops and branches whose bodies are small functions of the carried value, of its type."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.differential.bounds import Bound, Unfit, Value, added, multiplied, repeated, rounded, smooth, union
from tests.differential.draw import Draft, Fits
from tests.differential.elementwise import exact
from tests.differential.program import add

MOST_TURNS = 4


@dataclass(frozen=True)
class Piece:
    """A function of `c`, which keeps its type, within a loop whose counter is `i`."""

    template: str
    bound: Callable[[Bound], Bound]
    fits: Fits = lambda _: True


def _ranked(v: Value) -> bool:
    return v.rank > 0 and v.elements > 0


def _counted(v: Value) -> bool:
    return v.kind in "iufc"


def _contraction(size: float, grows: bool = False) -> Callable[[Bound], Bound]:
    return lambda b: smooth(b, 1, size + grows * b.size)


PIECES: dict[str, Piece] = {
    "sin": Piece("jnp.sin({c})", _contraction(1), lambda v: v.kind == "f"),
    "half": Piece(
        "{c} * 0.5 + 1", lambda b: added(multiplied(b, Bound(0.5, 0, 0.5)), Bound(1)), lambda v: v.kind in "fc"
    ),
    "negative": Piece("-{c}", lambda b: b, _counted),
    "add_turn": Piece("{c} + i.astype({c}.dtype)", lambda b: added(b, Bound(MOST_TURNS)), _counted),
    "maximum": Piece("jnp.maximum({c}, 1)", lambda b: union([b, Bound(1)]), lambda v: v.kind in "iuf"),
    "flip": Piece("jnp.flip({c}, 0)", lambda b: b, _ranked),
    "roll": Piece("jnp.roll({c}, i, -1)", lambda b: b, _ranked),
    "roll_one": Piece("jnp.roll({c}, 1, 0)", lambda b: b, _ranked),
    "set_row": Piece("{c}.at[i].set(1)", lambda b: union([b, Bound(1)]), _ranked),
    "add_row": Piece(
        "{c}.at[i % {c}.shape[0]].add({c}[0])", lambda b: repeated(b, 2), lambda v: _ranked(v) and _counted(v)
    ),
    "update_row": Piece("lax.dynamic_update_index_in_dim({c}, {c}[-1], i, 0)", lambda b: b, _ranked),
    "scatter_rows": Piece(
        "{c}.at[jnp.array([0, 0, 1])].add(1)", lambda b: added(b, Bound(2)), lambda v: _ranked(v) and _counted(v)
    ),
    "mean_back": Piece(
        "{c} - {c}.mean(-1, keepdims=True)",
        lambda b: repeated(Bound(b.size, b.error, 0), 2),
        lambda v: v.kind == "f" and _ranked(v),
    ),
    "sort": Piece("jnp.sort({c}, -1)", lambda b: b, lambda v: v.kind in "iuf" and v.rank > 0),
    "cumsum": Piece("lax.cummax({c}, 0)", lambda b: b, lambda v: v.kind in "iuf" and v.rank > 0),
    "sum_in": Piece(
        "jnp.where(i > 0, {c}, {c}.sum().astype({c}.dtype))",
        lambda b: repeated(b, 500),
        lambda v: v.kind in "iufc" and 0 < v.elements <= 500,
    ),
    "even_turns": Piece("jnp.where(i % 2 == 0, {c}, -{c})", lambda b: b, _counted),
    "invert": Piece("~{c}", lambda b: Bound(float("inf")), lambda v: v.kind in "biu"),
    "halve_integers": Piece("{c} // 2 + 3", lambda b: added(b, Bound(4)), lambda v: v.kind in "iu"),
    "transposed_twice": Piece("({c}.T * 2).T", lambda b: repeated(b, 2), _counted),
    "take": Piece("{c}[jnp.arange({c}.shape[0])[::-1]]", lambda b: b, _ranked),
    "cond": Piece("lax.cond(i > 1, lambda d: -d, lambda d: d + 1, {c})", lambda b: added(b, Bound(1)), _counted),
    "inner_loop": Piece("lax.fori_loop(0, 2, lambda k, d: d + 1, {c})", lambda b: added(b, Bound(2)), _counted),
    "inner_scan": Piece(
        "lax.scan(lambda d, row: (d, row * 2), 0, {c})[1]",
        lambda b: repeated(b, 2),
        lambda v: _counted(v) and v.rank > 0,
    ),
    "inner_while": Piece(
        "lax.while_loop(lambda s: s[0] < 2, lambda s: (s[0] + 1, s[1] * 2), (0, {c}))[1]",
        lambda b: repeated(b, 4),
        _counted,
    ),
    "inner_switch": Piece(
        "lax.switch(i, [lambda d: d, lambda d: d * 2, lambda d: d[::-1]], {c})",
        lambda b: repeated(b, 2),
        lambda v: _counted(v) and _ranked(v),
    ),
    "matmul": Piece(
        "jnp.tanh({c} @ {c}.swapaxes(-1, -2) @ {c})",
        _contraction(1),
        lambda v: v.dtype == "float32" and v.rank == 2 and 0 < v.elements < 100 and v.exact,
    ),
}
#: Pieces that have no gradient backwards.
FORWARD_ONLY = frozenset({"inner_while"})


def body_text(names: Sequence[str], carried: str) -> str:
    return functools.reduce(lambda text, name: PIECES[name].template.format(c=f"({text})"), names, carried)


def _draw_body(fits: Fits) -> Callable[[Draft], tuple[list[int], dict]]:
    def draw(d: Draft) -> tuple[list[int], dict]:
        a = d.pick(lambda v: fits(v) and not v.weak and v.elements <= 5000)
        value = d.values[a]
        smooth_only = d.usual < 1000
        names = [n for n, p in PIECES.items() if p.fits(value) and not (smooth_only and n in FORWARD_ONLY)]
        if not names:
            raise Unfit("no body")
        params = {
            "body": tuple(d.choice(names) for _ in range(d.integer(1, 3))),
            "other": (d.choice(names),),
            "turns": d.integer(0 if d.chance(0.1) else 1, MOST_TURNS),
            "reverse": d.chance(0.3),
            "unroll": d.choice((1, 1, 2)),
        }
        count = d.input((), "int32", -1, MOST_TURNS)
        return [a, count], params

    return draw


def _after(value: Value, names: Sequence[str], bound: Bound) -> Bound:
    for name in names:
        bound = rounded(PIECES[name].bound(bound), value.dtype)
    return bound


def _turned(values: Sequence[Value], params: dict, out: Value) -> Bound:
    """After each number of turns there may be."""
    value, bound = values[0], values[0].bound
    most = max(
        MOST_TURNS if "dynamic" in params else params["turns"],
        value.shape[0] if value.rank and "scanned" in params else 0,
    )
    seen = [bound]
    for _ in range(min(most, 40)):
        bound = _after(value, params["body"], bound)
        seen.append(bound)
    if most > 40 and bound.size > 10 * seen[0].size:
        raise Unfit("grows")
    seen += [_after(value, params["other"], b) for b in list(seen)]
    return union(seen)


def _loop(template: str) -> Callable[[dict, Sequence[str]], str]:
    def text(params: dict, names: Sequence[str]) -> str:
        rest = {k: v for k, v in params.items() if k not in ("body", "other")}
        return template.format(
            *names, body=body_text(params["body"], "c"), other=body_text(params["other"], "c"), **rest
        )

    return text


def loop(name: str, template: str, differentiable: bool = True, fits: Fits = lambda _: True, **fixed: object) -> None:
    def draw(d: Draft) -> tuple[list[int], dict]:
        operands, params = _draw_body(fits)(d)
        return operands, params | fixed

    add(name, _loop(template), draw, _turned, differentiable)


_FEW: Fits = lambda v: v.rank > 0 and 0 < v.shape[0] <= 20  # noqa: E731
loop("fori_loop", "lax.fori_loop(0, {turns}, lambda i, c: {body}, {0})")
loop("fori_loop_traced", "lax.fori_loop(0, {1}, lambda i, c: {body}, {0})", False, dynamic=True)
loop(
    "while_loop",
    "lax.while_loop(lambda s: s[0] < {1}, lambda s: (s[0] + 1, (lambda i, c: {body})(*s)), (jnp.int32(0), {0}))[1]",
    False,
    dynamic=True,
)
loop(
    "scan_carry",
    "lax.scan(lambda c, i: ({body}, None), {0}, jnp.arange({turns}), reverse={reverse}, unroll={unroll})[0]",
)
loop(
    "scan_stacked",
    "lax.scan(lambda c, i: ({body}, {other}), {0}, jnp.arange({turns}), reverse={reverse}, unroll={unroll})[1]",
    fits=lambda v: v.elements < 1000,
)
loop(
    "scan_both",
    "(lambda c, ys: c + ys.sum(0).astype(c.dtype) * 0)(*lax.scan(lambda c, i: ({body}, {other}), {0}, jnp.arange({turns}), reverse={reverse}))",
    fits=lambda v: v.kind in "iu" and v.elements < 1000,
)
loop("cond", "lax.cond({1} > 1, lambda c, i: {body}, lambda c, i: {other}, {0}, {1})", fits=exact, dynamic=True)
loop("switch", "lax.switch({1}, [lambda c, i: {body}, lambda c, i: {other}, lambda c, i: c], {0}, {1})", dynamic=True)
loop("map", "lax.map(lambda c: (lambda i: {body})(jnp.int32(1)), {0}[None])[0]")
loop(
    "vmapped_body",
    "jax.vmap(lambda i, c: {body}, in_axes=(0, None))(jnp.arange(3), {0})",
    fits=lambda v: v.elements < 500,
)
loop("jitted_body", "jax.jit(lambda i, c: {body})({1}, {0})", dynamic=True)
loop("checkpoint_body", "jax.checkpoint(lambda i, c: {body})({1}, {0})", dynamic=True)


def _rows(values: Sequence[Value], params: dict, out: Value) -> Bound:
    value = values[0]
    return repeated(rounded(value.bound, out.dtype), max(1, value.shape[0]))


def _draw_rows(d: Draft) -> tuple[list[int], dict]:
    return [d.pick(lambda v: v.kind in "iufc" and v.rank and v.elements <= 5000)], {"reverse": d.chance(0.3)}


add(
    "scan_rows",
    "lax.scan(lambda c, row: (c + row, c - row), jnp.zeros({0}.shape[1:], {0}.dtype), {0}, reverse={reverse})[1]",
    _draw_rows,
    lambda v, p, o: repeated(_rows(v, p, o), 2),
)
add(
    "scan_rows_carry",
    "lax.scan(lambda c, row: (c + row, None), jnp.zeros({0}.shape[1:], {0}.dtype), {0}, reverse={reverse})[0]",
    _draw_rows,
    _rows,
)
add("map_rows", "lax.map(lambda row: row[..., None] * 2, {0})", _draw_rows, lambda v, p, o: repeated(v[0].bound, 2))
