"""The functions of `jax.lax` that rows of the op table mean, called with a row's operands and parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable.ir.op import Op, Sample

_DIRECTIONS = {"EQ": "eq", "NE": "ne", "LT": "lt", "LE": "le", "GT": "gt", "GE": "ge"}


def _reduction(name: str) -> Callable:
    return lambda lax, x, dimensions: getattr(lax, name)(x, axes=dimensions)


def _sort(lax: Any, *operands: Any, **params: Any) -> Any:
    return lax.sort(operands, **params)


def _pad(lax: Any, x: Any, value: Any, edge_padding_low: Any, edge_padding_high: Any, interior_padding: Any) -> Any:
    return lax.pad(x, value, list(zip(edge_padding_low, edge_padding_high, interior_padding)))


#: rows whose function has another name, or other parameters
FUNCTIONS: dict[str, Callable] = {
    "add": lambda lax, x, y: lax.add(x, y),
    "and": lambda lax, x, y: lax.bitwise_and(x, y),
    "or": lambda lax, x, y: lax.bitwise_or(x, y),
    "xor": lambda lax, x, y: lax.bitwise_xor(x, y),
    "not": lambda lax, x: lax.bitwise_not(x),
    "round_nearest_even": lambda lax, x: lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN),
    "round_nearest_afz": lambda lax, x: lax.round(x, lax.RoundingMethod.AWAY_FROM_ZERO),
    "betainc": lambda lax, a, b, x: lax.betainc(a, b, x),
    "compare": lambda lax, x, y, comparison_direction: getattr(lax, _DIRECTIONS[comparison_direction])(x, y),
    "select": lambda lax, p, x, y: lax.select(p, x, y),
    "bitcast_convert": lambda lax, x, dtype: lax.bitcast_convert_type(x, dtype),
    "concatenate": lambda lax, *xs, dimension: lax.concatenate(xs, dimension),
    "pad": _pad,
    "reshape": lambda lax, x, shape: lax.reshape(x, shape),
    "sort": _sort,
    **{f"reduce_{name}": _reduction(f"reduce_{name}") for name in ("sum", "prod", "max", "min", "and", "or", "xor")},
    **{name: lambda lax, x, name=name, **params: getattr(lax, name)(x, **params)
       for name in ("cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp", "argmax", "argmin")},
    "eigh": lambda lax, a, lower: lax.linalg.eigh(a, lower=lower, symmetrize_input=False),
    "fft": lambda lax, x, fft_type, fft_length: lax.fft(x, fft_type, fft_length),
}  # fmt: skip

#: of these XLA runs what their form or lowering says (`oracle.run`)
BY_FORM = {
    "convert", "convolution", "dot_general", "gather", "scatter", "scatter_add", "scatter_mul", "scatter_min", "scatter_max", "reduce_argmax", "reduce_window_sum", "reduce_window_max", "reduce_window_min",
    "reduce_argmin", "threefry2x32", "philox4x32", "rng_bit_generator", "triangular_solve", "lu_solve", "cholesky", "power", "svd", "qr", "geqrf", "householder_product",
    "lu", "lu_pivots_to_permutation", "eig", "igamma_grad_a", "random_gamma_grad",
    "hessenberg", "tridiagonal", "schur", "geqp3", "ormqr", "tridiagonal_solve", "cholesky_update", "symmetric_product",
    "dynamic_slice", "dynamic_update_slice", "name", "is_inf", "optimization_barrier",
}  # fmt: skip


def has_function(op: Op) -> bool:
    return op.name not in BY_FORM


def apply(op: Op, sample: Sample, operands: Sequence[Any]) -> list[Any]:
    from jax import lax

    function = FUNCTIONS.get(op.name)
    if function is None:
        out = getattr(lax, op.primitive)(*operands, **sample.params)
    else:
        out = function(lax, *operands, **sample.params)
    return list(out) if op.multiple_results else [out[0] if isinstance(out, (list, tuple)) else out]


def run(op: Op, samples: Sequence[Sample]) -> list[list[np.ndarray]]:
    """What JAX computes for each sample: one program."""
    import jax

    with jax.enable_x64(True):
        made = jax.jit(lambda xs: [apply(op, s, x) for s, x in zip(samples, xs)])([s.operands for s in samples])
        return [[np.asarray(y) for y in ys] for ys in made]
