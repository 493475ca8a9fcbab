"""Rows with a native kernel: kernel, expansion and NumPy meaning agree, eagerly and compiled."""

from __future__ import annotations

import numpy as np
import pytest

import sable.dialects.ops  # noqa: F401
from sable import runtime
from sable._config.managers import enable_x64
from sable.core import loading, preparation
from sable.core.array import Array
from sable.core.evaluation import evaluate
from sable.dialects.ops.linear_algebra import LAPACK_DTYPES
from sable.dialects.ops.rules import sample
from sable.ir.aval import aval_of
from sable.ir.op import OPS, Op, Sample
from sable.runtime import native_kernels

from .invariants import invariants
from .test_iree import bundle, check, expected

NAMES = sorted(name for name, op in OPS.items() if op.native is not None)


def without_a_factor() -> list[Sample]:
    """Matrices beside good ones that are not positive definite: NaN in their triangle, where XLA has NaN everywhere."""
    good = np.float32([[4, 2, 1], [2, 5, 3], [1, 3, 6]])
    stack = np.stack([good, -good, good, np.zeros_like(good), good - 4 * np.eye(3, dtype=np.float32)])
    return [sample(stack.astype(dtype), lower=low) for dtype in LAPACK_DTYPES for low in (True, False)]


#: Samples that have no place in the table.
MORE = {"cholesky": without_a_factor}


def all_samples(op: Op) -> list[Sample]:
    return [*op.samples(), *(MORE[op.name]() if op.name in MORE else [])]


def run_expanded(op: Op) -> list[np.ndarray]:
    """The op's samples, as a module that is deployed computes them."""
    function, operands = bundle(op, all_samples(op))
    prepared = preparation.prepare(function, "cpu", native=False)
    assert prepared.native_kernels == ()
    assert b"custom_call" not in prepared.module
    device = runtime.devices("cpu")[0]
    compiled = preparation.compile_prepared(prepared, preparation.target_of(device))
    return runtime.Executable(compiled.vmfb, device, results=function.out_avals).run(*operands)


@pytest.mark.parametrize("name", NAMES)
def test_expansion_agrees_with_the_reference(name: str) -> None:
    op = OPS[name]
    with enable_x64(True):
        results = iter(run_expanded(op))
        for s in all_samples(op):
            wanted = expected(op, s)
            made = [next(results) for _ in wanted]
            for x, y in zip(invariants(name, made), invariants(name, wanted)):
                check(op, s, x, y)


@pytest.mark.parametrize("name", NAMES)
def test_eager_and_compiled_are_the_same_function(name: str) -> None:
    if not native_kernels.available():
        pytest.skip("no native kernels here")
    op = OPS[name]
    samples = all_samples(op)
    with enable_x64(True):
        function, operands = bundle(op, samples)
        prepared = preparation.prepare(function, "cpu", native=True)
        assert prepared.native_kernels
        results = iter(loading.load(function, runtime.devices("cpu")[0])([Array(aval_of(x), x) for x in operands]))
        for s in samples:
            eager = evaluate(op, [Array(aval_of(x), x) for x in s.operands], dict(s.params))
            found = [np.asarray(y) for y in (eager if op.multiple_results else (eager,))]
            for y in found:
                np.testing.assert_array_equal(y, np.asarray(next(results)))
            for y, wanted in zip(invariants(name, found), invariants(name, expected(op, s))):
                check(op, s, y, wanted)
