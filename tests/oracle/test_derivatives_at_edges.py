"""Derivatives to second order where they are awkward: zeros, infinities, NaN, ties, branches that are not taken.

Each line is an expression that is evaluated with Sable and with JAX; `f` is float32, `A` an array of it,
`C` one of complex64.
"""

from __future__ import annotations

import importlib
from typing import Any

import jax as jax_oracle
import numpy as np
import pytest

import sable

nan, inf = float("nan"), float("inf")
f = np.float32


def A(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def C(*values: complex) -> np.ndarray:
    return np.array(values, np.complex64)


MASK = np.array([True, True, False])

LINES = """
[g(jnp.power, i)(f(x), f(y)) for x in (0., 2., -2., inf) for y in (0., 1., 2., .5, -1.) for i in (0, 1)]
[g(g(jnp.power, i), j)(f(x), f(y)) for x in (0., 2., -2.) for y in (0., 1., 2., -2.) for i in (0, 1) for j in (0, 1)]
[g(g(jnp.power, i, holomorphic=True), 1 - i, holomorphic=True)(2 + 1j, 0j) for i in (0, 1)]
[g(lambda x: x**n)(f(x)) for n in (-3, -2, -1, 0, 2) for x in (0., -0., 1e-10, 1e7, -1e7, inf, 1e-20)]
[g(g(lambda x: x**n))(f(x)) for n in (-3, -2, -1, 0, 2) for x in (0., -0., 1e-10, 2., inf)]
g(lambda x: (x ** np.arange(4)).sum())(f(0.))
g(lambda x: jax.lax.pow(x, np.arange(3)).sum())(A(0, 2, 0))
J(lambda x: [g(lambda x: x**n)(x) for n in (-3, -2)])(f(1e7))
g(lambda x: vmap(lambda v: cond(v > 0, jnp.log, lambda v: v * 0., v))(x).sum())(A(1, 0))
g(lambda w: vmap(lambda v: cond(v > 0, lambda v: jnp.log(w * v), lambda v: v * w, v))(A(1, 0)).sum())(f(2.))
g(lambda x: vmap(lambda v: switch((v > 0) * 1, [lambda v: v * 0., jnp.log, jnp.sqrt], v))(x).sum())(A(1, 0))
g(lambda x: vmap(lambda v: scan(lambda c, _: (cond(v > 0, lambda: c + jnp.log(v), lambda: c), 0), v, None, 3)[0])(x).sum())(A(1, 0))
J(g(lambda x: vmap(lambda v: cond(v > 0, jnp.log, lambda v: v * 0., v))(x).sum()))(A(1, 0))
vmap(lambda i: switch(i, [lambda x: x, lambda x: 2 * x, lambda x: 3 * x], f(1.)))(np.array([-1, 0, 1, 2, 9]))
jax.jacobian(lambda x: jax.nn.log_softmax(x, where=MASK))(A(1, 2, 100))
jax.jacobian(lambda x: jax.nn.softmax(x, where=MASK))(A(1, 2, inf))
[g(lambda x: jax.nn.logsumexp(x, where=MASK))(A(1, 2, z)) for z in (100, 1000, inf, nan)]
[h(f(x), f(y)) for h in (sp.xlogy, sp.xlog1py) for x, y in ((0, 0), (0, nan), (0, inf), (2, 0), (0, -1))]
[g(h, i)(f(x), f(y)) for h in (sp.xlogy, sp.xlog1py) for x, y in ((0, 0), (0, 2), (0, nan), (2, 1)) for i in (0, 1)]
[g(g(h, i), 1 - i)(f(x), f(y)) for h in (sp.xlogy, sp.xlog1py) for x, y in ((0, 2), (2, 1)) for i in (0, 1)]
[g(sp.entr)(f(x)) for x in (0., 1., -1., inf, 1e-30)]
[g(g(sp.entr))(f(x)) for x in (0., 1., 1e-30)]
[g(h)(x) for h in (jnp.nanvar, jnp.nanstd) for x in (A(1, 2, nan, 5), A(1, nan), A(nan, nan))]
[g(lambda x: jnp.frexp(x)[0])(f(x)) for x in (3., 0., inf, -.1)]
[g(h)(x) for h in (jnp.max, jnp.min) for x in (A(1, nan), A(nan, nan, 1), A(1, 1, 0), A(inf, inf))]
[g(lambda x: h(x).sum())(x) for h in (jax.lax.cummax, jax.lax.cummin) for x in (A(1, nan, 2), A(1, 1, 0))]
[g(h, i)(f(x), f(y)) for h in (jnp.maximum, jnp.minimum) for x, y in ((1, nan), (nan, 1), (1, 1)) for i in (0, 1)]
[g(h, 0)(f(x), f(y)) for h in (jnp.logaddexp, jnp.logaddexp2) for x, y in ((nan, 1), (1, nan), (inf, nan), (1, -inf))]
[jax.jvp(jax.nn.softplus, (f(x),), (f(1.),)) for x in (nan, inf, -inf, 0.)]
[g(g(h))(f(x)) for h in (jnp.arcsin, jnp.arccos) for x in (0., .5, 1., -1., 1e-30)]
[g(g(jnp.cbrt))(f(x)) for x in (0., -0., inf, -8.)]
[g(sp.logit)(f(x)) for x in (0., -0., 1., .25, inf, -inf)]
[d(sp.log_ndtr)(f(x)) for d in (g, lambda h: g(g(h))) for x in (-10., -3., 0., 5., 8.)]
[g(jnp.floor_divide, i)(f(7.), f(2.)) for i in (0, 1)]
[g(lambda d: (d[np.array(ix)] ** 2).sum())(A(1, 2, 3, 4)) for ix in ([0, 7, -9], [[0, 1], [7, -9]])]
[g(lambda d: (d.at[np.array([0, 7, -9])].get(mode=m) ** 2).sum())(A(1, 2, 3, 4)) for m in (None, "clip", "fill")]
g(lambda d: vmap(lambda i: jax.lax.dynamic_slice(d, (i,), (2,)))(np.array([0, 7, -9])).sum())(A(1, 2, 3, 4))
[jnp.ldexp(f(x), n) for x, n in ((0, 300), (-0., 300), (inf, -300), (nan, 300), (1e-30, 200), (1e30, -200), (1, 130))]
[jnp.ldexp(f(x), n) for x, n in ((1, 2**31 - 1), (1, -(2**31)), (0, 2**31 - 1), (3, 0), (3, 126), (3, -126))]
[jnp.ldexp(np.float16(x), n) for x, n in ((1, 12), (3, -14), (1e-7, 30), (0, 300), (1, np.int64(70000)))]
[jnp.round(f(x), n) for x in (1.5, 0., inf, 1234.5678) for n in (40, 39, 10, 2, -2)]
J(lambda x, y: (jnp.maximum(x, y), jnp.minimum(x, y)))(C(1.5 + 2.5j, 2, 1 + 1j), C(1.5 + 7.5j, 1 + 9j, 1 + 1j))
J(jnp.abs)(C(1e20 + 1e20j, 1e-20 + 1e-20j, 0, 3 + 4j, -2j, complex(0, inf), complex(nan, 1)))
jax.jacfwd(lambda x: jnp.exp(1j * x))(f(.5))
jax.jacfwd(lambda x: x * (1 + 1j))(A(.5, 1))
""".strip().splitlines()


def evaluate(jax: Any, line: str) -> list[np.ndarray]:
    names = {
        "jax": jax,
        "jnp": jax.numpy,
        "g": jax.grad,
        "J": jax.jit,
        "vmap": jax.vmap,
        "sp": importlib.import_module(f"{jax.__name__}.scipy.special"),
        **{name: getattr(jax.lax, name) for name in ("cond", "switch", "scan")},
    }
    return [np.asarray(x) for x in jax.tree.leaves(eval(line, {**globals(), **names}))]


@pytest.mark.parametrize("line", LINES)
@pytest.mark.filterwarnings("ignore")
def test_agrees_with_jax(line: str) -> None:
    got, want = evaluate(sable, line), evaluate(jax_oracle, line)
    assert [x.dtype for x in got] == [x.dtype for x in want]
    for x, y in zip(got, want, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-37)
