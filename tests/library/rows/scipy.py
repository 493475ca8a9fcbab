"""sable.scipy."""

from __future__ import annotations

import numpy as np

from ..table import add, call
from .operands import BF, C2, C, H, I, M, P, U, V

for _name in ["erf", "erfc", "expit", "ndtr", "log_ndtr"]:
    add(f"scipy.special.{_name}", call(V), call(BF), call(0.5), call(I), rtol=5e-5)
for _name in ["digamma", "gammaln", "entr"]:
    add(f"scipy.special.{_name}", call(P), call(2.0), rtol=5e-5)
add("scipy.special.erfinv", call(U), call(0.25), rtol=5e-5)
add("scipy.special.logit", call(P / 4), call(0.3), rtol=5e-5)
for _name in ["xlogy", "xlog1py"]:
    add(f"scipy.special.{_name}", call(V, P), call(2.0, P), rtol=5e-5)
    add(f"scipy.special.{_name}", call(I, P), rtol=5e-5, without=("grad",), why="JAX multiplies by a float0 there")
for _name in ["gamma", "loggamma"]:
    add(f"scipy.special.{_name}", call(C - 1), rtol=2e-5)
for _name in ["gamma", "loggamma", "factorial"]:
    add(f"scipy.special.{_name}", call(P), call(2.0), call(I), rtol=5e-5)
for _name in ["i0", "i0e", "i1", "i1e"]:
    add(f"scipy.special.{_name}", call(P), call(BF), call(I), rtol=5e-5)
add("scipy.special.gammasgn", call(4 * V), call(I), call(C), without=("grad",), why="steps")
for _name in ["beta", "betaln"]:
    add(f"scipy.special.{_name}", call(P, 7 * P[::-1].copy()), call(2.0, P), rtol=1e-4)
for _name in ["gammainc", "gammaincc"]:
    add(f"scipy.special.{_name}", call(P, P[::-1].copy()), rtol=1e-4)
add("scipy.special.betainc", call(1.5, 2, P / 4), without=("grad",), why="a derivative in x only", rtol=1e-4)
add("scipy.special.poch", call(P, P[::-1].copy()), call(2.0, 3), rtol=2e-4)
for _name in ["kl_div", "rel_entr"]:
    add(f"scipy.special.{_name}", call(P, P[::-1].copy()), call(V, P), call(0.0, 1.0), rtol=1e-4)
for _name in ["boxcox", "boxcox1p"]:
    add(f"scipy.special.{_name}", call(P, V), call(P, 0.0), rtol=1e-4)
add("scipy.special.multigammaln", call(P + 3, 4), call(5, 2), rtol=1e-4)
for _name in ["softmax", "log_softmax"]:
    add(f"scipy.special.{_name}", call(V), call(M, axis=0))
add("scipy.special.logsumexp", call(4 * C), call(C, b=C2, return_sign=True), call(V, b=C), call(H[:5], b=P))
add("scipy.special.logsumexp", call(V), call(M, axis=0), call(V, b=P), call(V, b=P, return_sign=True))
add("scipy.special.ndtri", call(U / 2 + 0.5), call(0.3), call(np.float32([0, 1, -1, 1e-30, 0.999])), call(I))

_WIDE = np.array([-6.0, -1.5, -0.4, 0.3, 2.0, 7.5], np.float32)
_ABOVE = np.array([0.3, 0.9, 2.0, 4.5, 12.0], np.float32)
for _name in ["dawsn", "erfcx"]:
    add(f"scipy.special.{_name}", call(_WIDE), call(0.5), call(I), rtol=1e-4)
for _name in ["sici", "fresnel"]:
    add(f"scipy.special.{_name}", call(_WIDE), call(0.5), rtol=1e-4)
# JAX's derivative is NaN in (1, 2]
add("scipy.special.spence", call(_ABOVE + np.where(_ABOVE == 2, 0.15, 0).astype(np.float32)), call(0.5), rtol=1e-4)
add("scipy.special.exp1", call(_ABOVE), call(0.5), rtol=1e-4)
add("scipy.special.expi", call(_WIDE), call(0.5), rtol=1e-4)
add("scipy.special.expn", call(np.array([1, 2, 3, 4, 5], np.int32), _ABOVE), call(3, _ABOVE), rtol=1e-4)
add("scipy.special.owens_t", call(_WIDE, _WIDE[::-1].copy()), rtol=1e-4)
add("scipy.special.polygamma", call(1, _ABOVE), call(np.array([0, 1, 2, 3, 1], np.int32), _ABOVE), rtol=2e-4)
add("scipy.special.zeta", call(_ABOVE + 1, P), call(3.0, 2.0), call(_ABOVE + 1), rtol=2e-4)
add("scipy.special.hyp1f1", call(P, P[::-1] + 1, U), call(0.5, 1.5, U), rtol=2e-4)
add("scipy.special.hyp2f1", call(P, P[::-1] + 0.01, P + 1.3, U), call(0.5, 1.5, 2.25, U / 2), rtol=2e-4)
add("scipy.special.comb", call(np.array([5, 6, 7], np.int32), np.array([2, 0, 9], np.int32)), call(5.5, 2), rtol=1e-4)
add("scipy.special.comb", call(np.array([5, 6, 7], np.int32), 3, repetition=True), call(4, 4), rtol=1e-4)
add("scipy.special.bernoulli", call(0), call(1), call(2), call(9), call(-1))
add("scipy.special.bessel_jn", call(_ABOVE[3:], v=3), without=("grad",), why="JAX's has no digit at 4.5", rtol=1e-4)
add("scipy.special.wofz", call(C), call(np.array([0.5 + 2j, -3 + 0.1j, 9 - 0.3j], np.complex64)), call(V), rtol=1e-4)
_DEGREE = np.array([2], np.int32), np.array([1], np.int32), np.array([0.5], np.float32), np.array([1.2], np.float32)
add("scipy.special.sph_harm_y", call(*_DEGREE, n_max=3), rtol=1e-4)
