"""Ops in loops that are no kernels: IREE hoists, fuses and reuses buffers between trips, and each trip must compute its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import sable
from sable import lax
from sable._config.managers import enable_x64
from sable.core.bind import bind
from sable.dialects.ops.rules import elementwise
from sable.ir.op import OPS, Op, Sample

from .test_iree import NAMES, check, expected

#: Trips of the loop; the first two have the same operands.
TRIPS = 3
#: An array without elements among the carries keeps the loop from being a kernel.
EMPTY = np.zeros(0, np.float32)
GROUP = 12


def chosen(op: Op) -> Sample | None:
    """The largest sample, if its operands can be given another order."""
    samples = [s for s in op.samples() if s.operands and all(np.asarray(x).size for x in s.operands)]
    return max(samples, key=lambda s: np.asarray(s.operands[0]).size, default=None)


def moved(operands: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Other floats; indices, keys and flags stay."""
    return [np.roll(x, 1) if np.issubdtype(x.dtype, np.inexact) else x for x in operands]


CASES = [
    (OPS[name], s) for name in NAMES if OPS[name].batch is not elementwise and (s := chosen(OPS[name])) is not None
]
GROUPS = [CASES[k : k + GROUP] for k in range(0, len(CASES), GROUP)]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: f"{group[0][0].name}..{group[-1][0].name}")
def test_the_last_trip_computes_its_own(group: list[tuple[Op, Sample]]) -> None:
    first = [[np.asarray(x) for x in s.operands] for _, s in group]
    last = [moved(xs) for xs in first]
    stacks = [[np.stack([x] * (TRIPS - 1) + [y]) for x, y in zip(xs, ys)] for xs, ys in zip(first, last)]

    def turn(i: Any, stacks: Any) -> list[Any]:
        return [bind(op, *[z[i] for z in zs], **s.params) for (op, s), zs in zip(group, stacks)]

    def program(empty: Any, stacks: Any) -> list[Any]:
        return lax.fori_loop(1, TRIPS, lambda i, _: (empty, turn(i, stacks)), (empty, turn(0, stacks)))[1]

    with enable_x64(True):
        arrays = sable.tree.map(sable.numpy.asarray, (EMPTY, stacks))
        found = sable.jit(program)(*arrays)
        for (op, s), operands, results in zip(group, last, found, strict=True):
            results = results if op.multiple_results else [results]
            for got, wanted in zip(results, expected(op, Sample(tuple(operands), s.params)), strict=True):
                check(op, s, np.asarray(got), np.asarray(wanted))
