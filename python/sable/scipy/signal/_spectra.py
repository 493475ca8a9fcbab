"""Spectra of signals by their segments: Welch's method, and Fourier transforms of short times."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import sable.numpy as jnp
from sable.core.array import Value
from sable.core.dtypes import to_complex_dtype
from sable.core.operands import (
    array_argument,
    array_arguments,
    convert,
    kind,
    known_integer,
    normal_axis,
    promote_dtypes,
)
from sable.library.declare import library

from ._trends import detrend as without_trend

#: Sums of squared windows that are no larger are taken for zero: there the signal cannot be told.
_NOTHING = 1e-10

# ---- windows and segments --------------------------------------------------------------------------------------------


def _named_window(name: str | tuple, n: int) -> np.ndarray:
    if name == "hann":
        return np.sin(np.pi * np.arange(n) / n) ** 2 if n > 1 else np.ones(1)
    from scipy.signal import get_window  # 0.5 s: only when wanted

    return np.asarray(get_window(name, n))


def _window(window: Any, nperseg: int | None, length: int, dtype: Any) -> tuple[Value, int]:
    """The window and its length.

    Raises:
      ValueError: it is no vector, too long, or of another length than asked for.
    """
    if isinstance(window, (str, tuple)):
        n = length if nperseg is None else nperseg
        if n > length:
            warnings.warn(f"nperseg={n} is greater than input_length={length}, using nperseg={length}", stacklevel=5)
            n = length
        return jnp.asarray(_named_window(window, n), dtype), n
    value = jnp.asarray(window, dtype)
    if value.ndim != 1:
        raise ValueError("window must be 1-D")
    if length < value.size:
        raise ValueError("window is longer than input signal")
    if nperseg not in (None, value.size):
        raise ValueError("value specified for nperseg is different from length of window")
    return value, value.size


def _sizes(nperseg: int, noverlap: Any, nfft: Any) -> tuple[int, int]:
    """The overlap of segments, and the length of their transforms."""
    overlap = nperseg // 2 if noverlap is None else known_integer(noverlap, "noverlap of windowed-FFT")
    return overlap, nperseg if nfft is None else known_integer(nfft, "nfft of windowed-FFT")


def _check_sizes(nperseg: int, noverlap: int, nfft: int) -> None:
    if nfft < nperseg:
        raise ValueError("nfft must be greater than or equal to nperseg.")
    if noverlap >= nperseg:
        raise ValueError("noverlap must be less than nperseg.")


def _positive(nperseg: Any) -> int:
    n = known_integer(nperseg, "nperseg of windowed-FFT")
    if n < 1:
        raise ValueError("nperseg must be a positive integer")
    return n


def _odd(x: Value, n: int) -> Value:
    """x with n more on either side, turned about the first and the last element."""
    if n > x.shape[-1] - 1:
        raise ValueError(
            f"The extension length n ({n}) is too big. It must not exceed x.shape[axis]-1, which is {x.shape[-1] - 1}."
        )
    before, behind = 2 * x[..., :1] - x[..., n:0:-1], 2 * x[..., -1:] - x[..., -2 : -n - 2 : -1]
    return jnp.concatenate([before, x, behind], axis=-1)


def _padding(mode: str) -> Callable[[Value, int], Value]:
    return lambda x, n: jnp.pad(x, [*[(0, 0)] * (x.ndim - 1), (n, n)], mode)


#: `boundary` -> x with n more on either side
_EXTENSIONS: dict[Any, Callable[[Value, int], Value]] = {
    "even": _padding("reflect"),
    "odd": lambda x, n: _odd(x, n) if n else x,
    "constant": _padding("edge"),
    "zeros": _padding("constant"),
    None: lambda x, n: x,
}


def _lengthened(x: Value, n: int) -> Value:
    """x with n zeros behind it."""
    return jnp.pad(x, [*[(0, 0)] * (x.ndim - 1), (0, n)]) if n > 0 else x


def _segments(x: Value, nperseg: int, step: int) -> Value:
    """(..., segments, nperseg)."""
    starts = np.arange(0, x.shape[-1] - nperseg + 1, step)
    return x[..., starts[:, None] + np.arange(nperseg)]


# ---- spectra ---------------------------------------------------------------------------------------------------------


def _trend_of(detrend: Any, axis: int) -> Callable[[Value], Value]:
    """What is done with segments (..., nperseg): a function of the user's finds them along the signal's axis."""
    if isinstance(detrend, str):
        return lambda x: without_trend(x, -1, detrend)
    if callable(detrend):
        return lambda x: jnp.moveaxis(detrend(jnp.moveaxis(x, -1, axis)), axis, -1)
    if detrend:
        raise ValueError(f"Unsupported detrend type: {detrend}")
    return lambda x: x


def _scale(window: Value, fs: Any, scaling: str, mode: str) -> Value:
    if scaling not in ("density", "spectrum"):
        raise ValueError(f"Unknown scaling: {scaling}")
    found = 1.0 / (fs * (window * window).sum()) if scaling == "density" else 1.0 / window.sum() ** 2
    return jnp.sqrt(found) if mode == "stft" else found


def _transformed(x: Value, window: Value, remove: Callable, step: int, nfft: int, onesided: bool) -> Value:
    """Fourier transforms of the windowed segments: (..., segments, frequencies)."""
    segments = remove(_segments(x, window.size, step))
    parts = jnp.broadcast_to(window, segments.shape) * segments
    return jnp.fft.rfft(jnp.real(parts), nfft) if onesided else jnp.fft.fft(parts, nfft)


def _signals(x: Any, y: Any, axis: int) -> tuple[Value, Value | None, tuple[int, ...]]:
    """The signals in one dtype, and the shape of their other axes."""
    if y is None:
        (x,) = promote_dtypes([array_argument("spectral_helper", x)], "inexact")
        return x, None, ()
    x, y = promote_dtypes(array_arguments("spectral_helper", x, y), "inexact")
    if x.ndim != y.ndim:
        raise ValueError(f"two-arguments must have the same rank ({x.ndim} vs {y.ndim}).")
    rest = [(*v.shape[:axis], *v.shape[axis + 1 :]) for v in (x, y)]
    try:
        return x, y, jnp.broadcast_shapes(*rest)
    except ValueError as error:
        raise ValueError("x and y cannot be broadcast together.") from error


def _spectra(
    x: Any,
    y: Any,
    fs: Any,
    window: Any,
    nperseg: Any,
    noverlap: Any,
    nfft: Any,
    detrend: Any,
    return_onesided: bool,
    scaling: str,
    axis: int,
    mode: str,
    boundary: Any = None,
    padded: bool = False,
) -> tuple[Value, Value, Value]:
    """Frequencies, times and spectra of all segments, the times last and the frequencies along the axis."""
    if boundary not in _EXTENSIONS:
        raise ValueError(f"Unknown boundary option '{boundary}', must be one of: {list(_EXTENSIONS)}")
    given = known_integer(axis, "axis of windowed-FFT")
    place = normal_axis(given, jnp.ndim(x))
    x, y, outer = _signals(x, y, place)
    dtype = to_complex_dtype(x.dtype)
    real = np.finfo(dtype).dtype
    win, n = _window(window, None if nperseg is None else _positive(nperseg), x.shape[place], x.dtype)
    overlap, nfft = _sizes(n, noverlap, nfft)
    if not x.size or (y is not None and not y.size):
        shape = x.shape if y is None else (*outer[:place], min(x.shape[place], y.shape[place]), *outer[place:])
        return jnp.zeros(shape, real), jnp.zeros(shape, real), jnp.zeros(shape, dtype)
    _check_sizes(n, overlap, nfft)
    step = n - overlap
    onesided = return_onesided and kind(x) != "c"
    if return_onesided and not onesided:
        warnings.warn("Input data is complex, switching to return_onesided=False", stacklevel=4)
    remove, scale = _trend_of(detrend, given), _scale(win, fs, scaling, mode)
    signals = [jnp.moveaxis(v, place, -1) for v in (x, y) if v is not None]
    signals = _prepared(signals, n, step, boundary, padded)
    made = [_transformed(v, win, remove, step, nfft, onesided) for v in signals]
    spectrum = made[0] if mode == "stft" else jnp.conj(made[0]) * made[-1]
    spectrum = convert(spectrum, dtype) * convert(scale, dtype)
    if onesided and mode == "psd":
        counts = np.full(spectrum.shape[-1], 2, real)
        counts[0] = 1
        if nfft % 2 == 0:
            counts[-1] = 1  # the highest frequency is its own negative
        spectrum = spectrum * np.broadcast_to(counts, spectrum.shape).astype(dtype)
    length = signals[0].shape[-1]
    times = jnp.arange(n / 2, length - n / 2 + 1, step, dtype=real) / fs
    times = times if boundary is None else times - (n / 2) / fs
    frequencies = (jnp.fft.rfftfreq if onesided else jnp.fft.fftfreq)(nfft, 1 / fs, dtype=real)
    spectrum = jnp.real(spectrum) if y is None and mode == "psd" else spectrum
    return frequencies, times, jnp.moveaxis(spectrum, -1, place)


def _prepared(signals: Sequence[Value], nperseg: int, step: int, boundary: Any, padded: bool) -> list[Value]:
    """Signals of one length, extended at their ends and filled up to whole segments."""
    longest = max(v.shape[-1] for v in signals)
    made = [_EXTENSIONS[boundary](_lengthened(v, longest - v.shape[-1]), nperseg // 2) for v in signals]
    missing = (-(made[0].shape[-1] - nperseg) % step) % nperseg if padded else 0
    return [_lengthened(v, missing) for v in made]


def _median_bias(n: int) -> float:
    """The median of n squared moduli of normal numbers over their mean: 1 - 1/2 + 1/3 - ..., n or n - 1 terms.

    B. Allen et al., "FINDCHIRP", Physical Review D 85, 122006, 2012, appendix B.
    """
    even = np.arange(2.0, n, 2)
    return float(1 + np.sum(1 / (even + 1) - 1 / even))


def _averaged(spectra: Value, average: str) -> Value:
    if average == "mean":
        return jnp.mean(spectra, axis=-1)
    if average != "median":
        raise ValueError(f'average must be "median" or "mean", got {average}')
    if kind(spectra) == "c":
        found: Any = jnp.median(jnp.real(spectra), axis=-1) + 1j * jnp.median(jnp.imag(spectra), axis=-1)
    else:
        found = jnp.median(spectra, axis=-1)
    return found / _median_bias(spectra.shape[-1])


@library(operands=("fs",))
def csd(
    x: Any,
    y: Any,
    fs: Any = 1.0,
    window: Any = "hann",
    nperseg: int | None = None,
    noverlap: int | None = None,
    nfft: int | None = None,
    detrend: Any = "constant",
    return_onesided: bool = True,
    scaling: str = "density",
    axis: int = -1,
    average: str = "mean",
) -> tuple[Value, Value]:
    """The cross spectral density of two signals, by Welch's method: conj(X) Y, averaged over segments.

    P. D. Welch, "The use of fast Fourier transform for the estimation of power spectra", IEEE Transactions on Audio and
    Electroacoustics 15, 1967.

    Args:
      x, y: signals, arrays of the same rank; the shorter one is filled with zeros. y = None: that of x.
      fs: samples per unit of time.
      window: its name, as of `scipy.signal.get_window`, or a vector.
      nperseg: samples of a segment; None: the length of the window, or of the signal.
      noverlap: samples that neighbouring segments share; None: half of them.
      nfft: length of the transforms; None: `nperseg`.
      detrend: "constant" or "linear", see `detrend`; a function of the segments, whose samples are along `axis`; or False.
      return_onesided: of real signals only the frequencies that are not negative, with the power of both.
      scaling: "density", power per frequency; "spectrum", power.
      axis: of time.
      average: of segments, "mean" or "median".

    Returns:
      Frequencies (n,), and the density with these along the axis: complex, real for y = None.

    Raises:
      ValueError: shapes that do not fit, sizes of segments that make no sense, unknown names.

    Example:
      >>> frequencies, density = csd(jnp.array([1.0, -1.0, 1.0, -1.0]), jnp.array([2.0, -2.0, 2.0, -2.0]), window="boxcar")
      >>> frequencies, jnp.real(density)
      (Array([0.  , 0.25, 0.5 ], dtype=float32), Array([0., 0., 8.], dtype=float32))
    """
    frequencies, _, spectra = _spectra(
        x, y, fs, window, nperseg, noverlap, nfft, detrend, return_onesided, scaling, axis, "psd"
    )
    if y is not None:
        spectra = spectra + 0j
    if spectra.ndim >= 2 and spectra.size > 0:
        spectra = _averaged(spectra, average) if spectra.shape[-1] > 1 else spectra[..., 0]
    return frequencies, spectra


@library(operands=("fs",))
def welch(
    x: Any,
    fs: Any = 1.0,
    window: Any = "hann",
    nperseg: int | None = None,
    noverlap: int | None = None,
    nfft: int | None = None,
    detrend: Any = "constant",
    return_onesided: bool = True,
    scaling: str = "density",
    axis: int = -1,
    average: str = "mean",
) -> tuple[Value, Value]:
    """The power spectral density of a signal, by Welch's method; arguments and errors as of `csd`.

    Returns:
      Frequencies (n,), and the density with these along the axis, real.

    Example:
      >>> frequencies, density = welch(jnp.array([1.0, -1.0, 1.0, -1.0]), window="boxcar")
      >>> density
      Array([0., 0., 4.], dtype=float32)
    """
    frequencies, density = csd(
        x, None, fs, window, nperseg, noverlap, nfft, detrend, return_onesided, scaling, axis, average
    )
    return frequencies, jnp.real(density)


@library(operands=("fs",))
def stft(
    x: Any,
    fs: Any = 1.0,
    window: Any = "hann",
    nperseg: int = 256,
    noverlap: int | None = None,
    nfft: int | None = None,
    detrend: Any = False,
    return_onesided: bool = True,
    boundary: str | None = "zeros",
    padded: bool = True,
    axis: int = -1,
) -> tuple[Value, Value, Value]:
    """Fourier transforms of the segments of a signal.

    Args:
      x: the signal, an array.
      fs, window, nperseg, noverlap, nfft, detrend, axis: as of `csd`.
      return_onesided: of real signals only the frequencies that are not negative.
      boundary: by what the signal goes on for half a segment at both ends: "zeros", "constant", "even", "odd"; or None.
      padded: fill it up to whole segments.

    Returns:
      Frequencies (n,), times (m,) of the segments' middles, and transforms, with the frequencies along the axis and the times
      last.

    Raises:
      ValueError: as of `csd`; another boundary.

    Example:
      >>> frequencies, times, transforms = stft(jnp.ones(8), nperseg=4)
      >>> times, jnp.abs(transforms[0])
      (Array([0., 2., 4., 6., 8.], dtype=float32), Array([0.75, 1.  , 1.  , 1.  , 0.25], dtype=float32))
    """
    return _spectra(
        x,
        None,
        fs,
        window,
        nperseg,
        noverlap,
        nfft,
        detrend,
        return_onesided,
        "spectrum",
        axis,
        "stft",
        boundary,
        padded,
    )


# ---- back ------------------------------------------------------------------------------------------------------------


def _overlapped(parts: Value, step: int) -> Value:
    """The sum of segments (..., segments, length), each laid `step` behind the one before it.

    Each is cut into k blocks of a step. Rows of one more than the sum's blocks, read one after the other in rows of that many,
    stand one block further each.
    """
    *batch, m, n = parts.shape
    k = -(-n // step)
    blocks = _lengthened(parts, k * step - n).reshape(*batch, m, k, step)
    rows = jnp.pad(jnp.moveaxis(blocks, -2, -3), [*[(0, 0)] * (len(batch) + 1), (0, k), (0, 0)])
    flat = rows.reshape(*batch, k * (m + k), step)[..., : k * (m + k - 1), :]
    total = jnp.sum(flat.reshape(*batch, k, m + k - 1, step), axis=-3)
    return total.reshape(*batch, -1)[..., : step * (m - 1) + n]


def _own_window(window: Any, n: int, dtype: Any) -> Value:
    if isinstance(window, (str, tuple)):
        return jnp.asarray(_named_window(window, n), dtype)
    value = jnp.asarray(window)
    if value.ndim != 1:
        raise ValueError("window must be 1-D")
    if value.shape[0] != n:
        raise ValueError(f"window must have length of {n}")
    return value


def _back_sizes(bins: int, nperseg: Any, noverlap: Any, nfft: Any, onesided: bool) -> tuple[int, int, int]:
    """Samples of a segment, those that two share, and the length of transforms."""
    usual = 2 * (bins - 1) if onesided else bins
    n = usual if nperseg is None else _positive(nperseg)
    if nfft is None:
        length = n if onesided and n == usual + 1 else usual
    else:
        length = known_integer(nfft, "nfft of STFT")
    if length < n:
        raise ValueError(f"FFT length ({length}) must be longer than nperseg ({n}).")
    overlap = n // 2 if noverlap is None else known_integer(noverlap, "noverlap of STFT")
    if overlap >= n:
        raise ValueError("noverlap must be less than nperseg.")
    return n, overlap, length


@library(operands=("fs",))
def istft(
    Zxx: Any,
    fs: Any = 1.0,
    window: Any = "hann",
    nperseg: int | None = None,
    noverlap: int | None = None,
    nfft: int | None = None,
    input_onesided: bool = True,
    boundary: bool = True,
    time_axis: int = -1,
    freq_axis: int = -2,
) -> tuple[Value, Value]:
    """The signal with the least squared distance of its transforms from given ones: the inverse of `stft`.

    D. W. Griffin, J. S. Lim, "Signal estimation from modified short-time Fourier transform", IEEE Transactions on Acoustics,
    Speech, and Signal Processing 32, 1984.

    Args:
      Zxx: the transforms, an array of two dimensions at least.
      fs, window, nperseg, noverlap, nfft: as of `stft`.
      input_onesided: whether they are of a real signal, without negative frequencies.
      boundary: whether the signal was extended at its ends, which are then left out.
      time_axis, freq_axis: of the transforms.

    Returns:
      Times (n,), and the signal, with time along the axis that is left of the two.

    Raises:
      ValueError: fewer dimensions, one axis for both; sizes of segments or a window that do not fit.

    Example:
      >>> x = jnp.array([1.0, 2.0, 3.0, 2.0, 1.0, 0.0, 1.0, 2.0])
      >>> jnp.round(istft(stft(x, nperseg=4)[2])[1], 4)
      Array([1., 2., 3., 2., 1., 0., 1., 2.], dtype=float32)
    """
    z = array_argument("istft", Zxx)
    if z.ndim < 2:
        raise ValueError("Input stft must be at least 2d!")
    rows, columns = normal_axis(freq_axis, z.ndim), normal_axis(time_axis, z.ndim)
    if rows == columns:
        raise ValueError("Must specify differing time and frequency axes!")
    z = jnp.moveaxis(convert(z, to_complex_dtype(z.dtype)), (columns, rows), (-2, -1))
    n, overlap, length = _back_sizes(z.shape[-1], nperseg, noverlap, nfft, input_onesided)
    parts = (jnp.fft.irfft if input_onesided else jnp.fft.ifft)(z, length)[..., :n]
    win = _own_window(window, n, parts.dtype)
    x = _overlapped(parts * jnp.broadcast_to(win.sum() * win, parts.shape), n - overlap)
    weight = _overlapped(jnp.broadcast_to(win * win, parts.shape[-2:]), n - overlap)
    if boundary:
        x, weight = x[..., n // 2 : -(n // 2)], weight[..., n // 2 : -(n // 2)]
    x = x / jnp.broadcast_to(jnp.where(weight > _NOTHING, weight, 1.0), x.shape)
    if x.ndim > 1 and columns != z.ndim - 1:
        x = jnp.moveaxis(x, -1, columns - (rows < columns))
    return jnp.arange(x.shape[0], dtype=np.finfo(x.dtype).dtype) / fs, x
