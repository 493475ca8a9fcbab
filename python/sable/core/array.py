"""Concrete arrays, and the base class that they share with tracers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from sable import runtime
from sable._config import config
from sable.ir.aval import Aval, aval, aval_of
from sable.runtime import dlpack

from . import notebook
from .sharding import Format, Layout, Shard, Sharding, SingleDeviceSharding
from .transfers import DEVICE_TO_HOST, guard


class Value:
    """An array or a traced value, the base of `Array` and `Tracer`: shape, dtype and NumPy's manners.

    The operators and the methods of `numpy.ndarray` are put here by `sable.numpy`, which implements them: `x.sum(axis=1)`
    is `jnp.sum(x, axis=1)`. Values never change: `x.at[i].set(y)` is a copy with another element.

    Example:
      >>> x = jnp.arange(6).reshape(2, 3)
      >>> x.sum(axis=1), x.T.shape, x.at[0, 0].set(9)[0]
      (Array([ 3, 12], dtype=int32), (3, 2), Array([9, 1, 2], dtype=int32))
      >>> isinstance(x, jnp.ndarray), isinstance(x, np.ndarray)
      (True, False)
    """

    __slots__ = ("__weakref__",)
    __array_priority__ = 100  # NumPy arrays on the left leave binary operators to us
    __hash__ = None  # type: ignore[assignment]
    aval: Aval

    def known_array(self) -> Array | None:
        """The values, where they are known."""
        raise NotImplementedError

    if TYPE_CHECKING:
        # what sable.numpy.methods puts here

        def __getattr__(self, name: str) -> Any: ...

        __add__: Callable[..., Any]
        __radd__: Callable[..., Any]
        __sub__: Callable[..., Any]
        __rsub__: Callable[..., Any]
        __mul__: Callable[..., Any]
        __rmul__: Callable[..., Any]
        __truediv__: Callable[..., Any]
        __rtruediv__: Callable[..., Any]
        __floordiv__: Callable[..., Any]
        __mod__: Callable[..., Any]
        __pow__: Callable[..., Any]
        __rpow__: Callable[..., Any]
        __matmul__: Callable[..., Any]
        __neg__: Callable[..., Any]
        __abs__: Callable[..., Any]
        __invert__: Callable[..., Any]
        __and__: Callable[..., Any]
        __or__: Callable[..., Any]
        __xor__: Callable[..., Any]
        __lt__: Callable[..., Any]
        __le__: Callable[..., Any]
        __gt__: Callable[..., Any]
        __ge__: Callable[..., Any]
        __getitem__: Callable[..., Any]
        __iter__: Callable[..., Any]

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the dimensions.

        Example:
          >>> jnp.ones((2, 3)).shape, jnp.array(1.0).shape
          ((2, 3), ())
        """
        return self.aval.shape

    @property
    def dtype(self) -> np.dtype:
        """Element type.

        Example:
          >>> jnp.array([1, 2]).dtype
          dtype('int32')
        """
        return self.aval.dtype

    @property
    def __numpy_dtype__(self) -> np.dtype:
        return self.aval.dtype

    @property
    def ndim(self) -> int:
        """Number of dimensions.

        Example:
          >>> jnp.ones((2, 3)).ndim
          2
        """
        return self.aval.ndim

    @property
    def size(self) -> int:
        """Number of elements.

        Example:
          >>> jnp.ones((2, 3)).size
          6
        """
        return self.aval.size

    @property
    def weak_type(self) -> bool:
        """True where the dtype came from a Python scalar and gives way in promotion.

        Example:
          >>> jnp.array(1.5).weak_type, (jnp.ones(2, jnp.bfloat16) * jnp.array(1.5)).dtype
          (True, dtype(bfloat16))
        """
        return self.aval.weak_type

    @property
    def itemsize(self) -> int:
        """Bytes of one element.

        Example:
          >>> jnp.ones(2).itemsize
          4
        """
        return self.aval.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements.

        Example:
          >>> jnp.ones(2).nbytes
          8
        """
        return self.aval.size * self.aval.dtype.itemsize

    def __len__(self) -> int:
        if not self.aval.shape:
            raise TypeError("len() of unsized object")
        return self.aval.shape[0]


class Array(Value):
    """An immutable array of concrete values on a device.

    `_value` is its NumPy view (made when first needed), `_buffer` its device buffer (likewise); one of them is there.
    `constant` marks scalars that came from Python: a staged program has them as constants, not as arguments.
    `_device` is None for the default CPU device. `_sharding` is set where the user laid the array out over a mesh.
    """

    __slots__ = ("_buffer", "_device", "_sharding", "_value", "aval", "committed", "constant", "deleted")

    def __init__(self, aval: Aval, value: np.ndarray | None, buffer: Any = None, device: Any = None):
        self.aval = aval
        self._value = value
        self._buffer = buffer
        self._device = device
        self.constant = False
        self.committed = False
        self.deleted = False

    def known_array(self) -> Array | None:
        """The array itself: its values are known.

        Example:
          >>> x = jnp.ones(1)
          >>> x.known_array() is x, jax.jit(lambda x: x.known_array() is None)(x)
          (True, Array(True, dtype=bool))
        """
        return self

    def numpy(self) -> np.ndarray:
        """The values as a NumPy array (read-only by convention: callers must not write to it).

        Example:
          >>> jnp.ones(2).numpy()
          array([1., 1.], dtype=float32)
        """
        value = self._value
        if value is None:
            if self.deleted:
                raise RuntimeError(f"Array has been deleted with shape={self.aval.short()}, or donated.")
            value = self._value = fetch(self)
        return value

    # -- Python's and NumPy's conversions
    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        value = self.numpy()
        if dtype is not None and np.dtype(dtype) != value.dtype:
            if copy is False:
                raise ValueError("a copy is needed to convert the dtype, and copy=False was given")
            return value.astype(dtype)
        if copy:
            return value.copy()
        view = value.view()
        view.flags.writeable = False
        return view

    def __bool__(self) -> bool:
        if self.aval.size != 1:
            check_truth(self.aval)
        return bool(self.numpy().reshape(()))

    def __int__(self) -> int:
        return int(self._scalar())

    def __float__(self) -> float:
        return float(self._scalar())

    def __complex__(self) -> complex:
        return complex(self._scalar())

    def __index__(self) -> int:
        check_index(self.aval)
        return int(self.numpy())

    def _scalar(self) -> Any:
        """The element as Python's number: complex ones are no floats, whereas NumPy's lose their imaginary part."""
        check_scalar(self.aval)
        return self.numpy().item()

    def item(self, *args: Any) -> Any:
        """The element as a Python scalar.

        Args:
          *args: its index, of an array with more than one.

        Raises:
          ValueError: there are several elements and no index.

        Example:
          >>> jnp.array([[7]]).item(), jnp.array([7, 8]).item(1)
          (7, 8)
        """
        return self.numpy().item(*args)

    def tolist(self) -> Any:
        """Nested lists of Python scalars.

        Example:
          >>> jnp.array([[1, 2]]).tolist()
          [[1, 2]]
        """
        return self.numpy().tolist()

    def tobytes(self, order: Any = "C") -> bytes:
        """The elements' bytes.

        Args:
          order: "C" (the last axis fastest) or "F" (the first).

        Example:
          >>> jnp.array([1, 2], dtype=jnp.int16).tobytes().hex()
          '01000200'
        """
        return self.numpy().tobytes(order)

    def __format__(self, spec: str) -> str:
        if not self.aval.shape:
            return format(self.numpy()[()], spec)
        return format(self.numpy(), spec)

    def __repr__(self) -> str:
        return format_array(self)

    def __str__(self) -> str:
        return str(self.numpy())

    def _repr_html_(self) -> str:
        """What notebooks show: shape, dtype, device, a histogram (of a sample, where the array is large) and the text."""
        return notebook.as_html(self.numpy(), self.aval, self.device, repr(self))

    def clone(self) -> Array:
        """Another array in the same memory.

        Example:
          >>> jnp.ones(2).clone()
          Array([1., 1.], dtype=float32)
        """
        made = Array(self.aval, self._value, self._buffer, self._device)
        made.committed, made.deleted = self.committed, self.deleted
        return laid_out(made, getattr(self, "_sharding", None))

    def __copy__(self) -> Array:
        return copy_of(self)

    def __deepcopy__(self, memo: Any) -> Array:
        return copy_of(self)

    def __reduce__(self):
        return _unpickle, (np.array(self.numpy()), self.aval.weak_type)

    def __dlpack__(
        self, *, stream: Any = None, max_version: Any = None, dl_device: Any = None, copy: bool | None = None
    ) -> Any:
        dlpack.check_request(stream, max_version, dl_device)
        value = self.numpy()
        return dlpack.capsule_of(value.copy() if copy else value)

    def __dlpack_device__(self) -> tuple[int, int]:
        return dlpack.CPU

    # -- devices
    def block_until_ready(self) -> Array:
        """Wait until the values are there; returns the array itself. Calls of programs block, so they are there.

        Example:
          >>> jnp.ones(2).block_until_ready()
          Array([1., 1.], dtype=float32)
        """
        if self.deleted:
            self.numpy()  # raises
        return self

    def devices(self) -> set:
        """The devices that hold the array: one.

        Example:
          >>> jnp.ones(2).devices() == {jax.devices("cpu")[0]}
          True
        """
        return {self.device}

    @property
    def device(self) -> Any:
        """The device that holds the array.

        Example:
          >>> jnp.ones(2).device.platform
          'cpu'
        """
        return device_of(self)

    @property
    def sharding(self) -> Sharding:
        """How the array is laid out over devices: it is on one, which may be that of a mesh.

        Example:
          >>> jnp.ones(2).sharding.device_set == jnp.ones(2).devices()
          True
        """
        return getattr(self, "_sharding", None) or SingleDeviceSharding(self.device)

    @property
    def format(self) -> Format:
        """Where the array is, and in which order its elements are there: the last index changes fastest.

        Example:
          >>> jnp.ones((2, 3)).format.layout.major_to_minor
          (0, 1)
        """
        return Format(Layout(tuple(range(self.ndim))), self.sharding)

    @property
    def traceback(self) -> None:
        """Where the array was made: not recorded.

        Example:
          >>> jnp.ones(2).traceback
        """
        return None

    @property
    def is_fully_replicated(self) -> bool:
        """Whether each of its devices holds all of the array.

        Example:
          >>> jnp.ones(2).is_fully_replicated
          True
        """
        return True

    @property
    def is_fully_addressable(self) -> bool:
        """Whether this process can reach all of its devices.

        Example:
          >>> jnp.ones(2).is_fully_addressable
          True
        """
        return True

    @property
    def addressable_shards(self) -> list[Shard]:
        """What each device that this process can reach holds of the array.

        Example:
          >>> [shard.data for shard in jnp.ones(2).addressable_shards]
          [Array([1., 1.], dtype=float32)]
        """
        return [Shard(self.device, (slice(None),) * self.ndim, 0, self)]

    @property
    def global_shards(self) -> list[Shard]:
        """What each device holds of the array.

        Example:
          >>> len(jnp.ones(2).global_shards)
          1
        """
        return self.addressable_shards

    def addressable_data(self, index: int) -> Array:
        """What the device of that number holds of the array: all of it.

        Args:
          index: the number, 0.

        Example:
          >>> jnp.ones(2).addressable_data(0)
          Array([1., 1.], dtype=float32)
        """
        return self

    def platform(self) -> str:
        """The platform of its devices.

        Example:
          >>> jnp.ones(2).platform()
          'cpu'
        """
        return self.device.platform

    def is_ready(self) -> bool:
        """Whether the values are there; calls of programs block, so they are.

        Example:
          >>> jnp.ones(2).is_ready()
          True
        """
        self.block_until_ready()
        return True

    def on_device_size_in_bytes(self) -> int:
        """Bytes that the array takes on its devices.

        Example:
          >>> jnp.ones(2).on_device_size_in_bytes()
          8
        """
        self.block_until_ready()
        return self.nbytes

    def delete(self) -> None:
        """Drop the values now; later use raises RuntimeError.

        Example:
          >>> x = jnp.ones(2)
          >>> x.delete()
          >>> x.is_deleted()
          True
        """
        self._value = self._buffer = None
        self.deleted = True

    def is_deleted(self) -> bool:
        """True after `delete()`.

        Example:
          >>> jnp.ones(2).is_deleted()
          False
        """
        return self.deleted

    def copy_to_host_async(self) -> None:
        """Nothing to start: on the CPU arrays are on the host, from elsewhere they are fetched when asked for.

        Example:
          >>> jnp.ones(2).copy_to_host_async()
        """
        if self.deleted:
            self.numpy()  # raises

    def unsafe_buffer_pointer(self) -> int:
        """Address of the first element on a CPU device.

        Example:
          >>> jnp.ones(2).unsafe_buffer_pointer() > 0
          True
        """
        return self.numpy().ctypes.data


class ArrayType(type):
    """What `isinstance(x, jax.Array)` asks: arrays and traced values, and what has been registered to be like them."""

    others: tuple[type, ...] = ()

    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, (Value, *ArrayType.others))

    def __subclasscheck__(cls, c: type) -> bool:
        return issubclass(c, (Value, *ArrayType.others))


class AnyArray(Value, metaclass=ArrayType):
    """The type of arrays as users know it, `jax.Array`: for annotations and `isinstance`, of which traced values are too.

    Arrays are made by functions such as `jax.numpy.array`, not by this class.

    Example:
      >>> isinstance(jnp.ones(2), jax.Array), isinstance(np.ones(2), jax.Array)
      (True, False)
      >>> jax.jit(lambda x: x if isinstance(x, jax.Array) else None)(1.0)  # traced values, too
      Array(1., dtype=float32, weak_type=True)
    """

    __slots__ = ()

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("jax.Array has no instances of its own: make arrays by jax.numpy.array")


AnyArray.__name__ = AnyArray.__qualname__ = "Array"


def cpu_device() -> Any:
    """The CPU device that arrays without a device of their own are on."""
    return runtime.devices("cpu")[0]


def device_of(x: Array) -> Any:
    """The device that holds an array."""
    return x._device or cpu_device()


def fetch(x: Array, explicit: bool = False) -> np.ndarray:
    """The values behind a device buffer; `explicit` where the user asked for the transfer."""
    device = device_of(x)
    if config.eager_key is None and device.platform != "cpu":
        guard(DEVICE_TO_HOST, x.aval, device, explicit)
    return device.get(x._buffer, x.aval.shape, x.aval.dtype)


def check_index(a: Aval) -> None:
    """Raise TypeError where no value of this type is an index."""
    if a.dtype.kind not in "iu" or a.shape:
        raise TypeError("Only integer scalar arrays can be converted to a scalar index.")


def check_scalar(a: Aval) -> None:
    """Raise TypeError where no value of this type is a Python number."""
    if a.shape:
        raise TypeError(f"Only scalar arrays can be converted to Python scalars; got arr.ndim={a.ndim}")


def check_truth(a: Aval) -> None:
    if a.size == 0:
        raise ValueError(
            "The truth value of an empty array is ambiguous. Use `array.size > 0` to check it is not empty."
        )
    raise ValueError("The truth value of an array with more than one element is ambiguous. Use a.any() or a.all()")


def from_numpy(value: np.ndarray, weak_type: bool = False) -> Array:
    """An Array that takes over a NumPy array (which nobody may write to any more)."""
    return Array(aval(value.shape, value.dtype, True) if weak_type else aval_of(value), value)


def copy_of(x: Array) -> Array:
    """A new array with the same values."""
    made = Array(x.aval, np.array(x.numpy()))
    made._device, made.committed = x._device, x.committed
    return laid_out(made, getattr(x, "_sharding", None))


def laid_out(x: Array, sharding: Sharding | None) -> Array:
    """The array, which its owner sees for the first time, as one that is laid out so."""
    if sharding is not None:
        x._sharding = sharding
    return x


def _unpickle(value: np.ndarray, weak_type: bool) -> Array:
    return from_numpy(value, weak_type)


def format_array(x: Array) -> str:
    """`Array([1., 2.], dtype=float32)`, as JAX prints it."""
    value, a = x.numpy(), x.aval
    suffix = f"dtype={a.dtype.name}" + (", weak_type=True" if a.weak_type else "") + ")"
    if a.size:
        body = np.array2string(value, prefix="Array(", suffix=",", separator=", ")
    else:
        body = f"[], shape={a.shape}"
    last_line = body[body.rfind("\n") + 1 :]
    room = len(last_line) + len(suffix) + 3
    separator = " " if room <= np.get_printoptions()["linewidth"] else " " * len("Array(")
    return f"Array({body},{separator}{suffix}"
