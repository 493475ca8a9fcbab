"""f32 functions on the CPU against f64, in units in the last place, over all magnitudes that matter: one module for all."""

from __future__ import annotations

import numpy as np
import pytest

import sable as jax
import sable.numpy as jnp

COUNT = 4000


def uniform(low: float, high: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(low, high, COUNT).astype(np.float32)


def magnitudes(low: float, high: float) -> np.ndarray:
    """Of both signs, evenly spread over the exponents of two between the bounds."""
    rng = np.random.default_rng(1)
    return (np.exp2(rng.uniform(low, high, COUNT)) * np.where(rng.uniform(size=COUNT) < 0.5, -1, 1)).astype(np.float32)


ANGLES = np.concatenate([uniform(-4, 4), magnitudes(-30, 127.9), np.float32(np.pi / 2) * np.arange(-500, 500)]).astype(
    "f4"
)
INSIDE = np.concatenate([uniform(-1, 1), np.sign(magnitudes(0, 1)) * (1 - np.abs(magnitudes(-23, -1)))]).astype("f4")

#: function, reference, arguments, bound in units in the last place
FUNCTIONS = {
    "sin": (jnp.sin, np.sin, (ANGLES,), 1.6),
    "cos": (jnp.cos, np.cos, (ANGLES,), 1.6),
    "tan": (jnp.tan, np.tan, (ANGLES,), 3.2),
    "arctan": (jnp.arctan, np.arctan, (magnitudes(-30, 100),), 3),
    "arctan2": (jnp.arctan2, np.arctan2, (magnitudes(-20, 20), magnitudes(-20, 20)[::-1]), 3.5),
    "arcsin": (jnp.arcsin, np.arcsin, (INSIDE,), 3.5),
    "arccos": (jnp.arccos, np.arccos, (INSIDE,), 4),
    "power": (jnp.power, np.power, (np.abs(magnitudes(-30, 30)), uniform(-4, 4)), 0.6),
    "exp": (jnp.exp, np.exp, (uniform(-85, 88),), 1.2),
    "log": (jnp.log, np.log, (np.abs(magnitudes(-100, 127)),), 1.2),
    "tanh": (jnp.tanh, np.tanh, (magnitudes(-20, 20),), 5),
    "cbrt": (jnp.cbrt, np.cbrt, (magnitudes(-100, 100),), 1.2),
    "log1p": (jnp.log1p, np.log1p, (np.abs(magnitudes(-20, 20)),), 3),
    "expm1": (jnp.expm1, np.expm1, (uniform(-10, 80),), 4),
}


def units_in_the_last_place(y: np.ndarray, exact: np.ndarray) -> float:
    kept = (np.abs(exact) > 2.0**-120) & (np.abs(exact) < 2.0**127)
    spacing = np.spacing(np.abs(exact[kept]).astype(np.float32)).astype(np.float64)
    return float(np.max(np.abs(y.astype(np.float64)[kept] - exact[kept]) / spacing))


@pytest.fixture(scope="module")
def computed() -> dict:
    """Results of all functions: as they are, and inside of a loop, which becomes a kernel of our own."""

    def in_a_loop(function, *xs):
        return jax.lax.scan(lambda c, row: (c, function(*row)), 0, xs)[1]

    everything = jax.jit(
        lambda arguments: {
            (name, how): function(*xs) if how == "straight" else in_a_loop(function, *[x.reshape(-1, 8) for x in xs])
            for name, (function, *_) in FUNCTIONS.items()
            for how, xs in (("straight", arguments[name]), ("loop", [x[: len(x) // 8 * 8] for x in arguments[name]]))
        }
    )
    return everything({name: list(xs) for name, (_, _, xs, _) in FUNCTIONS.items()})


@pytest.mark.parametrize("how", ["straight", "loop"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_f32(computed, name, how):
    _, reference, xs, bound = FUNCTIONS[name]
    y = np.asarray(computed[name, how]).reshape(-1)
    with np.errstate(all="ignore"):
        exact = reference(*[x.astype(np.float64)[: len(y)] for x in xs])
    assert units_in_the_last_place(y, exact) <= bound


@pytest.mark.parametrize("name", ["sin", "cos", "tan", "exp", "sinh", "cosh"])
def test_complex64(name):
    rng = np.random.default_rng(2)
    angles, others = magnitudes(-10, 30), rng.uniform(-5, 5, COUNT).astype(np.float32)
    z = (others + 1j * angles if name in ("exp", "sinh", "cosh") else angles + 1j * others).astype(np.complex64)
    exact = getattr(np, name)(z.astype(np.complex128))
    y = np.asarray(jax.jit(getattr(jnp, name))(z))
    assert np.max(np.abs(y - exact) / np.abs(exact)) < 1e-6


def test_ends():
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0], np.float32)
    sin, tan, atan, asin, acos = jax.jit(
        lambda v: (jnp.sin(v), jnp.tan(v), jnp.arctan(v), jnp.arcsin(v), jnp.arccos(v))
    )(x)
    for y, reference in ((sin, np.sin), (tan, np.tan), (atan, np.arctan), (asin, np.arcsin), (acos, np.arccos)):
        with np.errstate(all="ignore"):
            exact = reference(x.astype(np.float64))
        np.testing.assert_allclose(y, exact, rtol=3e-7)
        np.testing.assert_array_equal(np.signbit(np.asarray(y)[:2]), np.signbit(exact[:2]))


def test_powers_of_f64():
    """As the C library's, also where y log(x) is large."""
    rng = np.random.default_rng(3)
    x = np.concatenate([np.exp(rng.uniform(-300, 300, 500)), 1 + rng.uniform(-0.01, 0.01, 500), [1e-310, 2.0, 0.0]])
    y = np.concatenate([rng.uniform(-700, 700, 1000) / np.log(x[:1000]), [0.5, 1023.5, 0.5]])
    with jax.enable_x64(True):
        found = np.asarray(jax.jit(jnp.power)(x, y))
    exact = np.where(x < 1e-300, 0, np.power(x, y))  # what is denormal is zero
    np.testing.assert_allclose(found, exact, rtol=5e-16)


def test_powers_at_the_ends():
    ends = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 2.0, -2.0, 0.5, 3.0]
    x, y = (v.reshape(-1).astype(np.float32) for v in np.meshgrid(ends, ends))
    with np.errstate(all="ignore"):
        exact = np.power(x.astype(np.float64), y)
    np.testing.assert_allclose(jax.jit(jnp.power)(x, y), exact, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_is_summed_in_f32(dtype):
    x = jnp.asarray(np.random.default_rng(3).uniform(0, 1, (32, 3000))).astype(dtype)
    exact = np.asarray(x.astype(jnp.float32)).astype(np.float64)
    functions = {
        "sum": (lambda v: v.sum(1), exact.sum(1)),
        "gradient of a broadcast": (
            lambda v: jax.grad(lambda r: (v * r).sum().astype(jnp.float32))(v[:, :1])[:, 0],
            exact.sum(1),
        ),
        "cumsum": (lambda v: jnp.cumsum(v, axis=1), np.cumsum(exact, axis=1)),
        "matmul": (lambda v: v @ v.T, exact @ exact.T),
        "product": (lambda v: (v[:, :20] + jnp.asarray(0.5, dtype)).prod(1), None),
    }
    results = jax.jit(lambda v: {name: f(v) for name, (f, _) in functions.items()})(x)
    half_a_unit = float(jnp.finfo(dtype).eps) / 2
    for name, (_, wanted) in functions.items():
        assert results[name].dtype == x.dtype
        if wanted is not None:
            error = np.abs(np.asarray(results[name].astype(jnp.float32)) / wanted - 1).max()
            assert error <= 1.01 * half_a_unit, name
