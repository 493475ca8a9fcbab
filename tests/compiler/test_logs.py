"""What became of each setting of the ladder is logged under `jax_log_compiles`, with the reason."""

from __future__ import annotations

import logging
import re

import pytest

from sable._config import managers
from sable.compiler import CompilationError, CompileOptions, Target, compile_module

LOOP = b"""
func.func public @main(%a: tensor<4xf32>) -> tensor<4xf32> {
  %end = stablehlo.constant dense<9> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %start = stablehlo.constant dense<0> : tensor<i32>
  %0:2 = stablehlo.while(%i = %start, %x = %a) : tensor<i32>, tensor<4xf32>
  cond {
    %1 = stablehlo.compare LT, %i, %end : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %1 : tensor<i1>
  } do {
    %1 = stablehlo.add %i, %one : tensor<i32>
    %2 = stablehlo.add %x, %x : tensor<4xf32>
    stablehlo.return %1, %2 : tensor<i32>, tensor<4xf32>
  }
  return %0#1 : tensor<4xf32>
}
"""


def messages(caplog, level):
    return [r.getMessage() for r in caplog.records if r.name == "sable.compiler" and r.levelno == level]


def test_a_failing_rung_is_logged_with_the_reason(program, caplog):
    with caplog.at_level(logging.WARNING, "sable.compiler"):
        compile_module(program(1.0), Target(), options=CompileOptions(fault="fail@fast"))
        assert not messages(caplog, logging.WARNING)
        with managers.log_compiles(True):
            compiled = compile_module(program(1.0), Target(), options=CompileOptions(fault="fail@fast"))
    assert compiled.rung != "fast"
    (message,) = messages(caplog, logging.WARNING)
    assert re.fullmatch(
        rf"The settings 'fast' failed \(compile\): failure asked for by a test \(module {compiled.key[:16]}\)", message
    )


def test_at_level_debug_it_is_logged_without_the_option(program, caplog):
    with caplog.at_level(logging.DEBUG, "sable.compiler"):
        compile_module(program(1.0), Target(), options=CompileOptions(fault="abort@fast"))
    (message,) = messages(caplog, logging.DEBUG)
    assert message.startswith("The settings 'fast' failed (crash): ") and "SIGABRT" in message


def test_every_failure_is_logged(program, caplog):
    options = CompileOptions(fault="fail", rungs=("fast", "plain"))
    listening = caplog.at_level(logging.WARNING, "sable.compiler")
    with listening, managers.log_compiles(True), pytest.raises(CompilationError) as caught:
        compile_module(program(1.0), Target(), options=options)
    assert caught.value.failure.tried == ("fast", "plain")
    assert [m.split("'")[1] for m in messages(caplog, logging.WARNING)] == ["fast", "plain"]


def test_an_internal_error_of_the_loop_lowering_falls_to_the_next_rung(caplog):
    options = CompileOptions(loops="cpu", input_type="auto", fault="loops@fast")
    with caplog.at_level(logging.WARNING, "sable.compiler"), managers.log_compiles(True):
        compiled = compile_module(LOOP, Target(), options=options)
    assert compiled.rung != "fast"
    failed, refused = messages(caplog, logging.WARNING)
    assert failed.startswith("The settings 'fast' failed (loops): ")
    assert refused.startswith("Not all loops of the program are kernels: ")
