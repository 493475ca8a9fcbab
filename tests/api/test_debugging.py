"""jax.debug: printing, logging and stopping inside of programs; what listeners are told."""

from __future__ import annotations

import io
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import sable
import sable.numpy as jnp


def stop_in(f: Any, commands: str, **options: Any) -> str:
    """What a debugger that is opened by `f(stop)` says to some commands."""
    out = io.StringIO()
    f(lambda **more: sable.debug.breakpoint(stdin=io.StringIO(commands), stdout=out, **options, **more))
    return out.getvalue()


def _program(stop: Any) -> Any:
    @sable.jit
    def inner(x: Any) -> Any:
        y = x + 1
        pair = {"a": y, "b": 2 * y}
        stop()
        return y, pair

    return sable.block_until_ready(inner(jnp.arange(2)))


def test_variables_have_the_values_of_the_run() -> None:
    said = stop_in(_program, "u\ny\np pair['b'] + 1\nmissing\nc\n")
    assert "Array([1, 2], dtype=int32)" in said and "Array([3, 5], dtype=int32)" in said
    assert "*** NameError: name 'missing' is not defined" in said
    assert said.startswith("Entering jdb:\n(jdb) > ")


def test_calls_can_be_looked_at() -> None:
    said = stop_in(_program, "w\nl\nu\nu\nd\npp 1\nd\nd\nd\nc\n")
    assert "Traceback:" in said and "->          stop()" in said and "At bottommost frame." in said
    assert "sable" not in "".join(
        line for line in said.splitlines() if line.startswith("  File") and "python/sable" in line
    )
    few = stop_in(_program, "u\nu\nu\nc\n", num_frames=2)
    assert few.count("At topmost frame.") == 2
    every = stop_in(_program, "w\nc\n", filter_frames=False)
    assert every.count("  File") > said.count("  File")


def test_the_program_can_be_left() -> None:
    with pytest.raises(SystemExit):
        stop_in(lambda stop: stop(), "q\n")


def test_a_token_says_when() -> None:
    found = []

    def f(stop: Any) -> None:
        found.append(sable.jit(lambda x: stop(token=x * 2))(3.0))

    assert stop_in(f, "c\n") == "Entering jdb:\n(jdb) " and float(found[0]) == 6.0
    with pytest.raises(ValueError, match="mutually exclusive"):
        sable.debug.breakpoint(ordered=True, token=1)


def test_breakpoints_in_loops_and_batches() -> None:
    def loop(stop: Any) -> None:
        def body(i: Any, x: Any) -> Any:
            stop()
            return x + i

        sable.block_until_ready(sable.lax.fori_loop(0, 3, body, 0))

    said = stop_in(loop, "u\ni\nc\n" * 3)
    assert said.count("Array(") == 3
    said = stop_in(lambda stop: sable.vmap(lambda x: (stop(), x)[1])(jnp.arange(2)), "u\nx\nc\n" * 2)
    assert said.count("Array(") == 2


def test_values_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        sable.jit(lambda x: sable.debug.log("x is {}", x))(3)
        sable.debug.log(ordered=True)("{ordered}", ordered=5)
    assert [r.getMessage() for r in caplog.records if r.levelno == logging.INFO] == ["x is 3", "5"]
    with pytest.raises(TypeError, match="no format"):
        sable.debug.print(x=3)
    with pytest.raises(ValueError):
        sable.debug.log("{x}", 1, x=2)


def test_shardings_are_shown(capsys: pytest.CaptureFixture) -> None:
    x = jnp.ones((4, 4))
    seen = []
    sable.debug.inspect_array_sharding({"a": x}, callback=seen.append)
    sable.jit(lambda x: sable.debug.inspect_array_sharding(x, callback=seen.append))(x)
    assert seen == [x.sharding] * 2
    sable.debug.visualize_array_sharding(x)
    assert capsys.readouterr().out == "┌─────────┐\n│  CPU 0  │\n└─────────┘\n"
    devices = [sable.Device("cpu", k, "cpu") for k in range(6)]
    mesh = sable.sharding.Mesh(np.array(devices).reshape(2, 3), ("a", "b"))
    sable.debug.visualize_sharding((4, 6), sable.NamedSharding(mesh, sable.P("a", "b")), min_width=5)
    shown = capsys.readouterr().out.splitlines()
    assert shown[1] == "│ CPU 0 │ CPU 1 │ CPU 2 │" and len(shown) == 5
    with pytest.raises(ValueError, match="1 and 2 dimensions"):
        sable.debug.visualize_sharding((), x.sharding)


def test_listeners_are_told() -> None:
    m = sable.monitoring
    heard: list = []
    listener = lambda *args, **kwargs: heard.append((args, kwargs))  # noqa: E731
    for register in (
        m.register_event_listener,
        m.register_event_duration_secs_listener,
        m.register_event_time_span_listener,
        m.register_scalar_listener,
    ):
        register(listener)
    m.record_event("a", k=1)
    m.record_event_duration_secs("b", 2.0)
    m.record_event_time_span("c", 1.0, 2.0)
    m.record_scalar("d", 3)
    assert heard == [(("a",), {"k": 1}), (("b", 2.0), {}), (("c", 1.0, 2.0), {}), (("d", 3), {})]
    heard.clear()
    sable.jit(lambda x: x * 1.25 + 7.5)(jnp.ones(3))
    assert [args[0].rsplit("/", 1)[1] for args, _ in heard] == [
        "jaxpr_trace_duration",
        "jaxpr_to_mlir_module_duration",
        "backend_compile_duration",
    ]
    m.unregister_event_listener(listener)
    m.unregister_event_duration_listener(listener)
    m.unregister_event_time_span_listener(listener)
    m.unregister_scalar_listener(listener)
    heard.clear()
    m.record_event("a")
    assert not heard
    with pytest.raises(ValueError, match="not registered"):
        m.unregister_event_listener(listener)
    m.register_event_listener(listener)
    m.clear_event_listeners()
    m.record_event("a")
    assert not heard


def test_user_contexts_are_part_of_keys() -> None:
    context = sable.make_user_context("a")
    seen = []
    f = sable.jit(lambda x: (seen.append(context.value), x)[1])
    f(1.0)
    with context("b"):
        f(1.0)
        with context("c"):
            f(1.0)
        f(1.0)
    f(1.0)
    assert seen == ["a", "b", "c"] and context.value == context.get_global() == "a"
    context.set_global("d")
    f(1.0)
    assert seen[-1] == "d" == context.get_global()
    with pytest.raises(TypeError):
        context([1])(1)
        context.set_local([1])


def test_a_threads_contexts_do_not_hide_others() -> None:
    one, other = sable.make_user_context(0), sable.make_user_context(0)

    def in_a_thread() -> list:
        one.set_local(1)  # as `set_mesh` does
        other.set_global(2)
        seen = []
        f = sable.jit(lambda x: (seen.append((one.value, other.value)), x)[1])
        f(1.0)
        other.set_global(3)
        f(1.0)
        with other(4):
            f(1.0)
        return seen

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(in_a_thread).result() == [(1, 2), (1, 3), (1, 4)]
    assert (one.get_global(), other.get_global()) == (0, 3)


def test_halves_of_reverse_mode() -> None:
    def f(x: Any, w: Any) -> Any:
        return (x * jnp.sin(w)).sum(), w

    x, w = jnp.arange(3.0), jnp.ones(3)
    for jitted in (True, False):
        forward, backward = sable.fwd_and_bwd(f, (0, 1), has_aux=True, jitted=jitted)
        y, residuals, aux = forward(x, w)
        assert aux.shape == (3,)
        for a, b in zip(backward(residuals, 2.0), sable.grad(lambda x, w: 2 * f(x, w)[0], (0, 1))(x, w)):
            np.testing.assert_allclose(a, b, rtol=1e-6)
        assert float(y) == pytest.approx(float(f(x, w)[0]))
    one = sable.fwd_and_bwd(lambda x: x * x, 0)
    assert float(one[1](one[0](3.0)[1], 1.0)) == 6.0
    with pytest.raises(TypeError):
        sable.fwd_and_bwd(3, 0)
