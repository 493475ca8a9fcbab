"""fft in terms of StableHLO ops: a few products with small matrices of roots of unity, for lengths of any factors.

Numbers are lists of their parts, [real] or [real, imaginary], each of shape (n, columns); the transform goes along the
first axis. Constants are computed in f64, of exact multiples of the angle.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sable.ir.codec import DotDimensions

from .compose import pad_axis, slice_axis, zeros

#: the largest matrix; lengths with a larger prime factor go by Bluestein's algorithm
_LARGEST_FACTOR = 64
#: what a further stage costs: as much as so many products an element
_STAGE_COST = 48
#: numbers of a table of roots; larger ones are products of two
_LARGEST_TABLE = 1 << 14


def lower_fft(b: Any, x: Any, fft_type: str, fft_length: tuple[int, ...]) -> Any:
    """The transform along the last axes: one after the other, each moved to the front."""
    a = b.aval(x)
    rank = len(fft_length)
    lengths = dict(zip(range(a.ndim - rank, a.ndim), fft_length))
    order = sorted(lengths, reverse=fft_type == "RFFT")
    last = a.ndim - 1
    shape = [*a.shape[:-1], _count_out(fft_type, fft_length[-1])]
    parts = [b.real(x), b.imag(x)] if a.dtype.kind == "c" else [x]
    if not a.size or not math.prod(shape):
        nothing = zeros(b, b.aval(parts[0]).update(shape=tuple(shape), weak_type=False))
        return nothing if fft_type == "IRFFT" else b.complex(nothing, nothing)
    if fft_type == "IRFFT":
        parts = _both_halves(b, parts, fft_length[-1])
    sizes, places = list(a.shape), list(range(a.ndim))  # the axes as they lie
    for axis in order:
        inner = [d for d in places if d != axis]
        parts = [_laid(b, x, places, (axis, *inner)) for x in parts]
        places = [axis, *inner]
        columns = math.prod(sizes[d] for d in inner)
        parts = [b.reshape(x, shape=(sizes[axis], columns)) for x in parts]
        rows = shape[axis]
        real = fft_type == "IRFFT" and axis == last
        parts = _transform(b, parts, _Transform(lengths[axis], rows, fft_type in ("IFFT", "IRFFT"), real))
        sizes[axis] = rows
        parts = [b.reshape(x, shape=tuple(sizes[d] for d in places)) for x in parts]
    parts = [_laid(b, x, places, range(a.ndim)) for x in parts]
    return parts[0] if len(parts) == 1 else b.complex(*parts)


def _count_out(fft_type: str, length: int) -> int:
    return length // 2 + 1 if fft_type == "RFFT" else length


def _laid(b: Any, x: Any, places: Sequence[int], wanted: Sequence[int]) -> Any:
    permutation = tuple(places.index(d) for d in wanted)
    return x if permutation == tuple(range(len(places))) else b.transpose(x, permutation=permutation)


def _both_halves(b: Any, parts: Sequence[Any], length: int) -> list[Any]:
    """Twice what stands for two conjugate numbers: the real part of the transform is then that of the whole spectrum."""
    a = b.aval(parts[0])
    weights = hermitian_weights(length).astype(a.dtype)
    spread = b.broadcast_in_dim(b.literal(weights), shape=a.shape, broadcast_dimensions=(a.ndim - 1,))
    return [b.multiply(x, spread) for x in parts]


def hermitian_weights(length: int) -> np.ndarray:
    """How often each number of half a spectrum occurs in the whole one: 1, 2, ... 2, and 1 at the end of an even one."""
    weights = np.full(length // 2 + 1, 2.0)
    weights[0] = 1
    if length % 2 == 0:
        weights[-1] = 1
    return weights


# ---- along the first axis ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Transform:
    """A transform of that length, of which the first `rows` results are wanted, or their real parts only.

    Operands may be fewer than the length: the others are zero. An inverse one is divided by the length.
    """

    length: int
    rows: int
    inverse: bool
    real: bool = False


def _transform(b: Any, parts: list[Any], t: _Transform) -> list[Any]:
    factors = _factors(t.length)
    return _chirp(b, parts, t) if factors is None else _stages(b, parts, t, factors)


@functools.lru_cache(maxsize=1024)
def _factors(n: int) -> tuple[int, ...] | None:
    """Factors of n, the stages, in descending order; None where a prime one is too large."""

    @functools.cache
    def best(n: int, largest: int) -> tuple[int, tuple[int, ...]] | None:
        if n == 1:
            return 0, ()
        found = [
            (rest[0] + r + _STAGE_COST, (r, *rest[1]))
            for r in range(min(n, largest), 1, -1)
            if n % r == 0 and (rest := best(n // r, r)) is not None
        ]
        return min(found, default=None)

    found = best(n, _LARGEST_FACTOR)
    return None if found is None else found[1] or (1,)


def _roots(exponents: np.ndarray, n: int, inverse: bool) -> np.ndarray:
    """exp(-2 pi i k / n), conjugate where `inverse`: quarter turns are exact."""
    quarters, rest = np.divmod(4 * (exponents % n), n)
    z = np.exp(-0.5j * np.pi * rest / n) * np.array([1, -1j, -1, 1j])[quarters]
    return z.conj() if inverse else z


def _stages(b: Any, parts: list[Any], t: _Transform, factors: Sequence[int]) -> list[Any]:
    """Cooley and Tukey, for n = r m: with j = m j1 + j2 and k = k1 + r k2,

    X[k] = sum_j2 w_m^(j2 k2) w_n^(j2 k1) sum_j1 w_r^(j1 k1) x[j],

    and so on for the sums over j2. What is known of k, more significant digits first, follows what is left of j.
    """
    given, columns = b.aval(parts[0]).shape
    m, known = t.length, 1
    for stage, r in enumerate(factors):
        is_last = stage == len(factors) - 1
        m //= r
        used = -(-given // m) if stage == 0 else r
        if stage == 0:
            parts = [_padded(b, x, used * m) for x in parts]
        rows = -(-t.rows // known) if is_last else r
        matrix = _roots(np.outer(np.arange(rows), np.arange(used)), r, t.inverse) / (r if t.inverse else 1)
        parts = _product(b, matrix, parts, t.real and is_last)
        if not is_last:
            parts = [b.reshape(x, shape=(r, m, known * columns)) for x in parts]
            parts = _turned(b, parts, r, m, t.inverse)
            parts = [b.transpose(x, permutation=(1, 0, 2)) for x in parts]
        known *= r
    parts = [b.reshape(x, shape=(b.aval(x).size // columns, columns)) for x in parts]
    return [slice_axis(b, x, 0, 0, t.rows) if b.aval(x).shape[0] > t.rows else x for x in parts]


def _padded(b: Any, x: Any, size: int) -> Any:
    missing = size - b.aval(x).shape[0]
    return pad_axis(b, x, 0, 0, missing, 0) if missing else x


def _product(b: Any, matrix: np.ndarray, parts: Sequence[Any], real: bool) -> list[Any]:
    """The parts of a complex matrix times those of the operand, as one product of real matrices."""
    rows, used = matrix.shape
    re, im = matrix.real, matrix.imag
    blocks = [[re, -im], [im, re]]
    whole = np.block([line[: len(parts)] for line in blocks[: 1 if real else 2]])
    stacked = [b.reshape(x, shape=(used, b.aval(x).size // used)) for x in parts]
    x = stacked[0] if len(parts) == 1 else b.concatenate(*stacked, dimension=0)
    a = b.aval(x)
    found = b.dot_general(
        b.literal(whole.astype(a.dtype)),
        x,
        dot_dimension_numbers=DotDimensions((), (), (1,), (0,)),
        precision_config=("HIGHEST", "HIGHEST"),
        preferred_element_type=a.dtype,
    )
    return [found] if real else [slice_axis(b, found, 0, k * rows, (k + 1) * rows) for k in range(2)]


def _turned(b: Any, parts: Sequence[Any], r: int, m: int, inverse: bool) -> list[Any]:
    """w_n^(j k) times the element at (k, j, column); a large table is w_n^(s k i) times w_n^(k l) for j = s i + l."""
    n, step = r * m, 1
    if n > _LARGEST_TABLE:
        step = max(d for d in range(1, math.isqrt(m) + 1) if m % d == 0)
    k = np.arange(r)[:, None]
    columns = b.aval(parts[0]).shape[-1]
    parts = [b.reshape(x, shape=(r, m // step, step, columns)) for x in parts]
    parts = _times(b, parts, _roots(k * (step * np.arange(m // step)), n, inverse), (0, 1))
    if step > 1:
        parts = _times(b, parts, _roots(k * np.arange(step), n, inverse), (0, 2))
    return [b.reshape(x, shape=(r, m, columns)) for x in parts]


def _times(b: Any, parts: Sequence[Any], z: np.ndarray, dimensions: tuple[int, ...], real: bool = False) -> list[Any]:
    """Complex numbers times constants that lie along these dimensions."""
    a = b.aval(parts[0])
    re, im = [
        b.broadcast_in_dim(b.literal(part.astype(a.dtype)), shape=a.shape, broadcast_dimensions=dimensions)
        for part in (z.real, z.imag)
    ]
    if len(parts) == 1:
        return [b.multiply(parts[0], re), b.multiply(parts[0], im)]
    x, y = parts
    found = [b.subtract(b.multiply(x, re), b.multiply(y, im))]
    return found if real else [*found, b.add(b.multiply(x, im), b.multiply(y, re))]


def _chirp(b: Any, parts: list[Any], t: _Transform) -> list[Any]:
    """Bluestein: with c_j = exp(-pi i j^2 / n), X_k = c_k sum_j (x_j c_j) conj(c_(k - j)), by a longer cyclic convolution.

    L. Bluestein, "A linear filtering approach to the computation of discrete Fourier transform", 1970.
    """
    given = b.aval(parts[0]).shape[0]
    n = t.length
    size = _smooth(given + t.rows - 1)
    chirp = _roots(np.arange(max(given, t.rows)) ** 2, 2 * n, t.inverse)
    kernel = np.zeros(size, complex)
    kernel[: t.rows] = chirp[: t.rows].conj()
    kernel[size - given + 1 :] = chirp[given - 1 : 0 : -1].conj()
    kernel = np.fft.fft(kernel) / (n if t.inverse else 1)
    parts = _times(b, parts, chirp[:given], (0,))
    parts = _transform(b, parts, _Transform(size, size, False))
    parts = _times(b, parts, kernel, (0,))
    parts = _transform(b, parts, _Transform(size, t.rows, True))
    return _times(b, parts, chirp[: t.rows], (0,), t.real)


@functools.lru_cache(maxsize=1024)
def _smooth(n: int) -> int:
    """The least number from n on that has no prime factor beyond 7."""
    while True:
        rest = n
        for p in (2, 3, 5, 7):
            while rest % p == 0:
                rest //= p
        if rest == 1:
            return n
        n += 1
