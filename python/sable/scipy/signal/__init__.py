"""`jax.scipy.signal`: convolutions and spectra."""

from sable import _absent

from ._convolution import convolve, convolve2d, correlate, correlate2d, fftconvolve
from ._spectra import csd, istft, stft, welch
from ._trends import detrend

_absent.explain(__name__)

__all__ = [
    "convolve",
    "convolve2d",
    "correlate",
    "correlate2d",
    "csd",
    "detrend",
    "fftconvolve",
    "istft",
    "stft",
    "welch",
]
