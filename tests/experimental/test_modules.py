"""`sable.experimental`: its modules are found, and what is left out says why; its small modules."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys

import numpy as np
import pytest

import sable as jax
import sable.numpy as jnp
from sable.experimental import io_callback, mesh_utils, multihost_utils


def test_modules_are_loaded_when_asked_for() -> None:
    program = (
        "import sys, sable\nsys.modules['jax'] = sable\n"
        "from jax.experimental import mesh_utils\nassert 'sable.experimental.ode' not in sys.modules\n"
        "assert sable.experimental.ode.odeint and mesh_utils is sys.modules['sable.experimental.mesh_utils']"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


@pytest.mark.parametrize("name, why", [("pallas", "kernels"), ("host_callback", "removed it; use jax.pure_callback")])
def test_what_is_left_out_says_why(name: str, why: str) -> None:
    with pytest.raises(AttributeError, match=f"has no attribute '{name}': .*{why}"):
        getattr(jax.experimental, name)
    with pytest.raises(ImportError, match=why):
        importlib.import_module(f"sable.experimental.{name}")
    with pytest.raises(ImportError, match=why):
        exec(f"from sable.experimental import {name}")


def test_unknown_modules_are_unknown() -> None:
    with pytest.raises(ImportError, match=r"cannot import name 'no_such'|No module named"):
        exec("from sable.experimental import no_such")


def test_contexts_of_64_bits() -> None:
    with jax.experimental.enable_x64():
        assert jnp.arange(2.0).dtype == np.float64
        with jax.experimental.disable_x64():
            assert jnp.arange(2.0).dtype == np.float32


def test_pjit_is_jit() -> None:
    with pytest.warns(DeprecationWarning, match=r"Please use `jax.jit` instead"):
        assert jax.experimental.pjit.pjit is jax.jit


def test_meshes() -> None:
    device = jax.devices()[0]
    assert mesh_utils.create_device_mesh((1, 1)).tolist() == [[device]]
    four = mesh_utils.create_device_mesh((2, 2), [device] * 4)
    assert four.shape == (2, 2) and four.dtype == object
    hybrid = mesh_utils.create_hybrid_device_mesh((2, 1), (1, 1), [device] * 2, process_is_granule=True)
    assert hybrid.tolist() == [[device], [device]]
    with pytest.raises(ValueError, match=re.escape("Number of devices 1 must equal the product of mesh_shape (2, 1)")):
        mesh_utils.create_device_mesh((2, 1), [device])
    with pytest.raises(ValueError, match="does not have attribute slice_index"):
        mesh_utils.create_hybrid_device_mesh((1,), (1,))
    with pytest.raises(ValueError, match="Number of slices 1 must equal"):
        mesh_utils.create_hybrid_device_mesh((1,), (2,), [device], process_is_granule=True)


def test_one_process() -> None:
    tree = {"a": jnp.ones(2), "b": 3}
    assert isinstance(multihost_utils.broadcast_one_to_all(tree)["a"], np.ndarray)
    assert multihost_utils.process_allgather(tree)["a"].shape == (1, 2)
    assert multihost_utils.process_allgather(tree, tiled=True)["b"].shape == ()
    multihost_utils.sync_global_devices("here")
    multihost_utils.assert_equal(tree)
    assert multihost_utils.reached_preemption_sync_point(1) is False
    with pytest.raises(AssertionError, match="none"):
        multihost_utils.assert_equal(jnp.array(jnp.nan), "none")


def test_compilation_cache(tmp_path) -> None:
    cache = importlib.import_module("sable.experimental.compilation_cache.compilation_cache")
    before = jax.config.jax_compilation_cache_dir
    try:
        cache.set_cache_dir(str(tmp_path))
        assert jax.config.jax_compilation_cache_dir == str(tmp_path)
    finally:
        jax.config.update("jax_compilation_cache_dir", before)
    cache.reset_cache()


def test_callbacks_with_effects() -> None:
    """Each call happens once, in order, whether its result is used or not, and however it is transformed."""
    seen: list = []

    def twice(x):
        seen.append(float(x))
        return np.float32(2 * x)

    scalar = jax.ShapeDtypeStruct((), np.float32)

    def look(x, ordered=False):
        return io_callback(twice, scalar, x, ordered=ordered)

    assert look(1.0) == 2
    _, rows = jax.jit(lambda x: (look(x), jax.lax.scan(lambda c, x: (c, look(x, True)), 0.0, x + jnp.arange(3.0)))[1])(
        2.0
    )
    assert rows.tolist() == [4, 6, 8]
    assert jax.vmap(look)(jnp.arange(2.0)).tolist() == [0, 2]
    assert jax.grad(lambda x: x * look(jax.lax.stop_gradient(x)))(5.0) == 10
    assert seen == [1, 2, 2, 3, 4, 0, 1, 5]
    with pytest.raises(ValueError, match="Cannot `vmap` ordered IO callback"):
        jax.vmap(lambda x: look(x, True))(jnp.arange(2.0))
    with pytest.raises(ValueError, match="IO callbacks do not support JVP"):
        jax.grad(look)(1.0)
