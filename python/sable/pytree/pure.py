"""Pytrees in pure Python: the fallback for `sable._native`, with the same interface, results and messages.

A `PyTreeDef` is a tuple of nodes `(kind, arity, data, type)` in post-order: children before their parent, the
root last. Kinds and this layout are the pickle format of both implementations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from sable.pytree.keys import DictKey, FlattenedIndexKey, GetAttrKey, SequenceKey
from sable.pytree.nodes import (
    BUILT_IN,
    CUSTOM,
    DATACLASS,
    DICT,
    LEAF,
    LIST,
    NAMED_TUPLE,
    NONE,
    TUPLE,
    TYPE_OF_KIND,
    Node,
    Registration,
    attributes,
    call_to_iterable,
    check_node,
    children_matching,
    hashable,
    is_pair,
    named_tuple_fields,
    node_repr,
    pop,
    sorted_keys,
)


class PyTreeRegistry:
    """The container types that a family of pytree functions knows.

    Arguments:
      none_is_leaf: whether None is a leaf and not a node without children.
      name: the name in `sable.pytree.registry` under which pickles find the registry.
    """

    __slots__ = ("__weakref__", "_none_is_leaf", "_registrations", "name")

    def __init__(self, none_is_leaf: bool = False, name: str | None = None) -> None:
        self._none_is_leaf = none_is_leaf
        self._registrations: dict[type, Registration] = {}
        self.name = name

    def _add(self, node_type: type, registration: Registration) -> None:
        if not isinstance(node_type, type):
            raise TypeError(f"a pytree node type must be a class, got {node_type!r}")
        if node_type in BUILT_IN or node_type in self._registrations:
            what = "custom dataclass" if registration.kind == DATACLASS else "custom"
            raise ValueError(
                f"Duplicate {what} PyTreeDef type registration for {node_type!r}: a type can be registered once."
            )
        self._registrations[node_type] = registration

    def register_node(self, type: Any, to_iterable: Any, from_iterable: Any, to_iterable_with_keys: Any = None) -> None:
        """Makes a class a node, taken apart and put together by the functions."""
        functions = {"the flatten function": to_iterable, "the unflatten function": from_iterable}
        if to_iterable_with_keys is not None:
            functions["the flatten function with keys"] = to_iterable_with_keys
        for name, function in functions.items():
            if not callable(function):
                raise TypeError(f"{name} must be callable, got {function!r}")
        self._add(type, Registration(CUSTOM, to_iterable, from_iterable, to_iterable_with_keys))

    def register_dataclass_node(self, type: Any, data_fields: Iterable[str], meta_fields: Iterable[str]) -> None:
        """Makes a class a node whose children are attributes, rebuilt by keyword arguments."""
        fields = {"data_fields": tuple(data_fields), "meta_fields": tuple(meta_fields)}
        for what, names in fields.items():
            for name in names:
                if not isinstance(name, str):
                    raise TypeError(f"{what} must be strings, got {name!r}")
        self._add(type, Registration(DATACLASS, **fields))

    def _classify(self, tree: Any) -> int:
        node_type = type(tree)
        if tree is None:
            return LEAF if self._none_is_leaf else NONE
        if node_type in BUILT_IN:
            return BUILT_IN[node_type]
        registration = self._registrations.get(node_type)
        if registration is not None:
            return registration.kind
        return NAMED_TUPLE if isinstance(tree, tuple) and hasattr(node_type, "_fields") else LEAF

    def is_node(self, node_type: type) -> bool:
        """Whether instances of the class are nodes."""
        if not isinstance(node_type, type):
            raise TypeError(f"expected a type, got {node_type!r}")
        if node_type is type(None):
            return not self._none_is_leaf
        if node_type in BUILT_IN or node_type in self._registrations:
            return True
        return issubclass(node_type, tuple) and hasattr(node_type, "_fields")

    def flatten(self, tree: Any, is_leaf: Callable | None = None) -> tuple[list, PyTreeDef]:
        """The leaves of a tree and its structure."""
        flattener = _Flattener(self, is_leaf)
        flattener.visit(tree)
        return flattener.leaves, PyTreeDef(self, tuple(flattener.nodes))

    def leaves(self, tree: Any, is_leaf: Callable | None = None) -> list:
        """The leaves of a tree."""
        return self.flatten(tree, is_leaf)[0]

    def structure(self, tree: Any, is_leaf: Callable | None = None) -> PyTreeDef:
        """The structure of a tree."""
        return self.flatten(tree, is_leaf)[1]

    def flatten_with_path(self, tree: Any, is_leaf: Callable | None = None) -> tuple[list, PyTreeDef]:
        """Pairs (key path, leaf) and the structure; `is_leaf` gets a path and a subtree."""
        flattener = _PathFlattener(self, is_leaf)
        flattener.visit(tree)
        return flattener.leaves, PyTreeDef(self, tuple(flattener.nodes))

    def flatten_call(self, args: tuple, kwargs: dict) -> tuple[list, PyTreeDef]:
        """The same as `flatten((args, kwargs))`."""
        if type(args) is not tuple:
            raise TypeError(f"args must be a tuple, got {args!r}")
        if type(kwargs) is not dict:
            raise TypeError(f"kwargs must be a dict, got {kwargs!r}")
        return self.flatten((args, kwargs))

    def map(self, function: Callable, tree: Any, rest: tuple, is_leaf: Any, explain: Any) -> Any:
        """Applies the function to corresponding leaves; `explain` may improve the error of a mismatch."""
        if not isinstance(rest, tuple):
            raise TypeError(f"rest must be a tuple of trees, got {rest!r}")
        leaves, treedef = self.flatten(tree, is_leaf)
        columns = [leaves]
        for other in rest:
            try:
                columns.append(treedef.flatten_up_to(other))
            except Exception as error:
                raise (explain(tree, other, is_leaf) or error) from None
        return treedef.unflatten([function(*row) for row in zip(*columns)])

    def all_leaves(self, iterable: Iterable) -> bool:
        """Whether no element is a node."""
        return all(self._classify(item) == LEAF for item in iterable)

    def flatten_one_level(self, tree: Any) -> tuple | None:
        """(children, data) of a node, or None for a leaf."""
        split = self._split(tree, with_keys=False)
        return None if split is None else (split[0], split[1])

    def flatten_one_level_with_keys(self, tree: Any) -> tuple | None:
        """((key, child) pairs, data) of a node, or None for a leaf."""
        split = self._split(tree, with_keys=True)
        return None if split is None else (tuple(zip(split[2], split[0])), split[1])

    def _split(self, tree: Any, with_keys: bool) -> tuple[Any, Any, Iterable] | None:
        kind = self._classify(tree)
        if kind == LEAF:
            return None
        if kind == NONE:
            return (), None, ()
        if kind == DICT:
            names = sorted_keys(tree)
            return tuple(tree[name] for name in names), names, map(DictKey, names)
        if kind == NAMED_TUPLE:
            return list(tree), type(tree), map(GetAttrKey, named_tuple_fields(tree)) if with_keys else ()
        if kind not in (CUSTOM, DATACLASS):
            return tree, None, map(SequenceKey, range(len(tree)))
        registration = self._registrations[type(tree)]
        if kind == DATACLASS:
            names = registration.data_fields
            return attributes(tree, names), attributes(tree, registration.meta_fields), map(GetAttrKey, names)
        has_keys = with_keys and registration.to_iterable_with_keys is not None
        children, data = call_to_iterable(type(tree), registration, tree, has_keys)
        if has_keys:
            return tuple(child for _, child in children), data, [key for key, _ in children]
        return children, data, map(FlattenedIndexKey, range(len(children)))


class _Flattener:
    """Collects leaves, and nodes in post-order."""

    def __init__(self, registry: PyTreeRegistry, is_leaf: Callable | None) -> None:
        if is_leaf is not None and not callable(is_leaf):
            raise TypeError(f"is_leaf must be a function or None, got {is_leaf!r}")
        self.registry = registry
        self.is_leaf = is_leaf
        self.leaves: list = []
        self.nodes: list[Node] = []

    def accepts(self, *arguments: Any) -> bool:
        """Whether the predicate, if there is one, says that this is a leaf."""
        if self.is_leaf is None:
            return False
        result = self.is_leaf(*arguments)
        if result is None or isinstance(result, bool):
            return bool(result)
        raise ValueError(f"is_leaf predicate returned a non-boolean value {result!r}; expected True or False")

    def visit(self, tree: Any) -> None:
        if self.accepts(tree):
            return self.add_leaf(tree)
        kind = self.registry._classify(tree)
        if kind == LEAF:
            return self.add_leaf(tree)
        if kind in (TUPLE, LIST):
            children: Any = tree
            data = None
        else:
            children, data, _ = self.registry._split(tree, with_keys=False)  # type: ignore[misc]
        arity = 0
        for child in children:
            self.visit(child)
            arity += 1
        self.nodes.append((kind, arity, data, type(tree) if kind in (CUSTOM, DATACLASS) else None))

    def add_leaf(self, leaf: Any) -> None:
        self.leaves.append(leaf)
        self.nodes.append((LEAF, 0, None, None))


class _PathFlattener(_Flattener):
    """The same with a key path beside each leaf."""

    def visit(self, tree: Any, path: tuple = ()) -> None:
        if self.accepts(path, tree):
            return self.add_leaf((path, tree))
        split = self.registry._split(tree, with_keys=True)
        if split is None:
            return self.add_leaf((path, tree))
        children, data, keys = split
        arity = 0
        for key, child in zip(keys, children):
            self.visit(child, (*path, key))
            arity += 1
        kind = self.registry._classify(tree)
        self.nodes.append((kind, arity, data, type(tree) if kind in (CUSTOM, DATACLASS) else None))


class PyTreeDef:
    """The structure of a pytree: what is left of it without its leaves. Compares by value.

    Example:
      >>> structure = jax.tree.structure({"a": 1, "b": (2, 3)})
      >>> structure
      PyTreeDef({'a': *, 'b': (*, *)})
      >>> structure.num_leaves, structure == jax.tree.structure({"b": ("x", "y"), "a": "z"})
      (3, True)
    """

    __slots__ = ("__weakref__", "_hash", "_nodes", "num_leaves", "registry")

    registry: PyTreeRegistry
    num_leaves: int

    def __new__(cls, registry: PyTreeRegistry, nodes: tuple[Node, ...]) -> PyTreeDef:
        self = object.__new__(cls)
        self.registry = registry
        self._nodes = nodes
        self._hash = None
        self.num_leaves = sum(1 for node in nodes if node[0] == LEAF)
        return self

    @property
    def num_nodes(self) -> int:
        """The number of nodes, leaves included."""
        return len(self._nodes)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PyTreeDef):
            return NotImplemented
        try:
            return self._nodes == other._nodes
        except Exception as error:
            raise ValueError(
                "Exception raised while checking equality of metadata fields of pytree. These must be hashable and compare "
                "to True or False: arrays cannot be metadata."
            ) from error

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(tuple(map(hashable, self._nodes)))
        return self._hash

    def __repr__(self) -> str:
        agenda: list[str] = []
        for node in self._nodes:
            children = pop(agenda, node[1])
            agenda.append(node_repr(node, children))
        return f"PyTreeDef({agenda[0]})"

    def unflatten(self, leaves: Iterable) -> Any:
        """The tree with these leaves."""
        values = tuple(leaves)
        if len(values) != self.num_leaves:
            amount = "few" if len(values) < self.num_leaves else "many"
            raise ValueError(f"Too {amount} leaves for PyTreeDef; expected {self.num_leaves}, got {len(values)}")
        remaining = iter(values)
        agenda: list = []
        for node in self._nodes:
            if node[0] == LEAF:
                agenda.append(next(remaining))
            else:
                agenda.append(self._container(node, pop(agenda, node[1])))
        return agenda[0]

    def _container(self, node: Node, children: list) -> Any:
        kind, _, data, node_type = node
        if kind == NONE:
            return None
        if kind == TUPLE:
            return tuple(children)
        if kind == LIST:
            return children
        if kind == DICT:
            return dict(zip(data, children))
        if kind == NAMED_TUPLE:
            return data(*children)
        registration = self.registry._registrations[node_type]
        if kind == CUSTOM:
            return registration.from_iterable(data, tuple(children))
        return node_type(**dict(zip(registration.data_fields, children)), **dict(zip(registration.meta_fields, data)))

    def _registration(self, node: Node) -> Registration | None:
        return self.registry._registrations.get(node[3])

    def flatten_up_to(self, tree: Any) -> list:
        """The subtrees of `tree` at this definition's leaves."""
        agenda = [tree]
        leaves = []
        for node in reversed(self._nodes):
            subtree = agenda.pop()
            if node[0] == LEAF:
                leaves.append(subtree)
            else:
                agenda.extend(children_matching(self._registration(node), node, subtree))
        leaves.reverse()
        return leaves

    def _child_nodes(self) -> Iterator[tuple[Node, ...]]:
        sizes: list[int] = []
        for node in self._nodes[:-1]:
            sizes.append(1 + sum(pop(sizes, node[1])))
        nodes = iter(self._nodes)
        for size in sizes:
            yield tuple(islice(nodes, size))

    def children(self) -> list[PyTreeDef]:
        """The structures of the root's children."""
        return [PyTreeDef(self.registry, nodes) for nodes in self._child_nodes()]

    def node_data(self) -> tuple[type, Any] | None:
        """(type, data) of the root; None for a leaf."""
        kind, _, data, node_type = self._nodes[-1]
        if kind == LEAF:
            return None
        if kind == DICT:
            return dict, list(data)
        if kind == NAMED_TUPLE:
            return data, None
        return (node_type, data) if kind in (CUSTOM, DATACLASS) else (TYPE_OF_KIND[kind], None)

    def compose(self, inner: PyTreeDef) -> PyTreeDef:
        """This structure with `inner` in place of each leaf."""
        _require_treedef(inner, self.registry)
        nodes: list[Node] = []
        for node in self._nodes:
            nodes.extend(inner._nodes if node[0] == LEAF else (node,))
        return PyTreeDef(self.registry, tuple(nodes))

    def state(self) -> tuple[Node, ...]:
        """The nodes, in post-order, as `from_state` takes them."""
        return self._nodes

    @staticmethod
    def from_state(registry: PyTreeRegistry, state: Iterable[Node]) -> PyTreeDef:
        """The structure that `state` came from; ValueError for anything that is none."""
        nodes = tuple(state)
        roots = 0
        for node in nodes:
            if type(node) is not tuple or len(node) != 4:
                raise ValueError(f"expected (kind, arity, data, type) of a pytree node, got {node!r}")
            check_node(registry._registrations.get(node[3]), node)
            if node[1] > roots:
                raise ValueError("a pytree node lacks children")
            roots += 1 - node[1]
        if roots != 1:
            raise ValueError("the nodes do not make one pytree")
        return PyTreeDef(registry, nodes)

    @staticmethod
    def from_node_data_and_children(
        registry: PyTreeRegistry, node_data: tuple[type, Any] | None, children: Iterable[PyTreeDef]
    ) -> PyTreeDef:
        """The structure with that root, given as by `node_data()`, and those children."""
        trees = tuple(children)
        nodes = [node for tree in trees for node in _require_treedef(tree, registry)._nodes]
        if node_data is None:
            return PyTreeDef.from_state(registry, [*nodes, (LEAF, len(trees), None, None)])
        if not is_pair(node_data) or not isinstance(node_data[0], type):
            raise TypeError(f"node_data must be None or a tuple (type, data), got {node_data!r}")
        node_type, data = node_data
        registration = registry._registrations.get(node_type)
        kind = registration.kind if registration is not None else BUILT_IN.get(node_type, NAMED_TUPLE)
        if kind == DICT:
            data = tuple(data)
        elif kind == NAMED_TUPLE:
            data = node_type
        elif kind < DICT:
            data = None
        root = (kind, len(trees), data, node_type if registration is not None else None)
        return PyTreeDef.from_state(registry, [*nodes, root])


PyTreeDef.__module__ = PyTreeRegistry.__module__ = "sable.tree_util"


def treedef_tuple(registry: PyTreeRegistry, treedefs: Iterable[PyTreeDef]) -> PyTreeDef:
    """The structure of a tuple of trees of the given structures."""
    return PyTreeDef.from_node_data_and_children(registry, (tuple, None), treedefs)


def signature(leaves: list, array_type: type, scalar_avals: dict[type, Any], fallback: Callable[[Any], Any]) -> tuple:
    """The aval of each leaf: `leaf.aval` of an array, a table's entry by type, else what the fallback says.

    Arguments:
      leaves: list of objects.
      array_type: the class (not its subclasses) whose instances have an attribute `aval`.
      scalar_avals: avals of further classes, looked up by exact type.
      fallback: called with any other leaf.

    >>> signature([1, "a"], complex, {int: "i32"}, repr)
    ('i32', "'a'")
    """
    if type(leaves) is not list:
        raise TypeError(f"leaves must be a list, got {leaves!r}")
    if not isinstance(array_type, type):
        raise TypeError(f"array_type must be a type, got {array_type!r}")
    if not isinstance(scalar_avals, dict):
        raise TypeError(f"scalar_avals must be a dict, got {scalar_avals!r}")
    avals = []
    for leaf in leaves:
        leaf_type = type(leaf)
        if leaf_type is array_type:
            avals.append(leaf.aval)
        elif leaf_type in scalar_avals:
            avals.append(scalar_avals[leaf_type])
        else:
            avals.append(fallback(leaf))
    return tuple(avals)


def _require_treedef(tree: Any, registry: PyTreeRegistry) -> PyTreeDef:
    if not isinstance(tree, PyTreeDef):
        raise TypeError(f"expected a PyTreeDef, got {tree!r}")
    if tree.registry is not registry:
        raise ValueError("the pytrees belong to different registries")
    return tree
