"""Names of `jax` about processes, caches, types and scopes."""

from __future__ import annotations

import pytest

import sable as jax
import sable.numpy as jnp


def test_there_is_one_process() -> None:
    assert (jax.process_index(), jax.process_count(), jax.process_indices()) == (0, 1, [0])
    assert jax.local_device_count("cpu") == jax.device_count("cpu")
    for name, value in (("host_id", 0), ("host_count", 1), ("host_ids", [0])):
        with pytest.warns(UserWarning, match=f"{name} has been renamed"):
            assert getattr(jax, name)() == value


def test_types_of_values() -> None:
    assert jax.typeof(1.0).weak_type and jax.typeof(1.0).dtype == jnp.float32
    assert str(jax.typeof(jnp.ones((2, 3)))) == "ShapedArray(float32[2,3])"
    assert jax.typeof(jax.random.key(0)).shape == ()
    for x in ("x", [1.0], None):
        with pytest.raises(TypeError, match="is not a valid JAX type"):
            jax.typeof(x)


def test_known_values_are_computed_while_a_program_is_traced() -> None:
    @jax.jit
    def f(x: jax.Array) -> jax.Array:
        with jax.ensure_compile_time_eval():
            n = int(jnp.sum(jnp.arange(4)))
            y = x * n  # of the program nevertheless
        assert n == 6 and not isinstance(y, int)
        return y

    assert f(2.0) == 12


def test_arrays_that_live() -> None:
    x = jnp.arange(3.0) + 1
    assert any(y is x for y in jax.live_arrays()) and any(y is x for y in jax.live_arrays("cpu"))
    x.delete()
    assert all(y is not x for y in jax.live_arrays())
    with pytest.raises(RuntimeError, match="Unknown backend"):
        jax.live_arrays("nowhere")


def test_cleared_caches_are_filled_anew() -> None:
    traced = []
    f = jax.jit(lambda x: (traced.append(x), x + 1)[1])
    f(1.0), f(2.0)
    assert len(traced) == 1
    jax.clear_caches()
    assert f(3.0) == 4 and len(traced) == 2


def test_names_change_nothing() -> None:
    with jax.named_scope("part"):
        assert jax.jit(jax.named_call(lambda x: x + 1, name="more"))(1) == 2
    with pytest.raises(TypeError, match="must be a string"):
        jax.named_scope(3)


def test_waiting_and_copying_hand_values_on() -> None:
    tree = [1, jnp.ones(2)]
    jax.effects_barrier()
    assert jax.copy_to_host_async(tree) is tree


def test_what_bug_reports_need(capsys: pytest.CaptureFixture) -> None:
    assert jax.version.__version__ == jax.__version__
    text = jax.print_environment_info(return_string=True)
    assert text is not None and f"sable:  {jax.__version__}" in text
    jax.print_environment_info()
    assert capsys.readouterr().out.strip() == text


def test_stages_have_names() -> None:
    f = jax.jit(lambda x: x + 1)
    assert isinstance(f, jax.stages.Wrapped) and isinstance(f.trace(1), jax.stages.Traced)
    assert isinstance(f.lower(1), jax.stages.Lowered) and isinstance(f.lower(1).compile(), jax.stages.Compiled)
