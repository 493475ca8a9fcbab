"""What the rules of custom derivatives return, checked against the function that they belong to."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sable.dialects.ops.rules import is_inexact
from sable.ir.aval import Aval
from sable.pytree import arrays
from sable.tree_util import keystr, tree_flatten, tree_structure

from .array import Value
from .bind import BIND
from .dtypes import kind_of
from .extended import seen_avals
from .tracing import Traced, function_name
from .values import as_value, aval_of_value


class Words(NamedTuple):
    """How messages speak of a rule that returns the function's results and something besides.

    Attributes:
      rule: what it is: `Custom JVP rule f_jvp for function f`.
      output: whose output: `JVP rule`.
      decorated: the function: `custom_jvp-decorated function f`.
      pair: what it returns.
      first: what the pair's first element is; `{so}` stands for what else is true of it then.
    """

    rule: str
    output: str
    decorated: str
    pair: str
    first: str


def words_of_jvp(rule: Callable, fun: Callable) -> Words:
    """Of the rule of a `custom_jvp` function."""
    decorated = f"custom_jvp-decorated function {function_name(fun)}"
    return Words(
        f"Custom JVP rule {function_name(rule)} for function {function_name(fun)}",
        "JVP rule",
        decorated,
        "primal and tangent outputs",
        f"(equal in value to the output of the {decorated}, and in particular {{so}})",
    )


def words_of_fwd(rule: Callable, fun: Callable) -> Words:
    """Of the forward rule of a `custom_vjp` function."""
    decorated = f"custom_vjp-decorated function {function_name(fun)}"
    return Words(
        f"Custom VJP fwd rule {function_name(rule)} for function {function_name(fun)}",
        "fwd rule",
        decorated,
        "primal output and residuals",
        f"(equal to the output of the {decorated}) and the second element represents residuals (i.e. values stored from the "
        "forward pass for use on the backward pass)",
    )


def outputs(result: Any, traced: Traced, words: Words) -> tuple[list[Any], Any]:
    """The leaves of the function's results, which a rule returned first, and what it returned second.

    Raises:
      TypeError: it returned no pair, or other results than the function.
    """
    must = f"{words.rule} must produce a pair (list or tuple of length two)"
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise TypeError(f"{must} representing {words.pair}, but got {result}.")
    leaves, tree = arrays.flatten(result[0])

    def refusal(what: str, so: str, more: str = "") -> TypeError:
        return TypeError(
            f"{must} where the first element represents the primal output {words.first.format(so=so)}, but instead the "
            f"{words.output} output's first element had {what}:\n    {_shown(tree, leaves)}\nwhile the {words.decorated} "
            f"had output {what}:\n    {_shown(traced.out_tree, traced.out_avals)}{more}"
        )

    if arrays.seen(tree) != arrays.seen(traced.out_tree):
        raise refusal("container/pytree structure", "of the same container/pytree structure", ".")
    avals = seen_avals(tree, [aval_of_value(x) for x in leaves])
    for found, a in zip(avals, seen_avals(traced.out_tree, traced.out_avals)):
        if found.shape != a.shape or not _is_of_dtype(found, a):
            more = f"\n(got {words.output.removesuffix(' rule')} output type {found.short()} which doesn't match {a.short()})"
            raise refusal("shapes/dtypes of", "with leaves of the same shape/dtype", more)
    return leaves, result[1]


def _shown(tree: Any, leaves: Sequence[Any]) -> str:
    """A pytree of types, for messages."""
    types = seen_avals(tree, [x if isinstance(x, Aval) else aval_of_value(x) for x in leaves])
    return re.sub(r"'([\w<>]+\[[\d,]*\])'", r"\1", str(tree.unflatten([a.short() for a in types])))


def _is_of_dtype(found: Any, wanted: Any) -> bool:
    return found.dtype == wanted.dtype or (found.weak_type and kind_of(found.dtype) == kind_of(wanted.dtype))


def tangents(result: Any, traced: Traced, words: Words) -> list[Value]:
    """The tangents of the function's results, which a rule returned second.

    Raises:
      TypeError: they do not correspond to the results.
    """
    leaves, found = tree_flatten(result)
    wanted = arrays.seen(traced.out_tree)
    if found != wanted:
        raise TypeError(
            f"{words.rule} must produce primal and tangent outputs with equal container (pytree) structures, but got {wanted} "
            f"and {found} respectively."
        )
    return [_tangent(t, a, words) for t, a in zip(arrays.kept(traced.out_tree, leaves), traced.out_avals)]


def _tangent(t: Any, a: Aval, words: Words) -> Value:
    if not is_inexact(a):
        return BIND.full(a, 0)
    value = as_value(t)
    if value.aval.shape != a.shape or not _is_of_dtype(value.aval, a):
        raise TypeError(
            f"Custom JVP rule must produce primal and tangent outputs with corresponding shapes and dtypes. Expected "
            f"{a.short()} (tangent type of {a.short()}) but got {value.aval.short()}. Returned by the {words.rule}."
        )
    return _of_dtype(value, a)


def _of_dtype(value: Value, a: Aval) -> Value:
    return value if value.aval.dtype == a.dtype else BIND.convert(value, dtype=a.dtype)


def cotangents(result: Any, tree: Any, avals: Sequence[Aval], rule: Callable, fun: Callable) -> list[Value]:
    """The cotangents of the inexact arguments, of which a backward rule returned a tuple.

    Args:
      tree: of the tuple of arguments; `avals`: their types.

    Raises:
      TypeError: the structure is another; None may stand for a subtree of zeros.
      ValueError: a cotangent has another shape than its argument.
    """
    must = f"Custom VJP bwd rule {function_name(rule)} for function {function_name(fun)} must produce"
    arguments = arrays.seen(tree).children()
    if not isinstance(result, (tuple, list)) or len(result) != len(arguments):
        raise TypeError(f"{must} a tuple of length equal to the primal args tuple, {len(arguments)}, but got {result}.")
    found: list[Any] = []
    for argument, ct in zip(arguments, result):
        leaves = _cotangent_leaves(argument, ct)
        if leaves is None:
            raise TypeError(
                f"{must} an output with the same container (pytree) structure as the args tuple of the primal function, but "
                f"got {tree_structure(ct)} instead of {argument}."
            )
        found += leaves
    return [_cotangent(c, a, p, must) for c, a, p in zip(found, avals, arrays.paths(tree)) if is_inexact(a)]


def _cotangent_leaves(tree: Any, ct: Any) -> list | None:
    """The leaves of a cotangent, None for all of a subtree where None stands for it; None if the structures differ."""
    if ct is None:
        return [None] * tree.num_leaves
    level = tree_structure(ct, is_leaf=lambda x: x is not ct)
    if level.num_nodes == 1 or tree.num_nodes == 1:
        return [ct] if level == tree else None
    children, values = tree.children(), level.flatten_up_to(ct)
    if level.node_data() != tree.node_data() or len(children) != len(values):
        return None
    found = []
    for child, value in zip(children, values):
        leaves = _cotangent_leaves(child, value)
        if leaves is None:
            return None
        found += leaves
    return found


def _cotangent(c: Any, a: Aval, path: Any, must: str) -> Value:
    if c is None:
        return BIND.full(a, 0)
    value = as_value(c)
    if value.aval.shape != a.shape:
        raise ValueError(
            f"{must} an output of the same shape as the args tuple of the primal function, but at output{keystr(path)} the bwd "
            f"rule produced an output of type {value.aval.short()} for an argument of type {a.short()}."
        )
    return _of_dtype(value, a)


__all__ = ["Words", "cotangents", "outputs", "tangents", "words_of_fwd", "words_of_jvp"]
