"""Which op, and which line of the user's, a failed compile is said to be about."""

from __future__ import annotations

import inspect

import pytest

import sable as jax
import sable.numpy as jnp
from sable.compiler import CompilationError, Target
from sable.compiler.errors import Failure
from sable.core import blame

CRASH = Failure("crash", "it died")


def function(x):
    y = jnp.exp(x)  # first
    z = jnp.tanh(y)  # second
    return jnp.log1p(z)  # third


def looped(x):
    return jax.lax.fori_loop(0, 3, lambda i, c: jnp.tanh(c), x)  # loop


def line_of(fun, comment):
    lines, start = inspect.getsourcelines(fun)
    return start + next(i for i, line in enumerate(lines) if line.endswith(f"# {comment}\n"))


def blamed(monkeypatch, fun, outcomes, failure=CRASH):
    """What is said where the compiler, given a module in which a name of `outcomes` occurs, fails in that way."""

    def compile_module(module, target, **_):
        for name, (kind, stage) in outcomes.items():
            if name.encode() in module:
                raise CompilationError(Failure(kind, "of this op", stage=stage))

    monkeypatch.setattr(blame.compiler, "compile_module", compile_module)
    traced = jax.jit(fun).trace(jnp.ones(3))._traced.function
    return blame.with_culprit(failure, traced, Target())


@pytest.mark.parametrize("kind", ["crash", "error"])
def test_the_op_that_fails_alone(monkeypatch, kind):
    found = blamed(monkeypatch, function, {"tanh": (kind, "compile")})
    assert found.op == "tanh" and found.location == (__file__, line_of(function, "second"))


@pytest.mark.parametrize("outcome", [("timeout", ""), ("crash", "killed"), ("error", "server")])
def test_an_op_that_was_slow_or_had_no_memory_is_not_named(monkeypatch, outcome):
    for kind in ("crash", "timeout"):
        found = blamed(monkeypatch, function, {"stablehlo": outcome}, Failure(kind, "of the whole"))
        assert found.location is None and not found.op and found.kind == kind
        assert found.program == "function" and found.program_location == (__file__, line_of(function, "first"))


def test_an_op_that_fails_after_one_that_was_slow(monkeypatch):
    outcomes = {"exponential": ("timeout", ""), "log_plus_one": ("error", "compile")}
    found = blamed(monkeypatch, function, outcomes)
    assert found.location == (__file__, line_of(function, "third"))


def test_a_search_that_takes_too_long_names_nothing(monkeypatch):
    monkeypatch.setattr(blame, "_SEARCH_SECONDS", -1.0)
    found = blamed(monkeypatch, function, {"stablehlo": ("crash", "")})
    assert found.location is None and found.program == "function"


def test_a_loop_fails_whose_body_does_not(monkeypatch):
    found = blamed(monkeypatch, looped, {"while": ("error", "compile")})
    assert found.location == (__file__, line_of(looped, "loop")) and found.op == "scan"


def test_the_compilers_own_line_stays(monkeypatch):
    told = Failure("error", "it says so", location=("theirs.py", 3))
    assert blamed(monkeypatch, function, {"stablehlo": ("crash", "")}, told) is told
