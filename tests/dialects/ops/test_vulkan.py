"""Vulkan against the reference meaning: every op of the table on its samples, several ops in one module.

What Vulkan cannot do is refused by name (`REFUSED`), which is tested too; everything else must be right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

import sable.dialects.ops  # noqa: F401
from sable._config.managers import enable_x64
from sable.core import loading
from sable.core.array import Array
from sable.ir.aval import aval_of
from sable.ir.bindings import UNKNOWN
from sable.ir.function import Function
from sable.ir.op import OPS, Op, Sample
from sable.passes.legalize.vulkan import refusal
from sable.passes.lower import lower

from ...vulkan import vulkan_device
from .invariants import invariants
from .test_iree import NOT_COMPILED, bundle, check, expected

NAMES = sorted(set(OPS) - NOT_COMPILED)
#: Ops in one module: a compile costs 0.4 s before it does anything, and one failing op takes the others along.
TOGETHER = 6
#: Samples of an op that are tried, evenly spread; `pytest --exhaustive` tries all.
SAMPLES = 3
GROUPS = [NAMES[k : k + TOGETHER] for k in range(0, len(NAMES), TOGETHER)]


def is_refused(op: Op, s: Sample) -> bool:
    return refusal(op.name, [aval_of(np.asarray(x)) for x in s.operands]) is not None


def possible(names: Sequence[str], exhaustive: bool) -> Iterator[tuple[Op, Sample]]:
    for name in names:
        samples = [s for s in OPS[name].samples() if not is_refused(OPS[name], s)]
        every = 1 if exhaustive else -(-len(samples) // SAMPLES)
        yield from ((OPS[name], s) for s in samples[:: every or 1])


def program(cases: Sequence[tuple[Op, Sample]]) -> tuple[Function, list[np.ndarray]]:
    """One function that applies each op to its sample, and the arguments."""
    operands = [np.asarray(x) for _, s in cases for x in s.operands]
    function = Function([aval_of(x) for x in operands], "ops")
    values = iter(function.arguments)
    outs, avals = [], []
    for op, s in cases:
        given = [next(values) for _ in s.operands]
        types = op.type(*[aval_of(np.asarray(x)) for x in s.operands], **s.params)
        types = list(types) if op.multiple_results else [types]
        outs += function.emit(op, given, dict(s.params), types, UNKNOWN)
        avals += types
    return function.finish(outs, avals), operands


@pytest.mark.parametrize("names", GROUPS, ids="-".join)
def test_vulkan_agrees_with_the_reference(names: list[str], exhaustive: bool) -> None:
    device = vulkan_device()
    with enable_x64(True):
        cases = list(possible(names, exhaustive))
        function, operands = program(cases)
        results = iter(loading.load(function, device)([Array(aval_of(x), x) for x in operands]))
        for op, s in cases:
            wanted = [np.asarray(y) for y in expected(op, s)]
            got = [np.asarray(next(results)) for _ in wanted]
            for x, y in zip(invariants(op.name, got), invariants(op.name, wanted)):
                try:
                    check(op, s, x, y)
                except AssertionError as error:
                    inputs = [aval_of(np.asarray(x)).short() for x in s.operands]
                    raise AssertionError(f"{op.name} of {', '.join(inputs)} {dict(s.params)}: {error}") from None


@pytest.mark.parametrize("name", [n for n in NAMES if any(is_refused(OPS[n], s) for s in OPS[n].samples())])
def test_refusals_name_op_dtype_and_device(name: str) -> None:
    op = OPS[name]
    s = next(s for s in op.samples() if is_refused(op, s))
    with enable_x64(True), pytest.raises(NotImplementedError) as refused:
        lower(bundle(op, [s])[0], "vulkan")
    assert str(refused.value).startswith(f"{name} of {np.asarray(s.operands[0]).dtype.name}")
    assert "Vulkan" in str(refused.value) and "device_put" in str(refused.value)
