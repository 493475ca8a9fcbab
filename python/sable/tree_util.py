"""Pytrees: nested containers as arguments and results (the interface of `jax.tree_util`).

A pytree is a leaf, or a container of pytrees: tuple, list, dict (in the order of its sorted keys), named tuple,
None (a container of nothing), OrderedDict, defaultdict, or a class registered here. Everything else is a leaf.
"""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, TypeVar

from sable import _tree
from sable._tree import PyTreeDef, default_registry
from sable._tree_keys import DictKey, FlattenedIndexKey, GetAttrKey, SequenceKey

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
Class = TypeVar("Class", bound=type)

#: No argument was given where None may be one.
_MISSING: Any = type("Missing", (), {"__repr__": lambda _: "<missing>"})()

_explain_map = _tree.mismatch_explainer("tree_map tree")
_explain_map_with_path = _tree.mismatch_explainer("tree_map_with_path tree")


def tree_flatten(tree: Any, is_leaf: IsLeaf = None) -> tuple[list[Any], Any]:
    """The leaves of a tree, from left to right, and its structure.

    Arguments:
      tree: a pytree.
      is_leaf: gets every subtree; True makes it a leaf.

    Returns:
      (list of leaves, PyTreeDef); `tree_unflatten` is the inverse.

    Raises:
      ValueError: the keys of a dict cannot be sorted, or a registered class gave no (children, data).
      RecursionError: the tree contains itself.

    >>> tree_flatten({"b": (1, None), "a": 2})
    ([2, 1], PyTreeDef({'a': *, 'b': (*, None)}))
    """
    return default_registry.flatten(tree, is_leaf)


def tree_unflatten(treedef: Any, leaves: Iterable[Any]) -> Any:
    """The tree of that structure with these leaves.

    Arguments:
      treedef: a PyTreeDef.
      leaves: iterable of as many objects as the structure has leaves.

    Raises:
      ValueError: too few or too many leaves.

    >>> tree_unflatten(tree_structure([0, (0, 0)]), "abc")
    ['a', ('b', 'c')]
    """
    return treedef.unflatten(leaves)


def tree_leaves(tree: Any, is_leaf: IsLeaf = None) -> list[Any]:
    """The leaves of a tree, as `tree_flatten` gives them.

    >>> tree_leaves([1, (2, None)])
    [1, 2]
    """
    return default_registry.leaves(tree, is_leaf)


def tree_structure(tree: Any, is_leaf: IsLeaf = None) -> Any:
    """The structure of a tree, as `tree_flatten` gives it.

    >>> tree_structure([1, (2, None)])
    PyTreeDef([*, (*, None)])
    """
    return default_registry.structure(tree, is_leaf)


def tree_map(f: Callable[..., Any], tree: Any, *rest: Any, is_leaf: IsLeaf = None) -> Any:
    """Applies a function to the leaves of a tree, together with what further trees have there.

    Arguments:
      f: takes a leaf of `tree` and a subtree of each further tree.
      tree: a pytree; the result has its structure.
      rest: trees that agree with `tree` down to its leaves.
      is_leaf: gets every subtree of `tree`; True makes it a leaf.

    Raises:
      ValueError: `tree` is not a prefix of a further tree; says where.

    >>> tree_map(lambda x, y: x + y, {"a": 1, "b": (2,)}, {"a": 10, "b": (20,)})
    {'a': 11, 'b': (22,)}
    """
    return default_registry.map(f, tree, rest, is_leaf, _explain_map)


def tree_reduce(
    function: Callable[[Any, Any], Any], tree: Any, initializer: Any = _MISSING, is_leaf: IsLeaf = None
) -> Any:
    """Folds the leaves of a tree from left to right.

    Arguments:
      function: takes the value so far and a leaf.
      tree: a pytree.
      initializer: the first value; by default the first leaf.
      is_leaf: as in `tree_flatten`.

    Raises:
      TypeError: no leaves and no initializer.

    >>> tree_reduce(lambda total, leaf: total + leaf, [1, (2, 3)], 10)
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

    Arguments:
      operation: associative; its result is not specified otherwise.
      tree: a pytree.
      identity: the result for a tree without leaves.
      is_leaf: as in `tree_flatten`.

    Raises:
      TypeError: no leaves and no identity.

    >>> tree_reduce_associative(lambda a, b: f"({a}{b})", list("abcd"))
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

    >>> tree_all([True, {"a": 1}]), tree_all([True, False]), tree_all(())
    (True, False, True)
    """
    return all(tree_leaves(tree, is_leaf))


def tree_transpose(outer_treedef: Any, inner_treedef: Any, pytree_to_transpose: Any) -> Any:
    """Turns a tree of trees inside out.

    Arguments:
      outer_treedef: the structure of the outer tree.
      inner_treedef: that of each of its elements; None takes it from the first one.
      pytree_to_transpose: a tree of the composed structure.

    Returns:
      a tree of structure `inner_treedef` whose elements have structure `outer_treedef`.

    Raises:
      TypeError: the number of leaves is not the product of those of the structures.

    >>> tree_transpose(tree_structure([0, 0]), tree_structure((0, 0)), [(1, 2), (3, 4)])
    ([1, 3], [2, 4])
    """
    leaves, treedef = tree_flatten(pytree_to_transpose)
    if inner_treedef is None:
        inner_treedef = tree_structure(outer_treedef.flatten_up_to(pytree_to_transpose)[0])
    width = inner_treedef.num_leaves
    if treedef.num_leaves != width * outer_treedef.num_leaves:
        expected = outer_treedef.compose(inner_treedef)
        raise TypeError(
            f"Mismatch: expected a tree of structure\n{expected}\nbut got one of structure\n{treedef}"
        )
    columns = [outer_treedef.unflatten(leaves[column::width]) for column in range(width)]
    return inner_treedef.unflatten(columns)


def tree_broadcast(prefix_tree: Any, full_tree: Any, is_leaf: IsLeaf = None) -> Any:
    """Spreads the leaves of a prefix over the subtrees that a full tree has in their places.

    Arguments:
      prefix_tree: agrees with `full_tree` down to its own leaves.
      full_tree: a pytree; the result has its structure.
      is_leaf: gets every subtree of `prefix_tree`; True makes it a leaf.

    Raises:
      ValueError: `prefix_tree` is no prefix of `full_tree`; says where.

    >>> tree_broadcast({"a": 0, "b": 1}, {"a": "x", "b": ["y", "z"]})
    {'a': 0, 'b': [1, 1]}
    """
    return tree_structure(full_tree).unflatten(_tree.broadcast_prefix(prefix_tree, full_tree, is_leaf))


def tree_flatten_with_path(
    tree: Any, is_leaf: Callable[..., bool] | None = None, is_leaf_takes_path: bool = False
) -> tuple[list[tuple[KeyPath, Any]], Any]:
    """The leaves of a tree with their key paths, and its structure.

    Arguments:
      tree: a pytree.
      is_leaf: gets every subtree; True makes it a leaf.
      is_leaf_takes_path: `is_leaf` gets a key path and a subtree.

    Returns:
      (list of pairs (path, leaf), PyTreeDef).

    >>> [(keystr(path), leaf) for path, leaf in tree_flatten_with_path({"a": [1, 2]})[0]]
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

    >>> tree_leaves_with_path([5])
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

    Arguments:
      f: takes a key path, a leaf of `tree` and a subtree of each further tree.
      tree, rest, is_leaf: as in `tree_map`.
      is_leaf_takes_path: `is_leaf` gets a key path and a subtree.

    Raises:
      ValueError: `tree` is not a prefix of a further tree; says where.

    >>> tree_map_with_path(lambda path, leaf: f"{keystr(path)}={leaf}", {"a": 1})
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

    >>> treedef_tuple([tree_structure([1]), tree_structure(2)])
    PyTreeDef(([*], *))
    """
    return _tree.treedef_tuple(treedefs)


def treedef_children(treedef: Any) -> list[Any]:
    """The structures of the root's children.

    >>> treedef_children(tree_structure([1, (2, 3)]))
    [PyTreeDef(*), PyTreeDef((*, *))]
    """
    return treedef.children()


def treedef_is_leaf(treedef: Any) -> bool:
    """Whether a structure has a single node: a leaf, or a container of nothing.

    >>> treedef_is_leaf(tree_structure(1)), treedef_is_leaf(tree_structure([1]))
    (True, False)
    """
    return treedef.num_nodes == 1


def all_leaves(iterable: Iterable[Any], is_leaf: IsLeaf = None) -> bool:
    """Whether every element of an iterable is a leaf.

    Arguments:
      iterable: of any objects.
      is_leaf: makes an object a leaf where it gives True.

    >>> all_leaves([1, "a"]), all_leaves([1, (2,)])
    (True, False)
    """
    if is_leaf is None:
        return default_registry.all_leaves(iterable)
    items = list(iterable)
    leaves = tree_leaves(items, is_leaf)
    return len(leaves) == len(items) and all(map(operator.is_, items, leaves))


def is_tree_node(typ: type) -> bool:
    """Whether instances of a class are containers of pytrees.

    >>> is_tree_node(dict), is_tree_node(int)
    (True, False)
    """
    return default_registry.is_node(typ)


def flatten_one_level(tree: Any) -> tuple[Iterable[Any], Hashable]:
    """The children of a container and its data: what is left of it without them.

    Raises:
      ValueError: a leaf.

    >>> flatten_one_level({"b": [1, 2], "a": 3})
    ((3, [1, 2]), ('a', 'b'))
    """
    level = default_registry.flatten_one_level(tree)
    if level is None:
        raise ValueError(f"can't tree-flatten type: {type(tree)}")
    return level


def flatten_one_level_with_keys(tree: Any) -> tuple[Iterable[tuple[Any, Any]], Hashable]:
    """The same with pairs (key, child).

    Raises:
      ValueError: a leaf.

    >>> flatten_one_level_with_keys([7])
    (((SequenceKey(idx=0), 7),), None)
    """
    level = default_registry.flatten_one_level_with_keys(tree)
    if level is None:
        raise ValueError(f"can't tree-flatten type: {type(tree)}")
    return level


def keystr(keys: Sequence[Any], *, simple: bool = False, separator: str = "") -> str:
    """A key path as text.

    Arguments:
      keys: the path, as `tree_flatten_with_path` gives it.
      simple: only the keys, without brackets and quotes.
      separator: text between the entries.

    >>> path = (DictKey("a"), SequenceKey(0), GetAttrKey("x"))
    >>> keystr(path), keystr(path, simple=True, separator="/")
    ("['a'][0].x", 'a/0/x')
    """
    return separator.join(map(_simple_text if simple else str, keys))


def _simple_text(key: Any) -> str:
    if isinstance(key, (SequenceKey, DictKey, GetAttrKey, FlattenedIndexKey)):
        return str(getattr(key, key.__match_args__[0]))
    return str(key)


def register_pytree_node(
    nodetype: type,
    flatten_func: Callable[[Any], tuple[Iterable[Any], Hashable]],
    unflatten_func: Callable[[Any, Any], Any],
    flatten_with_keys_func: Callable[[Any], tuple[Iterable[tuple[Any, Any]], Hashable]] | None = None,
) -> None:
    """Makes the instances of a class (not of its subclasses) containers.

    Arguments:
      nodetype: the class.
      flatten_func: from an instance to (children, data); the data is compared, and hashed where it can be, by
        `jit`, and no arrays may be in it.
      unflatten_func: from the data and a tuple of children to an instance. The children can be any objects.
      flatten_with_keys_func: like `flatten_func` with pairs (key, child), for key paths.

    Raises:
      ValueError: the class is registered already.
      TypeError: not a class, or not functions.

    >>> class Pair:
    ...     def __init__(self, left, right):
    ...         self.left, self.right = left, right
    >>> register_pytree_node(Pair, lambda p: ((p.left, p.right), None), lambda _, children: Pair(*children))
    >>> tree_leaves(Pair(1, [2, 3]))
    [1, 2, 3]
    """
    _tree.register_node(nodetype, flatten_func, unflatten_func, flatten_with_keys_func)


def register_pytree_node_class(cls: Class) -> Class:
    """Decorator: `register_pytree_node` with the methods `tree_flatten` and (of the class) `tree_unflatten`.

    >>> @register_pytree_node_class
    ... class Box:
    ...     def __init__(self, content):
    ...         self.content = content
    ...     def tree_flatten(self):
    ...         return (self.content,), None
    ...     @classmethod
    ...     def tree_unflatten(cls, data, children):
    ...         return cls(*children)
    >>> tree_map(lambda x: x + 1, Box(1)).content
    2
    """
    register_pytree_node(cls, operator.methodcaller("tree_flatten"), cls.tree_unflatten)  # type: ignore[attr-defined]
    return cls


def register_pytree_with_keys(
    nodetype: type,
    flatten_with_keys: Callable[[Any], tuple[Iterable[tuple[Any, Any]], Hashable]],
    unflatten_func: Callable[[Any, Any], Any],
    flatten_func: Callable[[Any], tuple[Iterable[Any], Hashable]] | None = None,
) -> None:
    """Makes the instances of a class containers whose children have keys.

    Arguments:
      nodetype: the class.
      flatten_with_keys: from an instance to (pairs (key, child), data).
      unflatten_func: from the data and a tuple of children to an instance.
      flatten_func: the same as `flatten_with_keys` without keys, faster.

    Raises:
      ValueError: the class is registered already.

    >>> class Named:
    ...     def __init__(self, value):
    ...         self.value = value
    >>> register_pytree_with_keys(
    ...     Named, lambda n: (((GetAttrKey("value"), n.value),), None), lambda _, children: Named(*children)
    ... )
    >>> keystr(tree_leaves_with_path(Named(3))[0][0])
    '.value'
    """

    def without_keys(tree: Any) -> tuple[list[Any], Hashable]:
        pairs, data = flatten_with_keys(tree)
        return [child for _, child in pairs], data

    register_pytree_node(nodetype, flatten_func or without_keys, unflatten_func, flatten_with_keys)


def register_pytree_with_keys_class(cls: Class) -> Class:
    """Decorator: `register_pytree_with_keys` with `tree_flatten_with_keys`, `tree_unflatten`, `tree_flatten`.

    The class has methods `tree_flatten_with_keys` and perhaps `tree_flatten`, and a class method `tree_unflatten`.

    >>> @register_pytree_with_keys_class
    ... class Point:
    ...     def __init__(self, x):
    ...         self.x = x
    ...     def tree_flatten_with_keys(self):
    ...         return ((GetAttrKey("x"), self.x),), None
    ...     @classmethod
    ...     def tree_unflatten(cls, data, children):
    ...         return cls(*children)
    >>> tree_leaves_with_path(Point(1))
    [((GetAttrKey(name='x'),), 1)]
    """
    register_pytree_with_keys(
        cls,
        operator.methodcaller("tree_flatten_with_keys"),
        cls.tree_unflatten,  # type: ignore[attr-defined]
        operator.methodcaller("tree_flatten") if hasattr(cls, "tree_flatten") else None,
    )
    return cls


def _dataclass_fields(nodetype: type, data_fields: Any, meta_fields: Any) -> tuple[tuple, tuple]:
    """The fields as given, or as a dataclass declares them."""
    if data_fields is not None and meta_fields is not None:
        return tuple(data_fields), tuple(meta_fields)
    if data_fields is not None or meta_fields is not None:
        raise TypeError(
            "register_dataclass: data_fields and meta_fields must both be specified when either is, "
            f"got {data_fields=}, {meta_fields=}."
        )
    if not dataclasses.is_dataclass(nodetype):
        raise TypeError(
            "register_dataclass: data_fields and meta_fields are required when nodetype is not a dataclass, "
            f"got {nodetype=}."
        )
    fields = dataclasses.fields(nodetype)
    static = {field.name: bool(field.metadata.get("static", False)) for field in fields}
    return (
        tuple(name for name in static if not static[name]),
        tuple(name for name in static if static[name]),
    )


def register_dataclass(
    nodetype: Class,
    data_fields: Sequence[str] | None = None,
    meta_fields: Sequence[str] | None = None,
    drop_fields: Sequence[str] = (),
) -> Class:
    """Makes the instances of a dataclass containers of their fields; may be used as a decorator.

    Arguments:
      nodetype: a dataclass, or a class whose constructor takes all fields as keywords.
      data_fields: names of the fields that are children. By default, for a dataclass, those that are not
        declared static: `sable.tree.static()`, or `dataclasses.field(metadata=dict(static=True))`.
      meta_fields: names of the fields that are data: hashable, compared by `jit`.
      drop_fields: fields of a dataclass that are left out (they get their defaults).

    Returns:
      the class.

    Raises:
      TypeError: only one of the lists was given, or none for a class that is no dataclass.
      ValueError: the lists overlap or are not the dataclass's fields; the class is registered already.

    >>> @register_dataclass
    ... @dataclasses.dataclass
    ... class Layer:
    ...     weight: float
    ...     name: str = dataclasses.field(default="dense", metadata=dict(static=True))
    >>> tree_flatten(Layer(2.0))
    ([2.0], PyTreeDef(CustomNode(Layer[('dense',)], [*])))
    """
    data, meta = _dataclass_fields(nodetype, data_fields, meta_fields)
    if dataclasses.is_dataclass(nodetype):
        _check_dataclass_fields(nodetype, {*data, *meta}, drop_fields)
    overlap = sorted({*data} & {*meta})
    if overlap:
        raise ValueError(f"data_fields and meta_fields must not overlap. Overlapping fields: {overlap}.")
    _tree.register_dataclass_node(nodetype, data, meta)
    return nodetype


def _check_dataclass_fields(nodetype: Any, given: set[str], drop_fields: Sequence[str]) -> None:
    wanted = {field.name for field in dataclasses.fields(nodetype) if field.init} - {*drop_fields}
    if given == wanted:
        return
    message = (
        "data_fields and meta_fields must include all dataclass fields with ``init=True`` and only them."
    )
    missing, unexpected = sorted(wanted - given), sorted(given - wanted)
    if missing:
        message += f" Missing fields: {missing} (drop_fields may name them)."
    if unexpected:
        message += f" Unexpected fields: {unexpected}."
    raise ValueError(message)


def register_static(cls: Class) -> Class:
    """Decorator: makes the instances of a hashable class containers of nothing, known to `jit` when it compiles.

    >>> @register_static
    ... class Mode(str):
    ...     pass
    >>> tree_flatten(Mode("train"))
    ([], PyTreeDef(CustomNode(Mode[train], [])))
    """
    _tree.register_node(cls, lambda instance: ((), instance), lambda instance, _: instance)
    return cls


class _Whole:
    """A `functools.partial` as a function without parts.

    `functools.partial` merges with a partial that it is given, and then one could not tell whose arguments are
    leaves.
    """

    __slots__ = ("function",)

    def __init__(self, function: functools.partial) -> None:
        self.function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def __eq__(self, other: object) -> bool:
        return self.function == (other.function if isinstance(other, _Whole) else other)

    def __hash__(self) -> int:
        return hash(self.function)

    def __repr__(self) -> str:
        return repr(self.function)


class Partial(functools.partial):
    """A `functools.partial` that is a container of its arguments, so that it can be passed to `jit`, `vmap` …

    Arguments:
      func: a function; compared by `==` where structures are compared.
      args, kw: its first arguments; pytrees.

    >>> half = Partial(lambda divisor, x: x / divisor, 2.0)
    >>> half(3.0), tree_leaves(half)
    (1.5, [2.0])
    """

    def __new__(cls, func: Callable[..., Any], *args: Any, **kw: Any) -> Partial:
        if isinstance(func, functools.partial):
            func = _Whole(func)
        return super().__new__(cls, func, *args, **kw)


_tree.register_node(
    Partial,
    lambda partial: ((partial.args, partial.keywords), partial.func),
    lambda func, children: Partial(func, *children[0], **children[1]),
)
