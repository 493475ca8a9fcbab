"""Arrays of typed random keys and their dtypes: a class for each generator, which wraps the keys' words."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from sable.core import dtypes, key_reuse
from sable.core.array import ArrayType, Value
from sable.core.bind import BIND
from sable.core.extended import ExtendedAval
from sable.core.trace import Tracer, describe
from sable.core.values import as_value
from sable.library.declare import wrapper_type
from sable.library.words import join_words, word_of
from sable.numpy import manipulation, ufuncs, ufuncs_logic
from sable.numpy.indexing.read import getitem
from sable.numpy.indexing.selection import take

from ._generators import GENERATORS, Generator

_UINT32 = np.dtype(np.uint32)


class KeyDType(dtypes.ExtendedDType):
    """The dtype of typed keys of a generator, printed `key<fry>`."""

    type = dtypes.prng_key
    word_dtype = _UINT32

    def __init__(self, generator: Generator):
        self.generator = generator
        self.tag = generator.tag
        self.name = f"key<{self.tag}>"
        self.words = generator.words
        self.itemsize = generator.words * _UINT32.itemsize

    def __repr__(self) -> str:
        return self.name

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KeyDType) and other.generator is self.generator

    def __hash__(self) -> int:
        return hash(self.generator)


class KeyArray:
    """An array of typed random keys: a leaf of pytrees that wraps its words, a uint32 array (see `pytree.arrays`).

    There is a subclass for each generator, so that the class says of which the keys are.

    Attributes:
      shape: of the array of keys: that of the words without their last dimension.
    """

    __slots__ = ("_base_array",)
    _impl: Generator
    _dtype: KeyDType
    __hash__ = None  # type: ignore[assignment]
    __array_priority__ = 100

    def __init__(self, data: Any):
        self._base_array = data

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the dimensions."""
        return tuple(self._base_array.shape[:-1])

    @property
    def dtype(self) -> KeyDType:
        """`key<fry>`, of another generator another one."""
        return self._dtype

    @property
    def aval(self) -> ExtendedAval:
        """Shape and dtype."""
        return ExtendedAval(self.shape, self._dtype)

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of keys."""
        return math.prod(self.shape)

    @property
    def itemsize(self) -> int:
        """Bytes of one key."""
        return self._dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all keys."""
        return self.size * self.itemsize

    # ---- elements

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __iter__(self) -> Iterator[KeyArray]:
        if not self.shape:
            raise TypeError("iteration over a 0-d key array")
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> KeyArray:
        parts = index if isinstance(index, tuple) else (index,)
        count = sum(map(_indexed_axes, parts))
        if count > self.ndim:
            raise IndexError(f"Too many indices: array is {self.ndim}-dimensional, but {count} were indexed")
        whole = parts if any(p is Ellipsis for p in parts) else (*parts, Ellipsis)
        return self._forwarded(getitem(as_value(self._base_array), (*whole, slice(None))))

    def _forwarded(self, words: Value) -> KeyArray:
        """A key array of words made of these by moving them."""
        key_reuse.forward(self._base_array, words)
        return type(self)(words)

    def reshape(self, *shape: Any) -> KeyArray:
        """The keys, in row-major order, in another shape."""
        sizes = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], Sequence) else shape
        if -1 in sizes:
            rest = -math.prod(sizes)
            sizes = tuple(self.size // rest if n == -1 else n for n in sizes)
        return self._forwarded(BIND.reshape(as_value(self._base_array), shape=(*map(int, sizes), self._impl.words)))

    def ravel(self) -> KeyArray:
        """The keys as a vector."""
        return self.reshape(self.size)

    flatten = ravel

    def transpose(self, *axes: Any) -> KeyArray:
        """The keys with their dimensions in another order (by default the reverse)."""
        order = tuple(axes[0]) if len(axes) == 1 and isinstance(axes[0], Sequence) else axes
        order = tuple(a % self.ndim for a in order) or tuple(range(self.ndim))[::-1]
        return self._forwarded(BIND.transpose(as_value(self._base_array), permutation=(*order, self.ndim)))

    @property
    def T(self) -> KeyArray:
        """The keys with their dimensions in reverse order."""
        return self.transpose()

    def squeeze(self, axis: Any = None) -> KeyArray:
        """The keys without dimensions of size 1; see `jnp.squeeze`."""
        return self._moved(manipulation.squeeze, axis)

    def swapaxes(self, axis1: int, axis2: int) -> KeyArray:
        """The keys with two dimensions exchanged; see `jnp.swapaxes`."""
        return self._moved(manipulation.swapaxes, axis1, axis2)

    def take(self, indices: Any, axis: int | None = None, mode: str | None = None) -> KeyArray:
        """The keys at positions; see `jnp.take`."""
        return self._moved(take, indices, axis, None, mode)

    def _moved(self, function: Callable, *args: Any) -> KeyArray:
        return self._forwarded(function(self, *args)._base_array)

    @property
    def at(self) -> _KeysAt:
        """`keys.at[index]`: a place, whose `set` and `get` are those of arrays."""
        return _KeysAt(self)

    # ---- what keys are not

    def __bool__(self) -> bool:
        raise TypeError("key array cannot be converted to boolean.")

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(
            "JAX array with PRNGKey dtype cannot be converted to a NumPy array. Use jax.random.key_data(arr) if you "
            "wish to extract the underlying integer array."
        )

    def __pos__(self) -> KeyArray:
        return self

    # ---- memory

    def __repr__(self) -> str:
        if isinstance(self._base_array, Tracer):
            return describe(self._base_array, self.aval.short())
        return f"Array({self.shape}, dtype={self.dtype.name}) overlaying:\n{self._base_array}"

    def block_until_ready(self) -> KeyArray:
        """Wait until the words are there; returns the array itself."""
        self._base_array.block_until_ready()
        return self

    def copy_to_host_async(self) -> None:
        """Start bringing the words to the host."""
        self._base_array.copy_to_host_async()

    def devices(self) -> set:
        """The devices that hold the words."""
        return self._base_array.devices()

    @property
    def device(self) -> Any:
        """The device that holds the words."""
        return self._base_array.device

    @property
    def committed(self) -> bool:
        """Whether the words are bound to their device."""
        return self._base_array.committed

    def delete(self) -> None:
        """Drop the words now; later use raises RuntimeError."""
        self._base_array.delete()

    def is_deleted(self) -> bool:
        """True after `delete()`."""
        return self._base_array.is_deleted()

    def unsafe_buffer_pointer(self) -> int:
        """Address of the first word on a CPU device."""
        return self._base_array.unsafe_buffer_pointer()

    def copy(self) -> KeyArray:
        """The same keys."""
        return type(self)(self._base_array)

    def __reduce__(self) -> Any:
        return _keys_of_words, (self._impl.name, self._base_array)


def _indexed_axes(part: Any) -> int:
    """How many dimensions a part of an index is about."""
    if part is None or part is Ellipsis or isinstance(part, (bool, np.bool_)):
        return 0
    return part.ndim if getattr(part, "dtype", None) == np.bool_ else 1


def _install_operators() -> None:
    """Keys can be compared for equality; all else is refused by the function that an operator stands for."""
    binary = {
        "add": ufuncs.add,
        "sub": ufuncs.subtract,
        "mul": ufuncs.multiply,
        "truediv": ufuncs.true_divide,
        "floordiv": ufuncs.floor_divide,
        "mod": ufuncs.remainder,
        "pow": ufuncs.power,
        "and": ufuncs_logic.bitwise_and,
        "or": ufuncs_logic.bitwise_or,
        "xor": ufuncs_logic.bitwise_xor,
        "lshift": ufuncs_logic.left_shift,
        "rshift": ufuncs_logic.right_shift,
    }
    for name, function in binary.items():
        setattr(KeyArray, f"__{name}__", lambda self, other, f=function: f(self, other))
        setattr(KeyArray, f"__r{name}__", lambda self, other, f=function: f(other, self))
    comparisons = {
        "eq": ufuncs_logic.equal,
        "ne": ufuncs_logic.not_equal,
        "lt": ufuncs_logic.less,
        "le": ufuncs_logic.less_equal,
        "gt": ufuncs_logic.greater,
        "ge": ufuncs_logic.greater_equal,
    }
    for name, function in comparisons.items():
        setattr(KeyArray, f"__{name}__", lambda self, other, f=function: f(self, other))
    for name, function in {"neg": ufuncs.negative, "invert": ufuncs_logic.invert, "abs": ufuncs.abs}.items():
        setattr(KeyArray, f"__{name}__", lambda self, f=function: f(self))


_install_operators()


class _KeysAt:
    """`keys.at`, and with an index `keys.at[index]`."""

    __slots__ = ("index", "keys")

    def __init__(self, keys: KeyArray, index: Any = None):
        self.keys, self.index = keys, index

    def __getitem__(self, index: Any) -> _KeysAt:
        return _KeysAt(self.keys, index)

    def _each(self, change: Any) -> KeyArray:
        parts = [change(word_of(self.keys, k).at[self.index], k) for k in range(self.keys._impl.words)]
        return type(self.keys)(join_words(parts))

    def get(self, **options: Any) -> KeyArray:
        """The keys there."""
        return self._each(lambda place, k: place.get(**options))

    def set(self, values: Any, **options: Any) -> KeyArray:
        """A copy of the keys in which those there are replaced by other keys."""
        if not isinstance(values, KeyArray) or values._impl is not self.keys._impl:
            dtype = dtypes.dtype(values)
            raise TypeError(f"keys of {self.keys.dtype} can only be replaced by such keys, not by values of {dtype}")
        return self._each(lambda place, k: place.set(word_of(values, k), **options))

    def apply(self, function: Callable, **options: Any) -> KeyArray:
        """A copy of the keys in which those there are replaced by what a function makes of them."""
        return self.set(function(self.get(**options)), **options)

    def __getattr__(self, name: str) -> Any:
        raise TypeError(f"{name} does not accept dtype {self.keys.dtype} at position 0: keys are no numbers")


ArrayType.others += (KeyArray,)


def _keys_of(generator: Generator) -> type[KeyArray]:
    """The class of the typed keys of a generator."""
    dtype = KeyDType(generator)
    members = {"__slots__": (), "_impl": generator, "_dtype": dtype, "__hash__": None}
    made = type("KeyArray", (KeyArray,), {**members, "__module__": __name__, "__doc__": KeyArray.__doc__})

    def wrap(words: Any) -> Any:  # types, tangents and names of leaves are no words: they stand for the keys
        is_words = isinstance(words, Value) or (isinstance(words, np.ndarray) and words.dtype == _UINT32)
        return made(words) if is_words else words

    dtype.wrapper = made
    wrapper_type(made, "_base_array", wrap)
    return made


#: The classes of typed keys by their generators.
KEYS = {generator: _keys_of(generator) for generator in GENERATORS.values()}


def _keys_of_words(name: str, words: Any) -> KeyArray:
    return KEYS[GENERATORS[name]](words)


__all__ = ["KEYS", "KeyArray", "KeyDType"]
