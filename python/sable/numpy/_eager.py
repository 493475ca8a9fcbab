"""The short way for eager arrays: an elementwise op on arrays on the CPU is one call of its NumPy meaning.

Which dtype the operands meet in, the result's type and the NumPy function to call are looked up by the operands'
abstract values (a *plan*); only the first call with new ones goes the general way.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from sable._config import Config, config
from sable.core.array import Array
from sable.core.dtypes import python_scalar_dtype
from sable.core.state import STATE
from sable.dialects.op import OPS, Op
from sable.ir.aval import Aval, aval

from ._promote import broadcast_shape, check_ranks, promoted_type

_CONVERT = OPS["convert"].ref
_COMPARISONS = {
    "EQ": np.equal,
    "NE": np.not_equal,
    "LT": np.less,
    "LE": np.less_equal,
    "GT": np.greater,
    "GE": np.greater_equal,
}
#: plans and scalars kept by each function, at most
_SIZE = 8192

#: `dtype -> (op, params)`: what a function does with operands of a dtype
Choice = Callable[[np.dtype], "tuple[Op, dict] | None"]


class Plan:
    """What to do with operands of given abstract values.

    Attributes:
      out: the result's abstract value.
      ref: the NumPy function, parameters filled in.
      dtypes: for each operand the dtype to convert it to, or None.
      converts: True where an operand must be converted.
      scalars: Python scalar -> 0-d array of the right dtype.
    """

    __slots__ = ("converts", "dtypes", "out", "ref", "scalars")

    def __init__(self, out: Aval, ref: Callable, dtypes: tuple):
        self.out = out
        self.ref = ref
        self.dtypes = dtypes
        self.converts = any(d is not None for d in dtypes)
        self.scalars: dict[Any, np.ndarray] = {}

    def scalar(self, x: Any, dtype: np.dtype) -> np.ndarray:
        """A Python scalar as an array; remembered, save for -0.0, which is equal to 0.0."""
        python_scalar_dtype(type(x), x)  # an int must fit, whatever it becomes
        made = _CONVERT(np.asarray(x, python_scalar_dtype(type(x))), dtype)
        if len(self.scalars) < _SIZE and not (type(x) is not int and x == 0 and _negative(x)):
            self.scalars[x] = made
        return made

    def run(self, *arrays: np.ndarray) -> np.ndarray:
        """The result for NumPy operands."""
        if self.converts:
            arrays = tuple(
                [x if d is None else STATE.run(_CONVERT, x, d) for x, d in zip(arrays, self.dtypes)]
            )
        return STATE.run(self.ref, *arrays)


def _negative(x: Any) -> bool:
    return isinstance(x, complex) or math.copysign(1, x) < 0


class Plans:
    """A function's plans, by the operands' abstract values (or, for Python scalars, types).

    Attributes:
      current: the plans that hold under the configuration `key`.
    """

    __slots__ = ("by_key", "choose", "current", "key", "name", "rule")

    def __init__(self, name: str, rule: str, choose: Choice):
        self.name = name
        self.rule = rule
        self.choose = choose
        self.key: Any = None
        self.current: dict[Any, Plan] = {}
        self.by_key: dict[tuple, dict[Any, Plan]] = {}

    def find(self) -> dict[Any, Plan]:
        """The plans of the present configuration."""
        key = config.trace_key
        found = self.by_key.setdefault(key, {})
        if not config._overrides:
            self.key, self.current = key, found
        return found

    def make(self, *operands: Any) -> None:
        """Make the plan for operands, which have just gone the general way without an error."""
        if config.jax_debug_nans or config.jax_debug_infs:
            return
        keys = tuple(x.aval if type(x) is Array else type(x) for x in operands)
        avals = tuple(
            x.aval if type(x) is Array else aval((), python_scalar_dtype(type(x)), type(x) is not bool)
            for x in operands
        )
        dtype, weak = promoted_type(avals, self.rule)
        chosen = self.choose(dtype)
        plans = self.find()
        if chosen is None or len(plans) > _SIZE:
            return
        op, params = chosen
        shapes = tuple(a.shape for a in avals)
        shape = broadcast_shape(shapes)
        if config.jax_numpy_rank_promotion != "allow":
            check_ranks(self.name, shapes)
            return
        whole = aval(shape, dtype, weak)
        out = op.type(*[whole] * len(avals), **params)
        dtypes = tuple(None if a.dtype == dtype else dtype for a in avals)
        plans[keys if len(keys) > 1 else keys[0]] = Plan(out, _reference(op, params), dtypes)


def _reference(op: Op, params: dict) -> Callable:
    if op.name == "compare":
        return _COMPARISONS[params["comparison_direction"]]
    return functools.partial(op.ref, **params) if params else op.ref


def eager_binary(plans: Plans, otherwise: Callable) -> Callable:
    """`f(x1, x2)` which takes the short way where it can and else calls `otherwise`."""

    def function(x1: Any, x2: Any, /) -> Any:
        if STATE.staged is not None:
            return otherwise(x1, x2)
        found = (
            plans.current if Config._shared_key is plans.key and not config._overrides else plans.find()
        )
        kind1, kind2 = type(x1), type(x2)
        if kind1 is Array:
            if x1._device is not None:
                return otherwise(x1, x2)
            a = x1._value
            if a is None:
                a = x1.numpy()
            if kind2 is Array:
                plan = found.get((x1.aval, x2.aval))
                if plan is None or x2._device is not None:
                    return _first(plans, otherwise, x1, x2)
                b = x2._value
                if b is None:
                    b = x2.numpy()
            elif kind2 in _PYTHON:
                plan = found.get((x1.aval, kind2))
                if plan is None:
                    return _first(plans, otherwise, x1, x2)
                b = plan.scalars.get(x2)
                if b is None or (x2 == 0 and kind2 is not int):
                    b = plan.scalar(x2, plan.dtypes[1] or plan_dtype(plan, x1))
                if plan.dtypes[0] is not None:
                    a = STATE.run(_CONVERT, a, plan.dtypes[0])
                y = STATE.run(plan.ref, a, b)
                return Array(plan.out, y if type(y) is np.ndarray else np.asarray(y))
            else:
                return otherwise(x1, x2)
        elif kind2 is Array and kind1 in _PYTHON:
            plan = found.get((kind1, x2.aval))
            if plan is None or x2._device is not None:
                return _first(plans, otherwise, x1, x2)
            b = x2.numpy()
            a = plan.scalars.get(x1)
            if a is None or (x1 == 0 and kind1 is not int):
                a = plan.scalar(x1, plan.dtypes[0] or plan_dtype(plan, x2))
            if plan.dtypes[1] is not None:
                b = STATE.run(_CONVERT, b, plan.dtypes[1])
            y = STATE.run(plan.ref, a, b)
            return Array(plan.out, y if type(y) is np.ndarray else np.asarray(y))
        else:
            return otherwise(x1, x2)
        y = plan.run(a, b) if plan.converts else STATE.run(plan.ref, a, b)
        return Array(plan.out, y if type(y) is np.ndarray else np.asarray(y))

    return function


_PYTHON = frozenset((bool, int, float, complex))


def plan_dtype(plan: Plan, x: Array) -> np.dtype:
    """The dtype in which the operands meet, when the Python scalar need not be converted: the array's target."""
    return next((d for d in plan.dtypes if d is not None), x.aval.dtype)


def _first(plans: Plans, otherwise: Callable, *operands: Any) -> Any:
    made = otherwise(*operands)
    if type(made) is Array and all(type(x) in _PYTHON or type(x) is Array for x in operands):
        plans.make(*operands)
    return made


def eager_unary(plans: Plans, otherwise: Callable) -> Callable:
    """`f(x)` which takes the short way where it can and else calls `otherwise`."""

    def function(x: Any, /) -> Any:
        if type(x) is not Array or STATE.staged is not None or x._device is not None:
            return otherwise(x)
        found = (
            plans.current if Config._shared_key is plans.key and not config._overrides else plans.find()
        )
        plan = found.get(x.aval)
        if plan is None:
            return _first(plans, otherwise, x)
        a = x._value
        if a is None:
            a = x.numpy()
        y = plan.run(a) if plan.converts else STATE.run(plan.ref, a)
        return Array(plan.out, y if type(y) is np.ndarray else np.asarray(y))

    return function
