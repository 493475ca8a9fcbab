"""sable.scipy.sparse.linalg, with matrices: pytrees and functions are in tests/scipy/test_sparse.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..table import add, call
from .operands import C, M, V, W, normal

_S = normal(5, 5)
_SPD = (_S @ _S.T / 5 + 2 * np.eye(5)).astype(np.float32)
_GENERAL = (_S + 4 * np.eye(5)).astype(np.float32)
_COMPLEX = (_S + 1j * normal(5, 5) + 4 * np.eye(5)).astype(np.complex64)
_HERMITIAN = (_COMPLEX @ _COMPLEX.conj().T / 8 + np.eye(5)).astype(np.complex64)
_D = np.diag(1 / np.diag(_SPD)).astype(np.float32)
_OPTIONS: Any = {
    "rtol": 1e-4,
    "atol": 1e-4,
    "without": ("grad", "vmap"),
    "why": "matrices with their elements in another order have no such solutions; tests/scipy/test_sparse.py",
}

add(
    "scipy.sparse.linalg.cg",
    call(_SPD, V, tol=1e-6, maxiter=60),
    call(_SPD, V, W, M=_D, tol=1e-6),
    call(_HERMITIAN, C, tol=1e-6),
    call(_SPD, V, maxiter=2),
    call(_SPD, V, atol=0.3),
    call(M, V),
    call("A", V),
    call(_SPD, V, V[:3].copy()),
    call(_SPD, V, (W,)),
    **_OPTIONS,
)
add("scipy.sparse.linalg.bicgstab", call(_GENERAL, V, W, M=_D, tol=1e-6), call(_COMPLEX, C, tol=1e-6), **_OPTIONS)
add(
    "scipy.sparse.linalg.gmres",
    call(_GENERAL, V, W, M=_D, tol=1e-6),
    call(_COMPLEX, C, solve_method="incremental", tol=1e-6),
    call(_GENERAL, V, restart=2, maxiter=1, solve_method="incremental"),
    call(_GENERAL, V, solve_method="direct"),
    **_OPTIONS,
)
