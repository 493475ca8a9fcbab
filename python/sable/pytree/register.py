"""Registration of classes as pytree nodes (the part of `sable.tree_util` that changes the registries)."""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, TypeVar

from sable.pytree import registry as pytree

Class = TypeVar("Class", bound=type)


def register_pytree_node(
    nodetype: type,
    flatten_func: Callable[[Any], tuple[Iterable[Any], Hashable]],
    unflatten_func: Callable[[Any, Any], Any],
    flatten_with_keys_func: Callable[[Any], tuple[Iterable[tuple[Any, Any]], Hashable]] | None = None,
) -> None:
    """Makes the instances of a class (not of its subclasses) containers.

    Args:
      nodetype: the class.
      flatten_func: from an instance to (children, data); the data is compared, and hashed where it can be, by
        `jit`, and no arrays may be in it.
      unflatten_func: from the data and a tuple of children to an instance. The children can be any objects.
      flatten_with_keys_func: like `flatten_func` with pairs (key, child), for key paths.

    Raises:
      ValueError: the class is registered already.
      TypeError: not a class, or not functions.

    Example:
      >>> class Pair:
      ...     def __init__(self, left, right):
      ...         self.left, self.right = left, right
      >>> flatten, unflatten = lambda p: ((p.left, p.right), None), lambda _, children: Pair(*children)
      >>> jax.tree_util.register_pytree_node(Pair, flatten, unflatten)
      >>> jax.tree.leaves(Pair(1, [2, 3]))
      [1, 2, 3]
    """
    pytree.register_node(nodetype, flatten_func, unflatten_func, flatten_with_keys_func)


def register_pytree_node_class(cls: Class) -> Class:
    """Decorator: `register_pytree_node` with the methods `tree_flatten` and (of the class) `tree_unflatten`.

    Args:
      cls: the class.

    Returns:
      The class.

    Raises:
      ValueError: it is registered already.

    Example:
      >>> @jax.tree_util.register_pytree_node_class
      ... class Box:
      ...     def __init__(self, content):
      ...         self.content = content
      ...     def tree_flatten(self):
      ...         return (self.content,), None
      ...     @classmethod
      ...     def tree_unflatten(cls, data, children):
      ...         return cls(*children)
      >>> jax.tree.map(lambda x: 2 * x, Box(1)).content
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

    Args:
      nodetype: the class.
      flatten_with_keys: from an instance to (pairs (key, child), data).
      unflatten_func: from the data and a tuple of children to an instance.
      flatten_func: the same as `flatten_with_keys` without keys, faster.

    Raises:
      ValueError: the class is registered already.

    Example:
      >>> class Named:
      ...     def __init__(self, value):
      ...         self.value = value
      >>> key = jax.tree_util.GetAttrKey("value")
      >>> jax.tree_util.register_pytree_with_keys(
      ...     Named, lambda n: (((key, n.value),), None), lambda _, children: Named(*children)
      ... )
      >>> jax.tree.leaves_with_path(Named(3))
      [((GetAttrKey(name='value'),), 3)]
    """

    def without_keys(tree: Any) -> tuple[list[Any], Hashable]:
        pairs, data = flatten_with_keys(tree)
        return [child for _, child in pairs], data

    register_pytree_node(nodetype, flatten_func or without_keys, unflatten_func, flatten_with_keys)


def register_pytree_with_keys_class(cls: Class) -> Class:
    """Decorator: `register_pytree_with_keys` with the class's own methods.

    These are `tree_flatten_with_keys`, perhaps `tree_flatten`, and the class method `tree_unflatten`.

    Args:
      cls: the class.

    Returns:
      The class.

    Raises:
      ValueError: it is registered already.

    Example:
      >>> @jax.tree_util.register_pytree_with_keys_class
      ... class Point:
      ...     def __init__(self, x):
      ...         self.x = x
      ...     def tree_flatten_with_keys(self):
      ...         return ((jax.tree_util.GetAttrKey("x"), self.x),), None
      ...     @classmethod
      ...     def tree_unflatten(cls, data, children):
      ...         return cls(*children)
      >>> jax.tree.leaves_with_path(Point(1))
      [((GetAttrKey(name='x'),), 1)]
    """
    register_pytree_with_keys(
        cls,
        operator.methodcaller("tree_flatten_with_keys"),
        cls.tree_unflatten,  # type: ignore[attr-defined]
        operator.methodcaller("tree_flatten") if hasattr(cls, "tree_flatten") else None,
    )
    return cls


def _dataclass_fields(
    nodetype: type, data_fields: Any, meta_fields: Any, drop_fields: Sequence[str]
) -> tuple[tuple, tuple]:
    """The fields as given, or as a dataclass declares them."""
    if data_fields is not None and meta_fields is not None:
        return tuple(data_fields), tuple(meta_fields)
    if data_fields is not None or meta_fields is not None:
        raise TypeError(
            "register_dataclass: data_fields and meta_fields must both be specified when either is specified. "
            f"Got {data_fields=} {meta_fields=}."
        )
    if not dataclasses.is_dataclass(nodetype):
        raise TypeError(
            "register_dataclass: data_fields and meta_fields are required when nodetype is not a dataclass. "
            f"Got {nodetype=}."
        )
    fields = [field for field in dataclasses.fields(nodetype) if field.name not in drop_fields]
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

    Args:
      nodetype: a dataclass, or a class whose constructor takes all fields as keywords.
      data_fields: names of the fields that are children. By default, for a dataclass, those that are not
        declared static: `sable.tree.static()`, or `dataclasses.field(metadata=dict(static=True))`.
      meta_fields: names of the fields that are data: hashable, compared by `jit`.
      drop_fields: fields of a dataclass that are left out (they get their defaults).

    Returns:
      The class.

    Raises:
      TypeError: only one of the lists was given, or none for a class that is no dataclass.
      ValueError: the lists overlap or are not the dataclass's fields; the class is registered already.

    Example:
      >>> import dataclasses
      >>> @jax.tree_util.register_dataclass
      ... @dataclasses.dataclass
      ... class Layer:
      ...     weight: float
      ...     name: str = dataclasses.field(default="dense", metadata=dict(static=True))
      >>> jax.tree.flatten(Layer(2.0))
      ([2.0], PyTreeDef(CustomNode(Layer[('dense',)], [*])))
    """
    data, meta = _dataclass_fields(nodetype, data_fields, meta_fields, drop_fields)
    if dataclasses.is_dataclass(nodetype):
        _check_dataclass_fields(nodetype, {*data, *meta}, drop_fields)
    overlap = sorted({*data} & {*meta})
    if overlap:
        raise ValueError(f"data_fields and meta_fields must not overlap. Overlapping fields: {_shown(overlap)}.")
    pytree.register_dataclass_node(nodetype, data, meta)
    return nodetype  # type: ignore[return-value]


def _shown(names: Sequence[str]) -> str:
    return f"{{{', '.join(map(repr, names))}}}"


def _check_dataclass_fields(nodetype: Any, given: set[str], drop_fields: Sequence[str]) -> None:
    wanted = {field.name for field in dataclasses.fields(nodetype) if field.init} - {*drop_fields}
    if given == wanted:
        return
    message = "data_fields and meta_fields must include all dataclass fields with ``init=True`` and only them."
    missing, unexpected = sorted(wanted - given), sorted(given - wanted)
    if missing:
        message += f" Missing fields: {_shown(missing)} (drop_fields may name them)."
    if unexpected:
        message += f" Unexpected fields: {_shown(unexpected)}."
    raise ValueError(message)


def register_static(cls: Class) -> Class:
    """Decorator: makes the instances of a hashable class containers of nothing, static under `jit`.

    Args:
      cls: the class.

    Returns:
      The class.

    Raises:
      ValueError: it is registered already.

    Example:
      >>> @jax.tree_util.register_static
      ... class Mode(str):
      ...     pass
      >>> jax.tree.flatten(Mode("train"))
      ([], PyTreeDef(CustomNode(Mode[train], [])))
    """
    pytree.register_node(cls, lambda instance: ((), instance), lambda instance, _: instance)
    return cls


class _Whole:
    """A `functools.partial` as a function without parts.

    `functools.partial` merges with a partial that it is given, and then one could not tell whose arguments
    are leaves.
    """

    __slots__ = ("function",)

    def __init__(self, function: functools.partial) -> None:
        self.function = function

    func = property(lambda self: self.function.func)
    args = property(lambda self: self.function.args)
    keywords = property(lambda self: self.function.keywords)

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

    Args:
      func: a function; compared by `==` where structures are compared.
      args, kw: its first arguments; pytrees.

    Example:
      >>> half = jax.tree_util.Partial(lambda divisor, x: x / divisor, 2.0)
      >>> half(3.0), jax.tree.leaves(half)
      (1.5, [2.0])
      >>> jax.jit(lambda f, x: f(x))(half, 3.0)
      Array(1.5, dtype=float32, weak_type=True)
    """

    def __new__(cls, func: Callable[..., Any], *args: Any, **kw: Any) -> Partial:
        if isinstance(func, functools.partial):
            func = _Whole(func)
        return super().__new__(cls, func, *args, **kw)


def _rebuild_partial(func: Callable[..., Any], children: Any) -> Partial:
    args, keywords = children
    return Partial(func, *args, **keywords)


pytree.register_node(
    Partial,
    lambda partial: ((partial.args, partial.keywords), partial.func),
    _rebuild_partial,
)

for _public in (
    Partial,
    register_dataclass,
    register_pytree_node,
    register_pytree_node_class,
    register_pytree_with_keys,
    register_pytree_with_keys_class,
    register_static,
):
    _public.__module__ = "sable.tree_util"
del _public
