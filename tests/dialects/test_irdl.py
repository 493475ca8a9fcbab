"""The formal definition of the sable dialect and the op table are one; `tests/filecheck/verify/irdl*.mlir` run it."""

from __future__ import annotations

import re
import subprocess

import numpy as np
import pytest
from iree.compiler.tools import binaries

import sable.dialects.ops  # noqa: F401  (fills the op table)
from sable.dialects import irdl
from sable.ir.aval import aval_of
from sable.ir.bindings import CONTEXT, ir
from sable.ir.op import OPS, Op

ROWS = irdl.rows()


def operation(name: str) -> str:
    """The text of one operation's definition."""
    found = re.search(rf"  irdl\.operation @{name} {{\n(.*?)\n  }}\n", irdl.PATH.read_text(), re.DOTALL)
    assert found is not None, f"{irdl.PATH.name} does not define {name}"
    return found[1]


def test_the_file_is_what_the_table_says():
    assert irdl.PATH.read_text() == irdl.definition(), "run `python -m sable.tools.irdl --write`"


def test_every_operation_is_defined_once():
    defined = re.findall(r"irdl\.operation @(\w+)", irdl.PATH.read_text())
    assert defined == sorted(set(defined))
    assert set(defined) == {
        op.mlir_name.removeprefix("sable.") for op in OPS.values() if op.mlir_name.startswith("sable.")
    }


@pytest.mark.parametrize("op", ROWS, ids=lambda op: op.name)
def test_attributes_and_operands(op):
    text = operation(op.name)
    attributes = re.search(r"irdl\.attributes {(.*)}", text)
    names = set(re.findall(r'"(\w+)" =', attributes[1])) if attributes else set()
    assert names == set(irdl.required_attributes(op))
    operands = re.search(r"irdl\.operands\((.*)\)", text)
    given = re.findall(r"(\w+): (variadic )?%", operands[1]) if operands else []
    assert [n for n, _ in given] == list(op.operands)
    assert any(v for _, v in given) == op.variadic


def test_mlir_accepts_the_file(tmp_path):
    program = tmp_path / "empty.mlir"
    program.write_text("module {}")
    command = [binaries.find_tool("iree-opt"), f"--irdl-file={irdl.PATH}", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def has_results_of_several_types(op: Op) -> bool:
    """Whether the number of results depends on parameters, so that they are variadic."""
    samples = list(op.samples())
    made = [op.type(*[aval_of(np.asarray(x)) for x in s.operands], **s.params) for s in samples]
    return op.multiple_results and len({len(results) for results in made}) > 1


FIXED = [op for op in ROWS if not op.functions and not has_results_of_several_types(op)]


@pytest.mark.parametrize("op", FIXED, ids=lambda op: op.name)
def test_samples_are_accepted(op, tmp_path):
    """What the table writes, the definition takes: every sample of every row.

    Not of ops that name functions or have now one result and now three: IRDL wants all of variadic operands, and results, of
    one type (the file's header).
    """
    from sable.ir.function import Function, FunctionBuilder
    from sable.passes.assemble import assemble

    parts = []
    for sample in op.samples():
        function = Function([aval_of(x) for x in sample.operands])
        out = FunctionBuilder(function).bind(op, *function.arguments, **sample.params)
        function.finish(list(out) if op.multiple_results else [out])
        parts.append(str(assemble(function)))
    program = tmp_path / "samples.mlir"
    program.write_text("\n// -----\n".join(parts))
    command = [binaries.find_tool("iree-opt"), f"--irdl-file={irdl.PATH}", "--split-input-file", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_no_operation_of_the_dialect_has_regions():
    with CONTEXT, ir.Location.unknown():
        assert all(op.form.mlir_name.startswith("sable.") for op in ROWS)
    assert "irdl.regions" not in irdl.PATH.read_text()
