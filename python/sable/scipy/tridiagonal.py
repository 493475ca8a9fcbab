"""`jax.scipy.linalg.eigh_tridiagonal`: eigenvalues by bisection, eigenvectors by inverse iteration."""

from __future__ import annotations

from typing import Any

import numpy as np

import sable.numpy as jnp
from sable import lax, random
from sable.core.array import Value
from sable.core.dtypes import finfo
from sable.lax import linalg
from sable.library.declare import library

#: Steps of inverse iteration, and by how much a step must lengthen some vector to be followed by one (LAPACK's stein)
_STEPS, _GROWTH = 5, 1.1


@library
def eigh_tridiagonal(
    d: Any,
    e: Any,
    *,
    eigvals_only: bool = False,
    select: str = "a",
    select_range: tuple[float, float] | None = None,
    tol: float | None = None,
    key: Any = None,
) -> Any:
    """Eigenvalues and eigenvectors of a Hermitian matrix of three diagonals.

    Args:
      d: (n,), the diagonal, of which the real part is read.
      e: (n - 1,), that above it; of the dtype of d: f32, f64, c64 or c128.
      eigvals_only: without eigenvectors.
      select: "a" for all eigenvalues, "i" for those of numbers from select_range[0] to select_range[1], both included.
      tol: the absolute error of eigenvalues; rounding errors by default.
      key: for the vectors that the iteration starts with; `jax.random.key(42)` by default.

    Returns:
      Eigenvalues (k,), real, ascending; with them eigenvectors (n, k), the columns, unless `eigvals_only`.

    Raises:
      TypeError: other dtypes. ValueError: another `select`, no range. NotImplementedError: "v", by values.

    Source: W. Barth, R. Martin, J. Wilkinson, "Calculation of the eigenvalues of a symmetric tridiagonal matrix by the method
    of bisection", Numerische Mathematik 9 (1967); G. Peters, J. Wilkinson, "The calculation of specified eigenvectors by
    inverse iteration" (1971).

    Example:
      >>> jax.scipy.linalg.eigh_tridiagonal(jnp.array([2.0, 2.0]), jnp.array([1.0]), eigvals_only=True).round(4)
      Array([1., 3.], dtype=float32)
    """
    diagonal, beside = jnp.asarray(d), jnp.asarray(e)
    _check(diagonal, beside)
    n = diagonal.shape[0]
    if n <= 1:
        values = jnp.real(diagonal)
        return values if eigvals_only else (values, jnp.eye(n, dtype=diagonal.dtype))
    numbers = _numbers(select, select_range, n)
    diagonal = jnp.real(diagonal)
    values = _bisected(diagonal, jnp.abs(beside), numbers, tol)
    if eigvals_only:
        return values
    return values, _vectors(diagonal, beside, values, random.key(42) if key is None else key).T


def _check(d: Value, e: Value) -> None:
    if d.dtype != e.dtype:
        raise TypeError(f"diagonal and off-diagonal values must have same dtype, got {d.dtype} and {e.dtype}")
    if d.dtype not in (np.float32, np.float64, np.complex64, np.complex128):
        raise TypeError(
            "Only float32 and float64 inputs are supported as inputs to jax.scipy.linalg.eigh_tridiagonal, got "
            f"{d.dtype} and {e.dtype}"
        )


def _numbers(select: str, select_range: Any, n: int) -> np.ndarray:
    if select == "a":
        return np.arange(n, dtype=np.int32)
    if select == "v":
        raise NotImplementedError("eigh_tridiagonal(..., select='v') is not implemented")
    if select != "i":
        raise ValueError("'select must have a value in {'a', 'i', 'v'}.")
    if select_range is None:
        raise ValueError("for select='i', select_range must be specified.")
    if select_range[0] > select_range[1]:
        raise ValueError("Got empty index range in select_range.")
    return np.arange(select_range[0], select_range[1] + 1, dtype=np.int32)


def _bisected(d: Value, size: Value, numbers: np.ndarray, tol: float | None) -> Value:
    """Eigenvalues of these numbers: Gershgorin's interval is halved until rounding errors are left."""
    info = finfo(d.dtype)
    around = jnp.pad(size, (1, 0)) + jnp.pad(size, (0, 1))
    lowest, highest = jnp.min(d - around), jnp.max(d + around)
    norm = jnp.maximum(jnp.abs(lowest), jnp.abs(highest))
    error = info.eps * norm if tol is None else jnp.maximum(tol, info.eps * norm)
    pivot = float(info.tiny) * (1 + float(info.eps)) * jnp.maximum(1, jnp.max(size) ** 2)
    slack = 2.1 * d.shape[0] * info.eps * norm + 4.2 * pivot
    lower, upper = (jnp.broadcast_to(x, numbers.shape) for x in (lowest - slack, highest + slack))

    def halve(state: tuple[Any, Value, Value]) -> tuple[Any, Value, Value]:
        k, lower, upper = state
        middle = 0.5 * (lower + upper)
        below = _below(d, size**2, pivot, middle) > numbers
        return k + 1, jnp.where(below, lower, middle), jnp.where(below, middle, upper)

    def wide(state: tuple[Any, Value, Value]) -> Value:
        k, lower, upper = state
        return (k <= info.nmant) & (jnp.max(upper - lower) > error)

    _, lower, upper = lax.while_loop(wide, halve, (0, lower, upper))
    return 0.5 * (lower + upper)


def _below(d: Value, squares: Value, pivot: Value, x: Value) -> Value:
    """How many eigenvalues are below each x: negative pivots of the matrix less x, by Sylvester's law of inertia."""

    def step(carry: tuple[Value, Value], row: tuple[Value, Value]) -> tuple[tuple[Value, Value], None]:
        q, count = carry
        own, square = row
        q = own - square / q - x
        negative = q <= pivot
        return (jnp.where(negative, jnp.minimum(q, -pivot), q), count + negative.astype(count.dtype)), None

    start = jnp.ones_like(x), jnp.zeros(x.shape, np.int32)
    (_, count), _ = lax.scan(step, start, (d, jnp.pad(squares, (1, 0))))
    return count


def _vectors(d: Value, e: Value, values: Value, key: Any) -> Value:
    """Eigenvectors, the rows: those of close values are made orthogonal to each other after each step."""
    n, count = d.shape[0], values.shape[0]
    kind = e.dtype
    rows = jnp.broadcast_to(jnp.pad(jnp.conj(e), (1, 0)), (count, n))
    columns = jnp.broadcast_to(jnp.pad(e, (0, 1)), (count, n))
    shifted = (d[None, :] - values[:, None]).astype(kind)
    start = random.normal(key, (count, n), dtype=d.dtype).astype(kind)
    clusters = _clusters(values)

    def iterate(state: tuple[Any, Value, Value, Value]) -> tuple[Any, Value, Value, Value]:
        k, v, lengths, _ = state
        v = linalg.tridiagonal_solve(rows, shifted, columns, v[..., None], perturb_singular=True)[..., 0]
        grown = jnp.linalg.norm(v, axis=-1)
        return k + 1, _orthogonal(v / grown[:, None].astype(kind), clusters), grown, lengths

    def growing(state: tuple[Any, Value, Value, Value]) -> Value:
        k, _, lengths, before = state
        return (k < _STEPS) & jnp.any(lengths >= _GROWTH * before)

    start = start / jnp.linalg.norm(start, axis=-1, keepdims=True).astype(kind)
    state = (0, start, jnp.ones(count, d.dtype), jnp.zeros(count, d.dtype))
    return lax.while_loop(growing, iterate, state)[1]


def _clusters(values: Value) -> Value:
    """The number of the cluster of each eigenvalue: those less than the root of rounding errors from their neighbours."""
    norm = jnp.maximum(jnp.abs(values[0]), jnp.abs(values[-1]))
    apart = values[1:] - values[:-1] >= jnp.sqrt(finfo(values.dtype).eps) * norm
    return jnp.pad(jnp.cumsum(apart.astype(np.int32)), (1, 0))


def _orthogonal(v: Value, clusters: Value) -> Value:
    """Rows made orthogonal to those before them in their cluster, twice, and of length 1 (Gram and Schmidt)."""
    count = v.shape[0]
    places = jnp.arange(count)

    def row(i: Any, v: Value) -> Value:
        before = ((places < i) & (clusters == clusters[i])).astype(v.dtype)
        own = v[i]
        for _ in range(2):
            along = jnp.matmul(jnp.conj(v), own, precision="highest") * before
            own = own - jnp.matmul(along, v, precision="highest")
        return v.at[i].set(own / jnp.linalg.norm(own).astype(v.dtype))

    return lax.fori_loop(0, count, row, v)
