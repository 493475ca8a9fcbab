"""The entries of key paths: how a leaf is reached from the root of its pytree."""

from __future__ import annotations

from typing import Any


class _Key:
    """One step of a key path: compared and hashed by value, within its class; read-only."""

    __slots__ = ("_value",)

    _value: Any
    _name: str

    def __eq__(self, other: object) -> bool:
        return self._value == other._value if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._name}={self._value!r})"

    def __reduce__(self) -> tuple:
        return type(self), (self._value,)

    def _require(self, value: Any, kind: type) -> Any:
        if not isinstance(value, kind):
            raise TypeError(f"{type(self).__name__} takes {self._name}: {kind.__name__}, got {value!r}")
        return value


class SequenceKey(_Key):
    """An index into a list or tuple; `str` gives `[0]`.

    Args:
      idx: int, the position of the child.

    Example:
      >>> str(SequenceKey(0)), repr(SequenceKey(0))
      ('[0]', 'SequenceKey(idx=0)')
    """

    __slots__ = ()
    __match_args__ = ("idx",)
    _name = "idx"

    def __init__(self, idx: int) -> None:
        self._value = idx if type(idx) is int else self._require(idx, int)

    @property
    def idx(self) -> int:
        """The position of the child."""
        return self._value

    def __str__(self) -> str:
        return f"[{self._value!r}]"


class DictKey(_Key):
    """A key of a dict; `str` gives `['name']`.

    Args:
      key: the key, hashable.

    Example:
      >>> str(DictKey("a")), repr(DictKey("a"))
      ("['a']", "DictKey(key='a')")
    """

    __slots__ = ()
    __match_args__ = ("key",)
    _name = "key"

    def __init__(self, key: Any) -> None:
        self._value = key

    @property
    def key(self) -> Any:
        """The key."""
        return self._value

    def __str__(self) -> str:
        return f"[{self._value!r}]"


class GetAttrKey(_Key):
    """An attribute of an object or a field of a named tuple; `str` gives `.name`.

    Args:
      name: str, the attribute's name.

    Example:
      >>> str(GetAttrKey("weight")), repr(GetAttrKey("weight"))
      ('.weight', "GetAttrKey(name='weight')")
    """

    __slots__ = ()
    __match_args__ = ("name",)
    _name = "name"

    def __init__(self, name: str) -> None:
        self._value = name if type(name) is str else self._require(name, str)

    @property
    def name(self) -> str:
        """The attribute's name."""
        return self._value

    def __str__(self) -> str:
        return f".{self._value}"


class FlattenedIndexKey(_Key):
    """The position among the children of a node that was registered without keys.

    Args:
      key: int, the position of the child.

    Example:
      >>> str(FlattenedIndexKey(1)), repr(FlattenedIndexKey(1))
      ('[<flat index 1>]', 'FlattenedIndexKey(key=1)')
    """

    __slots__ = ()
    __match_args__ = ("key",)
    _name = "key"

    def __init__(self, key: int) -> None:
        self._value = key if type(key) is int else self._require(key, int)

    @property
    def key(self) -> int:
        """The position of the child."""
        return self._value

    def __hash__(self) -> int:
        return hash((FlattenedIndexKey, self._value))

    def __str__(self) -> str:
        return f"[<flat index {self._value!r}>]"


for _class in (SequenceKey, DictKey, GetAttrKey, FlattenedIndexKey):
    # The public name, under which errors and pickles show the class.
    _class.__module__ = "sable.tree_util"
del _class
