"""Along which axes of a mesh the dimensions of an array are cut."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any


class _Unconstrained:
    """Of a dimension: the compiler may choose."""

    def __repr__(self) -> str:
        return "UNCONSTRAINED"

    def __reduce__(self) -> str:
        return "_UNCONSTRAINED"


_UNCONSTRAINED = _Unconstrained()


def _names(partition: Any) -> tuple:
    """The mesh axes of one dimension."""
    if partition is None or partition is _UNCONSTRAINED:
        return ()
    return partition if isinstance(partition, tuple) else (partition,)


def _canonical(partition: Any) -> Any:
    """One name in place of a tuple of it, None in place of none."""
    if not isinstance(partition, (tuple, list)):
        return partition
    names = tuple(partition)
    return names[0] if len(names) == 1 else names or None


class PartitionSpec:
    """For each dimension of an array the mesh axes along which it is cut.

    Args:
      partitions: for each dimension None, the name of an axis, or a tuple of names.
      unreduced: axes along which the parts are still to be summed.
      reduced: axes along which cotangents will be.

    Raises:
      TypeError: `unreduced`, `reduced` are no sets.
      ValueError: an axis is in two places.

    Example:
      >>> import sable as jax
      >>> jax.P("rows", None)
      P('rows', None)
    """

    __slots__ = ("__weakref__", "partitions", "reduced", "unreduced")
    UNCONSTRAINED = _UNCONSTRAINED
    partitions: tuple
    unreduced: frozenset
    reduced: frozenset

    def __init__(self, *partitions: Any, unreduced: Any = frozenset(), reduced: Any = frozenset()) -> None:
        for name, given in (("unreduced", unreduced), ("reduced", reduced)):
            if not isinstance(given, (set, frozenset)):
                raise TypeError(f"{name} argument of PartitionSpec must be a set or a frozenset, got {given!r}")
        put = functools.partial(object.__setattr__, self)
        put("partitions", tuple(_canonical(p) for p in partitions))
        put("unreduced", frozenset(unreduced))
        put("reduced", frozenset(reduced))
        self._check()

    def _check(self) -> None:
        if None in self.unreduced or None in self.reduced:
            raise ValueError("unreduced and reduced hold names of mesh axes, got None")
        used = {name for p in self.partitions for name in _names(p)}
        twice = (self.unreduced & self.reduced) | (used & (self.unreduced | self.reduced))
        if twice:
            raise ValueError(
                "partitions, unreduced and reduced of a PartitionSpec cannot overlap: "
                f"{sorted(map(str, twice))} is in two of {self}"
            )

    def __init_subclass__(cls, **_: Any) -> None:
        raise TypeError("Subclassing `jax.P` is prohibited.")

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a PartitionSpec does not change: make one with another {name} by `update`")

    def __reduce__(self) -> Any:
        return _unpickle_spec, (self.partitions, self.unreduced, self.reduced)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PartitionSpec) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple:
        return self.partitions, self.unreduced, self.reduced

    def __repr__(self) -> str:
        sets = [f"{n}={set(s)!r}" for n, s in (("unreduced", self.unreduced), ("reduced", self.reduced)) if s]
        shown = repr(self.partitions)[1:-1]
        if sets and shown:
            shown = f"{shown.removesuffix(',')}, "
        return f"P({shown}{', '.join(sets)})"

    def _plain(self, what: str) -> tuple:
        if self.unreduced or self.reduced:
            raise ValueError(
                f"{what} of a PartitionSpec with unreduced or reduced axes leaves these out: use `.partitions`"
            )
        return self.partitions

    def __getitem__(self, i: Any) -> Any:
        return self._plain("an element")[i]

    def __iter__(self) -> Iterator:
        return iter(self._plain("the elements"))

    def __len__(self) -> int:
        return len(self.partitions)

    def __add__(self, other: Any) -> PartitionSpec:
        if isinstance(other, PartitionSpec):
            sets = {"unreduced": self.unreduced | other.unreduced, "reduced": self.reduced | other.reduced}
            return PartitionSpec(*self.partitions, *other.partitions, **sets)
        if not isinstance(other, tuple):
            return NotImplemented
        return PartitionSpec(*self._joined(other), *other)

    def __radd__(self, other: Any) -> PartitionSpec:
        if not isinstance(other, tuple):
            return NotImplemented
        return PartitionSpec(*other, *self._joined(other))

    def _joined(self, other: tuple) -> tuple:
        if self.unreduced or self.reduced:
            raise TypeError(f"the tuple {other} has no unreduced or reduced axes to be joined with those of {self}")
        return self.partitions

    def index(self, value: Any) -> int:
        """The first dimension that is cut along these axes."""
        return self.partitions.index(_canonical(value))

    def count(self, value: Any) -> int:
        """How many dimensions are cut along these axes."""
        return self.partitions.count(_canonical(value))

    def update(self, partitions: Any = None, unreduced: Any = None, reduced: Any = None) -> PartitionSpec:
        """A spec with other parts; None leaves one as it is."""
        return PartitionSpec(
            *(self.partitions if partitions is None else partitions),
            unreduced=self.unreduced if unreduced is None else unreduced,
            reduced=self.reduced if reduced is None else reduced,
        )

    def axes(self, dimension: int) -> tuple:
        """The names of the axes along which a dimension is cut."""
        return _names(self.partitions[dimension]) if dimension < len(self.partitions) else ()

    @property
    def every_axis(self) -> tuple:
        """The names of all axes along which dimensions are cut."""
        return tuple(name for p in self.partitions for name in _names(p))

    def check_rank(self, shape: Sequence[int], whose: Any = None) -> None:
        """Raise ValueError where arrays of that shape have fewer dimensions than the spec."""
        if len(shape) < len(self.partitions):
            scalar = " For scalars the PartitionSpec should be P()" if not shape else ""
            raise ValueError(
                f"{'PartitionSpec' if whose is None else 'Sharding'} {whose or self} is only valid for values of rank at "
                f"least {len(self.partitions)}, but was applied to a value of rank {len(shape)}.{scalar}"
            )


PartitionSpec.__module__ = "jax"


def _unpickle_spec(partitions: tuple, unreduced: frozenset, reduced: frozenset) -> PartitionSpec:
    return PartitionSpec(*partitions, unreduced=unreduced, reduced=reduced)
