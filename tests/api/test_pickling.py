"""What travels by pickle, as JAX's does or further: jitted functions, wrappers, arrays; by cloudpickle also local functions."""

from __future__ import annotations

import copy
import functools
import pickle

import numpy as np
import pytest

import sable as jax
import sable.numpy as jnp


def plain(x, power=2):
    return jnp.sum(x**power)


@jax.jit
def decorated(x):
    return x * 3


@functools.partial(jax.jit, static_argnames="power")
def with_static(x, power=2):
    return x**power


gradient_of_plain = jax.jit(plain, static_argnames="power")


class Model:
    @jax.jit
    def method(self):
        return self * 2


@jax.vmap
def mapped(x):
    return x + 1


def again(value):
    return pickle.loads(pickle.dumps(value))


@pytest.mark.parametrize("function", [decorated, with_static, Model.method, mapped, jnp.sin, jax.nn.relu])
def test_named_functions_are_found_by_name(function):
    assert again(function) is function and copy.deepcopy(function) is function


def test_other_jitted_functions_travel_with_their_function_and_options():
    x = jnp.arange(3.0)
    found = again(gradient_of_plain)
    assert found is not gradient_of_plain and found.__wrapped__ is plain
    assert float(found(x, power=3)) == 9 and float(copy.copy(found)(x, power=1)) == 3
    assert again(functools.partial(decorated, x))().tolist() == [0, 3, 6]
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(jax.jit(lambda x: x))


def test_wrappers_hold_nothing_of_the_jitted_function():
    assert not {"_entries", "_prepared"} & set(vars(jax.grad(decorated)))


def test_local_functions_by_cloudpickle():
    cloudpickle = pytest.importorskip("cloudpickle")
    x = jnp.arange(3.0)

    def square(x):
        return jnp.sum(x**2)

    functions = [
        jax.jit(square),
        jax.grad(square),
        jax.value_and_grad(square),
        jax.jit(jax.grad(square)),
        jax.vmap(jax.grad(jax.jit(square))),
        jax.jacfwd(square),
    ]
    for function in functions:
        expected = function(x)  # traced: what is kept with the function does not travel
        found = pickle.loads(cloudpickle.dumps(function))(x)
        jax.tree.map(np.testing.assert_array_equal, found, expected)
    # pickled by value since they say that they are of the user's module
    assert again(jax.config) is jax.config


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "complex64", "int8", "bool"])
def test_arrays(dtype):
    x = jnp.ones((2, 3), dtype)
    y = again(x)
    assert type(y) is type(x) and y.aval is x.aval
    np.testing.assert_array_equal(y, x)


def test_weak_types_empty_arrays_and_keys():
    for x in (jnp.asarray(1.0), jnp.zeros((0, 3)), jax.jit(lambda x: x + 1)(jnp.ones(3))):
        assert again(x).aval is x.aval
    key = again(jax.random.key(7))
    assert jax.random.uniform(key) == jax.random.uniform(jax.random.key(7))
