"""cond, switch, platform_dependent: branches of which one is run."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable._config import config
from sable.core import key_reuse
from sable.core.array import Value
from sable.core.bind import BIND, bind
from sable.core.boundary import boundary
from sable.core.placement import default_device
from sable.core.references import Ref, present
from sable.core.state import STATE
from sable.core.trace import Tracer
from sable.core.values import as_value, is_array_like
from sable.dialects.ops.platform import place_of
from sable.ir.op import OPS
from sable.pytree import arrays
from sable.tree_util import tree_flatten

from .control_bodies import (
    captures_first,
    carrying,
    check_branches,
    equal_outputs,
    selected,
    trace_body,
    union,
    with_known,
    write_back,
    written_by,
)

#: Stands for an operand that is not given: None is one.
_NOTHING = object()


def _concrete(x: Any) -> bool:
    return not isinstance(as_value(x), Tracer)


@boundary
def cond(
    pred: Any,
    true_fun: Callable,
    false_fun: Callable,
    *operands: Any,
    operand: Any = _NOTHING,
) -> Any:
    """`true_fun(*operands) if pred else false_fun(*operands)`, both branches traced, one of them run.

    Args:
      pred: a boolean (or numeric) scalar.
      true_fun, false_fun: functions of the operands which return the same structure, shapes and dtypes.
      operands: pytrees of arrays.
      operand: the one operand, if it is given by name.

    Raises:
      TypeError: the predicate is no scalar; the branches disagree (names the component); operands in both ways.

    Example:
      >>> lax.cond(True, lambda x: x + 1, lambda x: x - 1, 3)
      Array(4, dtype=int32, weak_type=True)
      >>> lax.cond(True, lambda x: x + 1, lambda x: 0.5, 3)
      Traceback (most recent call last):
          ...
      TypeError: cond branches must have equal output types but they differ....
    """
    if not (callable(true_fun) and callable(false_fun)):
        raise TypeError("lax.cond: true_fun and false_fun arguments should be callable.")
    operands = _with_named(operands, operand)
    if pred is None:
        raise TypeError("cond predicate is None")
    if callable(pred):
        raise TypeError(f"Pred type must be either boolean or number, got {pred}.")
    if not is_array_like(pred):
        raise TypeError(f"Pred must be a scalar, got {pred} of type {type(pred)}")
    value = as_value(pred)
    if value.aval.shape:
        raise TypeError(f"Pred must be a scalar, got {pred} of shape {value.aval.shape}.")
    if value.aval.dtype.kind not in "biufV":
        raise TypeError(f"Pred type must be either boolean or number, got {value.aval.dtype.name}.")
    if config.jax_disable_jit and _concrete(value):
        return true_fun(*operands) if bool(value) else false_fun(*operands)
    if value.aval.dtype != np.bool_:
        value = BIND.compare(value, BIND.full(value.aval, 0), comparison_direction="NE")
    index = BIND.convert(value, dtype=np.dtype(np.int32))
    return _branches("cond", index, [false_fun, true_fun], ["false_fun", "true_fun"], operands)


@boundary
def switch(index: Any, branches: Sequence[Callable], *operands: Any, operand: Any = _NOTHING) -> Any:
    """`branches[index](*operands)`, the index being clamped to the branches that there are.

    Args:
      index: an integer scalar.
      branches: functions of the operands which return the same structure, shapes and dtypes.
      operands: pytrees of arrays.
      operand: the one operand, if it is given by name.

    Raises:
      TypeError, ValueError: the index is no integer scalar; no branches; the branches disagree.

    Example:
      >>> lax.switch(7, [lambda x: x + 1, lambda x: x - 1], 3)
      Array(2, dtype=int32, weak_type=True)
    """
    if not all(callable(b) for b in branches):
        raise TypeError("lax.switch: branches argument should be a sequence of callables.")
    operands = _with_named(operands, operand)
    if isinstance(index, (tuple, list)):
        raise TypeError(f"Branch index must be scalar, got {index} of shape {np.shape(index)}.")
    if not is_array_like(index):
        raise TypeError(f"Index type must be an integer, got {index}.")
    value = as_value(index)
    if value.aval.shape:
        raise TypeError(f"Branch index must be scalar, got {index} of shape {value.aval.shape}.")
    if value.aval.dtype.kind not in "iu":
        raise TypeError(f"Index type must be an integer, got {value.aval.dtype.name}.")
    branches = list(branches)
    if not branches:
        raise ValueError("Empty branch sequence")
    if len(branches) == 1:
        return branches[0](*operands)
    value = BIND.convert(value, dtype=np.dtype(np.int32))
    zero, last = (BIND.full(value.aval, k) for k in (0, len(branches) - 1))
    value = BIND.clamp(zero, value, last)
    return _branches(
        "switch", value, branches, ["branch 0", *[f"branch{k}" for k in range(1, len(branches))]], operands
    )


def _with_named(operands: tuple, operand: Any) -> tuple:
    if operand is _NOTHING:
        return operands
    if operands:
        raise TypeError(f"operands are given by position, {operands}, or one by name, operand={operand}, but not both")
    return (operand,)


def _branches(what: str, index: Value, functions: Sequence[Callable], names: Sequence[str], operands: Any) -> Any:
    functions, operands = _closing_over_refs(functions, operands)
    leaves, tree = arrays.flatten(operands)
    values = [as_value(x) for x in leaves]
    avals = [x.aval for x in values]
    traced = [trace_body(f, tree, avals, what) for f in functions]
    check_branches(what, traced, names)
    key_reuse.branches([t.function for t in traced], values, what)
    refs = written_by(*traced)
    traced, values = [carrying(t, refs, len(values)) for t in traced], [*present(refs), *values]
    captures = union(*[t.captures for t in traced])
    made = equal_outputs([captures_first(t, captures, len(values)) for t in traced])
    values = [*captures, *values]
    # what every branch hands on does not depend on the index
    places = [{v: k for k, v in enumerate(f.arguments)} for f in made]
    handed = [{place.get(v, -1) for place, v in zip(places, outs)} for outs in zip(*[f.outputs for f in made])]
    known = {k: values[min(found)] for k, found in enumerate(handed) if len(found) == 1 and min(found) >= 0}
    avals = made[0].out_avals
    if known:
        kept = [k for k in range(len(avals)) if k not in known]
        made = [selected(f, range(len(values)), kept) for f in made]
    out = bind(OPS["case"], index, *values, branches=tuple(made))
    return traced[0].out_tree.unflatten(write_back(refs, with_known(out, known, avals)))


def _closing_over_refs(functions: Sequence[Callable], operands: Any) -> tuple[Sequence[Callable], Any]:
    """Functions of what is no reference between the operands, and that."""
    leaves, tree = tree_flatten(operands)
    if not any(type(x) is Ref for x in leaves):
        return functions, operands

    def closing(fun: Callable) -> Callable:
        def closed(*others: Any) -> Any:
            rest = iter(others)
            return fun(*tree.unflatten([x if type(x) is Ref else next(rest) for x in leaves]))

        return functools.update_wrapper(closed, fun)

    return [closing(f) for f in functions], [x for x in leaves if type(x) is not Ref]


def platform_dependent(*args: Any, default: Callable | None = None, **per_platform: Callable) -> Any:
    """What the function of the platform gives for which the program is compiled.

    Args:
      args: pytrees of arrays.
      default: for platforms that are not named.
      per_platform: a function for each platform: 'cpu', 'vulkan', 'cuda' ...; in programs all are traced, and agree in
        what they return.

    Raises:
      NotImplementedError: the platform is not named and there is no default.
      TypeError: a branch is no function; they disagree.
      ValueError: a platform called 'gpu'.

    Example:
      >>> lax.platform_dependent(3.0, cpu=lambda x: 2 * x, default=lambda x: x)
      6.0
    """
    for name, branch in {**per_platform, "default": default}.items():
        if not (callable(branch) or (name == "default" and branch is None)):
            raise TypeError(f"lax.platform_dependent: the '{name}' branch must be a callable.")
        if name == "gpu":
            raise ValueError("Use 'cuda' or 'rocm' for lax.platform_dependent.")
    platforms, branches = tuple(per_platform), list(per_platform.values())
    if default is not None:
        platforms, branches = (*platforms, ""), [*branches, default]
    if STATE.staged is None:
        return branches[place_of(default_device().platform, platforms)](*args)
    return switch(BIND.platform_index(platforms=platforms), branches, *args)


__all__ = ["cond", "platform_dependent", "switch"]
