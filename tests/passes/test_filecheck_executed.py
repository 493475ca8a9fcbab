"""The modules of the FileCheck tests are also computed: what a pass adds is compared with what it is derived from.

Derivatives are compared with differences, transposes by dot products, batched functions with a loop over the examples,
and passes that rewrite functions leave their values as they were; all with the ops' reference meanings.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sable.ir.bindings import CONTEXT, ir
from sable.ir.function import Function
from sable.ir.narrow import NARROW, stored
from sable.ir.op import NumpyBuilder, interpret
from sable.passes import foreign
from sable.passes.assemble import symbols
from sable.passes.importer import Importer, is_declaration
from sable.passes.ir_tools import is_private
from sable.passes.pipeline_text import Ours, run_steps
from sable.passes.pipelines import choose_function
from sable.tools.sable_opt import SPLIT_MARKER, parse_arguments

FILES = Path(__file__).parents[1] / "filecheck"
_RUN = re.compile(r"// RUN: %sable-opt %s (?P<flags>.*?) \| filecheck %s$", re.MULTILINE)
#: Flags behind which there are operations that the op table lacks.
_FOREIGN = ("--allow-unregistered-dialect", "native=true")
#: Step of differences, and their tolerance: f32 leaves some three digits.
_STEP, _TOLERANCE = 1e-2, 2e-2
#: Operations whose batch is not what they do to each example, on purpose: all bits come from the first state.
_BATCHED_OTHERWISE = ("stablehlo.rng_bit_generator",)

#: Files whose derivatives are not those of the values, on purpose (a matrix to be factored is Hermitian).
_DERIVED_OTHERWISE = ("custom_", "stop_gradient", "stop-gradient", "stablehlo.cholesky")
#: What there is no reference meaning for: the host's functions, and collectives outside of their axis.
_NOT_COMPUTED = ("host_call", "host_effect", "sable.p", "sable.axis_index", "sable.all_gather")

#: Files whose loops end for some arguments only, or whose length jumps with them.
_ENDLESS = ("control_flow/round_trip", "control_flow/while_jvp", "raise/nested")


def cases() -> list[Any]:
    """(modules' texts, steps) of every FileCheck test that runs our passes."""
    found = []
    for file in sorted(FILES.rglob("*.mlir")):
        text = file.read_text()
        run = _RUN.search(text)
        if run is None or any(name in text for name in _NOT_COMPUTED) or any(flag in run[0] for flag in _FOREIGN):
            continue
        arguments = parse_arguments(shlex.split(run["flags"]))
        parts = text.split(SPLIT_MARKER) if arguments.split_input_file else [text]
        name = str(file.relative_to(FILES).with_suffix(""))
        ours = any(isinstance(s, Ours) and s.entry.name in CHECKS for s in arguments.steps)
        if ours and name not in _ENDLESS:
            found.append(pytest.param(parts, arguments.steps, id=name))
    return found


def evaluate(function: Function, args: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The results, by the reference meanings."""
    return [np.asarray(y) for y in interpret(function, list(args), NumpyBuilder())]


def load(module: ir.Module, name: str) -> Function:
    return Importer(module).function(name)


def sample(rng: np.random.Generator, avals: Sequence[Any]) -> list[np.ndarray]:
    """Arguments away from poles: floats from 0.3 to 1.2, small indices."""
    made = []
    for a in avals:
        if a.dtype.kind in "iu":
            value = rng.integers(0, 2, a.shape)
        elif a.dtype.kind == "b":
            value = rng.integers(0, 2, a.shape) > 0
        else:
            value = rng.uniform(0.3, 1.2, a.shape)
            value = value + 1j * rng.uniform(0.3, 1.2, a.shape) if a.dtype.kind == "c" else value
        made.append(np.asarray(value).astype(a.dtype))
    return made


def close(x: np.ndarray, y: np.ndarray, tolerance: float = 1e-5) -> None:
    np.testing.assert_allclose(np.asarray(x), np.asarray(y), rtol=tolerance, atol=tolerance)


def is_inexact(a: Any) -> bool:
    return a.dtype.kind in "fc"


def directional(f: Function, args: list[np.ndarray], tangents: list[np.ndarray | None]) -> list[np.ndarray]:
    """Derivatives of the results along tangents, by central differences."""

    def moved(step: float) -> list[np.ndarray]:
        pairs = zip(args, tangents)
        return evaluate(f, [x if t is None else (x + step * t).astype(x.dtype) for x, t in pairs])

    ahead, behind = moved(_STEP), moved(-_STEP)
    return [(p - m) / (2 * _STEP) if p.dtype.kind in "fc" else p for p, m in zip(ahead, behind)]


def flags(given: Sequence[bool] | None, function: Function) -> list[bool]:
    return list(given) if given is not None else [is_inexact(a) for a in function.in_avals]


def tangents_for(rng: np.random.Generator, f: Function, active: Sequence[bool]) -> list[np.ndarray | None]:
    made = sample(rng, f.in_avals)
    return [t if on else None for t, on in zip(made, active)]


def active_results(module: ir.Module, name: str) -> list[bool]:
    return list(ir.DenseBoolArrayAttr(symbols(module)[name].attributes["sable.active_results"]))


def check_jvp(rng: Any, before: ir.Module, after: ir.Module, options: Any) -> None:
    source = choose_function(before, options.function)
    name = options.name or f"{source}_jvp"
    f, made = load(before, source), load(after, name)
    tangents = tangents_for(rng, f, flags(options.active, f))
    args = sample(rng, f.in_avals)
    outs = evaluate(made, [*args, *[t for t in tangents if t is not None]])
    n = len(f.out_avals)
    for x, y in zip(outs[:n], evaluate(f, args)):
        close(x, y)
    wanted = [d for d, on in zip(directional(f, args, tangents), active_results(after, name)) if on]
    assert len(wanted) == len(outs) - n
    for x, y in zip(outs[n:], wanted):
        close(x, y, _TOLERANCE)


def check_linearize(rng: Any, before: ir.Module, after: ir.Module, options: Any) -> None:
    source = choose_function(before, options.function)
    base = options.name or source
    f = load(before, source)
    tangents = tangents_for(rng, f, flags(options.active, f))
    args = sample(rng, f.in_avals)
    outs = evaluate(load(after, f"{base}_forward"), args)
    n = len(f.out_avals)
    for x, y in zip(outs[:n], evaluate(f, args)):
        close(x, y)
    linear = f"{base}_linear"
    found = evaluate(load(after, linear), [*[t for t in tangents if t is not None], *outs[n:]])
    wanted = [d for d, on in zip(directional(f, args, tangents), active_results(after, linear)) if on]
    for x, y in zip(found, wanted):
        close(x, y, _TOLERANCE)


def check_grad(rng: Any, before: ir.Module, after: ir.Module, options: Any) -> None:
    source = choose_function(before, options.function)
    f, made = load(before, source), load(after, options.name or f"{source}_grad")
    args = sample(rng, f.in_avals)
    outs = evaluate(made, args)
    if options.value:
        close(outs.pop(0), evaluate(f, args)[0])
    for gradient, k in zip(outs, options.argnums):
        tangents: list[np.ndarray | None] = [None] * len(args)
        tangents[k] = sample(rng, [f.in_avals[k]])[0]
        (derivative,) = directional(f, args, tangents)
        close(np.sum(gradient * tangents[k]), derivative, _TOLERANCE)


def check_transpose(rng: Any, before: ir.Module, after: ir.Module, options: Any) -> None:
    source = choose_function(before, options.function)
    f, made = load(before, source), load(after, options.name or f"{source}_transpose")
    attributes = symbols(before)[source].attributes
    residuals = ir.IntegerAttr(attributes["sable.residuals"]).value if "sable.residuals" in attributes else 0
    n = len(f.in_avals)
    linear = list(options.linear) if options.linear is not None else [k < n - residuals for k in range(n)]
    args = sample(rng, f.in_avals)
    cotangents = sample(rng, [a for a in f.out_avals if is_inexact(a)])
    resting = [np.zeros_like(x) if on else x for x, on in zip(args, linear)]  # affine functions pass for linear
    moves = zip(evaluate(f, args), evaluate(f, resting), f.out_avals)
    outs = [y - start for y, start, a in moves if is_inexact(a)]
    found = evaluate(made, [*[x for x, on in zip(args, linear) if not on], *cotangents])
    moving = [x for x, on in zip(args, linear) if on]
    assert len(found) == len(moving)
    left = sum(np.sum(c * y) for c, y in zip(cotangents, outs))
    right = sum(np.sum(c * x) for c, x in zip(found, moving))
    close(np.real(left), np.real(right), 1e-4)
    if all(x.dtype.kind == "c" for x in (*moving, *cotangents)):  # else it is linear in real factors only
        close(np.imag(left), np.imag(right), 1e-4)


def check_batch(rng: Any, before: ir.Module, after: ir.Module, options: Any) -> None:
    source = choose_function(before, options.function)
    f, made = load(before, source), load(after, options.name or f"{source}_batched")
    ins = options.in_axes or (0,) * len(f.in_avals)
    outs = options.out_axes or (0,) * len(f.out_avals)
    args = sample(rng, made.in_avals)
    found = evaluate(made, args)
    for k in range(options.size):
        one = [x if axis is None else np.take(x, k, axis) for x, axis in zip(args, ins)]
        for x, y, axis in zip(evaluate(f, one), found, outs):
            close(x, y if axis is None else np.take(y, k, axis))


def check_values(rng: Any, before: ir.Module, after: ir.Module, options: Any) -> None:
    for name, operation in symbols(before).items():
        if operation.name != "func.func" or is_declaration(operation) or is_private(operation):
            continue
        old = load(before, name)
        args = sample(rng, old.in_avals)
        for x, y in zip(evaluate(load(after, name), [stored(x) for x in args]), evaluate(old, args), strict=True):
            close(x.view(y.dtype) if y.dtype in NARROW else x, y)  # narrow dtypes are bytes once they are lowered


CHECKS: dict[str, Callable] = {
    "jvp": check_jvp,
    "linearize": check_linearize,
    "grad": check_grad,
    "transpose": check_transpose,
    "batch": check_batch,
    "raise": check_values,
    "lower": check_values,
    "inline-calls": check_values,
}
_DERIVATIVES = ("jvp", "linearize", "grad", "transpose")


@pytest.mark.parametrize(("texts", "steps"), cases())
def test_values(texts: list[str], steps: tuple, rng: np.random.Generator) -> None:
    checked = 0
    for text in texts:
        otherwise = [*_DERIVATIVES] if any(name in text for name in _DERIVED_OTHERWISE) else []
        otherwise += ["batch"] if any(name in text for name in _BATCHED_OTHERWISE) else []
        with CONTEXT:
            module = ir.Module.parse(text)
        for step in steps:
            before = ir.Module.parse(str(module), CONTEXT)
            module = run_steps(module, [step], foreign.RunOptions())
            name = step.entry.name if isinstance(step, Ours) else ""
            if name not in CHECKS or name in otherwise:
                continue
            CHECKS[name](rng, before, module, step.options)
            checked += 1
    if not checked:
        pytest.skip("its derivative, or its batch, is not that of the values, on purpose")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(1)


def test_many_files_are_computed() -> None:
    assert len(cases()) >= 50
