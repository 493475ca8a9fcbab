"""What is determined of a decomposition whose vectors may have any sign, or phase: values, products, orthogonality.

LAPACK's own choice depends on its build and on the processor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np


def _gram(x: np.ndarray) -> np.ndarray:
    return x.conj().swapaxes(-1, -2) @ x


def _eigh(results: Sequence[np.ndarray]) -> list[np.ndarray]:
    v, w = results
    return [w, (v * w[..., None, :]) @ v.conj().swapaxes(-1, -2), _gram(v)]


def _svd(results: Sequence[np.ndarray]) -> list[np.ndarray]:
    if len(results) == 1:
        return list(results)
    s, u, vt = results
    n = s.shape[-1]
    return [s, (u[..., :n] * s[..., None, :]) @ vt[..., :n, :], _gram(u), _gram(vt.swapaxes(-1, -2))]


def _eig(results: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Eigenvalues in an order of their own; of vectors, whose phases are known, the squares."""
    w, *vectors = results
    order = np.lexsort((w.imag.round(3), w.real.round(3)), axis=-1)
    columns = [np.take_along_axis(v * v, order[..., None, :], -1) for v in vectors]
    return [np.take_along_axis(w, order, -1), *columns]


def _schur(results: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Of real matrices the blocks on the diagonal may stand in another order: what is made of them, and what is zero."""
    form, *vectors = results
    below = np.tril(form, -1 if form.dtype.kind == "c" else -2)
    trace = np.trace(form, axis1=-2, axis2=-1)
    made = [below, trace]
    for z in vectors:
        made += [z @ form @ z.conj().swapaxes(-1, -2), _gram(z)]
    return made


_OF: dict[str, Callable[[Sequence[np.ndarray]], list[np.ndarray]]] = {
    "eig": _eig,
    "eigh": _eigh,
    "schur": _schur,
    "svd": _svd,
}


def invariants(name: str, results: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
    """Of an op's results; these themselves where they are determined."""
    return _OF[name](results) if name in _OF else results
