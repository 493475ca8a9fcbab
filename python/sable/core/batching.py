"""A function of one example, traced, as a function of many: what `vmap` and `lax.map` do once axes are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable import passes
from sable.dialects.ops.rules import expand
from sable.ir.aval import Aval
from sable.pytree import arrays
from sable.pytree.registry import flatten_axes

from . import key_reuse
from .array import Value
from .bind import BIND
from .extended import seen_avals
from .float0 import is_float0
from .references import AbstractRef, present
from .tracing import Traced, argument_names, function_name, trace_flat
from .values import retype


def move_axis(x: Value, source: int, target: int) -> Value:
    """x with one axis moved to another place (both non-negative)."""
    if source == target:
        return x
    order = [d for d in range(x.ndim) if d != source]
    order.insert(target, source)
    return BIND.transpose(x, permutation=tuple(order))


class DiffersAlongAxis(ValueError):
    """A result differs between examples where `out_axes` says that it is the same for all."""


def axis_key(name: Any) -> str:
    """The name of an axis as programs write it."""
    return name if isinstance(name, str) else repr(name)


def batched_call(
    fun: Callable,
    values: list,
    tree: Any,
    axes: list,
    size: int,
    axis_name: str | None = None,
    out_axes: Any = 0,
) -> Any:
    """`fun` of every example.

    Args:
      fun: function of one example.
      values: the leaves of its arguments.
      tree: of (args, kwargs), down to arrays.
      axes: for each leaf the mapped axis, counted from the front, or None.
      size: number of examples.
      axis_name: what collectives in `fun` call the axis, as `axis_key` writes it.
      out_axes: where the mapped axis is in the results: an int, None, or a pytree of these.

    Raises:
      ValueError: `out_axes` does not fit.
    """
    mapped = [i for i, a in enumerate(axes) if a is not None]
    kinds = [values[i].aval for i in mapped]
    moved = [move_axis(x, axes[i], 0) for i, x in zip(mapped, present([values[i] for i in mapped]))]

    def call(tracers: list) -> Any:
        leaves = list(values)  # unmapped arguments stay as they are: concrete ones have a truth value
        for i, t in zip(mapped, tracers):
            leaves[i] = t
        args, kwargs = tree.unflatten(leaves)
        result = fun(*args, **kwargs)
        found, structure = arrays.flatten(result)
        if any(is_float0(x) for x in found):
            found = [np.zeros((size, *x.shape), x.dtype) if is_float0(x) else x for x in found]
            result = structure.unflatten(found)
        returned[:] = [None if isinstance(x, Value) else x for x in found if not is_float0(x)]
        return result

    returned: list[Any] = []

    traced = trace_flat(
        call,
        [_of_one(x.aval, kind) for x, kind in zip(moved, kinds)],
        fun=fun,
        kind="vmap",
        staged=False,
        names=lambda: [argument_names(fun, *tree.unflatten(values))[i] for i in mapped],
        axis=None if axis_name is None else (axis_name, size),
        references=True,
    )
    key_reuse.call(traced.function, [values[i] for i in mapped], function_name(fun))
    marks = [True] * len(mapped) + [False] * len(traced.captures)
    outs, on = passes.batch(traced.function, [*moved, *traced.captures], marks, size, BIND, axis_name)
    outs = _settled(traced, outs, on, size, [(values[i], axes[i]) for i in mapped])
    out_marks = flatten_axes("vmap out_axes", traced.out_tree, out_axes)
    ranks = [a.ndim + 1 for a in seen_avals(traced.out_tree, traced.out_avals)]
    results = [
        retype(_place(x, m, axis, size, rank, fun, axis_name), a.weak_type)
        for x, m, axis, rank, a in zip(outs, on, out_marks, ranks, traced.out_avals)
    ]
    key_reuse.returned(traced.function, results)
    # what was no array, and is the same for all examples, stays as it is
    results = [y if axis is not None or r is None else r for y, axis, r in zip(results, out_marks, returned)]
    return traced.out_tree.unflatten(results)


def _of_one(a: Aval, kind: Aval | AbstractRef) -> Aval | AbstractRef:
    """The type of one example, of arrays or a reference to them."""
    one = a.update(shape=a.shape[1:])
    return AbstractRef(one) if isinstance(kind, AbstractRef) else one


def _settled(traced: Traced, outs: Sequence[Value], on: Sequence[bool], size: int, given: list) -> Sequence[Value]:
    """The results, after what the examples write to references has been written.

    Args:
      given: the mapped arguments with their axes.

    Raises:
      Exception: each example writes something else to a reference that is the same for all.
    """
    n = len(outs) - len(traced.written)
    for place, x, mapped in zip(traced.written, outs[n:], on[n:]):
        if isinstance(place, int):
            ref, axis = given[place]
            ref.write(move_axis(x if mapped else expand(BIND, x, size), 0, axis))
        elif mapped:
            raise Exception(
                "performing a set/swap operation with vmapped value on an unbatched array reference of type "
                f"{place.aval}. Move the array reference to be an argument to the vmapped function?"
            )
        else:
            place.write(x)
    return outs[:n]


def _place(
    x: Value, mapped: bool, axis: int | None, size: int, rank: int, fun: Callable, axis_name: str | None
) -> Value:
    """Put the batch axis where out_axes wants it, among `rank` dimensions."""
    if axis is None:
        if mapped:
            raise DiffersAlongAxis(
                f"vmap has mapped output (axis 0 of {x.aval.short()}{f', axis_name={axis_name}' if axis_name else ''}) but "
                f"out_axes is None: at vmap out_axes, the result of {function_name(fun)} differs between examples"
            )
        return x
    if not mapped:
        x = expand(BIND, x, size)
    if not -rank <= axis < rank:
        raise ValueError(
            f"axis {axis} is out of bounds for array of dimension {rank}: out_axes of the vmapped function "
            f"{function_name(fun)}"
        )
    return move_axis(x, 0, axis % rank)
