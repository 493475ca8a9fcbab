"""Operands of every dtype: results have the dtypes and weak types that they have with JAX.

Nothing is compiled: shapes and dtypes are asked. What JAX refuses is not compared here, nor what it refuses only when it is
run: factorisations in half precision.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import sable

from . import rows  # noqa: F401  (they fill the table)
from .table import CALLS, Call, apply, operands, with_operands

jax = pytest.importorskip("jax", reason="JAX is the oracle of these tests (it needs Python 3.11)")

_DTYPES = (np.bool_, np.int8, np.uint32, np.float16, ml_dtypes.bfloat16, np.complex64)
_HALF = (np.float16, ml_dtypes.bfloat16)

#: function -> why its result is of another dtype
_OTHERWISE = {
    "scipy.special.owens_t": "JAX's of half precision is one of float32",
    "numpy.linalg.vector_norm": "JAX computes norms of integers in integers: that of order 3 of [1, 0, 1] is 1",
    "lax.linalg.cholesky": "JAX's factors of booleans are weakly typed",
    "lax.linalg.eigh": "JAX's eigenvalues of booleans are weakly typed",
    "numpy.argmax": "JAX knows no largest complex number when it runs",
    "numpy.argmin": "JAX knows no smallest complex number when it runs",
    "numpy.nanargmax": "JAX knows no largest complex number when it runs",
    "numpy.nanargmin": "JAX knows no smallest complex number when it runs",
    "lax.argmax": "JAX knows no largest complex number when it runs",
    "lax.argmin": "JAX knows no smallest complex number when it runs",
    "lax.cumlogsumexp": "JAX knows no -inf among integers when it runs",
}


def _as(dtype: Any) -> Any:
    def convert(x: Any) -> Any:
        if not isinstance(x, np.ndarray) or x.dtype.kind not in "fc":
            return x
        with np.errstate(all="ignore"):
            return (x if dtype is np.complex64 else np.nan_to_num(x.real)).astype(dtype)

    return convert


def _samples() -> Iterator[Call]:
    """The first sample of each function."""
    seen = set()
    for sample in CALLS:
        if sample.function not in seen and sample.function not in _OTHERWISE:
            seen.add(sample.function)
            yield sample


def _result(module: Any, sample: Call) -> list | Exception:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            values = operands(sample, module)
            result = module.eval_shape(lambda *v: apply(sample, module, list(v)), *values)
        except Exception as error:
            return error
    return [(x.shape, str(x.dtype), getattr(x, "weak_type", False)) for x in module.tree_util.tree_leaves(result)]


def _is_refused_later(sample: Call) -> bool:
    try:
        jax.block_until_ready(apply(sample, jax, operands(sample, jax)))
    except NotImplementedError:
        return True
    return False


@pytest.mark.parametrize("dtype", _DTYPES, ids=lambda d: np.dtype(d).name)
def test_results_have_jax_dtypes(dtype: Any) -> None:
    wrong = []
    for sample in _samples():
        changed = with_operands(sample, _as(dtype))
        expected = _result(jax, changed)
        if isinstance(expected, Exception):
            continue
        found = _result(sable, changed)
        if found != expected and not (dtype in _HALF and isinstance(found, Exception) and _is_refused_later(changed)):
            wrong.append((changed, expected, found))
    assert wrong == []
