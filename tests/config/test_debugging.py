"""What the debugging options see: NaN at the op with the user's line, leaks, keys used twice, misses of the cache."""

from __future__ import annotations

import inspect
import logging
import threading
import traceback

import numpy as np
import pytest

import sable as jax
import sable.numpy as jnp
from sable import lax
from sable._config import config, managers
from sable._config.managers import Override
from sable.core.boundary import UnfilteredStackTrace

# ---- NaN and infinities --------------------------------------------------------------------------------------


def bad(x):
    y = x * 2
    return jnp.log(y)  # the line


def _line():
    lines, first = inspect.getsourcelines(bad)
    return first + next(i for i, line in enumerate(lines) if "the line" in line)


FAILING = {
    "eager": lambda x: bad(x),
    "jit": lambda x: jax.jit(bad)(x),
    "jit in jit": lambda x: jax.jit(lambda x: jax.jit(bad)(x) + 1)(x),
    "grad": lambda x: jax.grad(bad)(x),
    "jit of grad": lambda x: jax.jit(jax.value_and_grad(bad))(x),
    "jvp": lambda x: jax.jvp(bad, (x,), (x,)),
    "vmap": lambda x: jax.vmap(bad)(jnp.stack([x, -x])),
    "jit of vmap": lambda x: jax.jit(jax.vmap(bad))(jnp.stack([x, -x])),
    "scan": lambda x: lax.scan(lambda c, _: (bad(c), None), x, None, length=3),
    "jit of scan": lambda x: jax.jit(lambda x: lax.scan(lambda c, _: (bad(c), None), x, None, length=3))(x),
    "while_loop": lambda x: lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, bad(c[1])), (0, x)),
    "cond": lambda x: lax.cond(x < 0, bad, lambda x: x, x),
    "lowered": lambda x: jax.jit(bad).lower(x).compile()(x),
}


@pytest.mark.parametrize("way", FAILING)
def test_a_nan_names_the_op_and_the_line(way):
    x = jnp.asarray(-1.0)
    FAILING[way](x)
    with jax.debug_nans(True), pytest.raises(FloatingPointError) as caught:
        FAILING[way](x)
    text = str(caught.value)
    assert text.startswith("invalid value (nan) encountered in log\n")
    assert f"{__file__}:{_line()}" in text
    FAILING[way](x)


def test_a_nan_of_a_derivative():
    def f(x):
        return jnp.where(x > 0, jnp.sqrt(x), 0.0)

    x = jnp.asarray(0.0)
    for function in (jax.grad(f), jax.jit(jax.grad(f))):
        with jax.debug_nans(True):
            assert float(f(x)) == 0
            with pytest.raises(FloatingPointError, match=r"nan.* encountered in multiply"):
                function(x)


def test_what_is_not_reported():
    with jax.debug_nans(True), jax.debug_infs(True):
        assert float(jax.jit(lambda x: jnp.where(x < 0, 0.0, jnp.log(x)))(-1.0)) == 0
        np.testing.assert_allclose(jax.nn.softmax(jnp.ones(2)), [0.5, 0.5])
        assert float(jnp.max(jnp.ones(3))) == 1
        assert (jnp.arange(3) // 1).tolist() == [0, 1, 2]
    with jax.debug_nans(True), pytest.raises(FloatingPointError, match="comes from an argument"):
        jax.jit(lambda x: x)(jnp.asarray(np.nan))


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "complex64"])
def test_infinities_of_every_dtype(dtype):
    x = jnp.ones(2, dtype)
    assert not np.isfinite(np.asarray(x / 0).astype(np.complex64)).any()
    matches = pytest.raises(FloatingPointError, match=r"\((inf|nan)\) encountered in divide")
    with jax.debug_infs(True), jax.debug_nans(True), matches:
        x / 0


def test_update_reaches_prepared_calls():
    f, x = jax.jit(jnp.log), jnp.asarray(-1.0)
    for _ in range(3):
        f(x)
    config.update("jax_debug_nans", True)
    try:
        with pytest.raises(FloatingPointError):
            f(x)
    finally:
        config.update("jax_debug_nans", False)
    assert np.isnan(f(x))


# ---- one thread, all threads ---------------------------------------------------------------------------------


def test_update_reaches_threads_that_override():
    inside, go_on, keys = threading.Event(), threading.Event(), []

    def work():
        with jax.enable_x64(True):
            keys.append(config.eager_key)
            inside.set()
            go_on.wait(10)
            keys.append(config.eager_key)
        keys.append(config.eager_key)

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait(10)
    config.update("jax_debug_infs", True)
    go_on.set()
    thread.join()
    assert config.eager_key is None and config.trace_key is not None
    config.update("jax_debug_infs", False)
    assert keys[0] is not None and keys[1:] == [None, None]
    assert config.eager_key is config.trace_key


def test_equal_keys_are_one_object():
    with jax.numpy_dtype_promotion("strict"):
        first = config.trace_key
    with jax.numpy_dtype_promotion("strict"), jax.log_compiles():
        assert config.trace_key is first is config.eager_key
    with jax.transfer_guard("allow"):
        assert config.eager_key is config.trace_key is not first
    with jax.transfer_guard("log"):
        assert config.eager_key is None
        assert config.jax_transfer_guard_device_to_host == "log"
    assert config.jax_transfer_guard_device_to_host is None


# ---- leaks ---------------------------------------------------------------------------------------------------

LEAKED = []


@pytest.mark.parametrize("transform", ["jit", "grad", "vmap", "scan"])
def test_leaks_name_who_holds_them(transform):
    def leak(x):
        LEAKED.append(x)
        return x * 2

    ways = {
        "jit": lambda: jax.jit(leak)(1.0),
        "grad": lambda: jax.grad(leak)(1.0),
        "vmap": lambda: jax.vmap(leak)(jnp.ones(2)),
        "scan": lambda: lax.scan(lambda c, x: (leak(c), x), 0.0, jnp.ones(2)),
    }
    with jax.checking_leaks(), pytest.raises(jax.errors.UnexpectedTracerError, match="Leaked trace") as caught:
        ways[transform]()
    assert f"the global {__name__}.LEAKED" in str(caught.value) and "a list, at [0]" in str(caught.value)
    LEAKED.clear()


def test_programs_without_leaks():
    @jax.custom_vjp
    def double(x):
        return 2 * x

    double.defvjp(lambda x: (2 * x, None), lambda _, g: (2 * g,))

    def f(w, x):
        y = lax.scan(lambda c, row: (c + double(row @ w), c), 0.0, x)[0]
        return lax.cond(y > 0, lambda y: y, lambda y: -y, y) + jnp.sum(jnp.where(x > 0, x, 0)[0])

    w, x = jnp.ones(2), jnp.ones((3, 2))
    with jax.checking_leaks():
        for function in (f, jax.jit(f), jax.grad(f), jax.jit(jax.grad(f)), jax.jacrev(f)):
            function(w, x)
        jax.jacfwd(jax.jit(jnp.sin))(w)
        jax.vmap(jax.value_and_grad(f), (None, 0))(w, x[None])
        jax.linearize(jax.jit(jnp.sin), w)[1](w)
        jax.vjp(lambda w: f(w, x), w)[1](jnp.asarray(1.0))


# ---- random keys ---------------------------------------------------------------------------------------------


def _scan_of(step):
    return lambda j, key: j.lax.scan(step(j), key, np.arange(3.0))


KEYS = {
    "fold_in": lambda j, k: [j.random.fold_in(k, 1), j.random.fold_in(k, 2), j.random.normal(k)],
    "clone": lambda j, k: [j.random.normal(j.random.clone(k)), j.random.normal(k)],
    "split": lambda j, k: [j.random.split(k), j.random.normal(k)],
    "parts": lambda j, k: [j.random.normal(part) for part in j.random.split(k)],
    "twice": lambda j, k: [j.random.normal(k), j.random.uniform(k)],
    "data": lambda j, k: [j.random.normal(j.random.key_data(k)), j.random.normal(k)],
    "in jit": lambda j, k: j.jit(lambda k: j.random.normal(k) + j.random.uniform(k))(k),
    "by jit": lambda j, k: [j.jit(j.random.normal)(k), j.random.normal(k)],
    "returned": lambda j, k: j.random.normal(j.jit(lambda k: (j.random.normal(k), k))(k)[1]),
    "new": lambda j, k: j.random.normal(j.jit(lambda k: j.random.split(k)[0])(k)),
    "vmap": lambda j, k: [j.vmap(j.random.normal)(ks := j.random.split(k, 3)), j.random.normal(ks[0])],
    "grad": lambda j, k: [j.grad(lambda w: w * j.random.normal(k))(1.0), j.random.normal(k)],
    "cond": lambda j, k: j.lax.cond(True, j.random.normal, j.random.uniform, k),
    "cond again": lambda j, k: [j.lax.cond(True, j.random.normal, j.random.uniform, k), j.random.normal(k)],
    "closure": lambda j, k: j.lax.cond(True, lambda: j.random.normal(k), lambda: j.random.uniform(k)),
    "scan": lambda j, k: _scan_of(lambda j: lambda k, x: ((s := j.random.split(k))[0], j.random.normal(s[1])))(j, k),
    "carried": lambda j, k: _scan_of(lambda j: lambda k, x: (k, j.random.normal(k)))(j, k),
    "constant": lambda j, k: j.lax.fori_loop(0, 3, lambda i, c: c + j.random.normal(k), 0.0),
}


@pytest.mark.parametrize("name", KEYS)
def test_keys_used_twice(name):
    oracle = pytest.importorskip("jax")
    seen = []
    for library in (oracle, jax):
        with library.debug_key_reuse(True):
            try:
                KEYS[name](library, library.random.key(0))
                seen.append(None)
            except library.errors.KeyReuseError:
                seen.append("KeyReuseError")
    assert seen[0] == seen[1]


def test_a_used_key_names_both_lines():
    key = jax.random.key(0)
    with jax.debug_key_reuse(True):
        jax.random.normal(key)
        with pytest.raises(
            jax.errors.KeyReuseError, match=r"passed to uniform at .*test_debugging\.py:\d+ [^$]*first used"
        ):
            jax.random.uniform(key)
    jax.random.uniform(key)


@pytest.mark.parametrize("width", [8, 16, 32, 64])
def test_bits_that_are_not_partitionable(width):
    oracle = pytest.importorskip("jax")

    def draw(j, shape):
        with j.threefry_partitionable(False), j.enable_x64(True):
            drawn = j.random.bits(j.random.PRNGKey(7), shape, f"uint{width}")
            return [np.asarray(drawn), np.asarray(j.random.split(j.random.PRNGKey(7), 3))]

    for shape in ((), (3,), (5, 2), (0,)):
        for ours, theirs in zip(draw(jax, shape), draw(oracle, shape)):
            np.testing.assert_array_equal(ours, theirs)


# ---- logs ----------------------------------------------------------------------------------------------------


def test_explained_misses(caplog):
    def f(x, n=1):
        return jax.tree_util.tree_leaves(x)[0] * n

    def explained(function, *args, **kwargs):
        caplog.clear()
        with jax.explain_cache_misses():
            function(*args, **kwargs)
        return "\n".join(r.getMessage() for r in caplog.records if r.levelno == logging.WARNING)

    g = jax.jit(f, static_argnames="n")
    x = jnp.ones(3)
    assert f"never seen function:\n    f id={id(f)} defined at {__file__}" in explained(g, x)
    assert explained(g, x) == ""
    assert "at x, now f32[4] and before f32[3]" in explained(g, jnp.ones(4))
    assert "weak_type=True" in explained(g, 1.0) + explained(g, jnp.float32(1))
    assert "different static arguments:\n  * now n=2 and before n" in explained(g, x, n=2).replace("none", "n")
    assert "different input pytree" in explained(g, [x, x], n=2)
    with jax.numpy_dtype_promotion("strict"):
        assert "jax_numpy_dtype_promotion differs: now strict and before standard" in explained(g, x)
    assert "different axis names: now {'i': 2}" in explained(lambda: jax.vmap(g, axis_name="i")(jnp.ones((2, 3))))


def test_no_logs_unless_asked_for(caplog):
    jax.jit(lambda x: x * 7)(1.0)
    assert not caplog.records


def test_guards_that_only_log(caplog):
    with managers.transfer_guard_host_to_device("log"):
        jnp.sin(np.float32(1))
    assert "host-to-device transfer of an array float32[] to" in caplog.text and "test_debugging.py" in caplog.text
    caplog.clear()
    with managers.transfer_guard("log_explicit"):
        jax.device_put(np.float32(1))
    assert "host-to-device transfer" in caplog.text
    with managers.transfer_guard("disallow_explicit"), pytest.raises(jax.errors.JaxRuntimeError, match="Disallowed"):
        jax.device_put(np.float32(1))


# ---- tracebacks ----------------------------------------------------------------------------------------------


def _raised(mode):
    def fails(x):
        raise KeyError("mine")

    with Override("jax_traceback_filtering", mode), pytest.raises(KeyError) as caught:
        jax.jit(jax.grad(jax.vmap(fails)))(jnp.ones(2))
    return caught.value


def test_ways_of_filtering_tracebacks():
    removed = _raised("remove_frames")
    assert isinstance(removed.__cause__, UnfilteredStackTrace) and "trace_flat" in str(removed.__cause__)
    quiet = _raised("quiet_remove_frames")
    assert quiet.__cause__ is None
    hidden, frames = _raised("tracebackhide").__traceback__, []
    while hidden is not None:
        frames.append(hidden.tb_frame)
        hidden = hidden.tb_next
    marked = [f.f_code.co_name for f in frames if f.f_locals.get("__tracebackhide__")]
    assert "trace_flat" in marked and "fails" not in marked


def _fails(*_):
    raise KeyError("mine")


def _custom(make):
    f = make(_fails)
    f.defjvp(_fails) if make is jax.custom_jvp else f.defvjp(_fails, _fails)
    return f


ENTRANCES = {
    "jit": lambda: jax.jit(_fails)(1.0),
    "nested": lambda: jax.jit(lambda x: 1 + jax.vmap(jax.jit(_fails))(x))(jnp.ones(2)),
    "grad": lambda: jax.grad(_fails)(1.0),
    "linear_transpose": lambda: jax.linear_transpose(_fails, 1.0),
    "custom_jvp": lambda: _custom(jax.custom_jvp)(1.0),
    "custom_vjp": lambda: _custom(jax.custom_vjp)(1.0),
    "checkpoint": lambda: jax.checkpoint(_fails)(1.0),
    "eval_shape": lambda: jax.eval_shape(_fails, 1.0),
    "make_jaxpr": lambda: jax.make_jaxpr(_fails)(1.0),
    "associative_scan": lambda: jax.lax.associative_scan(_fails, jnp.ones(3)),
    "reduce": lambda: jax.lax.reduce(jnp.ones(3), 0.0, _fails, (0,)),
    "scan": lambda: jax.lax.scan(_fails, 0.0, jnp.ones(3)),
    "cond": lambda: jax.lax.cond(True, _fails, _fails, 1.0),
    "no argument": lambda: jax.jit(abs)(KeyError),
}


@pytest.mark.parametrize("name", ENTRANCES)
def test_tracebacks_hold_no_frames_of_the_library(name):
    with Override("jax_traceback_filtering", "quiet_remove_frames"), pytest.raises((KeyError, TypeError)) as caught:
        ENTRANCES[name]()
    files = {frame.filename for frame in traceback.extract_tb(caught.value.__traceback__)}
    assert files == {__file__}
    if hasattr(caught.value, "__notes__"):  # Python 3.11
        assert "For simplicity" in caught.value.__notes__[0]


def test_constants_of_library_functions_are_no_transfers() -> None:
    x = jnp.array([-1.0, 2.0])
    with managers.transfer_guard("disallow"):
        for function in (jax.nn.relu, jax.nn.elu, jax.nn.hard_swish, jnp.log2):
            assert function(x).shape == (2,)
        for wrong in (lambda: x * 2.5, lambda: jnp.maximum(x, 0), lambda: jnp.where(x > x, np.float32(1.5), x)):
            with pytest.raises(jax.errors.JaxRuntimeError, match="Disallowed host-to-device"):
                wrong()
