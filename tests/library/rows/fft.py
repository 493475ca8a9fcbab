"""sable.numpy.fft, sable.lax.fft: Fourier transforms."""

from __future__ import annotations

from ..table import Using, add, call
from .operands import BF, C2, IM, B, C, H, I, M, S, T, V, normal

_CM = (M + 1j * M[::-1]).astype("c8")
_CT = (T + 1j * T[::-1]).astype("c8")
_FOUR = normal(2, 1, 3, 2)

add(
    "lax.fft",
    call(C, Using(lambda jax: jax.lax.FftType.FFT), (5,)),
    call(_CT, "IFFT", (3, 4)),
    call(T, "rfft", (3, 4)),
    call(_CM, "IRFFT", (7,)),
    call(V, "FFT", ()),
    call(I, "FFT", (5,)),
    call(C, "RFFT", (5,)),
    call(C, "other", (5,)),
    call(C, 0, (5,)),
    call(C, "FFT", (4,)),
    call(C, "FFT", (1, 5)),
)
add(
    "numpy.fft.fft",
    call(C),
    call(M, 3, 0),
    call(V, n=7, norm="ortho"),
    call(I, norm="forward"),
    call(H),
    call(M, axis=None),
    call(V, axis=1),
    call(V, 0),
    call(V, axis=(0,)),
    call(V, norm="other"),
)
add("numpy.fft.ifft", call(C, norm="ortho"), call(_CM, 5, axis=0), call(C2, norm="forward"), call(BF))
add("numpy.fft.rfft", call(V), call(M, 6, 0, "ortho"), call(B), call(C), call(H))
add(
    "numpy.fft.irfft",
    call(C),
    call(C, 7),
    call(C, 4, norm="forward"),
    call(_CM, axis=0),
    call(I),
    call(V, norm="ortho"),
)
add("numpy.fft.hfft", call(C), call(C, 5, norm="ortho"), call(M, axis=0))
add("numpy.fft.ihfft", call(V), call(M, 3, 0, "forward"), call(I), call(C))
add("numpy.fft.fft2", call(_CM), call(T, (2, 5), (0, 1), norm="ortho"), call(V), call(T, axes=(0, 1, 2)))
add("numpy.fft.ifft2", call(_CM), call(_CT, (2, 3)))
add("numpy.fft.rfft2", call(M), call(T, axes=(2, 0)))
add("numpy.fft.irfft2", call(_CM), call(_CT, (3, 5)))
add(
    "numpy.fft.fftn",
    call(_CT),
    call(T, (2,)),
    call(_FOUR),
    call(T, axes=(0, 2), norm="forward"),
    call(T, axes=(0, 0)),
    call(T, (2, 3), (0,)),
    call(V, (2, 3)),
)
add("numpy.fft.ifftn", call(_CT, axes=(1,)), call(_FOUR, norm="ortho"))
add("numpy.fft.rfftn", call(T), call(_FOUR), call(S, axes=(0,)))
add("numpy.fft.irfftn", call(_CT), call(_FOUR, (2, 1, 3, 3)), call(_CT, (3, 3, 3), norm="ortho"))
add("numpy.fft.fftfreq", call(6), call(5, 0.5), call(4, dtype="int32"), call(3, V[:1].reshape(())), call([3]), call(0))
add("numpy.fft.rfftfreq", call(6), call(5, 0.5), call(5, dtype="int32"), call(3, V[:1].reshape(())), call(3, [1.0]))
for _name in ("fftshift", "ifftshift"):
    add(f"numpy.fft.{_name}", call(V), call(IM, 1), call(T, (0, -1)), call(V, 3))

add(
    "scipy.fft.dct",
    call(V),
    call(M, n=6, axis=0, norm="ortho"),
    call(M, 2, 3),
    call(C),
    call(I),
    call(H[:1]),
    call(V, 3),
    call(V, norm="forward"),
)
add("scipy.fft.idct", call(V), call(M, axis=0, norm="ortho"), call(C), call(I, n=4), call(V, axis=1))
add("scipy.fft.dctn", call(M), call(T, s=(5, 3), norm="ortho"), call(T, axes=1), call(_CM), call(V, s=(2, 3)))
add("scipy.fft.idctn", call(M), call(T, norm="ortho"), call(T, s=3, axes=(0,)), call(M, axes=(0, 0)))
