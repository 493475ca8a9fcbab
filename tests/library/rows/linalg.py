"""sable.numpy: products of arrays; sable.numpy.linalg."""

from __future__ import annotations

import numpy as np

from ..table import Using, add, call
from .operands import BF, C2, IM, M2, B, C, E, H, I, J, M, S, T, V, W

add(
    "numpy.dot",
    call(V, W),
    call(M, M2),
    call(M, V[:4]),
    call(T, V[:4]),
    call(2, V),
    call(I, J),
    call(C, C2),
    call(V, M),
    call(H, H),
    call(E, E.T),
)
add(
    "numpy.matmul",
    call(M, M2),
    call(T, M.T),
    call(V[:4], M2),
    call(I, J),
    call(M, M),
    call(V, 2),
    call(BF, BF),
    call(IM, IM.T),
    call(T, np.swapaxes(T, 1, 2)),
)
add("numpy.vdot", call(V, W), call(C, C2), call(M, M))
add("numpy.inner", call(V, W), call(M, M), call(T, V[:4]))
add("numpy.outer", call(V, W), call(M, V), call(I, J))
add("numpy.tensordot", call(M, M2, 1), call(T, T, ([0, 1], [0, 1])), call(V, W, 0), call(M, M))
add("numpy.vecdot", call(V, W), call(M, M), call(C, C2))
add("numpy.matvec", call(M, V[:4]), call(T, V[:4]))
add("numpy.vecmat", call(V[:3], M), call(C, C2))
add("numpy.cross", call(V[:3], W[:3]), call(M2, M2[::-1].copy()), call(V[:2], W[:2]))
add("numpy.trace", call(S), call(M, 1), call(T), call(IM))
add(
    "numpy.einsum",
    call("ij,jk->ik", M, M2),
    call("ii->i", S),
    call("ii", S),
    call("ijk->kji", T),
    call("i,i", V, W),
    call("i,j->ij", I, J),
    call("bij,bkj->bik", T, T),
    call("...j,j", T, V[:4]),
    call("ij,jk", M, M),
)
for _name in ["cross", "outer"]:
    add(f"numpy.linalg.{_name}", call(V[:3], W[:3]))
add("numpy.linalg.outer", call(M, V))
add("numpy.linalg.diagonal", call(S), call(T))
add("numpy.linalg.trace", call(S), call(M, offset=1))
add("numpy.linalg.matmul", call(M, M2), call(T, M.T))
add("numpy.linalg.vecdot", call(V, W), call(M, M, axis=0))
add("numpy.linalg.tensordot", call(M, M2, axes=1))
add("numpy.linalg.matrix_transpose", call(M), call(V))
add("numpy.linalg.matrix_norm", call(M), call(M, ord=1), call(T, ord="fro"), call(M, ord=np.inf, keepdims=True))
add("numpy.linalg.vector_norm", call(V), call(M, axis=0), call(M, ord=1), call(V, ord=3), call(V, ord=np.inf))
add("numpy.linalg.norm", call(V), call(M), call(M, axis=1), call(V, ord=1), call(M, ord="fro"), call(V, ord=0))
add("numpy.linalg.matrix_power", call(S, 3), call(S, 0), call(S, 1), call(M, 2), rtol=1e-4, atol=1e-4)
add("numpy.linalg.multi_dot", call([M, M2, M]), call([V[:3], M, M2]), rtol=1e-4, atol=1e-4)
add("numpy.kron", call(B, I))

# ---- factorisations: the samples under vmap are not positive definite, which gives NaN
_SPD = (S @ S.T + 3 * np.eye(4, dtype=np.float32)).astype(np.float32)
_LOW = (np.tril(S) + 2 * np.eye(4, dtype=np.float32)).astype(np.float32)
for _name in ["numpy.linalg.cholesky", "lax.linalg.cholesky", "scipy.linalg.cholesky"]:
    add(_name, call(_SPD), call(np.stack([_SPD, 2 * _SPD])), call(-_SPD), call(M), rtol=1e-4, atol=1e-4)
add("numpy.linalg.cholesky", call(_SPD, upper=True), call(_LOW, symmetrize_input=False), rtol=1e-4, atol=1e-4)
add("lax.linalg.triangular_solve", call(_LOW, S), call(_LOW, S, left_side=True, lower=True), rtol=1e-3, atol=1e-3)
add(
    "lax.linalg.triangular_solve",
    call(_LOW, S, left_side=True, lower=True, transpose_a=True, unit_diagonal=True),
    rtol=1e-3,
    atol=1e-3,
)
add("scipy.linalg.solve_triangular", call(_LOW, V[:4], lower=True), call(_LOW.T, S, trans="T"), rtol=1e-3, atol=1e-3)
add("scipy.linalg.cho_factor", call(_SPD), call(_SPD, lower=True), rtol=1e-4, atol=1e-4)
add("scipy.linalg.cho_solve", call((_LOW, True), V[:4]), call((_LOW, True), S), rtol=1e-3, atol=1e-3)

# ---- spectral decompositions: LAPACK's vectors, which have JAX's signs
_HERMITIAN = (S + S.T).astype(np.complex64) + 1j * (S - S.T).astype(np.complex64)
for _name in ["numpy.linalg.eigh", "numpy.linalg.eigvalsh", "lax.linalg.eigh", "scipy.linalg.eigh"]:
    add(_name, call(S + S.T), call(_HERMITIAN), call(M), rtol=1e-3, atol=1e-3)
add("numpy.linalg.eigh", call(IM[:, :3] + IM[:, :3].T), call(S + S.T, "X"), rtol=1e-3, atol=1e-3)
add("numpy.linalg.eigh", call(S, "U", False), without=("grad",), why="of Hermitian tangents", rtol=1e-3, atol=1e-3)
add("lax.linalg.eigh", call(S + S.T, lower=False, subset_by_index=(0, 4)))
add("scipy.linalg.eigh", call(S + S.T, eigvals_only=True), call(S + S.T, S + S.T), rtol=1e-3, atol=1e-3)
# ---- linear systems and determinants
_S3, _Z = S[:3, :3].copy(), (S + 1j * S[::-1]).astype(np.complex64)
_STACK = np.stack([S, S.T + 2 * np.eye(4, dtype=np.float32)])
_SINGULAR = S * np.float32([1, 1, 0, 1])
_CLOSE = {"rtol": 2e-3, "atol": 1e-4}
add("lax.linalg.lu", call(S), call(_STACK[:, :3]), call(M.T), call(_Z), call(IM), **_CLOSE)
add("lax.linalg.lu", call(S[0]), without=("vmap",), why="JAX looks at the rank with the batch")
add(
    "lax.linalg.lu_pivots_to_permutation",
    call(np.int32([[2, 1, 3], [0, 2, 2]]), permutation_size=4),
    call(np.int32([1, 1]), permutation_size=1),
)
add("lax.linalg.lu_pivots_to_permutation", call(V, permutation_size=7), without=("grad",), why="no derivative")
add(
    "numpy.linalg.solve",
    call(S, V[:4]),
    call(_STACK, S),
    call(S, _STACK[:, None]),
    call(_Z, V[:4]),
    call(IM[:, :3], I[:3]),
    call(S, V),
    call(M, V),
    **_CLOSE,
)
add("numpy.linalg.inv", call(S), call(_STACK), call(_Z), call(np.zeros((2, 0, 0), np.float32)), call(M), **_CLOSE)
add(
    "numpy.linalg.det",
    call(S),
    call(_STACK[:, :3, :3]),
    call(S[:2, :2]),
    call(S[:1, :1]),
    call(_SINGULAR),
    call(_Z),
    call(M),
    **_CLOSE,
)
add("numpy.linalg.slogdet", call(_STACK), call(_Z), call(-S[:2, :2]), call(S[:1, :1]), call(M), **_CLOSE)
add("numpy.linalg.slogdet", call(_SINGULAR), without=("grad",), why="no derivative", **_CLOSE)
add("numpy.linalg.tensorsolve", call(T, V[:2]), **_CLOSE)
add(
    "numpy.linalg.tensorsolve",
    call(S.reshape(2, 2, 4), S[:2, :2]),
    call(S.reshape(4, 2, 2), V[:4], axes=(1,)),
    call(S.reshape(2, 1, 2, 4), S[:1], axes=(0, 2)),
    **_CLOSE,
)
add("numpy.linalg.tensorinv", call(S.reshape(2, 2, 4)), call(S, ind=1), call(M), call(S, ind=0), **_CLOSE)
add("numpy.linalg.matrix_power", call(S, -1), call(S, -3), call(IM[:, :3], -2), **_CLOSE)
add("scipy.linalg.lu", call(S), call(M, permute_l=True), call(_Z.T), call(M.T), call(T), **_CLOSE)
add("scipy.linalg.lu_factor", call(S), call(IM), **_CLOSE)
_PIVOTS = np.int32([2, 1, 3, 3])
for _trans in (0, 1, 2, 3):
    add("scipy.linalg.lu_solve", call((_Z, _PIVOTS), V[:4], trans=_trans), **_CLOSE)
add("scipy.linalg.lu_solve", call((S, _PIVOTS), _STACK), call((_STACK, np.stack([_PIVOTS, _PIVOTS])), S), **_CLOSE)
add("scipy.linalg.lu_solve", call((M, _PIVOTS), S), call((S, _PIVOTS), V), **_CLOSE)
add("scipy.linalg.solve", call(S, V[:4]), call(_STACK, S, assume_a="sym"), call(S, S, assume_a="no"), **_CLOSE)
add("scipy.linalg.solve", call(_SPD, V[:4], assume_a="pos"), call(_SPD, S, lower=True, assume_a="pos"), **_CLOSE)
add("scipy.linalg.inv", call(S), call(M), **_CLOSE)
add("scipy.linalg.det", call(S), call(_SINGULAR), **_CLOSE)

# ---- factors Q R
add("lax.linalg.qr", call(S), call(M.T), call(M), call(_Z[:, :2]), call(_STACK[:, :, :3]), call(IM), **_CLOSE)
add("lax.linalg.qr", call(M.T, full_matrices=False), call(_Z[:3], full_matrices=False), **_CLOSE)
add("lax.linalg.householder_product", call(S, V[:4]), call(M.T, V[:2]), call(_Z[:, :2], C[:1]), **_CLOSE)
add("lax.linalg.householder_product", call(M, V[:3]), without=("grad",), why="no derivative")
add(
    "numpy.linalg.qr", call(S), call(IM, "r"), call(_STACK[:, :2], "complete"), call(M.T, "raw"), call(S, "q"), **_CLOSE
)
add("scipy.linalg.qr", call(M.T), call(M, mode="economic"), call(S, mode="r"), call(S, mode="raw"), **_CLOSE)
add("numpy.linalg.slogdet", call(_STACK, method="qr"), call(_Z, method="qr"), call(S, method="no"), **_CLOSE)

add("lax.linalg.qr", call(S, pivoting=True), call(_Z[:3], pivoting=True, full_matrices=False), **_CLOSE)
add("scipy.linalg.qr", call(M, mode="r", pivoting=True), call(M.T, mode="economic", pivoting=True), **_CLOSE)
add(
    "lax.linalg.ormqr",
    call(S, V[:4], M.T),
    call(_Z, C[:2], _Z, left=False, transpose=True),
    **_CLOSE,
)
add("scipy.linalg.qr_multiply", call(M.T, V[:4]), call(M, M, "left"), call(_Z, _Z, conjugate=True), **_CLOSE)
add("scipy.linalg.qr_multiply", call(S, IM[0], pivoting=True), call(M, S, "left"), call(M, M, "up"), **_CLOSE)

# ---- simpler forms; where JAX has no rule for batches there is one here
for _name in ["lax.linalg.hessenberg", "scipy.linalg.hessenberg"]:
    add(_name, call(S), call(_Z), call(IM[:, :3]), **_CLOSE)
add("scipy.linalg.hessenberg", call(S, calc_q=True), call(_STACK, calc_q=True), call(E[:0, :0], calc_q=True), **_CLOSE)
for _name in ["lax.linalg.schur", "scipy.linalg.schur"]:
    add(_name, call(IM[:, :3]))
    add(_name, call(np.triu(S)), call(np.triu(_Z)), without=("vmap",), why="phases are free: tests/lax/test_forms.py")
add("scipy.linalg.schur", call(S, "none"))
add("scipy.linalg.schur", call(np.triu(S), "complex"), without=("vmap",), why="phases are free")
add("lax.linalg.tridiagonal", call(S), call(_Z, lower=False), call(IM[:, :3]), **_CLOSE)
add("lax.linalg.tridiagonal_solve", call(V[:4], 2 + W[:4], W[:4], S), call(V[:3], W[:3], V[:3], M[:, :2]), **_CLOSE)
add("lax.linalg.tridiagonal_solve", call(V[:4], W[:4], W[:3], S), call(V[:4], W[:4], V[:4], V[:4]), call(S, S, S, M))
add("lax.linalg.tridiagonal_solve", call(V[:4], 2 + W[:4], W[:4], S, perturb_singular=True), **_CLOSE)
_NO_BATCH = {"without": ("vmap",), "why": "JAX has no batches of it"}
add("lax.linalg.cholesky_update", call(_LOW.T, V[:4]), **_NO_BATCH)
add("lax.linalg.symmetric_product", call(M, S[:3, :3]), call(S, S, alpha=0.5, beta=2.0, symmetrize_output=True))
_SHAPES = {"without": ("grad", "vmap"), "why": "JAX refuses the derivative first, and looks at the rank with the batch"}
for _name in ["hessenberg", "tridiagonal", "schur"]:
    add(f"lax.linalg.{_name}", call(M), call(S[0]), **_SHAPES)
add("lax.linalg.ormqr", call(S, V[:4], M), **_SHAPES)
add("lax.linalg.cholesky_update", call(S, V[:3]), call(S, S), **_SHAPES)
add("lax.linalg.symmetric_product", call(M, S), **_SHAPES)
_NO_LOOP = {"without": ("grad", "vmap"), "why": "of JAX's loop there is neither gradient nor, with counts, batch"}
add("lax.linalg.qdwh", call(S), call(M.T), call(_Z[:, :2], max_iterations=2), call(M), **_NO_LOOP, rtol=1e-4, atol=1e-5)

# ---- functions of matrices
add("scipy.linalg.expm", call(S), call(4 * S[:2, :2]), call(_Z), call(_STACK), call(M), **_CLOSE)
add("scipy.linalg.expm", call(1e6 * S), call(S, max_squarings=0), without=("grad",), why="no numbers", **_CLOSE)
add("scipy.linalg.expm", call(np.triu(S), upper_triangular=True), call(IM[:, :3]), **_CLOSE)
add("scipy.linalg.expm_frechet", call(S, _S3), call(S, S[::-1].copy()), call(_STACK, _STACK), call(M, M), **_CLOSE)
add("scipy.linalg.expm_frechet", call(S, S.T.copy(), compute_expm=False), **_CLOSE)
add("scipy.linalg.sqrtm", call(S), call(_Z), call(0 * S), call(M), call(S, 2), call(_STACK), rtol=2e-3, atol=1e-3)
_TRIANGLE = np.triu(S)
add("scipy.linalg.rsf2csf", call(_TRIANGLE, S), call(M, S), call(S, _S3), **_CLOSE)
_SINE = Using(lambda module: module.numpy.sin)
add("scipy.linalg.funm", call(S, _SINE), call(S, _SINE, disp=False), call(M, _SINE), call(IM[:, :3], _SINE), **_CLOSE)
_SHIFTED = (S + 4 * np.eye(4)).astype(np.float32)
for _method in ("schur", "eigen", "none"):
    add(
        "scipy.linalg.solve_sylvester",
        call(_SHIFTED, _S3, M.T, method=_method),
        call(_SHIFTED, _SHIFTED, _Z, method=_method),
        call(0 * S, 0 * S, S, method=_method),
        **_CLOSE,
    )
add("scipy.linalg.solve_sylvester", call(np.stack([_SHIFTED, 2 * _SHIFTED]), _SHIFTED, S), call(S, S, M), **_CLOSE)
_BESIDE = {"rtol": 1e-3, "atol": 1e-3, "without": ("grad",), "why": "of JAX's loop there is no gradient"}
add("scipy.linalg.eigh_tridiagonal", call(V, W[: len(V) - 1], eigvals_only=True), call(V, W), **_BESIDE)
add("scipy.linalg.eigh_tridiagonal", call(V[:4], W[:3], eigvals_only=True, select="i", select_range=(1, 2)), **_BESIDE)
add("scipy.linalg.eigh_tridiagonal", call(V[:4], W[:3], select="v"), call(I, I[:2]), call(V[:1], V[:0]), **_BESIDE)

# ---- matrices of a known structure
add("scipy.linalg.block_diag", call(), call(M, V, 2.0), call(I, S), call(T), call(IM, np.int8([1])))
add("scipy.linalg.toeplitz", call(V[:3], W[:4]), call(C), call(M, V[:2]), call(I), call(2.0), call(V[:0]), call([1]))
add("scipy.linalg.hankel", call(V[:3], W[:4]), call(C), call(M), call(I, V[:2]), call(2.0))
add("scipy.linalg.circulant", call(V[:4]), call(M), call(2.0), call(V[:0]))
add("scipy.linalg.leslie", call(V[:4], W[:3]), call(M, W[:3]), call(I[:3], V[:2]), call(V, V), call(1.0, V))
for _name in ["companion", "fiedler_companion"]:
    add(f"scipy.linalg.{_name}", call(1 + V[:4] ** 2), call(1 + M**2), call(1 + I[:3] ** 2), call(V[:0]), call(2.0))
add("scipy.linalg.fiedler_companion", *[call(1 + np.arange(n, dtype=np.float32)) for n in (1, 2, 3, 6, 7)])
add("scipy.linalg.fiedler", call(V[:4]), call(M), call(I), call(C), call(2.0))
for _mode in ("full", "valid", "same", "none"):
    add("scipy.linalg.convolution_matrix", call(V[:3], 5, _mode), call(M, 2, mode=_mode), call(V, 0, _mode))
for _n in (0, 1, 5):
    add("scipy.linalg.hilbert", call(_n))
    add("scipy.linalg.invhilbert", call(_n), rtol=1e-4)
    for _kind in (None, "lower", "upper", "none"):
        add("scipy.linalg.pascal", call(_n, _kind))
        add("scipy.linalg.invpascal", call(_n, _kind), rtol=1e-4, atol=1e-3)
    for _scale in (None, "sqrtn", "n", "none"):
        add("scipy.linalg.dft", call(_n, _scale), atol=2e-6)
    add("scipy.linalg.helmert", call(_n), call(_n, True))
add("scipy.linalg.hilbert", call(-1))
add("scipy.linalg.dft", call(3, dtype=float), call(3, dtype="complex64"))
add("scipy.linalg.hadamard", call(8), call(1, dtype=complex), call(3), call(2, dtype=bool))

# ---- singular values
_TALL = S[:, :3].copy()
_COMPLEX = (S + 1j * M2 @ M).astype(np.complex64)
_SYMMETRIC = (S + S.T).astype(np.float32)
_CLOSE = {"rtol": 2e-3, "atol": 2e-3}
_NO_QDWH = {"without": ("grad",), "why": "of JAX's loop there is no gradient", **_CLOSE}
add("numpy.linalg.svd", call(S), call(M, False), call(_COMPLEX, False), call(IM[:, :2], compute_uv=False), **_CLOSE)
add("numpy.linalg.svd", call(M), call(V), call(_SYMMETRIC, hermitian=True), **_CLOSE)
add("lax.linalg.svd", call(IM), **_CLOSE)
add("lax.linalg.svd", call(T, full_matrices=False), without=("vmap",), why="any signs of vectors will do", **_CLOSE)
add("numpy.linalg.svdvals", call(T), **_CLOSE)
add("scipy.linalg.svd", call(M, False), call(_TALL, compute_uv=False), **_CLOSE)
add("scipy.linalg.polar", call(_TALL), call(M, "left"), **_NO_QDWH)
add("scipy.linalg.polar", call(M), call(_COMPLEX, method="svd"), call(M, "up"), **_CLOSE)
add("numpy.linalg.pinv", call(M), call(T, 0.1), call(_COMPLEX[:, :3]), call(M, 0.1, rcond=0.1), call(E), **_CLOSE)
add("numpy.linalg.pinv", call(_SYMMETRIC, hermitian=True), **_CLOSE)
add("numpy.linalg.matrix_rank", call(np.outer(V, W)), call(V), call(T, 1.5), call(M, tol=0.1, rtol=0.1))
add("numpy.linalg.cond", call(M), call(T, -2), call(S, 1), call(M, 1), call(V), call(S * 0), **_CLOSE)
add("numpy.linalg.lstsq", call(_TALL, V[:4]), call(M, S[:3]), call(IM, M, 0.1), call(M, V), call(V, V), **_CLOSE)
add("numpy.linalg.norm", call(T, "nuc", (2, 0)), call(T, 2, (0, 1), True), **_CLOSE)
add("numpy.linalg.matrix_norm", call(_COMPLEX, ord=-2), **_CLOSE)
_X = np.linspace(-1, 2.2, 7, dtype=np.float32)
_Y = np.stack([np.sin(2 * _X), _X**3 - _X], 1)
add("numpy.polyfit", call(_X, _Y[:, 0], 2), call(_X, _Y, 1, w=1 + _X**2), **_CLOSE)
add(
    "numpy.polyfit",
    call(_X, _Y[:, 0], 2, full=True),
    call(_X, _Y, 2, cov=True),
    **_CLOSE,
)
add(
    "numpy.polyfit",
    call(_X, _Y[:, 1], 1, cov="unscaled"),
    without=("grad",),
    why="the columns' singular values are equal",
    **_CLOSE,
)
add("numpy.polyfit", call(_X, _Y, -1), call(_Y, _Y, 1), call(_X, V, 1))
_DISTINCT = (S + np.diag([0, 4, 8, 12])).astype(np.float32)
add(
    "numpy.linalg.eigvals", call(_DISTINCT), call((_DISTINCT + 1j * S).astype(np.complex64)), call(M), call(V), **_CLOSE
)
for _name in ["numpy.linalg.eig", "lax.linalg.eig"]:
    add(_name, call(M), without=("grad",), why="signs and derivatives: tests/lax/test_spectral.py")
add("numpy.poly", call(_DISTINCT), call(M), rtol=1e-2, atol=1e-2)
add("numpy.roots", call(np.float32([1, -6, 11, -6])), call(V[:1]), call(M), rtol=1e-2, atol=1e-2)
add("numpy.roots", call(np.float32([0, 2, 1, -3]), strip_zeros=False), call(I), rtol=1e-2, atol=1e-2)
