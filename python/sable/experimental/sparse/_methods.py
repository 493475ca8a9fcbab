"""Operators and methods of BCOO and BCSR arrays: those of arrays under `sparsify`."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sable.numpy as jnp

from ._base import JAXSparse
from ._bcoo import BCOO
from ._bcsr import BCSR
from ._shapes import bcoo_reshape, bcoo_transpose
from ._sparsify import sparsify


def _unary(function: Callable) -> Callable:
    applied = sparsify(function)

    def method(self: JAXSparse) -> Any:
        return applied(self)

    return method


def _binary(function: Callable, reflected: bool = False) -> Callable:
    applied = sparsify(function)

    def method(self: JAXSparse, other: Any) -> Any:
        return applied(other, self) if reflected else applied(self, other)

    return method


def _power(self: BCOO, exponent: Any) -> Any:
    """Integers of Python's are known, and those above 0 keep zeros."""
    if isinstance(exponent, int) and not isinstance(exponent, bool):
        if exponent <= 0:
            raise NotImplementedError("sparse rule for integer_pow with non-positive exponent")
        return sparsify(lambda x: x**exponent)(self)
    return sparsify(jnp.power)(self, exponent)


def _getitem(self: JAXSparse, item: Any) -> Any:
    """A part of the array, as `array[item]`; indices are integers, slices, None and integer arrays."""
    return sparsify(lambda x: x[item])(self)


def _iter(self: JAXSparse) -> Iterator:
    return iter([self[i] for i in range(len(self))])


def _sum(self: JAXSparse, *args: Any, **kwargs: Any) -> Any:
    """The sum over axes: `jax.numpy.sum`; an array where none is left, else a sparse array."""
    return sparsify(lambda x: jnp.sum(x, *args, **kwargs))(self)


def _astype(self: BCOO, *args: Any, **kwargs: Any) -> BCOO:
    """The array in another dtype: `jax.numpy.astype`."""
    return sparsify(lambda x: x.astype(*args, **kwargs))(self)


def _reshape(self: BCOO, *args: Any) -> BCOO:
    """The array in another shape: `bcoo_reshape`; one size may be -1."""
    sizes = args[0] if len(args) == 1 and isinstance(args[0], Sequence) else args
    known = [operator.index(n) for n in sizes]
    if known.count(-1) == 1:
        rest = math.prod(n for n in known if n != -1)
        known[known.index(-1)] = self.size // rest if rest else 0
    return bcoo_reshape(self, new_sizes=known)


def _transpose(self: BCOO, axes: Sequence[int] | None = None) -> BCOO:
    """The array with its axes in another order: `bcoo_transpose`."""
    return bcoo_transpose(self, permutation=list(range(self.ndim))[::-1] if axes is None else axes)


def _transpose_rows(self: BCSR, axes: Sequence[int] | None = None) -> BCSR:
    """The array with its axes in another order."""
    return BCSR.from_bcoo(_transpose(self.to_bcoo(), axes))


_SHARED: dict[str, Callable] = {
    "__getitem__": _getitem,
    "__iter__": _iter,
    "__matmul__": _binary(jnp.matmul),
    "__rmatmul__": _binary(jnp.matmul, reflected=True),
    "__mul__": _binary(jnp.multiply),
    "__rmul__": _binary(jnp.multiply, reflected=True),
    "__neg__": _unary(jnp.negative),
    "__pos__": _unary(jnp.positive),
    "sum": _sum,
}
_OWN: dict[str, Callable] = {
    "__abs__": _unary(jnp.abs),
    "__add__": _binary(jnp.add),
    "__radd__": _binary(jnp.add, reflected=True),
    "__sub__": _binary(jnp.subtract),
    "__rsub__": _binary(jnp.subtract, reflected=True),
    "__truediv__": _binary(jnp.true_divide),
    "__rtruediv__": _binary(jnp.true_divide, reflected=True),
    "__pow__": _power,
    "__rpow__": _binary(jnp.power, reflected=True),
    "__eq__": _binary(jnp.equal),
    "__ne__": _binary(jnp.not_equal),
    "__lt__": _binary(jnp.less),
    "__le__": _binary(jnp.less_equal),
    "__gt__": _binary(jnp.greater),
    "__ge__": _binary(jnp.greater_equal),
    "astype": _astype,
    "reshape": _reshape,
    "transpose": _transpose,
}
for _name, _method in (*_SHARED.items(), *_OWN.items()):
    setattr(BCOO, _name, _method)
for _name, _method in (*_SHARED.items(), ("transpose", _transpose_rows)):
    setattr(BCSR, _name, _method)
