"""Changed copies: `x.at[index].set(y)` and its like, `put`, `put_along_axis`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND, constant
from sable.core.dtypes import kind_of
from sable.core.operands import array_argument, array_arguments, convert, wrapped
from sable.core.values import as_value, converted
from sable.lax.gathering import ScatterDimensionNumbers, scatter_apply
from sable.library.declare import library

from .arrays import asarray
from .index_tricks import diag_indices
from .indexing.positions import flatnonzero
from .indexing.read import read
from .indexing.selection import along_axis_arguments
from .indexing.update import write
from .manipulation import ravel
from .rearrangement import resize
from .ufuncs import divide, power


def _update_value(y: Any) -> Any:
    if y is None:
        raise ValueError("None is not a valid value for jnp.array")
    if isinstance(y, (list, tuple)):
        return asarray(y)
    if isinstance(y, str):
        raise TypeError(
            f"Value {y!r} with dtype <U{len(y)} is not a valid JAX array type. "
            "Only arrays of numeric types are supported by JAX."
        )
    return y if type(y) is int else as_value(converted(y))


class _IndexUpdateHelper:
    """`x.at`: index it to say where."""

    __slots__ = ("array",)

    def __init__(self, array: Value):
        self.array = array

    def __getitem__(self, index: Any) -> _IndexUpdateRef:
        return _IndexUpdateRef(self.array, index)

    def __repr__(self) -> str:
        return f"_IndexUpdateHelper({self.array!r})"


def _method(name: str, mnemonic: str, text: str) -> Callable[[str], Callable]:
    """What makes a method, given its example."""

    def run(
        self: _IndexUpdateRef,
        values: Any,
        *,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        mode: Any = None,
        out_sharding: Any = None,
        wrap_negative_indices: bool = True,
    ) -> Value:
        return write(
            mnemonic,
            self.array,
            self.index,
            _update_value(values),
            mode=mode,
            wrap_negative_indices=wrap_negative_indices,
            indices_are_sorted=indices_are_sorted,
            unique_indices=unique_indices,
        )

    def make(example: str) -> Callable:
        run.__name__ = name
        run.__qualname__ = f"_IndexUpdateRef.{name}"
        run.__doc__ = f"""A copy of the array in which `{text}` was done.

        Args:
          values: broadcast to the shape of the indexed elements; converted to the array's dtype (with a
            FutureWarning where that loses something).
          indices_are_sorted, unique_indices: promises about index arrays.
          mode: what becomes of positions outside: "drop" (the default), "clip" or "promise_in_bounds".
          out_sharding: accepted and without effect.
          wrap_negative_indices: whether negative integers count from the end.

        Example:{example}
        """
        return run

    return make


class _IndexUpdateRef:
    """`x.at[index]`: a place in an array; its methods return changed copies."""

    __slots__ = ("array", "index")

    def __init__(self, array: Value, index: Any):
        self.array, self.index = array, index

    def __repr__(self) -> str:
        return f"_IndexUpdateRef({self.array!r}, {self.index!r})"

    set = _method("set", "scatter", "x[index] = values")("""
          >>> jnp.zeros((2, 2)).at[0].set(jnp.array([1.0, 2.0]))
          Array([[1., 2.],
                 [0., 0.]], dtype=float32)
        """)
    add = _method("add", "scatter_add", "x[index] += values")("""
          >>> jnp.zeros(3).at[jnp.array([0, 0, 2])].add(1)  # position 0 is named twice
          Array([2., 0., 1.], dtype=float32)
          >>> jnp.zeros(3).at[3].add(1), jnp.zeros(3).at[3].add(1, mode="clip")  # outside
          (Array([0., 0., 0.], dtype=float32), Array([0., 0., 1.], dtype=float32))
        """)
    multiply = mul = _method("multiply", "scatter_mul", "x[index] *= values")("""
          >>> jnp.array([1, 2, 3]).at[1:].multiply(10)
          Array([ 1, 20, 30], dtype=int32)
        """)
    min = _method("min", "scatter_min", "x[index] = minimum(x[index], values)")("""
          >>> jnp.array([1, 2, 3]).at[:].min(2)
          Array([1, 2, 2], dtype=int32)
        """)
    max = _method("max", "scatter_max", "x[index] = maximum(x[index], values)")("""
          >>> jnp.array([1, 2, 3]).at[jnp.array([0, 2])].max(2)
          Array([2, 2, 3], dtype=int32)
        """)

    def get(
        self,
        *,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        mode: Any = None,
        fill_value: Any = None,
        out_sharding: Any = None,
        wrap_negative_indices: bool = True,
    ) -> Value:
        """`x[index]`, with a choice of what positions outside mean.

        Args:
          indices_are_sorted, unique_indices: promises about index arrays.
          mode: "clip", "fill" or "promise_in_bounds" (the default).
          fill_value: what positions outside give in mode "fill"; by default NaN, the smallest signed or the largest
            unsigned integer, True.
          out_sharding: accepted and without effect.
          wrap_negative_indices: whether negative integers count from the end.

        Example:
          >>> x = jnp.array([1.0, 2.0])
          >>> x[5], x.at[5].get(mode="fill"), x.at[5].get(mode="fill", fill_value=0)
          (Array(2., dtype=float32), Array(nan, dtype=float32), Array(0., dtype=float32))
        """
        return read(
            self.array,
            self.index,
            mode=mode,
            fill_value=fill_value,
            wrap_negative_indices=wrap_negative_indices,
            indices_are_sorted=indices_are_sorted,
            unique_indices=unique_indices,
        )

    def subtract(self, values: Any, **options: Any) -> Value:
        """A copy of the array in which `x[index] -= values` was done; options as for `add`.

        Example:
          >>> jnp.array([1, 2]).at[0].subtract(5)
          Array([-4,  2], dtype=int32)
        """
        value = as_value(_update_value(values))
        if value.aval.dtype == np.bool_:
            value = convert(value, self.array.aval.dtype)
        return write("scatter_add", self.array, self.index, BIND.negate(value), **options)

    def divide(self, values: Any, **options: Any) -> Value:
        """`x / y` where y is 1 but for the product of the values at `index`; options as for `add`.

        Example:
          >>> jnp.array([8.0, 8.0]).at[jnp.array([1, 1])].divide(2)  # twice
          Array([8., 2.], dtype=float32)
        """
        return divide(self.array, self._ones("scatter_mul", values, options))

    def power(self, values: Any, **options: Any) -> Value:
        """`x ** y` where y is 1 but for the product of the values at `index`; options as for `add`.

        Example:
          >>> jnp.array([2, 3]).at[1].power(2)
          Array([2, 9], dtype=int32)
        """
        return power(self.array, self._ones("scatter_mul", values, options))

    def _ones(self, mnemonic: str, values: Any, options: dict) -> Value:
        return write(mnemonic, BIND.full(self.array.aval, 1), self.index, _update_value(values), **options)

    def apply(
        self,
        func: Callable[[Any], Any],
        *,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        mode: Any = None,
        wrap_negative_indices: bool = True,
    ) -> Value:
        """A copy of the array in which an elementwise function was applied at `index`, as often as it is there.

        Args:
          func: takes an array and returns one of the same shape.
          indices_are_sorted, unique_indices, mode, wrap_negative_indices: as for `add`.

        Example:
          >>> jnp.array([1.0, 4.0]).at[1].apply(jnp.sqrt)
          Array([1., 2.], dtype=float32)
        """
        x = self.array
        shape = x.aval.shape
        positions = constant(np.arange(x.aval.size, dtype=np.int32).reshape(shape))
        options = {"mode": mode, "wrap_negative_indices": wrap_negative_indices}
        if options["mode"] is None:
            options["mode"] = "fill"
        flat = read(positions, self.index, fill_value=x.aval.size, **options)
        if kind_of(flat.aval.dtype) != "i" or not x.aval.size:
            return x
        indices = BIND.reshape(flat, shape=(flat.aval.size, 1))
        numbers = ScatterDimensionNumbers((), (0,), (0,))
        line = BIND.reshape(x, shape=(x.aval.size,))
        found = scatter_apply(
            line,
            indices,
            func,
            numbers,
            update_shape=(flat.aval.size,),
            unique_indices=unique_indices,
        )
        return BIND.reshape(found, shape=shape)


# ---- functions ---------------------------------------------------------------------------------------------------


def _no_inplace(name: str, inplace: bool) -> None:
    if inplace:
        raise ValueError(
            f"jax.numpy.{name} cannot modify arrays in-place, because JAX arrays are immutable. "
            "Pass inplace=False to instead return an updated array."
        )


@library
def put_along_axis(
    arr: Any, indices: Any, values: Any, axis: int | None, inplace: bool = True, *, mode: Any = None
) -> Value:
    """A copy of the array with the elements that `take_along_axis` would take replaced.

    Args:
      arr, indices, axis: as for `take_along_axis`.
      values: broadcast to the indices' shape.
      inplace: must be False.
      mode: "drop" (the default), "clip" or "promise_in_bounds", for numbers outside.

    Raises:
      ValueError: `inplace` is True; ranks or shapes disagree.
      TypeError: indices that are not integers.

    Example:
      >>> x = jnp.array([[30, 10, 20]])
      >>> jnp.put_along_axis(x, jnp.argmin(x, axis=1, keepdims=True), 99, axis=1, inplace=False)
      Array([[30, 99, 20]], dtype=int32)
    """
    _no_inplace("put_along_axis", inplace)
    original = array_argument("put_along_axis", arr)
    x, numbers, place = along_axis_arguments(arr, indices, axis, "put_along_axis")
    shape = x.aval.shape
    index: list[Any] = []
    for d, n in enumerate(shape):
        line = [1] * len(shape)
        line[d] = n
        index.append(numbers if d == place else np.arange(n, dtype=np.int32).reshape(line))
    found = write("scatter", x, tuple(index), _update_value(values), mode=mode)
    return found if axis is not None else BIND.reshape(found, shape=original.aval.shape)


@library(moves=("a", "v"))
def put(a: Any, ind: Any, v: Any, mode: str | None = None, *, inplace: bool = True) -> Value:
    """A copy of the array with elements of the flattened array replaced.

    Args:
      a: an array.
      ind: integers.
      v: values, repeated or cut off to as many as there are indices.
      mode: "clip" (the default) or "wrap", for numbers outside.
      inplace: must be False.

    Raises:
      ValueError: `inplace` is True; an unknown mode.
      NotImplementedError: mode "raise".

    Example:
      >>> jnp.put(jnp.zeros((2, 2), dtype=int), jnp.array([0, 3]), jnp.array([7, 8]), inplace=False)
      Array([[7, 0],
             [0, 8]], dtype=int32)
    """
    _no_inplace("put", inplace)
    x, numbers, values = array_arguments("put", a, ind, v)
    if mode == "raise":
        raise NotImplementedError("The 'raise' mode to jnp.put is not supported.")
    if mode not in (None, "clip", "wrap"):
        raise ValueError(f"mode should be one of 'wrap' or 'clip'; got mode={mode}")
    count = numbers.aval.size
    if not (count and values.aval.size and x.aval.size):
        return x
    numbers = BIND.reshape(numbers, shape=(count,))
    line = resize(values, (count,))
    if mode == "wrap":
        numbers = wrapped(numbers, x.aval.size)
    flat = BIND.reshape(x, shape=(x.aval.size,))
    made = write("scatter", flat, numbers, line, mode="clip", wrap_negative_indices=mode != "clip")
    return BIND.reshape(made, shape=x.aval.shape)


@library
def place(arr: Any, mask: Any, vals: Any, *, inplace: bool = True) -> Value:
    """A copy of the array with the elements where a mask is true replaced, in order.

    Args:
      arr: an array.
      mask: array of the same size; what is not boolean is compared with zero.
      vals: values, repeated or cut off to as many as are replaced.
      inplace: must be False.

    Raises:
      ValueError: `inplace` is True; sizes differ; there are no values.

    Example:
      >>> x = jnp.array([1, -2, -3])
      >>> jnp.place(x, x < 0, jnp.array([10, 20]), inplace=False)
      Array([ 1, 10, 20], dtype=int32)
    """
    _no_inplace("place", inplace)
    x, wanted, values = array_arguments("place", arr, mask, vals)
    count = x.aval.size
    if count != wanted.aval.size:
        raise ValueError("place: arr and mask must be the same size")
    if not values.aval.size:
        raise ValueError("Cannot place values from an empty array")
    if not count:
        return x
    numbers = flatnonzero(wanted, size=count, fill_value=count)
    made = write("scatter", ravel(x), numbers, resize(values, (count,)), mode="drop")
    return BIND.reshape(made, shape=x.aval.shape)


@library
def fill_diagonal(a: Any, val: Any, wrap: bool = False, *, inplace: bool = True) -> Value:
    """A copy of the array with its main diagonal replaced.

    Args:
      a: a matrix, or an array with more dimensions of one size.
      val: a value, or values that are repeated or cut off to the diagonal's length.
      wrap: must be False.
      inplace: must be False.

    Raises:
      NotImplementedError: `inplace` or `wrap` is True.
      ValueError: less than two dimensions, or more with different sizes.

    Example:
      >>> jnp.fill_diagonal(jnp.zeros((2, 2), dtype=int), 7, inplace=False)
      Array([[7, 0],
             [0, 7]], dtype=int32)
    """
    if inplace:
        raise NotImplementedError("JAX arrays are immutable, must use inplace=False")
    if wrap:
        raise NotImplementedError("wrap=True is not implemented, must use wrap=False")
    x, values = array_arguments("fill_diagonal", a, val)
    shape = x.aval.shape
    if len(shape) < 2:
        raise ValueError("array must be at least 2-d")
    if len(shape) > 2 and len(set(shape)) > 1:
        raise ValueError("All dimensions of input must be of equal length")
    n = min(shape)
    return write("scatter", x, diag_indices(n, len(shape)), resize(values, (n,)) if values.aval.ndim else values)
