"""Pytrees: nested containers as arguments and results (the interface of `jax.tree_util`).

A pytree is a leaf, or a container of pytrees: tuple, list, dict (in the order of its sorted keys), named
tuple, None (a container of nothing), OrderedDict, defaultdict, or a class registered here. Everything else is
a leaf.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, TypeVar

from sable import _absent
from sable.pytree import registry as pytree
from sable.pytree.keys import DictKey, FlattenedIndexKey, GetAttrKey, SequenceKey
from sable.pytree.register import (
    Partial,
    register_dataclass,
    register_pytree_node,
    register_pytree_node_class,
    register_pytree_with_keys,
    register_pytree_with_keys_class,
    register_static,
)
from sable.pytree.registry import PyTreeDef, default_registry

_absent.explain(__name__)

__all__ = [
    "DictKey",
    "FlattenedIndexKey",
    "GetAttrKey",
    "KeyEntry",
    "KeyPath",
    "Partial",
    "PyTreeDef",
    "SequenceKey",
    "all_leaves",
    "default_registry",
    "flatten_one_level",
    "flatten_one_level_with_keys",
    "is_tree_node",
    "keystr",
    "register_dataclass",
    "register_pytree_node",
    "register_pytree_node_class",
    "register_pytree_with_keys",
    "register_pytree_with_keys_class",
    "register_static",
    "tree_all",
    "tree_broadcast",
    "tree_flatten",
    "tree_flatten_with_path",
    "tree_leaves",
    "tree_leaves_with_path",
    "tree_map",
    "tree_map_with_path",
    "tree_reduce",
    "tree_reduce_associative",
    "tree_structure",
    "tree_transpose",
    "tree_unflatten",
    "treedef_children",
    "treedef_is_leaf",
    "treedef_tuple",
]

KeyEntry = TypeVar("KeyEntry", bound=Any)
KeyPath = tuple[KeyEntry, ...]
IsLeaf = Callable[[Any], bool] | None

#: No argument was given where None may be one.
_MISSING: Any = type("Missing", (), {"__repr__": lambda _: "<missing>"})()

_explain_map = pytree.mismatch_explainer("tree_map tree")
_explain_map_with_path = pytree.mismatch_explainer("tree_map_with_path tree")


def tree_flatten(tree: Any, is_leaf: IsLeaf = None) -> tuple[list[Any], Any]:
    """The leaves of a tree, from left to right, and its structure.

    Args:
      tree: a pytree.
      is_leaf: gets every subtree; True makes it a leaf.

    Returns:
      (list of leaves, PyTreeDef); `tree_unflatten` is the inverse.

    Raises:
      ValueError: the keys of a dict cannot be sorted, or a registered class gave no (children, data).
      RecursionError: the tree contains itself.

    Example:
      >>> jax.tree.flatten({"b": (1, None), "a": 2})
      ([2, 1], PyTreeDef({'a': *, 'b': (*, None)}))
    """
    return default_registry.flatten(tree, is_leaf)


def tree_unflatten(treedef: Any, leaves: Iterable[Any]) -> Any:
    """The tree of that structure with these leaves.

    Args:
      treedef: a PyTreeDef.
      leaves: iterable of as many objects as the structure has leaves.

    Raises:
      ValueError: too few or too many leaves.

    Example:
      >>> jax.tree.unflatten(jax.tree.structure([0, (0, 0)]), "abc")
      ['a', ('b', 'c')]
    """
    return treedef.unflatten(leaves)


def tree_leaves(tree: Any, is_leaf: IsLeaf = None) -> list[Any]:
    """The leaves of a tree, as `tree_flatten` gives them.

    Args:
      tree, is_leaf: as of `tree_flatten`.

    Example:
      >>> jax.tree.leaves([1, (2, None)])
      [1, 2]
      >>> jax.tree.leaves([1, (2, None)], is_leaf=lambda x: x is None)
      [1, 2, None]
    """
    return default_registry.leaves(tree, is_leaf)


def tree_structure(tree: Any, is_leaf: IsLeaf = None) -> Any:
    """The structure of a tree, as `tree_flatten` gives it.

    Args:
      tree, is_leaf: as of `tree_flatten`.

    Example:
      >>> jax.tree.structure([1, (2, None)])
      PyTreeDef([*, (*, None)])
    """
    return default_registry.structure(tree, is_leaf)


def tree_map(f: Callable[..., Any], tree: Any, *rest: Any, is_leaf: IsLeaf = None) -> Any:
    """Applies a function to the leaves of a tree, together with what further trees have there.

    Args:
      f: takes a leaf of `tree` and a subtree of each further tree.
      tree: a pytree; the result has its structure.
      rest: trees that agree with `tree` down to its leaves.
      is_leaf: gets every subtree of `tree`; True makes it a leaf.

    Raises:
      ValueError: `tree` is not a prefix of a further tree; says where.

    Example:
      >>> jax.tree.map(lambda x, y: x + y, {"a": 1, "b": (2,)}, {"a": 10, "b": (20,)})
      {'a': 11, 'b': (22,)}
      >>> jax.tree.map(lambda x, y: x + y, {"a": 1}, {"b": 1})
      Traceback (most recent call last):
          ...
      ValueError: pytree structure error: different pytree metadata at key path...
    """
    return default_registry.map(f, tree, rest, is_leaf, _explain_map)


def tree_reduce(
    function: Callable[[Any, Any], Any], tree: Any, initializer: Any = _MISSING, is_leaf: IsLeaf = None
) -> Any:
    """Folds the leaves of a tree from left to right.

    Args:
      function: takes the value so far and a leaf.
      tree: a pytree.
      initializer: the first value; by default the first leaf.
      is_leaf: as in `tree_flatten`.

    Raises:
      TypeError: no leaves and no initializer.

    Example:
      >>> jax.tree.reduce(lambda total, leaf: total + leaf, [1, (2, 3)], 10)
      16
    """
    leaves = tree_leaves(tree, is_leaf)
    if initializer is _MISSING:
        return functools.reduce(function, leaves)
    return functools.reduce(function, leaves, initializer)


def tree_reduce_associative(
    operation: Callable[[Any, Any], Any], tree: Any, *, identity: Any = _MISSING, is_leaf: IsLeaf = None
) -> Any:
    """Combines the leaves of a tree pairwise, in a balanced tree of operations.

    Args:
      operation: associative; its result is not specified otherwise.
      tree: a pytree.
      identity: the result for a tree without leaves.
      is_leaf: as in `tree_flatten`.

    Raises:
      TypeError: no leaves and no identity.

    Example:
      >>> jax.tree.reduce_associative(lambda a, b: f"({a}{b})", list("abcd"))
      '((ab)(cd))'
    """
    leaves = tree_leaves(tree, is_leaf)
    if leaves:
        return _combine(operation, leaves)
    if identity is _MISSING:
        raise TypeError("Must specify identity to combine the leaves of a tree that has none.")
    return identity


def _combine(operation: Callable[[Any, Any], Any], values: list[Any]) -> Any:
    if len(values) == 1:
        return values[0]
    half = len(values) // 2
    return operation(_combine(operation, values[:half]), _combine(operation, values[half:]))


def tree_all(tree: Any, *, is_leaf: IsLeaf = None) -> bool:
    """Whether every leaf is true.

    Args:
      tree, is_leaf: as of `tree_flatten`.

    Example:
      >>> jax.tree.all([True, {"a": 1}]), jax.tree.all([True, False]), jax.tree.all(())
      (True, False, True)
    """
    return all(tree_leaves(tree, is_leaf))


def tree_transpose(outer_treedef: Any, inner_treedef: Any, pytree_to_transpose: Any) -> Any:
    """Turns a tree of trees inside out.

    Args:
      outer_treedef: the structure of the outer tree.
      inner_treedef: that of each of its elements; None takes it from the first one.
      pytree_to_transpose: a tree of the composed structure.

    Returns:
      A tree of structure `inner_treedef` whose elements have structure `outer_treedef`.

    Raises:
      TypeError: the number of leaves is not the product of those of the structures.

    Example:
      >>> structure = jax.tree.structure
      >>> jax.tree.transpose(structure([0, 0]), structure((0, 0)), [(1, 2), (3, 4)])
      ([1, 3], [2, 4])
    """
    leaves, treedef = tree_flatten(pytree_to_transpose)
    if inner_treedef is None:
        inner_treedef = tree_structure(outer_treedef.flatten_up_to(pytree_to_transpose)[0])
    width = inner_treedef.num_leaves
    if treedef.num_leaves != width * outer_treedef.num_leaves:
        expected = outer_treedef.compose(inner_treedef)
        raise TypeError(f"Mismatch: expected a tree of structure\n{expected}\nbut got one of structure\n{treedef}")
    columns = [outer_treedef.unflatten(leaves[column::width]) for column in range(width)]
    return inner_treedef.unflatten(columns)


def tree_broadcast(prefix_tree: Any, full_tree: Any, is_leaf: IsLeaf = None) -> Any:
    """Spreads the leaves of a prefix over the subtrees that a full tree has in their places.

    Args:
      prefix_tree: agrees with `full_tree` down to its own leaves.
      full_tree: a pytree; the result has its structure.
      is_leaf: gets every subtree of `prefix_tree`; True makes it a leaf.

    Raises:
      ValueError: `prefix_tree` is no prefix of `full_tree`; says where.

    Example:
      >>> jax.tree.broadcast({"a": 0, "b": 1}, {"a": "x", "b": ["y", "z"]})
      {'a': 0, 'b': [1, 1]}
    """
    return tree_structure(full_tree).unflatten(pytree.broadcast_prefix(prefix_tree, full_tree, is_leaf))


def tree_flatten_with_path(
    tree: Any, is_leaf: Callable[..., bool] | None = None, is_leaf_takes_path: bool = False
) -> tuple[list[tuple[KeyPath, Any]], Any]:
    """The leaves of a tree with their key paths, and its structure.

    Args:
      tree: a pytree.
      is_leaf: gets every subtree; True makes it a leaf.
      is_leaf_takes_path: `is_leaf` gets a key path and a subtree.

    Returns:
      (list of pairs (path, leaf), PyTreeDef).

    Example:
      >>> leaves, structure = jax.tree.flatten_with_path({"a": [1, 2]})
      >>> [(jax.tree_util.keystr(path), leaf) for path, leaf in leaves]
      [("['a'][0]", 1), ("['a'][1]", 2)]
    """
    predicate = is_leaf
    if is_leaf is not None and not is_leaf_takes_path:
        predicate = lambda _, subtree: is_leaf(subtree)  # noqa: E731
    return default_registry.flatten_with_path(tree, predicate)


def tree_leaves_with_path(
    tree: Any, is_leaf: Callable[..., bool] | None = None, is_leaf_takes_path: bool = False
) -> list[tuple[KeyPath, Any]]:
    """The leaves of a tree with their key paths, as `tree_flatten_with_path` gives them.

    Args:
      tree, is_leaf, is_leaf_takes_path: as of `tree_flatten_with_path`.

    Example:
      >>> jax.tree.leaves_with_path([5])
      [((SequenceKey(idx=0),), 5)]
    """
    return tree_flatten_with_path(tree, is_leaf, is_leaf_takes_path)[0]


def tree_map_with_path(
    f: Callable[..., Any],
    tree: Any,
    *rest: Any,
    is_leaf: Callable[..., bool] | None = None,
    is_leaf_takes_path: bool = False,
) -> Any:
    """Applies a function to key paths and leaves, together with what further trees have there.

    Args:
      f: takes a key path, a leaf of `tree` and a subtree of each further tree.
      tree, rest, is_leaf: as in `tree_map`.
      is_leaf_takes_path: `is_leaf` gets a key path and a subtree.

    Raises:
      ValueError: `tree` is not a prefix of a further tree; says where.

    Example:
      >>> jax.tree.map_with_path(lambda path, leaf: f"{jax.tree_util.keystr(path)}={leaf}", {"a": 1})
      {'a': "['a']=1"}
    """
    pairs, treedef = tree_flatten_with_path(tree, is_leaf, is_leaf_takes_path)
    columns = [[path for path, _ in pairs], [leaf for _, leaf in pairs]]
    for other in rest:
        try:
            columns.append(treedef.flatten_up_to(other))
        except Exception as error:
            # The predicate may want a path, which the search for the place does not have.
            explained = None if is_leaf_takes_path else _explain_map_with_path(tree, other, is_leaf)
            raise (explained or error) from None
    return treedef.unflatten([f(*row) for row in zip(*columns)])


def treedef_tuple(treedefs: Iterable[Any]) -> Any:
    """The structure of a tuple of trees of the given structures.

    Args:
      treedefs: structures.

    Example:
      >>> jax.tree_util.treedef_tuple([jax.tree.structure([1]), jax.tree.structure(2)])
      PyTreeDef(([*], *))
    """
    return pytree.treedef_tuple(treedefs)


def treedef_children(treedef: Any) -> list[Any]:
    """The structures of the root's children.

    Args:
      treedef: a structure.

    Example:
      >>> jax.tree_util.treedef_children(jax.tree.structure([1, (2, 3)]))
      [PyTreeDef(*), PyTreeDef((*, *))]
    """
    return treedef.children()


def treedef_is_leaf(treedef: Any) -> bool:
    """Whether a structure has a single node: a leaf, or a container of nothing.

    Args:
      treedef: a structure.

    Example:
      >>> jax.tree_util.treedef_is_leaf(jax.tree.structure(1)), jax.tree_util.treedef_is_leaf(jax.tree.structure([1]))
      (True, False)
    """
    return treedef.num_nodes == 1


def all_leaves(iterable: Iterable[Any], is_leaf: IsLeaf = None) -> bool:
    """Whether every element of an iterable is a leaf.

    Args:
      iterable: of any objects.
      is_leaf: makes an object a leaf where it gives True.

    Example:
      >>> jax.tree_util.all_leaves([1, "a"]), jax.tree_util.all_leaves([1, (2,)])
      (True, False)
    """
    if is_leaf is None:
        return default_registry.all_leaves(iterable)
    items = list(iterable)
    leaves = tree_leaves(items, is_leaf)
    return len(leaves) == len(items) and all(map(operator.is_, items, leaves))


def is_tree_node(typ: type) -> bool:
    """Whether instances of a class are containers of pytrees.

    Args:
      typ: a class.

    Example:
      >>> jax.tree_util.is_tree_node(dict), jax.tree_util.is_tree_node(int)
      (True, False)
    """
    return default_registry.is_node(typ)


def flatten_one_level(tree: Any) -> tuple[Iterable[Any], Hashable]:
    """The children of a container and its data: what is left of it without them.

    Args:
      tree: a container.

    Raises:
      ValueError: a leaf.

    Example:
      >>> jax.tree_util.flatten_one_level({"b": [1, 2], "a": 3})
      ((3, [1, 2]), ('a', 'b'))
    """
    level = default_registry.flatten_one_level(tree)
    if level is None:
        raise ValueError(f"can't tree-flatten type: {type(tree)}")
    children = level[0] if type(tree) is tuple or isinstance(tree, dict) else list(level[0])
    return children, level[1]


def flatten_one_level_with_keys(tree: Any) -> tuple[Iterable[tuple[Any, Any]], Hashable]:
    """The children of a container with their keys, and its data.

    Args:
      tree: a container.

    Raises:
      ValueError: a leaf.

    Example:
      >>> jax.tree_util.flatten_one_level_with_keys([7])
      (((SequenceKey(idx=0), 7),), None)
    """
    level = default_registry.flatten_one_level_with_keys(tree)
    if level is None:
        raise ValueError(f"can't tree-flatten type: {type(tree)}")
    return level


def keystr(keys: Sequence[Any], *, simple: bool = False, separator: str = "") -> str:
    """A key path as text.

    Args:
      keys: the path, as `tree_flatten_with_path` gives it.
      simple: only the keys, without brackets and quotes.
      separator: text between the entries.

    Example:
      >>> path, leaf = jax.tree.leaves_with_path({"a": [1]})[0]
      >>> jax.tree_util.keystr(path), jax.tree_util.keystr(path, simple=True, separator="/")
      ("['a'][0]", 'a/0')
    """
    return separator.join(map(_simple_text if simple else str, keys))


def _simple_text(key: Any) -> str:
    if isinstance(key, (SequenceKey, DictKey, GetAttrKey, FlattenedIndexKey)):
        return str(getattr(key, key.__match_args__[0]))
    return str(key)
