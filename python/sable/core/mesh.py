"""Meshes of devices: named axes, contexts in which there is a mesh."""

from __future__ import annotations

import enum
import functools
import math
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sable import runtime
from sable._config.contexts import Context

from .partition_spec import PartitionSpec
from .state import STATE


class AxisType(enum.Enum):
    """How arrays are laid out along an axis of a mesh: by the compiler, by their types, by the user's function.

    Example:
      >>> [t.name for t in jax.sharding.AxisType]
      ['Auto', 'Explicit', 'Manual']
    """

    Auto = enum.auto()
    Explicit = enum.auto()
    Manual = enum.auto()

    def __repr__(self) -> str:
        return self.name


class _Axes:
    """Named axes with sizes and types: what a mesh is without its devices."""

    axis_names: tuple
    axis_sizes: tuple[int, ...]
    axis_types: tuple[AxisType, ...]

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a mesh does not change: make one with another {name} by `update`")

    def _put(self, **attributes: Any) -> None:
        for name, value in attributes.items():
            object.__setattr__(self, name, value)

    @property
    def shape_tuple(self) -> tuple[tuple[Any, int], ...]:
        """Pairs of an axis's name and size."""
        return tuple(zip(self.axis_names, self.axis_sizes))

    @property
    def shape(self) -> OrderedDict[Any, int]:
        """The size of each axis by its name."""
        return OrderedDict(self.shape_tuple)

    @property
    def empty(self) -> bool:
        """Whether there are no devices."""
        return self.size == 0

    @property
    def size(self) -> int:
        """How many devices there are."""
        return math.prod(self.axis_sizes) if self.axis_names else 0

    def _of_type(self, kind: AxisType) -> tuple:
        return tuple(name for name, t in zip(self.axis_names, self.axis_types) if t is kind)

    auto_axes = property(lambda self: self._of_type(AxisType.Auto))
    explicit_axes = property(lambda self: self._of_type(AxisType.Explicit))
    manual_axes = property(lambda self: self._of_type(AxisType.Manual))
    are_all_axes_auto = property(lambda self: bool(self.axis_names) and self.auto_axes == self.axis_names)
    are_all_axes_explicit = property(lambda self: bool(self.axis_names) and self.explicit_axes == self.axis_names)
    are_all_axes_manual = property(lambda self: bool(self.axis_names) and self.manual_axes == self.axis_names)


def _axis_types(names: tuple, types: Any, what: str) -> tuple[AxisType, ...]:
    found = (AxisType.Auto,) * len(names) if types is None else types if isinstance(types, tuple) else (types,)
    if not all(isinstance(t, AxisType) for t in found):
        raise TypeError(f"axis_types passed to {what} must be of type `jax.sharding.AxisType`. Got {types}")
    if len(found) != len(names):
        raise ValueError(
            f"Number of axis names should match the number of axis_types. Got axis_names={names} and axis_types={found}"
        )
    return found


@dataclass(frozen=True)
class AbstractDevice:
    """The kind of a mesh's devices.

    Attributes:
      device_kind, platform: as of a device.
      num_cores: of each device, where that is known.

    Example:
      >>> jax.sharding.AbstractDevice("cpu", "cpu", None).device_kind
      'cpu'
    """

    device_kind: str
    num_cores: int | None
    platform: str

    def words(self) -> str:
        """The attributes, for texts."""
        return f"device_kind={self.device_kind}, num_cores={self.num_cores}, platform={self.platform}"

    def __repr__(self) -> str:
        return f"AbstractDevice({self.words()})"


class AbstractMesh(_Axes):
    """The axes of a mesh, without devices.

    Args:
      axis_sizes: of each axis.
      axis_names: of each axis.
      axis_types: of each axis an `AxisType`, by default Auto.
      abstract_device: the kind of the devices.

    Example:
      >>> jax.sharding.AbstractMesh((2, 4), ("x", "y")).size
      8
    """

    abstract_device: AbstractDevice | None

    def __init__(
        self,
        axis_sizes: Sequence[int],
        axis_names: Any,
        axis_types: Any = None,
        *,
        abstract_device: AbstractDevice | None = None,
    ) -> None:
        names = (axis_names,) if isinstance(axis_names, str) else tuple(axis_names)
        types = _axis_types(names, axis_types, "AbstractMesh")
        self._put(axis_sizes=tuple(axis_sizes), axis_names=names, axis_types=types, abstract_device=abstract_device)

    def _key(self) -> tuple:
        return self.axis_sizes, self.axis_names, self.axis_types, self.abstract_device

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AbstractMesh) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __reduce__(self) -> Any:
        return functools.partial(AbstractMesh, abstract_device=self.abstract_device), self._key()[:3]

    def __repr__(self) -> str:
        axes = ", ".join(f"'{name}': {size}" for name, size in self.shape_tuple) or "()"
        device = f", {self.abstract_device.words()}" if self.abstract_device else ""
        return f"AbstractMesh({axes}, axis_types={self.axis_types}{device})"

    def update(
        self, axis_sizes: Any = None, axis_names: Any = None, axis_types: Any = None, **device: Any
    ) -> AbstractMesh:
        """A mesh with other parts; None leaves one as it is."""
        return AbstractMesh(
            self.axis_sizes if axis_sizes is None else axis_sizes,
            self.axis_names if axis_names is None else axis_names,
            self.axis_types if axis_types is None else axis_types,
            **{"abstract_device": self.abstract_device, **device},
        )

    @property
    def abstract_mesh(self) -> AbstractMesh:
        """The mesh itself."""
        return self

    def __getattr__(self, name: str) -> Any:
        if name in ("devices", "device_ids", "local_devices", "local_mesh", "is_multi_process"):
            raise ValueError(f"AbstractMesh does not implement {name}")
        raise AttributeError(f"'AbstractMesh' object has no attribute {name!r}")


class Mesh(_Axes):
    """Devices in an array with named axes.

    Args:
      devices: an array, or nested lists, of devices.
      axis_names: of each dimension.
      axis_types: of each axis an `AxisType`, by default Auto.

    Raises:
      ValueError: there are not as many names as dimensions.

    Example:
      >>> import sable as jax
      >>> jax.sharding.Mesh(jax.devices("cpu"), "i")
      Mesh(axis_sizes=(1,), axis_names=('i',), axis_types=(Auto,))
    """

    devices: np.ndarray

    def __init__(self, devices: Any, axis_names: Any, axis_types: Any = None) -> None:
        array = np.array(devices, dtype=object)
        names = (axis_names,) if isinstance(axis_names, str) else tuple(axis_names)
        if None in names:
            raise ValueError(f"Mesh axis names cannot be None. Got: {names}")
        if array.ndim != len(names):
            raise ValueError(
                "Mesh requires the ndim of its first argument (`devices`) to equal the length of its second argument "
                f"(`axis_names`), but got devices.ndim == {array.ndim} and len(axis_names) == {len(names)}."
            )
        array.flags.writeable = False
        types = _axis_types(names, axis_types, "Mesh")
        self._put(devices=array, axis_names=names, axis_sizes=array.shape, axis_types=types)

    def _key(self) -> tuple:
        return tuple(self.devices.flat), self.devices.shape, self.axis_names, self.axis_types

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mesh) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __reduce__(self) -> Any:
        return Mesh, (self.devices, self.axis_names, self.axis_types)

    def __repr__(self) -> str:
        if self.empty:
            return "Mesh(axis_sizes=(), axis_names=())"
        return f"Mesh(axis_sizes={self.axis_sizes}, axis_names={self.axis_names!r}, axis_types={self.axis_types})"

    def __str__(self) -> str:
        if self.empty:
            return "Mesh()"
        axes = ", ".join(f"'{name}': {size}" for name, size in self.shape_tuple)
        return f"Mesh({axes}, axis_types={self.axis_types})"

    def update(self, devices: Any = None, axis_names: Any = None, axis_types: Any = None) -> Mesh:
        """A mesh with other parts; None leaves one as it is."""
        return Mesh(
            self.devices if devices is None else devices,
            self.axis_names if axis_names is None else axis_names,
            self.axis_types if axis_types is None else axis_types,
        )

    @property
    def device_ids(self) -> np.ndarray:
        """The numbers of the devices."""
        return np.array([d.id for d in self.devices.flat]).reshape(self.devices.shape)

    @property
    def local_devices(self) -> list:
        """The devices of this process: all."""
        return list(self.devices.flat)

    @property
    def local_mesh(self) -> Mesh:
        """The mesh of the devices of this process: the mesh itself."""
        return self

    @property
    def is_multi_process(self) -> bool:
        """False: there is one process."""
        return False

    @property
    def abstract_mesh(self) -> AbstractMesh:
        """The axes."""
        if self.empty:
            return _NO_AXES
        first = self.devices.flat[0]
        kind = AbstractDevice(first.device_kind, None, first.platform)
        return AbstractMesh(self.axis_sizes, self.axis_names, self.axis_types, abstract_device=kind)

    def __enter__(self) -> Mesh:
        _ENTERED.meshes.append(MESH.value)
        MESH.set_local(self)
        return self

    def __exit__(self, *_exception: Any) -> None:
        MESH.set_local(_ENTERED.meshes.pop())


def _empty_mesh() -> Mesh:
    """The mesh of no devices, with no axes."""
    return Mesh(np.empty((), dtype=object), ())


_NO_AXES = AbstractMesh((), ())
#: The mesh of this thread: a `Mesh`, an `AbstractMesh`, or None.
MESH = Context(None)


class _Entered(threading.local):
    """The meshes of this thread before those that it entered."""

    def __init__(self) -> None:
        self.meshes: list[Any] = []


_ENTERED = _Entered()


def check_names(spec: PartitionSpec, mesh: Mesh | AbstractMesh) -> None:
    """Check that a spec is about axes of a mesh, each at most once.

    Raises:
      ValueError: there is no such axis, or it cuts two dimensions.
    """
    used = spec.every_axis
    twice = sorted({str(name) for name in used if used.count(name) > 1})
    if twice:
        raise ValueError(
            "A single NamedSharding spec specification can map every mesh axis to at most one positional dimension, but "
            f"{spec} has duplicate entries for {', '.join(f'`{name}`' for name in twice)}"
        )
    for name in (*used, *spec.unreduced, *spec.reduced):
        if name not in mesh.axis_names:
            raise ValueError(f"Resource axis: {name} of {spec} is not found in mesh: {mesh.axis_names}.")


class set_mesh:
    """Make a mesh that of this thread, for good or as a context manager, so that specs alone say where arrays are.

    Args:
      mesh: a `Mesh`; None takes the present one away.

    Raises:
      ValueError: no mesh; inside of `jit`.

    Example:
      >>> import sable as jax
      >>> with jax.set_mesh(jax.make_mesh((1,), ("i",))):
      ...     print(jax.sharding.get_mesh())
      Mesh('i': 1, axis_types=(Explicit,))
    """

    __slots__ = ("_previous",)

    def __init__(self, mesh: Mesh | None) -> None:
        if mesh is not None and not isinstance(mesh, Mesh):
            raise ValueError(f"Expected mesh of type `jax.sharding.Mesh`. Got {type(mesh)}")
        if STATE.depth:
            raise ValueError("`set_mesh` can only be used outside of `jax.jit`.")
        if mesh is not None and mesh.manual_axes:
            raise ValueError(f"mesh {mesh} has manual axes, which `jax.shard_map` makes so: `set_mesh` takes others")
        self._previous = MESH.value
        MESH.set_local(mesh)

    def __enter__(self) -> None: ...

    def __exit__(self, *_exception: Any) -> None:
        MESH.set_local(self._previous)


def use_abstract_mesh(mesh: AbstractMesh) -> Any:
    """A context manager in which the mesh of this thread is one without devices.

    Args:
      mesh: an `AbstractMesh`.

    Raises:
      ValueError: no `AbstractMesh`.

    Example:
      >>> with jax.sharding.use_abstract_mesh(jax.sharding.AbstractMesh((2,), ("i",))):
      ...     print(jax.sharding.get_abstract_mesh().axis_sizes)
      (2,)
    """
    if not isinstance(mesh, AbstractMesh):
        raise ValueError(f"Expected mesh of type `jax.sharding.AbstractMesh`. Got type: {type(mesh)}")
    return MESH(mesh)


def get_mesh() -> Mesh:
    """The mesh of this thread; one without devices where there is none.

    Raises:
      ValueError: inside of `jit`.

    Example:
      >>> with jax.set_mesh(jax.make_mesh((1,), ("i",))):
      ...     print(jax.sharding.get_mesh().axis_names)
      ('i',)
    """
    if STATE.depth:
        raise ValueError("`get_mesh` can only be used outside of `jax.jit`: see `jax.sharding.get_abstract_mesh`")
    return MESH.value if isinstance(MESH.value, Mesh) else _empty_mesh()


def get_abstract_mesh() -> AbstractMesh:
    """The axes of the mesh of this thread; none where there is no mesh.

    Example:
      >>> with jax.set_mesh(jax.make_mesh((1,), ("i",))):
      ...     print(jax.sharding.get_abstract_mesh().axis_names)
      ('i',)
    """
    return _NO_AXES if MESH.value is None else MESH.value.abstract_mesh


def make_mesh(
    axis_shapes: Sequence[int], axis_names: Any, axis_types: Any = None, *, devices: Sequence[Any] | None = None
) -> Mesh:
    """A mesh of the first devices.

    Args:
      axis_shapes: the size of each axis.
      axis_names: of each axis.
      axis_types: of each axis an `AxisType`, by default Explicit.
      devices: in place of those of the default device's platform.

    Raises:
      ValueError: there are fewer devices than the product of the sizes.

    Example:
      >>> jax.make_mesh((1,), ("i",)).shape
      OrderedDict([('i', 1)])
    """
    sizes = tuple(int(n) for n in axis_shapes)
    given = runtime.devices(runtime.default_device().platform) if devices is None else list(devices)
    count = math.prod(sizes)
    if count > len(given):
        raise ValueError(f"Number of devices {len(given)} must be >= the product of mesh_shape {sizes}")
    names = (axis_names,) if isinstance(axis_names, str) else tuple(axis_names)
    types = (AxisType.Explicit,) * len(names) if axis_types is None else axis_types
    flat = np.empty(count, dtype=object)
    flat[:] = given[:count]
    return Mesh(flat.reshape(sizes), names, types)


__all__ = [
    "MESH",
    "AbstractDevice",
    "AbstractMesh",
    "AxisType",
    "Mesh",
    "PartitionSpec",
    "check_names",
    "get_abstract_mesh",
    "get_mesh",
    "make_mesh",
    "set_mesh",
    "use_abstract_mesh",
]
