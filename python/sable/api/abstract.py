"""Types of arrays as users write and see them: `ShapeDtypeStruct`, `eval_shape`, functions traced for types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable.core.boundary import boundary
from sable.core.destinations import sharding_of
from sable.core.dtypes import ExtendedDType, is_extended
from sable.core.extended import ExtendedAval, seen_avals
from sable.core.references import Ref
from sable.core.tracing import Traced, argument_names, trace_flat
from sable.core.values import aval_of_value, is_array_like
from sable.ir.aval import aval
from sable.pytree import arrays


class ShapeDtypeStruct:
    """Shape and dtype of an array that need not exist; for `eval_shape`, `lower`, `aot.save`.

    Args:
      shape: tuple of ints.
      dtype: anything NumPy takes as a dtype, or that of typed random keys.
      sharding: how it is laid out, if that matters.
      weak_type: see `Array.weak_type`.
      sharding: without effect.
      _: further arguments of JAX's, without effect.

    Example:
      >>> jax.eval_shape(jnp.matmul, jax.ShapeDtypeStruct((2, 3), jnp.float32), jax.ShapeDtypeStruct((3,), jnp.float32))
      ShapeDtypeStruct(shape=(2,), dtype=float32)
    """

    __slots__ = ("aval", "sharding")

    def __init__(self, shape: Sequence[int], dtype: Any, *, sharding: Any = None, weak_type: bool = False, **_: Any):
        self.sharding = sharding_of("ShapeDtypeStruct", sharding)
        if dtype is None:
            raise ValueError("ShapeDtypeStruct: dtype must be specified.")
        sizes = tuple(int(n) for n in shape)
        extended = isinstance(dtype, ExtendedDType)
        self.aval = ExtendedAval(sizes, dtype) if extended else aval(sizes, np.dtype(dtype), weak_type)

    @classmethod
    def like(cls, x: Any) -> ShapeDtypeStruct:
        """Shape and dtype of an array."""
        return cls(x.shape, x.dtype, weak_type=getattr(x, "weak_type", False))

    shape = property(lambda self: self.aval.shape)
    dtype = property(lambda self: self.aval.dtype)
    ndim = property(lambda self: self.aval.ndim)
    size = property(lambda self: self.aval.size)
    weak_type = property(lambda self: self.aval.weak_type)

    def __len__(self) -> int:
        if not self.aval.shape:
            raise TypeError("len() of unsized object")
        return self.aval.shape[0]

    def __repr__(self) -> str:
        more = "" if self.sharding is None else f", sharding={self.sharding}"
        more += ", weak_type=True" if self.aval.weak_type else ""
        return f"ShapeDtypeStruct(shape={self.aval.shape}, dtype={self.aval.dtype.name}{more})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ShapeDtypeStruct) and (self.aval, self.sharding) == (other.aval, other.sharding)

    def __hash__(self) -> int:
        return hash((self.aval, self.sharding))


def structs_of(traced: Traced) -> Any:
    avals = seen_avals(traced.out_tree, traced.out_avals)
    return traced.out_tree.unflatten([ShapeDtypeStruct(a.shape, a.dtype, weak_type=a.weak_type) for a in avals])


@boundary
def eval_shape(fun: Callable, *args: Any, **kwargs: Any) -> Any:
    """Shapes and dtypes of `fun(*args, **kwargs)` without computing it; arguments may be `ShapeDtypeStruct`s.

    Example:
      >>> import sable as jax, sable.numpy as jnp
      >>> jax.eval_shape(lambda x: x @ x, jax.ShapeDtypeStruct((3, 3), jnp.float32))
      ShapeDtypeStruct(shape=(3, 3), dtype=float32)
    """
    return structs_of(abstract_trace(fun, args, kwargs, "eval_shape", references=True))


def abstract_trace(fun: Callable, args: tuple, kwargs: dict, kind: str, references: bool = False) -> Traced:
    leaves, tree = flatten_types((args, kwargs))
    avals = [aval_of_shaped(x) for x in leaves]

    def call(tracers: list) -> Any:
        a, k = tree.unflatten(tracers)
        return fun(*a, **k)

    names = lambda: argument_names(fun, args, kwargs)  # noqa: E731
    return trace_flat(call, avals, fun=fun, kind=kind, staged=True, names=names, references=references)


def flatten_types(tree: Any) -> tuple[list, Any]:
    """As `arrays.flatten`, where leaves may be types, which are opened as arrays are."""
    leaves, structure = arrays.flatten(tree)
    if any(is_extended(getattr(x, "dtype", None)) for x in leaves):
        leaves, structure = arrays.flatten(structure.unflatten([_opened(x) for x in leaves]))
    return leaves, structure


def _opened(x: Any) -> Any:
    dtype = getattr(x, "dtype", None)
    if not isinstance(dtype, ExtendedDType):
        return x
    words = ExtendedAval(tuple(x.shape), dtype).words
    return dtype.wrapper(ShapeDtypeStruct(words.shape, words.dtype))


def aval_of_shaped(x: Any) -> Any:
    """The aval of an array or of any object with shape and dtype, the type of a reference."""
    if isinstance(x, (ShapeDtypeStruct, Ref)):
        return x.aval
    if not is_array_like(x) and hasattr(x, "shape") and hasattr(x, "dtype"):
        return aval(tuple(x.shape), np.dtype(x.dtype))
    return aval_of_value(x)
