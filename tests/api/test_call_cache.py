"""The native cache of prepared calls: any number of signatures, structures and captured values."""

from __future__ import annotations

import numpy as np
import pytest

import sable as jax
import sable.numpy as jnp
from sable.pytree import registry

pytestmark = pytest.mark.skipif(not registry.native, reason="without the native module there is no cache of calls")


def test_twenty_signatures_are_all_prepared(monkeypatch):
    f = jax.jit(lambda x: x * 2)
    inputs = [jnp.arange(float(n)) for n in range(1, 21)]
    for x in inputs:
        f(x)
    monkeypatch.setattr(type(f), "_slow_call", None)  # whatever is not prepared fails
    for x in inputs:
        np.testing.assert_array_equal(f(x), np.arange(x.size) * 2.0)


def test_structures_with_the_same_leaves_are_told_apart(monkeypatch):
    f = jax.jit(lambda t: t["a"] - t["b"] if isinstance(t, dict) else t[0] + t[1])
    x, y = jnp.float32(5), jnp.float32(3)
    calls = [({"a": x, "b": y}, 2.0), ({"b": x, "a": y}, -2.0), ((x, y), 8.0), ([x, y], 8.0)]
    for argument, _ in calls:
        f(argument)
    monkeypatch.setattr(type(f), "_slow_call", None)
    assert [float(f(argument)) for argument, _ in calls] == [result for _, result in calls]
