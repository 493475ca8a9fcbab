"""The same program under JAX and under Sable: values, shapes, dtypes, weak types."""

from __future__ import annotations

import numpy as np
import pytest

import sable

from .programs import PROGRAMS, Program

jax = pytest.importorskip("jax", reason="JAX is the oracle of these tests (it needs Python 3.11)")


def leaves(module, tree):
    return list(module.tree_util.tree_leaves(tree))


def describe(x):
    return (
        tuple(np.shape(x)),
        str(getattr(x, "dtype", type(x).__name__)),
        bool(getattr(x, "weak_type", False)),
    )


def compare(program: Program, ours, theirs) -> None:
    assert str(sable.tree_util.tree_structure(ours)) == str(jax.tree_util.tree_structure(theirs))
    ours, theirs = leaves(sable, ours), leaves(jax, theirs)
    assert [describe(x) for x in ours] == [describe(x) for x in theirs]
    for x, y in zip(ours, theirs):
        np.testing.assert_allclose(
            np.asarray(x).astype(np.complex128 if np.iscomplexobj(np.asarray(x)) else np.float64),
            np.asarray(y).astype(np.complex128 if np.iscomplexobj(np.asarray(y)) else np.float64),
            rtol=program.rtol,
            atol=program.atol,
        )


def arguments(module, program: Program):
    return [module.numpy.asarray(a) if isinstance(a, np.ndarray) else a for a in program.arguments]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.name)
def test_eager(program: Program) -> None:
    ours = program.run(sable, *arguments(sable, program))
    compare(program, ours, program.run(jax, *arguments(jax, program)))


@pytest.mark.parametrize("program", [p for p in PROGRAMS if p.jit], ids=lambda p: p.name)
def test_jit(program: Program) -> None:
    ours = sable.jit(lambda *a: program.run(sable, *a))(*arguments(sable, program))
    compare(program, ours, jax.jit(lambda *a: program.run(jax, *a))(*arguments(jax, program)))


def test_there_are_enough_programs() -> None:
    assert len(PROGRAMS) >= 100
    assert len({p.name for p in PROGRAMS}) == len(PROGRAMS)
