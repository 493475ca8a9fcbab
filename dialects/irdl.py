"""The formal definition of the sable dialect (IRDL), written from the op table into `sable.irdl.mlir`.

Tools of MLIR that know nothing of us (`iree-opt --irdl-file=dialects/sable.irdl.mlir`) then check our operations:
their operand and result counts and their attributes. What only we can check (symbols, callee types) is in
`sable.passes.verify`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sable.ir import codec as codecs
from sable.ir.aval import Aval, aval, aval_of
from sable.ir.op import OPS, Op

#: The file, beside this one.
PATH = Path(__file__).with_name("sable.irdl.mlir")

_HEADER = """\
// The sable dialect: what StableHLO and CHLO lack. Written by `python -m sable.tools.irdl --write` from the op table
// (dialects/ops/), never by hand; tests/dialects/test_irdl.py holds the two together.
//
// An operation refers to functions by symbol and has no region. Integer attributes are i64.
//
// IRDL gives a constraint variable one value for the whole of an operation, so one variable for several things says
// that they are equal (%x below: a result of the operand's type). It says so of variadic operands too, for which it has
// no other word: loops, branches and calls are accepted here with operands of one type and results of one type.
// sable-opt (sable.passes.verify) takes operands of different types, and checks the symbols, which IRDL cannot.
"""

_TENSOR = 'irdl.base "!builtin.tensor"'
_INDEX = "irdl.is tensor<i32>"
_INDEX_AVAL = aval((), np.dtype(np.int32))


def rows() -> list[Op]:
    """The rows of the table that are operations of our dialect, by name."""
    return sorted((op for op in OPS.values() if op.mlir_name.startswith("sable.")), key=lambda op: op.name)


def required_attributes(op: Op) -> dict[str, codecs.Codec]:
    """The attributes that the operation always has: those that no sample leaves out."""
    left_out = {p for sample in op.samples() for p, v in sample.params.items() if v is None}
    return {c.name or p: c for p, c in op.params.items() if isinstance(c, codecs.Codec) and p not in left_out}


def definition() -> str:
    """The text of `sable.irdl.mlir`."""
    body = "\n".join(_operation(op) for op in rows())
    return f"{_HEADER}\nirdl.dialect @sable {{\n{body}}}\n"


def _operation(op: Op) -> str:
    lines: list[str] = []
    operands = _operands(op, lines)
    results = _results(op, lines)
    attributes = []
    for name, codec in required_attributes(op).items():
        lines += [line.format(name) for line in codec.irdl]
        attributes.append(f'"{name}" = %{name}')
    if operands:
        lines.append(f"irdl.operands({', '.join(operands)})")
    if results:
        lines.append(f"irdl.results({', '.join(results)})")
    if attributes:
        lines.append(f"irdl.attributes {{{', '.join(attributes)}}}")
    inner = "".join(f"    {line}\n" for line in lines)
    return f"  irdl.operation @{op.name} {{\n{inner}  }}\n"


def _operands(op: Op, lines: list[str]) -> list[str]:
    """The operands, and in `lines` a variable for each."""
    found = []
    for k, name in enumerate(op.operands):
        variadic = op.variadic and k == len(op.operands) - 1
        given = set() if variadic else {aval_of(sample.operands[k]) for sample in op.samples()}
        lines.append(f"%{name} = {_constraint(given)}")
        found.append(f"{name}: {'variadic ' if variadic else ''}%{name}")
    return found


def _results(op: Op, lines: list[str]) -> list[str]:
    """The results, and in `lines` a variable for each that is not typed like the operand."""
    samples = [[aval_of(x) for x in sample.operands] for sample in op.samples()]
    results = [_list(op, operands, sample.params) for operands, sample in zip(samples, op.samples())]
    if not op.variadic and len(op.operands) == 1 and results == samples:
        return [f"result: %{op.operands[0]}"]
    counts = {len(r) for r in results}
    if (op.variadic and op.multiple_results) or len(counts) != 1:
        lines.append(f"%results = {_TENSOR}")
        return ["results: variadic %results"]
    names = ["result"] if counts == {1} else [f"result{k}" for k in range(counts.pop())]
    lines += [f"%{name} = {_constraint({r[k] for r in results})}" for k, name in enumerate(names)]
    return [f"{name}: %{name}" for name in names]


def _list(op: Op, operands: list[Aval], params: Mapping[str, Any]) -> list[Aval]:
    out = op.type(*operands, **params)
    return list(out) if op.multiple_results else [out]


def _constraint(given: set[Aval]) -> str:
    """What is a 32-bit scalar integer in every sample is an index."""
    return _INDEX if given == {_INDEX_AVAL} else _TENSOR
