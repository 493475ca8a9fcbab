"""Types of arrays as users write and see them: `ShapeDtypeStruct`, `eval_shape`, functions traced for types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable.core.boundary import boundary
from sable.core.tracing import Traced, argument_names, trace_flat
from sable.core.values import aval_of_value, is_array_like
from sable.ir.aval import Aval, aval
from sable.tree_util import tree_flatten, tree_unflatten


class ShapeDtypeStruct:
    """Shape and dtype of an array that need not exist; for `eval_shape`, `lower`, `aot.save`.

    Args:
      shape: tuple of ints.
      dtype: anything NumPy takes as a dtype.
      weak_type: see `Array.weak_type`.
    """

    __slots__ = ("aval",)

    def __init__(self, shape: Sequence[int], dtype: Any, *, sharding: Any = None, weak_type: bool = False, **_: Any):
        if dtype is None:
            raise ValueError("ShapeDtypeStruct: dtype must be specified.")
        self.aval = aval(tuple(int(n) for n in shape), np.dtype(dtype), weak_type)

    shape = property(lambda self: self.aval.shape)
    dtype = property(lambda self: self.aval.dtype)
    ndim = property(lambda self: self.aval.ndim)
    size = property(lambda self: self.aval.size)
    weak_type = property(lambda self: self.aval.weak_type)
    sharding = None

    def __len__(self) -> int:
        if not self.aval.shape:
            raise TypeError("len() of unsized object")
        return self.aval.shape[0]

    def __repr__(self) -> str:
        weak = ", weak_type=True" if self.aval.weak_type else ""
        return f"ShapeDtypeStruct(shape={self.aval.shape}, dtype={self.aval.dtype.name}{weak})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ShapeDtypeStruct) and self.aval is other.aval

    def __hash__(self) -> int:
        return hash(self.aval)


def structs_of(traced: Traced) -> Any:
    outs = [ShapeDtypeStruct(a.shape, a.dtype, weak_type=a.weak_type) for a in traced.out_avals]
    return tree_unflatten(traced.out_tree, outs)


@boundary
def eval_shape(fun: Callable, *args: Any, **kwargs: Any) -> Any:
    """Shapes and dtypes of `fun(*args, **kwargs)` without computing it; arguments may be `ShapeDtypeStruct`s.

    Example:
      >>> import sable as jax, sable.numpy as jnp
      >>> jax.eval_shape(lambda x: x @ x, jax.ShapeDtypeStruct((3, 3), jnp.float32))
      ShapeDtypeStruct(shape=(3, 3), dtype=float32)
    """
    return structs_of(abstract_trace(fun, args, kwargs, "eval_shape"))


def abstract_trace(fun: Callable, args: tuple, kwargs: dict, kind: str) -> Traced:
    leaves, tree = tree_flatten((args, kwargs))
    avals = [x.aval if isinstance(x, ShapeDtypeStruct) else aval_of_shaped(x) for x in leaves]

    def call(tracers: list) -> Any:
        a, k = tree_unflatten(tree, tracers)
        return fun(*a, **k)

    return trace_flat(call, avals, fun=fun, kind=kind, staged=True, names=lambda: argument_names(fun, args, kwargs))


def aval_of_shaped(x: Any) -> Aval:
    """The aval of an array or of any object with shape and dtype."""
    if not is_array_like(x) and hasattr(x, "shape") and hasattr(x, "dtype"):
        return ShapeDtypeStruct(x.shape, x.dtype).aval
    return aval_of_value(x)
