"""Functions given on grids, against JAX."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sable
import sable.numpy as jnp
from sable.scipy.interpolate import RegularGridInterpolator

jax = pytest.importorskip("jax", reason="JAX is the oracle of these tests (it needs Python 3.11)")

_RNG = np.random.default_rng(2)
_GRID = (np.float32([0.0, 1.0, 2.5, 3.0]), np.float32([-1.0, 0.5, 2.0]))
_TABLE = _RNG.normal(size=(4, 3)).astype("f4")
_VECTORS = _RNG.normal(size=(4, 3, 2)).astype("f4")
_AT = _RNG.uniform([-0.5, -1.5], [3.5, 2.5], size=(9, 2)).astype("f4")


def everything(m: Any, table: Any, at: Any) -> Any:
    kind = m.scipy.interpolate.RegularGridInterpolator
    linear = kind(_GRID, table)
    return [
        linear(at),
        linear(at, method="nearest"),
        kind(_GRID, table, "nearest", fill_value=-1.0)(at),
        kind(_GRID, table, fill_value=None)(at),
        kind(_GRID, _VECTORS)(at),
        linear(at.reshape(3, 3, 2)),
        linear((at[:, 0], 0.25)),
        linear(at[0]),
        kind(_GRID[:1], table[:, 0])(at[:, 0]),
        kind(_GRID[:1], table[:, 0])((at[:, 0],)),
        kind(_GRID, np.arange(12).reshape(4, 3))(at),
        linear(np.stack(_GRID[:1] * 2, axis=-1)[:2]),
    ]


def total(m: Any, table: Any, at: Any) -> Any:
    return sum(m.numpy.sum(m.numpy.nan_to_num(x) ** 2) for x in everything(m, table, at))


def test_as_in_jax() -> None:
    ours = everything(sable, jnp.asarray(_TABLE), jnp.asarray(_AT))
    theirs = jax.jit(lambda *xs: everything(jax, *xs))(_TABLE, _AT)
    for x, y in zip(ours, theirs, strict=True):
        assert x.shape == y.shape and x.dtype == y.dtype and x.weak_type == y.weak_type
        np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-5)
    slopes = sable.grad(lambda *xs: total(sable, *xs), (0, 1))(jnp.asarray(_TABLE), jnp.asarray(_AT))
    expected = jax.jit(jax.grad(lambda *xs: total(jax, *xs), (0, 1)))(_TABLE, _AT)
    for x, y in zip(slopes, expected):
        np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-4)


def test_it_is_a_pytree() -> None:
    f = RegularGridInterpolator(_GRID, _TABLE)
    np.testing.assert_allclose(sable.jit(lambda f, x: f(x))(f, _AT), f(_AT), rtol=1e-6, equal_nan=True)
    many = sable.vmap(lambda table: RegularGridInterpolator(_GRID, table, fill_value=0.0)(_AT))(
        jnp.stack([_TABLE, 2 * _TABLE])
    )
    np.testing.assert_allclose(many[1], 2 * many[0], rtol=1e-6)
    assert sable.tree.map(lambda x: None, f).method == "linear"


@pytest.mark.parametrize(
    ("error", "call"),
    [
        (ValueError, lambda kind: kind(_GRID, _TABLE, "cubic")),
        (ValueError, lambda kind: kind(_GRID, _TABLE)(_AT, method="cubic")),
        (NotImplementedError, lambda kind: kind(_GRID, _TABLE, bounds_error=True)),
        (ValueError, lambda kind: kind(_GRID, _TABLE[0])),
        (ValueError, lambda kind: kind(_GRID, _TABLE, fill_value=1j)),
        (ValueError, lambda kind: kind(_GRID, _TABLE)(np.ones((4, 3), np.float32))),
        (TypeError, lambda kind: kind(_GRID, [[1.0]])),
    ],
)
def test_errors(error: type, call: Any) -> None:
    import jax.scipy.interpolate

    for m in (jax, sable):
        with pytest.raises(error):
            call(m.scipy.interpolate.RegularGridInterpolator)
