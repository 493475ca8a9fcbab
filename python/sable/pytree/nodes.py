"""Nodes of pytrees in pure Python (see `_pytree`): kinds, registrations, taking apart, checking, printing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

LEAF, NONE, TUPLE, LIST, DICT, NAMED_TUPLE, CUSTOM, DATACLASS = range(8)

BUILT_IN: dict[type, int] = {tuple: TUPLE, list: LIST, dict: DICT, type(None): NONE}
TYPE_OF_KIND: dict[int, type] = {kind: node_type for node_type, kind in BUILT_IN.items()}

Node = tuple[int, int, Any, Any]


class Registration(NamedTuple):
    kind: int
    to_iterable: Any = None
    from_iterable: Any = None
    to_iterable_with_keys: Any = None
    data_fields: tuple[str, ...] = ()
    meta_fields: tuple[str, ...] = ()


def sorted_keys(dictionary: dict) -> tuple:
    try:
        return tuple(sorted(dictionary))
    except Exception as error:
        raise ValueError(
            f"Comparator raised exception while sorting the keys of a dict in a pytree: {error}. "
            "Keys must be comparable with each other, so that the order of leaves is defined."
        ) from error


def is_pair(value: Any) -> bool:
    return type(value) is tuple and len(value) == 2


def call_to_iterable(node_type: type, registration: Registration, tree: Any, with_keys: bool) -> tuple[tuple, Any]:
    """(children, auxiliary data) as a registered function gave them, checked."""
    function = registration.to_iterable_with_keys if with_keys else registration.to_iterable
    result = function(tree)
    expected = "The to_iterable function for a custom PyTree node should return a (children, aux_data) tuple"
    if not is_pair(result):
        raise ValueError(f"{expected}, got {result!r}; {node_type!r} was flattened")
    try:
        iterator = iter(result[0])
    except TypeError:
        raise ValueError(
            f"{expected} where 'children' is iterable, got {result!r}; {node_type!r} was flattened"
        ) from None
    children = tuple(iterator)
    for pair in children if with_keys else ():
        if not is_pair(pair):
            raise ValueError(
                "The to_iterable_with_keys function for a custom PyTree node should return tuples "
                f"(key, child) as children; that of {node_type!r} returned {pair!r}"
            )
    return children, result[1]


def attributes(tree: Any, names: tuple[str, ...]) -> tuple:
    return tuple(getattr(tree, name) for name in names)


def named_tuple_fields(tree: tuple) -> tuple[str, ...]:
    fields = tuple(type(tree)._fields)  # type: ignore[attr-defined]
    if not all(isinstance(field, str) for field in fields):
        raise TypeError(f"`_fields` must be strings, got {fields!r}")
    if len(fields) < len(tree):
        raise ValueError(f"a named tuple has more elements than `_fields`: {fields!r}, {tree!r}")
    return fields


def pop(stack: list, count: int) -> list:
    """Takes the last `count` elements off a list."""
    position = len(stack) - count
    popped = stack[position:]
    del stack[position:]
    return popped


def hashable(node: Node) -> tuple:
    """What of a node goes into the hash: auxiliary data need not be hashable, and then only counts in ==."""
    try:
        hash(node[2])
    except TypeError:
        return node[0], node[1], node[3]
    return node


def node_repr(node: Node, children: list[str]) -> str:
    kind, arity, data, node_type = node
    if kind == LEAF:
        return "*"
    if kind == NONE:
        return "None"
    inner = ", ".join(children)
    if kind == TUPLE:
        return f"({inner},)" if arity == 1 else f"({inner})"
    if kind == LIST:
        return f"[{inner}]"
    if kind == DICT:
        return "{" + ", ".join(f"{key!r}: {child}" for key, child in zip(data, children)) + "}"
    if kind == NAMED_TUPLE:
        return f"CustomNode(namedtuple[{data.__name__}], [{inner}])"
    return f"CustomNode({node_type.__name__}[{data}], [{inner}])"


def children_matching(registration: Registration | None, node: Node, tree: Any) -> Iterable:
    """The children of `tree`, which must be a node like `node`; ValueError says how it differs."""
    kind, arity, data, _ = node
    if kind in (CUSTOM, DATACLASS):
        return _registered_children(registration, node, tree)  # type: ignore[arg-type]
    if kind == NONE:
        if tree is not None:
            raise ValueError(
                f"Expected None, got {tree!r}. None is a pytree node without children and a prefix of "
                "nothing but None; to treat it as a leaf, pass is_leaf=lambda x: x is None."
            )
        return ()
    if kind == DICT:
        return _dict_values(node, tree)
    name = {TUPLE: "tuple", LIST: "list", NAMED_TUPLE: "named tuple"}[kind]
    expected = (
        isinstance(tree, tuple) and hasattr(tree, "_fields")
        if kind == NAMED_TUPLE
        else type(tree) is TYPE_OF_KIND[kind]
    )
    if not expected:
        raise ValueError(f"Expected {name}, got {tree!r}.")
    if kind == NAMED_TUPLE and type(tree) is not data:
        raise ValueError(f"Named tuple type mismatch: expected type: {data!r}, tuple: {tree!r}.")
    if len(tree) != arity:
        raise ValueError(f"{name.capitalize()} arity mismatch: {len(tree)} != {arity}; {name}: {tree!r}.")
    return tree


def _dict_values(node: Node, tree: Any) -> list:
    _, arity, names, _ = node
    if type(tree) is not dict:
        raise ValueError(f"Expected dict, got {tree!r}.")
    if len(tree) != arity or any(name not in tree for name in names):
        raise ValueError(f"Dict key mismatch; expected keys: {_listed(names)!r}; present keys: {_listed(tree)!r}.")
    return [tree[name] for name in names]


def _listed(keys: Iterable) -> list:
    """The keys in order, if they have one: the order only serves a message."""
    listed = list(keys)
    try:
        return sorted(listed)
    except TypeError:
        return listed


def _registered_children(registration: Registration, node: Node, tree: Any) -> tuple:
    kind, arity, data, node_type = node
    what = "dataclass " if kind == DATACLASS else ""
    if type(tree) is not node_type:
        raise ValueError(f"Custom {what}node type mismatch: expected {node_type!r}, got {tree!r}")
    if kind == DATACLASS:
        children = attributes(tree, registration.data_fields)
        present = attributes(tree, registration.meta_fields)
    else:
        children, present = call_to_iterable(node_type, registration, tree, False)
    if not (data is present or data == present):
        raise ValueError(f"Mismatch custom {what}node data: expected {data!r}, got {present!r}; value: {tree!r}")
    if len(children) != arity:
        raise ValueError(f"Custom type arity mismatch: expected {arity} children, got {len(children)}; value: {tree!r}")
    return children


def check_node(registration: Registration | None, node: Node) -> None:
    """Raises ValueError unless everything that is relied on later holds for a node from outside."""
    kind, arity, data, node_type = node
    if kind not in range(8):
        raise ValueError(f"unknown kind of pytree node: {kind}")
    if not isinstance(arity, int) or arity < 0:
        raise ValueError(f"the arity of a pytree node is a natural number, got {arity!r}")
    if kind in (LEAF, NONE) and arity != 0:
        raise ValueError("a pytree leaf or None has no children")
    if kind in (DICT, DATACLASS) and type(data) is not tuple:
        raise ValueError(f"expected a tuple, got {data!r}")
    if kind == DICT and len(data) != arity:
        raise ValueError(f"a dict node needs as many keys as children, got {data!r}")
    if kind == NAMED_TUPLE and not (isinstance(data, type) and issubclass(data, tuple)):
        raise ValueError(f"expected a named tuple type, got {data!r}")
    if kind not in (CUSTOM, DATACLASS):
        return
    if registration is None or registration.kind != kind:
        raise ValueError(f"{node_type!r} is not registered as such a pytree node")
    if kind == CUSTOM:
        return
    if len(registration.data_fields) != arity or len(registration.meta_fields) != len(data):  # type: ignore[arg-type]
        raise ValueError(f"the number of fields of {node_type!r} has changed")
