"""Pytrees as transformations take them apart: down to arrays, those too that are inside of what users see as a leaf.

A *wrapper* is a class whose instances hold one array: typed random keys hold their words. For users (`sable.tree_util`) they
are leaves; here they are nodes with that array as their only child. So there are as many leaves either way, in one
order, and a structure made here knows which of them are to be wrapped again when it is unflattened.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .nodes import LEAF
from .registry import PyTreeDef, PyTreeRegistry, array_registry, default_registry, mismatch_explainer

flatten: Callable[..., tuple[list, Any]] = array_registry.flatten
flatten_call: Callable[..., tuple[list, Any]] = array_registry.flatten_call
leaves: Callable[..., list] = array_registry.leaves
registry: PyTreeRegistry = array_registry  # type: ignore[valid-type]

#: classes that hold one array, and the attribute that does
WRAPPERS: dict[type, str] = {}
#: types that are nodes here and leaves for users
_HIDDEN: set[type] = set()

_explain_map = mismatch_explainer("tree")


def register_wrapper(cls: type, attribute: str, wrap: Callable[[Any], Any]) -> None:
    """Let instances of a class be opened.

    Args:
      cls: the class.
      attribute: where its instances hold their array.
      wrap: an instance of an array, or what stands in its place where something else was put there.
    """
    WRAPPERS[cls] = attribute
    take = operator.attrgetter(attribute)
    register_hidden(cls, lambda x: ((take(x),), None), lambda _, children: wrap(children[0]))


def register_hidden(cls: type, to_iterable: Callable, from_iterable: Callable) -> None:
    """Make a class a node here and a leaf for users: one with a leaf or none inside."""
    _HIDDEN.add(cls)
    array_registry.register_node(cls, to_iterable, from_iterable)


def map(function: Callable, tree: Any, *rest: Any) -> Any:
    """`tree_map` over arrays: those inside of wrappers are replaced there."""
    return array_registry.map(function, tree, rest, None, _explain_map)


def seen(treedef: Any) -> Any:
    """The structure as users see it."""
    nodes: list[tuple] = []
    for node in treedef.state():
        if node[3] not in _HIDDEN:
            nodes.append(node)
        elif not node[1]:
            nodes.append((LEAF, 0, None, None))
    return PyTreeDef.from_state(default_registry, nodes)


def kept(treedef: Any, leaves: Iterable[Any]) -> list[Any]:
    """Of the leaves of a tree with that structure, as users see it, those that are or hold a leaf here."""
    rest = iter(leaves)
    found = []
    for kind, arity, _, node_type in treedef.state():
        if kind == LEAF:
            found.append(next(rest))
        elif node_type in _HIDDEN and not arity:
            next(rest)
    return found


def paths(treedef: Any) -> list[tuple]:
    """The key path of each leaf, as users see it."""
    whole = seen(treedef)
    pairs, _ = default_registry.flatten_with_path(whole.unflatten(range(whole.num_leaves)))
    return kept(treedef, [path for path, _ in pairs])


def wrappers(treedef: Any) -> list[type | None]:
    """For each leaf the class of the wrapper around it."""
    found: list[type | None] = []
    for kind, _, _, node_type in treedef.state():
        if kind == LEAF:
            found.append(None)
        elif node_type in WRAPPERS:
            found[-1] = node_type
    return found


def seen_values(treedef: Any, values: Iterable[Any], see: Callable[[type, Any], Any]) -> list[Any]:
    """Values for the leaves, those in wrappers replaced by `see(wrapper, value)`."""
    return [x if kind is None else see(kind, x) for kind, x in zip(wrappers(treedef), values)]


__all__: Sequence[str] = [
    "WRAPPERS",
    "flatten",
    "flatten_call",
    "kept",
    "leaves",
    "map",
    "paths",
    "register_hidden",
    "register_wrapper",
    "registry",
    "seen",
    "seen_values",
    "wrappers",
]
