"""The registry of legalisations."""

from __future__ import annotations

import numpy as np
import pytest

import sable
import sable.numpy as jnp
from sable import lax
from sable.ir.op import OPS
from sable.passes.legalize.rules import _RULES, legalize, platforms_of, rules_of
from sable.passes.lower import LoweringBuilder  # noqa: F401  (registers every rule)


def test_rules_are_asked_in_order_and_each_stands_once() -> None:
    every, one = rules_of("power", "cpu"), rules_of("power", "vulkan")
    assert len(every) == 1 and len(one) == 2 and one[1:] == every
    assert rules_of("power", "any") == []
    with pytest.raises(
        ValueError, match=r"two rules legalise convert on all platforms: sable.passes.legalize.conversions"
    ):
        legalize("convert")(lambda b, x, dtype: x)
    assert platforms_of("convert") == ["all"]
    assert platforms_of("power") == ["all", "vulkan"] and platforms_of("sine") == ["cpu", "vulkan"]


def test_every_rule_is_for_an_op_of_the_table() -> None:
    assert {name for name, _ in _RULES} <= set(OPS)


def test_updates_of_one_element_leave_their_target() -> None:
    numbers = [jnp.array([3], dtype) for dtype in ("float16", "float32", "int8", "int32", "complex64")]
    place = jnp.array([0])

    def program(numbers):
        made = [x * 2 for x in numbers]
        return (
            made,
            [x.reshape(1, 1, 1).at[place, :, 0].add(2) for x in made],
            [x.at[place].multiply(3) for x in made],
            [lax.dynamic_update_slice(x.reshape(1, 1), jnp.zeros((1, 1), x.dtype), (0, 0)) for x in made],
        )

    for results, expected in zip(sable.jit(program)(numbers), (6, 8, 18, 0), strict=True):
        assert [x.item() for x in results] == [expected] * len(numbers)


def test_equal_targets_of_updates_are_different_arrays() -> None:
    x, i = jnp.arange(8.0) + 0.5, jnp.int32(1)
    make = (
        lambda: jnp.arange(8.0),
        lambda: jnp.zeros(8),
        lambda: jnp.sin(x),
        lambda: jnp.sort(-x),
        lambda: x[0] + jnp.zeros(8),
    )

    def program(x, i):
        return [[lax.dynamic_update_slice(target(), x[:n], (i,)) for n in (2, 3)] for target in make]

    for (small, large), target in zip(sable.jit(program)(x, i), make, strict=True):
        for found, n in ((small, 2), (large, 3)):
            expected = np.asarray(target()).copy()
            expected[1 : 1 + n] = x[:n]
            np.testing.assert_allclose(found, expected, rtol=1e-6)
