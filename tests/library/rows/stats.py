"""sable.scipy.stats."""

from __future__ import annotations

import numpy as np

from ..table import add, call
from .operands import within

#: inside of every support; a shape parameter and the scale broadcast against it
_X = within(0.1, 0.9, 4)
_A = within(0.6, 3.0, 2, 1)
_LOC, _SCALE = np.array(-0.3, np.float32), within(1.5, 2.5, 4)
#: ends of supports and beyond
_EDGES = np.array([-np.inf, -1.0, 0.0, 0.5, 1.0, 2.0, 30.0, np.inf, np.nan], np.float32)
_Q = np.array([-0.5, 0.0, 0.25, 0.75, 1.0, 1.5, np.nan], np.float32)
_K = np.array([-1, 0, 1, 2, 3, 4], np.int32)
_TWO = np.float32([2])
_QUARTER = np.float32([0.25])
_EDGES_WHY = "ends of supports, where derivatives are any"


def _methods(distribution: str, names: str, *samples: tuple, **options: object) -> None:
    for name in names.split():
        add(f"scipy.stats.{distribution}.{name}", *samples, **{"rtol": 1e-4, **options})  # type: ignore[arg-type]


def _edges(distribution: str, names: str, *samples: tuple) -> None:
    _methods(distribution, names, *samples, without=("grad",), why=_EDGES_WHY)


_ALL = "pdf logpdf cdf logcdf sf logsf"
for _name, _functions in {
    "norm": _ALL,
    "cauchy": _ALL,
    "expon": _ALL,
    "gumbel_l": _ALL,
    "gumbel_r": _ALL,
    "laplace": "pdf logpdf cdf",
    "logistic": "pdf logpdf cdf sf",
    "uniform": "pdf logpdf cdf",
}.items():
    broken = {"without": ("grad",), "why": "JAX multiplies by a float0 there"} if _name.startswith("gumbel") else {}
    _methods(_name, _functions, call(_X, _LOC, _SCALE), **broken)
    # at infinity JAX has -18.9 for the logarithm of zero, or no number
    finite = _EDGES[1:-2] if _name in ("cauchy", "gumbel_l", "gumbel_r") else _EDGES
    _edges(_name, _functions, call(finite), call(_TWO, scale=0.5))
for _name, _functions in {"chi2": _ALL, "gamma": _ALL, "pareto": _ALL, "t": "pdf logpdf"}.items():
    _methods(_name, _functions, call(_X + 2, _A, _LOC, _SCALE))
    _edges(_name, _functions, call(_EDGES, 2.5), call(2, 1))
_methods("beta", "pdf logpdf", call(_X, _A, 2.0, _LOC, _SCALE))
_methods("beta", "cdf logcdf sf logsf", call(_X, 1.5, 2.0, _LOC, _SCALE))
_edges("beta", _ALL, call(_EDGES, 1.5, 1), call(0.5, _EDGES, 2))
_methods("truncnorm", _ALL, call(_X, -_A, 1 + _A, _LOC, _SCALE))
# ends of the support, its tail, and every kind of lower bound: in one program, since it is long
_BOUNDS = np.concatenate([np.full(9, -0.5), np.full(4, 2.5), _EDGES]), np.repeat([1.0, 5.0, 1.0], [9, 4, 9])
_AT = np.concatenate([_EDGES, _X + 3, np.full(9, _X[0])])
_edges("truncnorm", _ALL, call(_AT, *(x.astype(np.float32) for x in _BOUNDS)))
_methods("gennorm", "pdf logpdf cdf", call(_X, _A))
_edges("gennorm", "pdf logpdf cdf", call(_EDGES, 2))
_methods("vonmises", "pdf logpdf", call(_X, _A), call(_X, _A - 1))
_methods("wrapcauchy", "pdf logpdf", call(_X, _A / 4), call(7.0, _X))
_edges("wrapcauchy", "pdf logpdf", call(_EDGES, 0.5))

_methods("norm", "ppf isf", call(_Q, 0.5, _SCALE[:1]), call(_Q), call(1))
_methods("logistic", "ppf isf", call(_X, 0.5, _SCALE), call(_Q))
for _name in ["expon", "gumbel_l", "gumbel_r", "uniform"]:
    broken = {"without": ("grad",), "why": "JAX multiplies by a float0 there"} if _name.startswith("gumbel") else {}
    _methods(_name, "ppf", call(_X, 0.5, _SCALE), **broken)
    _edges(_name, "ppf", call(_Q))
_methods("cauchy", "ppf isf", call(_X / 2, 0.5, _SCALE))
_methods("pareto", "ppf", call(_X, _A, 0.5, _SCALE))
_edges("pareto", "ppf", call(_Q, 2))

_N = np.array(3, np.float32)
_methods("bernoulli", "pmf logpmf", call(_K[:4], _X, 1), call(_K.astype(np.float32), 0.25))
_methods("bernoulli", "cdf", call(_EDGES, 0.25), call(_K, _QUARTER), call(1, 2.0))
_edges("bernoulli", "ppf", call(_Q, _QUARTER), call(0.75, 0.25))
_methods("binom", "pmf logpmf", call(_K[:4], _N, _X), call(_K, 3, _QUARTER, 1), call(_K[:3], 0, 0.5), rtol=5e-4)
_methods("nbinom", "pmf logpmf", call(_K[:4], _N, _X), call(_K, 3, _QUARTER, 1), rtol=5e-4)
_methods("geom", "pmf logpmf", call(_K[:4], _X), call(_K, _QUARTER, 1))
_methods("poisson", "pmf logpmf", call(_K[:4], _SCALE), call(_EDGES[1:-2], 1.5, 1.0))
_methods("poisson", "cdf", call(_K[:4], _SCALE), call(2.5, 1.5))
_methods("poisson", "entropy", call(np.float32([0.5, 5, 50, 500])), call(2, np.zeros((2, 1), np.float32)), call(0.0))
_methods("betabinom", "pmf logpmf", call(_K[1:5], _N, _A, 1.5), call(_K, 3, _TWO, 1.5, 1), call(0, 0, 1, 2), rtol=5e-4)
_edges("betabinom", "pmf logpmf", call(1, 3, _EDGES, 2.0))

_P = np.array([0.2, 0.3, 0.5], np.float32)
_methods("dirichlet", "pdf logpdf", call(_P, _SCALE[:3]), call(_P[:2], _SCALE[:3]), call(_P[:, None], _SCALE[:3]))
_methods("dirichlet", "pdf logpdf", call(_P, np.ones((3, 1), np.float32)), call(_P, _SCALE), call(2 * _P, _SCALE[:3]))
_methods("multinomial", "pmf logpmf", call(_K[1:4], 3, _P), call(_K[1:4], 4, _P), call(_P, 3, _P))
_COV = np.array([[2.0, 0.5], [0.5, 1.0]], np.float32)
_V2 = within(-1, 1, 3, 2)
_methods("multivariate_normal", "pdf logpdf", call(_V2, _V2[0], _COV), call(_V2, _V2[0], 2.0), call(_X, 0.5, 2))
_methods("multivariate_normal", "pdf logpdf", call(_V2, _V2, np.stack([_COV] * 3)), call(_V2, _V2, _COV[0]))
_methods("multivariate_normal", "logpdf", call(_V2, _V2, _COV, allow_singular=True))

_TIES = np.array([[2.0, 1, 3, 2], [2, 1, 1, 3], [1, 1, 3, np.nan]], np.float32)
_INTS = np.array([[2, 1, 3, 2], [2, 1, 1, 3], [1, 1, 3, 0]], np.int32)
for _data in [_TIES, _INTS]:
    _rest = call(_data, axis=None), call(_data, axis=-1), call(_data, axis=1, keepdims=True)
    add("scipy.stats.mode", call(_data), *_rest, without=("grad",), why="values at ties")
    for _method in ["average", "min", "max", "dense", "ordinal"]:
        add("scipy.stats.rankdata", call(_data, _method), call(_data, _method, axis=1))
add("scipy.stats.rankdata", call(_INTS, "other"), call(_INTS, nan_policy="omit"), call(_INTS, nan_policy="none"))
add("scipy.stats.mode", call(np.zeros((0, 2), np.float32)), call(_INTS, nan_policy="omit"), call(_INTS, nan_policy=""))
_policies = [call(_TIES, axis=1, nan_policy=p) for p in ("omit", "raise")]
add("scipy.stats.sem", call(_V2), call(_V2, None, 0), call(_INTS, keepdims=True), call(_TIES), *_policies)
