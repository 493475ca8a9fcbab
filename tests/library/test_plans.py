"""Plans against what an eager op computes (its reference, or its native kernel): every op of the table, in the native module and in pure Python, bit by bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sable as jax
from sable.core.array import from_numpy
from sable.core.bind import bind
from sable.core.evaluation import meaning_of
from sable.ir.op import OPS
from sable.library.native_plan import write_plan
from sable.library.program import Call, Unplannable, program_of
from sable.library.python_plan import PythonPlan
from sable.pytree import registry as pytree

PLANNED = sorted(name for name, op in OPS.items() if not op.functions and not op.collective and not op.effects)


def same_bits(x: Any, y: Any) -> bool:
    """Equal dtypes, shapes and values; all NaN count as one."""
    x, y = np.asarray(x), np.asarray(y)
    if x.dtype != y.dtype or x.shape != y.shape:
        return False
    if x.dtype.kind in "fcV":
        nan = np.isnan(x)
        return bool(np.array_equal(nan, np.isnan(y))) and x[~nan].tobytes() == y[~nan].tobytes()
    return x.tobytes() == y.tobytes()


def program_of_op(op: Any, sample: Any) -> tuple[Any, list[Any]]:
    leaves = [from_numpy(np.asarray(x)) for x in sample.operands]
    call = Call(lambda *xs: bind(op, *xs, **sample.params), leaves, {}, lambda k: False)
    return program_of(call, op.name), leaves


@pytest.mark.parametrize("name", PLANNED)
def test_ops(name: str) -> None:
    op = OPS[name]
    with jax.enable_x64(True):
        for sample in op.samples():
            try:
                program, leaves = program_of_op(op, sample)
            except Unplannable as why:
                pytest.fail(f"{name}: {why}")
            with np.errstate(all="ignore"):
                wanted = meaning_of(op, [x.aval for x in leaves], sample.params)(*[x.numpy() for x in leaves])
            wanted = wanted if op.multiple_results else (wanted,)
            plans = [PythonPlan(program)] + ([write_plan(program)] if pytree.native else [])
            for plan in plans:
                found = plan.run(leaves)
                found = found if op.multiple_results else (found,)
                for x, y in zip(found, wanted):
                    assert same_bits(x, y), (type(plan).__name__, sample, np.asarray(x), np.asarray(y))
