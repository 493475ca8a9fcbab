"""Many programs at little cost: steps of a few programs in other orders, on other values of the same types.

JAX compiles each step once, whatever programs it comes to stand in, and ours has planned what it calls often.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tests.differential.bounds import Unfit, Value
from tests.differential.draw import usual_range
from tests.differential.operations import EXTREME, drawn
from tests.differential.program import LAYOUTS, Input, Node, Program, Step, bounded

#: Steps of a mixed program, at least and at most, and attempts to place one.
STEPS = (3, 9)
ATTEMPTS = 10

Type = tuple[tuple[int, ...], str, bool]


def _type(value: Value) -> Type:
    return value.shape, value.dtype.name, value.weak


@dataclass(frozen=True)
class _Known:
    """A step, its result and operands; `special` are operands that must be drawn as they were: positions, counts."""

    step: Step
    out: Value
    types: tuple[Type, ...]
    special: tuple[Input | None, ...]


class Pool:
    """The steps of so many programs, from a seed on."""

    def __init__(self, seeds: Sequence[int], x64: bool = False) -> None:
        self.steps: list[_Known] = []
        self.taking: dict[Type, list[tuple[_Known, int]]] = defaultdict(list)
        for seed in seeds:
            program = drawn(seed, x64=x64)
            assert program.known is not None
            for node, out in zip(program.nodes, program.known, strict=True):
                if isinstance(node, Step):
                    self._enter(program, node, out)

    def _enter(self, program: Program, step: Step, out: Value) -> None:
        assert program.known is not None
        types = tuple(_type(program.known[i]) for i in step.operands)
        known = _Known(step, out, types, tuple(_special(program.nodes[i]) for i in step.operands))
        self.steps.append(known)
        for place, operand in enumerate(types):
            if known.special[place] is None:
                self.taking[operand].append((known, place))

    def program(self, seed: int) -> Program:
        """A program of these steps."""
        mix = _Mix(self, seed)
        mix.add(self.steps[mix.below(len(self.steps))], None, None)
        for _ in range(STEPS[0] + mix.below(STEPS[1] - STEPS[0] + 1)):
            any(mix.grow() for _ in range(ATTEMPTS))
        return mix.program()


def _special(node: Node) -> Input | None:
    usual = not isinstance(node, Input) or (node.low, node.high) == usual_range(node.dtype)
    return None if usual else node


class _Mix:
    """A program that is being put together."""

    def __init__(self, pool: Pool, seed: int) -> None:
        self.pool, self.seed, self.rng = pool, seed, np.random.default_rng(seed)
        self.extreme = seed % EXTREME == 0
        self.nodes: list[Node] = []
        self.values: list[Value] = []
        self.of_type: dict[Type, list[int]] = defaultdict(list)

    def below(self, end: int) -> int:
        return int(self.rng.integers(end))

    def grow(self) -> bool:
        """Try to add a step on a value that is there, a late one rather than an early one."""
        if not self.values:
            return self.add(self.pool.steps[self.below(len(self.pool.steps))], None, None)
        number = max(self.below(len(self.values)), self.below(len(self.values)))
        taking = self.pool.taking.get(_type(self.values[number]))
        if not taking:
            return False
        known, place = taking[self.below(len(taking))]
        return self.add(known, place, number)

    def add(self, known: _Known, place: int | None, number: int | None) -> bool:
        """Try to add a step, one of its operands given."""
        before = len(self.nodes)
        try:
            operands = [number if i == place else self._operand(known, i) for i in range(len(known.types))]
            step = replace(known.step, operands=tuple(operands))
            self._enter(step, bounded(step, [self.values[i] for i in operands], known.out))
        except Unfit:
            for value in self.values[before:]:
                self.of_type[_type(value)].pop()
            del self.nodes[before:], self.values[before:]
            return False
        return True

    def _operand(self, known: _Known, place: int) -> int:
        special, wanted = known.special[place], known.types[place]
        there = self.of_type[wanted]
        if special is not None:
            item = replace(special, seed=self.below(1000))
        elif there and (wanted[2] or self.rng.random() < 0.7):
            return there[self.below(len(there))]
        elif wanted[2]:
            raise Unfit("no value of a weak type")
        else:
            shape, dtype, _ = wanted
            layout = list(LAYOUTS)[self.below(len(LAYOUTS))] if shape and self.rng.random() < 0.4 else "plain"
            item = Input(shape, dtype, *usual_range(dtype), self.below(1000), layout, True, self.extreme)
        return self._enter(item, item.value())

    def _enter(self, node: Node, value: Value) -> int:
        self.nodes.append(node)
        self.values.append(value)
        self.of_type[_type(value)].append(len(self.nodes) - 1)
        return len(self.nodes) - 1

    def program(self) -> Program:
        """All steps are compared: the first that differs is the one at fault."""
        outputs = tuple(i for i, node in enumerate(self.nodes) if isinstance(node, Step))
        return Program(tuple(self.nodes), outputs, self.seed, tuple(self.values))
