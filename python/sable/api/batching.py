"""vmap: a function of one example to a function of many."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from sable import passes
from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.boundary import boundary
from sable.core.tracing import argument_names, function_name, trace_flat
from sable.core.values import as_value, is_array_like, retype
from sable.dialects.ops.rules import expand
from sable.pytree.registry import flatten_axes
from sable.tree_util import tree_flatten, tree_leaves, tree_map, tree_unflatten


def move_axis(x: Value, source: int, target: int) -> Value:
    """x with one axis moved to another place (both non-negative)."""
    if source == target:
        return x
    order = [d for d in range(x.ndim) if d != source]
    order.insert(target, source)
    return BIND.transpose(x, permutation=tuple(order))


def axis_key(name: Any) -> str:
    """The name of an axis as programs write it."""
    return name if isinstance(name, str) else repr(name)


def vmap(
    fun: Callable,
    in_axes: Any = 0,
    out_axes: Any = 0,
    axis_name: Any = None,
    axis_size: int | None = None,
    spmd_axis_name: Any = None,
    sum_match: bool = False,
) -> Callable:
    """A function that applies `fun` to every example along an axis of its arguments.

    Args:
      fun: function of one example.
      in_axes: the mapped axis of each argument: an int (negative counts from the end), None for arguments that are the
        same for all, or a tuple of these or of pytrees of these, one for each positional argument. Keyword arguments
        are mapped along axis 0.
      out_axes: where the mapped axis is in the results, likewise.
      axis_name: a name for the axis, for `lax.psum` and its kin in `fun`.
      axis_size: number of examples, needed where no argument is mapped.

    Returns:
      The batched function.

    Raises:
      ValueError: sizes disagree, an axis is out of range, in_axes does not match; names the argument.

    Example:
      >>> import sable as jax, sable.numpy as jnp
      >>> jax.vmap(lambda a, b: a + b, in_axes=(0, None))(jnp.arange(3), 10)
      Array([10, 11, 12], dtype=int32)
    """
    if not callable(fun):
        raise TypeError(f"Expected a callable value, got {fun}")
    if isinstance(in_axes, list):
        in_axes = tuple(in_axes)
    if not (in_axes is None or isinstance(in_axes, (int, tuple, dict))):
        raise TypeError(
            "vmap in_axes must be an int, None, or a tuple of entries corresponding to the positional arguments passed to "
            f"the function, but got {in_axes}."
        )
    if not all(isinstance(leaf, int) for leaf in tree_leaves(in_axes)):
        raise TypeError(
            f"vmap in_axes must be an int, None, or (nested) container with those types as leaves, but got {in_axes}."
        )
    if not all(isinstance(leaf, int) for leaf in tree_leaves(out_axes)):
        raise TypeError(
            f"vmap out_axes must be an int, None, or (nested) container with those types as leaves, but got {out_axes}."
        )

    @boundary
    @functools.wraps(fun)
    def batched(*args: Any, **kwargs: Any) -> Any:
        if isinstance(in_axes, tuple) and len(in_axes) != len(args):
            raise ValueError(
                "vmap in_axes must be an int, None, or a tuple of entries corresponding to the positional arguments passed "
                f"to the function, but got len(in_axes)={len(in_axes)}, len(args)={len(args)}"
            )
        leaves, tree = tree_flatten((args, kwargs))
        values = [_as_input(x, fun, args, kwargs, i) for i, x in enumerate(leaves)]
        axes = flatten_axes("vmap in_axes", tree, (in_axes, 0), kws=True)
        axes = [_normal(a, x, fun, args, kwargs, i) for i, (a, x) in enumerate(zip(axes, values))]
        size = _mapped_size(axes, values, axis_size, fun, args, kwargs)
        name = None if axis_name is None else axis_key(axis_name)
        return _batched_call(fun, values, tree, axes, size, name, out_axes, args, kwargs)

    batched.__name__ = f"vmap({function_name(fun)})"
    return batched


def _as_input(x: Any, fun: Callable, args: Any, kwargs: Any, i: int) -> Value:
    if not is_array_like(x):
        raise TypeError(
            f"Argument '{x}' of type {type(x)} is not a valid JAX type: vmap of {function_name(fun)} got it for the "
            f"argument {argument_names(fun, args, kwargs)[i]}."
        )
    return as_value(x)


def _normal(axis: int | None, x: Value, fun: Callable, args: Any, kwargs: Any, i: int) -> int | None:
    """The axis counted from the front."""
    if axis is None:
        return None
    if x.ndim == 0:
        raise ValueError(
            "vmap was requested to map its argument along axis "
            f"{axis}, which implies that its rank should be at least {axis + 1 if axis >= 0 else -axis}, but is only 0 "
            f"(its shape is ()): the argument {argument_names(fun, args, kwargs)[i]} of {function_name(fun)}."
        )
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(
            f"vmap was requested to map its argument along axis {axis}, which implies that its rank should be at least "
            f"{axis + 1 if axis >= 0 else -axis}, but is only {x.ndim} (its shape is {x.shape}): the argument "
            f"{argument_names(fun, args, kwargs)[i]} of {function_name(fun)}."
        )
    return axis % x.ndim


def _mapped_size(
    axes: Sequence, values: Sequence[Value], given: int | None, fun: Callable, args: Any, kwargs: Any
) -> int:
    sizes = {x.shape[a] for a, x in zip(axes, values) if a is not None}
    if given is not None:
        sizes.add(given)
    if len(sizes) == 1:
        return sizes.pop()
    if not sizes:
        raise ValueError("vmap must have at least one non-None value in in_axes, or axis_size")
    names = argument_names(fun, args, kwargs)
    lines = [
        f"  * the argument {n} of type {x.aval.short()} has size {x.shape[a]} along axis {a}"
        for n, a, x in zip(names, axes, values)
        if a is not None
    ]
    wanted = f"; axis_size is {given}" if given is not None else ""
    raise ValueError(
        f"vmap got inconsistent sizes for array axes to be mapped of {function_name(fun)}{wanted}:\n" + "\n".join(lines)
    )


def _batched_call(
    fun: Callable,
    values: list,
    tree: Any,
    axes: list,
    size: int,
    axis_name: Any,
    out_axes: Any,
    args: Any,
    kwargs: Any,
) -> Any:
    mapped = [i for i, a in enumerate(axes) if a is not None]
    moved = [move_axis(values[i], axes[i], 0) for i in mapped]

    def call(tracers: list) -> Any:
        leaves = list(values)  # unmapped arguments stay as they are: concrete ones have a truth value
        for i, t in zip(mapped, tracers):
            leaves[i] = t
        args, kwargs = tree_unflatten(tree, leaves)
        return fun(*args, **kwargs)

    traced = trace_flat(
        call,
        [x.aval.update(shape=x.aval.shape[1:]) for x in moved],
        fun=fun,
        kind="vmap",
        staged=False,
        names=lambda: [argument_names(fun, args, kwargs)[i] for i in mapped],
        axis=None if axis_name is None else (axis_name, size),
    )
    marks = [True] * len(mapped) + [False] * len(traced.captures)
    outs, on = passes.batch(traced.function, [*moved, *traced.captures], marks, size, BIND, axis_name)
    out_marks = flatten_axes("vmap out_axes", traced.out_tree, out_axes)
    results = [
        retype(_place(x, m, axis, size, fun), a.weak_type)
        for x, m, axis, a in zip(outs, on, out_marks, traced.out_avals)
    ]
    return tree_unflatten(traced.out_tree, results)


def _place(x: Value, mapped: bool, axis: int | None, size: int, fun: Callable) -> Value:
    """Put the batch axis where out_axes wants it."""
    if axis is None:
        if mapped:
            raise ValueError(
                f"vmap has mapped output (axis 0 of {x.aval.short()}) but out_axes is None: the result of "
                f"{function_name(fun)} differs between examples"
            )
        return x
    if not mapped:
        x = expand(BIND, x, size)
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(
            f"axis {axis} is out of bounds for array of dimension {x.ndim}: out_axes of the vmapped function "
            f"{function_name(fun)}"
        )
    return move_axis(x, 0, axis % x.ndim)


__all__ = ["move_axis", "tree_map", "vmap"]
