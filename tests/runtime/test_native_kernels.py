"""Native kernels: what a program imports, what is missing, threads, results that are views."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import sable as jax
import sable.numpy as jnp
from sable import aot, runtime
from sable.core import preparation
from sable.runtime import ExecutionError, native_kernels

pytestmark = pytest.mark.skipif(not native_kernels.available(), reason="no native kernels here")

A = np.float32([[4, 1, 0], [1, 5, 2], [0, 2, 6]])


def run_python(code: str, **environment: str) -> str:
    """What a new process prints."""
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, env={**os.environ, **environment}
    )
    assert found.returncode == 0, found.stderr
    return found.stdout


def test_the_target_decides() -> None:
    function = jax.jit(jnp.linalg.cholesky).trace(A)._traced.function
    prepared = preparation.prepare(function, "cpu", native=True)
    assert prepared.native_kernels == ("sable_cholesky_float32",)
    assert preparation.prepare(function, "cpu").native_kernels == ()
    assert preparation.prepare(function, "vulkan").native_kernels == ()
    assert runtime.devices("cpu")[0].native_kernels


def test_missing_kernels_are_named_before_the_program_is_loaded() -> None:
    function = jax.jit(jnp.linalg.cholesky).trace(A)._traced.function
    prepared = preparation.prepare(function, "cpu", native=True)
    device = runtime.devices("cpu")[0]
    vmfb = preparation.compile_prepared(prepared, preparation.target_of(device)).vmfb
    with pytest.raises(ExecutionError, match="sable_of_tomorrow"):
        runtime.Executable(
            vmfb, device, results=function.out_avals, native_kernels=["sable_cholesky_float32", "sable_of_tomorrow"]
        )
    # the names that it does import are there
    executable = runtime.Executable(vmfb, device, results=function.out_avals, native_kernels=prepared.native_kernels)
    np.testing.assert_allclose(executable.run(A)[0], np.linalg.cholesky(A), rtol=1e-6)


def test_drivers_of_another_library_are_not_ours() -> None:
    out = run_python(
        "import iree.runtime as rt; rt.get_driver('local-sync')\n"
        "import sable as jax, sable.numpy as jnp, numpy as np\n"
        "from sable import runtime\n"
        "from sable.runtime import native_kernels\n"
        "device = runtime.devices('cpu')[0]\n"
        "print(device.native_kernels)\n"
        "a = np.float32([[4, 1], [1, 5]])\n"
        "print(np.allclose(jax.jit(jnp.linalg.cholesky)(a), np.linalg.cholesky(a)))\n"
        "native_kernels.require(['sable_cholesky_float32'])\n"
    )
    assert out.split() == ["True", "True"]


def test_pure_python_expands() -> None:
    out = run_python(
        "import sable as jax, sable.numpy as jnp, numpy as np\n"
        "from sable import runtime\n"
        "a = np.float32([[4, 1], [1, 5]])\n"
        "print(runtime.devices('cpu')[0].native_kernels)\n"
        "print(all(np.allclose(f(a), np.linalg.cholesky(a)) for f in (jnp.linalg.cholesky, jax.jit(jnp.linalg.cholesky))))\n"
        "print(np.isnan(jnp.linalg.cholesky(-a)).sum())\n",
        SABLE_PURE_PYTHON="1",
    )
    assert out.split() == ["False", "True", "3"]


def test_deployed_modules_have_no_imports(tmp_path) -> None:
    def solve(a, b):
        return jax.scipy.linalg.cho_solve(jax.scipy.linalg.cho_factor(a), b)

    b = np.float32([1, 2, 3])
    path = aot.save(solve, (A, b), tmp_path / "solve.vmfb")
    assert b"sable_cholesky" not in path.read_bytes()
    np.testing.assert_allclose(runtime.load(path)(A, b), np.linalg.solve(A, b), rtol=1e-5)


def test_many_threads() -> None:
    stack = np.stack([A + k * np.eye(3, dtype=np.float32) for k in range(50)])
    wanted = np.linalg.cholesky(stack)
    factor = jax.jit(jnp.linalg.cholesky)
    factor(stack)
    wrong: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(20):
                np.testing.assert_allclose(factor(stack), wanted, rtol=1e-5)
                np.testing.assert_allclose(jnp.linalg.cholesky(stack), wanted, rtol=1e-5)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("name", ["sable_cholesky_float32", "sable_triangular_solve_complex128"])
def test_results_may_be_views(name: str) -> None:
    """Kernels read and write through any strides: inside of programs they get views of larger arrays."""
    dtype = np.dtype(name.rpartition("_")[2])
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 5, 5)).astype(dtype)
    a = x @ x.conj().swapaxes(1, 2) + 5 * np.eye(5, dtype=dtype)
    operands = [a] if "cholesky" in name else [a, x]
    options = (1,) if "cholesky" in name else (1, 1, 0, 2)
    plain = np.empty_like(a)
    native_kernels.call(name, operands, [plain], options)
    view = np.full((5, 2, 5, 3), 7, dtype)[..., 1].transpose(1, 2, 0)  # columns outermost
    turned = [np.asfortranarray(o.transpose(1, 2, 0)).transpose(2, 0, 1) for o in operands]
    native_kernels.call(name, turned, [view], options)
    np.testing.assert_array_equal(view, plain)
