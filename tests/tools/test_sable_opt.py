"""sable-opt as its users see it: files, standard input, bytecode, errors, pipelines; and foreign programs by value."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sable.ir.bindings import CONTEXT, ir
from sable.ir.function import interpret
from sable.ir.op import NumpyBuilder
from sable.passes.importer import Importer
from sable.passes.registry import PASSES
from sable.tools import sable_opt

FOLDER = Path(__file__).with_name("stablehlo")
PROGRAMS = sorted(p.stem for p in FOLDER.glob("*.mlir"))
DOCUMENT = Path(__file__).parents[2] / "docs" / "sable-opt.md"

SINE = """\
func.func @main(%x: tensor<3xf32>) -> tensor<3xf32> {
  %0 = stablehlo.sine %x : tensor<3xf32>
  func.return %0 : tensor<3xf32>
}
"""

#: one operation, at line 2, column 8
ONE = """\
func.func @main(%x: tensor<f32>) -> tensor<f32> {{
  %0 = {} : {}
  func.return %0 : tensor<f32>
}}
"""

CONSTANT = """\
func.func @main() -> tensor<4xi32> {
  %0 = stablehlo.constant dense<[1, 2, 3, 4]> : tensor<4xi32>
  func.return %0 : tensor<4xi32>
}
"""

OTHER = """\
func.func private @other(%x: tensor<?xf32>) -> tensor<?xf32> attributes {some.note = "kept"} {
  %0 = stablehlo.sine %x : tensor<?xf32>
  func.return %0 : tensor<?xf32>
}
"""

SUM_OF_SINES = """\
func.func @main(%x: tensor<3xf32>) -> tensor<f32> {
  %0 = stablehlo.sine %x : tensor<3xf32>
  %z = stablehlo.constant dense<0.0> : tensor<f32>
  %1 = stablehlo.reduce(%0 init: %z) applies stablehlo.add across dimensions = [0]
    : (tensor<3xf32>, tensor<f32>) -> tensor<f32>
  func.return %1 : tensor<f32>
}
"""

CUSTOM = """
func.func private @f(%x: tensor<f32>) -> tensor<f32> {
  func.return %x : tensor<f32>
}
func.func private @rule(%x: tensor<f32>, %t: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
  func.return %x, %t : tensor<f32>, tensor<f32>
}
func.func @main(%p: tensor<i1>, %x: tensor<f32>) -> tensor<f32> {
  %0 = "stablehlo.if"(%p) ({
    %1 = "sable.custom_jvp_call"(%x) {callee = @f, rule = @rule} : (tensor<f32>) -> tensor<f32>
    stablehlo.return %1 : tensor<f32>
  }, {
    stablehlo.return %x : tensor<f32>
  }) : (tensor<i1>) -> tensor<f32>
  func.return %0 : tensor<f32>
}
"""


@pytest.fixture
def sine(tmp_path: Path) -> Path:
    path = tmp_path / "sine.mlir"
    path.write_text(SINE)
    return path


@pytest.fixture
def run(capfdbinary, monkeypatch):
    """`run(*arguments, stdin=b"") -> (exit code, standard output, standard error)`, in this process."""

    def call(*arguments: object, stdin: bytes | str = b"") -> tuple[int, str, str]:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        code = sable_opt.main([str(a) for a in arguments])
        out, err = capfdbinary.readouterr()
        return code, out.decode(errors="surrogateescape"), err.decode()

    return call


def failure(run, *arguments: object, stdin: str = "") -> str:
    """The standard error of a run that must fail and print nothing else."""
    code, out, err = run(*arguments, stdin=stdin)
    assert code == 1
    assert not out.strip()
    return err


def evaluate(text: str, name: str, arguments: list) -> list:
    module = ir.Module.parse(text, CONTEXT)
    return interpret(Importer(module).function(name), arguments, NumpyBuilder())


# ---- input and output ----------------------------------------------------------------------------


def test_no_passes_prints_the_module(run, sine):
    code, out, err = run(sine)
    assert (code, err) == (0, "")
    assert "stablehlo.sine %arg0 : tensor<3xf32>" in out


@pytest.mark.parametrize("arguments", [(), ("-",)])
def test_standard_input(run, arguments):
    code, out, _ = run(*arguments, stdin=SINE)
    assert code == 0
    assert "stablehlo.sine" in out


def test_output_file(run, sine, tmp_path):
    target = tmp_path / "out.mlir"
    code, out, _ = run(sine, "--jvp", "-o", target)
    assert (code, out) == (0, "")
    assert "@main_jvp" in target.read_text()
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_failed_run_leaves_the_output_file_alone(run, sine, tmp_path):
    target = tmp_path / "out.mlir"
    target.write_text("precious")
    failure(run, sine, "--jvp=function=nobody", "-o", target)
    assert target.read_text() == "precious"


def test_output_that_cannot_be_written(run, sine, tmp_path):
    err = failure(run, sine, "-o", tmp_path / "missing" / "out.mlir")
    assert err.startswith("sable-opt: error:")


def test_output_to_a_device(run, sine):
    assert run(sine, "-o", "/dev/null")[0] == 0
    assert not Path("/dev/null").is_file()


def test_bytecode_round_trip(run, sine, tmp_path):
    code, _, _ = run(sine, "--jvp", "--emit-bytecode", "-o", tmp_path / "m.mlirbc")
    assert code == 0
    assert (tmp_path / "m.mlirbc").read_bytes().startswith(sable_opt.BYTECODE_MAGIC)
    _, direct, _ = run(sine, "--jvp")
    _, back, _ = run(tmp_path / "m.mlirbc")
    assert back == direct
    _, piped, _ = run("-", stdin=(tmp_path / "m.mlirbc").read_bytes())
    assert piped == direct


def test_text_round_trip_of_our_operations(run, tmp_path):
    source = FOLDER / "indexing.mlir"
    _, once, _ = run(source, "--grad")
    path = tmp_path / "once.mlir"
    path.write_text(once)
    assert run(path) == (0, once, "")


def test_equal_programs_print_equally(run):
    first = run(FOLDER / "indexing.mlir", "--grad", "--lower")
    assert first[0] == 0
    assert run(FOLDER / "indexing.mlir", "--grad", "--lower") == first


def test_split_input(run):
    code, out, _ = run("--split-input-file", "--jvp", stdin=f"{SINE}// -----\n{SINE}")
    assert code == 0
    parts = out.split("// -----\n")
    assert len(parts) == 2
    assert all("@main_jvp" in p for p in parts)


def test_split_input_reports_lines_of_the_file_and_goes_on(run):
    code, out, err = run(
        "--split-input-file", stdin=f"{SINE}// -----\nfunc.func @f() {{\n  nonsense\n}}\n// -----\n{SINE}"
    )
    assert code == 1
    assert err.startswith("<stdin>:7:3: error:")
    assert out.count("stablehlo.sine") == 2


def test_locations_name_the_file(run, sine):
    _, out, _ = run(sine, "--jvp", "--mlir-print-debuginfo")
    assert f'"{sine}":2:8' in out


def test_elided_constants(run):
    _, out, _ = run("--mlir-elide-elementsattrs-if-larger=2", stdin=CONSTANT)
    assert "[1, 2, 3, 4]" not in out


def test_print_ir_after_all(run, sine):
    code, _, err = run(sine, "--jvp", "--cse", "--mlir-print-ir-after-all")
    assert code == 0
    assert "// -----// IR Dump After jvp (sable-jvp) //----- //" in err
    assert "IR Dump After CSE" in err
    assert "IR Dump Before" not in err


def test_as_a_program(sine):
    command = [sys.executable, "-m", "sable.tools.sable_opt", str(sine), "--grad"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "must have one floating-point scalar result" in done.stderr


# ---- errors --------------------------------------------------------------------------------------


def test_parse_error(run, tmp_path):
    path = tmp_path / "bad.mlir"
    path.write_text("func.func @main() {\n  stablehlo.sine\n}\n")
    err = failure(run, path)
    assert err.startswith(f"{path}:2:")
    assert "error:" in err.splitlines()[0]
    assert "  stablehlo.sine\n" in err


def test_verifier_error(run):
    err = failure(run, stdin=SINE.replace("-> tensor<3xf32> {", "-> tensor<2xf32> {"))
    assert err.startswith("<stdin>:3:3: error: ")
    assert "doesn't match function result type" in err


def test_missing_input(run, tmp_path):
    err = failure(run, tmp_path / "nowhere.mlir")
    assert "nowhere.mlir" in err
    assert "No such file" in err


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--jpv"], "<command line>:1:1: error: unknown pass 'jpv'; did you mean 'jvp'?"),
        (
            ["--jvp", "--batch=sise=3"],
            "<command line>:1:7: error: there is no option 'sise' of batch; did you mean 'size'?",
        ),
        (["--batch=size=many"], "<command line>:1:1: error: batch: option 'size': expected integer, got 'many'"),
        (["--batch=4"], "<command line>:1:1: error: expected name=value, got '4'"),
        (["--jvp=active=1,maybe"], "jvp: option 'active': expected 0 or 1, got 'maybe'"),
        (["--jvp=active=[1,0"], "']' is missing in"),
        (["--jvp=active=1,0"], "<command line>:1:1: error: jvp: active: expected 1 flags, one for each, got 2"),
        (["--jvp=function=f"], "there is no function @f with a body; the module has @main"),
        (["--grad=argnums=3"], "grad: argnums: there is no argument 3; @main takes 1"),
        (["--batch"], "batch: size=... must say how many examples there are"),
        (["--batch=size=2 in-axes=5"], "axis 5 of number 0 is out of range: with the batch it has rank 2"),
        (["--batch=size=2 in-axes=0,0"], "in-axes: expected 1 axes, one for each, got 2"),
        (["--batch=size=2 out-axes=none"], "out-axes: result 0 differs between examples"),
        (["--lower=platform=abacus"], "platform: expected one of cpu, vulkan, cuda, any, got 'abacus'"),
        (["--jvp", "--jvp"], "<command line>:1:7: error: jvp: the module already has a symbol @main_jvp"),
        (["--canonicalize=nonsense=1"], "pass canonicalize does not take the options 'nonsense=1'"),
        (["--verify-each=perhaps"], "--verify-each: expected true or false, got 'perhaps'"),
        (["a.mlir", "b.mlir"], "more than one input: 'a.mlir' and 'b.mlir'"),
        (["-o"], "-o needs the name of a file"),
    ],
)
def test_command_line_errors(run, arguments, message):
    err = failure(run, *arguments, stdin=SINE)
    assert message in err
    assert "error: " in err.splitlines()[0]


@pytest.mark.parametrize(
    "pipeline, message",
    [
        ("canonicalize", "1:1: error: expected a pipeline builtin.module(...)"),
        ("func.func(cse)", "1:1: error: expected a pipeline builtin.module(...)"),
        ("builtin.module(cse", "1:19: error: expected ',' or ')'"),
        ("builtin.module(cse))", "1:20: error: expected the end of the pipeline"),
        ("builtin.module(cse,)", "1:20: error: expected the name of a pass, got ')'"),
        ("builtin.module(sable-batch{size=2)", "1:27: error: '}' is missing"),
        ("builtin.module(cse,nonsense)", "1:20: error: unknown pass 'nonsense'"),
        (
            "builtin.module(func.func(sable-jvp))",
            "1:26: error: pass sable-jvp runs on builtin.module, not on func.func",
        ),
        ("builtin.module(cse,sable-batch{sise=2})", "1:20: error: there is no option 'sise' of batch"),
        ("builtin.module(cse,iree-llvmcpu-tile-and-fuse-producer-consumer)", "error: "),
    ],
)
def test_pipeline_errors(run, pipeline, message):
    err = failure(run, f"--pass-pipeline={pipeline}", stdin=SINE)
    assert message in err


def test_wrong_nesting_is_an_error_and_no_crash(run):
    err = failure(run, "--pass-pipeline=builtin.module(iree-hal-translate-all-executables)", stdin=SINE)
    assert "runs on hal.executable, not on builtin.module: nest it" in err
    # a flag is nested by itself
    assert run("--iree-hal-translate-all-executables", stdin=SINE)[0] == 0


def test_pipeline_that_ends_the_process_when_built(run):
    name = "iree-codegen-translation-postprocessing-pipeline"
    err = failure(run, f"--pass-pipeline=builtin.module({name})", stdin=SINE)
    assert err.startswith("<pass-pipeline>:1:16: error: ")


def test_operation_without_a_row(run):
    text = ONE.format("math.sin %x", "tensor<f32>")
    err = failure(run, "--jvp", stdin=text)
    assert err.startswith("<stdin>:2:8: error: operation math.sin cannot be transformed")
    assert "note: while running pass jvp" in err


def test_rule_errors_are_placed(run):
    text = ONE.format('"sable.psum"(%x) {axes = ["i"]}', "(tensor<f32>) -> tensor<f32>")
    err = failure(run, "--lower", stdin=text)
    assert err.startswith("<stdin>:2:8: error: unbound axis name: i")


def test_verification_after_a_pass(run, monkeypatch):
    def broken(module, options):
        with CONTEXT, ir.Location.unknown():
            ir.Operation.create("sable.nonsense", ip=ir.InsertionPoint(module.body))
        return module

    entry = PASSES["jvp"]
    monkeypatch.setitem(PASSES, "jvp", type(entry)(entry.name, entry.description, entry.options, broken))
    err = failure(run, "--jvp", stdin=SINE)
    assert "unknown operation sable.nonsense" in err
    assert "pass jvp left this behind" in err
    assert run("--jvp", "--verify-each=false", stdin=SINE)[0] == 0


def test_verify_diagnostics(run):
    expected = SINE.replace("  %0 =", "  // expected-error@+1 {{unknown operation}}\n  %0 =").replace(
        "stablehlo.sine %x :", '"sable.sin"(%x) : (tensor<3xf32>) ->'
    )
    assert run("--verify-diagnostics", stdin=expected)[0] == 0
    unmet = SINE.replace("  %0 =", "  // expected-warning@below {{no such thing}}\n  %0 =")
    err = failure_allowing_output(run, "--verify-diagnostics", stdin=unmet)
    assert 'expected warning "no such thing" was not produced' in err
    unexpected = expected.replace("expected-error", "nothing")
    assert "unexpected error: unknown operation sable.sin" in failure(run, "--verify-diagnostics", stdin=unexpected)


def failure_allowing_output(run, *arguments: object, stdin: str) -> str:
    code, _, err = run(*arguments, stdin=stdin)
    assert code == 1
    return err


# ---- passes --------------------------------------------------------------------------------------


def test_other_functions_are_untouched(run):
    _, before, _ = run(stdin=OTHER + SINE)
    for flag in ("--jvp", "--linearize", "--batch=size=2", "--raise", "--lower", "--inline-calls"):
        code, out, err = run(flag, stdin=OTHER + SINE)
        assert code == 0, err
        assert before[before.index("func.func private @other") : before.index("func.func @main")] in out


def test_linearize_then_transpose_is_grad(run):
    x = np.float32([0.1, 0.2, 0.3])
    _, out, err = run("--linearize", "--transpose=function=main_linear", "--grad", stdin=SUM_OF_SINES)
    assert not err
    _, *residuals = evaluate(out, "main_forward", [x])
    (backward,) = evaluate(out, "main_linear_transpose", [*residuals, np.float32(1)])
    (direct,) = evaluate(out, "main_grad", [x])
    np.testing.assert_allclose(backward, np.cos(x), rtol=1e-6)
    np.testing.assert_allclose(direct, np.cos(x), rtol=1e-6)


def test_custom_rules_are_not_copied_by_raise(run):
    code, out, err = run("--raise", stdin=CUSTOM)
    assert code == 0, err
    assert out.count("func.func private @rule") == 1
    assert "rule = @rule}" in out


# ---- foreign programs ----------------------------------------------------------------------------


def record(name: str) -> tuple[list[np.ndarray], dict]:
    data = json.loads((FOLDER / f"{name}.json").read_text())
    return [np.array(a["values"], a["dtype"]) for a in data["arguments"]], data


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("more", [[], ["--raise"], ["--raise", "--lower"], ["--cse", "--canonicalize"]], ids=str)
def test_gradients_of_foreign_programs(run, name, more):
    arguments, data = record(name)
    argnums = ",".join(map(str, data["argnums"]))
    code, out, err = run(FOLDER / f"{name}.mlir", f"--grad=value=true argnums={argnums}", *more)
    assert code == 0, err
    value, *gradients = evaluate(out, "main_grad", arguments)
    np.testing.assert_allclose(value, data["value"], rtol=1e-5)
    for given, wanted in zip(gradients, data["gradients"], strict=True):
        np.testing.assert_allclose(given, np.float32(wanted), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", PROGRAMS)
def test_tangents_of_foreign_programs(run, name):
    arguments, data = record(name)
    draw = np.random.default_rng(1)
    tangents = [draw.normal(size=arguments[i].shape).astype(np.float32) for i in data["argnums"]]
    active = ",".join("1" if i in data["argnums"] else "0" for i in range(len(arguments)))
    code, out, err = run(FOLDER / f"{name}.mlir", f"--jvp=active={active}")
    assert code == 0, err
    _, tangent = evaluate(out, "main_jvp", [*arguments, *tangents])
    wanted = sum(np.vdot(np.float32(g), t) for g, t in zip(data["gradients"], tangents))
    np.testing.assert_allclose(tangent, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("more", [[], ["--raise", "--lower=function=main_batched"]], ids=str)
def test_batches_of_foreign_programs(run, name, more):
    arguments, _ = record(name)
    draw = np.random.default_rng(2)
    floats = [a.dtype == np.float32 for a in arguments]
    axes = ",".join("0" if f else "none" for f in floats)
    many = [
        np.stack([a + draw.normal(size=a.shape).astype(a.dtype) for _ in range(3)]) if f else a
        for a, f in zip(arguments, floats)
    ]
    code, out, err = run(FOLDER / f"{name}.mlir", f"--batch=size=3 in-axes={axes}", *more)
    assert code == 0, err
    (batched,) = evaluate(out, "main_batched", many)
    rows = [evaluate(out, "main", [a[k] if f else a for a, f in zip(many, floats)])[0] for k in range(3)]
    np.testing.assert_allclose(batched, rows, rtol=1e-5)


def test_batch_of_indices(run):
    """Every example takes its own branch and leaves its own loop."""
    (x, _), _ = record("indexing")
    indices = np.arange(4, dtype=np.int32)
    code, out, err = run(FOLDER / "indexing.mlir", "--grad", "--batch=function=main_grad size=4 in-axes=none,0")
    assert code == 0, err
    (batched,) = evaluate(out, "main_grad_batched", [x, indices])
    rows = [evaluate(out, "main_grad", [x, i])[0] for i in indices]
    np.testing.assert_allclose(batched, rows, rtol=1e-5)


# ---- information ---------------------------------------------------------------------------------


def test_help_and_version(run):
    code, out, _ = run("--help")
    assert code == 0
    assert "--split-input-file" in out
    assert all(f"--{name}" in out for name in PASSES)
    code, out, _ = run("--version")
    assert code == 0
    assert "iree-base-compiler 3." in out


def test_list_passes(run):
    _, out, _ = run("--list-passes")
    for name in (*PASSES, "canonicalize", "cse", "inline", "linalg-fold-unit-extent-dims", "symbol-dce"):
        assert f"  --{name}" in out
    _, ours, _ = run("--list-passes=sable")
    assert "canonicalize" not in ours


def test_show_dialects(run):
    _, out, _ = run("--show-dialects")
    assert {"sable", "stablehlo", "chlo", "func", "linalg", "vhlo"} <= {line.strip() for line in out.splitlines()}


def test_the_document_lists_the_passes(run):
    _, ours, _ = run("--list-passes=sable")
    assert ours.strip() in DOCUMENT.read_text(), (
        "paste the output of `sable-opt --list-passes=sable` into docs/sable-opt.md"
    )
