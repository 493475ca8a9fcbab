"""Linear algebra in terms of StableHLO ops: one column, or row, a trip of a loop over the batch.

A trip of cholesky and of triangular_solve is a product of the part that is known with one of its rows, so the work is that
of the textbook and half of it multiplies zeros. A trip of lu changes the whole matrix, of which a third has to.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sable.ir.aval import aval, bfloat16
from sable.ir.codec import DotDimensions, GatherDimensions

from .compose import INT32, compare, index_constant, zeros


def _as_stack(b: Any, x: Any) -> Any:
    shape = b.aval(x).shape
    return b.reshape(x, shape=(math.prod(shape[:-2]), *shape[-2:]))


def _transposed(b: Any, x: Any) -> Any:
    return b.transpose(x, permutation=(0, 2, 1))


def _conjugate(b: Any, x: Any) -> Any:
    return x if b.aval(x).dtype.kind != "c" else b.complex(b.real(x), b.negate(b.imag(x)))


def _slice(b: Any, x: Any, sizes: tuple[int, int], row: Any, column: Any) -> Any:
    """(batch, *sizes) of a stack, from there on."""
    return b.dynamic_slice(x, _zero(b), row, column, slice_sizes=(b.aval(x).shape[0], *sizes))


def _zero(b: Any) -> Any:
    return index_constant(b, 0, INT32)


def _times(b: Any, x: Any, y: Any, contract: tuple[int, int]) -> Any:
    a = b.aval(x)
    return b.dot_general(
        x,
        y,
        dot_dimension_numbers=DotDimensions((0,), (0,), contract[:1], contract[1:]),
        precision_config=("HIGHEST", "HIGHEST"),
        preferred_element_type=a.dtype,
    )


def _spread(b: Any, x: Any, shape: tuple[int, ...]) -> Any:
    """A stack of single elements repeated to a shape."""
    flat = b.reshape(x, shape=(shape[0],))
    return b.broadcast_in_dim(flat, shape=shape, broadcast_dimensions=(0,))


def lower_cholesky(b: Any, a: Any, lower: bool) -> Any:
    """Column j is (a_j - L l_j^H) / sqrt(its element j), where l_j is row j of the columns before.

    G. Golub and C. Van Loan, "Matrix Computations", 4.2.5 (by gaxpy). A pivot that is not positive is NaN, and so are all
    after it: the last one tells whether there is a factor.
    """
    whole = b.aval(a)
    if whole.size == 0:
        return a
    stack = _as_stack(b, a)
    if not lower:
        stack = _transposed(b, _conjugate(b, stack))
    count, n, _ = b.aval(stack).shape

    def column(j: Any, carry: Any) -> list[Any]:
        (factor,) = carry
        row = _conjugate(b, _slice(b, factor, (1, n), j, _zero(b)))
        known = _times(b, factor, row, (2, 2))
        rest = b.subtract(_slice(b, stack, (n, 1), _zero(b), j), known)
        places = b.iota(shape=(count, n, 1), dtype=INT32, iota_dimension=1)
        here = b.broadcast_in_dim(j, shape=(count, n, 1), broadcast_dimensions=())
        root = _positive_root(b, _slice(b, rest, (1, 1), j, _zero(b)))
        below = b.divide(rest, _spread(b, root, (count, n, 1)))
        made = b.select(compare(b, places, here, "EQ"), _spread(b, root, (count, n, 1)), below)
        made = b.select(compare(b, places, here, "GE"), made, zeros(b, b.aval(made)))
        return [b.dynamic_update_slice(factor, made, _zero(b), _zero(b), j)]

    (factor,) = b.repeat(n, [zeros(b, b.aval(stack).update(weak_type=False))], column)
    factor = _without_failures(b, factor)
    if not lower:
        factor = _transposed(b, _conjugate(b, factor))
    return b.reshape(factor, shape=whole.shape)


def _positive_root(b: Any, x: Any) -> Any:
    """The root of the real part; NaN where that is not positive."""
    a = b.aval(x)
    is_complex = a.dtype.kind == "c"
    real = b.real(x) if is_complex else x
    r = b.aval(real)
    root = b.select(compare(b, real, zeros(b, r), "GT"), b.sqrt(real), b.full(r, np.nan))
    return b.complex(root, zeros(b, r)) if is_complex else root


def _without_failures(b: Any, factor: Any) -> Any:
    """The lower triangle of NaN where the last pivot is NaN."""
    a = b.aval(factor)
    n = a.shape[1]
    last = b.slice(factor, start_indices=(0, n - 1, n - 1), limit_indices=a.shape, strides=(1, 1, 1))
    last = b.real(last) if a.dtype.kind == "c" else last
    failed = _spread(b, compare(b, last, last, "NE"), a.shape)
    row, column = (b.iota(shape=a.shape, dtype=INT32, iota_dimension=k) for k in (1, 2))
    real = b.aval(last).update(shape=a.shape)
    nothing = b.select(compare(b, row, column, "GE"), b.full(real, np.nan), zeros(b, real))
    return b.select(failed, b.complex(nothing, nothing) if a.dtype.kind == "c" else nothing, factor)


#: Computed in float32, and rounded once.
HALF, _FLOAT32 = (np.dtype(np.float16), bfloat16), np.dtype(np.float32)


def lower_triangular_solve(
    b: Any, a: Any, rhs: Any, left_side: bool, lower: bool, unit_diagonal: bool, transpose_a: str
) -> Any:
    """Substitution: row i of x is (b_i - (row i of a's strict triangle) x) / a_ii, where rows to come are zero."""
    whole = b.aval(rhs)
    if whole.size == 0:
        return rhs
    if whole.dtype in HALF:
        wide = [b.convert(x, dtype=_FLOAT32) for x in (a, rhs)]
        options = {"left_side": left_side, "lower": lower, "unit_diagonal": unit_diagonal, "transpose_a": transpose_a}
        return b.convert(b.triangular_solve(*wide, **options), dtype=whole.dtype)
    matrix, sides = _as_stack(b, a), _as_stack(b, rhs)
    if transpose_a == "ADJOINT":
        matrix = _conjugate(b, matrix)
    # x op(a) = b is op(a)' x' = b'
    if left_side == (transpose_a != "NO_TRANSPOSE"):
        matrix, lower = _transposed(b, matrix), not lower
    if not left_side:
        sides = _transposed(b, sides)
    x = _substitute(b, matrix, sides, lower, unit_diagonal)
    return b.reshape(x if left_side else _transposed(b, x), shape=whole.shape)


def _substitute(b: Any, matrix: Any, sides: Any, lower: bool, unit_diagonal: bool) -> Any:
    a = b.aval(matrix)
    count, n, columns = b.aval(sides).shape
    row, column = (b.iota(shape=a.shape, dtype=INT32, iota_dimension=k) for k in (1, 2))
    strict = b.select(compare(b, row, column, "GT" if lower else "LT"), matrix, zeros(b, a))

    def solve_row(k: Any, carry: Any) -> list[Any]:
        (x,) = carry
        i = k if lower else b.subtract(index_constant(b, n - 1, INT32), k)
        known = _times(b, _slice(b, strict, (1, n), i, _zero(b)), x, (2, 1))
        made = b.subtract(_slice(b, sides, (1, columns), i, _zero(b)), known)
        if not unit_diagonal:
            made = b.divide(made, _spread(b, _slice(b, matrix, (1, 1), i, i), (count, 1, columns)))
        return [b.dynamic_update_slice(x, made, _zero(b), i, _zero(b))]

    (x,) = b.repeat(n, [zeros(b, aval((count, n, columns), a.dtype))], solve_row)
    return x


# ---- lu ----------------------------------------------------------------------------------------------------------


def lower_lu(b: Any, a: Any) -> tuple[Any, Any, Any]:
    """Trip j exchanges row j with that of the largest number below, divides what is below by it and eliminates it.

    G. Golub and C. Van Loan, "Matrix Computations", 3.4.4 (outer products). Where a whole column is zero it stays so.
    """
    whole = b.aval(a)
    *batch, m, n = whole.shape
    k = min(m, n)
    if whole.size == 0:
        pivots = zeros(b, aval((*batch, k), INT32))
        return a, pivots, b.lu_pivots_to_permutation(pivots, permutation_size=m)
    stack = _as_stack(b, a)
    shape = b.aval(stack).shape
    count = shape[0]
    row, column = (b.iota(shape=shape, dtype=INT32, iota_dimension=i) for i in (1, 2))

    def eliminate(j: Any, carry: Any) -> list[Any]:
        matrix, pivots = carry
        here = b.broadcast_in_dim(j, shape=shape, broadcast_dimensions=())
        pivot = _largest(b, _slice(b, matrix, (m, 1), _zero(b), j), j)
        chosen = compare(b, row, b.broadcast_in_dim(pivot, shape=shape, broadcast_dimensions=(0,)), "EQ")
        above, taken = _slice(b, matrix, (1, n), j, _zero(b)), _row_where(b, chosen, matrix)
        above, taken = (b.broadcast_in_dim(x, shape=shape, broadcast_dimensions=(0, 1, 2)) for x in (above, taken))
        matrix = b.select(compare(b, row, here, "EQ"), taken, b.select(chosen, above, matrix))
        left = _divided(b, matrix, j)
        rest = b.subtract(matrix, b.multiply(left, taken))
        rest = b.select(compare(b, column, here, "GT"), rest, b.select(compare(b, column, here, "EQ"), left, matrix))
        matrix = b.select(compare(b, row, here, "GT"), rest, matrix)
        return [matrix, b.dynamic_update_slice(pivots, b.reshape(pivot, shape=(count, 1)), _zero(b), j)]

    factors, pivots = b.repeat(k, [stack, zeros(b, aval((count, k), INT32))], eliminate)
    pivots = b.reshape(pivots, shape=(*batch, k))
    return b.reshape(factors, shape=whole.shape), pivots, b.lu_pivots_to_permutation(pivots, permutation_size=m)


def _size(b: Any, x: Any) -> Any:
    """|x|; of complex numbers the sum of the parts' magnitudes, which is what LAPACK chooses pivots by."""
    if b.aval(x).dtype.kind != "c":
        return b.abs(x)
    return b.add(b.abs(b.real(x)), b.abs(b.imag(x)))


def _largest(b: Any, columns: Any, first: Any) -> Any:
    """The row of the largest number of each (m, 1) column, from row `first` on."""
    count, m, _ = b.aval(columns).shape
    size = b.reshape(_size(b, columns), shape=(count, m))
    a = b.aval(size)
    places = b.iota(shape=a.shape, dtype=INT32, iota_dimension=1)
    from_there = compare(b, places, b.broadcast_in_dim(first, shape=a.shape, broadcast_dimensions=()), "GE")
    return b.argmax(b.select(from_there, size, b.full(a, -1)), axis=1, index_dtype=INT32)


def _row_where(b: Any, chosen: Any, matrix: Any) -> Any:
    """The one row of each matrix that is chosen, (count, 1, n)."""
    a = b.aval(matrix)
    row = b.reduce_sum(b.select(chosen, matrix, zeros(b, a)), dimensions=(1,))
    return b.reshape(row, shape=(a.shape[0], 1, a.shape[2]))


def _divided(b: Any, matrix: Any, j: Any) -> Any:
    """Column j divided by its element j, unless that is 0; repeated to the matrix's shape."""
    shape = b.aval(matrix).shape
    column, pivot = _slice(b, matrix, (shape[1], 1), _zero(b), j), _slice(b, matrix, (1, 1), j, j)
    size = _size(b, pivot)
    nothing = _spread(b, compare(b, size, zeros(b, b.aval(size)), "EQ"), (*shape[:2], 1))
    divided = b.select(nothing, column, b.divide(column, _spread(b, pivot, (*shape[:2], 1))))
    return b.broadcast_in_dim(divided, shape=shape, broadcast_dimensions=(0, 1, 2))


def lower_lu_pivots_to_permutation(b: Any, pivots: Any, permutation_size: int) -> Any:
    """Trip i exchanges element i with that of its pivot."""
    *batch, k = b.aval(pivots).shape
    count = math.prod(batch)
    shape = (count, permutation_size)
    places = b.iota(shape=shape, dtype=INT32, iota_dimension=1)
    if count * k == 0:
        return b.reshape(places, shape=(*batch, permutation_size))
    pivots = b.reshape(pivots, shape=(count, k))
    last = index_constant(b, permutation_size - 1, INT32)
    pivots = b.clamp(_zero(b), pivots, last)

    def exchange(i: Any, carry: Any) -> list[Any]:
        (order,) = carry

        def element(x: Any) -> Any:
            found = b.dynamic_slice(x, _zero(b), i, slice_sizes=(count, 1))
            return b.broadcast_in_dim(found, shape=shape, broadcast_dimensions=(0, 1))

        other = compare(b, places, element(pivots), "EQ")
        here = compare(b, places, b.broadcast_in_dim(i, shape=shape, broadcast_dimensions=()), "EQ")
        theirs = b.reduce_sum(b.select(other, order, zeros(b, b.aval(order))), dimensions=(1,))
        theirs = b.broadcast_in_dim(theirs, shape=shape, broadcast_dimensions=(0,))
        return [b.select(here, theirs, b.select(other, element(order), order))]

    (order,) = b.repeat(k, [places], exchange)
    return b.reshape(order, shape=(*batch, permutation_size))


def take_rows(b: Any, x: Any, rows: Any) -> Any:
    """x[..., rows[..., i], :] for a stack of matrices and a stack of lists of rows."""
    shape = b.aval(x).shape
    n = len(shape)
    batch = tuple(range(n - 2))
    return b.gather(
        x,
        b.reshape(rows, shape=(*b.aval(rows).shape, 1)),
        dimension_numbers=GatherDimensions((n - 1,), (n - 2,), batch, batch, (n - 2,), n - 1),
        slice_sizes=(*[1] * (n - 1), shape[-1]),
        indices_are_sorted=False,
    )


def take_columns(b: Any, x: Any, columns: Any) -> Any:
    """x[..., :, columns[..., i]] likewise."""
    n = len(b.aval(x).shape)
    turned = (*range(n - 2), n - 1, n - 2)
    return b.transpose(take_rows(b, b.transpose(x, permutation=turned), columns), permutation=turned)


def lower_lu_solve(b: Any, a: Any, factors: Any, permutation: Any, rhs: Any, transpose_a: bool) -> Any:
    return solve_by_factors(b, factors, permutation, rhs, "TRANSPOSE" if transpose_a else "NO_TRANSPOSE")


def solve_by_factors(b: Any, factors: Any, permutation: Any, rhs: Any, transpose_a: str) -> Any:
    """x of op(a) x = b, where P a = L U: P^T L U x = b, or U^T L^T P x = b."""
    if b.aval(rhs).size == 0:
        return rhs
    solve = {"left_side": True, "transpose_a": transpose_a}
    by_lower = {"lower": True, "unit_diagonal": True, **solve}
    by_upper = {"lower": False, "unit_diagonal": False, **solve}
    if transpose_a == "NO_TRANSPOSE":
        x = b.triangular_solve(factors, take_rows(b, rhs, permutation), **by_lower)
        return b.triangular_solve(factors, x, **by_upper)
    x = b.triangular_solve(factors, b.triangular_solve(factors, rhs, **by_upper), **by_lower)
    shape = b.aval(permutation).shape
    places = b.iota(shape=shape, dtype=INT32, iota_dimension=len(shape) - 1)
    _, inverse = b.sort(permutation, places, dimension=len(shape) - 1, num_keys=1, is_stable=True)
    return take_rows(b, x, inverse)


# ---- qr ----------------------------------------------------------------------------------------------------------


def lower_geqrf(b: Any, a: Any) -> tuple[Any, Any]:
    """Trip j reflects column j from its diagonal element on to a multiple of the unit vector, and all behind it alike.

    The reflection is I - tau v v^H as LAPACK's: v begins with 1 and the diagonal of R is real, its sign the other one than
    that of the element. G. Golub and C. Van Loan, "Matrix Computations", 5.2.2.
    """
    whole = b.aval(a)
    *batch, m, n = whole.shape
    k = min(m, n)
    if whole.size == 0:
        return a, zeros(b, aval((*batch, k), whole.dtype))
    stack = _as_stack(b, a)
    count = b.aval(stack).shape[0]

    def reflect(j: Any, carry: Any) -> list[Any]:
        matrix, taus = carry
        matrix, tau = _reflect_rows(b, matrix, j)
        return [matrix, b.dynamic_update_slice(taus, b.reshape(tau, shape=(count, 1)), _zero(b), j)]

    packed, taus = b.repeat(k, [stack, zeros(b, aval((count, k), whole.dtype))], reflect)
    return b.reshape(packed, shape=whole.shape), b.reshape(taus, shape=(*batch, k))


def _reflect_rows(b: Any, matrix: Any, j: Any) -> tuple[Any, Any]:
    """The matrix after the reflection of column j from its diagonal element on, with v in that column; and tau."""
    shape = b.aval(matrix).shape
    row, column = (b.iota(shape=shape, dtype=INT32, iota_dimension=i) for i in (1, 2))
    here = b.broadcast_in_dim(j, shape=shape, broadcast_dimensions=())
    v, beta, tau = reflection(b, matrix, j, j)
    turned = reflected(b, matrix, v, _conjugate(b, tau))
    v, beta = (b.broadcast_in_dim(x, shape=shape, broadcast_dimensions=(0, 1, 2)) for x in (v, beta))
    own = b.select(compare(b, row, here, "EQ"), beta, b.select(compare(b, row, here, "GT"), v, matrix))
    turned = b.select(compare(b, column, here, "GT"), turned, matrix)
    return b.select(compare(b, column, here, "EQ"), own, turned), tau


def reflection(b: Any, matrix: Any, row: Any, j: Any) -> tuple[Any, Any, Any]:
    """Of column j from a row on: v (count, m, 1), which begins with 1 there, what is left of the column, beta, in that row,
    and tau, (count, 1, 1), which is 0 where there is nothing to do.
    """
    m = b.aval(matrix).shape[1]
    column, alpha = _slice(b, matrix, (m, 1), _zero(b), j), _slice(b, matrix, (1, 1), row, j)
    a, one = b.aval(column), b.aval(alpha)
    places = b.iota(shape=a.shape, dtype=INT32, iota_dimension=1)
    here = b.broadcast_in_dim(row, shape=a.shape, broadcast_dimensions=())
    below = b.select(compare(b, places, here, "GT"), column, zeros(b, a))
    is_complex = a.dtype.kind == "c"
    rest, (real, imag) = _length(b, below), (b.real(alpha), b.imag(alpha)) if is_complex else (alpha, None)
    known = b.select(compare(b, places, here, "EQ"), column, below)
    length = _length(b, known)
    beta = b.select(compare(b, real, zeros(b, b.aval(real)), "GE"), b.negate(length), length)
    tau = b.divide(b.subtract(beta, real), beta)
    other = rest
    if is_complex:
        tau, other = b.complex(tau, b.divide(b.negate(imag), beta)), b.add(rest, b.abs(imag))
    idle = compare(b, other, zeros(b, b.aval(other)), "EQ")
    as_number = (lambda x: b.complex(x, zeros(b, b.aval(x)))) if is_complex else (lambda x: x)
    divisor = b.select(idle, b.full(one, 1), b.subtract(alpha, as_number(beta)))
    v = b.divide(below, _spread(b, divisor, a.shape))
    v = b.select(compare(b, places, here, "EQ"), b.full(a, 1), v)
    return v, b.select(idle, alpha, as_number(beta)), b.select(idle, zeros(b, one), tau)


def _length(b: Any, columns: Any) -> Any:
    """The lengths of (m, 1) columns, (count, 1, 1), real; without overflow of squares."""
    a = b.aval(columns)
    parts = [columns] if a.dtype.kind != "c" else [b.real(columns), b.imag(columns)]
    largest = b.reduce_max(_size(b, columns), dimensions=(1,))
    scale = b.select(compare(b, largest, zeros(b, b.aval(largest)), "EQ"), b.full(b.aval(largest), 1), largest)
    scaled = [b.divide(x, _spread(b, scale, a.shape)) for x in parts]
    squares = [b.reduce_sum(b.multiply(x, x), dimensions=(1,)) for x in scaled]
    total = squares[0] if len(squares) == 1 else b.add(*squares)
    return b.reshape(b.multiply(scale, b.sqrt(total)), shape=(a.shape[0], 1, 1))


def reflected(b: Any, matrix: Any, v: Any, tau: Any) -> Any:
    """(I - tau v v^H) matrix."""
    shape = b.aval(matrix).shape
    along = _times(b, _conjugate(b, v), matrix, (1, 1))
    along = b.multiply(_spread(b, tau, b.aval(along).shape), along)
    v, along = (b.broadcast_in_dim(x, shape=shape, broadcast_dimensions=(0, 1, 2)) for x in (v, along))
    return b.subtract(matrix, b.multiply(v, along))


def lower_householder_product(b: Any, a: Any, taus: Any) -> Any:
    return _product_of_reflections(b, a, taus, b.aval(a).shape[-1])


def _product_of_reflections(b: Any, packed: Any, taus: Any, columns: int) -> Any:
    """The first columns of the product of the reflections whose vectors stand below the diagonal."""
    whole = b.aval(packed)
    *batch, m, _ = whole.shape
    count, k = math.prod(batch), b.aval(taus).shape[-1]
    shape = (count, m, columns)
    row, column = (b.iota(shape=shape, dtype=INT32, iota_dimension=i) for i in (1, 2))
    made = aval(shape, whole.dtype)
    unit = b.select(compare(b, row, column, "EQ"), b.full(made, 1), zeros(b, made))
    if made.size == 0 or k == 0:
        return b.reshape(unit, shape=(*batch, m, columns))
    stack, taus = _as_stack(b, packed), b.reshape(taus, shape=(count, k))

    def reflect(i: Any, carry: Any) -> list[Any]:
        (product,) = carry
        j = b.subtract(index_constant(b, k - 1, INT32), i)
        v = _packed_vector(b, stack, j)
        return [reflected(b, product, v, b.dynamic_slice(taus, _zero(b), j, slice_sizes=(count, 1)))]

    (product,) = b.repeat(k, [unit], reflect)
    return b.reshape(product, shape=(*batch, m, columns))


def _packed_vector(b: Any, stack: Any, j: Any) -> Any:
    """v of the reflection that stands below the diagonal of column j, (count, m, 1)."""
    count, m, _ = b.aval(stack).shape
    v = _slice(b, stack, (m, 1), _zero(b), j)
    places = b.iota(shape=(count, m, 1), dtype=INT32, iota_dimension=1)
    here = b.broadcast_in_dim(j, shape=(count, m, 1), broadcast_dimensions=())
    v = b.select(compare(b, places, here, "GT"), v, zeros(b, b.aval(v)))
    return b.select(compare(b, places, here, "EQ"), b.full(b.aval(v), 1), v)


def lower_ormqr(b: Any, a: Any, taus: Any, c: Any, left: bool, transpose: bool) -> Any:
    """Reflections of c one after the other: the last one first for Q c, the first one first for Q^H c; c Q = (Q^H c^H)^H."""
    whole = b.aval(c)
    k = b.aval(taus).shape[-1]
    if whole.size == 0 or k == 0:
        return c
    stack, matrix = _as_stack(b, a), _as_stack(b, c)
    count = b.aval(stack).shape[0]
    taus = b.reshape(taus, shape=(count, k))
    if not left:
        matrix, transpose = _transposed(b, _conjugate(b, matrix)), not transpose
    if transpose:
        taus = _conjugate(b, taus)

    def reflect(i: Any, carry: Any) -> list[Any]:
        (product,) = carry
        j = i if transpose else b.subtract(index_constant(b, k - 1, INT32), i)
        tau = b.dynamic_slice(taus, _zero(b), j, slice_sizes=(count, 1))
        return [reflected(b, product, _packed_vector(b, stack, j), tau)]

    (product,) = b.repeat(k, [matrix], reflect)
    return b.reshape(product if left else _transposed(b, _conjugate(b, product)), shape=whole.shape)


def lower_geqp3(b: Any, a: Any) -> tuple[Any, Any, Any]:
    """As `lower_geqrf`, but trip j first exchanges column j with the longest one from there on, by what is left of it.

    G. Golub and C. Van Loan, "Matrix Computations", 5.4.2.
    """
    whole = b.aval(a)
    *batch, m, n = whole.shape
    k = min(m, n)
    places = b.iota(shape=(math.prod(batch), n), dtype=INT32, iota_dimension=1)
    if whole.size == 0:
        return a, b.reshape(places, shape=(*batch, n)), zeros(b, aval((*batch, k), whole.dtype))
    stack = _as_stack(b, a)
    count = b.aval(stack).shape[0]

    def reflect(j: Any, carry: Any) -> list[Any]:
        matrix, order, taus = carry
        pivot = _longest(b, matrix, j)
        order = b.reshape(order, shape=(count, 1, n))
        matrix, order = (_columns_exchanged(b, x, j, pivot) for x in (matrix, order))
        matrix, tau = _reflect_rows(b, matrix, j)
        taus = b.dynamic_update_slice(taus, b.reshape(tau, shape=(count, 1)), _zero(b), j)
        return [matrix, b.reshape(order, shape=(count, n)), taus]

    state = [stack, places, zeros(b, aval((count, k), whole.dtype))]
    packed, order, taus = b.repeat(k, state, reflect)
    order, taus = b.reshape(order, shape=(*batch, n)), b.reshape(taus, shape=(*batch, k))
    return b.reshape(packed, shape=whole.shape), order, taus


def _longest(b: Any, matrix: Any, j: Any) -> Any:
    """Which column of each matrix is the longest from row j and column j on, (count,)."""
    a = b.aval(matrix)
    row, column = (b.iota(shape=a.shape, dtype=INT32, iota_dimension=i) for i in (1, 2))
    here = b.broadcast_in_dim(j, shape=a.shape, broadcast_dimensions=())
    rest = b.select(compare(b, row, here, "GE"), matrix, zeros(b, a))
    largest = b.reduce_max(_size(b, rest), dimensions=(1, 2))
    scale = b.select(compare(b, largest, zeros(b, b.aval(largest)), "EQ"), b.full(b.aval(largest), 1), largest)
    parts = [rest] if a.dtype.kind != "c" else [b.real(rest), b.imag(rest)]
    scaled = [b.divide(x, b.broadcast_in_dim(scale, shape=a.shape, broadcast_dimensions=(0,))) for x in parts]
    squares = [b.reduce_sum(b.multiply(x, x), dimensions=(1,)) for x in scaled]
    total = squares[0] if len(squares) == 1 else b.add(*squares)
    wanted = b.reshape(b.slice(compare(b, column, here, "GE"), **_first_row(a.shape)), shape=(a.shape[0], a.shape[2]))
    return b.argmax(b.select(wanted, total, b.full(b.aval(total), -1)), axis=1, index_dtype=INT32)


def _first_row(shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    return {"start_indices": (0, 0, 0), "limit_indices": (shape[0], 1, shape[2]), "strides": (1, 1, 1)}


def _columns_exchanged(b: Any, x: Any, j: Any, other: Any) -> Any:
    """Matrices with column j and another one of each exchanged."""
    a = b.aval(x)
    column = b.iota(shape=a.shape, dtype=INT32, iota_dimension=2)
    at_other = compare(b, column, b.broadcast_in_dim(other, shape=a.shape, broadcast_dimensions=(0,)), "EQ")
    at_j = compare(b, column, b.broadcast_in_dim(j, shape=a.shape, broadcast_dimensions=()), "EQ")
    own = b.broadcast_in_dim(_slice(b, x, (a.shape[1], 1), _zero(b), j), shape=a.shape, broadcast_dimensions=(0, 1, 2))
    taken = b.reduce_sum(b.select(at_other, x, zeros(b, a)), dimensions=(2,))
    taken = b.broadcast_in_dim(taken, shape=a.shape, broadcast_dimensions=(0, 1))
    return b.select(at_j, taken, b.select(at_other, own, x))


def lower_qr(b: Any, a: Any, full_matrices: bool, pivoting: bool) -> tuple[Any, ...]:
    *batch, m, n = b.aval(a).shape
    k = m if full_matrices else min(m, n)
    packed, *order, taus = b.geqp3(a) if pivoting else b.geqrf(a)
    first = len(batch)
    limits = (*batch, k, n)
    r = b.slice(packed, start_indices=(0,) * len(limits), limit_indices=limits, strides=(1,) * len(limits))
    row, column = (b.iota(shape=limits, dtype=INT32, iota_dimension=first + i) for i in (0, 1))
    r = b.select(compare(b, row, column, "LE"), r, zeros(b, b.aval(r)))
    return _product_of_reflections(b, packed, taus, k), r, *order
