"""Rotations and paths, against JAX and SciPy."""

from __future__ import annotations

import importlib
import pickle
from typing import Any

import numpy as np
import pytest
import scipy.spatial.transform as reference

import sable
import sable.numpy as jnp
from sable.scipy.spatial.transform import Rotation, Slerp

jax = pytest.importorskip("jax", reason="JAX is the oracle of these tests (it needs Python 3.11)")

_RNG = np.random.default_rng(7)
_QUATERNIONS = _RNG.normal(size=(6, 4)).astype("f4")
_VECTORS = _RNG.normal(size=(6, 3)).astype("f4")
#: also where the middle one leaves only the sum or difference of the others
_ANGLES = np.float32([[0.3, -0.7, 1.1], [0.5, 0.0, 0.8], [0.4, np.pi, 0.9], [1.2, np.pi / 2, -0.3], [2.8, 1.0, -2.5]])
_SEQUENCES = ["xyz", "zxz", "XYZ", "ZYX", "ZXZ", "yxy"]


def everything(m: Any, quaternions: Any, vectors: Any, angles: Any) -> dict[str, Any]:
    """What a module's classes make of these operands."""
    transform = importlib.import_module(f"{m.__name__}.scipy.spatial.transform")
    rotation = transform.Rotation
    many, single = rotation.from_quat(quaternions), rotation.from_quat(quaternions[0])
    path = transform.Slerp.init([0.0, 1.0, 1.5, 2.5, 3.0, 4.0], many)
    made = {
        "from_matrix": [rotation.from_matrix(r.as_matrix()).quat for r in (many, single)],
        "from_mrp": rotation.from_mrp(vectors).quat,
        "from_rotvec": [
            rotation.from_rotvec(v, d).quat for v in (vectors, vectors[0], 1e-4 * vectors) for d in (False, True)
        ],
        "from_euler": [rotation.from_euler(s, angles, degrees=d).quat for s in _SEQUENCES[::2] for d in (False, True)],
        "from_euler, fewer": [
            rotation.from_euler("z", angles[:, :1]).quat,
            rotation.from_euler("z", angles[0, 0]).quat,
            rotation.from_euler("YX", angles[0, :2]).quat,
            rotation.from_euler("x", 90, degrees=True).quat,
        ],
        "identity": rotation.identity().quat,
        "concatenate": rotation.concatenate([many, many[2:4]]).quat,
        "product": [(many * many[::-1]).quat, (single * many).quat, (single * single).quat],
        "items": [many[1].quat, many[1:3].quat],
        "apply": [r.apply(v, i) for r in (many, single) for v in (vectors, vectors[0]) for i in (False, True)],
        "as_euler": [many.as_euler(s, degrees=s == "ZYX") for s in _SEQUENCES],
        "as_mrp": [many.as_mrp(), single.as_mrp()],
        "as_rotvec": [r.as_rotvec(degrees=d) for r in (many, single) for d in (False, True)],
        "as_quat": [many.as_quat(canonical=c, scalar_first=f) for c in (False, True) for f in (False, True)],
        "inv": many.inv().quat,
        "magnitude": [many.magnitude(), single.magnitude()],
        "mean": abs(many.mean().quat),
        "weighted mean": abs(many.mean(weights=np.arange(1.0, 7.0)).quat),
        "path": [path(t).quat for t in (0.25, [-0.5, 0.0, 1.2, 3.9, 4.5])],
    }
    return made


def test_as_in_jax() -> None:
    operands = (_QUATERNIONS, _VECTORS, _ANGLES)
    ours = everything(sable, *map(jnp.asarray, operands))
    theirs = jax.jit(lambda *xs: everything(jax, *xs))(*operands)
    for name in theirs:
        for x, y in zip(*map(sable.tree.leaves, (ours[name], theirs[name])), strict=True):
            assert x.shape == y.shape and x.dtype == y.dtype, name
            np.testing.assert_allclose(x, y, rtol=2e-5, atol=2e-5, err_msg=name)


def test_derivatives_as_in_jax() -> None:
    def loss(m: Any, quaternions: Any, vectors: Any) -> Any:
        transform = importlib.import_module(f"{m.__name__}.scipy.spatial.transform")
        turn = transform.Rotation.from_quat(quaternions) * transform.Rotation.from_rotvec(vectors)
        parts = (turn.as_euler("xyz"), turn.as_rotvec(), turn.apply(vectors, inverse=True), turn.magnitude())
        return sum(m.numpy.sum(m.numpy.sin(part)) for part in parts)

    ours = sable.grad(lambda *xs: loss(sable, *xs), (0, 1))(jnp.asarray(_QUATERNIONS), jnp.asarray(_VECTORS))
    theirs = jax.jit(jax.grad(lambda *xs: loss(jax, *xs), (0, 1)))(_QUATERNIONS, _VECTORS)
    for x, y in zip(ours, theirs):
        np.testing.assert_allclose(x, y, rtol=1e-3, atol=1e-4)


def test_as_in_scipy() -> None:
    many, theirs = Rotation.from_quat(_QUATERNIONS), reference.Rotation.from_quat(_QUATERNIONS)
    np.testing.assert_allclose(many.as_matrix(), theirs.as_matrix(), atol=1e-6)
    np.testing.assert_allclose(many.as_rotvec(), theirs.as_rotvec(), rtol=1e-5)
    np.testing.assert_allclose(many.as_quat(True), theirs.as_quat(canonical=True), atol=1e-6)
    for sequence in _SEQUENCES:
        np.testing.assert_allclose(many.as_euler(sequence), theirs.as_euler(sequence), atol=2e-5)
        turns = Rotation.from_euler(sequence, _ANGLES[[0, 4]]).as_euler(sequence)
        expected = reference.Rotation.from_euler(sequence, _ANGLES[[0, 4]]).as_euler(sequence)
        np.testing.assert_allclose(turns, expected, atol=2e-5)
    times, at = np.arange(6.0), [0.5, 2.25, 4.75]
    np.testing.assert_allclose(
        Slerp.init(times, many)(at).as_matrix(), reference.Slerp(times, theirs)(at).as_matrix(), atol=1e-5
    )


def test_beyond_jax() -> None:
    """Single rotations in a row, many identities, random rotations, derivatives at the identity."""
    single = Rotation.from_quat(_QUATERNIONS[0])
    assert len(Rotation.concatenate([single, single])) == 2
    assert (
        Rotation.identity(3).as_matrix().shape == (3, 3, 3)
        and Rotation.identity(dtype=np.float16).quat.dtype == np.float16
    )
    turns = Rotation.random(sable.random.key(3), 2000)
    np.testing.assert_allclose(jnp.sum(turns.quat**2, axis=1), 1, rtol=1e-5)
    assert jnp.abs(jnp.mean(turns.as_matrix(), axis=0)).max() < 0.05 and Rotation.random(sable.random.key(3)).single
    slope = sable.jacobian(lambda v: Rotation.from_rotvec(v).as_rotvec())(jnp.zeros(3))
    np.testing.assert_allclose(slope, np.eye(3), atol=1e-6)


def test_they_are_pytrees() -> None:
    many = Rotation.from_quat(_QUATERNIONS)
    turned = sable.vmap(lambda r, v: r.apply(v))(many, _VECTORS)
    np.testing.assert_allclose(turned, many.apply(_VECTORS), rtol=1e-5, atol=1e-6)
    assert sable.jit(lambda r: r.inv())(many[0]).single
    path = Slerp.init(np.arange(6.0), many)
    np.testing.assert_allclose(sable.jit(lambda p, t: p(t).quat)(path, 0.5), path(0.5).quat, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(many)).quat, many.quat)


@pytest.mark.parametrize(
    ("error", "call"),
    [
        (ValueError, lambda t: t.Rotation.from_euler("", [])),
        (ValueError, lambda t: t.Rotation.from_euler("xyzx", [1.0] * 4)),
        (ValueError, lambda t: t.Rotation.from_euler("xY", [1.0, 2.0])),
        (ValueError, lambda t: t.Rotation.from_euler("xx", [1.0, 2.0])),
        (ValueError, lambda t: t.Rotation.from_euler("xy", np.ones(3))),
        (ValueError, lambda t: t.Rotation.identity().as_euler("xy")),
        (ValueError, lambda t: t.Rotation.identity().as_euler("xzz")),
        (TypeError, lambda t: t.Rotation.identity()[0]),
        (TypeError, lambda t: len(t.Rotation.identity())),
        (ValueError, lambda t: t.Rotation.from_quat(_QUATERNIONS).mean(np.ones((2, 3)))),
        (ValueError, lambda t: t.Rotation.from_quat(_QUATERNIONS).mean(np.ones(5))),
        (TypeError, lambda t: t.Slerp.init([0, 1], _QUATERNIONS)),
        (ValueError, lambda t: t.Slerp.init([0], t.Rotation.identity())),
        (ValueError, lambda t: t.Slerp.init(np.zeros((6, 1)), t.Rotation.from_quat(_QUATERNIONS))),
        (ValueError, lambda t: t.Slerp.init([0, 1], t.Rotation.from_quat(_QUATERNIONS))),
        (ValueError, lambda t: t.Slerp.init(np.arange(6), t.Rotation.from_quat(_QUATERNIONS))(np.zeros((1, 2)))),
    ],
)
def test_errors(error: type, call: Any) -> None:
    for name in ("jax", "sable"):
        with pytest.raises(error):
            call(importlib.import_module(f"{name}.scipy.spatial.transform"))
