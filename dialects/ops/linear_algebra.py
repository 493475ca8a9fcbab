"""Linear algebra on stacks of matrices: cholesky, triangular_solve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.ir.aval import Aval, aval
from sable.ir.codec import BOOL as BOOLEAN
from sable.ir.codec import DotDimensions, enum
from sable.ir.native import NativeKernel, pieces_of_solve, pieces_of_stack
from sable.ir.op import LINEAR, Refused, Shape, Traits, defop

from .compose import compare, zeros
from .linear_algebra_lowering import HALF, lower_cholesky, lower_triangular_solve
from .rules import check_same, expand, floats, kind_of, sample, weak

#: LAPACK's types
LAPACK_DTYPES = tuple(np.dtype(name) for name in ("float32", "float64", "complex64", "complex128"))


def cubic(operands: Sequence[Shape], results: Sequence[Shape], attributes: Any) -> int:
    """So many operations for each element of the largest array as its matrices have rows or columns."""
    return max(map(math.prod, (*operands, *results))) * max(operands[0][-2:])


#: of ops that are one call of LAPACK
LIBRARY = Traits(work=cubic, no_kernel="a library function")
_INT32 = np.dtype(np.int32)


# ---- matrices in rules -------------------------------------------------------------------------------------------


def matrix_transpose(b: Any, x: Any) -> Any:
    """The last two axes exchanged."""
    n = b.aval(x).ndim
    return b.transpose(x, permutation=(*range(n - 2), n - 1, n - 2))


def conjugate(b: Any, x: Any) -> Any:
    """x itself where it is real."""
    return x if b.aval(x).dtype.kind != "c" else b.complex(b.real(x), b.negate(b.imag(x)))


def matmul(b: Any, x: Any, y: Any, contract: tuple[int, int] = (-1, -2)) -> Any:
    """A product of stacks of matrices over one of the last two axes of each; the other axes stay in their order."""
    a = b.aval(x)
    batch = tuple(range(a.ndim - 2))
    dims = DotDimensions(batch, batch, (a.ndim + contract[0],), (a.ndim + contract[1],))
    highest = ("HIGHEST", "HIGHEST")
    return b.dot_general(x, y, dot_dimension_numbers=dims, precision_config=highest, preferred_element_type=a.dtype)


def where(b: Any, direction: str, x: Any, otherwise: Any) -> Any:
    """x where row `direction` column holds ("GT": below the diagonal), else the other value."""
    shape = b.aval(x).shape
    row, column = (b.iota(shape=shape, dtype=_INT32, iota_dimension=len(shape) - k) for k in (2, 1))
    return b.select(compare(b, row, column, direction), x, otherwise)


def triangle(b: Any, x: Any, lower: bool, strict: bool = False) -> Any:
    """A triangle, with zeros in place of the other one (`strict`: and of the diagonal)."""
    direction = ("G" if lower else "L") + ("T" if strict else "E")
    return where(b, direction, x, zeros(b, b.aval(x)))


def check_ranks(name: str, avals: Sequence[Aval], ranks: Sequence[int], batch: bool = True) -> None:
    """Operands of an op on stacks: of one dtype of LAPACK's, of at least these ranks (exactly, without `batch`), of one batch.

    Raises:
      TypeError: they are not.
    """
    for i, (a, rank) in enumerate(zip(avals, ranks)):
        if a.ndim < rank:
            raise TypeError(f"Input {i} to {name} must have rank at least {rank}, but got shape={a.shape}")
        if not batch and a.ndim != rank:
            raise TypeError(f"Input {i} to {name} must have a rank of exactly {rank}, but got shape={a.shape}")
        check_matrices(name, a)
    check_same(name, [a.update(shape=()) for a in avals])
    shapes = [a.shape[: a.ndim - rank] for a, rank in zip(avals, ranks)]
    if len(set(map(len, shapes))) > 1:
        raise TypeError(
            f"All inputs to {name} must have the same number of batch dimensions, but got {[len(s) for s in shapes]} batch "
            "dimensions for the inputs."
        )
    if len(set(shapes)) > 1:
        raise TypeError(f"All inputs to {name} must have the same batch dimensions, but got {shapes}.")


def underivable(name: str) -> Refused:
    """For an op that JAX knows no derivative of."""
    return Refused(NotImplementedError, f"Differentiation rule for '{name}' not implemented")


def check_matrices(name: str, a: Aval) -> None:
    """The dtype must be one that LAPACK has.

    Raises:
      NotImplementedError: it is a float of less precision, as in JAX. TypeError: it is none of floats and complex numbers.
    """
    if a.dtype in LAPACK_DTYPES:
        return
    names = ", ".join(d.name for d in LAPACK_DTYPES)
    if kind_of(a.dtype) in "fc":
        raise NotImplementedError(f"Unsupported dtype {a.dtype.name}: {name} takes {names}.")
    raise TypeError(f"{name} does not accept dtype {a.dtype.name}; it takes {names}.")


def stacked(b: Any, op: Any, size: int, operands: Sequence[Any], mapped: Sequence[bool], **params: Any) -> Any:
    """Batching rule of ops on stacks: one dimension more in front."""
    return b.bind(op, *[x if m else expand(b, x, size) for x, m in zip(operands, mapped)], **params)


# ---- cholesky ----------------------------------------------------------------------------------------------------


def _cholesky_type(a: Aval, lower: bool) -> Aval:
    check_matrices("cholesky", a)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise ValueError(f"The input to cholesky must be a square matrix. Got shape {a.shape[-2:]}.")
    return aval(a.shape, a.dtype, weak([a]))


def _cholesky_ref(a: np.ndarray, lower: bool) -> np.ndarray:
    if not lower:
        return _cholesky_ref(a.conj().swapaxes(-1, -2), True).conj().swapaxes(-1, -2)
    try:
        return np.linalg.cholesky(a)
    except np.linalg.LinAlgError:
        if a.ndim > 2:
            return np.stack([_cholesky_ref(matrix, True) for matrix in a])
    nan = complex(np.nan, np.nan) if a.dtype.kind == "c" else np.nan
    return np.tril(np.full_like(a, nan))


def _cholesky_jvp(b: Any, t: Any, y: Any, a: Any, lower: bool) -> Any:
    """With a = L L^H: dL = L phi(L^-1 da L^-H), where phi takes the lower triangle and halves its diagonal.

    I. Murray, "Differentiation of the Cholesky decomposition", arXiv:1602.07527, equation 8. For a = U^H U the same with
    U^H for L. As a is Hermitian, so must da be: both its triangles are read, although of a only one is.
    """
    solve = {"lower": lower, "unit_diagonal": False}
    outer = "ADJOINT" if lower else "NO_TRANSPOSE"
    inner = "NO_TRANSPOSE" if lower else "ADJOINT"
    m = b.triangular_solve(y, t, left_side=False, transpose_a=outer, **solve)
    m = b.triangular_solve(y, m, left_side=True, transpose_a=inner, **solve)
    half = b.multiply(m, b.full(b.aval(m), 0.5))
    m = where(b, "EQ", half, triangle(b, m, lower))
    return matmul(b, y, m) if lower else matmul(b, m, y)


def _positive(shape: tuple[int, ...], dtype: Any, seed: int = 0) -> np.ndarray:
    """Hermitian matrices with eigenvalues from 1 on."""
    x = floats((2, *shape), seed=seed, dtype=np.float64)
    x = x[0] + 1j * x[1] if np.dtype(dtype).kind == "c" else x[0]
    return (x @ x.conj().swapaxes(-1, -2) + np.eye(shape[-1])).astype(dtype)


_HERMITIAN = "the derivative is for Hermitian tangents; tests/lax/test_linalg.py"


def _cholesky_samples() -> list:
    one_triangle = np.tril(_positive((4, 4), np.complex64, 5)) + np.triu(np.full((4, 4), 7, np.complex64), 1)
    close = {"rtol": 2e-5, "atol": 1e-5, "grad": False}
    return [
        *[
            sample(_positive(shape, dtype), lower=lower, why=_HERMITIAN, **close)
            for dtype in LAPACK_DTYPES
            for shape, lower in (((3, 3), True), ((2, 4, 4), False))
        ],
        sample(_positive((2, 3, 1, 1), np.float32), lower=True, why=_HERMITIAN, **close),
        sample(_positive((40, 40), np.float32), lower=True, why=_HERMITIAN, **close),
        sample(one_triangle, lower=True, why="the other triangle is not read", **close),
        sample(np.zeros((0, 0), np.float32), lower=True, why="empty", **close),
        sample(np.zeros((0, 3, 3), np.float32), lower=True, why="empty", **close),
    ]


cholesky = defop(
    "cholesky",
    operands=("a",),
    params={"lower": BOOLEAN},
    type=_cholesky_type,
    ref=_cholesky_ref,
    jvp={"a": _cholesky_jvp},
    transpose={},
    batch=stacked,
    samples=_cholesky_samples,
    lower=lower_cholesky,
    native=NativeKernel("sable_cholesky", (2,), (2,), LAPACK_DTYPES, lambda lower: (lower,), pieces_of_stack),
    traits=LIBRARY,
)


# ---- triangular_solve --------------------------------------------------------------------------------------------

#: what op(a) may be
_OPERATIONS = ("NO_TRANSPOSE", "TRANSPOSE", "ADJOINT")


def _solve_type(a: Aval, b: Aval, left_side: bool, lower: bool, unit_diagonal: bool, transpose_a: str) -> Aval:
    check_same("triangular_solve", [a.update(shape=()), b.update(shape=())])
    if a.dtype not in HALF:
        check_matrices("triangular_solve", a)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise ValueError(f"The first input to triangular_solve must be a square matrix. Got shape {a.shape[-2:]}.")
    if a.ndim != b.ndim or a.shape[:-2] != b.shape[:-2]:
        raise TypeError(
            "triangular_solve requires both arguments to have the same number of dimensions and equal batch dimensions, "
            f"got {a.shape} and {b.shape}."
        )
    if b.shape[-2 if left_side else -1] != a.shape[-1]:
        raise ValueError(f"Incompatible shapes for arguments to triangular_solve: {a.shape} and {b.shape}.")
    return aval(b.shape, b.dtype, weak([a, b]))


def _applied(a: np.ndarray, transpose_a: str) -> np.ndarray:
    if transpose_a == "NO_TRANSPOSE":
        return a
    return (a.conj() if transpose_a == "ADJOINT" else a).swapaxes(-1, -2)


def substituted(
    a: np.ndarray, b: np.ndarray, left_side: bool, lower: bool, unit_diagonal: bool, transpose_a: str
) -> np.ndarray:
    """By substitution, row by row."""
    if not left_side:
        turned = substituted(
            _applied(a, transpose_a).swapaxes(-1, -2),
            b.swapaxes(-1, -2),
            True,
            lower == (transpose_a != "NO_TRANSPOSE"),
            unit_diagonal,
            "NO_TRANSPOSE",
        )
        return np.ascontiguousarray(turned.swapaxes(-1, -2))
    if transpose_a != "NO_TRANSPOSE":
        return substituted(_applied(a, transpose_a), b, True, not lower, unit_diagonal, "NO_TRANSPOSE")
    strict = np.tril(a, -1) if lower else np.triu(a, 1)
    x = np.zeros_like(b)
    n = a.shape[-1]
    for i in range(n) if lower else reversed(range(n)):
        row = b[..., i, :] - (strict[..., i : i + 1, :] @ x)[..., 0, :]
        x[..., i, :] = row if unit_diagonal else row / a[..., i, i, None]
    return x


def _solve_ref(a: np.ndarray, b: np.ndarray, **params: Any) -> np.ndarray:
    if b.dtype not in HALF:
        return substituted(a, b, **params)
    return substituted(a.astype(np.float32), b.astype(np.float32), **params).astype(b.dtype)


def _solve_jvp_a(b: Any, t: Any, y: Any, a: Any, rhs: Any, **params: Any) -> Any:
    """From op(a) x = b: op(a) dx = -op(da) x; da has a's triangle."""
    t = triangle(b, t, params["lower"], strict=params["unit_diagonal"])
    transposed = params["transpose_a"] != "NO_TRANSPOSE"
    if params["transpose_a"] == "ADJOINT":
        t = conjugate(b, t)
    if params["left_side"]:
        product = matmul(b, t, y, (-2 if transposed else -1, -2))
    else:
        product = matmul(b, y, t, (-1, -1 if transposed else -2))
    return b.triangular_solve(a, b.negate(product), **params)


def _solve_transpose_b(b: Any, ct: Any, avals: Any, a: Any, rhs: Any, **params: Any) -> Any:
    """x = op(a)^-1 b, so the cotangent is op(a)^-T ct; the transpose of a^H is conj(a)."""
    turned = "TRANSPOSE" if params["transpose_a"] == "NO_TRANSPOSE" else "NO_TRANSPOSE"
    if params["transpose_a"] == "ADJOINT":
        a = conjugate(b, a)
    return b.triangular_solve(a, ct, **{**params, "transpose_a": turned})


def _solve_batch(b: Any, op: Any, size: int, operands: Any, mapped: Any, **params: Any) -> Any:
    """Right-hand sides of one matrix are further columns (rows) of one right-hand side."""
    a, rhs = operands
    if not mapped[0]:
        return many_sides(b, op, (a,), rhs, params["left_side"], params)
    return stacked(b, op, size, operands, mapped, **params)


def many_sides(b: Any, op: Any, matrix: Sequence[Any], rhs: Any, left_side: bool, params: dict) -> Any:
    """An op on one matrix (what there is of it) and many right-hand sides, for which it stands on the left or the right."""
    shape = b.aval(rhs).shape
    n = len(shape)
    size, batch, (rows, columns) = shape[0], shape[1:-2], shape[-2:]
    middle = tuple(range(1, n - 2))
    if left_side:
        order, apart, merged = (*middle, n - 2, 0, n - 1), (*batch, rows, size, columns), (*batch, rows, size * columns)
        back = (n - 2, *range(n - 3), n - 3, n - 1)
    else:
        order, apart, merged = (*middle, 0, n - 2, n - 1), (*batch, size, rows, columns), (*batch, size * rows, columns)
        back = (n - 3, *range(n - 3), n - 2, n - 1)
    together = b.reshape(b.transpose(rhs, permutation=order), shape=merged)
    x = b.reshape(b.bind(op, *matrix, together, **params), shape=apart)
    return b.transpose(x, permutation=back)


def _solve_options(left_side: bool, lower: bool, unit_diagonal: bool, transpose_a: str) -> tuple[int, ...]:
    return left_side, lower, unit_diagonal, _OPERATIONS.index(transpose_a)


def _solve_sample(shape: tuple, sides: tuple, dtype: Any, left=True, lower=True, unit=False, op="NO_TRANSPOSE", **more):
    a = _positive(shape, dtype) if shape[-1] else np.zeros(shape, dtype)
    b = floats(sides, dtype=np.float64, seed=1)
    if np.dtype(dtype).kind == "c":
        b = b + 1j * floats(sides, dtype=np.float64, seed=2)
    if unit and shape[-1]:
        a = a / shape[-1]  # else the inverse grows with the size
    params = {"left_side": left, "lower": lower, "unit_diagonal": unit, "transpose_a": op}
    close = 2e-2 if dtype in HALF else 1e-4  # XLA rounds on the way
    return sample(a.astype(dtype), b.astype(dtype), rtol=close, atol=close, **params, **more)


def _solve_samples() -> list:
    empty = {"grad": False, "why": "empty"}
    kinds = [(left, lower, op) for left in (True, False) for lower in (True, False) for op in _OPERATIONS]
    return [
        *[
            _solve_sample((3, 3), (3, 2) if left else (2, 3), np.complex64, left, lower, op=op)
            for left, lower, op in kinds
        ],
        _solve_sample((3, 3), (3, 2), np.float32),
        _solve_sample((2, 3, 3), (2, 3, 4), np.float64, lower=False),
        _solve_sample((2, 3, 3), (2, 1, 3), np.complex128, left=False, op="ADJOINT"),
        _solve_sample((3, 3), (3, 2), np.float32, unit=True),
        _solve_sample((2, 3, 3), (2, 2, 3), np.float32, left=False, lower=False, unit=True, op="TRANSPOSE"),
        _solve_sample((1, 1), (1, 1), np.float32),
        *[_solve_sample((3, 3), (2, 3), dtype, left=False, grad=False, why="rounding") for dtype in HALF],
        _solve_sample((0, 0), (0, 2), np.float32, **empty),
        _solve_sample((3, 3), (3, 0), np.float32, **empty),
        _solve_sample((0, 3, 3), (0, 3, 2), np.float32, **empty),
    ]


triangular_solve = defop(
    "triangular_solve",
    operands=("a", "b"),
    params={
        "left_side": BOOLEAN,
        "lower": BOOLEAN,
        "unit_diagonal": BOOLEAN,
        "transpose_a": enum("transpose"),
    },
    type=_solve_type,
    ref=_solve_ref,
    jvp={"a": _solve_jvp_a, "b": LINEAR},
    transpose={"b": _solve_transpose_b},
    batch=_solve_batch,
    samples=_solve_samples,
    lower=lower_triangular_solve,
    native=NativeKernel("sable_triangular_solve", (2, 2), (2,), LAPACK_DTYPES, _solve_options, pieces_of_solve),
    traits=LIBRARY,
)
