"""Arrays on a second device (Vulkan; lavapipe will do): where they are, what runs there, that it computes the same."""

from __future__ import annotations

import copy
import importlib.util
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import sable as jax
import sable.numpy as jnp
from sable.core import device_check
from sable.core.statistics import STATISTICS

from ..vulkan import vulkan_device

#: f32 of two devices: other orders of summation, other polynomials.
CLOSE = {"rtol": 2e-5, "atol": 2e-6}


@pytest.fixture
def gpu():
    return vulkan_device()


@pytest.fixture
def cpu():
    return jax.devices("cpu")[0]


def is_on(x, device) -> bool:
    return x.devices() == {device} and x.device is device


# ---- where arrays are --------------------------------------------------------------------------------------------


def test_devices(gpu, cpu):
    assert jax.devices("vulkan")[0] is gpu
    assert gpu.platform == "vulkan" and repr(gpu) == "VulkanDevice(id=0)"
    with jax.default_device(gpu):  # as in JAX, the default device does not change what `devices()` lists
        assert jax.devices() == [cpu] and jax.default_backend() == "cpu"


@pytest.mark.parametrize(
    "dtype",
    ["bool", "int8", "int16", "int32", "uint8", "uint16", "uint32", "float16", "bfloat16", "float32", "complex64"],
)
@pytest.mark.parametrize("shape", [(), (3,), (0, 2), (5, 7)], ids=str)
def test_there_and_back(gpu, dtype, shape):
    values = np.random.default_rng(0).integers(0, 2, shape).astype(jnp.dtype(dtype))
    x = jax.device_put(values, gpu)
    assert is_on(x, gpu) and x.committed and x.dtype == values.dtype and x.shape == shape
    np.testing.assert_array_equal(np.asarray(x), values)


@pytest.mark.parametrize("dtype", ["int64", "uint64", "float64", "complex128"])
def test_there_and_back_with_64_bits(gpu, dtype):
    with jax.enable_x64(True):
        values = np.arange(5).astype(dtype) * 2**33
        x = jax.device_put(values, gpu)
        np.testing.assert_array_equal(np.asarray(x), values)
        np.testing.assert_array_equal(np.asarray(x + x), 2 * values)


def test_device_put_of_trees_and_elsewhere(gpu, cpu):
    tree = jax.device_put({"a": 1.0, "b": jnp.arange(3)}, gpu)
    assert all(is_on(x, gpu) for x in jax.tree.leaves(tree))
    back = jax.device_put(tree["b"], cpu)
    assert is_on(back, cpu) and back.committed
    assert jax.device_put(tree["b"], gpu) is tree["b"]
    assert jax.device_put(tree["b"]) is tree["b"]
    assert not jax.device_put(jnp.arange(3)).committed
    assert is_on(jnp.zeros(3, device=gpu), gpu)
    with pytest.raises(ValueError, match=r"device_put.*only accepts"):
        jax.device_put(1.0, "vulkan")


def test_copies(gpu, cpu):
    x = jax.device_put(jnp.arange(3.0), gpu)
    assert is_on(copy.deepcopy(x), gpu) and is_on(jnp.copy(x), gpu) and is_on(x.astype(x.dtype), gpu)
    assert is_on(pickle.loads(pickle.dumps(x)), cpu)
    assert repr(x) == "Array([0., 1., 2.], dtype=float32)"


# ---- what runs where ---------------------------------------------------------------------------------------------


def test_eager_ops_stay_and_are_compiled_once(gpu):
    x = jax.device_put(jnp.arange(4.0), gpu)
    y = x * 2.5 - x
    before = STATISTICS.programs
    for _ in range(3):
        y = x * 2.5 - x
    assert STATISTICS.programs == before
    assert is_on(y, gpu) and y.committed
    np.testing.assert_allclose(np.asarray(y), np.arange(4) * 1.5)


def test_partners_without_a_device_follow(gpu):
    x = jax.device_put(jnp.arange(3.0), gpu)
    for y in (x + 1, 1 + x, x + jnp.ones(3), np.ones(3, np.float32) + x, x + np.float32(1), jnp.ones(3) + x):
        assert is_on(y, gpu) and y.committed
        np.testing.assert_array_equal(np.asarray(y), [1, 2, 3])


def test_two_committed_devices_are_an_error(gpu, cpu):
    x, y = jax.device_put(jnp.arange(3.0), gpu), jax.device_put(jnp.arange(3.0), cpu)
    double = jax.jit(lambda v: v * 2)
    double(y)  # so that the next call is the native one
    message = "Received incompatible devices for jitted computation.*on platform VULKAN.*on platform CPU"
    for attempt in (
        lambda: x + y,
        lambda: x + (y + 1),
        lambda: x + double(y),
        lambda: jnp.where(x > 1, x, y),
        lambda: jnp.concatenate([x, y]),
        lambda: jax.jit(lambda a, b: a * b)(x, y),
        lambda: jax.jit(lambda a, b: a * b).lower(x, y),
        lambda: x.at[0].set(y[0]),
    ):
        with pytest.raises(ValueError, match=message):
            attempt()


def test_closed_over_arrays_follow_the_arguments(gpu, cpu):
    x, y = jax.device_put(jnp.arange(3.0), gpu), jax.device_put(jnp.ones(3), cpu)
    add = jax.jit(lambda v: v + y)
    for _ in range(2):
        assert is_on(add(x), gpu)
    assert is_on(jax.jit(lambda v: v + x)(jnp.ones(3)), cpu)


def test_jit_on_both_devices(gpu, cpu):
    double = jax.jit(lambda v: jnp.tanh(v) @ v.T)
    v = jnp.linspace(-1, 1, 12).reshape(3, 4)
    here, there = double(v), double(jax.device_put(v, gpu))
    assert is_on(here, cpu) and is_on(there, gpu)
    np.testing.assert_allclose(np.asarray(there), np.asarray(here), **CLOSE)
    assert is_on(double(v), cpu)  # by the native call that the first call prepared


def test_compiled_for_its_arguments_device(gpu, cpu):
    x = jax.device_put(jnp.arange(3.0), gpu)
    compiled = jax.jit(lambda v: v + 1).lower(x).compile()
    assert is_on(compiled(x), gpu)
    with pytest.raises(ValueError, match="compiled for"):
        compiled(jax.device_put(x, cpu))


@pytest.mark.parametrize("name", ["device", "platform"])
def test_default_device(gpu, cpu, name):
    u = jnp.arange(3.0)
    with jax.default_device(gpu if name == "device" else "vulkan"):
        made = [jnp.zeros(3), jnp.arange(3), jnp.array([1, 2]), jnp.asarray(np.ones(2)), u + 1]
        made += [jax.jit(lambda v: v * 2)(u), jax.device_put(np.ones(3)), jax.random.key_data(jax.random.key(0))]
        assert all(is_on(x, gpu) and not x.committed for x in made)
        assert is_on(jnp.asarray(u), cpu)
        assert is_on(jax.device_put(u, cpu) + 1, cpu)
        z = jnp.zeros(3)
    assert is_on(z + 1, cpu)  # uncommitted: back to the default


def test_default_device_by_configuration(gpu, cpu):
    jax.config.update("jax_default_device", gpu)
    try:
        assert is_on(jnp.ones(2), gpu)
    finally:
        jax.config.update("jax_default_device", None)
    assert is_on(jnp.ones(2), cpu)


def test_platforms_by_configuration(gpu, cpu):
    jax.config.update("jax_platforms", "vulkan,cpu")
    try:
        assert jax.devices()[0] is gpu and jax.default_backend() == "vulkan"
        assert is_on(jnp.ones(2) + 1, gpu)
    finally:
        jax.config.update("jax_platforms", None)
    assert jax.devices() == [cpu] and is_on(jnp.ones(2), cpu)


# ---- the same results --------------------------------------------------------------------------------------------


def layer(w, x):
    return jnp.sum(jnp.tanh(x @ w) ** 2 + jax.nn.logsumexp(x, axis=1, keepdims=True))


def newton(x):
    return jax.lax.while_loop(lambda v: jnp.abs(v * v - 2) > 1e-6, lambda v: (v + 2 / v) / 2, x)


def rnn(w, xs):
    def step(h, x):
        h = jnp.tanh(w @ h + x)
        return h, h.sum()

    return jax.lax.scan(step, jnp.zeros(w.shape[0]), xs)


def branches(i, x):
    return jax.lax.switch(i, [jnp.sin, jnp.cos, lambda v: jax.lax.cond(v.sum() > 0, lambda u: u, lambda u: -u, v)], x)


def update_in_loop(x):
    """What IREE's copy-on-write gets wrong in loops: the argument must not change."""
    return jax.lax.fori_loop(0, 5, lambda i, v: v.at[i].set(v[i - 1] * 2.0 + x[i]), x)


W = np.random.default_rng(0).standard_normal((4, 4)).astype(np.float32) / 2
X = np.random.default_rng(1).standard_normal((6, 4)).astype(np.float32)
SPD = np.stack([W @ W.T + np.eye(4, dtype=np.float32), 3 * np.eye(4, dtype=np.float32)])

PROGRAMS = {
    "grad": (jax.grad(lambda w, x: (jnp.tanh(x @ w) ** 2).sum()), W, X),
    "value_and_grad": (jax.jit(jax.value_and_grad(layer, argnums=(0, 1))), W, X),
    "hessian": (jax.jit(jax.hessian(lambda x: jnp.sum(jnp.sin(x) ** 3))), X[0]),
    "vmap": (jax.vmap(lambda w, x: x @ w + jnp.max(x), (None, 0)), W, X.reshape(2, 3, 4)),
    "vmap of grad": (jax.jit(jax.vmap(jax.grad(layer), (None, 0))), W, X.reshape(2, 3, 4)),
    "scan": (rnn, W, X),
    "jit scan": (jax.jit(rnn), W, X),
    "grad of scan": (jax.jit(jax.grad(lambda w, xs: rnn(w, xs)[1].sum())), W, X),
    "while": (newton, np.float32(1)),
    "vmap of while": (jax.jit(jax.vmap(newton)), np.linspace(1, 3, 5, dtype=np.float32)),
    "cond": (branches, np.int32(2), X[0]),
    "jit switch": (jax.jit(branches), np.int32(1), X[0]),
    "vmap of switch": (jax.jit(jax.vmap(branches)), np.arange(3, dtype=np.int32), X[:3]),
    "update in a loop": (jax.jit(update_in_loop), X[:, 0]),
    "sort": (lambda x: (jnp.sort(x, axis=0), jnp.argsort(x, axis=1)), X),
    "index": (lambda x: (x[1:, ::2], x[jnp.array([0, 2, 2])], x.at[jnp.array([1, 1])].add(2.0)), X),
    "integers": (jax.jit(lambda x: (x // 3, x % 3, x**2, x << 2, x.astype(np.int8))), np.arange(-7, 7, dtype=np.int32)),
    "halves": (lambda x: (x * x + 1, jnp.exp(x), x.sum()), X.astype(np.float16)),
    "complex": (lambda x: (x * x, jnp.exp(x), jnp.abs(x)), (X[0] + 1j * X[1]).astype(np.complex64)),
    "vmap of cholesky": (jax.jit(jax.vmap(jax.lax.linalg.cholesky)), SPD),
    "grad of checkpoint": (jax.jit(jax.grad(jax.checkpoint(layer))), W, X),
    "callback": (
        jax.jit(
            lambda x: jax.pure_callback(lambda v: np.asarray(v) * 2, jax.ShapeDtypeStruct((4,), np.float32), x) + 1
        ),
        X[0],
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_same_on_both_devices(gpu, name):
    function, *arguments = PROGRAMS[name]
    here = function(*[jnp.asarray(x) for x in arguments])
    there = function(*[jax.device_put(x, gpu) for x in arguments])
    assert jax.tree.structure(here) == jax.tree.structure(there)
    coarse = {"rtol": 4e-3, "atol": 4e-3} if name == "halves" else CLOSE
    for x, y in zip(jax.tree.leaves(here), jax.tree.leaves(there)):
        assert y.aval is x.aval and is_on(y, gpu)
        np.testing.assert_allclose(np.asarray(y), np.asarray(x), **coarse)


def test_the_same_random_bits(gpu):
    draws = {
        "bits": lambda k: jax.random.bits(k, (5, 3)),
        "uniform": lambda k: jax.random.uniform(k, (7,)),
        "split": lambda k: jax.random.key_data(jax.random.split(k, 3)),
        "permutation": lambda k: jax.random.permutation(k, 9),
    }
    key = jax.random.key(42)
    there = jax.jit(lambda k: {name: draw(k) for name, draw in draws.items()})(jax.device_put(key, gpu))
    for name, draw in draws.items():
        assert is_on(there[name], gpu), name
        np.testing.assert_array_equal(np.asarray(there[name]), np.asarray(draw(key)), name)


# ---- what Vulkan gets wrong by itself ----------------------------------------------------------------------------


def clock(x, y):
    """Sums modulo 1009: associative, and exact in floats."""
    total = x + y
    return jnp.where(total >= 1009, total - 1009, total)


COUNT = 70_001  # lavapipe ends a kernel's loops after 65,535 turns


LONG = {
    "sum": lambda x: x.sum(),
    "max": lambda x: x.max(),
    "argmax": lambda x: jnp.argmax(x),
    "rows": lambda x: jnp.stack([x, x]).sum(axis=1),
    "dot": lambda x: x @ x,
    "matmul": lambda x: jnp.stack([x, x, x]) @ jnp.stack([x, x], axis=1),
    "scatter": lambda x: jnp.zeros(5).at[x.astype(np.int32) % 5].add(1.0),
    "sort": lambda x: jnp.sort(-x)[::1000],
    "cumsum": lambda x: jnp.cumsum(x)[::1000],
    "reduce": lambda x: jax.lax.reduce(jnp.stack([x, x]), np.float32(0), clock, (1,)),
    "window": lambda x: jax.lax.reduce_window(x, np.float32(0), clock, (COUNT - 1,), (1,), "VALID"),
    "window sum": lambda x: jax.lax.reduce_window(x, np.float32(0), jax.lax.add, (COUNT - 1,), (1,), "VALID"),
    "window max": lambda x: jax.lax.reduce_window(
        jnp.outer(x[:99], x[:99]), -np.inf, jax.lax.max, (98, 98), (1, 1), "VALID"
    ),
}


def test_long_loops(gpu):
    values = (np.arange(COUNT) % 7).astype(np.float32)
    there = jax.jit(lambda x: {name: f(x) for name, f in LONG.items()})(jax.device_put(values, gpu))
    for name, function in LONG.items():
        here = function(jnp.asarray(values))
        np.testing.assert_allclose(np.asarray(there[name]), np.asarray(here), rtol=1e-5, err_msg=name)


def test_batches_of_small_matrices(gpu):
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal(s).astype(np.float32) for s in ((61, 3, 4096), (61, 4096, 5)))
    there = jax.jit(jnp.matmul)(jax.device_put(a, gpu), jax.device_put(b, gpu))
    np.testing.assert_allclose(np.asarray(there), a.astype(np.float64) @ b, rtol=1e-3, atol=1e-3)


def test_trigonometry_of_all_magnitudes(gpu):
    rng = np.random.default_rng(0)
    x = np.exp2(rng.uniform(-30, 127.9, 4000)).astype(np.float32) * np.sign(rng.standard_normal(4000)).astype(
        np.float32
    )
    names = ("sin", "cos", "tan")
    there = jax.jit(lambda v: [getattr(jnp, name)(v) for name in names])(jax.device_put(x, gpu))
    for name, found in zip(names, there):
        np.testing.assert_allclose(
            np.asarray(found, np.float64), getattr(np, name)(x.astype(np.float64)), rtol=5e-7, err_msg=name
        )


def test_float_remainder_is_exact(gpu):
    rng = np.random.default_rng(0)
    x, y = (np.exp2(rng.uniform(-100, 100, 4000)).astype(np.float32) for _ in range(2))
    there = jax.lax.rem(jax.device_put(x, gpu), jax.device_put(y, gpu))
    np.testing.assert_array_equal(np.asarray(there), np.fmod(x, y))


def test_what_is_refused_says_so(gpu):
    with jax.enable_x64(True):
        x = jax.device_put(np.arange(3.0), gpu)
        for attempt in (lambda: jnp.sin(x), lambda: jax.jit(lambda v: jnp.exp(v) + 1)(x)):
            with pytest.raises(
                NotImplementedError, match=r"of float64 cannot be computed on a Vulkan device.*device_put"
            ):
                attempt()
        assert np.asarray(jnp.sqrt(x) * x)[2] == 2 * np.sqrt(2)  # arithmetic is there


# ---- the self-test -----------------------------------------------------------------------------------------------


def test_a_wrong_target_is_found_before_the_first_use(gpu):
    if "llvmpipe" not in gpu.device_kind:
        pytest.skip("which other target is wrong depends on the device")
    code = """
import sable as jax
try:
    jax.device_put(1.0, jax.devices("vulkan")[0])
except RuntimeError as error:
    assert "computes wrongly with" in str(error) and "float16" in str(error), error
else:
    raise SystemExit("the device was taken for sound")
"""
    environment = {"SABLE_VULKAN_TARGET": "vp_android_baseline_2022"}
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300, env={**os.environ, **environment})


def test_the_self_test_is_remembered_on_disk(gpu, monkeypatch, tmp_path):
    monkeypatch.setenv("SABLE_CACHE_DIR", str(tmp_path))
    device_check.check_device(gpu)
    assert len(list(tmp_path.glob("devices/*"))) == 1

    def compile_module(*_: object) -> None:
        raise AssertionError("tested twice")

    monkeypatch.setattr(device_check.compiler, "compile_module", compile_module)
    device_check.check_device(gpu)


# ---- the whole of it ---------------------------------------------------------------------------------------------


def test_digits_train_alike(gpu):
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    path = Path(__file__).parents[2] / "examples" / "digits.py"
    specification = importlib.util.spec_from_file_location("digits_example", path)
    digits = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(digits)
    images, labels, *_ = digits.load_digits()
    params = digits.init_params(jax.random.key(0))
    _, here = digits.train(params, images, labels, epochs=1)
    trained, there = digits.train(jax.device_put(params, gpu), images, labels, epochs=1)
    assert len(here) >= 20 and all(is_on(x, gpu) for x in jax.tree.leaves(trained))
    np.testing.assert_allclose(there, here, rtol=1e-4)
