"""Functions saved as .vmfb files, run by `iree-run-module`, which knows nothing of this library."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig

import numpy as np
import pytest

import sable as jax
import sable.numpy as jnp
from sable import aot


def run_module(path, *inputs: np.ndarray, device: str = "local-sync") -> list[np.ndarray]:
    """The results of @main in a file, by the tool that comes with IREE's runtime."""
    tool = shutil.which("iree-run-module") or shutil.which("iree-run-module", path=sysconfig.get_path("scripts"))
    command = [tool, f"--module={path}", f"--device={device}", "--function=main"]
    outputs = []
    for k, x in enumerate(inputs):
        np.save(path.with_suffix(f".in{k}.npy"), x)
        command.append(f"--input=@{path.with_suffix(f'.in{k}.npy')}")
    for k in range(4):
        outputs.append(path.with_suffix(f".out{k}.npy"))
    described = subprocess.run(
        [*command, *(f"--output=@{p}" for p in outputs[: run_module.results])],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "TMPDIR": str(path.parent)},  # it leaves a file there
    )
    assert described.returncode == 0, described.stderr
    return [np.load(p) for p in outputs[: run_module.results]]


run_module.results = 1


def rnn(w, xs):
    return jax.lax.scan(lambda h, x: (jnp.tanh(w @ h + x), None), jnp.zeros(w.shape[0]), xs)[0]


W = np.random.default_rng(0).standard_normal((4, 4)).astype(np.float32) / 2
XS = np.random.default_rng(1).standard_normal((6, 4)).astype(np.float32)

PROGRAMS = {
    "function": (lambda x: jnp.sin(x) + 1, (XS,)),
    "jitted": (jax.jit(lambda x, y: x @ y), (XS, W)),
    "gradient": (jax.grad(lambda w, xs: rnn(w, xs).sum()), (W, XS)),
    "loop": (rnn, (W, XS)),
    "closed-over array": (lambda x: x @ jnp.asarray(W), (XS,)),
    "random": (lambda seed: jax.random.normal(jax.random.key(seed), (3,)), (np.uint32(7),)),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_saved_function_computes_the_same(tmp_path, name):
    function, arguments = PROGRAMS[name]
    specs = [jax.ShapeDtypeStruct(np.shape(x), x.dtype) for x in arguments]
    path = aot.save(function, specs, tmp_path / "f.vmfb")
    (result,) = run_module(path, *arguments)
    np.testing.assert_allclose(result, function(*map(jnp.asarray, arguments)), rtol=1e-5, atol=1e-6)


def test_pytrees_are_flat_in_the_file(tmp_path):
    path = aot.save(lambda p: p["a"] - p["b"][0], ({"b": [XS], "a": XS + 1},), tmp_path / "f.vmfb")
    (result,) = run_module(path, XS + 1, XS)
    np.testing.assert_allclose(result, np.ones_like(XS), rtol=1e-5)


def test_callbacks_cannot_be_saved(tmp_path):
    def f(x):
        return jax.pure_callback(np.sin, jax.ShapeDtypeStruct(x.shape, x.dtype), x)

    with pytest.raises(ValueError, match="the function calls Python"):
        aot.save(f, (XS,), tmp_path / "f.vmfb")
    assert not list(tmp_path.iterdir())


def test_a_failed_save_keeps_the_old_file(tmp_path):
    path = aot.save(lambda x: x * 2, (XS,), tmp_path / "f.vmfb")
    before = path.read_bytes()
    with pytest.raises(TypeError):
        aot.save(lambda x: x @ "text", (XS,), path)
    with pytest.raises((FileNotFoundError, NotADirectoryError)):
        aot.save(lambda x: x * 2, (XS,), tmp_path / "nowhere" / "f.vmfb")
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_traced_arguments_and_values_are_refused(tmp_path):
    def f(x):
        aot.save(lambda y: x + y, (XS,), tmp_path / "f.vmfb")
        return x

    with pytest.raises(TypeError):
        jax.jit(f)(1.0)
    assert not list(tmp_path.iterdir())
