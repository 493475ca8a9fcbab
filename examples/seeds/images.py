"""Images: the principal components of handwritten digits by singular values, and noise taken away by a Fourier transform.

python examples/seeds/images.py [FOLDER FOR CHARTS]
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from shared import chart, run
from sklearn.datasets import load_digits

import sable as jax
import sable.numpy as jnp


@jax.jit
def components(images):
    """The mean, orthonormal directions in descending order, and the part of the variance along each."""
    mean = jnp.mean(images, axis=0)
    _, sizes, directions = jnp.linalg.svd(images - mean, full_matrices=False)
    return mean, directions, sizes**2 / jnp.sum(sizes**2)


def digits(folder: Path | None) -> None:
    """Of 64 numbers, how few tell most of a digit, and that two of them part some digits."""
    images, labels = load_digits(return_X_y=True)
    mean, directions, parts = components(images)
    print("variance along 1, 2 and 3:", [round(float(p), 3) for p in parts[:3]])
    print("components for nine tenths of it:", int(jnp.searchsorted(jnp.cumsum(parts), 0.9)) + 1)
    covariance = np.linalg.eigvalsh(np.cov(images.T))[::-1]
    print("as the covariance has it:", np.allclose(parts, covariance / covariance.sum(), atol=1e-5))
    scores = (images - mean) @ directions.T
    for k in (2, 21, 64):
        rest = images - (scores[:, :k] @ directions[:k] + mean)
        print(f"left out by {k}: {float(jnp.sum(rest**2) / jnp.sum((images - mean) ** 2)):.2f}")
    if folder is not None:
        plane = [np.asarray(scores[labels == digit, :2]).T for digit in range(3)]
        curves = [(x, y, f"digit {digit}") for digit, (x, y) in enumerate(plane)]
        chart(folder / "components.png", "digits in the plane of two components", curves)


@jax.jit
def low_pass(image, cutoff):
    """The image without waves shorter than 1 / cutoff pixels."""
    vertical, horizontal = (jnp.fft.fftfreq(n) for n in image.shape)
    kept = vertical[:, None] ** 2 + horizontal[: image.shape[1] // 2 + 1] ** 2 <= cutoff**2
    return jnp.fft.irfft2(jnp.fft.rfft2(image) * kept, image.shape)


def noisy_image(folder: Path | None) -> None:
    """Smooth hills under noise: most of the noise is in short waves, none of the hills."""
    y, x = np.mgrid[0:96, 0:128]
    hills = np.sin(2 * np.pi * x / 64) * np.cos(2 * np.pi * y / 48)
    noisy = hills + 0.5 * np.random.default_rng(6).normal(size=hills.shape)
    clean = low_pass(noisy, 0.05)
    before, after = (float(jnp.sqrt(jnp.mean((image - hills) ** 2))) for image in (noisy, clean))
    print(f"noise: {before:.2f} before, {after:.2f} after")
    print("the hills themselves pass:", bool(jnp.allclose(low_pass(hills, 0.05), hills, atol=1e-5)))
    cutoffs = jnp.linspace(0.03, 0.4, 38)
    errors = jax.vmap(lambda cutoff: jnp.mean((low_pass(noisy, cutoff) - hills) ** 2))(cutoffs)
    print(f"best cutoff: {float(cutoffs[jnp.argmin(errors)]):.2f}")
    if folder is not None:
        row = np.arange(128)
        chart(folder / "row.png", "a row", [(row, clean[10], "filtered"), (row, hills[10], "truth")], (row, noisy[10]))


def main(folder: Path | None = None) -> None:
    """All of it."""
    digits(folder)
    noisy_image(folder)


if __name__ == "__main__":
    run(main, __doc__)
