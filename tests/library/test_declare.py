"""Declared functions: what a plan is looked up by, when it steps aside, what it keeps alive."""

from __future__ import annotations

import gc
import inspect
import os
import pickle
import subprocess
import sys
import textwrap
import threading
import weakref
from typing import Any

import numpy as np
import pytest

import sable as jax
import sable.numpy as jnp
from sable.core.values import concrete
from sable.library.declare import DIFFERENT_RESULT, explain, library, reasons
from sable.numpy.indexing.read import getitem

X = np.arange(6, dtype=np.float32).reshape(2, 3)


def times(n: int, f: Any, *args: Any, **kwargs: Any) -> list[Any]:
    return [f(*args, **kwargs) for _ in range(n)]


def test_functions_look_like_functions() -> None:
    assert jnp.add.__name__ == "add" and jnp.add.__doc__.startswith("x1 + x2")
    assert str(inspect.signature(jnp.sum)).startswith("(a")
    assert pickle.loads(pickle.dumps(jnp.add)) is jnp.add
    assert weakref.ref(jnp.add)() is jnp.add
    assert "sable.numpy.true_divide" in repr(jnp.divide)


def test_all_results_of_repeated_calls_are_the_first_one() -> None:
    x = jnp.asarray(X)
    for f in (
        lambda: jnp.split(x, 3, 1),
        lambda: jnp.divmod(x, 2),
        lambda: jnp.concatenate([x, x[:, :1]], axis=1),
        lambda: jnp.where(x > 2, x, 0),
        lambda: jnp.sum(x, axis=0, where=x > 1),
        lambda: jnp.broadcast_to(x[0], (4, 3)),
        lambda: jnp.transpose(x),
        lambda: jnp.mean(x, keepdims=True),
        lambda: 1 - x,
    ):
        first, *rest = (jax.tree_util.tree_leaves(r) for r in times(5, f))
        for other in rest:
            assert len(first) == len(other)
            for a, b in zip(first, other):
                assert (a.dtype, a.shape, a.weak_type) == (b.dtype, b.shape, b.weak_type)
                assert np.array_equal(a, b)


def test_scalars_given_for_operands_are_no_part_of_the_key() -> None:
    x = jnp.asarray(X[0])
    f = library(operands=("y",))(lambda x, y: x * y)
    for n in range(50):
        assert np.array_equal(f(x, float(n)), X[0] * n)
        assert np.array_equal(f(x, y=n), X[0] * n)
    assert f.plan_counts() == (3, 0) or f.plan_counts() == (2, 0)
    assert np.signbit(np.asarray(jnp.multiply(x, -0.0))[1]) and not np.signbit(np.asarray(jnp.multiply(x, 0.0))[1])
    for _ in range(5):
        with pytest.raises(OverflowError):
            jnp.add(jnp.arange(3), 2**40)


def test_static_arguments_of_equal_value_and_other_type_are_others() -> None:
    seen = []

    def f(x, flag):
        seen.append(flag)
        return x + (10 if flag is True else 20)

    g, x = library(f), jnp.asarray(X[0])
    for flag, wanted in ((True, 10), (1, 20), (1.0, 20), (-0.0, 20), (0.0, 20)):
        assert all(np.array_equal(y, X[0] + wanted) for y in times(5, g, x, flag))
    assert g.plan_counts() == (5, 0)


def test_texts_are_known_by_their_characters() -> None:
    x = jnp.asarray(X)
    for _ in range(5):
        assert np.array_equal(jnp.einsum("".join(["ij,", "kj->ik"]), x, x), X @ X.T)


def test_value_dependent_functions_say_so() -> None:
    f = library(lambda x: x + 1 if x.sum() > 0 else x)
    f.__qualname__ = "chooses"
    x = jnp.asarray(X)
    assert all(np.array_equal(y, X + 1) for y in times(5, f, x))
    assert all(np.array_equal(y, -X) for y in times(5, f, -x))
    assert f.plan_counts() == (0, 1)
    (why,) = reasons()[f"{f.__module__}.chooses"]
    assert "looks at values" in why


def test_functions_that_ask_for_values_have_no_plan() -> None:
    def doubles(x, n):
        known = concrete(n)
        return x * (100 if known is None else int(known))

    f, x = library(doubles), jnp.asarray(X[0])
    for n in (2, 3, 2, 3, 2, 3):
        assert all(np.array_equal(y, X[0] * n) for y in times(5, f, x, jnp.asarray(n)))
    assert f.plan_counts() == (0, 1)
    assert explain(f, x, jnp.asarray(2)) == "it asks whether a value is known"
    for n in (2, 3):
        assert all(np.array_equal(y, X[0] ** n) for y in times(5, jnp.power, x, jnp.asarray(n)))


def test_plans_that_would_give_something_else_are_not_used() -> None:
    def hidden(x):
        return x + 1 if type(x) is jax.Array or type(x).__name__ == "Array" else x + 2

    f, x = library(hidden), jnp.asarray(X[0])
    assert all(np.array_equal(y, X[0] + 1) for y in times(5, f, x))
    assert f.plan_counts() == (0, 1) and explain(f, x) == DIFFERENT_RESULT


def test_explain() -> None:
    x = jnp.asarray(X[0])
    assert explain(jnp.add, x, 1) is None
    assert explain(jnp.add, 1, 1) == "no array is among the arguments"
    assert explain(jnp.add, x, np.float32(1)) == "an argument of type float32 is neither an array nor static"
    assert "bound to a device" in explain(jnp.add, jax.device_put(x, jax.devices("cpu")[0]), 1)


def test_indexing() -> None:
    x, n = jnp.asarray(X), np.asarray(X)
    getitem.clear_plans()
    for i in (0, 1, -1, -2):
        assert all(np.array_equal(y, n[i]) for y in times(5, lambda i: x[i], i))
    assert getitem.plan_counts() == (0, 2)  # one signature for all numbers of a sign: NumPy reads rows
    for index in (slice(0, 1), (slice(None), 2), (..., None, 1), slice(None, None, -1), (1, 2), None, (slice(5, 1),)):
        assert all(np.array_equal(y, n[index]) for y in times(5, lambda i: x[i], index)), index
    assert getitem.plan_counts() == (7, 2)
    mask, where = jnp.asarray([True, False]), jnp.asarray([1, 1, 0])
    for _ in range(5):
        assert np.array_equal(x[mask], n[[True, False]]) and np.array_equal(x[where], n[[1, 1, 0]])
        assert np.array_equal(x[:, where], n[:, [1, 1, 0]]) and np.array_equal(x[jnp.asarray(1) :], n[1:])
    assert getitem.plan_counts()[0] == 7


def test_signs_of_integers_count() -> None:
    key = jax.random.key(0)
    for n in range(20):
        assert np.array_equal(
            jax.random.key_data(jax.random.fold_in(key, n)), jax.random.key_data(jax.jit(jax.random.fold_in)(key, n))
        )
    assert jax.random.fold_in.plan_counts()[0] >= 1
    for _ in range(5):
        with pytest.raises(OverflowError):
            jax.random.fold_in(key, -1)


def test_promotion() -> None:
    @library(operands=("x", "y"), promotion="inexact")
    def f(x, y=1, *, times=1):
        assert x.dtype == y.dtype == np.float32
        return x * y * times

    x = jnp.arange(3)
    for found in (f(x), f(x, 2), f(y=2, x=x), f(x, times=2), f(x, 2, times=3), *times(5, f, x, 2)):
        assert found.dtype == np.float32
    assert np.array_equal(f(y=3, x=x, times=2), np.arange(3) * 6)
    with pytest.raises(TypeError, match=r"f\(\) missing"):
        f()
    with pytest.raises(TypeError, match=r"f requires ndarray or scalar arguments, got .*list"):
        f([1, 2])


def test_internal_errors_are_not_swallowed() -> None:
    def broken(x):
        if not isinstance(x, jax.Array) or type(x).__name__ == "Tracer":
            raise ZeroDivisionError("a fault of the library")
        return x + 1

    f, x = library(broken), jnp.asarray(X)
    times(2, f, x)
    with pytest.raises(ZeroDivisionError):
        f(x)


def test_plans_step_aside() -> None:
    x = jnp.asarray(X)
    times(5, jnp.log, x)
    with jax.debug_nans(True), pytest.raises(FloatingPointError):
        jnp.log(x - 3)
    with jax.enable_x64(True):
        assert jnp.arange(3).dtype == np.int64
        assert all(y.dtype == np.int64 for y in times(5, jnp.add, jnp.arange(3), 1))
    assert all(y.dtype == np.int32 for y in times(5, jnp.add, jnp.arange(3), 1))
    committed = jax.device_put(x, jax.devices("cpu")[0])
    assert all(y.committed for y in times(5, jnp.add, committed, 1))
    assert "add" in str(jax.make_jaxpr(lambda: jnp.add(x, x))()).lower() or jax.jit(lambda: jnp.add(x, x))().shape == (
        2,
        3,
    )
    assert np.array_equal(jax.grad(lambda v: jnp.sum(jnp.log(v)))(x + 1), 1 / (X + 1))


def test_deleted_arrays_raise() -> None:
    x = jnp.asarray(X) + 0
    times(5, jnp.add, x, x)
    x.delete()
    with pytest.raises(RuntimeError, match="deleted"):
        jnp.add(x, x)


def test_arrays_are_not_kept() -> None:
    f, x = library(lambda x: jnp.exp(x) * 2), jnp.asarray(X) + 0
    times(5, f, x)
    alive = weakref.ref(x)
    del x
    gc.collect()
    assert alive() is None


def test_functions_with_plans_are_collected() -> None:
    class Holder:
        pass

    def made() -> weakref.ref:
        holder, x = Holder(), jnp.asarray(X)
        holder.f = library(lambda x: (holder, jnp.sin(x))[1])
        times(5, holder.f, x)
        assert holder.f.plan_counts() == (1, 0)
        return weakref.ref(holder)

    alive = made()
    gc.collect()
    assert alive() is None


def test_threads() -> None:
    f, x = (
        library(operands=("y",))(lambda x, y: jnp.tanh(x) * y),
        jnp.asarray(np.linspace(0, 1, 100_000, dtype=np.float32)),
    )
    wanted, failures = np.asarray(f(x, 3.0)), []

    def work() -> None:
        failures.extend(1 for _ in range(30) if not np.array_equal(f(x, 3.0), wanted))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures


def test_pure_python_gives_the_same() -> None:
    program = textwrap.dedent(
        """
        import numpy as np, sable as jax, sable.numpy as jnp
        from sable.pytree import registry
        x = jnp.asarray(np.linspace(-2, 2, 12, dtype=np.float32).reshape(3, 4))
        for _ in range(5):
            found = [jax.nn.softmax(x), jnp.where(x > 0, x, 1), jnp.sum(x, 0), jnp.stack([x, x * 2]), x / 3, *jnp.divmod(x, 2)]
            found += [jax.random.normal(jax.random.key(3), (5,)), jax.random.randint(jax.random.key(3), (5,), 0, 9)]
        print(registry.native, b"".join(np.asarray(y).tobytes() for y in found).hex())
        """
    )
    outputs = []
    for pure in ("0", "1"):
        environment = {**os.environ, "SABLE_PURE_PYTHON": pure}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        outputs.append(done.stdout.split())
    assert [o[0] for o in outputs] == ["True", "False"]
    assert outputs[0][1] == outputs[1][1]
