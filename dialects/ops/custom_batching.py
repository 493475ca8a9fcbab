"""`custom_vmap_call`: a call whose batch the user gives."""

from __future__ import annotations

import itertools
import weakref
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.ir.aval import aval
from sable.ir.bindings import ir
from sable.ir.codec import SYMBOL, Codec
from sable.ir.function import Function, FunctionBuilder
from sable.ir.op import OPS, defop, interpret

from .calls import CallRules, call_ref, call_type, checked_beside
from .functions import function_of, spread
from .rules import expand, floats, is_inexact, sample

_NEW_NUMBERS = itertools.count()


class BatchRule(ABC):
    """How a call is done for many examples."""

    def __init__(self, name: str):
        self.name, self.number = name, next(_NEW_NUMBERS)
        self._made: dict[Any, tuple[Function, list[bool]]] = {}
        _RULES[self.number] = self

    def function(self, passes: Any, size: int, on: tuple[bool, ...]) -> tuple[Function, list[bool]]:
        """The function of a batch of that size, whose operands that `on` marks are mapped, and which results are mapped."""
        if (size, on) not in self._made:
            self._made[size, on] = self._make(passes, size, on)
        return self._made[size, on]

    @abstractmethod
    def _make(self, passes: Any, size: int, on: tuple[bool, ...]) -> tuple[Function, list[bool]]: ...

    def apply(self, passes: Any, b: Any, size: int, on: tuple[bool, ...], xs: Sequence[Any]) -> tuple[Any, list[bool]]:
        """The results for a batch, and which of them are mapped."""
        made, marks = self.function(passes, size, on)
        return b.bind(OPS["call"], *xs, callee=made), marks


#: Rules by the numbers that stand for them in programs.
_RULES: weakref.WeakValueDictionary[int, BatchRule] = weakref.WeakValueDictionary()


def _decode(attribute: Any) -> BatchRule:
    name, number = (ir.StringAttr(part).value for part in ir.ArrayAttr(attribute))
    found = _RULES.get(int(number))
    if found is None:
        raise ValueError(f"the batching rule {name} is a Python function, which only its own process knows")
    return found


_BATCH_RULE = Codec(
    lambda v: ir.ArrayAttr.get([ir.StringAttr.get(v.name), ir.StringAttr.get(str(v.number))]),
    _decode,
    kind="a batching rule",
    memo_size=0,
)


class _Pushed(BatchRule):
    """The rule of a call's tangents: of a function of operands and of the tangents of inexact ones.

    Where an operand and its tangent are mapped, the rule does that batch and is differentiated. What is mapped alone is
    mapped over that derivative, if nothing else is; else its partner is repeated.
    """

    def __init__(self, rule: BatchRule, callee: Function):
        super().__init__(rule.name)
        self._rule, self._callee = rule, callee

    def _make(self, passes: Any, size: int, on: tuple[bool, ...]) -> tuple[Function, list[bool]]:
        avals = self._callee.in_avals
        n, moving = len(avals), [is_inexact(a) for a in avals]
        primals, tangents = on[:n], [bool(t) for t in spread(on[n:], moving)]
        both = tuple(x and t for x, t in zip(primals, tangents))
        any_of = tuple(x or t for x, t in zip(primals, tangents))
        repeated = any(both) and any_of != both
        base, marks = self._rule.function(passes, size, any_of if repeated else both)
        outs = [is_inexact(a) for a in base.out_avals]
        pushed, _ = passes.jvp_function(base, tuple(moving), tuple(outs))
        every = [*marks, *[m for m, o in zip(marks, outs) if o]]
        wide = (*any_of, *[m for m, a in zip(any_of, moving) if a])
        if repeated:
            return _repeating(pushed, on, wide, size), every
        alone = tuple(m and not b for m, b in zip(on, (*both, *[b for b, a in zip(both, moving) if a])))
        if not any(alone):
            return pushed, every
        return passes.batch_function(pushed, alone, size)


def _repeating(function: Function, on: Sequence[bool], wide: Sequence[bool], size: int) -> Function:
    """The function with operands repeated that it takes mapped and that are not."""
    shapes = [a.shape if m or not w else a.shape[1:] for a, m, w in zip(function.in_avals, on, wide)]
    made = Function([a.update(shape=s) for a, s in zip(function.in_avals, shapes)], function.name)
    b = FunctionBuilder(made)
    xs = [expand(b, x, size) if w and not m else x for x, m, w in zip(made.arguments, on, wide)]
    return made.finish(interpret(function, xs, b), function.out_avals)


class CustomVmapRules(CallRules):
    """The user's rule is asked where any operand is mapped."""

    reverse = False

    def linearize(self, passes, two, node, xs, tangents):
        raise ValueError(
            "Linearization failed to produce known values for all output primals. Reverse-mode differentiation of a "
            "custom_vmap function is not defined: wrap the function in custom_vjp.\n"
            f"  the function is called at {node.location}"
        )

    def jvp(self, passes, b, node, xs, tangents):
        callee, rule = node.params["callee"], node.params["rule"]
        ins, outs = ([is_inexact(a) for a in avals] for avals in (callee.in_avals, callee.out_avals))
        key = ("pushed batch rule", rule.number)
        if key not in callee.memo:
            callee.memo[key] = _Pushed(rule, callee)
        made, _ = passes.jvp_function(callee, tuple(ins), tuple(outs))
        full = [b.full(b.aval(x), 0) if t is None else t for x, t, i in zip(xs, tangents, ins) if i]
        found = b.bind(node.op, *xs, *full, callee=made, rule=callee.memo[key])
        n = len(node.results)
        return found[:n], spread(found[n:], outs)

    def batch(self, passes, b, node, size, xs, on, axis_name):
        if any(on):
            return node.params["rule"].apply(passes, b, size, tuple(on), xs)
        made, marks = passes.batch_function(node.params["callee"], tuple(on), size, axis_name)
        return b.bind(OPS["call"], *xs, callee=made), marks

    def check(self, passes, b, node, xs, errors):
        """Of the function alone: the user's rule is not looked into."""
        return checked_beside(passes, b, node, xs, errors)

    def samples(self):
        x, y = (floats((3,), dtype=np.float64, seed=k) for k in range(2))
        return [sample(x, y, callee=_product((3,), (3,)), rule=_SAMPLE_RULE)]


class _AnyShape(BatchRule):
    """The rule of a product, which is one of whole batches too."""

    def _make(self, passes: Any, size: int, on: tuple[bool, ...]) -> tuple[Function, list[bool]]:
        made = _product(*[(size, 3) if m else (3,) for m in on])
        return made, [True]


def _product(*shapes: tuple[int, ...]) -> Function:
    wide = max(shapes, key=len)

    def rule(b: Any, x: Any, y: Any) -> list:
        x, y = (v if s == wide else expand(b, v, wide[0]) for v, s in zip((x, y), shapes))
        return [b.multiply(b.sine(x), y)]

    return function_of(rule, *[aval(s, np.dtype(np.float64)) for s in shapes], name="product")


_SAMPLE_RULE = _AnyShape("rule")

custom_vmap_call = defop(
    "custom_vmap_call",
    dialect="sable",
    operands=("*operands",),
    params={"callee": SYMBOL, "rule": _BATCH_RULE},
    type=call_type,
    ref=call_ref,
    functions=CustomVmapRules(),
    multiple_results=True,
)
