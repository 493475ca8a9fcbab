"""Special functions against mpmath in units in the last place, at their edges against JAX, and their derivatives.

All functions of one dtype are one program. Where a function has zeros, errors are counted in units of `scale`, not of the value.
"""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax as oracle
import mpmath
import numpy as np
import pytest

import sable as jax
import sable.scipy.special as special

DTYPES = (np.float32, np.float64)


class Row(NamedTuple):
    """A function, its exact values, where it is taken, and the largest errors in f32 and f64, ulp."""

    function: Callable
    exact: Callable
    points: Sequence[Sequence[float]]
    limits: tuple[float, float]
    scale: float = 0.0


def _phi(x: Any) -> Any:
    return mpmath.erfc(-x / mpmath.sqrt(2)) / 2


def _log_gamma(x: Any) -> Any:
    return mpmath.re(mpmath.loggamma(x))


def _owen(h: Any, a: Any) -> Any:
    def slope(t: Any) -> Any:
        return mpmath.exp(-h * h * (1 + t * t) / 2) / (1 + t * t)

    steps = [p for p in (0.25, 0.5, 1, 2, 5, 20) if p < a and h * p < 40]
    return mpmath.quad(slope, [0, *steps, min(a, 40 / max(h, 1))]) / (2 * mpmath.pi)


SIZES = [1e-30, 1e-7, 0.01, 0.3, 0.9, 1.0, 1.4, 2.0, 2.7, 4.6, 8.0, 13.3, 29.0]
BOTH = [s * x for x in SIZES for s in (-1, 1)]
PROBABILITIES = [1e-30, 1e-5, 0.02, 0.2, 0.31, 0.45, 0.499, 0.5, 0.51, 0.6, 0.66, 0.9, 0.999]
NEAR = [1e-3, 0.5, 0.9, 1.0, 1.001, 1.6, 30.0]
SHAPES = [0.1, 0.5, 1.0, 3.0, 7.9, 8.1, 20.0]

TABLE = {
    "erf": Row(special.erf, mpmath.erf, [BOTH], (6, 4)),
    "erfc": Row(special.erfc, mpmath.erfc, [[x for x in BOTH if x < 9]], (12, 30)),
    "erfcx": Row(special.erfcx, lambda x: mpmath.exp(x * x) * mpmath.erfc(x), [[x for x in BOTH if x > -5]], (12, 25)),
    "expit": Row(special.expit, lambda x: 1 / (1 + mpmath.exp(-x)), [BOTH], (3, 3)),
    "logit": Row(special.logit, lambda x: mpmath.log(x / (1 - x)), [PROBABILITIES], (3, 3)),
    "ndtr": Row(special.ndtr, _phi, [[x for x in BOTH if x > -13]], (6, 4)),
    "log_ndtr": Row(
        special.log_ndtr,
        lambda x: mpmath.log(_phi(x)) if x < 0 else mpmath.log1p(-_phi(-x)),
        [[x for x in BOTH if x < 13]],
        (8, 8),
    ),
    "ndtri": Row(special.ndtri, lambda p: mpmath.sqrt(2) * mpmath.erfinv(2 * p - 1), [PROBABILITIES[1:]], (5, 5), 1e-3),
    "gamma": Row(special.gamma, mpmath.gamma, [[x for x in BOTH if x not in (-1, -2, -8, -29)]], (12, 12)),
    "factorial": Row(special.factorial, lambda x: mpmath.gamma(x + 1), [SIZES], (12, 12)),
    "gammaln": Row(special.gammaln, _log_gamma, [SIZES], (8, 8), 1.0),
    "digamma": Row(special.digamma, mpmath.digamma, [SIZES], (8, 8), 1.0),
    "betaln": Row(
        special.betaln, lambda a, b: _log_gamma(a) + _log_gamma(b) - _log_gamma(a + b), [SHAPES] * 2, (32, 32), 1.0
    ),
    "beta": Row(special.beta, mpmath.beta, [SHAPES] * 2, (64, 64)),
    "comb": Row(special.comb, mpmath.binomial, [[4.0, 20.0, 30.0], [0.0, 1.0, 3.0, 4.0, 2.5]], (16, 16)),
    "poch": Row(special.poch, lambda z, m: mpmath.gamma(z + m) / mpmath.gamma(z), [SHAPES, [0.3, 1, 2]], (40, 40)),
    "rel_entr": Row(special.rel_entr, lambda p, q: p * mpmath.log(p / q), [NEAR] * 2, (10, 10)),
    "kl_div": Row(special.kl_div, lambda p, q: p * mpmath.log(p / q) - p + q, [NEAR] * 2, (30, 30)),
    "boxcox": Row(special.boxcox, lambda x, k: (x**k - 1) / k, [SIZES[2:], [-1.5, 1e-4, 2.0]], (12, 12), 0.1),
    "dawsn": Row(
        special.dawsn, lambda x: mpmath.sqrt(mpmath.pi) / 2 * mpmath.exp(-x * x) * mpmath.erfi(x), [BOTH], (6, 6)
    ),
    "owens_t": Row(special.owens_t, _owen, [[0.0, 0.1, 1.0, 3.5, 8.0], [1e-3, 0.5, 1.0, 1.3, 9.0]], (60, 90)),
    "exp1": Row(special.exp1, mpmath.e1, [SIZES], (16, 16)),
    "expi": Row(special.expi, mpmath.ei, [BOTH], (16, 16), 0.5),
    "Si": Row(lambda x: special.sici(x)[0], mpmath.si, [BOTH], (4, 4)),
    "Ci": Row(lambda x: special.sici(x)[1], mpmath.ci, [SIZES], (4, 4), 0.05),
    "S": Row(lambda x: special.fresnel(x)[0], mpmath.fresnels, [[x for x in [*BOTH, 1e3] if abs(x) > 1e-9]], (5, 6)),
    "C": Row(lambda x: special.fresnel(x)[1], mpmath.fresnelc, [[*BOTH, 1e3, 7e5]], (5, 6)),
    "spence": Row(special.spence, lambda x: mpmath.re(mpmath.polylog(2, 1 - x)), [SIZES], (8, 8), 0.1),
    "i0e": Row(special.i0e, lambda x: mpmath.besseli(0, x) * mpmath.exp(-abs(x)), [BOTH], (6, 30)),
    "i1e": Row(special.i1e, lambda x: mpmath.besseli(1, x) * mpmath.exp(-abs(x)), [BOTH], (20, 40)),
    "zeta": Row(special.zeta, mpmath.zeta, [[1.1, 2.0, 5.5], [0.1, 1.0, 10.0]], (8, 8)),
}


@pytest.mark.parametrize("dtype", DTYPES)
def test_values(dtype: type) -> None:
    points = {}
    for name, row in TABLE.items():
        columns = list(zip(*itertools.product(*row.points)))
        points[name] = [np.array(c, dtype) for c in columns]
    with jax.enable_x64(True):
        found = jax.jit(lambda xs: {n: row.function(*xs[n]) for n, row in TABLE.items()})(points)
    info, wrong = np.finfo(dtype), []
    with mpmath.workprec(160):
        for name, row in TABLE.items():
            limit = row.limits[DTYPES.index(dtype)]
            for *xs, y in zip(*points[name], np.asarray(found[name])):
                exact = row.exact(*[mpmath.mpf(float(x)) for x in xs])
                size = max(abs(exact), row.scale, float(info.tiny))
                unit = float(info.eps) * mpmath.mpf(2) ** mpmath.floor(mpmath.log(size, 2))
                error = abs(mpmath.mpf(float(y)) - exact) / unit if np.isfinite(y) else mpmath.inf
                if error > limit:
                    wrong.append(
                        f"{name}{tuple(map(float, xs))}: {y}, exactly {mpmath.nstr(exact, 18)}: {float(error):.3g} ulp"
                    )
    assert not wrong, "\n".join(wrong)


EDGES = np.float32([0, -0.0, 1, -1, -2, 0.5, -0.5, 2, np.inf, -np.inf, np.nan, 1e30, -1e30])
UNARY = [
    "erf",
    "erfc",
    "erfinv",
    "gammaln",
    "digamma",
    "expit",
    "logit",
    "entr",
    "ndtr",
    "log_ndtr",
    "ndtri",
    "i0e",
    "i1e",
    "i0",
    "i1",
    "gamma",
    "loggamma",
    "factorial",
    "gammasgn",
    "erfcx",
    "dawsn",
    "exp1",
    "expi",
    "sici",
    "fresnel",
    "spence",
]
BINARY = [
    "xlogy",
    "xlog1py",
    "rel_entr",
    "kl_div",
    "boxcox",
    "boxcox1p",
    "beta",
    "betaln",
    "poch",
    "owens_t",
    "zeta",
    "comb",
]
#: function -> where JAX has no number, or only noise: arguments, what is right there
BETTER = {
    "exp1": {(np.inf,): 0},
    "expi": {(0.0,): -np.inf, (np.inf,): np.inf, (-np.inf,): 0},
    "spence": {(np.inf,): -np.inf},
    "rel_entr": {(1e30, 1e30): 0},
    "kl_div": {(1e30, 1e30): 0},
    "owens_t": {(0.0, np.inf): 0.25, (0.0, -np.inf): -0.25},
    "comb": {(1e30, 1.0): np.inf, (1e30, 0.5): np.inf, (1e30, 2.0): np.inf},
}


@pytest.mark.filterwarnings("ignore")
def test_edges_are_those_of_jax() -> None:
    first, second = (v.ravel() for v in np.meshgrid(EDGES, EDGES))

    def everything(module: Any, x: Any, y: Any, z: Any) -> dict:
        library = importlib.import_module(f"{module.__name__}.scipy.special")
        found = {n: module.tree.leaves(getattr(library, n)(x)) for n in UNARY}
        return found | {n: module.tree.leaves(getattr(library, n)(y, z)) for n in BINARY}

    ours, theirs = (m.jit(lambda *a, m=m: everything(m, *a))(EDGES, first, second) for m in (jax, oracle))
    for name, parts in ours.items():
        arguments = np.stack([EDGES] if name in UNARY else [first, second], axis=1)
        for got, want in zip(parts, theirs[name], strict=True):
            want = np.array(want)
            for at, value in BETTER.get(name, {}).items():
                want[np.all(arguments == np.float32(at), axis=1)] = value
            np.testing.assert_allclose(got, want, rtol=2e-4, atol=1e-30, err_msg=name)


#: function -> exact one, points: derivatives of first and second order
DERIVATIVES = {
    "gamma": (special.gamma, mpmath.gamma, [-1.5, 0.3, 1.0, 4.5, 30.0]),
    "ndtr": (special.ndtr, _phi, [-20.0, -1.0, 0.5, 3.0]),
    "log_ndtr": (special.log_ndtr, lambda x: mpmath.log(_phi(x)), [-50.0, -3.0, 0.0, 6.0]),
    "logit": (special.logit, lambda x: mpmath.log(x / (1 - x)), [1e-3, 0.4, 0.51, 0.9]),
    "kl_div": (lambda p: special.kl_div(p, 1.5), lambda p: p * mpmath.log(p / 1.5) - p, [0.1, 1.4, 1.5, 2.0]),
    "rel_entr": (lambda q: special.rel_entr(1.5, q), lambda q: 1.5 * mpmath.log(1.5 / q), [0.1, 1.4, 1.5, 9.0]),
    "owens_t": (lambda h: special.owens_t(h, 2.0), lambda h: _owen(h, mpmath.mpf(2)), [0.5, 1.0, 3.0]),
    "fresnel": (lambda x: special.fresnel(x)[0], mpmath.fresnels, [0.5, 1.6, 20.0]),
    "factorial": (special.factorial, lambda x: mpmath.gamma(x + 1), [0.5, 3.0]),
    "comb": (lambda n: special.comb(n, 2.5), lambda n: mpmath.binomial(n, 2.5), [4.0, 20.0]),
    "beta": (lambda a: special.beta(a, 9.0), lambda a: mpmath.beta(a, 9), [0.5, 10.0]),
}


def test_derivatives() -> None:
    with jax.enable_x64(True):

        def everything(xs: dict) -> dict:
            slopes = {n: jax.grad(f) for n, (f, _, _) in DERIVATIVES.items()}
            return {n: (jax.vmap(g)(xs[n]), jax.vmap(jax.grad(g))(xs[n])) for n, g in slopes.items()}

        found = jax.jit(everything)({n: np.array(xs) for n, (_, _, xs) in DERIVATIVES.items()})
    for name, (_, exact, xs) in DERIVATIVES.items():
        for order, got in enumerate(found[name], 1):
            with mpmath.workdps(40):
                want = [float(mpmath.diff(exact, mpmath.mpf(x), order)) for x in xs]
            np.testing.assert_allclose(got, want, rtol=2e-11, err_msg=f"{name}, order {order}")
