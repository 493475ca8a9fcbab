"""Generated from the op table: collectives under `batch` with their axis named, values and both derivative modes."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

import sable.dialects.ops  # noqa: F401  (defines the table)
from sable.ir.aval import aval_of
from sable.ir.function import Function, FunctionBuilder
from sable.ir.op import OPS, Sample
from sable.passes import batch_function, jvp_function, linearize_function, transpose_function

from .test_functions import difference, run
from .test_table import DIFFERENCE, pair, random_like, wide

#: examples along the axis
SIZE = 3
AXIS = "i"
NAMES = [name for name, op in OPS.items() if op.collective]


@functools.cache
def samples_of(name: str) -> list[Sample]:
    return list(OPS[name].samples())


CASES = [(name, i) for name in NAMES for i in range(len(samples_of(name)))]
every_sample = pytest.mark.parametrize(("name", "i"), CASES)
every_derivative = pytest.mark.parametrize(("name", "i"), [c for c in CASES if OPS[c[0]].jvp])


def one_example(name: str, i: int) -> tuple[Function, list[np.ndarray]]:
    """A function of one example, and the operands of all."""
    s = samples_of(name)[i]
    params = {k: SIZE if k == "axis_size" else v for k, v in s.params.items()}
    operands = [wide(np.asarray(x)) for x in s.operands]
    function = Function([aval_of(x) for x in operands], name)
    function.finish([FunctionBuilder(function).bind(OPS[name], *function.arguments, **params)])
    return function, [np.stack([x * (1 + 0.3 * k) + 0.1 * k for k in range(SIZE)]) for x in operands]


def batched(function: Function) -> Function:
    """All examples, every result mapped."""
    force = (True,) * len(function.out_avals)
    return batch_function(function, (True,) * len(function.in_avals), SIZE, AXIS, force)[0]


@every_sample
def test_values_agree_with_jax(name: str, i: int) -> None:
    jax = pytest.importorskip("jax")
    function, values = one_example(name, i)
    got = run(batched(function), values)
    collective = getattr(jax.lax, name)
    with jax.enable_x64(True):
        if values:
            wanted = jax.vmap(lambda *xs: collective(*xs, AXIS), axis_name=AXIS)(*values)
        else:
            wanted = jax.vmap(lambda _: collective(AXIS), axis_name=AXIS)(np.zeros(SIZE))
    np.testing.assert_allclose(got[0], wanted, rtol=1e-12)
    assert got[0].dtype == wanted.dtype


@every_sample
def test_operands_equal_for_all(name: str, i: int) -> None:
    """What is not mapped counts once for every example."""
    function, values = one_example(name, i)
    alone = batch_function(function, (False,) * len(values), SIZE, AXIS, (True,))[0]
    repeated = [np.stack([x[0]] * SIZE) for x in values]
    np.testing.assert_allclose(run(alone, [x[0] for x in values])[0], run(batched(function), repeated)[0], rtol=1e-12)


@every_derivative
def test_jvp_agrees_with_differences(name: str, i: int) -> None:
    function, values = one_example(name, i)
    every = (True,) * len(values)
    ts = [random_like(x, 10 + k) for k, x in enumerate(values)]
    got = run(batched(jvp_function(function, every, (True,))[0]), [*values, *ts])[1]
    (want,) = difference(batched(function), values, every, ts)
    np.testing.assert_allclose(got, want, rtol=0, atol=DIFFERENCE * max(1.0, np.abs(want).max()))


def pulled_back(function: Function, values: list[np.ndarray], ct: np.ndarray) -> list[np.ndarray]:
    """Cotangents by linearize and transpose of one example's function, each batched."""
    made = linearize_function(function, (True,) * len(values))
    residuals = run(batched(made.forward), values)[1:]
    linear = (*[True] * len(values), *[False] * made.residuals)
    return run(batched(transpose_function(made.linear, linear, (True,))), [*residuals, ct])


@every_derivative
def test_transpose_pairs_with_differences(name: str, i: int) -> None:
    function, values = one_example(name, i)
    every = (True,) * len(values)
    ts = [random_like(x, 10 + k) for k, x in enumerate(values)]
    (slope,) = difference(batched(function), values, every, ts)
    ct = random_like(slope, 20)
    np.testing.assert_allclose(pair(pulled_back(function, values, ct), ts), pair([ct], [slope]), rtol=DIFFERENCE)


@every_derivative
def test_second_order(name: str, i: int) -> None:
    """The derivative of the derivative, forward and by transposing, against differences."""
    function, values = one_example(name, i)
    every = (True,) * len(values)
    first = jvp_function(function, every, (True,))[0]
    inputs = [*values, *[random_like(x, 10 + k) for k, x in enumerate(values)]]
    ts = [random_like(x, 30 + k) for k, x in enumerate(inputs)]
    wanted = difference(batched(first), inputs, (True,) * len(inputs), ts)
    second = jvp_function(first, (True,) * len(inputs), (True, True))[0]
    got = run(batched(second), [*inputs, *ts])[2:]
    for g, w in zip(got, wanted, strict=True):
        np.testing.assert_allclose(g, w, rtol=0, atol=DIFFERENCE * max(1.0, np.abs(w).max()))


@pytest.mark.parametrize("name", NAMES)
def test_without_the_axis_it_is_refused(name: str) -> None:
    def lowered(*values: Any) -> None:
        op, s = OPS[name], samples_of(name)[0]
        op.lower(None, *s.operands, **s.params)

    with pytest.raises(NameError, match="unbound axis name: i"):
        lowered()
