"""schur and eig in terms of StableHLO ops: Francis' QR iteration on Hessenberg's form, a loop over sweeps of a whole stack.

A sweep works on the last block of each matrix that has more than two rows, `low` to `high`; the places of reflections are
common to the stack, and where a matrix has no such block they change nothing. Real and complex matrices have the same sweeps,
by two shifts at once. Blocks of two rows are turned at the end.

J. Francis, "The QR transformation, part 2", Computer J. 4 (1962); G. Golub and C. Van Loan, "Matrix Computations", 7.5 and 7.6.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sable.ir.aval import aval

from .compose import INT32, compare, convert, index_constant, logical, pad_axis, slice_axis, zeros
from .linear_algebra_forms_lowering import _diagonal_from, _reduced, _reflected_columns, _where
from .linear_algebra_lowering import (
    _as_stack,
    _conjugate,
    _product_of_reflections,
    _size,
    _slice,
    _spread,
    _times,
    _transposed,
    _zero,
    reflected,
    reflection,
)
from .spectral_lowering import (
    _adjoint,
    _along,
    _as,
    _diagonal,
    _failures,
    _identity,
    _is_complex,
    _or_nan,
    _repeated,
    _scaled,
    _squares,
)

#: Sweeps for each row, as LAPACK's; of matrices below ten rows as many as for ten. Two for a row are usual.
_SWEEPS = 30
#: Of sweeps that split nothing off, each so-manieth has shifts that have nothing to do with the block: matrices that are
#: their own QR step, such as cyclic permutations, have no other way out.
_STALLED = 10


def lower_schur(b: Any, a: Any, compute_schur_vectors: bool) -> tuple[Any, ...]:
    whole = b.aval(a)
    if whole.size == 0:
        return (zeros(b, whole.update(weak_type=False)),) * (1 + compute_schur_vectors)
    stack = _as_stack(b, a)
    failed = _failures(b, stack)
    stack, scale = _scaled(b, stack, failed)
    form, vectors, unfinished = _schur(b, stack, compute_schur_vectors)
    failed = logical(b, "or", failed, unfinished)
    form = b.multiply(form, _as(b, _repeated(b, scale, b.aval(form).shape), form))
    return tuple(b.reshape(_or_nan(b, failed, x), shape=whole.shape) for x in (form, *vectors))


def lower_eig(
    b: Any, a: Any, compute_left_eigenvectors: bool, compute_right_eigenvectors: bool, enable_eigvec_derivs: bool
) -> tuple[Any, ...]:
    whole = b.aval(a)
    dtype = np.result_type(whole.dtype, np.complex64)
    sides = [
        left for left, wanted in ((True, compute_left_eigenvectors), (False, compute_right_eigenvectors)) if wanted
    ]
    if whole.size == 0:
        return zeros(b, aval(whole.shape[:-1], dtype)), *[zeros(b, aval(whole.shape, dtype)) for _ in sides]
    stack = _as_stack(b, a)
    failed = _failures(b, stack)
    stack, scale = _scaled(b, stack, failed)
    form, vectors, unfinished = _schur(b, stack, bool(sides))
    failed = logical(b, "or", failed, unfinished)
    values = _eigenvalues(b, form)
    scaled = b.multiply(values, _as(b, _repeated(b, scale, b.aval(values).shape), values))
    made = [b.reshape(_or_nan(b, failed, scaled), shape=whole.shape[:-1])]
    if sides:
        is_real = not _is_complex(b, form)
        if is_real:
            form, vectors = _turned_blocks(b, convert(b, form, dtype), [convert(b, vectors[0], dtype)])
        for left in sides:
            x = _eigenvectors(b, form, vectors[0], values, left)
            x = _normalised(b, _of_real_matrices(b, x, values)) if is_real else x
            made.append(b.reshape(_or_nan(b, failed, x), shape=whole.shape))
    return tuple(made)


# ---- Schur's form ------------------------------------------------------------------------------------------------


def _schur(b: Any, stack: Any, with_vectors: bool) -> tuple[Any, list[Any], Any]:
    """The form of matrices with parts of at most 1, [the vectors] or [], and which matrices did not come to an end."""
    count, n, _ = b.aval(stack).shape
    nowhere = zeros(b, aval((count,), INT32))
    if n == 1:
        return stack, [_identity(b, count, 1, stack)] if with_vectors else [], compare(b, nowhere, nowhere, "NE")
    packed, taus = _reduced(b, stack)
    vectors = [_unitary(b, packed, taus)] if with_vectors else []
    row, column = _places(b, packed)
    below = compare(b, row, b.add(column, b.full(b.aval(column), 1)), "GT")
    form = b.select(below, zeros(b, b.aval(packed)), packed)
    # three rows begin at each one but the last: one of zeros more
    form = pad_axis(b, pad_axis(b, form, 1, 0, 1, 0), 2, 0, 1, 0)
    form, low, high = _last_block(b, form)

    def sweep(_: Any, carry: Any) -> list[Any]:
        form, low, high, stalled, *vectors = carry
        start = _start(b, form, low, high, stalled)
        form, *vectors = b.repeat(n - 1, [form, *vectors], lambda k, c: _chased(b, k, c, low, high, start))
        form, low, after = _last_block(b, form)
        longer = b.add(stalled, b.full(b.aval(stalled), 1))
        return [form, low, after, b.select(compare(b, after, high, "EQ"), longer, nowhere), *vectors]

    def goes_on(carry: Any) -> Any:
        return compare(b, b.reduce_max(carry[2], dimensions=(0,)), _zero(b), "GT")

    state = [form, low, high, nowhere, *(pad_axis(b, x, 2, 0, 1, 0) for x in vectors)]
    form, _, high, _, *vectors = b.repeat(_SWEEPS * max(10, n), state, sweep, goes_on)
    form, *vectors = (slice_axis(b, x, 2, 0, n) for x in (slice_axis(b, form, 1, 0, n), *vectors))
    form, vectors = _turned_blocks(b, form, vectors)
    return form, vectors, compare(b, high, nowhere, "GT")


def _places(b: Any, x: Any) -> tuple[Any, Any]:
    return tuple(b.iota(shape=b.aval(x).shape, dtype=INT32, iota_dimension=k) for k in (1, 2))


def _unitary(b: Any, packed: Any, taus: Any) -> Any:
    """The product of the reflections of Hessenberg's form."""
    n = b.aval(packed).shape[1]
    inner = slice_axis(b, slice_axis(b, packed, 1, 1, n), 2, 0, n - 1)
    inner = pad_axis(b, pad_axis(b, _product_of_reflections(b, inner, taus, n - 1), 1, 1, 0, 0), 2, 1, 0, 0)
    first = compare(b, b.add(*_places(b, inner)), zeros(b, b.aval(inner).update(dtype=INT32)), "EQ")
    return b.select(first, b.full(b.aval(inner), 1), inner)


def _modulus(b: Any, x: Any) -> Any:
    return b.sqrt(_squares(b, x)) if _is_complex(b, x) else b.abs(x)


def _at(b: Any, x: Any, place: Any) -> Any:
    """An element of each vector (count, m), (count,)."""
    a = b.aval(x)
    chosen = compare(b, b.iota(shape=a.shape, dtype=INT32, iota_dimension=1), _repeated(b, place, a.shape), "EQ")
    return b.reduce_sum(b.select(chosen, x, zeros(b, a)), dimensions=(1,))


def _plus(b: Any, x: Any, number: int) -> Any:
    return b.add(x, b.full(b.aval(x), number))


def _last_block(b: Any, form: Any) -> tuple[Any, Any, Any]:
    """The form without negligible elements below the diagonal; first and last row of the last block of more than two rows,
    both 0 if there is none.
    """
    below, size = _diagonal_from(b, form, 1), _size(b, _diagonal(b, form))
    count, n = b.aval(below).shape
    beside = b.add(slice_axis(b, size, 1, 0, n), slice_axis(b, size, 1, 1, n + 1))
    a = b.aval(beside)
    nothing = compare(b, beside, zeros(b, a), "EQ")
    limits = np.finfo(a.dtype)
    least = b.maximum(
        b.multiply(b.select(nothing, b.full(a, 1), beside), b.full(a, float(limits.eps))),
        b.full(a, n * float(limits.tiny / limits.eps)),
    )
    joined = compare(b, _size(b, below), least, "GT")
    after = convert(b, joined, INT32)
    after = pad_axis(b, slice_axis(b, after, 1, 1, n), 1, 0, 1, 0)
    place = b.iota(shape=(count, n), dtype=INT32, iota_dimension=1)
    none = zeros(b, b.aval(place))
    twice = logical(b, "and", joined, compare(b, after, none, "NE"))
    high = b.reduce_max(b.select(twice, _plus(b, place, 2), none), dimensions=(1,))
    ends = logical(b, "and", logical(b, "not", joined), compare(b, place, _repeated(b, high, (count, n)), "LT"))
    low = b.reduce_max(b.select(ends, _plus(b, place, 1), none), dimensions=(1,))
    row, column = _places(b, form)
    kept = pad_axis(b, convert(b, joined, INT32), 1, 0, 1, 1)
    kept = _along(b, kept, b.aval(form).shape, 2)
    gone = compare(b, b.subtract(row, b.add(column, kept)), b.full(b.aval(row), 1), "EQ")
    return b.select(gone, zeros(b, b.aval(form)), form), low, high


def _start(b: Any, form: Any, low: Any, high: Any, stalled: Any) -> Any:
    """The first column of (h - s)(h - t) of each block, (count, 3, 1), for two shifts s and t.

    They are the two eigenvalues of the last two rows if these are conjugate, else twice the one that is next to the last
    element. With r = (s + t) / 2 and e = (s - t)**2 / 4 the column is (h00 - r)**2 - e + h01 h10, h10 (h00 + h11 - 2 r), h10 h21.
    """
    diagonal, below = _diagonal(b, form), _diagonal_from(b, form, 1)
    above = _diagonal_from(b, _transposed(b, form), 1)
    before, last = _plus(b, high, -1), _at(b, diagonal, high)
    corner = _at(b, diagonal, before), _at(b, above, before), _at(b, below, before), last
    half, product, root, scale, conjugate = _halves(b, *corner)
    a = b.aval(half)
    sum_, zero = b.add(half, root), zeros(b, a)
    nearest = b.negate(b.divide(product, b.select(compare(b, sum_, zero, "EQ"), b.full(a, 1), sum_)))
    shift, spread = nearest, zero
    if conjugate is not None:
        shift, spread = b.select(conjugate, half, nearest), b.select(conjugate, b.negate(b.multiply(root, root)), zero)
    size = _as(b, scale, half)
    shift = b.add(last, b.multiply(size, shift))
    root = b.multiply(b.select(compare(b, spread, zero, "EQ"), zero, root), size)
    spread = b.multiply(b.multiply(spread, size), size)
    # shifts that have nothing to do with the block, as LAPACK's
    far = b.add(_size(b, corner[2]), _size(b, _at(b, below, _plus(b, high, -2))))
    turn = b.remainder(stalled, b.full(b.aval(stalled), _STALLED))
    other = compare(b, turn, b.full(b.aval(turn), _STALLED - 1), "EQ")
    wide = _as(b, far, half)
    shift = b.select(other, b.add(last, b.multiply(wide, b.full(a, 0.75))), shift)
    spread = b.select(other, b.multiply(b.multiply(wide, wide), b.full(a, -0.4375)), spread)
    root = b.select(other, wide, root)
    h00, h01, h10 = _at(b, diagonal, low), _at(b, above, low), _at(b, below, low)
    h11, h21 = _at(b, diagonal, _plus(b, low, 1)), _at(b, below, _plus(b, low, 1))
    first = b.subtract(h00, shift)
    size = b.add(b.add(_size(b, first), _size(b, root)), _size(b, h10))
    size = _as(b, b.select(compare(b, size, zeros(b, b.aval(size)), "EQ"), b.full(b.aval(size), 1), size), half)
    h10 = b.divide(h10, size)
    x = b.subtract(b.multiply(first, b.divide(first, size)), b.divide(spread, size))
    column = [
        b.add(x, b.multiply(h01, h10)),
        b.multiply(h10, b.add(first, b.subtract(h11, shift))),
        b.multiply(h10, h21),
    ]
    shape = (*a.shape, 1, 1)
    return b.concatenate(*[b.reshape(y, shape=shape) for y in column], dimension=1)


def _chased(b: Any, k: Any, carry: Any, low: Any, high: Any, start: Any) -> list[Any]:
    """Rows and columns k to k + 2 reflected, so that of column k - 1 only its first element is left; at `low`, `start`."""
    form, *vectors = carry
    (count, n, _), dtype = b.aval(form).shape, b.aval(form).dtype
    here = b.broadcast_in_dim(k, shape=(count,), broadcast_dimensions=())
    first = compare(b, low, here, "EQ")
    inside = logical(b, "and", compare(b, low, here, "LE"), compare(b, here, high, "LT"))
    previous = b.maximum(_plus(b, k, -1), _zero(b))
    column = b.select(_repeated(b, first, (count, 3, 1)), start, _slice(b, form, (3, 1), k, previous))
    place = b.iota(shape=(count, 3, 1), dtype=INT32, iota_dimension=1)
    reached = b.subtract(_repeated(b, high, (count, 3, 1)), _repeated(b, here, (count, 3, 1)))
    known = logical(b, "and", _repeated(b, inside, (count, 3, 1)), compare(b, place, reached, "LE"))
    column = b.select(known, column, zeros(b, b.aval(column)))
    v, beta, tau = reflection(b, column, _zero(b), _zero(b))
    rows = reflected(b, _slice(b, form, (3, n), k, _zero(b)), v, _conjugate(b, tau))
    shape = (count, 3, n)
    row, column = _places(b, rows)
    left = b.select(compare(b, row, zeros(b, b.aval(row)), "EQ"), _spread(b, beta, shape), zeros(b, aval(shape, dtype)))
    behind = logical(b, "and", inside, logical(b, "not", first))
    at_previous = compare(b, column, b.broadcast_in_dim(previous, shape=shape, broadcast_dimensions=()), "EQ")
    rows = b.select(logical(b, "and", at_previous, _repeated(b, behind, shape)), left, rows)
    form = b.dynamic_update_slice(form, rows, _zero(b), k, _zero(b))
    made = []
    for x in (form, *vectors):
        turned = _reflected_columns(b, _slice(b, x, (b.aval(x).shape[1], 3), _zero(b), k), v, tau)
        made.append(b.dynamic_update_slice(x, turned, _zero(b), _zero(b), k))
    return made


# ---- blocks of two rows ------------------------------------------------------------------------------------------


def _halves(b: Any, p: Any, q: Any, r: Any, s: Any) -> tuple[Any, Any, Any, Any, Any]:
    """Of [[p, q], [r, s]] and its largest number m: (p - s) / 2 m = h, q r / m**2, the root of h**2 + q r / m**2, m, and, of real
    numbers, where that root is imaginary, then without i. The root has h's sign, so that their sum is no difference.
    """
    sizes = [_size(b, x) for x in (p, q, r, s)]
    scale = b.maximum(b.maximum(sizes[0], sizes[1]), b.maximum(sizes[2], sizes[3]))
    scale = b.select(compare(b, scale, zeros(b, b.aval(scale)), "EQ"), b.full(b.aval(scale), 1), scale)
    p, q, r, s = (b.divide(x, _as(b, scale, x)) for x in (p, q, r, s))
    a = b.aval(p)
    half, product = b.multiply(b.subtract(p, s), b.full(a, 0.5)), b.multiply(q, r)
    square = b.add(b.multiply(half, half), product)
    if not _is_complex(b, p):
        conjugate = compare(b, square, zeros(b, a), "LT")
        root = b.sqrt(b.abs(square))
        negative = logical(b, "and", logical(b, "not", conjugate), compare(b, half, zeros(b, a), "LT"))
        return half, product, b.select(negative, b.negate(root), root), scale, conjugate
    root = b.sqrt(square)
    along = b.real(b.multiply(_conjugate(b, half), root))
    opposite = compare(b, along, zeros(b, b.aval(along)), "LT")
    return half, product, b.select(opposite, b.negate(root), root), scale, None


def _turned_blocks(b: Any, form: Any, vectors: list[Any]) -> tuple[Any, list[Any]]:
    """Blocks of two rows made triangular; those of real matrices with conjugate eigenvalues get equal numbers on the diagonal."""
    n = b.aval(form).shape[1]

    def turn(k: Any, carry: Any) -> list[Any]:
        form, *vectors = carry
        rotation, keeps = _block_rotation(b, *_block(b, form, k))
        rows = _times(b, _conjugate(b, rotation), _slice(b, form, (2, n), k, _zero(b)), (1, 1))
        made = [b.dynamic_update_slice(form, rows, _zero(b), k, _zero(b)), *vectors]
        for i, x in enumerate(made):
            columns = _times(b, _slice(b, x, (n, 2), _zero(b), k), rotation, (2, 1))
            made[i] = b.dynamic_update_slice(x, columns, _zero(b), _zero(b), k)
        return [_standard(b, made[0], k, keeps), *made[1:]]

    form, *vectors = b.repeat(n - 1, [form, *vectors], turn) if n > 1 else (form, *vectors)
    return form, vectors


def _block(b: Any, form: Any, k: Any) -> list[Any]:
    """The four numbers from element k of the diagonal on, row by row, (count,) each."""
    count = b.aval(form).shape[0]
    block = b.reshape(_slice(b, form, (2, 2), k, k), shape=(count, 4))
    return [b.reshape(slice_axis(b, block, 1, i, i + 1), shape=(count,)) for i in range(4)]


def _assembled(b: Any, p: Any, q: Any, r: Any, s: Any) -> Any:
    count = b.aval(p).shape[0]
    parts = [b.reshape(x, shape=(count, 1)) for x in (p, q, r, s)]
    return b.reshape(b.concatenate(*parts, dimension=1), shape=(count, 2, 2))


def _block_rotation(b: Any, p: Any, q: Any, r: Any, s: Any) -> tuple[Any, Any]:
    """The unitary [[u, -conj(v)], [v, conj(u)]] that turns blocks; which real ones keep the number below the diagonal.

    (u, v) is the eigenvector (z, r), z = (p - s) / 2 + root. Where that is not real, a turn by the angle x with
    tan 2x = (s - p) / (q + r) makes the numbers on the diagonal equal, and of two such the one above it not the smaller one.
    """
    half, _, root, scale, conjugate = _halves(b, p, q, r, s)
    one, zero = b.full(b.aval(half), 1), zeros(b, b.aval(half))
    q, r = (b.divide(x, _as(b, scale, x)) for x in (q, r))
    idle = compare(b, r, zero, "EQ")
    z = b.add(half, root)
    length = b.sqrt(b.add(_squares(b, z), _squares(b, r)))
    length = _as(b, b.select(idle, b.full(b.aval(length), 1), length), z)
    u, v = b.divide(z, length), b.divide(r, length)
    if conjugate is not None:
        cosine, sine = _equalising(b, q, r, half)
        u, v = b.select(conjugate, cosine, u), b.select(conjugate, sine, v)
    u, v = b.select(idle, one, u), b.select(idle, zero, v)
    return _assembled(b, u, b.negate(_conjugate(b, v)), v, _conjugate(b, u)), conjugate


def _equalising(b: Any, q: Any, r: Any, half: Any) -> tuple[Any, Any]:
    """Cosine and sine of the angle, by those of twice the angle."""
    a = b.aval(half)
    one, zero = b.full(a, 1), zeros(b, a)
    x, y = b.add(q, r), b.negate(b.add(half, half))
    length = b.sqrt(b.add(b.multiply(x, x), b.multiply(y, y)))
    equal = compare(b, length, zero, "EQ")
    length = b.select(equal, one, length)
    length = b.select(compare(b, q, r, "LT"), b.negate(length), length)
    double_cosine, double_sine = b.select(equal, one, b.divide(x, length)), b.divide(y, length)
    larger = b.sqrt(b.multiply(b.add(one, b.abs(double_cosine)), b.full(a, 0.5)))
    smaller = b.divide(double_sine, b.add(larger, larger))
    acute = compare(b, double_cosine, zero, "GE")
    return b.select(acute, larger, smaller), b.select(acute, smaller, larger)


def _standard(b: Any, form: Any, k: Any, keeps: Any) -> Any:
    """The block at k without what rounding errors left: below the diagonal, or of the difference on it."""
    p, q, r, s = _block(b, form, k)
    zero = zeros(b, b.aval(r))
    if keeps is None:
        r = zero
    else:
        keeps = logical(b, "and", keeps, compare(b, b.multiply(b.sign(q), b.sign(r)), zero, "LT"))
        mean = b.multiply(b.add(p, s), b.full(b.aval(p), 0.5))
        p, r, s = b.select(keeps, mean, p), b.select(keeps, r, zero), b.select(keeps, mean, s)
    return b.dynamic_update_slice(form, _assembled(b, p, q, r, s), _zero(b), k, k)


# ---- eigenvalues and eigenvectors --------------------------------------------------------------------------------


def _eigenvalues(b: Any, form: Any) -> Any:
    """Complex ones of Schur's form, of conjugate ones first that with the positive imaginary part."""
    diagonal = _diagonal(b, form)
    if _is_complex(b, form):
        return diagonal
    if b.aval(diagonal).shape[1] == 1:
        return b.complex(diagonal, zeros(b, b.aval(diagonal)))
    below, above = _diagonal_from(b, form, 1), _diagonal_from(b, _transposed(b, form), 1)
    imaginary = b.multiply(b.sqrt(b.abs(below)), b.sqrt(b.abs(above)))
    imaginary = b.subtract(pad_axis(b, imaginary, 1, 0, 1, 0), pad_axis(b, imaginary, 1, 1, 0, 0))
    return b.complex(diagonal, imaginary)


def _eigenvectors(b: Any, form: Any, vectors: Any, values: Any, left: bool) -> Any:
    """Of matrices with this triangular form: of length 1, their largest element real.

    Left ones are those of the adjoint form, which is upper triangular when its rows and columns are in reverse order.
    """
    n = b.aval(form).shape[1]
    if left:
        form = b.reverse(_adjoint(b, form), dimensions=(1, 2))
        values = b.reverse(_conjugate(b, values), dimensions=(1,))
    x = _triangular_eigenvectors(b, form, values) if n > 1 else b.full(b.aval(form), 1)
    if left:
        x = b.reverse(x, dimensions=(1, 2))
    return _normalised(b, _times(b, vectors, x, (2, 1)))


def _triangular_eigenvectors(b: Any, form: Any, values: Any) -> Any:
    """Row i of x: -(what is right of the diagonal in row i of the form) x / (w_i - w_j), column by column.

    Equal eigenvalues are taken as different by a rounding error, and columns kept at numbers of at most 1.
    """
    a = b.aval(form)
    count, n, _ = a.shape
    row, column = _places(b, form)
    strict = _where(b, "LT", form, zeros(b, a))
    size = _size(b, values)
    real = b.aval(size)
    limits = np.finfo(real.dtype)
    least = b.multiply(size, b.full(real, float(limits.eps)))
    least = b.maximum(least, b.full(real, n * float(limits.tiny / limits.eps)))
    unit = b.select(compare(b, row, column, "EQ"), b.full(a, 1), zeros(b, a))
    places = b.iota(shape=(count, n), dtype=INT32, iota_dimension=1)

    def substitute(k: Any, carry: Any) -> list[Any]:
        (x,) = carry
        i = b.subtract(index_constant(b, n - 2, INT32), k)
        known = _times(b, _slice(b, strict, (1, n), i, _zero(b)), x, (2, 1))
        own = b.dynamic_slice(values, _zero(b), i, slice_sizes=(count, 1))
        gap = b.subtract(values, b.broadcast_in_dim(own, shape=(count, n), broadcast_dimensions=(0, 1)))
        gap = b.select(compare(b, _size(b, gap), least, "LT"), _as(b, least, gap), gap)
        made = b.divide(b.reshape(known, shape=(count, n)), gap)
        right = compare(b, places, b.broadcast_in_dim(i, shape=(count, n), broadcast_dimensions=()), "GT")
        made = b.select(right, made, zeros(b, b.aval(made)))
        length = b.maximum(_size(b, made), b.full(real, 1))
        here = b.broadcast_in_dim(i, shape=a.shape, broadcast_dimensions=())
        own_row = compare(b, row, here, "EQ")
        x = b.select(logical(b, "and", own_row, compare(b, column, here, "GT")), _along(b, made, a.shape, 2), x)
        return [b.divide(x, _as(b, _along(b, length, a.shape, 2), x))]

    (x,) = b.repeat(n - 1, [unit], substitute)
    return x


def _normalised(b: Any, x: Any) -> Any:
    """Columns of length 1 whose largest element is real."""
    a = b.aval(x)
    size = _modulus(b, x)
    largest = _along(b, b.reduce_max(size, dimensions=(1,)), a.shape, 2)
    x, size = b.divide(x, _as(b, largest, x)), b.divide(size, largest)
    length = b.sqrt(b.reduce_sum(b.multiply(size, size), dimensions=(1,)))
    place = _along(b, b.argmax(size, axis=1, index_dtype=INT32), a.shape, 2)
    chosen = compare(b, _places(b, x)[0], place, "EQ")
    phase = b.reduce_sum(b.select(chosen, x, zeros(b, a)), dimensions=(1,))
    by = b.divide(_conjugate(b, phase), _as(b, b.multiply(_modulus(b, phase), length), phase))
    x = b.multiply(x, _along(b, by, a.shape, 2))
    return b.select(chosen, _as(b, b.real(x), x), x)


def _of_real_matrices(b: Any, x: Any, values: Any) -> Any:
    """Eigenvectors of real eigenvalues are real, those of conjugate ones conjugate: what is so but for rounding errors.

    These may be large where eigenvalues are next to each other: the real part, with a largest element of the whole, is right.
    """
    imaginary = b.imag(values)
    a = b.aval(x)
    zero = zeros(b, b.aval(imaginary))
    alone, second = (_along(b, compare(b, imaginary, zero, way), a.shape, 2) for way in ("EQ", "LT"))
    n = a.shape[2]
    first = pad_axis(b, slice_axis(b, _conjugate(b, x), 2, 0, n - 1), 2, 1, 0, 0) if n > 1 else x
    return b.select(alone, _as(b, b.real(x), x), b.select(second, first, x))
