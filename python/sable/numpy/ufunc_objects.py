"""`ufunc`: elementwise functions as objects, which also reduce, accumulate and update arrays; `frompyfunc`."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND, constant
from sable.core.operands import (
    INT32,
    array_argument,
    array_arguments,
    compare,
    convert,
    expand_to,
    filled,
    kind,
    logical,
    normal_axes,
    normal_axis,
    reshape_to,
    scalar,
    select,
)
from sable.lax.control_flow import scan
from sable.library.declare import LibraryFunction, looks_like, registered

from .arrays import asarray
from .indexing.read import read
from .indexing.selection import take
from .indexing.update import write
from .joining import concatenate
from .manipulation import broadcast_to, moveaxis, ravel
from .vectorization import vectorize


@dataclass(frozen=True)
class _Parts:
    """What a ufunc is made of; those without a way of their own go element by element."""

    function: Callable
    nin: int
    nout: int
    nargs: int
    identity: Any
    reduce: Callable | None
    accumulate: Callable | None
    at: Callable | None
    reduceat: Callable | None


class ufunc(LibraryFunction):
    """An elementwise function of arrays that broadcast, as an object with methods.

    Args:
      func: a function of `nin` scalars that returns `nout`.
      nin, nout: numbers of arguments and of results.
      name: its name; by default that of `func`.
      nargs: what the attribute of that name says; by default `nin`.
      identity: the neutral element of a function of two arguments, or None.
      call: the same function for whole arrays; by default `func` is vectorized.
      reduce, accumulate, at, reduceat: what the methods of these names do; by default they apply the function along an
        array, one element after the other.

    Example:
      >>> import sable.numpy as jnp
      >>> jnp.multiply.outer(jnp.arange(3), jnp.arange(3))
      Array([[0, 0, 0],
             [0, 1, 2],
             [0, 2, 4]], dtype=int32)
      >>> jnp.bitwise_or.reduce(jnp.array([1, 2, 4]))
      Array(7, dtype=int32)
    """

    def __new__(
        cls, func: Callable, /, nin: int, nout: int, *, name: str | None = None, nargs: int | None = None,
        identity: Any = None, call: Callable | None = None, reduce: Callable | None = None,
        accumulate: Callable | None = None, at: Callable | None = None, reduceat: Callable | None = None,
    ) -> ufunc:  # fmt: skip
        nin, nout = operator.index(nin), operator.index(nout)
        own_name = name or func.__name__
        apply = call or vectorize(func)

        def checked(*args: Any, out: None = None, where: None = None) -> Any:
            array_arguments(own_name, *args)
            for option, value in (("out", out), ("where", where)):
                if value is not None:
                    raise NotImplementedError(f"{option} argument of <jnp.ufunc {own_name!r}>")
            return apply(*args)

        checked.__name__ = checked.__qualname__ = own_name
        checked.__doc__, checked.__module__ = func.__doc__, func.__module__
        self = super().__new__(cls, checked, ((True,) * nin, ()))
        looks_like(self, checked, range(nin))
        self._parts = _Parts(
            func, nin, nout, operator.index(nargs or nin), identity, reduce, accumulate, at, reduceat
        )  # fmt: skip
        return self

    nin = property(lambda self: self._parts.nin, doc="Number of arguments.")
    nout = property(lambda self: self._parts.nout, doc="Number of results.")
    nargs = property(lambda self: self._parts.nargs, doc="Number of arguments.")
    identity = property(lambda self: self._parts.identity, doc="The neutral element, or None.")

    def _key(self) -> tuple:
        p = self._parts
        return p.function, self.__name__, p.identity, p.nin, p.nout, p.nargs

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, ufunc) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"<jnp.ufunc {self.__name__!r}>"

    def _require_binary(self, method: str) -> None:
        if self.nin != 2:
            raise ValueError(f"{method} only supported for binary ufuncs")
        if self.nout != 1:
            raise ValueError(f"{method} only supported for functions returning a single value")

    def _no_out(self, method: str, out: Any) -> None:
        if out is not None:
            raise NotImplementedError(f"out argument of {self.__name__}.{method}()")

    def _dtype_for(self, *xs: Value) -> np.dtype:
        """The dtype of the function's result for operands like these."""
        return asarray(self._parts.function(*[scalar(1, x.aval.dtype) for x in xs])).aval.dtype

    # ---- reduce
    def reduce(
        self, a: Any, axis: int | None = 0, dtype: Any = None, out: None = None, keepdims: bool = False,
        initial: Any = None, where: Any = None,
    ) -> Value:  # fmt: skip
        """The elements along an axis put together by the function.

        Args:
          a: array.
          axis: an axis; None: all elements. Functions with a reduction of their own also take several.
          dtype: in which dtype; None: that of the function's results.
          keepdims: leave axes of size 1.
          initial: what to begin with; None: the identity.
          where: mask that broadcasts to the array: which elements count.

        Raises:
          ValueError: no function of two arguments with one result; no elements, or `where`, and neither an identity nor
            `initial`; `where` is not boolean.
          TypeError: an argument is no array.
          NotImplementedError: `out`; several axes for a function without a reduction of its own.
        """
        name = f"{self.__name__}.reduce"
        array_argument(name, a)
        self._require_binary("reduce")
        self._no_out("reduce", out)
        if initial is not None:
            array_argument(name, initial)
        if where is not None:
            mask = array_argument(name, where)
            if self.identity is None and initial is None:
                raise ValueError(
                    f"reduction operation {self.__name__!r} does not have an identity, so to use a where mask one has to "
                    "specify 'initial'."
                )
            if kind(mask) != "b":
                raise ValueError(f"where argument must have dtype=bool; got dtype={mask.aval.dtype}")
        reduce = self._parts.reduce or self._reduce_in_order
        return reduce(a, axis=axis, dtype=dtype, keepdims=keepdims, initial=initial, where=where)

    def _reduce_in_order(self, a: Any, axis: Any, dtype: Any, keepdims: bool, initial: Any, where: Any) -> Value:
        x = asarray(a)
        if isinstance(axis, tuple):
            normal_axes(axis, x.aval.ndim)
            raise NotImplementedError(f"{self.__name__}.reduce along several axes")
        axes = tuple(range(x.aval.ndim)) if axis is None else (normal_axis(axis, x.aval.ndim),)
        kept = [(d in axes, n) for d, n in enumerate(x.aval.shape)]
        shape = tuple(1 if gone else n for gone, n in kept if keepdims or not gone)
        start = self.identity if initial is None else initial
        wanted = self._dtype_for(x, x) if dtype is None else np.dtype(dtype)
        rows = [x] if where is None else [x, broadcast_to(where, x.aval.shape)]
        rows = [ravel(r) if axis is None else moveaxis(r, axes[0], 0) for r in rows]
        rows[0] = convert(rows[0], wanted)
        first, *rest = rows[0].aval.shape
        if start is None and not first:
            raise ValueError(f"zero-size array to reduction operation {self.__name__} which has no identity")
        if start is None:
            value, rows = rows[0][0], [r[1:] for r in rows]
        else:
            value = broadcast_to(convert(asarray(start), wanted), tuple(rest))

        def step(carry: Value, row: list[Value]) -> tuple[Value, None]:
            made = self(carry, row[0])
            return (made if where is None else select(row[1], made, carry)), None

        return reshape_to(scan(step, value, rows)[0], shape)

    # ---- accumulate
    def accumulate(self, a: Any, axis: int = 0, dtype: Any = None, out: None = None) -> Value:
        """The results of `reduce` for the first element along an axis, the first two, and so on.

        Args:
          a, axis, dtype: as for `reduce`.

        Returns:
          An array of the same shape.

        Raises:
          ValueError: no function of two arguments with one result; no axis or several.
          TypeError: `a` is no array. NotImplementedError: `out`.
        """
        self._require_binary("accumulate")
        self._no_out("accumulate", out)
        accumulate = self._parts.accumulate or self._accumulate_in_order
        return accumulate(a, axis=axis, dtype=dtype)

    def _accumulate_in_order(self, a: Any, axis: Any, dtype: Any) -> Value:
        x = array_argument(f"{self.__name__}.accumulate", a)
        wanted = self._dtype_for(x, x) if dtype is None else np.dtype(dtype)
        if axis is None or isinstance(axis, tuple):
            raise ValueError("accumulate does not allow multiple axes")
        axis = normal_axis(axis, x.aval.ndim)
        if not x.aval.size:
            return filled(x.aval.shape, wanted, 0)
        rows = moveaxis(convert(x, wanted), axis, 0)

        def step(carry: Value, row: Value) -> tuple[Value, Value]:
            made = self(carry, row)
            return made, made

        later = scan(step, rows[0], rows[1:])[1]
        return moveaxis(concatenate([rows[:1], later]), 0, axis)

    # ---- at
    def at(self, a: Any, indices: Any, b: Any = None, /, *, inplace: bool = True) -> Value:
        """A copy of an array in which `a[indices] = function(a[indices], b)` was done, as often as an element is named.

        Args:
          a: array.
          indices: an index, as in `a[indices]`.
          b: second arguments, which broadcast to the shape of `a[indices]`; None for functions of one argument.
          inplace: must be False.

        Raises:
          NotImplementedError: `inplace` is True. TypeError: an argument is no array.
        """
        if inplace:
            raise NotImplementedError(
                "Because JAX arrays are immutable, jnp.ufunc.at() cannot operate inplace like np.ufunc.at(). Pass "
                f"inplace=False and use the result: a = jnp.{self.__name__}.at(a, indices, b, inplace=False)"
            )
        given = () if b is None else (b,)
        return (self._parts.at or self._at_in_order)(a, indices, *given)

    def _at_in_order(self, a: Any, indices: Any, *given: Any) -> Value:
        x, *others = array_arguments(f"{self.__name__}.at", a, *given)
        wanted = self._dtype_for(x, *others)
        line = ravel(convert(x, wanted))
        n = x.aval.size
        own = constant(np.arange(n, dtype=np.int32).reshape(x.aval.shape))
        places = read(own, indices, mode="fill", fill_value=n)  # those outside are dropped when written
        others = [ravel(broadcast_to(convert(y, wanted), places.aval.shape)) for y in others]

        def step(carry: Value, element: list[Value]) -> tuple[Value, None]:
            place, *values = element
            made = self(read(carry, place, mode="clip"), *values)
            return write("scatter", carry, place, made, mode="drop"), None

        return reshape_to(scan(step, line, [ravel(places), *others])[0], x.aval.shape)

    # ---- reduceat
    def reduceat(self, a: Any, indices: Any, axis: int = 0, dtype: Any = None, out: None = None) -> Value:
        """The pieces of an array along an axis, each put together by the function.

        Args:
          a: array.
          indices: a vector of integers, in ascending order: where pieces begin; each ends where the next one begins.
          axis: the axis.
          dtype: without effect, as in JAX.

        Returns:
          An array with an element for each piece along the axis.

        Raises:
          ValueError: no function of two arguments with one result; a scalar; `indices` is no vector; no axis or several.
          TypeError: an argument is no array. NotImplementedError: `out`.
        """
        self._require_binary("reduceat")
        self._no_out("reduceat", out)
        return (self._parts.reduceat or self._reduceat_in_order)(a, indices, axis=axis, dtype=dtype)

    def _reduceat_in_order(self, a: Any, indices: Any, axis: Any, dtype: Any) -> Value:
        x, starts = array_arguments(f"{self.__name__}.reduceat", a, indices)
        if not x.aval.ndim:
            raise ValueError(f"reduceat: a must have 1 or more dimension, got shape {x.aval.shape}")
        if starts.aval.ndim != 1:
            raise ValueError(f"reduceat: indices must be one-dimensional, got shape {starts.aval.shape}")
        if axis is None or isinstance(axis, (tuple, list)):
            raise ValueError("reduceat requires a single integer axis.")
        axis = normal_axis(axis, x.aval.ndim)
        rows = moveaxis(x, axis, 0)
        n, *rest = rows.aval.shape
        first = take(rows, starts, 0)
        starts = convert(starts, INT32)
        ends = concatenate([starts[1:], constant(np.array([n], np.int32))])
        column = (starts.aval.size, *[1] * len(rest))

        def step(carry: Value, element: tuple[Value, Value]) -> tuple[Value, None]:
            place, row = element
            places = expand_to(place, starts.aval.shape)
            inside = logical("and", compare(places, starts, "GT"), compare(places, ends, "LT"))
            made = self(carry, reshape_to(row, (1, *rest)))
            return select(expand_to(reshape_to(inside, column), made.aval.shape), made, carry), None

        numbers = BIND.iota(shape=(n,), dtype=INT32, iota_dimension=0)
        return moveaxis(scan(step, first, (numbers, rows))[0], 0, axis)

    # ---- outer
    def outer(self, A: Any, B: Any, /) -> Value:
        """The function of all pairs of elements of two arrays.

        Returns:
          An array with the dimensions of A, then those of B.

        Raises:
          ValueError: no function of two arguments with one result. TypeError: an argument is no array.
        """
        self._require_binary("outer")
        x, y = array_arguments(f"{self.__name__}.outer", A, B)
        left, right = x.aval.shape, y.aval.shape
        return self(reshape_to(x, (*left, *[1] * len(right))), reshape_to(y, (*[1] * len(left), *right)))


def ufunc_of(row: Callable[[str], Any], identity: Any = None, nin: int = 2, **ways: Any) -> Callable[[str], ufunc]:
    """A function of the table as a ufunc; `ways` are those of `ufunc` to reduce, accumulate and update."""

    def make(example: str) -> ufunc:
        function = row(example).__wrapped__
        return registered(ufunc(function, nin, 1, call=function, identity=identity, **ways))

    return make


def frompyfunc(func: Callable, /, nin: int, nout: int, *, identity: Any = None) -> ufunc:
    """A `ufunc` of a function of scalars.

    Args:
      func: takes `nin` scalars, returns `nout`.
      identity: its neutral element, or None.

    Example:
      >>> import sable.numpy as jnp
      >>> jnp.frompyfunc(lambda x, y: x + 2 * y, 2, 1).accumulate(jnp.arange(4))
      Array([ 0,  2,  6, 12], dtype=int32)
    """
    return ufunc(func, nin, nout, identity=identity)
