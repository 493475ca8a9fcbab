"""Pytrees for the rest of the library: native where it was built, pure Python otherwise.

The environment variable SABLE_PURE_PYTHON=1 chooses pure Python. The public interface is `sable.tree_util`.

Interface for other modules: `flatten`, `leaves`, `structure`, `flatten_call`, `signature`, `treedef_tuple`,
`register_node`, `register_dataclass_node`, `broadcast_prefix`, `flatten_axes`, `prefix_errors`,
`equality_errors`, `treedef_differences`, `default_registry`, `none_leaf_registry`, `PyTreeDef`. Transformations flatten by
`sable.pytree.arrays`.
"""

from __future__ import annotations

import collections
import copyreg
import importlib
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sable.pytree import errors, pure
from sable.pytree.keys import DictKey


def _implementation() -> Any:
    if os.environ.get("SABLE_PURE_PYTHON") == "1":
        return pure
    try:
        return importlib.import_module("sable._native")
    except ModuleNotFoundError as error:
        # A module that is there but does not load is a broken installation: slowness would hide it.
        if error.name != "sable._native":
            raise
        return pure


implementation = _implementation()
#: Whether pytrees and signatures run in C++.
native: bool = implementation is not pure

PyTreeDef = implementation.PyTreeDef
PyTreeDef.__doc__ = pure.PyTreeDef.__doc__
PyTreeRegistry = implementation.PyTreeRegistry

#: The registry of the public interface: None is a node without children.
default_registry = PyTreeRegistry(name="default_registry")
#: The same with None as a leaf, for trees of axes.
none_leaf_registry = PyTreeRegistry(none_is_leaf=True, name="none_leaf_registry")
#: The same with nodes that users see as leaves; see `sable.pytree.arrays`.
array_registry = PyTreeRegistry(name="array_registry")
_REGISTRIES = (default_registry, none_leaf_registry, array_registry)

flatten = default_registry.flatten
leaves = default_registry.leaves
structure = default_registry.structure
flatten_call = default_registry.flatten_call
signature = implementation.signature


def restore_registry(name: str) -> Any:
    """The registry that was pickled under that name."""
    return {registry.name: registry for registry in _REGISTRIES}[name]


def restore_treedef(registry: Any, state: Iterable[tuple]) -> Any:
    """The tree definition that was pickled as that state."""
    return PyTreeDef.from_state(registry, state)


def _reduced_registry(registry: Any) -> tuple:
    if registry.name is None:
        raise TypeError("a PyTreeRegistry without a name cannot be pickled")
    return restore_registry, (registry.name,)


def _reduced_treedef(treedef: Any) -> tuple:
    return restore_treedef, (treedef.registry, treedef.state())


# here, above both implementations, so that either reads what the other wrote
copyreg.pickle(PyTreeRegistry, _reduced_registry)
copyreg.pickle(PyTreeDef, _reduced_treedef)


def treedef_tuple(treedefs: Iterable[Any]) -> Any:
    """The structure of a tuple of trees of the given structures."""
    return implementation.treedef_tuple(default_registry, treedefs)


def register_node(
    node_type: type,
    to_iterable: Callable[[Any], tuple[Iterable, Any]],
    from_iterable: Callable[[Any, Iterable], Any],
    to_iterable_with_keys: Callable[[Any], tuple[Iterable, Any]] | None = None,
) -> None:
    """Makes a class a pytree node; see `sable.tree_util.register_pytree_node`."""
    for registry in _REGISTRIES:
        registry.register_node(node_type, to_iterable, from_iterable, to_iterable_with_keys)


def register_dataclass_node(node_type: type, data_fields: Iterable[str], meta_fields: Iterable[str]) -> None:
    """Makes a class a pytree node by its attributes; see `sable.tree_util.register_dataclass`."""
    data_fields, meta_fields = tuple(data_fields), tuple(meta_fields)
    for registry in _REGISTRIES:
        registry.register_dataclass_node(node_type, data_fields, meta_fields)
    errors.DATA_FIELDS[node_type] = data_fields


def _ordered_dict_with_keys(tree: collections.OrderedDict) -> tuple:
    return tuple((DictKey(key), value) for key, value in tree.items()), tuple(tree)


def _default_dict_keys(tree: collections.defaultdict) -> tuple:
    return default_registry.flatten_one_level(dict(tree))[1]


def _default_dict_with_keys(tree: collections.defaultdict) -> tuple:
    keys = _default_dict_keys(tree)
    return tuple((DictKey(key), tree[key]) for key in keys), (tree.default_factory, keys)


def _flatten_default_dict(tree: collections.defaultdict) -> tuple:
    keys = _default_dict_keys(tree)
    return tuple(tree[key] for key in keys), (tree.default_factory, keys)


register_node(
    collections.OrderedDict,
    lambda tree: (tuple(tree.values()), tuple(tree)),
    lambda keys, values: collections.OrderedDict(zip(keys, values, strict=True)),
    _ordered_dict_with_keys,
)
register_node(
    collections.defaultdict,
    _flatten_default_dict,
    lambda data, values: collections.defaultdict(data[0], zip(data[1], values, strict=True)),
    _default_dict_with_keys,
)


def prefix_errors(
    prefix_tree: Any, full_tree: Any, is_leaf: Callable[[Any], bool] | None = None
) -> list[Callable[[str], ValueError]]:
    """Why one tree is not a prefix of another: for each place a function from the tree's name to an error."""
    return list(errors.prefix_errors(default_registry, (), prefix_tree, full_tree, is_leaf))


def equality_errors(
    tree1: Any, tree2: Any, is_leaf: Callable[[Any], bool] | None = None
) -> Iterator[tuple[tuple, str, str, str]]:
    """(path, what is in the first tree, what in the second, explanation) wherever their structures differ."""
    return treedef_differences(structure(tree1, is_leaf), structure(tree2, is_leaf))


def treedef_differences(treedef1: Any, treedef2: Any) -> Iterator[tuple[tuple, str, str, str]]:
    """The same for two structures."""
    return errors.treedef_differences((), treedef1, treedef2)


def mismatch_explainer(name: str) -> Callable[[Any, Any, Any], ValueError | None]:
    """For `PyTreeRegistry.map`: gives the error that says where two trees part; `name` is the first."""

    def explain(tree: Any, other: Any, is_leaf: Any) -> ValueError | None:
        found = errors.prefix_errors(default_registry, (), tree, other, is_leaf)
        for error in found:
            return error(name)
        return None

    return explain


_explain_broadcast = mismatch_explainer("broadcast_prefix prefix_tree")


def broadcast_prefix(prefix_tree: Any, full_tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> list[Any]:
    """The leaves of a prefix, each repeated for all leaves of the subtree of `full_tree` at its place.

    Arguments:
      prefix_tree: a tree that `full_tree` agrees with down to the prefix's leaves.
      full_tree: any tree.
      is_leaf: stops the descent into `prefix_tree` where it gives True.

    Returns:
      a list as long as the list of leaves of `full_tree`.

    Raises:
      ValueError: `prefix_tree` is no prefix; says where.

    >>> broadcast_prefix((0, None), ([1, 2], {"a": 3}), is_leaf=lambda x: x is None)
    [0, 0, None]
    """
    result: list[Any] = []

    def repeat(leaf: Any, subtree: Any) -> None:
        result.extend([leaf] * structure(subtree).num_leaves)

    default_registry.map(repeat, prefix_tree, (full_tree,), is_leaf, _explain_broadcast)
    return result


def _broadcast_structure(remaining: Iterator, prefix: Any, full: Any, result: list) -> bool:
    """Repeats the leaves of a prefix along a structure; False where it is no prefix."""
    if prefix.num_nodes == 1 and prefix.num_leaves == 1:
        result.extend([next(remaining)] * full.num_leaves)
        return True
    if prefix.node_data() != full.node_data():
        return False
    prefix_children, full_children = prefix.children(), full.children()
    if len(prefix_children) != len(full_children):
        return False
    return all(
        _broadcast_structure(remaining, prefix_child, full_child, result)
        for prefix_child, full_child in zip(prefix_children, full_children)
    )


def flatten_axes(name: str, treedef: Any, axis_tree: Any, *, kws: bool = False, tupled_args: bool = False) -> list[Any]:
    """The axis of each leaf, from a tree of axes that is a prefix of the structure; None is an axis.

    Arguments:
      name: what the axes are, for errors, such as "vmap in_axes".
      treedef: the structure of the values.
      axis_tree: ints, Nones or other leaves in containers.
      kws: both are of pairs (positional, keyword arguments); errors then speak of the former.
      tupled_args: the structure is that of an argument list; errors then say that it is a tuple.

    Returns:
      a list of `treedef.num_leaves` axes.

    Raises:
      ValueError: `axis_tree` is no prefix; says where.

    >>> flatten_axes("vmap in_axes", structure((1, {"a": 2, "b": 3})), (None, 0))
    [None, 0, 0]
    """
    axes, axis_treedef = none_leaf_registry.flatten(axis_tree)
    result: list[Any] = []
    if _broadcast_structure(iter(axes), axis_treedef, treedef, result):
        return result
    if kws:
        treedef, axis_tree = treedef.children()[0], axis_tree[0]
    raise ValueError(errors.axes_message(default_registry, name, treedef, axis_tree, tupled_args))
