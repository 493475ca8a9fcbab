"""`jax.scipy.sparse.linalg`: solutions of large linear systems by products with the matrix alone.

Right-hand sides are pytrees of arrays, taken for one vector. Derivatives are those of the solution, by one more solution
(`lax.custom_linear_solve`).
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import sable.numpy as jnp
from sable import _absent, lax
from sable.core.array import AnyArray, Value
from sable.core.dtypes import finfo, lattice_result_type, result_type
from sable.core.operands import convert, kind
from sable.scipy import linalg
from sable.tree_util import tree_leaves, tree_map, tree_structure

_absent.explain(__name__)

__all__ = ["bicgstab", "cg", "gmres"]

# ---- vectors that are pytrees ----------------------------------------------------------------------------------------

_dot = functools.partial(jnp.dot, precision="highest")
_add = functools.partial(tree_map, operator.add)
_subtract = functools.partial(tree_map, operator.sub)


def _total(terms: Any) -> Any:
    return functools.reduce(operator.add, tree_leaves(terms))


def _times(weights: Value, columns: Value) -> Value:
    return _dot(columns, weights)


def _scaled(factor: Any, x: Any) -> Any:
    return tree_map(lambda leaf: factor * leaf, x)


def _product(x: Any, y: Any) -> Any:
    """x^H y."""
    return _total(tree_map(functools.partial(jnp.vdot, precision="highest"), x, y))


def _real_product(x: Any, y: Any) -> Any:
    """The real part of x^H y."""

    def of_leaves(a: Value, b: Value) -> Any:
        found = jnp.vdot(jnp.real(a), jnp.real(b), precision="highest")
        if kind(a) == "c" or kind(b) == "c":
            found = found + jnp.vdot(jnp.imag(a), jnp.imag(b), precision="highest")
        return found

    return _total(tree_map(of_leaves, x, y))


def _norm(x: Any) -> Any:
    return jnp.sqrt(_real_product(x, x))


def _unit(x: Any, threshold: Any = None) -> tuple[Any, Any]:
    """x divided by its norm, and that; zeros for a norm up to a threshold, the rounding of 1 by default."""
    norm = _norm(x)
    dtype, weak = lattice_result_type(*tree_leaves(x))
    threshold = jnp.asarray(finfo(norm.dtype).eps if threshold is None else threshold, norm.dtype)
    counts = norm > threshold
    divisor = convert(norm, dtype, weak)
    return tree_map(lambda leaf: jnp.where(counts, leaf / divisor, 0.0), x), jnp.where(counts, norm, 0.0)


def _identity(x: Any) -> Any:
    return x


def _as_function(a: Any) -> Callable:
    """Products with a matrix, or what was given for them.

    Raises:
      ValueError: the matrix is not square. TypeError: neither a matrix nor a function.
    """
    if callable(a):
        return a
    if not isinstance(a, (np.ndarray, AnyArray)) and not hasattr(a, "__matmul__"):
        raise TypeError(f"linear operator must be either a function or ndarray: {a}")
    if len(a.shape) != 2 or a.shape[0] != a.shape[1]:
        raise ValueError(f"linear operator must be a square matrix, but has shape: {a.shape}")
    return functools.partial(_dot if isinstance(a, (np.ndarray, AnyArray)) else operator.matmul, a)


class _System(NamedTuple):
    """A x = b with a preconditioner, where the search starts, and when it ends."""

    a: Callable
    b: Any
    x0: Any
    m: Callable
    maxiter: Any


def _system(A: Any, b: Any, x0: Any, M: Any, maxiter: Any) -> _System:
    b = tree_map(jnp.asarray, b)
    x0 = tree_map(jnp.zeros_like, b) if x0 is None else tree_map(jnp.asarray, x0)
    if maxiter is None:
        maxiter = 10 * sum(leaf.size for leaf in tree_leaves(b))  # as SciPy
    a, m = _as_function(A), _identity if M is None else _as_function(M)
    if tree_structure(x0) != tree_structure(b):
        raise ValueError(f"x0 and b must have matching tree structure: {tree_structure(x0)} vs {tree_structure(b)}")
    ours, theirs = ([leaf.shape for leaf in tree_leaves(x)] for x in (x0, b))
    if ours != theirs:
        raise ValueError(f"arrays in x0 and b must have matching shapes: {ours} vs {theirs}")
    return _System(a, b, x0, m, maxiter)


def _squared_tolerance(b: Any, tol: Any, atol: Any) -> Any:
    return jnp.maximum(jnp.square(tol) * _real_product(b, b), jnp.square(atol))


# ---- conjugate gradients ---------------------------------------------------------------------------------------------


def _cg_solve(a: Callable, b: Any, *, x0: Any, m: Callable, maxiter: Any, tol: Any, atol: Any) -> Any:
    limit = _squared_tolerance(b, tol, atol)

    def goes_on(state: tuple) -> Any:
        _, r, gamma, _, k = state
        return ((jnp.real(gamma) if m is _identity else _real_product(r, r)) > limit) & (k < maxiter)

    def step(state: tuple) -> tuple:
        x, r, gamma, p, k = state
        moved = a(p)
        alpha = gamma / _real_product(p, moved).astype(dtype)
        x, r = _add(x, _scaled(alpha, p)), _subtract(r, _scaled(alpha, moved))
        z = m(r)
        after = _real_product(r, z).astype(dtype)
        return x, r, after, _add(z, _scaled(after / gamma, p)), k + 1

    r = _subtract(b, a(x0))
    z = m(r)
    dtype = result_type(*tree_leaves(z))
    gamma = _real_product(r, z).astype(dtype)
    return lax.while_loop(goes_on, step, (x0, r, gamma, z, 0))[0]


def cg(
    A: Any, b: Any, x0: Any = None, *, tol: Any = 1e-5, atol: Any = 0.0, maxiter: Any = None, M: Any = None
) -> tuple[Any, None]:
    """The solution of A x = b by conjugate gradients, for Hermitian positive definite A.

    M. R. Hestenes, E. Stiefel, "Methods of conjugate gradients for solving linear systems", Journal of Research of the
    National Bureau of Standards 49, 1952; preconditioned.

    Args:
      A: a matrix, an object with `@`, or a function of a pytree like b to one.
      b: pytree of arrays, together one vector.
      x0: where the search starts, a pytree like b; None: zeros.
      tol, atol: it ends when the residual's norm is at most max(tol |b|, atol).
      maxiter: iterations at most; None: ten times the number of elements.
      M: an approximate inverse of A, given like A.

    Returns:
      (x, None). Derivatives by b, and by what A is made of, come by another solution with the same tolerances.

    Raises:
      TypeError: A or M is no such thing. ValueError: a matrix that is not square; x0 of another structure or shape.

    Example:
      >>> x, _ = cg(jnp.array([[2.0, 0.0], [0.0, 4.0]]), jnp.array([1.0, 1.0]))
      >>> jnp.round(x, 4)
      Array([0.5 , 0.25], dtype=float32)
    """
    s = _system(A, b, x0, M, maxiter)
    solve = functools.partial(_cg_solve, x0=s.x0, m=s.m, maxiter=s.maxiter, tol=tol, atol=atol)
    symmetric = not any(kind(leaf) == "c" for leaf in tree_leaves(s.b))  # real and positive definite
    return lax.custom_linear_solve(s.a, s.b, solve=solve, transpose_solve=solve, symmetric=symmetric), None


# ---- stabilised biconjugate gradients --------------------------------------------------------------------------------

#: counts of iterations that end the search, where it breaks down
_STAGNATED, _ORTHOGONAL = -11, -10


def _bicgstab_solve(a: Callable, b: Any, *, x0: Any, m: Callable, maxiter: Any, tol: Any, atol: Any) -> Any:
    limit = _squared_tolerance(b, tol, atol)

    def goes_on(state: tuple) -> Any:
        _, r, *_, k = state
        return (_real_product(r, r) > limit) & (k < maxiter) & (k >= 0)

    def step(state: tuple) -> tuple:
        x, r, alpha, omega, rho, p, q, k = state
        rho_next = _product(shadow, r)
        beta = rho_next / rho * alpha / omega
        p = _add(r, _scaled(beta, _subtract(p, _scaled(omega, q))))
        p_hat = m(p)
        q = a(p_hat)
        alpha = rho_next / _product(shadow, q)
        s = _subtract(r, _scaled(alpha, q))
        s_hat = m(s)
        t = a(s_hat)
        omega = _product(t, s) / _product(t, t)
        halfway = _add(x, _scaled(alpha, p_hat))
        done = functools.partial(jnp.where, _real_product(s, s) < limit)
        x = tree_map(done, halfway, _add(halfway, _scaled(omega, s_hat)))
        r = tree_map(done, s, _subtract(s, _scaled(omega, t)))
        k = jnp.where((omega == 0) | (alpha == 0), _STAGNATED, k + 1)
        return x, r, alpha, omega, rho_next, p, q, jnp.where(rho_next == 0, _ORTHOGONAL, k)

    shadow = r = _subtract(b, a(x0))
    one = jnp.ones((), result_type(*tree_leaves(b)))
    return lax.while_loop(goes_on, step, (x0, r, one, one, one, r, r, 0))[0]


def bicgstab(
    A: Any, b: Any, x0: Any = None, *, tol: Any = 1e-5, atol: Any = 0.0, maxiter: Any = None, M: Any = None
) -> tuple[Any, None]:
    """The solution of A x = b by stabilised biconjugate gradients, for any A; arguments, result and errors as of `cg`.

    H. A. van der Vorst, "Bi-CGSTAB: a fast and smoothly converging variant of Bi-CG for the solution of nonsymmetric linear
    systems", SIAM Journal on Scientific and Statistical Computing 13(2), 1992.

    Example:
      >>> x, _ = bicgstab(lambda x: {"u": x["v"], "v": -2 * x["u"]}, {"u": jnp.array(3.0), "v": jnp.array(4.0)})
      >>> jax.tree.map(lambda leaf: round(float(leaf), 4), x)
      {'u': -2.0, 'v': 3.0}
    """
    s = _system(A, b, x0, M, maxiter)
    solve = functools.partial(_bicgstab_solve, x0=s.x0, m=s.m, maxiter=s.maxiter, tol=tol, atol=atol)
    return lax.custom_linear_solve(s.a, s.b, solve=solve, transpose_solve=solve), None


# ---- generalised minimal residuals -----------------------------------------------------------------------------------


def _orthogonal(basis: Any, x: Any) -> tuple[Any, Any]:
    """x without its parts along orthonormal columns, and these: by Gram and Schmidt, twice, since the first time leaves rounding
    errors along them ("twice is enough": L. Giraud et al., Numerische Mathematik 101, 2005)."""

    def part(v: Value, leaf: Value) -> Value:
        return jnp.einsum("...n,...->n", jnp.conj(v), leaf, precision="highest")

    (first, *_) = tree_leaves(basis)
    parts = jnp.zeros(first.shape[-1], first.dtype)
    for _ in range(2):
        more = _total(tree_map(part, basis, x))
        x, parts = _subtract(x, tree_map(functools.partial(_times, more), basis)), parts + more
    return x, parts


def _next_vector(k: Any, s: _System, basis: Any, rows: Any) -> tuple[Any, Any, Any]:
    """One step of Arnoldi's process: column k + 1 of the basis, row k of the (transposed) Hessenberg matrix, whether there is
    nothing left."""
    dtype = result_type(*tree_leaves(basis))
    x = s.m(s.a(tree_map(lambda v: v[..., k], basis)))
    _, before = _unit(x)
    x, parts = _orthogonal(basis, x)
    unit, norm = _unit(x, finfo(dtype).eps * before)
    basis = tree_map(lambda v, leaf: v.at[..., k + 1].set(leaf), basis, unit)
    return basis, rows.at[k].set(parts.at[k + 1].set(norm.astype(dtype))), norm == 0.0


def _rotated(row: Any, i: Any, cosine: Any, sine: Any) -> Any:
    """Elements i and i + 1 of a vector turned."""
    x, y = row[i], row[i + 1]
    row = row.at[i].set(jnp.conj(cosine) * x - jnp.conj(sine) * y)
    return row.at[i + 1].set(sine * x + cosine * y)


def _givens(a: Any, b: Any) -> tuple[Any, Any]:
    """The turn which takes (a, b) to (r, 0)."""
    steep = jnp.abs(a) < jnp.abs(b)
    t = -jnp.where(steep, a, b) / jnp.where(steep, b, a)
    r = lax.rsqrt(1 + jnp.abs(t) ** 2).astype(t.dtype)
    zero = jnp.abs(b) == 0
    return jnp.where(zero, 1, jnp.where(steep, r * t, r)), jnp.where(zero, 0, jnp.where(steep, r, r * t))


def _krylov_start(s: _System, unit: Any, restart: int) -> tuple[Any, Any, Any]:
    """A basis whose first vector is given, the Hessenberg matrix (as if of the identity), and its dtype."""
    basis = tree_map(lambda leaf: jnp.pad(leaf[..., None], [*[(0, 0)] * leaf.ndim, (0, restart)]), unit)
    dtype = result_type(*tree_leaves(s.b))
    return basis, jnp.eye(restart, restart + 1, dtype=dtype), dtype


def _restarted(s: _System, x: Any, basis: Any, y: Any) -> tuple[Any, Any, Any]:
    x = _add(x, tree_map(lambda v: _dot(v[..., :-1], y), basis))
    return (x, *_unit(s.m(_subtract(s.b, s.a(x)))))


def _incremental(s: _System, x: Any, unit: Any, norm: Any, limit: Any, restart: int) -> tuple[Any, Any, Any]:
    """One Krylov space, with the factors Q R of the Hessenberg matrix kept up by turns; it ends when the residual is small."""
    basis, rows, dtype = _krylov_start(s, unit, restart)
    turns = jnp.zeros((restart, 2), dtype)
    rhs = jnp.zeros(restart + 1, dtype).at[0].set(norm.astype(dtype))

    def step(state: tuple) -> tuple:
        k, _, basis, rows, rhs, turns = state
        basis, rows, _ = _next_vector(k, s, basis, rows)
        row = lax.fori_loop(0, k, lambda i, row: _rotated(row, i, turns[i, 0], turns[i, 1]), rows[k])
        cosine, sine = _givens(row[k], row[k + 1])
        turns = turns.at[k].set(jnp.stack([cosine, sine]))
        rows = rows.at[k].set(_rotated(row, k, cosine, sine))
        rhs = _rotated(rhs, k, cosine, sine)
        return k + 1, jnp.abs(rhs[k + 1]), basis, rows, rhs, turns

    start = (0, norm, basis, rows, rhs, turns)
    _, _, basis, rows, rhs, _ = lax.while_loop(lambda t: (t[0] < restart) & (t[1] > limit), step, start)
    return _restarted(s, x, basis, linalg.solve_triangular(rows[:, :-1].T, rhs[:-1]))


def _batched(s: _System, x: Any, unit: Any, norm: Any, limit: Any, restart: int) -> tuple[Any, Any, Any]:
    """One Krylov space, and the least squares in it by the normal equations."""
    del limit
    basis, rows, dtype = _krylov_start(s, unit, restart)

    def step(state: tuple) -> tuple:
        basis, rows, _, k = state
        return (*_next_vector(k, s, basis, rows), k + 1)

    basis, rows, _, _ = lax.while_loop(lambda t: (t[3] < restart) & ~t[2], step, (basis, rows, False, 0))
    rhs = jnp.zeros(restart + 1, dtype).at[0].set(norm.astype(dtype))
    adjoint = jnp.conj(rows)
    return _restarted(s, x, basis, linalg.solve(_dot(adjoint, rows.T), _dot(adjoint, rhs), assume_a="pos"))


_WAYS = {"incremental": _incremental, "batched": _batched}


def gmres(
    A: Any,
    b: Any,
    x0: Any = None,
    *,
    tol: Any = 1e-5,
    atol: Any = 0.0,
    restart: int = 20,
    maxiter: Any = None,
    M: Any = None,
    solve_method: str = "batched",
) -> tuple[Any, Any]:
    """The solution of A x = b by generalised minimal residuals, for any A.

    Y. Saad, M. H. Schultz, "GMRES: a generalized minimal residual algorithm for solving nonsymmetric linear systems", SIAM Journal
    on Scientific and Statistical Computing 7(3), 1986.

    Args:
      A, b, x0, tol, atol, M: as of `cg`.
      restart: dimension of a Krylov space, after which the next one begins; all its vectors are kept.
      maxiter: number of spaces at most; None: ten times the number of elements of b.
      solve_method: "batched", least squares at the end of each space by normal equations; "incremental", by turns on the way, which
        is more exact and ends within a space.

    Returns:
      (x, info): info is -1 where x is NaN, else 0.

    Raises:
      TypeError, ValueError: as of `cg`; another method.

    Example:
      >>> x, info = gmres(jnp.array([[0.0, 1.0], [-2.0, 0.0]]), jnp.array([3.0, 4.0]), solve_method="incremental")
      >>> jnp.round(x, 4), info
      (Array([-2.,  3.], dtype=float32), Array(0, dtype=int32, weak_type=True))
    """
    s = _system(A, b, x0, M, maxiter)
    restart = min(restart, sum(leaf.size for leaf in tree_leaves(s.b)))
    norm = _norm(s.b)
    tolerance = jnp.maximum(tol * norm, atol)
    limit = _norm(s.m(s.b)) * jnp.minimum(1.0, tolerance / norm)
    if solve_method not in _WAYS:
        raise ValueError(f"invalid solve_method {solve_method}, must be either 'incremental' or 'batched'")

    def solve(a: Callable, b: Any) -> Any:
        system = s._replace(a=a, b=b)

        def step(state: tuple) -> tuple:
            x, k, unit, norm = state
            x, unit, norm = _WAYS[solve_method](system, x, unit, norm, limit, restart)
            return x, k + 1, unit, norm

        start = (s.x0, 0, *_unit(s.m(_subtract(b, a(s.x0)))))
        return lax.while_loop(lambda t: (t[1] < s.maxiter) & (t[3] > tolerance), step, start)[0]

    x = lax.custom_linear_solve(s.a, s.b, solve=solve, transpose_solve=solve)
    return x, jnp.where(jnp.isnan(_norm(x)), -1, 0)
