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


def test_static_arguments_belong_to_the_call(monkeypatch):
    f = jax.jit(lambda x, n, *, scale=1: x * n if scale == 1 else x + n, static_argnames=("n", "scale"))
    x = jnp.arange(3.0)
    calls = [
        ((x, 2), {}),
        ((x, 2.0), {}),
        ((x, 3), {}),
        ((x, 2), {"scale": 5}),
        ((x,), {"n": 4}),
        ((), {"x": x, "n": 5}),
    ]
    before = [f(*args, **kwargs) for args, kwargs in calls]
    monkeypatch.setattr(type(f), "_slow_call", None)
    for (args, kwargs), expected in zip(calls, before):
        found = f(*args, **kwargs)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


def test_static_arguments_that_are_no_keys():
    f = jax.jit(lambda x, n: x * len(n), static_argnums=1)
    x = jnp.arange(3.0)
    f(x, (1, 2)), f(x, (1, 2))
    with pytest.raises(ValueError, match="Non-hashable static arguments"):
        f(x, [1, 2])
    np.testing.assert_array_equal(f(x, (1, 2, 3)), [0, 3, 6])
