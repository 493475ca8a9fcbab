"""Programs as data: inputs and steps, their Python source, and what is known of their values."""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tests.differential.bounds import Bound, Rule, Unfit, Value, kind_of, rounded

#: Views in which inputs are handed over: what is done to the shape that is drawn, and to the array.
LAYOUTS: dict[str, tuple[Callable[[tuple[int, ...]], tuple[int, ...]], str]] = {
    "plain": (lambda shape: shape, ""),
    "transposed": (lambda shape: shape[::-1], ".T"),
    "strided": (lambda shape: (*shape[:-1], 2 * shape[-1]), "[..., ::2]"),
    "reversed": (lambda shape: shape, "[::-1]"),
}


#: What stands here and there in an extreme input; every dtype rounds or wraps it to its own.
EXTREMES = "np.nan, np.inf, -np.inf, -0.0"


@dataclass(frozen=True)
class Input:
    """Random numbers `low` to `high`, eighths for floats, as an array of NumPy's or of the library's.

    An eighth of an `extreme` input's elements are no numbers, infinite, negative zeros, or an integer dtype's ends.
    """

    shape: tuple[int, ...]
    dtype: str
    low: int
    high: int
    seed: int
    layout: str = "plain"
    handed_over: bool = False
    extreme: bool = False

    def source(self) -> str:
        shape, view = LAYOUTS[self.layout][0](self.shape), LAYOUTS[self.layout][1]
        text = f"np.random.default_rng({self.seed}).integers({self.low}, {self.high + 1}, {shape})"
        kind = kind_of(jnp.dtype(self.dtype))
        if kind == "c":
            text = (
                f"({text} + 1j * np.random.default_rng({self.seed + 1}).integers({self.low}, {self.high + 1}, {shape}))"
            )
        text = f"({text} / 8)" if kind in "fc" else text
        if self.extreme and kind in "fiu":
            ends = EXTREMES if kind == "f" else f"np.iinfo(np.{self.dtype}).min, np.iinfo(np.{self.dtype}).max"
            mask = f"np.random.default_rng({self.seed + 2}).random({shape}) < 1 / 8"
            text = f"np.where({mask}, np.random.default_rng({self.seed + 3}).choice([{ends}], {shape}), {text})"
        text = f"{text}.astype(jnp.{self.dtype + '_' * (self.dtype == 'bool')}){view}"
        return f"jnp.asarray({text})" if self.handed_over else text

    def array(self) -> Any:
        return eval(replace(self, handed_over=False).source(), {"np": np, "jnp": jnp})

    def value(self) -> Value:
        dtype = jnp.dtype(self.dtype)
        kind = kind_of(dtype)
        size = max(abs(self.low), abs(self.high)) / (8 if kind in "fc" else 1) * (1.5 if kind == "c" else 1)
        if self.extreme and kind in "iu":
            size = float(2 ** (8 * dtype.itemsize))
        return Value(self.shape, dtype, False, Bound(size, 0, 1 / 8 if kind in "fc" else 1), self.extreme)


@dataclass(frozen=True)
class Op:
    """An operation: how it is written, how operands and parameters are drawn, what its result is bounded by.

    `draw` gets a `draw.Draft` and returns operands and parameters.
    """

    name: str
    template: str | Callable[[dict, Sequence[str]], str]
    draw: Callable[[Any], tuple[Sequence[int], dict]]
    bound: Rule
    differentiable: bool = True

    def source(self, params: dict, names: Sequence[str]) -> str:
        if isinstance(self.template, str):
            return self.template.format(*names, **params)
        return self.template(params, names)


#: All operations by name; the modules of operations enter theirs.
OPS: dict[str, Op] = {}


def add(name: str, template: Any, draw: Any, bound: Rule, differentiable: bool = True) -> None:
    OPS[name] = Op(name, template, draw, bound, differentiable)


@dataclass(frozen=True)
class Step:
    """An operation on values that precede it."""

    op: str
    operands: tuple[int, ...]
    params: dict = field(default_factory=dict)

    def source(self, names: Sequence[str]) -> str:
        return OPS[self.op].source(self.params, names)


Node = Input | Step


@dataclass(frozen=True, eq=False)
class Program:
    """Nodes in order, each known by its number; the numbers of those that are compared.

    `known` is what is known of each node's value, if somebody has found out.
    """

    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]
    seed: int = 0
    known: tuple[Value, ...] | None = field(default=None, repr=False)

    @property
    def inputs(self) -> list[int]:
        return [i for i, node in enumerate(self.nodes) if isinstance(node, Input)]

    def body(self, name: str = "program") -> str:
        """The function, as Python."""
        lines = [f"def {name}({', '.join(f'v{i}' for i in self.inputs)}):"]
        for i, node in enumerate(self.nodes):
            if isinstance(node, Step):
                lines.append(f"    v{i} = {node.source([f'v{k}' for k in node.operands])}")
        lines.append(f"    return [{', '.join(f'v{i}' for i in self.outputs)}]")
        return "\n".join(lines)

    def changed(self, **fields: Any) -> Program:
        """Another program, of which nothing is known."""
        return replace(self, **{"known": None, **fields})

    def function(self, module: Any) -> Callable[..., list[Any]]:
        """The program over `module`, JAX or Sable."""

        def run(*arguments: Any) -> list[Any]:
            given, values = iter(arguments), []
            for node in self.nodes:
                if isinstance(node, Input):
                    values.append(next(given))
                else:
                    values.append(step_function(module, node)(*(values[i] for i in node.operands)))
            return [values[i] for i in self.outputs]

        return run

    def needed(self) -> Program:
        """The program without what no output needs, renumbered."""
        used = set(self.outputs)
        for i in reversed(range(len(self.nodes))):
            node = self.nodes[i]
            if i in used and isinstance(node, Step):
                used.update(node.operands)
        numbers = {old: new for new, old in enumerate(sorted(used))}
        nodes = tuple(_renumbered(self.nodes[old], numbers) for old in numbers)
        known = None if self.known is None else tuple(self.known[old] for old in numbers)
        return replace(self, nodes=nodes, outputs=tuple(numbers[i] for i in self.outputs), known=known)


def _renumbered(node: Node, numbers: dict[int, int]) -> Node:
    return replace(node, operands=tuple(numbers[i] for i in node.operands)) if isinstance(node, Step) else node


def names_of(module: Any) -> dict[str, Any]:
    """What a program's source may name."""
    return {"jax": module, "jnp": module.numpy, "lax": module.lax, "np": np}


def step_function(module: Any, step: Step) -> Callable[..., Any]:
    """The step as a function of its operands; JAX compiles it once for each of their types, whatever programs use it."""
    names = [f"a{i}" for i in range(len(step.operands))]
    return _kept(module, f"lambda {', '.join(names)}: {step.source(names)}")


@functools.cache
def _kept(module: Any, source: str) -> Callable[..., Any]:
    function = eval(source, names_of(module))
    return jax.jit(function) if module is jax else function


def forget() -> None:
    """Drops what has been kept and compiled of steps."""
    _kept.cache_clear()
    jax.clear_caches()


def evaluated(step: Step, operands: Sequence[Value]) -> Value:
    """The value of a step: its type by the oracle, its bound by the operation's rule; `Unfit` where either refuses."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            shaped = step_function(jax, step).eval_shape(*(v.aval for v in operands))
    except (Warning, TypeError, ValueError, IndexError, NotImplementedError, ZeroDivisionError, OverflowError) as error:
        raise Unfit(f"JAX refuses: {error}") from error
    return bounded(step, operands, Value(shaped.shape, np.dtype(shaped.dtype), shaped.weak_type, Bound(0)))


def bounded(step: Step, operands: Sequence[Value], out: Value) -> Value:
    """The value of a step whose type is known."""
    extreme = any(v.extreme for v in operands)
    if extreme and out.kind == "c":
        raise Unfit("which parts of infinite complex numbers are no numbers depends on the order of products")
    bound = rounded(OPS[step.op].bound(operands, step.params, out), out.dtype)
    return replace(out, bound=bound, extreme=extreme)


def analysed(program: Program) -> list[Value]:
    """What is known of each node's value."""
    if program.known is not None:
        return list(program.known)
    values: list[Value] = []
    for node in program.nodes:
        values.append(node.value() if isinstance(node, Input) else evaluated(node, [values[i] for i in node.operands]))
    return values


_NUMBER = re.compile(r"(?<![\w.])\d+(?![\w.])")


def resized(program: Program, old: int, new: int) -> Program:
    """The program with another extent in place of `old`, in inputs and in all parameters that are equal to it."""

    def changed(item: Any) -> Any:
        if isinstance(item, bool):
            return item
        if isinstance(item, int):
            return new if item == old else item
        if isinstance(item, tuple | list):
            return type(item)(changed(i) for i in item)
        if isinstance(item, str):
            return _NUMBER.sub(lambda m: str(new) if m[0] == str(old) else m[0], item)
        return item

    def node(n: Node) -> Node:
        if isinstance(n, Input):
            return replace(n, shape=changed(n.shape))
        return replace(n, params={k: changed(p) for k, p in n.params.items()})

    return program.changed(nodes=tuple(node(n) for n in program.nodes))
