"""IREE against the reference meaning: every op of the table on its samples, all samples of an op in one module."""

from __future__ import annotations

import numpy as np
import pytest

import sable.dialects.ops  # noqa: F401
from sable import runtime
from sable._config.managers import enable_x64
from sable.core import loading
from sable.core.array import Array
from sable.ir.aval import aval_of
from sable.ir.bindings import UNKNOWN
from sable.ir.function import Function
from sable.ir.op import OPS, NumpyBuilder, Op, Sample

#: Ops that have no meaning of their own on a device: they name functions (test_functions.py), or axes that `batch`
#: removes (test_collectives.py).
NOT_COMPILED = {name for name, op in OPS.items() if op.functions or op.collective}

#: Absolute error of a float16 or bfloat16 result is that of its last place, whatever the sample asks of float32.
COARSE = {"float16": 2e-3, "bfloat16": 2e-2}


def bundle(op: Op, samples: list[Sample]) -> tuple[Function, list[np.ndarray]]:
    """One function that applies the op to every sample."""
    operands = [np.asarray(x) for s in samples for x in s.operands]
    function = Function([aval_of(x) for x in operands], op.name)
    values = iter(function.arguments)
    outs, avals = [], []
    for s in samples:
        given = [next(values) for _ in s.operands]
        types = op.type(*[aval_of(np.asarray(x)) for x in s.operands], **s.params)
        types = list(types) if op.multiple_results else [types]
        outs += function.emit(op, given, dict(s.params), types, UNKNOWN)
        avals += types
    return function.finish(outs, avals), operands


def expected(op: Op, s: Sample) -> list[np.ndarray]:
    out = NumpyBuilder().bind(op, *[np.asarray(x) for x in s.operands], **s.params)
    return list(out) if op.multiple_results else [out]


def check(op: Op, s: Sample, got: np.ndarray, wanted: np.ndarray) -> None:
    assert got.shape == wanted.shape
    assert got.dtype == wanted.dtype
    if wanted.dtype.kind in "biu":
        np.testing.assert_array_equal(got, wanted)
        return
    wide = np.complex128 if wanted.dtype.kind == "c" else np.float64
    coarse = COARSE.get(wanted.dtype.name, 0.0)
    np.testing.assert_allclose(
        got.astype(wide),
        wanted.astype(wide),
        rtol=max(s.rtol, coarse),
        atol=max(s.atol, coarse),
        equal_nan=True,
    )


#: Those with a native kernel are compiled in test_native.py, with and without it.
NAMES = sorted(name for name in set(OPS) - NOT_COMPILED if OPS[name].native is None)


@pytest.mark.parametrize("name", NAMES)
def test_iree_agrees_with_the_reference(name: str) -> None:
    op = OPS[name]
    samples = list(op.samples())
    assert samples, "an op without samples is not tested"
    with enable_x64(True):
        function, operands = bundle(op, samples)
        loaded = loading.load(function, runtime.devices("cpu")[0])
        results = iter(loaded([Array(aval_of(x), x) for x in operands]))
        for s in samples:
            for wanted in expected(op, s):
                check(op, s, np.asarray(next(results)), np.asarray(wanted))
