"""Pieces that rows of the op table share: type rules, batching rules, sample makers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable.ir.aval import Aval, aval
from sable.ir.op import Sample


def weak(avals: Sequence[Aval]) -> bool:
    """A result is weakly typed when every operand is."""
    return all(a.weak_type for a in avals)


def check_same(name: str, avals: Sequence[Aval], dtype: bool = True) -> None:
    """Operands must agree in shape (and dtype).

    Raises:
      TypeError: naming the op, the shapes and the dtypes.
    """
    first = avals[0]
    for other in avals[1:]:
        if other.shape != first.shape:
            raise TypeError(f"{name} got incompatible shapes for broadcasting: {first.shape}, {other.shape}.")
        if dtype and other.dtype != first.dtype:
            raise TypeError(
                f"lax.{name} requires arguments to have the same dtypes, got {first.dtype.name}, {other.dtype.name}. "
                f"(Tip: jnp.{name} is a similar function that does automatic type promotion on inputs)."
            )


def same(name: str, kinds: str) -> Callable:
    """Type rule: all operands and the result alike; the dtype's kind is one of `kinds` (b i u f c; f has bfloat16)."""

    def rule(*avals: Aval, **params: Any) -> Aval:
        check_same(name, avals)
        if kind_of(avals[0].dtype) not in kinds:
            raise TypeError(f"{name} does not accept dtype {avals[0].dtype.name}.")
        return aval(avals[0].shape, avals[0].dtype, weak(avals))

    return rule


def kind_of(dtype: np.dtype) -> str:
    """'b', 'i', 'u', 'f' or 'c', also of bfloat16 and the narrow dtypes, which NumPy calls void."""
    if dtype.kind != "V":
        return dtype.kind
    return "i" if dtype.name.startswith("int") else "u" if dtype.name.startswith("uint") else "f"


def is_inexact(a: Aval) -> bool:
    """True for dtypes that have tangents: floating point and complex."""
    return kind_of(a.dtype) in "fc"


def expand(b: Any, x: Any, size: int) -> Any:
    """An unmapped value repeated along a new leading batch axis."""
    shape = b.aval(x).shape
    dims = tuple(range(1, len(shape) + 1))
    return b.broadcast_in_dim(x, shape=(size, *shape), broadcast_dimensions=dims)


def elementwise(b: Any, op: Any, size: int, operands: Sequence[Any], mapped: Sequence[bool], **params: Any) -> Any:
    """Batching rule of ops that treat every element alike: unmapped operands are repeated."""
    return b.bind(op, *[x if m else expand(b, x, size) for x, m in zip(operands, mapped)], **params)


# ---- samples -------------------------------------------------------------------------------------------------


def generator(seed: int = 0) -> np.random.Generator:
    """The random generator of samples: the same numbers every time."""
    return np.random.default_rng(seed)


def floats(
    shape: Sequence[int] = (2, 3),
    low: float = -2.0,
    high: float = 2.0,
    dtype: Any = np.float32,
    seed: int = 0,
):
    """Uniform floats in [low, high)."""
    return generator(seed).uniform(low, high, tuple(shape)).astype(dtype)


def integers(shape: Sequence[int] = (2, 3), low: int = -9, high: int = 10, dtype: Any = np.int32, seed: int = 0):
    """Uniform integers in [low, high)."""
    return generator(seed).integers(low, high, tuple(shape)).astype(dtype)


def sample(*operands: np.ndarray, rtol: float = 1e-5, atol: float = 1e-6, grad: bool = True, why: str = "", **params):
    """A `Sample` with operands first and parameters by name."""
    return Sample(tuple(operands), params, rtol, atol, grad, why)
