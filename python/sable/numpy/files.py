"""Arrays of files, buffers, texts, other libraries' arrays and functions of positions."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import IO, Any

import numpy as np
from numpy import save, savez

from sable.core import dlpack
from sable.core.array import Value
from sable.core.batching import batched_call
from sable.core.dtypes import bfloat16
from sable.core.operands import shape_argument
from sable.core.values import as_value
from sable.pytree import arrays as trees

from .arrays import asarray
from .creation import arange

__all__ = ["from_dlpack", "frombuffer", "fromfile", "fromfunction", "fromiter", "fromstring", "load", "save", "savez"]

#: what NumPy writes of bfloat16, which it does not know
_BFLOAT16_IN_FILES = np.dtype("V2")


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Value:
    """An array in the memory of another library's array; see `sable.dlpack.from_dlpack`.

    Args:
      x: an object with `__dlpack__`.
      device, copy: as there.

    Example:
      >>> jnp.from_dlpack(np.arange(3, dtype=np.int32))
      Array([0, 1, 2], dtype=int32)
    """
    return dlpack.from_dlpack(x, device, copy)


def frombuffer(buffer: bytes | Any, dtype: Any = float, count: int = -1, offset: int = 0) -> Value:
    r"""The numbers that bytes stand for, as a vector; a copy.

    Args:
      buffer: bytes, or an object with the buffer protocol.
      dtype: of the numbers in the buffer; the result has it as far as arrays can (float64 becomes float32).
      count: how many numbers; -1: all.
      offset: where to begin, in bytes.

    Raises:
      ValueError: the buffer is too short, or no multiple of a number's size.

    Example:
      >>> jnp.frombuffer(b"\x01\x00\x02\x00", dtype=jnp.int16)
      Array([1, 2], dtype=int16)
    """
    return asarray(np.frombuffer(buffer, dtype=dtype, count=count, offset=offset))


def fromstring(string: str, dtype: Any = float, count: int = -1, *, sep: str) -> Value:
    """The numbers written in a text, as a vector.

    Args:
      string: the text.
      dtype: in which they are read.
      count: how many; -1: all.
      sep: what stands between them.

    Raises:
      ValueError: text that is no number.

    Example:
      >>> jnp.fromstring("1 2 3", dtype=int, sep=" ")
      Array([1, 2, 3], dtype=int32)
    """
    return asarray(np.fromstring(string, dtype=dtype, count=count, sep=sep))


def _no_reading(name: str, consumed: str) -> NotImplementedError:
    return NotImplementedError(
        f"jnp.{name}() is not implemented because it may be non-pure: it consumes {consumed}, which `jit` and other "
        f"transformations would do once only. Use jnp.asarray(np.{name}(...)) outside of them."
    )


def fromfile(*args: Any, **kwargs: Any) -> Value:
    """Not there, since transformed programs cannot read files.

    Raises:
      NotImplementedError: always; says what to call instead.

    Example:
      >>> jnp.asarray(np.fromfile("/dev/null"))  # instead of `jnp.fromfile("/dev/null")`
      Array([], shape=(0,), dtype=float32)
    """
    raise _no_reading("fromfile", "a file")


def fromiter(*args: Any, **kwargs: Any) -> Value:
    """Not there, since transformed programs cannot consume iterators.

    Raises:
      NotImplementedError: always; says what to call instead.

    Example:
      >>> jnp.array([x**2 for x in range(3)])  # instead of `jnp.fromiter(...)`
      Array([0, 1, 4], dtype=int32)
    """
    raise _no_reading("fromiter", "an iterable object")


def fromfunction(function: Callable[..., Any], shape: Any, *, dtype: Any = float, **kwargs: Any) -> Any:
    """The values of a function at all positions of an array; it is called once, for all of them (as by `vmap`).

    Args:
      function: of as many numbers as there are dimensions.
      shape: of the array: an int or a sequence of ints.
      dtype: of the numbers that the function is called with.
      kwargs: arrays that the function is called with, too, mapped along each dimension.

    Returns:
      What the function returns, with these dimensions in front.

    Raises:
      TypeError: no shape.

    Example:
      >>> jnp.fromfunction(lambda i, j: 10 * i + j, (2, 3), dtype=int)
      Array([[ 0,  1,  2],
             [10, 11, 12]], dtype=int32)
    """
    sizes = shape_argument(shape)
    for i in reversed(range(len(sizes))):
        function = _along(function, i)
    return function(*[arange(n, dtype=dtype) for n in sizes], **kwargs)


def _along(function: Callable, i: int) -> Callable:
    """The function for each element of its i-th argument."""

    def every(*args: Any, **kwargs: Any) -> Any:
        leaves, tree = trees.flatten_call(args, kwargs)
        values, size = [as_value(x) for x in leaves], args[i].shape[0]
        for x in values[len(args) :]:
            if x.aval.shape[:1] != (size,):
                raise ValueError(
                    "fromfunction maps keyword arguments along each dimension of the shape: expected an array with a first "
                    f"axis of size {size}, got {x.aval.short()}"
                )
        axes = [0 if k == i else None for k in range(len(args))] + [0] * (len(leaves) - len(args))
        return batched_call(function, values, tree, axes, size)

    return every


def load(file: IO[bytes] | str | os.PathLike[Any], *args: Any, **kwargs: Any) -> Any:
    """The array in a file that `save` has written; what else NumPy finds in files (those of `savez`) is NumPy's.

    Args:
      file: name, or file object opened for reading bytes.
      args, kwargs: those of `numpy.load`.

    Raises:
      FileNotFoundError: there is no such file. ValueError: no array is in it, or one of objects.

    Example:
      >>> import io
      >>> file = io.BytesIO()
      >>> jnp.save(file, jnp.arange(3))
      >>> _ = file.seek(0)
      >>> jnp.load(file)
      Array([0, 1, 2], dtype=int32)
    """
    found = np.load(file, *args, **kwargs)
    if not isinstance(found, np.ndarray):
        return found
    if found.dtype == _BFLOAT16_IN_FILES:
        found = found.view(bfloat16)
    return found if found.dtype.kind in "OSUMmV" and found.dtype != bfloat16 else asarray(found)
