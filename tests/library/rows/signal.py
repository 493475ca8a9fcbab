"""sable.scipy.signal."""

from __future__ import annotations

import numpy as np

from ..table import add, call
from .operands import C2, IM, M2, C, H, I, M, P, V, W, normal

_X, _Y = normal(24), normal(24)
_XS = normal(2, 20)
_Z = (normal(16) + 1j * normal(16)).astype(np.complex64)
_CUBE = normal(3, 4, 2)
_SMALL = normal(2, 2, 2)
_K = normal(2, 3)
_CM = (normal(3, 4) + 1j * normal(3, 4)).astype(np.complex64)
_CK = (normal(2, 2) + 1j * normal(2, 2)).astype(np.complex64)
_WINDOW = np.float32([0.2, 0.9, 1.1, 0.7, 0.3, 0.1])

_SHORT = P[:3].copy()

for _mode in ["full", "same", "valid"]:
    add("scipy.signal.convolve", call(V, _SHORT, _mode), call(_SHORT, V, _mode))
    add("scipy.signal.correlate", call(_SHORT, V, _mode), call(C, C2[:2].copy(), _mode))
    add("scipy.signal.convolve2d", call(_CM, _CK, mode=_mode))
    add("scipy.signal.correlate2d", call(M, _K, _mode), call(_K, M, _mode), call(M, M, _mode), call(_CK, _CM, _mode))
    add("scipy.signal.fftconvolve", call(_SHORT, V, _mode), call(M, M[:, :2].copy(), _mode, axes=1))
add("scipy.signal.fftconvolve", call(_CM, _CK), call(_CUBE, _SMALL, "same"))
add("scipy.signal.convolve", call(_CUBE, _SMALL, "same"))
add(
    "scipy.signal.convolve",
    call(I, V),
    call(H, H[:2].copy(), method="direct"),
    call(IM, IM[:2, :2].copy(), method="fft"),
    call(V, W, "valid", method="fft"),
    call(M, V),
    call(M, _K, "wide"),
    call(M, _K, method="slow"),
    call(V, V[:0].copy()),
)
add("scipy.signal.convolve2d", call(M, _K, boundary="wrap"), call(M, _K, fillvalue=1.0), call(V, W))
add("scipy.signal.correlate", call(V, W, method="fft"), call(I, V, precision="highest"))
add("scipy.signal.correlate2d", call(IM, _K), call(M, _K, "same", "symm"), call(_CUBE, _CUBE), call(M, M2))
add(
    "scipy.signal.fftconvolve",
    call(M, _K[:, :1].copy(), axes=(0,)),
    call(M, V),
    call(M, M[:1].copy(), "full", (0, -1)),
    call(M, M[:1].copy()),
    call(I, V),
    call(M, M2, "valid"),
    call(V, W, "most"),
)
add(
    "scipy.signal.detrend",
    call(_X),
    call(_XS, 0),
    call(_XS, type="constant"),
    call(_XS, bp=[4, 11]),
    call(_X, -1, "linear", 7),
    call(_Z),
    call(I),
    call(_X, bp=30),
    call(_X, type="square"),
    call(_X, overwrite_data=True),
    call(_X, axis=1),
    rtol=1e-4,
)
add(
    "scipy.signal.csd",
    call(_X, _Y),
    call(_X, _Y, nperseg=8, average="median"),
    call(_X, None, nperseg=8, average="median"),
    call(_X, _Y[:20].copy(), 2.0, nperseg=7, noverlap=3, nfft=10),
    call(_XS, _XS[::-1].copy(), nperseg=8, detrend="linear", scaling="spectrum"),
    call(_XS, _XS[:1].copy(), nperseg=8, detrend=False, axis=-1),
    call(_XS, _XS, nperseg=2, axis=0, return_onesided=False),
    call(_X, _Y, nperseg=8, average="mode"),
    call(_X, _XS),
    call(_X, _Y, nperseg=8, scaling="loud"),
    call(_XS, _CUBE[0]),
    rtol=1e-4,
)
add(
    "scipy.signal.welch",
    call(_X, nperseg=8),
    call(_X, 50.0, "boxcar", 8, average="median"),
    call(_X, window=("kaiser", 4.0), nperseg=9, noverlap=0),
    call(_X, window=_WINDOW, nfft=9),
    call(_X, window=_WINDOW, nperseg=5),
    call(_Z, nperseg=8),
    call(_Z, nperseg=8, average="median", return_onesided=False),
    call(_XS, nperseg=6, axis=1, detrend="linear"),
    call(_XS[:, :0].copy()),
    call(I, nperseg=4),
    call(_X, nperseg=100),
    call(_X, nperseg=0),
    call(_X, nperseg=8, noverlap=8),
    call(_X, nperseg=8, nfft=4),
    call(_X, nperseg=8, detrend=True),
    call(_X, axis=1),
    rtol=1e-4,
)
for _boundary in ["zeros", "even", "odd", "constant", None]:
    add("scipy.signal.stft", call(_XS, nperseg=7, boundary=_boundary), rtol=1e-4)
add(
    "scipy.signal.stft",
    call(_X, 10.0, "hamming", 8, 6, padded=False),
    call(_X, nperseg=8, detrend="constant", return_onesided=False),
    call(_Z, nperseg=4),
    call(_XS, nperseg=2, axis=0, boundary=None),
    call(_X, nperseg=1),
    call(_X, nperseg=8, boundary="wavy"),
    call(_X[:3].copy(), nperseg=3, boundary="odd"),
    rtol=1e-4,
)
add(
    "scipy.signal.istft",
    call(_CM),
    call(_CM, 5.0, "boxcar", nperseg=4),
    call(_CM, input_onesided=False),
    call(_CM, window=np.float32([0.5, 1.0, 1.0, 0.5]), boundary=False),
    call(_CM, noverlap=3),
    call(_CM, nfft=6, nperseg=4),
    call(_CM, nfft=2),
    call(_CM, noverlap=4),
    call(_CM, window=_WINDOW),
    call(np.stack([_CM, 2 * _CM]), time_axis=0, freq_axis=1),
    call(np.stack([_CM, 2 * _CM]), time_axis=1, freq_axis=2),
    call(M, time_axis=1, freq_axis=1),
    call(C),
    rtol=1e-4,
)
