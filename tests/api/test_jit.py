"""`jit` traces when it must and not otherwise; every test holds of JAX, under which it runs too."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

import sable

oracle = pytest.importorskip("jax", reason="JAX is the oracle of these tests (it needs Python 3.11)")


@pytest.fixture(params=[sable, oracle], ids=["sable", "jax"])
def j(request) -> Any:
    return request.param


class Traces:
    """A function that counts how often Python runs it: under `jit`, how often it is traced."""

    def __init__(self, function: Any):
        functools.update_wrapper(self, function)
        self.function, self.count = function, 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.count += 1
        return self.function(*args, **kwargs)


# ---- when it traces ----------------------------------------------------------------------------------------------


def test_one_trace_for_equal_signatures(j):
    f = Traces(lambda x: x * 2)
    g = j.jit(f)
    for k in range(5):
        assert float(g(j.numpy.float32(k))) == 2 * k
    assert f.count == 1


@pytest.mark.parametrize(
    ("calls", "traces"),
    [
        ([np.ones(3, np.float32), np.zeros(3, np.float32)], 1),
        ([np.ones(3, np.float32), np.ones(4, np.float32)], 2),
        ([np.ones(3, np.float32), np.ones(3, np.int32)], 2),
        ([1.0, 2.0, -3.5], 1),
        ([1.0, 1, True], 3),
        ([1.0, np.float32(1)], 2),  # weak and strong
        ([{"a": 1.0, "b": 2.0}, {"b": 3.0, "a": 4.0}], 1),
        ([{"a": 1.0}, {"b": 1.0}], 2),
        ([(1.0, 2.0), [1.0, 2.0]], 2),
        ([(1.0, None), (1.0, 2.0)], 2),
    ],
    ids=str,
)
def test_what_a_signature_is(j, calls, traces):
    f = Traces(lambda x: j.tree.map(lambda leaf: leaf + leaf, x))
    g = j.jit(f)
    for x in calls:
        g(x)
    assert f.count == traces


def test_numpy_arrays_and_arrays_share_a_trace(j):
    f = Traces(lambda x: x + 1)
    g = j.jit(f)
    g(np.ones(3, np.float32))
    g(j.numpy.ones(3))
    assert f.count == 1


def test_keywords_and_positions_are_different_calls_of_one_meaning(j):
    f = Traces(lambda x, y=2.0: x - y)
    g = j.jit(f)
    assert [float(v) for v in (g(1.0), g(1.0, 3.0), g(1.0, y=3.0), g(y=3.0, x=1.0))] == [-1, -2, -2, -2]
    before = f.count
    g(5.0), g(5.0, 1.0), g(5.0, y=1.0), g(y=1.0, x=0.0)
    assert f.count == before


def test_jitting_a_function_again_does_not_trace_it_again(j):
    f = Traces(lambda x: x + 1)

    def plain(x):
        return f(x)

    for _ in range(3):
        j.jit(plain)(1.0)
    assert f.count == 1


def test_x64_is_part_of_the_signature(j):
    f = Traces(lambda x: x + 1)
    g = j.jit(f)
    assert g(np.float64(1)).dtype == np.float32
    with j.enable_x64(True):
        assert g(np.float64(1)).dtype == np.float64
    assert g(np.float64(1)).dtype == np.float32
    assert f.count == 2


def test_clear_cache(j):
    f = Traces(lambda x: x + 1)
    g = j.jit(f)
    g(1.0)
    g.clear_cache()
    g(1.0)
    assert f.count == 2


# ---- static arguments --------------------------------------------------------------------------------------------


def power(x, n):
    return x if n == 1 else x * power(x, n - 1)


@pytest.mark.parametrize("options", [{"static_argnums": 1}, {"static_argnums": -1}, {"static_argnames": "n"}], ids=str)
def test_static_arguments(j, options):
    f = Traces(power)
    g = j.jit(f, **options)
    assert [float(g(2.0, n)) for n in (1, 2, 3, 2)] == [2, 4, 8, 4]
    assert f.count == 3
    if "static_argnames" in options:
        assert float(g(2.0, n=3)) == 8


def test_static_values_of_equal_hash_and_other_type_differ(j):
    g = j.jit(lambda x, kind: x + (1 if kind is True else 2), static_argnums=1)
    assert float(g(0.0, True)) == 1 and float(g(0.0, 1)) == 2


def test_static_functions_and_strings(j):
    g = j.jit(lambda f, how, x: f(x) if how == "apply" else x, static_argnums=(0, 1))
    assert float(g(j.numpy.cos, "apply", 0.0)) == 1 and float(g(j.numpy.cos, "leave", 0.0)) == 0


def test_unhashable_static_argument(j):
    with pytest.raises(ValueError, match=r"Non-hashable static arguments.*list"):
        j.jit(lambda x, n: x, static_argnums=1)(1.0, [1])


def test_static_argument_that_is_not_there(j):
    with pytest.raises(ValueError, match="static_argnums"):
        j.jit(lambda x: x, static_argnums=3)
    with pytest.raises(ValueError, match="static_argnames"):
        j.jit(lambda x: x, static_argnames="depth")


# ---- ways to write it --------------------------------------------------------------------------------------------


def test_decorators(j):
    @j.jit
    def plain(x):
        """Adds one."""
        return x + 1

    @functools.partial(j.jit, static_argnames=("n",))
    def partial(x, n=2):
        return x * n

    @j.jit(static_argnames=["n"])
    def factory(x, *, n):
        return x**n

    assert (float(plain(1.0)), float(partial(3.0)), float(partial(3.0, n=4)), float(factory(2.0, n=3))) == (2, 6, 12, 8)
    assert plain.__name__ == "plain" and plain.__doc__ == "Adds one." and plain.__wrapped__(1) == 2


class Scaled:
    def __init__(self, factor: float):
        self.factor = factor

    @functools.partial(sable.jit, static_argnums=0)
    def ours(self, x):
        return x * self.factor

    @functools.partial(oracle.jit, static_argnums=0)
    def theirs(self, x):
        return x * self.factor

    def plain(self, x):
        return x * self.factor


def test_methods(j):
    three, four = Scaled(3.0), Scaled(4.0)
    name = "ours" if j is sable else "theirs"
    assert [float(getattr(s, name)(2.0)) for s in (three, four, three)] == [6, 8, 6]
    assert float(j.jit(three.plain)(2.0)) == 6 and float(j.jit(four.plain)(2.0)) == 8
    assert float(j.jit(functools.partial(Scaled.plain, three))(5.0)) == 15


def test_variadic_functions(j):
    g = j.jit(lambda *xs, **named: sum(xs) + sum(named.values()))
    assert float(g(1.0, 2.0, a=3.0)) == 6 and float(g(1.0)) == 1


def test_nested(j):
    inner = Traces(lambda x: j.numpy.sin(x))
    jitted = j.jit(inner)
    g = j.jit(lambda x: jitted(x) + jitted(x * 2))
    np.testing.assert_allclose(float(g(0.5)), np.sin(0.5) + np.sin(1.0), rtol=1e-6)
    assert inner.count <= 2  # the two calls differ in weak type alone, if at all
    g(0.7), jitted(0.7)
    assert inner.count <= 2


def test_results_of_any_structure(j):
    g = j.jit(lambda x: {"a": (x, None), "b": [x + 1, {}], "c": ()})
    out = g(1.0)
    assert j.tree.map(float, out) == {"a": (1.0, None), "b": [2.0, {}], "c": ()}
    assert j.jit(lambda x: None)(1.0) is None


def test_arguments_and_constants_as_results(j):
    x = j.numpy.arange(3.0)
    a, b, c = j.jit(lambda v: (v, v, 7))(x)
    np.testing.assert_array_equal(a, b)
    assert int(c) == 7 and c.weak_type and c.dtype == np.int32
    assert not x.is_deleted()


def test_closures_are_constants(j):
    table = {"scale": 2.0}
    g = j.jit(lambda x: x * table["scale"])
    assert float(g(3.0)) == 6
    table["scale"] = 5.0
    assert float(g(3.0)) == 6 and float(g(np.float32(3))) == 15  # a new signature is a new trace


def test_closed_over_arrays(j):
    w = j.numpy.arange(6.0).reshape(2, 3)
    g = j.jit(lambda x: w @ x)
    for _ in range(2):
        np.testing.assert_array_equal(g(np.ones(3, np.float32)), [3, 12])


def test_donation(j):
    g = j.jit(lambda x, y: x + y, donate_argnums=0)
    x = j.numpy.ones(4)
    np.testing.assert_array_equal(g(x, 1.0), np.full(4, 2.0))
    np.testing.assert_array_equal(j.jit(lambda *, p: p * 2, donate_argnames="p")(p=j.numpy.ones(2)), [2, 2])


def test_disable_jit(j):
    seen = []
    g = j.jit(lambda x: seen.append(x) or x + 1)
    with j.disable_jit():
        g(1.0), g(2.0)
    assert [float(v) for v in seen] == [1, 2]


# ---- tracing without running -------------------------------------------------------------------------------------


def test_eval_shape(j):
    def f(x, y):
        return {"product": x @ y, "flag": x.sum() > 0, "same": x}

    spec = j.ShapeDtypeStruct((3, 4), np.dtype("float32"))
    out = j.eval_shape(f, spec, j.ShapeDtypeStruct((4, 5), np.dtype("float32")))
    assert {k: (v.shape, v.dtype) for k, v in out.items()} == {
        "product": ((3, 5), np.float32),
        "flag": ((), np.bool_),
        "same": ((3, 4), np.float32),
    }
    assert isinstance(out["same"], j.ShapeDtypeStruct) and out["same"] == spec and hash(spec) == hash(out["same"])
    assert j.jit(f).eval_shape(np.ones((2, 2), np.float32), np.ones((2, 1), np.float32))["product"].shape == (2, 1)
    assert spec.size == 12 and spec.ndim == 2 and len(spec) == 3


def test_eval_shape_allocates_and_runs_nothing(j):
    huge = j.ShapeDtypeStruct((1 << 20, 1 << 16), np.dtype("float32"))
    assert j.eval_shape(lambda x: (x + 1).T, huge).shape == (1 << 16, 1 << 20)


def test_stages(j):
    f = j.jit(lambda x, n: {"y": j.numpy.sin(x) * n}, static_argnums=1)
    lowered = f.lower(np.ones(3, np.float32), 2)
    assert "stablehlo.sine" in lowered.as_text() and "tensor<3xf32>" in lowered.as_text()
    assert lowered.out_info["y"].shape == (3,)
    compiled = lowered.compile()
    np.testing.assert_allclose(compiled(np.full(3, 0.5, np.float32))["y"], np.full(3, 2 * np.sin(0.5)), rtol=1e-6)
    with pytest.raises(TypeError):
        compiled(np.ones(4, np.float32))
    with pytest.raises(TypeError):
        compiled(np.ones(3, np.int32))
    with pytest.raises(TypeError):
        compiled()
    assert f.trace(np.ones(3, np.float32), 2).lower().as_text() == lowered.as_text()


def test_lowering_for_shapes_alone(j):
    compiled = j.jit(lambda x: x.sum()).lower(j.ShapeDtypeStruct((5,), np.dtype("int32"))).compile()
    assert int(compiled(np.arange(5, dtype=np.int32))) == 10
