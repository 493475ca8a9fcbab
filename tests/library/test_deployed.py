"""Linear algebra and Fourier transforms where there are no native functions: each public one, batched, in modules that are
deployed and on Vulkan, against its eager value. One sample of each name: the libraries share what they compute.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sable
from sable import aot
from sable.runtime import load

from ..vulkan import vulkan_device
from . import rows  # noqa: F401  (they fill the table)
from .run import Outcome, batched, each, value
from .table import CALLS, Call, operands

MODULES = ("lax.linalg", "numpy.linalg", "scipy.linalg", "numpy.fft", "scipy.fft")
#: Phases of vectors are free, and roots of negative numbers may have either sign: magnitudes are compared.
MAGNITUDES = ("eig", "eigh", "funm", "qr", "schur", "sqrtm", "svd")
#: Those whose only operands are integers, or that have none: they make constants.
CONSTANT = {"dft", "hadamard", "helmert", "hilbert", "invhilbert", "invpascal", "pascal", "lu_pivots_to_permutation"}
#: `tests/dialects/ops/test_vulkan.py` has the ops themselves.
ON_VULKAN = ("cholesky", "det", "eigvals", "numpy.fft.fft2", "inv", "numpy.fft.irfft", "lstsq", "pinv", "qr", "solve")
#: Modules that are compiled: several, so that workers share the work.
PARTS = 4

SQUARE = np.float32([[4, 1, -2, 2], [1, 2, 0, 1], [3, -2, 3, -2], [2, 1, -2, -1]])
#: Of what has no sample in the table that is no error: signs are others than JAX's.
MORE = (Call("numpy.linalg.eig", (SQUARE,), {}),)


def transform_of(sample: Call) -> Callable:
    return value if "vmap" in sample.without else batched


def eager(samples: Sequence[Call]) -> list[Outcome]:
    return [each(sable, [s], transform_of(s))[0] for s in samples]


def _key(sample: Call) -> str:
    module, _, name = sample.function.rpartition(".")
    return name if module.endswith("linalg") else sample.function


def _is_wide(sample: Call) -> bool:
    dtypes = [np.dtype(x.dtype) for x in operands(sample, sable)]
    return any(d.kind in "fc" for d in dtypes) and all(d.itemsize >= 4 for d in dtypes)


@cache
def chosen() -> dict[str, tuple[Call, Outcome]]:
    """The first sample of each function that is no error, and what it gives."""
    found: dict[str, tuple[Call, Outcome]] = {}
    for sample in (*CALLS, *MORE):
        if sample.function.rpartition(".")[0] in MODULES and _key(sample) not in found and _is_wide(sample):
            (outcome,) = eager([sample])
            if outcome.error is None:
                found[_key(sample)] = sample, outcome
    return found


def arrays(outcome: Outcome) -> list[np.ndarray]:
    return [np.asarray(x) for x in outcome.leaves if hasattr(x, "dtype")]


def program(samples: Sequence[Call]) -> Callable:
    """The results of all samples, flat, as a function of all their operands."""

    def run(values: list[list[Any]]) -> list[Any]:
        made = [transform_of(s)(sable, s)(*v) for s, v in zip(samples, values)]
        return [x for x in sable.tree_util.tree_leaves(made) if hasattr(x, "dtype")]

    return run


def check(cases: Sequence[tuple[Call, Outcome]], results: Sequence[Any]) -> None:
    rest = iter(results)
    for sample, outcome in cases:
        for wanted in arrays(outcome):
            found = np.asarray(next(rest))
            assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape), sample
            if _key(sample) in MAGNITUDES:
                found, wanted = np.abs(found), np.abs(wanted)
            np.testing.assert_allclose(found, wanted, rtol=2e-4, atol=2e-4, err_msg=repr(sample))
    assert not list(rest)


def test_every_function_has_a_sample() -> None:
    names = {_key(s) for s in CALLS if s.function.rpartition(".")[0] in MODULES}
    assert names - set(chosen()) == CONSTANT


@pytest.mark.parametrize("part", range(PARTS))
def test_deployed_modules_compute_the_eager_values(part: int, tmp_path: Path) -> None:
    cases = list(chosen().values())[part::PARTS]
    values = [operands(s, sable) for s, _ in cases]
    path = aot.save(program([s for s, _ in cases]), (values,), tmp_path / "module.vmfb")
    check(cases, load(path)(*(np.asarray(x) for v in values for x in v)))


def test_vulkan_computes_the_eager_values() -> None:
    device = vulkan_device()
    cases = [chosen()[name] for name in ON_VULKAN]
    values = sable.device_put([operands(s, sable) for s, _ in cases], device)
    check(cases, sable.jit(program([s for s, _ in cases]))(values))
