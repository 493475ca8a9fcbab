"""The short way for eager arrays: an elementwise op on arrays on the CPU is one call of its NumPy meaning.

Which dtype the operands meet in, the result's type and the NumPy function to call are looked up by the operands'
abstract values (a *plan*); only the first call with new ones goes the general way.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from sable._config import config
from sable.core.array import Array
from sable.core.dtypes import python_scalar_dtype
from sable.core.operands import broadcast_shape, promoted_type
from sable.core.state import STATE
from sable.ir.aval import Aval, aval
from sable.ir.op import OPS, Op

_CONVERT = OPS["convert"].ref
_COMPARISONS = {
    "EQ": np.equal,
    "NE": np.not_equal,
    "LT": np.less,
    "LE": np.less_equal,
    "GT": np.greater,
    "GE": np.greater_equal,
}
_PYTHON = frozenset((bool, int, float, complex))

#: plans that a function keeps for one configuration, and scalars that a plan keeps, at most
_SIZE = 8192

#: what a function does with operands of a dtype: an op and its parameters, or None if it takes several ops
Choice = Callable[[np.dtype], "tuple[Op, dict] | None"]


class Plan:
    """What to do with operands of given abstract values.

    Attributes:
      out: the result's abstract value.
      ref: the NumPy function, parameters filled in.
      meet: the dtype in which the operands meet.
      dtypes: for each operand the dtype to convert it to, or None (scalars come converted); None where there is none.
      scalars: Python scalar -> 0-d array of the dtype `meet`; zeros that have a sign are found by their text.
    """

    __slots__ = ("dtypes", "meet", "out", "ref", "scalars")

    def __init__(self, out: Aval, ref: Callable, meet: np.dtype, dtypes: tuple):
        self.out = out
        self.ref = ref
        self.meet = meet
        self.dtypes = dtypes if any(d is not None for d in dtypes) else None
        self.scalars: dict[Any, np.ndarray] = {}

    def scalar(self, x: Any) -> np.ndarray:
        """A Python scalar as an array of the dtype `meet`.

        Raises:
          OverflowError: an int that its own dtype cannot hold.
        """
        key = repr(x) if x == 0 and type(x) is not int else x  # 0.0 == -0.0
        found = self.scalars.get(key)
        if found is None:
            own = python_scalar_dtype(type(x), x)
            found = np.asarray(STATE.run(_CONVERT, np.asarray(x, own), self.meet))
            if len(self.scalars) < _SIZE:
                self.scalars[key] = found
        return found

    def converted(self, arrays: tuple[np.ndarray, ...]) -> list[np.ndarray]:
        """Operands in the dtype in which they meet."""
        return [x if d is None else STATE.run(_CONVERT, x, d) for x, d in zip(arrays, self.dtypes)]


class Plans:
    """A function's plans, by the operands' abstract values (types, for Python scalars).

    Attributes:
      current: the configuration of the last call, and the plans that hold under it.
    """

    __slots__ = ("by_key", "choose", "current", "rule")

    def __init__(self, rule: str, choose: Choice):
        self.rule = rule
        self.choose = choose
        self.current: tuple[Any, dict[Any, Plan]] = (None, {})
        self.by_key: dict[tuple, dict[Any, Plan]] = {}

    def find(self) -> dict[Any, Plan]:
        """The plans of the present configuration; none where each op has to go the general way."""
        key = config.eager_key
        if key is None:
            return {}
        found = self.by_key.setdefault(key, {})
        self.current = (key, found)
        return found

    def first(self, otherwise: Callable, *operands: Any) -> Any:
        """A first call goes the general way; if that does well, the next one finds a plan."""
        made = otherwise(*operands)
        if type(made) is Array and all(type(x) is Array or type(x) in _PYTHON for x in operands):
            self._make(operands)
        return made

    def _make(self, operands: tuple) -> None:
        if config.eager_key is None:
            return
        keys = tuple(x.aval if type(x) is Array else type(x) for x in operands)
        avals = tuple(k if isinstance(k, Aval) else _scalar_aval(k) for k in keys)
        dtype, weak = promoted_type(avals, self.rule)
        chosen = self.choose(dtype)
        plans = self.find()
        if chosen is None or len(plans) > _SIZE:
            return
        op, params = chosen
        whole = aval(broadcast_shape(tuple(a.shape for a in avals)), dtype, weak)
        dtypes = tuple(dtype if isinstance(k, Aval) and k.dtype != dtype else None for k in keys)
        out = op.type(*[whole] * len(avals), **params)
        plans[tuple(keys) if len(keys) != 1 else next(iter(keys))] = Plan(out, _reference(op, params), dtype, dtypes)


def _scalar_aval(python_type: type) -> Aval:
    return aval((), python_scalar_dtype(python_type), python_type is not bool)


def _reference(op: Op, params: dict) -> Callable:
    if op.name == "compare":
        return _COMPARISONS[params["comparison_direction"]]
    return functools.partial(op.ref, **params) if params else op.ref


def eager_binary(plans: Plans, otherwise: Callable) -> Callable:
    """`f(x1, x2)` which takes the short way where it can, and else calls `otherwise`."""
    ndarray, asarray = np.ndarray, np.asarray

    def function(x1: Any, x2: Any, /) -> Any:
        if STATE.staged is not None:
            return otherwise(x1, x2)
        key, found = plans.current
        if key is None or key is not config.eager_key:
            found = plans.find()
        kind1, kind2 = type(x1), type(x2)
        plan = found.get((x1.aval if kind1 is Array else kind1, x2.aval if kind2 is Array else kind2))
        if plan is None:
            return plans.first(otherwise, x1, x2)
        if kind1 is Array:
            if x1._device is not None or x1.committed:
                return otherwise(x1, x2)
            a = x1._value
            if a is None:
                a = x1.numpy()
        else:
            a = plan.scalars.get(x1)
            if a is None:
                a = plan.scalar(x1)
        if kind2 is Array:
            if x2._device is not None or x2.committed:
                return otherwise(x1, x2)
            b = x2._value
            if b is None:
                b = x2.numpy()
        else:
            b = plan.scalars.get(x2)
            if b is None:
                b = plan.scalar(x2)
        if plan.dtypes is not None:
            a, b = plan.converted((a, b))
        y = STATE.run(plan.ref, a, b)
        return Array(plan.out, y if type(y) is ndarray else asarray(y))

    return function


def eager_unary(plans: Plans, otherwise: Callable) -> Callable:
    """`f(x)` which takes the short way where it can, and else calls `otherwise`."""

    def function(x: Any, /) -> Any:
        if type(x) is not Array or STATE.staged is not None or x._device is not None or x.committed:
            return otherwise(x)
        key, found = plans.current
        if key is None or key is not config.eager_key:
            found = plans.find()
        plan = found.get(x.aval)
        if plan is None:
            return plans.first(otherwise, x)
        a = x._value
        if a is None:
            a = x.numpy()
        if plan.dtypes is not None:
            (a,) = plan.converted((a,))
        y = STATE.run(plan.ref, a)
        return Array(plan.out, y if type(y) is np.ndarray else np.asarray(y))

    return function
