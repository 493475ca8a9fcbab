"""eigh and svd in terms of StableHLO ops: Jacobi's method, whose rotations go round in a loop.

A round rotates all columns at once, in pairs: column i of the left half with column i of the right half. Then the columns
change places as the players of a tournament do, so that after as many rounds as there are columns less one every two of
them have met and all are back.

R. Brent and F. Luk, "The solution of singular-value and symmetric eigenvalue problems on multiprocessor arrays", SIAM J. Sci.
Stat. Comput. 6 (1985).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sable.ir.aval import aval

from .compose import INT32, compare, convert, logical, pad_axis, slice_axis, small_constant, zeros
from .linear_algebra_lowering import _as_stack, _conjugate, _slice, _spread, _times, _transposed, _zero

#: Sweeps besides the binary logarithm of the size: Jacobi's method converges quadratically at the end, so that f64 takes
#: one or two more than f32.
_SWEEPS = {4: 5, 8: 9}


def _is_complex(b: Any, x: Any) -> bool:
    return b.aval(x).dtype.kind == "c"


def _real(b: Any, x: Any) -> Any:
    return b.real(x) if _is_complex(b, x) else x


def _as(b: Any, x: Any, like: Any) -> Any:
    """Real numbers in the dtype of another value."""
    return b.complex(x, zeros(b, b.aval(x))) if _is_complex(b, like) else x


def _adjoint(b: Any, x: Any) -> Any:
    return _transposed(b, _conjugate(b, x))


def _squares(b: Any, x: Any) -> Any:
    """|x|**2."""
    if not _is_complex(b, x):
        return b.multiply(x, x)
    re, im = b.real(x), b.imag(x)
    return b.add(b.multiply(re, re), b.multiply(im, im))


def _along(b: Any, x: Any, shape: tuple[int, ...], axis: int) -> Any:
    """A vector of each matrix along an axis of matrices: 1 for elements of a column, 2 of a row."""
    return b.broadcast_in_dim(x, shape=shape, broadcast_dimensions=(0, axis))


def _repeated(b: Any, x: Any, shape: tuple[int, ...]) -> Any:
    """A number of each matrix repeated."""
    return b.broadcast_in_dim(x, shape=shape, broadcast_dimensions=(0,))


def _diagonal(b: Any, x: Any) -> Any:
    a = b.aval(x)
    row, column = (b.iota(shape=a.shape, dtype=INT32, iota_dimension=k) for k in (1, 2))
    return b.reduce_sum(b.select(compare(b, row, column, "EQ"), x, zeros(b, a)), dimensions=(2,))


def _failures(b: Any, x: Any) -> Any:
    """Which matrices have elements that are not finite: a boolean each."""
    parts = (b.real(x), b.imag(x)) if _is_complex(b, x) else (x,)
    count = None
    for part in parts:
        a = b.aval(part)
        infinite = b.select(b.is_finite(part), zeros(b, a), b.full(a, 1))
        found = b.reduce_sum(infinite, dimensions=(1, 2))
        count = found if count is None else b.add(count, found)
    return compare(b, count, zeros(b, b.aval(count)), "GT")


def _or_nan(b: Any, failed: Any, x: Any) -> Any:
    """NaN in place of the results of matrices that failed."""
    a = b.aval(x)
    real = b.full(b.aval(_real(b, x)), np.nan)
    nan = b.complex(real, real) if _is_complex(b, x) else real
    return b.select(_repeated(b, failed, a.shape), nan, x)


def _scaled(b: Any, x: Any, failed: Any) -> tuple[Any, Any]:
    """x with parts of at most 1, and by what it was divided; zeros where it failed, since a loop may not end with NaN."""
    x = b.select(_repeated(b, failed, b.aval(x).shape), zeros(b, b.aval(x)), x)
    parts = (b.real(x), b.imag(x)) if _is_complex(b, x) else (x,)
    scale = None
    for part in parts:
        found = b.reduce_max(b.abs(part), dimensions=(1, 2))
        scale = found if scale is None else b.maximum(scale, found)
    nothing = compare(b, scale, zeros(b, b.aval(scale)), "EQ")
    scale = b.select(nothing, b.full(b.aval(scale), 1), scale)
    return b.divide(x, _as(b, _repeated(b, scale, b.aval(x).shape), x)), scale


# ---- rotations ---------------------------------------------------------------------------------------------------


def _rotation(b: Any, p: Any, q: Any, r: Any) -> tuple[Any, Any]:
    """1 - cosine and (complex) sine of the rotations that make [[p, r], [conj(r), q]] diagonal: (batch, pairs) each.

    G. Golub and C. Van Loan, "Matrix Computations", 8.5.2, for the matrix whose second column is turned by the phase of r.
    Columns change by multiples of these two (H. Rutishauser, Numer. Math. 9 (1966)), so that small angles leave them as they are.
    """
    size = b.sqrt(_squares(b, r)) if _is_complex(b, r) else b.abs(r)
    a = b.aval(size)
    one = b.full(a, 1)
    diagonal = compare(b, size, zeros(b, a), "EQ")
    safe = b.select(diagonal, one, size)
    tau = b.divide(b.subtract(q, p), b.add(safe, safe))
    tangent = b.divide(one, b.add(b.abs(tau), b.sqrt(b.add(b.multiply(tau, tau), one))))
    tangent = b.select(compare(b, tau, zeros(b, a), "LT"), b.negate(tangent), tangent)
    tangent = b.select(diagonal, zeros(b, a), tangent)
    cosine = b.divide(one, b.sqrt(b.add(b.multiply(tangent, tangent), one)))
    sine = b.multiply(tangent, cosine)
    versine = b.divide(b.multiply(sine, sine), b.add(one, cosine))
    if not _is_complex(b, r):
        return versine, b.select(compare(b, r, zeros(b, a), "LT"), b.negate(sine), sine)
    sine = b.divide(sine, safe)
    return versine, b.complex(b.multiply(sine, b.real(r)), b.multiply(sine, b.imag(r)))


def _halves(b: Any, x: Any, axis: int) -> tuple[Any, Any]:
    n = b.aval(x).shape[axis]
    return slice_axis(b, x, axis, 0, n // 2), slice_axis(b, x, axis, n // 2, n)


def _rotated(b: Any, x: Any, versine: Any, sine: Any, axis: int) -> Any:
    """Columns (axis 2) of both halves rotated, or rows (axis 1) by the adjoint rotation; then they change places."""
    first, second = _halves(b, x, axis)
    shape = b.aval(first).shape
    k = _along(b, _as(b, versine, x), shape, axis)
    s = _along(b, sine, shape, axis)
    back = _conjugate(b, s)
    if axis == 1:
        s, back = back, s
    turned = b.subtract(first, b.add(b.multiply(k, first), b.multiply(back, second)))
    other = b.add(second, b.subtract(b.multiply(s, first), b.multiply(k, second)))
    return _round(b, turned, other, axis)


def _round(b: Any, first: Any, second: Any, axis: int) -> Any:
    """Both halves, each but the first one place further round: to the right in the first half, back in the second."""
    k = b.aval(first).shape[axis]
    if k == 1:
        return b.concatenate(first, second, dimension=axis)
    pieces = [
        slice_axis(b, first, axis, 0, 1),
        slice_axis(b, second, axis, 0, 1),
        slice_axis(b, first, axis, 1, k - 1),
        slice_axis(b, second, axis, 1, k),
        slice_axis(b, first, axis, k - 1, k),
    ]
    return b.concatenate(*[x for x in pieces if b.aval(x).size], dimension=axis)


def _rounds(b: Any, x: Any, columns: int) -> int:
    sweeps = _SWEEPS[b.aval(_real(b, x)).dtype.itemsize] + columns.bit_length()
    return sweeps * (columns - 1)


def _even(b: Any, x: Any, axis: int) -> Any:
    """With zeros for one more row or column if their number is odd."""
    n = b.aval(x).shape[axis]
    return pad_axis(b, x, axis, 0, 1, 0) if n % 2 else x


def _identity(b: Any, count: int, n: int, like: Any) -> Any:
    eye = small_constant(b, np.eye(n, dtype=b.aval(like).dtype))
    return b.broadcast_in_dim(eye, shape=(count, n, n), broadcast_dimensions=(1, 2))


def _order(b: Any, keys: Any) -> Any:
    """The permutation matrix that sorts vectors (batch, n) in ascending order, equal ones as they stand, of the keys' dtype."""
    count, n = b.aval(keys).shape
    shape = (count, n, n)
    own, other = _along(b, keys, shape, 1), _along(b, keys, shape, 2)
    row, column = (b.iota(shape=shape, dtype=INT32, iota_dimension=k) for k in (1, 2))
    tie = logical(b, "and", compare(b, other, own, "EQ"), compare(b, column, row, "LT"))
    before = convert(b, logical(b, "or", compare(b, other, own, "LT"), tie), INT32)
    place = _along(b, b.reduce_sum(before, dimensions=(2,)), shape, 1)
    return convert(b, compare(b, place, column, "EQ"), b.aval(keys).dtype)


def _sorted(b: Any, order: Any, keys: Any) -> Any:
    count, n = b.aval(keys).shape
    return b.reshape(_times(b, b.reshape(keys, shape=(count, 1, n)), order, (2, 1)), shape=(count, n))


# ---- eigh --------------------------------------------------------------------------------------------------------


def lower_eigh(b: Any, a: Any, lower: bool) -> tuple[Any, Any]:
    """Rotations of rows and columns make the matrix diagonal; those of the columns make the eigenvectors of the identity."""
    whole = b.aval(a)
    real = aval(whole.shape[:-1], b.aval(_real(b, a)).dtype)
    if whole.size == 0:
        return a, zeros(b, real)
    stack = _hermitian(b, _as_stack(b, a), lower)
    failed = _failures(b, stack)
    stack, scale = _scaled(b, stack, failed)
    count, n, _ = b.aval(stack).shape
    matrix = _even(b, _even(b, stack, 1), 2)
    size = b.aval(matrix).shape[1]
    vectors = _even(b, _identity(b, count, n, stack), 2)

    def turn(_: Any, carry: Any) -> list[Any]:
        matrix, vectors = carry
        diagonal = _real(b, _diagonal(b, matrix))
        p, q = (b.reshape(x, shape=(count, size // 2)) for x in _halves(b, diagonal, 1))
        corner = slice_axis(b, slice_axis(b, matrix, 1, 0, size // 2), 2, size // 2, size)
        versine, sine = _rotation(b, p, q, _diagonal(b, corner))
        matrix = _rotated(b, _rotated(b, matrix, versine, sine, 2), versine, sine, 1)
        return [matrix, _rotated(b, vectors, versine, sine, 2)]

    matrix, vectors = b.repeat(_rounds(b, matrix, size), [matrix, vectors], turn)
    values = slice_axis(b, _real(b, _diagonal(b, matrix)), 1, 0, n)
    vectors = slice_axis(b, vectors, 2, 0, n)
    order = _order(b, values)
    values = b.multiply(_sorted(b, order, values), _repeated(b, scale, (count, n)))
    vectors = _times(b, vectors, _as(b, order, vectors), (2, 1))
    return (
        b.reshape(_or_nan(b, failed, vectors), shape=whole.shape),
        b.reshape(_or_nan(b, failed, values), shape=real.shape),
    )


def _hermitian(b: Any, x: Any, lower: bool) -> Any:
    """The matrix of which one triangle is given; the diagonal is real."""
    a = b.aval(x)
    row, column = (b.iota(shape=a.shape, dtype=INT32, iota_dimension=k) for k in (1, 2))
    given = b.select(compare(b, row, column, "GT" if lower else "LT"), x, zeros(b, a))
    diagonal = b.select(compare(b, row, column, "EQ"), _as(b, _real(b, x), x), zeros(b, a))
    return b.add(b.add(given, _adjoint(b, given)), diagonal)


# ---- svd ---------------------------------------------------------------------------------------------------------


def lower_svd(b: Any, a: Any, full_matrices: bool, compute_uv: bool) -> tuple[Any, ...]:
    """Rotations make the columns orthogonal, one-sidedly: their lengths are the singular values. Wide matrices by their adjoint.

    M. Hestenes, "Inversion of matrices by biorthogonalization and related results", J. SIAM 6 (1958).
    """
    whole = b.aval(a)
    *batch, m, n = whole.shape
    rank = min(m, n)
    if whole.size == 0:
        return _svd_of_nothing(b, a, full_matrices, compute_uv)
    stack = _as_stack(b, a)
    failed = _failures(b, stack)
    stack, scale = _scaled(b, stack, failed)
    count = b.aval(scale).shape[0]
    if m < n:
        stack = _adjoint(b, stack)
    columns, vectors = _orthogonalised(b, stack, compute_uv)
    lengths = b.sqrt(b.reduce_sum(_squares(b, columns), dimensions=(1,)))
    order = _order(b, b.negate(lengths))
    lengths = _sorted(b, order, lengths)
    values = b.multiply(lengths, _repeated(b, scale, (count, rank)))
    made = [b.reshape(_or_nan(b, failed, values), shape=(*batch, rank))]
    if compute_uv:
        columns, vectors = (_times(b, x, _as(b, order, x), (2, 1)) for x in (columns, vectors))
        left = _orthonormal(b, columns, lengths, max(m, n) if full_matrices else rank)
        left, right = (left, vectors) if m >= n else (vectors, left)
        for x in (left, _adjoint(b, right)):
            made.append(b.reshape(_or_nan(b, failed, x), shape=(*batch, *b.aval(x).shape[1:])))
    return tuple(made)


def _svd_of_nothing(b: Any, a: Any, full_matrices: bool, compute_uv: bool) -> tuple[Any, ...]:
    whole = b.aval(a)
    *batch, m, n = whole.shape
    rank = min(m, n)
    s = zeros(b, aval((*batch, rank), b.aval(_real(b, a)).dtype))
    if not compute_uv:
        return (s,)
    sizes = ((m, m if full_matrices else rank), (n if full_matrices else rank, n))
    eyes = (small_constant(b, np.eye(*size, dtype=whole.dtype)) for size in sizes)
    axes = (len(batch), len(batch) + 1)
    return (s, *(b.broadcast_in_dim(e, shape=(*batch, *b.aval(e).shape), broadcast_dimensions=axes) for e in eyes))


def _orthogonalised(b: Any, x: Any, compute_v: bool) -> tuple[Any, Any]:
    """Orthogonal columns x v, and the unitary v (None if it is not wanted)."""
    count, _, n = b.aval(x).shape
    if n == 1:
        return x, _identity(b, count, 1, x) if compute_v else None
    columns = _even(b, x, 2)
    size = b.aval(columns).shape[2]
    state = [columns, _even(b, _identity(b, count, n, x), 2)] if compute_v else [columns]

    def turn(_: Any, carry: Any) -> list[Any]:
        first, second = _halves(b, carry[0], 2)
        p, q = (b.reduce_sum(_squares(b, half), dimensions=(1,)) for half in (first, second))
        r = b.reduce_sum(b.multiply(_conjugate(b, first), second), dimensions=(1,))
        versine, sine = _rotation(b, p, q, r)
        return [_rotated(b, y, versine, sine, 2) for y in carry]

    columns, *vectors = (slice_axis(b, y, 2, 0, n) for y in b.repeat(_rounds(b, x, size), state, turn))
    return columns, vectors[0] if compute_v else None


def _orthonormal(b: Any, x: Any, lengths: Any, wanted: int) -> Any:
    """The unit vectors of orthogonal columns, then further ones; these also in place of columns of zeros.

    A further one comes of that axis which lies least in the columns so far, from which these are subtracted: twice, since
    what is left of an axis may be short.
    """
    count, m, n = b.aval(x).shape
    kind = b.aval(x).dtype
    a = b.aval(lengths)
    least = 2.0**10 * float(np.sqrt(np.finfo(a.dtype).tiny))  # of shorter ones the squares are not exact
    missing = compare(b, lengths, b.full(a, least), "LT")
    divisors = b.select(missing, b.full(a, 1), lengths)
    unit = b.divide(x, _as(b, _along(b, divisors, (count, m, n), 2), x))
    unit = pad_axis(b, unit, 2, 0, wanted - n, 0)
    missing = pad_axis(b, convert(b, missing, INT32), 1, 0, wanted - n, 1)
    places = b.iota(shape=(count, m, 1), dtype=INT32, iota_dimension=1)

    def add(j: Any, carry: Any) -> list[Any]:
        (made,) = carry
        within = b.reduce_sum(_squares(b, made), dimensions=(2,))
        lowest = _repeated(b, b.reduce_min(within, dimensions=(1,)), (count, m, 1))
        at_lowest = compare(b, b.reshape(within, shape=(count, m, 1)), lowest, "EQ")
        first = b.reduce_min(b.select(at_lowest, places, b.full(b.aval(places), m)), dimensions=(1, 2))
        axis = compare(b, places, _repeated(b, first, (count, m, 1)), "EQ")
        given = _slice(b, unit, (m, 1), _zero(b), j)
        absent = b.dynamic_slice(missing, _zero(b), j, slice_sizes=(count, 1))
        absent = compare(b, absent, zeros(b, b.aval(absent)), "NE")
        new = b.select(_spread(b, absent, (count, m, 1)), convert(b, axis, kind), given)
        for _ in range(2):
            inside = _times(b, _conjugate(b, made), new, (1, 1))
            new = b.subtract(new, _times(b, made, inside, (2, 1)))
        length = b.sqrt(b.reduce_sum(_squares(b, new), dimensions=(1, 2)))
        new = b.divide(new, _as(b, _repeated(b, length, (count, m, 1)), new))
        return [b.dynamic_update_slice(made, new, _zero(b), _zero(b), j)]

    (made,) = b.repeat(wanted, [zeros(b, aval((count, m, wanted), kind))], add)
    return made
