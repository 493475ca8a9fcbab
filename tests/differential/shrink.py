"""Programs that differ made short: fewer outputs, fewer steps, smaller shapes, as long as they still differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.differential.bounds import Unfit
from tests.differential.draw import SIZES
from tests.differential.modes import MODES, Outcome, Trial, together
from tests.differential.program import Input, Program, Step, analysed, resized

#: Candidates that are tried for one program.
MOST_TRIES = 150


def shrunk(outcome: Outcome) -> Outcome:
    """The shortest trial found that is wrong in a way of the same kind."""
    tries = 0
    progress = True
    while progress:
        progress = False
        for candidate in _smaller(outcome.trial.program):
            tries += 1
            if tries > MOST_TRIES:
                return outcome
            found = _still_wrong(replace(outcome.trial, program=candidate))
            if found and _kind(found.wrong) == _kind(outcome.wrong):
                outcome, progress = found, True
                break
    return outcome


def _kind(wrong: str | None) -> str:
    """The exception's class, a type that differs, or values that do."""
    text = wrong or ""
    return text.split(":")[0] if "Error" in text.split(":")[0] else "values" if "elements of" in text else "type"


def _still_wrong(trial: Trial) -> Outcome | None:
    try:
        analysed(trial.program)
    except Unfit:
        return None
    (outcome,) = together([trial])
    return outcome if outcome.wrong else None


def _smaller(program: Program) -> Iterator[Program]:
    if len(program.outputs) > 1:
        for i in program.outputs:
            yield program.changed(outputs=(i,)).needed()
    yield from _earlier(program)
    yield from _replaced(program)
    yield from _plainer(program)
    sizes = sorted({n for node in program.nodes if isinstance(node, Input) for n in node.shape}, reverse=True)
    for old in sizes:
        for new in SIZES:
            if 0 < new < old:
                yield resized(program, old, new)


def _earlier(program: Program) -> Iterator[Program]:
    """An operand of the output instead of the output."""
    last = program.nodes[program.outputs[-1]]
    if len(program.outputs) == 1 and isinstance(last, Step):
        for i in last.operands:
            if isinstance(program.nodes[i], Step):
                yield program.changed(outputs=(i,)).needed()


def _replaced(program: Program) -> Iterator[Program]:
    """A step's result as an input, or one of its operands in its place."""
    values = analysed(program)
    for i in reversed(range(len(program.nodes))):
        node = program.nodes[i]
        if not isinstance(node, Step) or i in program.outputs:
            continue
        value = values[i]
        fresh = Input(
            value.shape, value.dtype.name, -32 if value.kind in "ifc" else 0, 1 if value.kind == "b" else 32, i
        )
        yield program.changed(nodes=(*program.nodes[:i], fresh, *program.nodes[i + 1 :])).needed()
        for k in node.operands:
            if values[k].aval == value.aval:
                yield _redirected(program, i, k)


def _redirected(program: Program, old: int, new: int) -> Program:
    def node(n: object) -> object:
        return replace(n, operands=tuple(new if i == old else i for i in n.operands)) if isinstance(n, Step) else n

    return program.changed(nodes=tuple(node(n) for n in program.nodes)).needed()


def _plainer(program: Program) -> Iterator[Program]:
    for i, node in enumerate(program.nodes):
        if isinstance(node, Input) and (node.layout != "plain" or node.handed_over):
            plain = replace(node, layout="plain", handed_over=False)
            yield program.changed(nodes=(*program.nodes[:i], plain, *program.nodes[i + 1 :]))
        if isinstance(node, Input) and node.extreme:
            yield program.changed(nodes=(*program.nodes[:i], replace(node, extreme=False), *program.nodes[i + 1 :]))


def printed(outcome: Outcome) -> str:
    """The trial as Python that can be pasted, and what is wrong."""
    trial = outcome.trial
    lines = ["import numpy as np, sable as jax", "jnp, lax = jax.numpy, jax.lax", trial.program.body("f")]
    names = []
    for number, mapped in zip(trial.program.inputs, trial.mapped, strict=True):
        item = trial.program.nodes[number]
        assert isinstance(item, Input)
        lines.append(f"v{number} = {replace(item, shape=(3, *item.shape)).source() if mapped else item.source()}")
        names.append(f"v{number}")
    axes = f", in_axes {tuple(0 if m else None for m in trial.mapped)}" if any(trial.mapped) else ""
    lines.append(f"f({', '.join(names)})  # as {MODES[trial.mode].source}{axes}")
    lines.append(f"# {trial.mode}, seed {trial.program.seed}: {outcome.wrong}")
    return "\n".join(lines)
