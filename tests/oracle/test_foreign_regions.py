"""StableHLO that JAX writes for convolutions, windows and sorts: imported, run and differentiated as JAX does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sable import runtime
from sable.core import loading
from sable.core.array import Array
from sable.ir.aval import aval_of
from sable.ir.bindings import CONTEXT, ir
from sable.ir.function import Function, FunctionBuilder
from sable.passes import linearize_function, transpose_function
from sable.passes.importer import Importer
from sable.passes.lower import lower

jax = pytest.importorskip("jax", reason="JAX writes the programs of these tests")


def floats(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).uniform(0.5, 2, shape).astype(np.float32)


def network(x: Any, w: Any) -> Any:
    """Convolution, maxima of windows, a norm, and what a comparator sorts."""
    import jax.numpy as jnp
    from jax import lax

    y = lax.conv_general_dilated(x, w, (2, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    y = lax.reduce_window(jnp.tanh(y), -np.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    norms = lax.reduce(y, np.float32(0), lambda a, b: jnp.sqrt(a * a + b * b), (1, 2))
    keys, values = lax.sort((norms, jnp.sin(norms)), dimension=1, num_keys=1)
    return jnp.sum(keys * values**2)


def test_the_gradient_of_a_network_that_jax_wrote() -> None:
    x, w = floats(2, 8, 6, 3), floats(3, 3, 3, 4) / 4
    text = jax.jit(network).lower(x, w).as_text()
    with CONTEXT:
        module = ir.Module.parse(text)
    function = Importer(module).function("main")
    made = linearize_function(function, (True, True))
    back = transpose_function(made.linear, (True, True, *[False] * made.residuals), (True,))
    whole = Function(function.in_avals, "gradient")
    b = FunctionBuilder(whole)
    value, *residuals = b.call(*whole.arguments, callee=made.forward)
    ct = b.full(function.out_avals[0], 1.0)
    whole.finish([value, *b.call(*residuals, ct, callee=back)])
    loaded = loading.load(whole, runtime.devices("cpu")[0])
    found = [np.asarray(y) for y in loaded([Array(aval_of(a), a) for a in (x, w)])]
    wanted = jax.value_and_grad(network, (0, 1))(x, w)
    for got, want in zip(found, jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


def test_what_is_written_is_what_xla_computes() -> None:
    """Imported and exported again as plain StableHLO, compiled by XLA."""
    x, w = floats(2, 8, 6, 3), floats(3, 3, 3, 4) / 4
    with CONTEXT:
        module = ir.Module.parse(jax.jit(network).lower(x, w).as_text())
    text = str(lower(Importer(module).function("main"), "any").module)
    from jax._src.compiler import get_compile_options
    from jax._src.lib import xla_client

    device = jax.devices("cpu")[0]
    devices = xla_client.DeviceList((device,))
    executable = device.client.compile_and_load(text, devices, get_compile_options(1, 1))
    out = executable.execute_sharded(
        [jax.device_put(a, device) for a in (x, w)]
    ).disassemble_into_single_device_arrays()
    np.testing.assert_allclose(np.asarray(out[0][0]), network(x, w), rtol=1e-5)
