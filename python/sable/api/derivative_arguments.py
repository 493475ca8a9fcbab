"""What derivatives ask of their arguments: which, of what dtypes, with what tangents; and what of the results."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.dtypes import is_extended
from sable.core.extended import seen_avals
from sable.core.tracing import _positional_names, function_name
from sable.core.values import as_value
from sable.ir.aval import Aval, float0
from sable.pytree import arrays
from sable.tree_util import keystr, tree_flatten, tree_flatten_with_path


def is_inexact(a: Aval) -> bool:
    return a.dtype.kind in "fcV" and a.dtype != float0


def check_callable(fun: Any) -> None:
    if not callable(fun):
        raise TypeError(f"Expected a callable value, got {fun}")


def check_argnums(fun: Callable, argnums: Any, args: Sequence[Any], missing: type[Exception] = TypeError) -> list[int]:
    """Positions of the chosen arguments.

    Raises:
      TypeError: no integers.
      ValueError: a negative position before the first argument.
      missing: a position behind the last one.
    """
    chosen = [argnums] if isinstance(argnums, int) else list(argnums)
    for i in chosen:
        if not isinstance(i, (int, np.integer)):
            raise TypeError(f"argnums must be an int or a sequence of ints, got {argnums!r}")
        if not -len(args) <= i < len(args):
            raise (missing if i >= 0 else ValueError)(
                f"differentiating with respect to argnums={argnums} requires at least {max(max(chosen) + 1, 1)} "
                f"positional arguments to be passed by the caller, but got only {len(args)} positional arguments."
            )
    return [i % len(args) for i in chosen]


def partial_of(fun: Callable, chosen: Sequence[int], args: Sequence[Any], kwargs: dict) -> tuple[Callable, list]:
    """`fun` as a function of the chosen arguments alone."""

    @functools.wraps(fun)
    def inner(*picked: Any) -> Any:
        full = list(args)
        for i, x in zip(chosen, picked):
            full[i] = x
        return fun(*full, **kwargs)

    inner.__signature__ = _chosen_signature(fun, chosen, len(args))  # type: ignore[attr-defined]
    return inner, [args[i] for i in chosen]


def _chosen_signature(fun: Callable, chosen: Sequence[int], n: int) -> Any:
    names = [name.replace("[", "_").replace("]", "") for name in _positional_names(fun, n)]
    kind = inspect.Parameter.POSITIONAL_ONLY
    unique = dict.fromkeys(names[i] if names[i].isidentifier() else f"arg{i}" for i in chosen)
    return inspect.Signature([inspect.Parameter(name, kind) for name in unique])


def leaf_name(fun: Callable, args: Sequence[Any], chosen: Sequence[int], k: int) -> str:
    """What differentiated leaf number k is called: `params['w'] of f`."""
    names = _positional_names(fun, len(args))
    found = [names[i] + keystr(path) for i in chosen for path, _ in tree_flatten_with_path(args[i])[0]]
    return f"{found[k]} of {function_name(fun)}"


def check_input(what: str, a: Any, holomorphic: bool, allow_int: bool, name: Callable[[], str]) -> None:
    """Raise TypeError where reverse mode takes no derivatives by an argument of this type."""
    kind = "V" if is_extended(a.dtype) else a.dtype.kind
    if holomorphic:
        if kind != "c":
            raise TypeError(f"{what} with holomorphic=True requires inputs with complex dtype, but got {a.dtype.name}.")
        return
    if (kind in "iub" or is_extended(a.dtype)) and not allow_int:
        raise TypeError(
            f"{what} requires real- or complex-valued inputs (input dtype that is a sub-dtype of np.inexact), but got "
            f"{a.dtype.name} for the argument {name()}. If you want to use Boolean- or integer-valued inputs, use vjp or set "
            "allow_int to True."
        )


def check_output(what: str, a: Any, holomorphic: bool, fun: Callable) -> None:
    """Raise TypeError where reverse mode takes no derivatives of a result of this type."""
    kind = "V" if is_extended(a.dtype) else a.dtype.kind
    if holomorphic:
        if kind != "c":
            raise TypeError(
                f"{what} with holomorphic=True requires outputs with complex dtype, but got {a.dtype.name}."
            )
    elif kind == "c":
        raise TypeError(
            f"{what} requires real-valued outputs (output dtype that is a sub-dtype of np.floating), but got {a.dtype.name} "
            f"from {function_name(fun)}. For holomorphic differentiation, pass holomorphic=True; else use jax.vjp directly."
        )
    elif is_extended(a.dtype) or not is_inexact(a):
        raise TypeError(
            f"{what} requires real- or complex-valued outputs (output dtype that is a sub-dtype of np.floating), but got "
            f"{a.dtype.name} from {function_name(fun)}. For differentiation of functions with integer outputs, use "
            "jax.vjp directly."
        )


def check_tangents(fun: Callable, primals: Any, tangents: Any) -> None:
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise TypeError(
            "primal and tangent arguments to jax.jvp must be tuples or lists; found "
            f"{type(primals).__name__} and {type(tangents).__name__}."
        )


def tangent_values(values: Sequence[Value], tree: Any, tangents: Any) -> list[Value | None]:
    leaves, t_tree = tree_flatten(tangents)
    seen = arrays.seen(tree)
    if t_tree != seen:
        raise TypeError(
            "primal and tangent arguments to jax.jvp must have the same tree structure; primals have tree structure "
            f"{seen} whereas tangents have tree structure {t_tree}."
        )
    found: list[Value | None] = []
    for x, a, t in zip(values, seen_avals(tree, [x.aval for x in values]), arrays.kept(tree, leaves)):
        if not is_inexact(x.aval):
            dtype = t.dtype if hasattr(t, "dtype") else as_value(t).aval.dtype
            if dtype != float0:
                raise TypeError(
                    "primal and tangent arguments to jax.jvp do not match; dtypes must be equal, or in case of int/bool "
                    f"primal dtype the tangent dtype must be float0. Got primal dtype {a.dtype.name} and so expected tangent "
                    f"dtype float0, but got tangent dtype {dtype.name} instead."
                )
            found.append(None)
            continue
        value = as_value(t)
        if value.aval.dtype != x.aval.dtype:
            raise TypeError(
                "primal and tangent arguments to jax.jvp do not match; dtypes must be equal, or in case of int/bool "
                f"primal dtype the tangent dtype must be float0. Got primal dtype {x.aval.dtype.name} and so expected "
                f"tangent dtype {x.aval.dtype.name}, but got tangent dtype {value.aval.dtype.name} instead."
            )
        if value.aval.shape != x.aval.shape:
            raise ValueError(
                f"jvp called with different primal and tangent shapes;Got primal shape {x.aval.shape} and tangent shape "
                f"as {value.aval.shape}"
            )
        found.append(value)
    return found
