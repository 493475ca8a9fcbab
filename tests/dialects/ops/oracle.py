"""XLA as the oracle: a row with a StableHLO or CHLO form, or a lowering to it, runs under JAX's compiler.

Rows whose lowering has loops are compared with the function of `jax.lax` of their name, or with the one that is given here.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable.ir.aval import aval_of
from sable.ir.function import Function, FunctionBuilder
from sable.ir.op import Op, Sample
from sable.ir.writing import write_function

_LOOPS = {"betainc", "igamma", "igamma_grad_a", "igammac", "random_gamma_grad"}


def _svd(lax: Any, a: np.ndarray, **params: bool) -> Any:
    made = lax.linalg.svd(a, **params)
    return (made[1], made[0], made[2]) if params["compute_uv"] else (made,)


#: function of `jax.lax`, operands and parameters of the op
_FUNCTIONS: dict[str, Callable] = {
    "eigh": lambda lax, a, lower: lax.linalg.eigh(a, lower=lower, symmetrize_input=False),
    "geqrf": lambda lax, a: geqrf(a),
    "householder_product": lambda lax, a, taus: [lax.linalg.householder_product(a, taus)],
    "geqp3": lambda lax, a: geqp3(a),
    "ormqr": lambda lax, a, taus, c, **params: [lax.linalg.ormqr(a, taus, c, **params)],
    "qr": lambda lax, a, **params: lax.linalg.qr(a, **params),
    "hessenberg": lambda lax, a: lax.linalg.hessenberg(a),
    "tridiagonal": lambda lax, a, lower: lax.linalg.tridiagonal(a, lower=lower),
    "cholesky_update": lambda lax, r, w: [cholesky_update(r, w)],
    "tridiagonal_solve": lambda lax, *operands, **params: [lax.linalg.tridiagonal_solve(*operands, **params)],
    "schur": lambda lax, a, compute_schur_vectors: lax.linalg.schur(a, compute_schur_vectors=compute_schur_vectors),
    "lu": lambda lax, a: lax.linalg.lu(a),
    "lu_pivots_to_permutation": lambda lax, pivots, permutation_size: (
        [lax.linalg.lu_pivots_to_permutation(pivots, permutation_size)]
    ),
    "svd": _svd,
    "eig": lambda lax, a, **params: lax.linalg.eig(a, **params),
}


def geqrf(a: np.ndarray) -> list:
    """JAX has it as the raw result of qr, transposed."""
    import jax

    transposed, taus = jax.numpy.linalg.qr(a, mode="raw")
    return [transposed.mT, taus]


def cholesky_update(r: np.ndarray, w: np.ndarray) -> np.ndarray:
    """JAX has it for one matrix at a time."""
    import jax

    made = [jax.lax.linalg.cholesky_update(r[i], w[i]) for i in np.ndindex(r.shape[:-2])]
    return np.stack(made).reshape(r.shape)


def geqp3(a: np.ndarray) -> list:
    """JAX has it in its inside."""
    import jax
    from jax._src.lax.linalg import geqp3

    packed, order, taus = geqp3(a, jax.numpy.zeros((*a.shape[:-2], a.shape[-1]), np.int32))
    return [packed, order - 1, taus]


class PlainBuilder(FunctionBuilder):
    """Emits StableHLO and CHLO only: `sable` ops by their lowerings."""

    platform = "any"

    def bind(self, op: Op, *operands: Any, **params: Any) -> Any:
        if op.dialect == "sable":
            return op.lower(self, *operands, **params)
        return super().bind(op, *operands, **params)


def module_text(op: Op, samples: Sequence[Sample]) -> tuple[str, list[int]]:
    """One program which applies the op to all samples, and how many results each has."""
    avals = [aval_of(x) for s in samples for x in s.operands]
    function = Function(avals)
    b, arguments = PlainBuilder(function), iter(function.arguments)
    outputs, counts = [], []
    for s in samples:
        out = b.bind(op, *[next(arguments) for _ in s.operands], **s.params)
        results = out if op.multiple_results else (out,)
        outputs += results
        counts.append(len(results))
    function.finish(outputs)
    # the generic form: the custom one of a slice without axes does not parse
    text = (
        write_function(function, {})
        .get_asm(print_generic_op_form=True)
        .replace('sym_name = "f"', 'sym_name = "main"', 1)
    )
    return f"module @program {{\n{text}\n}}", counts


@functools.cache
def _client() -> tuple:
    import jax
    from jax._src.compiler import get_compile_options
    from jax._src.lib import xla_client

    device = jax.devices("cpu")[0]
    return device, xla_client.DeviceList((device,)), get_compile_options(1, 1)


def run(op: Op, samples: Sequence[Sample]) -> list[list[np.ndarray]]:
    """What XLA computes for each sample."""
    import jax

    if op.name in _LOOPS:
        with jax.enable_x64(True):
            return [[np.asarray(getattr(jax.lax, op.name)(*s.operands))] for s in samples]
    if op.name in _FUNCTIONS:
        with jax.enable_x64(True):
            return [[np.asarray(y) for y in _FUNCTIONS[op.name](jax.lax, *s.operands, **s.params)] for s in samples]
    device, devices, options = _client()
    text, counts = module_text(op, samples)
    executable = device.client.compile_and_load(text, devices, options)
    with jax.enable_x64(True):
        arguments = [jax.device_put(x, device) for s in samples for x in s.operands]
    out = executable.execute_sharded(arguments).disassemble_into_single_device_arrays()
    results = iter([np.asarray(x[0]) for x in out])
    return [[next(results) for _ in range(n)] for n in counts]
