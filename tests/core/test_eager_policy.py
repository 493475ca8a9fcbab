"""Eager ops on the CPU: NumPy for little work, a compiled program for much, with the same results."""

from __future__ import annotations

import numpy as np
import pytest

import sable.dialects.ops  # noqa: F401
from sable._config import managers
from sable.core import evaluation
from sable.core.array import Array
from sable.core.evaluation import evaluate
from sable.ir import eager
from sable.ir.aval import aval_of
from sable.ir.eager import EagerPolicy
from sable.ir.op import OPS

from ..dialects.ops.test_iree import check, expected

NAMES = sorted(name for name, op in OPS.items() if op.eager is not None)


@pytest.fixture
def programs(monkeypatch) -> list[str]:
    """The names of the ops that are compiled."""
    found: list[str] = []
    run = evaluation.run

    def watched(function, values):
        found.append(function.name)
        return run(function, values)

    monkeypatch.setattr(evaluation, "run", watched)
    return found


def arrays(operands) -> list[Array]:
    return [Array(aval_of(np.asarray(x)), np.asarray(x)) for x in operands]


@pytest.mark.parametrize("name", ["tanh", "atan2", "scatter_add", "convolution"])
def test_much_work_is_compiled(name: str, programs: list[str], monkeypatch) -> None:
    monkeypatch.setattr(eager, "QUICK_SECONDS", 0.0)
    op = OPS[name]
    with managers.enable_x64(True):
        for s in [s for s in op.samples() if op.eager.work([aval_of(x) for x in s.operands], s.params)][:2]:
            before = len(programs)
            made = evaluate(op, arrays(s.operands), dict(s.params))
            assert programs[before:] == [name]
            check(op, s, np.asarray(made), expected(op, s)[0])


@pytest.mark.parametrize("name", NAMES)
def test_little_work_is_not(name: str, programs: list[str]) -> None:
    op = OPS[name]
    s = op.samples()[0]
    made = evaluate(op, arrays(s.operands), dict(s.params))
    assert programs == []
    check(op, s, np.asarray(made), expected(op, s)[0])


@pytest.mark.parametrize("name", NAMES)
def test_work_is_counted(name: str) -> None:
    op = OPS[name]
    for s in op.samples():
        count = op.eager.work([aval_of(np.asarray(x)) for x in s.operands], s.params)
        assert 0 <= count < 1e6


def test_the_limit_is_a_time() -> None:
    policy = EagerPolicy(lambda avals, params: avals[0].size, "elements", 50)
    count = int(eager.QUICK_SECONDS * 1e9 / 50)
    assert not policy.is_long([aval_of(np.empty(count, np.int8))], {})
    assert policy.is_long([aval_of(np.empty(count + 1, np.int8))], {})
