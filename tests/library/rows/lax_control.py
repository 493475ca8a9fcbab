"""sable.lax: control flow and named axes."""

from __future__ import annotations

import numpy as np

from ..table import Using, add, call
from .operands import IM, SCALAR, B, I, M, P, T, V, W

_TRUE, _INDEX = np.array(True), np.array(1, np.int32)

add(
    "lax.cond",
    call(_TRUE, lambda x: x + 1, lambda x: x * 2, V),
    call(False, lambda x: x + 1, lambda x: x * 2, V),
    call(_TRUE, lambda: 1, lambda: 2),
    call(_TRUE, lambda x: x, lambda x: (x, x), V),
    call(_TRUE, lambda x: x + 1, lambda x: x * 2, operand=V),
    call(_TRUE, lambda x: 1, lambda x: 2, operand=None),
    call(_TRUE, lambda x: 1, lambda x: 2, V, operand=None),
)
add(
    "lax.switch",
    call(_INDEX, [lambda x: x, lambda x: -x, lambda x: x * x], V),
    call(7, [lambda x: x, lambda x: -x], V),
    call(-3, [lambda x: x, lambda x: -x], V),
    call(0, [lambda x: 1, lambda x: 2], operand=None),
    call(0, [lambda x: 1, lambda x: 2], V, operand=None),
)
add(
    "lax.scan",
    call(lambda c, x: (c * 0.5 + x, c), SCALAR, V),
    call(lambda c, x: (c + 1, None), 0, None, length=3),
    call(lambda c, x: (c + x["a"], c), SCALAR, {"a": V}),
    call(lambda c, x: (c * x, c), SCALAR, P, reverse=True),
    call(lambda c, x: ((c, c), x), SCALAR, V),
)
add(
    "lax.fori_loop",
    call(0, 3, lambda i, x: x * 1.5 + i, V),
    call(2, 2, lambda i, x: x + 1, I),
    call(0, 3, lambda i, x: x + i, 0),
)
add(
    "lax.while_loop",
    call(lambda x: (x < 50).all(), lambda x: x * 2 + 1, P),
    call(lambda x: x < 10, lambda x: x + 3, 1),
    without=("grad",),
    why="no reverse mode of a loop of unknown length; lax tests look at the error",
)
add("lax.map", call(lambda x: x.sum() * 2, M), call(lambda x: x * x, V), call(lambda x: x + 1, M, batch_size=2))
add(
    "lax.associative_scan",
    call(lambda a, b: a + b, V),
    call(lambda a, b: a * b, M, axis=1),
    call(lambda a, b: a + b, IM, reverse=True),
)


def _mapped(function):
    return Using(lambda jax: jax.vmap(lambda x: function(jax, x), axis_name="i"))


def _over(name: str):
    return lambda jax, x: getattr(jax.lax, name)(x, "i")


for _name in ["psum", "pmean", "all_gather"]:
    add("lax.map", call(_mapped(_over(_name)), M[None]))
for _name in ["pmax", "pmin"]:
    add("lax.map", call(_mapped(_over(_name)), M[None]), without=("grad",), why="no derivative of pmax in JAX")
add("lax.axis_index", call("absent"))
add("lax.axis_size", call("absent"))
for _name in ["psum", "pmean", "pmax", "pmin", "all_gather"]:
    add(f"lax.{_name}", call(V, "absent"), without=("grad",), why="which error comes first")
add("lax.psum", call(W, "absent"), call(B, "absent"))

_CUBE = T[:, :2, :2]  # two examples along the named axis
for _function in [
    lambda jax, x: jax.lax.psum_scatter(x, "i"),
    lambda jax, x: jax.lax.psum_scatter(x, "i", scatter_dimension=1, tiled=True),
    lambda jax, x: jax.lax.psum_scatter(x, "i", axis_index_groups=[[0], [1]]),
    lambda jax, x: jax.lax.ppermute(x, "i", [(0, 1), (1, 0)]),
    lambda jax, x: jax.lax.pshuffle(x, "i", [1, 0]),
    lambda jax, x: jax.lax.pshuffle(x, "i", [1, 1]),
    lambda jax, x: jax.lax.pswapaxes(x, "i", 1),
    lambda jax, x: jax.lax.pswapaxes(x[:1], "i", 0),
    lambda jax, x: jax.lax.all_to_all(x, "i", 0, 1),
    lambda jax, x: jax.lax.all_to_all(x, "i", 1, 0),
    lambda jax, x: jax.lax.all_to_all(x, "i", 0, 1, tiled=True),
    lambda jax, x: jax.lax.all_to_all(x[:1], "i", 0, 1, tiled=True),
]:
    add("lax.map", call(_mapped(_function), _CUBE[None]))
