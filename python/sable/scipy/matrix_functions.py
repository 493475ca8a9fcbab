"""Functions of square matrices, and Schur's form, on which most of them rest: parts of `jax.scipy.linalg`."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

import sable.numpy as jnp
from sable import lax
from sable.core.array import Value
from sable.core.dtypes import finfo
from sable.core.operands import convert, promote_dtypes, value_of
from sable.lax import linalg
from sable.lax.linalg_forms import pivoted_reflections, reflections
from sable.library.declare import library

_matmul = functools.partial(jnp.matmul, precision="highest")


def _to_complex(x: Value) -> Value:
    wide = x.dtype in (np.float64, np.complex128, np.int64, np.uint64)
    return convert(x, np.dtype(np.complex128 if wide else np.complex64))


# ---- forms -------------------------------------------------------------------------------------------------------


@library
def schur(a: Any, output: str = "real") -> list[Value]:
    """Schur's form t of a square matrix and the unitary z of a = z t z^H.

    Args:
      a: (..., n, n), a floating dtype.
      output: "real", or "complex": t is triangular.

    Returns:
      [t, z], of the shape of a.

    Raises:
      TypeError: integers for a real form. ValueError: another `output`, or the matrices are not square.
      NotImplementedError: derivatives.

    Example:
      >>> a = jnp.array([[1.0, 2.0], [3.0, 4.0]])
      >>> t, z = jax.scipy.linalg.schur(a)
      >>> jnp.diag(t).round(4), jnp.abs(z @ t @ z.T - a).max() < 1e-5
      (Array([-0.3723,  5.3723], dtype=float32), Array(True, dtype=bool))
    """
    if output not in ("real", "complex"):
        raise ValueError(f"Expected 'output' to be either 'real' or 'complex', got {output=}.")
    value = value_of(a, "schur")
    return linalg.schur(_to_complex(value) if output == "complex" else value)


@library
def hessenberg(a: Any, *, calc_q: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """Hessenberg's form h of a square matrix, which is zero below the diagonal beside the main one; q of a = q h q^H.

    Args:
      a: (..., n, n), a floating dtype.
      calc_q: return (h, q).
      overwrite_a, check_finite: without effect, as in JAX.

    Returns:
      h, of the shape of a, or (h, q).

    Raises:
      TypeError: integers. ValueError: the matrices are not square. NotImplementedError: derivatives.

    Example:
      >>> jax.scipy.linalg.hessenberg(jnp.array([[1.0, 2.0], [3.0, 4.0]]))
      Array([[1., 2.],
             [3., 4.]], dtype=float32)
    """
    del overwrite_a, check_finite
    value = value_of(a, "hessenberg")
    n = value.shape[-1]
    if n == 0:
        nothing = jnp.zeros_like(value)
        return (nothing, nothing) if calc_q else nothing
    packed, taus = linalg.hessenberg(value)
    h = jnp.triu(packed, -1)
    if not calc_q:
        return h
    inner = linalg.householder_product(packed[..., 1:, :-1], taus)
    widths = [(0, 0)] * (value.ndim - 2)
    q = jnp.pad(inner, [*widths, (1, 0), (1, 0)])
    corner = np.zeros((n, n), bool)
    corner[0, 0] = True
    return h, jnp.where(corner, jnp.ones((), q.dtype), q)


@library
def rsf2csf(T: Any, Z: Any, check_finite: bool = True) -> tuple[Value, Value]:
    """The complex Schur form of a real one: rotations make blocks (2, 2) on the diagonal triangular.

    Args:
      T, Z: (..., n, n), what `schur` gives.
      check_finite: without effect, as in JAX.

    Returns:
      Triangular matrices and unitary ones, complex.

    Raises:
      ValueError: the matrices are not square, or of different sizes.

    Example:
      >>> t, z = jax.scipy.linalg.schur(jnp.array([[0.0, -1.0], [1.0, 0.0]]))
      >>> t, z = jax.scipy.linalg.rsf2csf(t, z)
      >>> jnp.sort(jnp.diag(t).imag).round(4)
      Array([-1.,  1.], dtype=float32)
    """
    del check_finite
    t, z = (jnp.asarray(x) for x in (T, Z))
    for name, x in (("T", t), ("Z", z)):
        if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
            raise ValueError(f"Input '{name}' must be square.")
    if t.shape[-1] != z.shape[-1]:
        raise ValueError(f"Input array shapes must match: Z: {z.shape} vs. T: {t.shape}")
    t, z = (_to_complex(x) for x in promote_dtypes([t, z]))
    if t.shape[-1] < 2:
        return t, z
    return jnp.vectorize(_triangular, signature="(n,n),(n,n)->(n,n),(n,n)")(t, z)


def _triangular(t: Value, z: Value) -> tuple[Value, Value]:
    """Elements below the diagonal, from the last one on, are made zero by rotations of two rows and two columns."""
    n = t.shape[0]
    eps = finfo(t.dtype).eps
    places = jnp.arange(n)

    def remove(k: Any, state: tuple[Value, Value]) -> tuple[Value, Value]:
        m = n - 1 - k
        t, z = state
        low = lax.dynamic_slice(t, (m - 1, m - 1), (2, 2))
        small = jnp.abs(low[1, 0]) <= eps * (jnp.abs(low[0, 0]) + jnp.abs(low[1, 1]))
        t, z = lax.cond(small, lambda t, z, low: (t, z), functools.partial(_rotated, m), t, z, low)
        t = jnp.where((places[:, None] == m) & (places[None] == m - 1), 0, t)
        return t, z

    return lax.fori_loop(0, n - 1, remove, (t, z))


def _rotated(m: Any, t: Value, z: Value, low: Value) -> tuple[Value, Value]:
    difference = jnp.linalg.eigvals(low)[0] - low[1, 1]
    length = jnp.sqrt(jnp.abs(difference) ** 2 + jnp.abs(low[1, 0]) ** 2)
    cosine, sine = (x / convert(length, t.dtype) for x in (difference, low[1, 0]))
    rotation = jnp.stack([jnp.stack([jnp.conj(cosine), sine]), jnp.stack([-sine, cosine])])
    back = jnp.conj(rotation).T
    places = jnp.arange(t.shape[0])
    rows = lax.dynamic_slice_in_dim(t, m - 1, 2, 0)
    rows = jnp.where(places[None] >= m - 1, _matmul(rotation, rows), rows)
    t = lax.dynamic_update_slice_in_dim(t, rows, m - 1, 0)
    columns, vectors = (lax.dynamic_slice_in_dim(x, m - 1, 2, 1) for x in (t, z))
    columns = jnp.where(places[:, None] <= m, _matmul(columns, back), columns)
    t = lax.dynamic_update_slice_in_dim(t, columns, m - 1, 1)
    return t, lax.dynamic_update_slice_in_dim(z, _matmul(vectors, back), m - 1, 1)


# ---- exponential -------------------------------------------------------------------------------------------------

#: Of the diagonal Pade approximant p(x) / p(-x) of exp of order m, p's coefficients times (2m)! / m!
_ORDER = {"float32": 7, "float64": 13}
#: The largest 1-norms for which the approximant is right to rounding
_REACH = {"float32": 3.925724783138660, "float64": 5.371920351148152}


def _coefficients(m: int) -> list[float]:
    return [float(math.factorial(2 * m - k) // (math.factorial(m - k) * math.factorial(k))) for k in range(m + 1)]


@library(operands=("A",), promotion="inexact")
def expm(A: Any, *, upper_triangular: bool = False, max_squarings: int = 16) -> Value:
    """The exponential of square matrices, by squaring that of a multiple of them.

    Args:
      A: (..., n, n). Integers become floats.
      upper_triangular: the matrices are upper triangular: systems are solved as such.
      max_squarings: the largest power of 2 to divide by: where norms are beyond, the result is NaN.

    Returns:
      An array of the shape of A.

    Raises:
      ValueError: the matrices are not square. TypeError: half precision.

    >>> jax.scipy.linalg.expm(jnp.array([[0., 1.], [0., 0.]]))
    Array([[1., 1.],
           [0., 1.]], dtype=float32)

    Source: N. Higham, "The scaling and squaring method for the matrix exponential revisited", SIAM J. Matrix Anal. Appl. 26
    (2005), algorithm 2.3, with the approximant of the highest order there (7 for 32 bits, 13 for 64).
    """
    if A.ndim < 2 or A.shape[-1] != A.shape[-2]:
        raise ValueError(f"Expected A to be a (batched) square matrix, got {A.shape=}.")
    if finfo(A.dtype).bits < 32:
        raise TypeError(f"A.dtype={A.dtype} is not supported.")
    if 0 in A.shape:
        return A
    if A.ndim == 2:
        return _expm(A, upper_triangular, max_squarings)
    one = functools.partial(_expm, upper_triangular=upper_triangular, max_squarings=max_squarings)
    return jnp.vectorize(one, signature="(n,n)->(n,n)")(A)


def _expm(a: Value, upper_triangular: bool, max_squarings: int) -> Value:
    real = finfo(a.dtype).dtype.name
    norm = lax.stop_gradient(jnp.max(jnp.sum(jnp.abs(a), 0)))
    power = jnp.log2(norm / _REACH[real])
    count = jnp.clip(jnp.ceil(power), 0, max_squarings)
    scaled = a * jnp.exp2(-count).astype(a.dtype)
    odd, even = _approximant(scaled, _ORDER[real])
    if upper_triangular:
        made = linalg.triangular_solve(even - odd, even + odd, left_side=True)
    else:
        made = jnp.linalg.solve(even - odd, even + odd)

    def square(x: Value, k: Value) -> tuple[Value, None]:
        return lax.cond(k < count, lambda x: _matmul(x, x), lambda x: x, x), None

    made, _ = lax.scan(square, made, jnp.arange(max_squarings, dtype=norm.dtype))
    return jnp.where(jnp.floor(power) > max_squarings, jnp.full_like(made, np.nan), made)


def _approximant(a: Value, m: int) -> tuple[Value, Value]:
    """The odd and the even part of p(a)."""
    c = _coefficients(m)
    unit = jnp.eye(a.shape[-1], dtype=a.dtype)
    second = _matmul(a, a)
    powers = [unit, second]
    while len(powers) <= 3:
        powers.append(_matmul(powers[-1], second))

    def polynomial(first: int) -> Any:
        low = sum(c[first + 2 * k] * powers[k] for k in range(4) if first + 2 * k <= m)
        high = [c[first + 6 + 2 * k] * powers[k] for k in range(1, 4) if first + 6 + 2 * k <= m]
        return low + _matmul(powers[3], sum(high)) if high else low

    return _matmul(a, polynomial(1)), polynomial(0)


@library
def expm_frechet(A: Any, E: Any, *, method: str | None = None, compute_expm: bool = True) -> Any:
    """The exponential of A and its derivative in direction E.

    Args:
      A, E: (..., n, n), of a floating dtype.
      method: without effect, as in JAX.
      compute_expm: return both.

    Returns:
      (exponential, derivative), or the derivative alone.

    Raises:
      ValueError: shapes do not fit. TypeError: dtypes do not.

    Source: A. Al-Mohy, N. Higham, "Computing the Frechet derivative of the matrix exponential", SIAM J. Matrix Anal. Appl. 30
    (2009): the derivative of the steps of the exponential.

    Example:
      >>> jax.scipy.linalg.expm_frechet(jnp.zeros((2, 2)), jnp.eye(2))
      (Array([[1., 0.],
             [0., 1.]], dtype=float32), Array([[1., 0.],
             [0., 1.]], dtype=float32))
    """
    del method
    a, e = (jnp.asarray(x) for x in (A, E))
    if a.ndim < 2 or a.shape[-2] != a.shape[-1]:
        raise ValueError(f"expected A to be a (batched) square matrix, got A.shape={a.shape}")
    if e.ndim < 2 or e.shape[-2] != e.shape[-1]:
        raise ValueError(f"expected E to be a (batched) square matrix, got E.shape={e.shape}")
    if a.shape != e.shape:
        raise ValueError(f"expected A and E to be the same shape, got A.shape={a.shape} E.shape={e.shape}")
    return _expm_jvp(a, e, compute_expm)


def _expm_jvp(a: Value, e: Value, both: bool) -> Any:
    """The exponential of [[a, e], [0, a]] has the derivative above that of a."""
    if not jnp.issubdtype(a.dtype, np.inexact) or a.dtype != e.dtype:
        raise TypeError(f"expm_frechet takes A and E of one floating dtype, got {a.dtype.name} and {e.dtype.name}")
    n = a.shape[-1]
    upper = jnp.concatenate([jnp.concatenate([a, e], -1), jnp.concatenate([jnp.zeros_like(a), a], -1)], -2)
    made = expm(upper)
    return (made[..., :n, :n], made[..., :n, n:]) if both else made[..., :n, n:]


# ---- by Schur's form ---------------------------------------------------------------------------------------------


def _by_columns(t: Value, diagonal: Value, column: Callable[[Value, Value, Value, Any], tuple[Value, Value]]) -> Value:
    """An upper triangular matrix of which the diagonal is known. Column j above it is x of m x = b, where
    `column(made, t[:, j], its own diagonal element, j)` gives m and b for the columns of `made` so far.
    """
    n = t.shape[-1]
    places = jnp.arange(n)

    def step(j: Any, made: Value) -> Value:
        above = places < j
        matrix, side = column(made, jnp.where(above, t[:, j], 0), diagonal[j], j)
        side = jnp.where(above, side, 0)
        x = linalg.triangular_solve(matrix, side[:, None], left_side=True)[:, 0]
        return made.at[:, j].add(jnp.where(above, x, 0))

    return lax.fori_loop(1, n, step, jnp.diag(diagonal))


def _with_diagonal(x: Value, diagonal: Value) -> Value:
    """A matrix with another diagonal, where zeros are ones: what a zero divides is left as it is."""
    safe = jnp.where(diagonal == 0, 1, diagonal)
    return jnp.where(np.eye(x.shape[-1], dtype=bool), safe, x)


@library
def sqrtm(A: Any, blocksize: int = 1) -> Value:
    """The principal square root of a square matrix.

    Args:
      A: (n, n).
      blocksize: 1.

    Returns:
      (n, n), complex.

    Raises:
      ValueError: the matrix is not square. NotImplementedError: another `blocksize`; derivatives.

    Source: A. Bjorck, S. Hammarling, "A Schur method for the square root of a matrix", Linear Algebra and its Applications 52
    (1983); N. Higham, "Functions of Matrices" (2008), algorithm 6.3.

    Example:
      >>> jax.scipy.linalg.sqrtm(jnp.array([[4.0, 0.0], [0.0, 9.0]])).real.round(4)
      Array([[2., 0.],
             [0., 3.]], dtype=float32)
    """
    if blocksize > 1:
        raise NotImplementedError("Blocked version is not implemented yet.")
    value = jnp.asarray(A)
    t, z = schur(value, output="complex")
    if t.ndim != 2:
        raise ValueError(f"sqrtm takes one matrix, got an array of shape {value.shape}")
    root = jnp.sqrt(jnp.diag(t))

    def column(made: Value, above: Value, own: Value, j: Any) -> tuple[Value, Value]:
        """(U + u_jj) x = t."""
        return _with_diagonal(made, root + own), above

    made = _by_columns(t, root, column)
    return _matmul(_matmul(z, made), jnp.conj(z.T))


@library
def funm(A: Any, func: Callable[[Any], Any], disp: bool = True) -> Any:
    """A function of a square matrix, by its values at the eigenvalues.

    Args:
      A: (n, n), of a floating dtype, with eigenvalues that are distinct.
      func: of a vector of eigenvalues.
      disp: without the estimate of the error.

    Returns:
      (n, n), complex; with an estimate of the relative error unless `disp`.

    Raises:
      ValueError: the matrix is not square. TypeError: integers. NotImplementedError: derivatives.

    Source: B. Parlett, "A recurrence among the elements of functions of triangular matrices", Linear Algebra and its
    Applications 14 (1976); G. Golub, C. Van Loan, "Matrix Computations", 9.1.4.

    Example:
      >>> jax.scipy.linalg.funm(jnp.array([[1.0, 2.0], [0.0, 3.0]]), jnp.square).real.round(4)
      Array([[1., 8.],
             [0., 9.]], dtype=float32)
    """
    value = jnp.asarray(A)
    if value.ndim != 2 or value.shape[0] != value.shape[1]:
        raise ValueError("expected square array_like input")
    t, z = rsf2csf(*schur(value))
    diagonal = jnp.diag(t)
    values = jnp.asarray(func(diagonal)).astype(t.dtype)

    def column(made: Value, above: Value, own: Value, j: Any) -> tuple[Value, Value]:
        """F T = T F: (t_jj - T) x = f_jj t - F t."""
        return _with_diagonal(-t, diagonal[j] - diagonal), own * above - _matmul(made, above)

    made = _matmul(_matmul(z, _by_columns(t, values, column)), jnp.conj(z).T)
    return made if disp else (made, _parlett_error(t, made))


def _parlett_error(t: Value, made: Value) -> Value:
    """Rounding errors over the smallest difference of eigenvalues, by the norm above the diagonal."""
    eps = finfo(t.dtype).eps
    diagonal = jnp.diag(t)
    gaps = jnp.where(np.tri(t.shape[0], k=-1, dtype=bool), jnp.abs(diagonal[:, None] - diagonal[None]), np.inf)
    least = jnp.minimum(jnp.min(gaps), jnp.abs(t[0, 0]))
    least = jnp.where(least == 0, eps, least)
    norm = jnp.max(jnp.sum(jnp.abs(jnp.triu(t, 1)), 0))
    bound = jnp.minimum(1, jnp.maximum(eps, eps / least * norm))
    return jnp.where(jnp.any(jnp.isinf(made)), np.inf, bound)


@library
def solve_sylvester(A: Any, B: Any, C: Any, *, method: str = "schur", tol: float = 1e-8) -> Value:
    """x of a x + x b = c.

    Args:
      A: (..., m, m). B: (..., n, n). C: (..., m, n). Their dtypes meet; integers become floats.
      method: "schur", or "eigen" by eigenvectors.
      tol: the result is NaN where eigenvalues of a and b have a sum that is smaller.

    Returns:
      (..., m, n).

    Raises:
      ValueError: shapes do not fit; another method. NotImplementedError: derivatives.

    Source: R. Bartels, G. Stewart, "Solution of the matrix equation AX + XB = C", Communications of the ACM 15 (1972).

    Example:
      >>> jax.scipy.linalg.solve_sylvester(2 * jnp.eye(2), jnp.eye(2), 6 * jnp.ones((2, 2))).round(4)
      Array([[2., 2.],
             [2., 2.]], dtype=float32)
    """
    a, b, c = promote_dtypes([jnp.asarray(x) for x in (A, B, C)], "inexact")
    m, n = c.shape[-2:]
    if a.shape[-2:] != (m, m) or b.shape[-2:] != (n, n):
        raise ValueError(f"Incompatible shapes for Sylvester equation:\nA: {a.shape}\nB: {b.shape}\nC: {c.shape}")
    if method not in ("schur", "eigen"):
        raise ValueError(f'Unrecognized method {method}. The two valid methods are either "schur" or "eigen".')
    solve = _by_schur if method == "schur" else _by_eigenvectors

    def one(a: Value, b: Value, c: Value) -> Value:
        x, sums = solve(a, b, c)
        x = x if jnp.issubdtype(c.dtype, np.complexfloating) else jnp.real(x)
        return jnp.where(jnp.any(jnp.abs(sums) < tol), jnp.full_like(x, np.nan), x)

    return jnp.vectorize(one, signature="(m,m),(n,n),(m,n)->(m,n)")(a, b, c)


def _by_schur(a: Value, b: Value, c: Value) -> tuple[Value, Value]:
    """The solution, and the sums of eigenvalues. With triangular r and s^H: column j of y is x of (r + s_jj) x = f_j - y s_j."""
    r, u = schur(a, output="complex")
    s, v = schur(jnp.conj(b).T, output="complex")
    s = jnp.conj(s).T
    f = _matmul(_matmul(jnp.conj(u).T, convert(c, r.dtype)), v)
    unit = jnp.eye(r.shape[0], dtype=r.dtype)
    n = s.shape[0]

    def column(k: Any, y: Value) -> Value:
        j = n - 1 - k
        side = f[:, j] - _matmul(y, s[:, j])  # columns to come are zero
        x = linalg.triangular_solve(r + s[j, j] * unit, side[:, None], left_side=True)
        return y.at[:, j].set(x[:, 0])

    y = lax.fori_loop(0, n, column, jnp.zeros_like(f))
    return _matmul(_matmul(u, y), jnp.conj(v).T), jnp.diag(r)[:, None] + jnp.diag(s)[None]


def _by_eigenvectors(a: Value, b: Value, c: Value) -> tuple[Value, Value]:
    (w, u), (x, v) = jnp.linalg.eig(a), jnp.linalg.eig(b)
    f = jnp.linalg.solve(u, _matmul(convert(c, w.dtype), v))
    sums = w[:, None] + x[None]
    return _matmul(_matmul(u, f / sums), jnp.linalg.inv(v)), sums


# ---- products with Q ---------------------------------------------------------------------------------------------


@library
def qr_multiply(
    a: Any,
    c: Any,
    mode: str = "right",
    pivoting: bool = False,
    conjugate: bool = False,
    overwrite_a: bool = False,
    overwrite_c: bool = False,
) -> tuple[Value, ...]:
    """A product with the factor Q of a = Q R, and R; Q, (m, k) for k = min(m, n), is not made for it.

    Args:
      a: (..., m, n).
      c: (..., p, m) or (m,) for c Q; (..., k, p) or (k,) for Q c. Dtypes meet; integers become floats.
      mode: "right" for c Q, "left" for Q c.
      pivoting: exchange columns of a, whose order is returned, too.
      conjugate: the conjugate of Q instead.
      overwrite_a, overwrite_c: without effect, as in JAX.

    Returns:
      (product, R), or (product, R, order).

    Raises:
      ValueError: another mode; shapes do not fit. NotImplementedError: derivatives.

    Example:
      >>> a = jnp.array([[1.0, 2.0], [3.0, 4.0]])
      >>> product, r = jax.scipy.linalg.qr_multiply(a, jnp.eye(2))
      >>> jnp.abs(product @ r - a).max() < 1e-5
      Array(True, dtype=bool)
    """
    del overwrite_a, overwrite_c
    matrix, other = promote_dtypes([jnp.asarray(x) for x in (a, c)], "inexact")
    if mode not in ("right", "left"):
        raise ValueError(f"mode must be 'right' or 'left', got {mode!r}")
    single = other.ndim == 1
    if single:
        other = other[:, None] if mode == "left" else other[None, :]
    m, n = matrix.shape[-2:]
    k = min(m, n)
    _check_product(matrix.shape, other.shape, mode, k)
    batch = jnp.broadcast_shapes(matrix.shape[:-2], other.shape[:-2])
    matrix, other = (jnp.broadcast_to(x, (*batch, *x.shape[-2:])) for x in (matrix, other))
    packed, *order, taus = pivoted_reflections(matrix) if pivoting else reflections(matrix)
    if mode == "left" and m > n:
        other = jnp.pad(other, [*[(0, 0)] * len(batch), (0, m - k), (0, 0)])
    product = linalg.ormqr(packed, taus, jnp.conj(other) if conjugate else other, left=mode == "left")
    product = jnp.conj(product) if conjugate else product
    if mode == "right":
        product = product[..., :k]
    return (product.ravel() if single else product, jnp.triu(packed[..., :k, :]), *order)


def _check_product(matrix: tuple[int, ...], other: tuple[int, ...], mode: str, k: int) -> None:
    if mode == "left" and other[-2] != k:
        raise ValueError(
            f"Array shapes are not compatible for Q @ c operation: a has shape {matrix} so Q has {k} columns, but c has "
            f"{other[-2]} rows (expected {k})."
        )
    if mode == "right" and other[-1] != matrix[-2]:
        raise ValueError(
            f"Array shapes are not compatible for c @ Q operation: a has shape {matrix} so Q has {matrix[-2]} rows, but c has "
            f"{other[-1]} columns (expected {matrix[-2]})."
        )
