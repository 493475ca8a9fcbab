"""Programs in, executables out: values, targets, rungs, errors."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest

from sable.compiler import CompilationError, CompileOptions, Target, compile_module, ladder

ONES = np.ones(4, np.float32)

#: The loop hands one buffer to two carries of the next trip: without the repair that is an error at run time.
REPEATED_CARRY = b"""
func.func public @main(%x: tensor<4xf32>, %y: tensor<4xf32>, %n: tensor<i32>)
    -> (tensor<4xf32>, tensor<4xf32>) {
  %zero = arith.constant 0 : i32
  %one = arith.constant 1 : i32
  %limit = tensor.extract %n[] : tensor<i32>
  cf.br ^head(%zero, %x, %y : i32, tensor<4xf32>, tensor<4xf32>)
^head(%i: i32, %a: tensor<4xf32>, %b: tensor<4xf32>):
  %more = arith.cmpi slt, %i, %limit : i32
  cf.cond_br %more, ^body, ^exit
^body:
  %next = arith.addi %i, %one : i32
  cf.br ^head(%next, %a, %a : i32, tensor<4xf32>, tensor<4xf32>)
^exit:
  return %a, %b : tensor<4xf32>, tensor<4xf32>
}"""

#: An op that nothing lowers, at a call site: `inner` in prog.py, called from main.py.
UNKNOWN_CALL = b"""
module {
  func.func public @main(%a: tensor<4xf32>) -> tensor<4xf32> {
    %0 = stablehlo.custom_call @unknown(%a) : (tensor<4xf32>) -> tensor<4xf32> loc(#where)
    return %0 : tensor<4xf32>
  }
}
#inner = loc("/home/user/prog.py":12:3)
#outer = loc("/home/user/main.py":40:1)
#where = loc("op"(callsite("inner"(#inner) at #outer)))
"""


def test_adds(program, run):
    compiled = compile_module(program(2.0), Target())
    assert (compiled.source, compiled.rung) == ("compiled", "fast")
    assert compiled.seconds > 0
    np.testing.assert_array_equal(run(compiled.vmfb, ONES)[0], 3 * ONES)


def test_bytecode_and_64_bits(run):
    from iree.compiler import ir

    text = """
    func.func public @main(%x: tensor<3xf64>) -> tensor<3xf64> {
      %0 = stablehlo.sine %x : tensor<3xf64>
      return %0 : tensor<3xf64>
    }"""
    with ir.Context(), ir.Location.unknown():
        stream = BytesIO()
        ir.Module.parse(text).operation.write_bytecode(stream)
    x = np.array([0.1, 1.0, 1e5])
    (result,) = run(compile_module(stream.getvalue(), Target()).vmfb, x)
    assert result.dtype == np.float64  # nothing was demoted, and libm is there
    np.testing.assert_allclose(result, np.sin(x), rtol=1e-14)


def test_reference_passed_twice_in_a_branch(run):
    compiled = compile_module(REPEATED_CARRY, Target())
    first, second = run(compiled.vmfb, ONES, 2 * ONES, np.array(3, np.int32))
    np.testing.assert_array_equal(first, ONES)
    np.testing.assert_array_equal(second, ONES)


@pytest.mark.parametrize(
    ("target", "options"),
    [
        (Target("vulkan"), CompileOptions()),
        (Target("cuda"), CompileOptions()),
        (Target(cpu="generic", triple="aarch64-unknown-linux-gnu"), CompileOptions()),
    ],
    ids=str,
)
def test_cross_compiles(program, target, options):
    assert compile_module(program(1.0), target, options=options).vmfb


def test_portable_code_runs_here(program, run):
    compiled = compile_module(program(2.0), Target(cpu="generic"), options=CompileOptions(linking="embedded"))
    assert compiled.rung == "fast-embedded"
    np.testing.assert_array_equal(run(compiled.vmfb, ONES)[0], 3 * ONES)


def test_undistributed_code_runs(program, run):
    compiled = compile_module(program(2.0), Target(), options=CompileOptions(distribute=False))
    np.testing.assert_array_equal(run(compiled.vmfb, ONES)[0], 3 * ONES)


@pytest.mark.parametrize("fault", ["abort@fast", "fail@fast"])
def test_falls_to_the_next_rung(program, run, fault):
    compiled = compile_module(program(2.0), Target(), options=CompileOptions(fault=fault))
    assert compiled.rung == "plain"
    np.testing.assert_array_equal(run(compiled.vmfb, ONES)[0], 3 * ONES)


def test_every_rung_compiles(program, run):
    names = [rung.name for rung in ladder(Target(), CompileOptions())]
    for name in names[1:]:
        compiled = compile_module(program(2.0), Target(), options=CompileOptions(rungs=(name,)))
        assert compiled.rung == name
        np.testing.assert_array_equal(run(compiled.vmfb, ONES)[0], 3 * ONES)


def test_error_names_op_and_innermost_line():
    with pytest.raises(CompilationError, match=r"at /home/user/prog\.py:12") as caught:
        compile_module(UNKNOWN_CALL, Target())
    error = caught.value
    assert (error.kind, error.op) == ("error", "stablehlo.custom_call")
    assert error.location == ("/home/user/prog.py", 12)
    assert "/home/user/main.py:40" in error.diagnostics
    assert error.failure.tried == tuple(rung.name for rung in ladder(Target(), CompileOptions()))


def test_reproducer_is_kept(cache_directory):
    with pytest.raises(CompilationError) as caught:
        compile_module(UNKNOWN_CALL, Target())
    path = caught.value.reproducer
    assert path is not None and path.startswith(str(cache_directory / "failed"))
    with open(path, "rb") as file:
        assert file.read() == UNKNOWN_CALL
    with open(path.removesuffix(".mlir") + ".txt", encoding="utf-8") as file:
        assert "--iree-hal-target-device=local" in file.read()


def test_failures_are_not_cached(cache_directory):
    for _ in range(2):
        with pytest.raises(CompilationError):
            compile_module(b"func.func @main() { return %x : i32 }", Target())
    assert not list(cache_directory.glob("v*/*/*"))


def test_text_that_does_not_parse_fails_at_once():
    with pytest.raises(CompilationError, match="undeclared SSA value") as caught:
        compile_module(b"func.func @main() { return %x : i32 }", Target())
    assert caught.value.failure.tried == ("fast",)
    assert caught.value.location is None  # a line of the module's text is none of the user's


def test_source_name_makes_lines_of_the_text_the_users():
    options = CompileOptions(source_name="mine.mlir")
    with pytest.raises(CompilationError) as caught:
        compile_module(b"func.func @main() {\n return %x : i32 }", Target(), options=options)
    assert caught.value.location == ("mine.mlir", 2)


def test_unknown_flag():
    options = CompileOptions(extra_flags=("--no-such-flag=1",))
    with pytest.raises(CompilationError, match="no-such-flag") as caught:
        compile_module(b"", Target(), options=options)
    assert caught.value.failure.stage == "flags"


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Target("tpu"), "expected a platform"),  # type: ignore[arg-type]
        (lambda: Target(triple="aarch64-unknown-linux-gnu"), "cpu='generic'"),
        (lambda: CompileOptions(linking="static"), "expected linking"),  # type: ignore[arg-type]
        (lambda: ladder(Target(), CompileOptions(rungs=("slow",))), "expected rungs out of fast"),
    ],
)
def test_refuses_what_makes_no_sense(make, match):
    with pytest.raises(ValueError, match=match):
        make()


@pytest.mark.parametrize("text", ["soon", "-1", "0", "inf"])
def test_refuses_a_senseless_timeout(monkeypatch, program, text):
    monkeypatch.setenv("SABLE_COMPILE_TIMEOUT", text)
    with pytest.raises(ValueError, match="SABLE_COMPILE_TIMEOUT"):
        compile_module(program(1.0), Target())


def test_timeout_from_the_environment(monkeypatch, program):
    monkeypatch.setenv("SABLE_COMPILE_TIMEOUT", "0.3")
    with pytest.raises(CompilationError) as caught:
        compile_module(program(1.0), Target(), options=CompileOptions(fault="hang"))
    assert caught.value.kind == "timeout"
