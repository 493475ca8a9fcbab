"""sable.scipy."""

from __future__ import annotations

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
for _name in ["cdf", "logcdf", "logpdf", "logsf", "pdf", "sf"]:
    add(f"scipy.stats.norm.{_name}", call(V), call(V, 0.5, P), call(V, loc=0.5, scale=2.0), rtol=1e-4)
for _name in ["cdf", "logpdf", "pdf"]:
    add(f"scipy.stats.uniform.{_name}", call(U), call(U, -1.0, 3.0))
add("scipy.stats.uniform.ppf", call(P / 4))
