"""vmap: a function of one example to a function of many."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from sable.core.batching import axis_key, batched_call
from sable.core.boundary import boundary
from sable.core.extended import seen_avals
from sable.core.references import Ref
from sable.core.tracing import argument_names, function_name
from sable.core.values import as_value, is_array_like
from sable.pytree import arrays
from sable.pytree.registry import flatten_axes
from sable.tree_util import tree_leaves


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
      spmd_axis_name, sum_match: without effect.

    Returns:
      The batched function.

    Raises:
      ValueError: sizes disagree, an axis is out of range, in_axes does not match; names the argument.

    Example:
      >>> jax.vmap(lambda a, b: a + b, in_axes=(0, None))(jnp.arange(3), 10)
      Array([10, 11, 12], dtype=int32)
      >>> jax.vmap(lambda x: x)(jnp.float32(1))
      Traceback (most recent call last):
          ...
      ValueError: vmap was requested to map its argument along axis 0, which implies that its rank should ...
    """
    if not callable(fun):
        raise TypeError(f"Expected a callable value, got {fun}")
    if isinstance(in_axes, list):
        in_axes = tuple(in_axes)
    if not (in_axes is None or _is_axis(in_axes) or isinstance(in_axes, tuple)):
        raise TypeError(
            "vmap in_axes must be an int, None, or a tuple of entries corresponding to the positional arguments passed to "
            f"the function, but got {in_axes}."
        )
    if not all(_is_axis(leaf) for leaf in tree_leaves(in_axes)):
        raise TypeError(
            f"vmap in_axes must be an int, None, or (nested) container with those types as leaves, but got {in_axes}."
        )
    if not all(_is_axis(leaf) for leaf in tree_leaves(out_axes)):
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
        leaves, tree = arrays.flatten_call(args, kwargs)
        axes = flatten_axes("vmap in_axes", tree, (in_axes, 0), kws=True)
        values = [_as_input(x, a, fun, args, kwargs, i) for i, (a, x) in enumerate(zip(axes, leaves))]
        avals = seen_avals(tree, [getattr(x, "aval", None) for x in values])
        axes = [_normal(a, x, fun, args, kwargs, i) for i, (a, x) in enumerate(zip(axes, avals))]
        size = _mapped_size(axes, avals, axis_size, fun, args, kwargs)
        name = None if axis_name is None else axis_key(axis_name)
        return batched_call(fun, values, tree, axes, size, name, out_axes)

    if batched.__doc__:
        name = function_name(fun)
        batched.__doc__ = (
            f"Vectorized version of {name}. Takes similar arguments as {name} but with additional array axes over which {name} "
            f"is mapped.\n\nOriginal documentation:\n\n{batched.__doc__}"
        )
    return batched


def _is_axis(x: Any) -> bool:
    return isinstance(x, int) and not isinstance(x, bool)


def _as_input(x: Any, axis: int | None, fun: Callable, args: Any, kwargs: Any, i: int) -> Any:
    """x as a value, or a reference; what is no array may stay as it is where it is the same for all examples."""
    if type(x) is Ref:
        return x
    if not is_array_like(x):
        if axis is None:
            return x
        raise TypeError(
            f"Argument '{x}' of type {type(x)} is not a valid JAX type: vmap of {function_name(fun)} got it for the "
            f"argument {argument_names(fun, args, kwargs)[i]}."
        )
    return as_value(x)


def _normal(axis: int | None, x: Any, fun: Callable, args: Any, kwargs: Any, i: int) -> int | None:
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


def _mapped_size(axes: Sequence, avals: Sequence[Any], given: int | None, fun: Callable, args: Any, kwargs: Any) -> int:
    sizes = {x.shape[a] for a, x in zip(axes, avals) if a is not None}
    if given is not None:
        sizes.add(given)
    if len(sizes) == 1:
        return sizes.pop()
    if not avals:
        raise ValueError(
            "vmap wrapped function must be passed at least one argument containing an array or axis_size must be specified, "
            f"got empty *args={args} and **kwargs={kwargs}"
        )
    if not sizes:
        raise ValueError("vmap must have at least one non-None value in in_axes or axis_size must be specified")
    by_name = argument_names(lambda **_: None, (kwargs,))  # kwargs['y']
    names = [f"argument {name}" for name in argument_names(fun, args)] + [
        f"kwargs{n.removeprefix('args[0]')}" for n in by_name
    ]
    raise ValueError(_sizes_differ(axes, avals, given, names))


def _sizes_differ(axes: Sequence, avals: Sequence[Any], given: int | None, names: Sequence[str]) -> str:
    """The message: the sizes, the most frequent one first, each with an argument that has it."""
    by_size: dict[int, list[str]] = {}
    for name, axis, x in zip(names, axes, avals):
        if axis is not None:
            text = f"axis {axis} of {name} of type {x.short()}"
            by_size.setdefault(x.shape[axis], []).append(text)
    lines = [] if given is None else [f"the `axis_size` argument was {given}"]
    for size, found in sorted(by_size.items(), key=lambda item: -len(item[1])):
        if len(found) == 1:
            lines.append(f"one axis had size {size}: {found[0]}")
        else:
            which = "most" if size == max(by_size, key=lambda n: len(by_size[n])) else "some"
            lines.append(f"{which} axes ({len(found)} of them) had size {size}, e.g. {found[0]}")
    return "vmap got inconsistent sizes for array axes to be mapped:\n" + ";\n".join(f"  * {line}" for line in lines)
