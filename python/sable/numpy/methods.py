"""Operators and methods of arrays: NumPy's manners, put on `Value` and so on arrays and tracers alike."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import sable.core.memory_views  # noqa: F401  (arrays get the buffer protocol)
from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.destinations import to_device
from sable.core.dtypes import itemsize_bits, kind_of
from sable.core.operands import convert, dtype_argument, reshape_to
from sable.library.declare import library

from . import (
    array_api,
    arrays,
    choices,
    cumulative,
    manipulation,
    matrices,
    ordering,
    products,
    rearrangement,
    reductions,
    rounding,
    ufuncs,
    ufuncs_float,
    ufuncs_logic,
)
from .indexing import positions, selection
from .indexing.read import getitem
from .rearrangement import slice_axis
from .updates import _IndexUpdateHelper

_ACCEPTED = (Value, int, float, complex, np.generic, np.ndarray)
_REJECTED = (list, tuple, set, frozenset, dict)

# ---- operators -----------------------------------------------------------------------------------


def _operand(symbol: str, x: Any, reflected: bool) -> Any:
    """The other operand, or NotImplemented for what is no array.

    Raises:
      TypeError: lists and other containers, which would be slow to convert.
    """
    if isinstance(x, _ACCEPTED):
        return x
    if hasattr(x, "__jax_array__"):
        return x.__jax_array__()
    if type(x) in _REJECTED:  # a subclass, a named tuple, may have operators of its own
        names = (type(x).__name__, "Array") if reflected else ("Array", type(x).__name__)
        raise TypeError(f"unsupported operand type(s) for {symbol}: {names[0]!r} and {names[1]!r}")
    return NotImplemented


def _operators(symbol: str, function: Callable) -> tuple[Callable, Callable]:
    """`__add__` and `__radd__` of a function of two arrays."""

    def forward(self: Any, other: Any) -> Any:
        operand = _operand(symbol, other, False)
        return operand if operand is NotImplemented else function(self, operand)

    def backward(self: Any, other: Any) -> Any:
        operand = _operand(symbol, other, True)
        return operand if operand is NotImplemented else function(operand, self)

    return forward, backward


def _install_binary(name: str, symbol: str, function: Callable, reflected: bool = True) -> None:
    forward, backward = _operators(symbol, function)
    _put(f"__{name}__", forward, operands=("self", "other"))
    if reflected:
        _put(f"__r{name}__", backward, operands=("self", "other"))


def _operator(function: Callable) -> Callable:
    def apply(self: Any) -> Any:
        return function(self)

    return apply


def _put(name: str, function: Any, operands: tuple[str, ...] | None = None) -> None:
    """A method; an operator, with plans of its own, where `operands` says which of its parameters may be scalars."""
    if callable(function) and not isinstance(function, type):
        function.__name__ = name
        function.__qualname__ = f"Array.{name}"
    setattr(Value, name, function if operands is None else library(operands=operands)(function))


def _power(self: Any, other: Any, modulus: None = None) -> Any:
    if modulus is not None:
        raise TypeError("pow(x, y, modulus) is not supported for arrays")
    if type(other) is int and other == 2 and self.aval.dtype.kind != "b":
        return ufuncs.multiply(self, self)
    operand = _operand("**", other, False)
    return operand if operand is NotImplemented else ufuncs.power(self, operand)


def _reflected_power(self: Any, other: Any) -> Any:
    operand = _operand("**", other, True)
    return operand if operand is NotImplemented else ufuncs.power(operand, self)


def _round(self: Value, ndigits: int | None = None) -> Value:
    rounded = rounding.round(self, 0 if ndigits is None else operator.index(ndigits))
    if ndigits is not None:
        return rounded
    return arrays.astype(rounded, int)


def _iterate(self: Value) -> Iterator[Value]:
    """The rows of an array."""
    a = self.aval
    if not a.shape:
        raise TypeError("iteration over a 0-d array")
    return _rows(self)


def _rows(x: Value) -> Iterator[Value]:
    n, *rest = x.aval.shape
    for i in range(n):
        yield reshape_to(slice_axis(x, 0, i, i + 1), tuple(rest))


def _contains(self: Value, item: Any) -> bool:
    if self.aval.ndim != 1:
        raise ValueError(f"Array.__contains__: search array must be one-dimensional, got arr.shape={self.aval.shape}.")
    if np.ndim(item):
        raise ValueError(f"Array.__contains__: query value must be a scalar, got query.shape={np.shape(item)}")
    try:
        found = ufuncs_logic.equal(self, item)
    except TypeError as error:
        raise TypeError(f"Array.__contains__: unsupported operand type(s): {error}") from None
    return bool(reductions.any(found))


def _set_item(self: Value, index: Any, value: Any) -> None:
    raise TypeError(
        "JAX arrays are immutable and do not support in-place item assignment. Instead of x[idx] = y, "
        "use x = x.at[idx].set(y) or another .at[] method."
    )


def _install_operators() -> None:
    for name, symbol, function in (
        ("add", "+", ufuncs.add),
        ("sub", "-", ufuncs.subtract),
        ("mul", "*", ufuncs.multiply),
        ("truediv", "/", ufuncs.divide),
        ("floordiv", "//", ufuncs.floor_divide),
        ("mod", "%", ufuncs.remainder),
        ("divmod", "divmod", ufuncs.divmod),
        ("and", "&", ufuncs_logic.bitwise_and),
        ("or", "|", ufuncs_logic.bitwise_or),
        ("xor", "^", ufuncs_logic.bitwise_xor),
        ("lshift", "<<", ufuncs_logic.left_shift),
        ("rshift", ">>", ufuncs_logic.right_shift),
        ("matmul", "@", products.matmul),
    ):
        _install_binary(name, symbol, function)
    for name, symbol, function in (
        ("eq", "==", ufuncs_logic.equal),
        ("ne", "!=", ufuncs_logic.not_equal),
        ("lt", "<", ufuncs_logic.less),
        ("le", "<=", ufuncs_logic.less_equal),
        ("gt", ">", ufuncs_logic.greater),
        ("ge", ">=", ufuncs_logic.greater_equal),
    ):
        _install_binary(name, symbol, function, reflected=False)
    for name, function in (
        ("neg", ufuncs.negative),
        ("pos", ufuncs.positive),
        ("abs", ufuncs.absolute),
        ("invert", ufuncs_logic.invert),
    ):
        _put(f"__{name}__", _operator(function), operands=("self",))
    for name, function in (
        ("pow", _power),
        ("rpow", _reflected_power),
        ("round", _round),
        ("iter", _iterate),
        ("contains", _contains),
        ("setitem", _set_item),
    ):
        _put(f"__{name}__", function)
    Value.__getitem__ = getitem


# ---- methods -------------------------------------------------------------------------------------


def _method(name: str, function: Callable) -> Callable:
    """A method that calls a function of `sable.numpy` with the array as its first argument."""

    def method(self: Value, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    method.__doc__ = f"`x.{name}(...)` is `jnp.{name}(x, ...)`: see there."
    method.__wrapped__ = function  # type: ignore[attr-defined]  # whose signature it has but for the array
    return method


#: methods that are functions of `sable.numpy` with the array as the first argument
_METHODS: dict[str, Callable] = {
    "all": reductions.all,
    "any": reductions.any,
    "argmax": reductions.argmax,
    "argmin": reductions.argmin,
    "argpartition": ordering.argpartition,
    "argsort": ordering.argsort,
    "choose": choices.choose,
    "conj": ufuncs_float.conjugate,
    "conjugate": ufuncs_float.conjugate,
    "copy": arrays.copy,
    "cumprod": cumulative.cumprod,
    "cumsum": cumulative.cumsum,
    "diagonal": matrices.diagonal,
    "dot": products.dot,
    "max": reductions.max,
    "mean": reductions.mean,
    "min": reductions.min,
    "nonzero": positions.nonzero,
    "prod": reductions.prod,
    "ptp": reductions.ptp,
    "ravel": manipulation.ravel,
    "repeat": rearrangement.repeat,
    "round": rounding.round,
    "searchsorted": ordering.searchsorted,
    "sort": ordering.sort,
    "squeeze": manipulation.squeeze,
    "std": reductions.std,
    "sum": reductions.sum,
    "swapaxes": manipulation.swapaxes,
    "take": selection.take,
    "trace": products.trace,
    "var": reductions.var,
}


def _astype(self: Value, dtype: Any, copy: bool = False, device: Any = None) -> Value:
    """The array in another dtype; arguments, errors as of `jax.numpy.astype`.

    Example:
      >>> jnp.array([-1.7, 1.7]).astype(int)
      Array([-1,  1], dtype=int32)
    """
    return arrays.astype(self, dtype, copy=copy, device=device)


def _reshape(self: Value, *args: Any, order: str = "C", copy: bool | None = None, out_sharding: Any = None) -> Value:
    """The elements in another shape, given as one sequence or as several ints; see `jax.numpy.reshape`.

    Example:
      >>> jnp.arange(6).reshape(2, -1).shape, jnp.arange(6).reshape((3, 2)).shape
      ((2, 3), (3, 2))
    """
    shape = args[0] if len(args) == 1 else args
    return manipulation.reshape(self, shape, order=order)


def _transpose(self: Value, *args: Any) -> Value:
    """The axes in another order, given as one sequence or as several ints; see `jax.numpy.transpose`.

    Example:
      >>> jnp.ones((2, 3, 4)).transpose(1, 0, 2).shape, jnp.ones((2, 3, 4)).transpose().shape
      ((3, 2, 4), (4, 3, 2))
    """
    if not args or args == (None,):
        return manipulation.transpose(self)
    return manipulation.transpose(self, args[0] if len(args) == 1 and not isinstance(args[0], int) else args)


def _flatten(self: Value, order: str = "C", *, out_sharding: Any = None) -> Value:
    """The elements as a vector; `order` as of `jax.numpy.ravel`.

    Example:
      >>> jnp.array([[1, 2], [3, 4]]).flatten(order="F")
      Array([1, 3, 2, 4], dtype=int32)
    """
    return manipulation.ravel(self, order)


def _clip(self: Value, min: Any = None, max: Any = None) -> Value:
    """The values limited to an interval; see `jax.numpy.clip`.

    Example:
      >>> jnp.array([-2, 0, 7]).clip(min=0)
      Array([0, 0, 7], dtype=int32)
    """
    return ufuncs.clip(self, min, max)


def _view(self: Value, dtype: Any = None, type: None = None) -> Value:
    """The bits of the array read as another dtype; the last axis grows or shrinks with the element's size.

    Args:
      dtype: None: its own.
      type: must be None.

    Raises:
      NotImplementedError: `type` is given. ValueError: the last axis does not fit.

    Example:
      >>> jnp.array([1.0, -0.0]).view(jnp.uint32)
      Array([1065353216, 2147483648], dtype=uint32)
      >>> jnp.array([1, 256], dtype=jnp.int16).view(jnp.uint8)  # the lower byte first
      Array([1, 0, 0, 1], dtype=uint8)
    """
    if type is not None:
        raise NotImplementedError("`type` argument of array.view() is not supported.")
    wanted = dtype_argument(dtype, "view")
    own = self.aval.dtype
    if wanted is None or wanted == own:
        return self
    bits, wanted_bits = itemsize_bits(own), itemsize_bits(wanted)
    if self.aval.ndim == 0 and bits != wanted_bits:
        raise ValueError("view() of 0d array is only supported if the itemsize is unchanged.")
    if self.aval.ndim == 0:
        return reshape_to(_view(reshape_to(self, (1,)), wanted), ())
    if kind_of(own) == "b":
        return _view(convert(self, np.dtype(np.uint8)), wanted)
    if kind_of(wanted) == "b":
        return convert(_view(self, np.uint8), wanted)
    if kind_of(own) == "c":
        return _view(_parts(self), wanted)
    if kind_of(wanted) == "c":
        return _paired(_view(self, np.dtype(f"f{wanted.itemsize // 2}")))
    last = self.aval.shape[-1:]
    if bits >= wanted_bits:
        made = BIND.bitcast_convert(self, dtype=wanted)
        return made if bits == wanted_bits else reshape_to(made, (*self.aval.shape[:-1], last[0] * bits // wanted_bits))
    k = wanted_bits // bits
    if last[0] % k:
        raise ValueError(
            "When changing to a larger dtype, its size must be a divisor of the total size in bytes of the last axis"
        )
    return BIND.bitcast_convert(reshape_to(self, (*self.aval.shape[:-1], last[0] // k, k)), dtype=wanted)


def _parts(x: Value) -> Value:
    """Real and imaginary parts of complex numbers, one behind the other in the last axis (of a scalar: an axis of two)."""
    shape = (*x.aval.shape, 1)
    pairs = BIND.concatenate(reshape_to(BIND.real(x), shape), reshape_to(BIND.imag(x), shape), dimension=len(shape) - 1)
    return reshape_to(pairs, (*x.aval.shape[:-1], 2 * x.aval.shape[-1])) if x.aval.shape else pairs


def _paired(x: Value) -> Value:
    """Complex numbers of the floats that stand two and two in the last axis."""
    n = x.aval.shape[-1]
    if n % 2:
        raise ValueError(
            "When changing to a larger dtype, its size must be a divisor of the total size in bytes of the last axis"
        )
    pairs = reshape_to(x, (*x.aval.shape[:-1], n // 2, 2))
    axis = pairs.aval.ndim - 1
    real, imag = (reshape_to(slice_axis(pairs, axis, k, k + 1), pairs.aval.shape[:-1]) for k in (0, 1))
    return BIND.complex(real, imag)


def _compress(
    self: Value,
    condition: Any,
    axis: Any = None,
    *,
    out: None = None,
    size: int | None = None,
    fill_value: Any = 0,
) -> Value:
    """The rows where the condition is true; see `jax.numpy.compress`.

    Example:
      >>> jnp.arange(3).compress(jnp.array([True, False, True]))
      Array([0, 2], dtype=int32)
    """
    return selection.compress(condition, self, axis=axis, out=out, size=size, fill_value=fill_value)


def _byteswap(self: Value) -> Value:
    """Each element with its bytes in the opposite order.

    Example:
      >>> jnp.array([1, 256], dtype=jnp.int16).byteswap()
      Array([256,   1], dtype=int16)
    """
    if kind_of(self.aval.dtype) == "c":
        return BIND.complex(_byteswap(BIND.real(self)), _byteswap(BIND.imag(self)))
    if self.aval.dtype.itemsize == 1:
        return arrays.copy(self)
    parts = BIND.bitcast_convert(self, dtype=np.dtype(np.uint8))
    return BIND.bitcast_convert(BIND.reverse(parts, dimensions=(parts.aval.ndim - 1,)), dtype=self.aval.dtype)


def _to_device(self: Value, device: Any, *, stream: Any = None) -> Value:
    """The array on a device, to which it is then committed.

    Raises:
      NotImplementedError: `stream` is given. ValueError: no device.

    Example:
      >>> jnp.ones(2).to_device(jax.devices("cpu")[0]).committed
      True
    """
    if stream is not None:
        raise NotImplementedError("stream argument of array.to_device()")
    return to_device(self, device)


def _namespace(self: Value, *, api_version: str | None = None) -> Any:
    """The module with the functions of the array API standard: `sable.numpy`.

    Raises:
      ValueError: another version of the standard than 2024.12.
    """
    return array_api.namespace(api_version)


def _module(self: Value, types: Any) -> Any:
    """The module with the functions for arrays of these types: `sable.numpy`."""
    return array_api.namespace()


def _transposed(self: Value) -> Value:
    """The axes in reverse order.

    Example:
      >>> jnp.ones((2, 3, 4)).T.shape
      (4, 3, 2)
    """
    return manipulation.transpose(self)


def _matrices_transposed(self: Value) -> Value:
    """The last two axes exchanged.

    Example:
      >>> jnp.ones((2, 3, 4)).mT.shape
      (2, 4, 3)
    """
    return manipulation.matrix_transpose(self)


def _real(self: Value) -> Value:
    """The real parts; see `jax.numpy.real`.

    Example:
      >>> jnp.array([1 + 2j]).real, jnp.array([1]).real
      (Array([1.], dtype=float32), Array([1], dtype=int32))
    """
    return ufuncs_float.real(self)


def _imag(self: Value) -> Value:
    """The imaginary parts, zeros of real arrays; see `jax.numpy.imag`.

    Example:
      >>> jnp.array([1 + 2j]).imag, jnp.array([1]).imag
      (Array([2.], dtype=float32), Array([0], dtype=int32))
    """
    return ufuncs_float.imag(self)


def _flat(self: Value) -> Value:
    """Refused, as in JAX: NumPy's iterator writes into its array; `ravel` and `flatten` have the elements in its order.

    Raises:
      NotImplementedError: always.

    Example:
      >>> jnp.array([[1, 2], [3, 4]]).ravel()[2]
      Array(3, dtype=int32)
    """
    raise NotImplementedError("arrays have no iterator `flat`: take x.ravel() or x.flatten(), or write by x.at[...]")


def _at(self: Value) -> _IndexUpdateHelper:
    """What changes elements, in a copy: `x.at[index].set(y)` stands for NumPy's `x[index] = y`, `add` for `+=` and so on.

    Positions that are named more than once count as often. What lies outside is dropped; `x.at[index].get()` reads.

    Example:
      >>> x = jnp.arange(3)
      >>> x.at[0].set(7), x.at[jnp.array([1, 1])].add(10), x
      (Array([7, 1, 2], dtype=int32), Array([ 0, 21,  2], dtype=int32), Array([0, 1, 2], dtype=int32))
      >>> x.at[5].set(7)  # outside
      Array([0, 1, 2], dtype=int32)
    """
    return _IndexUpdateHelper(self)


def _install_methods() -> None:
    for name, function in _METHODS.items():
        _put(name, _method(function.__name__, function))
    for name, method in (
        ("astype", _astype),
        ("byteswap", _byteswap),
        ("clip", _clip),
        ("compress", _compress),
        ("flatten", _flatten),
        ("reshape", _reshape),
        ("to_device", _to_device),
        ("transpose", _transpose),
        ("view", _view),
        ("__array_module__", _module),
        ("__array_namespace__", _namespace),
    ):
        _put(name, method)
    for name, getter in (
        ("T", _transposed),
        ("mT", _matrices_transposed),
        ("at", _at),
        ("real", _real),
        ("imag", _imag),
        ("flat", _flat),
    ):
        setattr(Value, name, property(getter))


def install() -> None:
    """Give arrays and tracers their operators and methods."""
    _install_operators()
    _install_methods()
