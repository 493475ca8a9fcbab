"""Messages on pytrees that do not match: where they part, and what is there on either side."""

from __future__ import annotations

import collections
import difflib
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

from sable.pytree.keys import DictKey, FlattenedIndexKey, GetAttrKey, SequenceKey

PrefixError = Callable[[str], ValueError]
Path = tuple[Any, ...]

#: The children's attribute names of types that were registered as dataclasses: they name places in messages.
DATA_FIELDS: dict[type, tuple[str, ...]] = {}


def _place(name: str, path: Path) -> str:
    return name + "".join(map(str, path))


def _error(title: str, path: Path, prefix_has: str, full_has: str, remark: str = "") -> PrefixError:
    """A function from the tree's name to the error: the name is known to the caller only."""

    def make(name: str) -> ValueError:
        place = _place(name, path)
        return ValueError(
            f"pytree structure error: {title} at key path\n"
            f"    {place}\n"
            f"There the prefix pytree {name} has\n"
            f"{textwrap.indent(prefix_has, '    ')}\n"
            f"but the full pytree has\n"
            f"{textwrap.indent(full_has, '    ')}" + (f"\n{remark}" if remark else "")
        )

    return make


def _describe_keys(keys: Path) -> str:
    """The keys as the user wrote them."""
    return ", ".join(str(getattr(key, getattr(key, "__match_args__", ("",))[0], key)) for key in keys)


def _key_difference(keys1: Path, keys2: Path) -> str:
    """The keys that only one side has, in order of appearance."""
    only = [key for key in keys1 if key not in keys2] + [key for key in keys2 if key not in keys1]
    return _describe_keys(tuple(only))


def _children_error(path: Path, tree: Any, keys: Path, full_keys: Path) -> PrefixError:
    if isinstance(tree, (list, tuple)):
        name = type(tree).__name__
        return _error(
            f"different lengths of {name}",
            path,
            f"a {name} of length {len(keys)}",
            f"a {name} of length {len(full_keys)}.",
        )
    difference = _key_difference(keys, full_keys)
    return _error(
        "different numbers of pytree children",
        path,
        f"a {type(tree)} with {len(keys)} child keys: {_describe_keys(keys)}",
        f"one with {len(full_keys)} child keys: {_describe_keys(full_keys)}",
        f"Only one of them has: {difference}" if difference else "",
    )


def _metadata_error(path: Path, tree: Any, metadata: Any, full_metadata: Any) -> PrefixError:
    lines, full_lines = str(metadata).splitlines(), str(full_metadata).splitlines()
    difference = "\n".join(line.rstrip("\n") for line in difflib.ndiff(lines, full_lines))
    return _error(
        "different pytree metadata",
        path,
        f"a {type(tree)} with metadata\n{metadata}",
        f"one with metadata\n{full_metadata}",
        f"The difference of the metadata is\n{textwrap.indent(difference, '    ')}",
    )


def prefix_errors(
    registry: Any, path: Path, prefix_tree: Any, full_tree: Any, is_leaf: Callable[[Any], bool] | None
) -> Iterator[PrefixError]:
    """Where a tree is no prefix of another: functions from its name to an error, from the top down.

    Arguments:
      registry: decides what is a node.
      path: the keys that lead here.
      prefix_tree, full_tree: the trees.
      is_leaf: makes nodes of the prefix leaves.
    """
    if is_leaf is not None and is_leaf(prefix_tree):
        return
    prefix_level = registry.flatten_one_level_with_keys(prefix_tree)
    if prefix_level is None:
        return
    if type(prefix_tree) is not type(full_tree):
        yield _error(
            "different types",
            path,
            f"a subtree of type {type(prefix_tree)}",
            f"a subtree of a different type, {type(full_tree)}.",
        )
        return
    full_level = registry.flatten_one_level_with_keys(full_tree)
    pairs, full_pairs = tuple(prefix_level[0]), tuple(full_level[0])
    keys, full_keys = tuple(key for key, _ in pairs), tuple(key for key, _ in full_pairs)
    if len(keys) != len(full_keys):
        yield _children_error(path, prefix_tree, keys, full_keys)
        return
    if prefix_level[1] is not full_level[1] and prefix_level[1] != full_level[1]:
        yield _metadata_error(path, prefix_tree, prefix_level[1], full_level[1])
        return
    for (key, child), (_, full_child) in zip(pairs, full_pairs):
        yield from prefix_errors(registry, (*path, key), child, full_child, is_leaf)


def _keys_of(treedef: Any, count: int) -> Path:
    node_type, data = treedef.node_data()
    if node_type in (dict, collections.OrderedDict):
        return tuple(map(DictKey, data))
    if node_type is collections.defaultdict:
        return tuple(map(DictKey, data[1]))
    if node_type in (tuple, list):
        return tuple(map(SequenceKey, range(count)))
    names = DATA_FIELDS.get(node_type, getattr(node_type, "_fields", ()))
    if len(names) == count:
        return tuple(map(GetAttrKey, names))
    return tuple(map(FlattenedIndexKey, range(count)))


def _counted(node_type: type, count: int) -> str:
    if issubclass(node_type, (tuple, list)):
        return f"{node_type.__name__} of length {count}"
    return f"{node_type} with {count} child{'' if count == 1 else 'ren'}"


def treedef_differences(path: Path, treedef1: Any, treedef2: Any) -> Iterator[tuple[Path, str, str, str]]:
    """(path, what is in the first structure, what in the second, explanation) wherever two structures differ.

    >>> from sable import tree_util
    >>> trees = map(tree_util.tree_structure, ([1, (2, 3)], [1, (2,)]))
    >>> list(treedef_differences((), *trees))
    [((SequenceKey(idx=1),), 'tuple of length 2', 'tuple of length 1', 'the lengths do not match')]
    """
    # A leaf has no node data.
    type1, data1 = treedef1.node_data() or (None, None)
    type2, data2 = treedef2.node_data() or (None, None)
    if type1 is None and type2 is None:
        return
    if type1 is None or type2 is None or type1 is not type2:
        thing1, thing2 = str(type1 or "pytree leaf"), str(type2 or "pytree leaf")
        yield path, thing1, thing2, "their Python types differ"
        return
    children1, children2 = treedef1.children(), treedef2.children()
    keys1, keys2 = _keys_of(treedef1, len(children1)), _keys_of(treedef2, len(children2))
    if len(children1) != len(children2):
        explanation = "the lengths do not match"
        if not issubclass(type1, (tuple, list)):
            difference = _key_difference(keys1, keys2)
            explanation = "the numbers of children do not match"
            explanation += f", with the symmetric difference of key sets: {{{difference}}}" if difference else ""
        yield path, _counted(type1, len(children1)), _counted(type2, len(children2)), explanation
        return
    if data1 is not data2 and data1 != data2:
        has = f"{type1} with pytree metadata"
        shown1, shown2 = (tuple(data) if isinstance(data, list) else data for data in (data1, data2))  # keys of a dict
        yield path, f"{has} {shown1}", f"{has} {shown2}", "the pytree node metadata does not match"
        return
    for key, child1, child2 in zip(keys1, children1, children2):
        yield from treedef_differences((*path, key), child1, child2)


class _PytreeLeaf:
    """Stands for any leaf in messages."""

    def __repr__(self) -> str:
        return "pytree leaf"


def _is_none(value: Any) -> bool:
    return value is None


def axes_message(registry: Any, name: str, treedef: Any, axis_tree: Any, tupled_args: bool) -> str:
    """Why a tree of axes is no prefix of a structure, and how that may be mended."""
    try:
        example = treedef.unflatten([_PytreeLeaf()] * treedef.num_leaves)
    except Exception as error:
        # A user's class that refuses such leaves: its own error says more than one without a place.
        return (
            f"{name} specification must be a tree prefix of the corresponding value {treedef}, "
            f"got {axis_tree!r} (no details: rebuilding the value raised {type(error).__name__}: {error})"
        )

    def mismatches(tree: Any) -> list[str]:
        return [str(make(name)) for make in prefix_errors(registry, (), tree, example, _is_none)]

    hint = ""
    if tupled_args:
        hint = f" If {name} is not one axis for everything, it is a tuple with an entry for each argument."
        if len(treedef.children()) == 1 and not mismatches((axis_tree,)):
            hint += f" With a single argument, {name} might need to be wrapped in a singleton tuple: (axes,)."
    details = mismatches(axis_tree)
    listed = "\n".join(textwrap.indent(detail, "  ") for detail in details)
    return (
        f"{name} specification must be a tree prefix of the corresponding value;{hint}\n"
        f"  Mismatch details ({len(details)} found):\n{listed}"
    )
