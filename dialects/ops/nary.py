"""What elementwise rows share: type rules with JAX's messages, half precision, easy derivatives, batching."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable.ir.aval import ELEMENT_TYPES, Aval, aval
from sable.ir.op import Traits

from .rules import expand, kind_of, weak


def transcendental(cost: int) -> Traits:
    """Traits of a function that processors compute by a polynomial of that many operations, all in all."""
    return Traits(cost=cost, transcendental=True)


#: dtype -> kind; float0 is missing on purpose
KINDS = {dtype: kind_of(dtype) for dtype in ELEMENT_TYPES}

_FLOAT0 = (
    "Called {name} with a float0 at position {position}. float0s do not support any operations by design, "
    "because they are not compatible with non-trivial vector spaces. No implicit dtype conversion is done. "
    "You can use np.zeros_like(arr, dtype=np.float) to cast a float0 array to a regular zeros array. \n"
    "If you didn't expect to get a float0 you might have accidentally taken a gradient with respect to an "
    "integer argument."
)

#: lax name -> jnp function that messages recommend, where the names differ
_JNP_NAMES = {
    "div": "divide",
    "max": "maximum",
    "min": "minimum",
    "mul": "multiply",
    "pow": "float_power",
    "rem": "remainder",
    "select": "where",
    "shift_left": "left_shift",
    "shift_right_arithmetic": "right_shift",
    "shift_right_logical": "right_shift",
    "sub": "subtract",
    "add": "add",
    "atan2": "arctan2",
    "nextafter": "nextafter",
}


def accepted(kinds: str) -> str:
    """`integer, floating`: the NumPy names of dtype kinds, for messages."""
    names = ["integer"] if "i" in kinds and "u" in kinds else ["signedinteger"] if "i" in kinds else []
    names += [name for k, name in (("f", "floating"), ("c", "complexfloating"), ("b", "bool")) if k in kinds]
    return ", ".join(names)


def check_kinds(name: str, avals: Sequence[Aval], kinds: str) -> None:
    """Every dtype must be of one of the kinds.

    Raises:
      TypeError: naming the op, the dtype and, for several operands, its position.
    """
    for i, a in enumerate(avals):
        kind = KINDS.get(a.dtype)
        if kind is None:
            raise TypeError(_FLOAT0.format(name=name, position=i))
        if kind not in kinds:
            at = f" at position {i}" if len(avals) > 1 else ""
            raise TypeError(
                f"{name} does not accept dtype {a.dtype.name}{at}. "
                f"Accepted dtypes{at} are subtypes of {accepted(kinds)}."
            )


def check_dtypes(name: str, avals: Sequence[Aval]) -> None:
    """Dtypes must agree.

    Raises:
      TypeError: naming the op and the dtypes.
    """
    first = avals[0].dtype
    for a in avals[1:]:
        if a.dtype is first or a.dtype == first:
            continue
        names = ", ".join(a.dtype.name for a in avals)
        jnp = _JNP_NAMES.get(name)
        tip = f" (Tip: jnp.{jnp} is a similar function that does automatic type promotion on inputs)." if jnp else ""
        raise TypeError(f"lax.{name} requires arguments to have the same dtypes, got {names}.{tip}")


def check_shapes(name: str, avals: Sequence[Aval]) -> None:
    """Shapes must agree.

    Raises:
      TypeError: naming the op and the shapes.
    """
    first = avals[0].shape
    if all(a.shape == first for a in avals[1:]):
        return
    ranks = sorted({a.ndim for a in avals})
    if len(ranks) > 1:
        got = "{" + ", ".join(map(str, ranks)) + "}"
        raise TypeError(f"{name}: arrays must have the same number of dimensions, got {got}")
    shapes = ", ".join(str(a.shape) for a in avals)
    raise TypeError(f"{name} got incompatible shapes for broadcasting: {shapes}.")


def nary(name: str, kinds: str, dtype: Callable[[np.dtype], np.dtype] | None = None) -> Callable:
    """Type rule of an elementwise op, in JAX's words.

    Args:
      name: what `jax.lax` calls the op (users know that name from messages).
      kinds: kinds of dtype that it takes, out of `b i u f c`.
      dtype: result dtype from the operands' (default: the same).
    """

    def rule(*avals: Aval, **params: Any) -> Aval:
        check_kinds(name, avals, kinds)
        first = avals[0]
        if len(avals) > 1:
            check_dtypes(name, avals)
            check_shapes(name, avals)
        return aval(first.shape, dtype(first.dtype) if dtype else first.dtype, weak(avals))

    rule.lax_name = name  # type: ignore[attr-defined]
    return rule


def to_bool(dtype: np.dtype) -> np.dtype:
    """Result dtype of comparisons and tests."""
    return _BOOL


_BOOL = np.dtype(np.bool_)
_PARTS = {np.dtype(np.complex64): np.dtype(np.float32), np.dtype(np.complex128): np.dtype(np.float64)}
_WHOLES = {part: whole for whole, part in _PARTS.items()}


def to_real(dtype: np.dtype) -> np.dtype:
    """complex64 -> float32; real dtypes stay."""
    return _PARTS.get(dtype, dtype)


def to_complex(dtype: np.dtype) -> np.dtype:
    """float32 -> complex64."""
    return _WHOLES[dtype]


def through_float32(f: Callable) -> Callable:
    """A reference that computes float16 and bfloat16 in float32 and rounds once, as XLA and IREE do.

    A ufunc does so by itself; this is for compositions and for functions that know no half precision.
    """

    @functools.wraps(f)
    def ref(x: np.ndarray, *rest: np.ndarray) -> np.ndarray:
        if x.dtype.itemsize != 2:
            return f(x, *rest)
        wide = f(x.astype(np.float32), *[y.astype(np.float32) for y in rest])
        return wide.astype(x.dtype)

    return ref


# ---- derivatives -------------------------------------------------------------------------------------------


def same_tangent(b: Any, t: Any, y: Any, *operands: Any) -> Any:
    """The tangent passes through: d(x + a) = dx."""
    return t


def negated_tangent(b: Any, t: Any, y: Any, *operands: Any) -> Any:
    """d(a - x) = -dx."""
    return b.negate(t)


def slope(f: Callable) -> Callable:
    """JVP rule t * f(b, y, x) of a unary op: the factor depends on primals only, one linear op remains."""

    def rule(b: Any, t: Any, y: Any, x: Any) -> Any:
        return b.multiply(t, f(b, y, x))

    return rule


def like(b: Any, x: Any, value: float) -> Any:
    """A constant of x's shape and dtype."""
    return b.full(b.aval(x), value)


def square_of(b: Any, x: Any) -> Any:
    """x * x."""
    return b.multiply(x, x)


def one_minus_square(b: Any, x: Any) -> Any:
    """1 - x**2 as (1 - x)(1 + x), which keeps its relative accuracy near |x| = 1."""
    one = like(b, x, 1)
    return b.multiply(b.subtract(one, x), b.add(one, x))


def root_of_one_minus_square(b: Any, x: Any) -> Any:
    """1 / sqrt(1 - x**2), accurate near |x| = 1, whose derivatives at 1 and -1 are infinite.

    Those of (1 - x)(1 + x) there are a difference of infinities, and its own at small x a difference of ones.
    """
    plain = b.subtract(like(b, x, 1), square_of(b, x))
    return b.rsqrt(b.add(plain, b.stop_gradient(b.subtract(one_minus_square(b, x), plain))))


# ---- batching ----------------------------------------------------------------------------------------------


def elementwise_with_scalars(full: Sequence[int]) -> Callable:
    """Batching rule where the operands numbered `full` have the result's shape and the others may be scalars.

    An unmapped scalar stays one; a mapped scalar is repeated along the other axes.
    """

    def rule(b: Any, op: Any, size: int, operands: Sequence[Any], mapped: Sequence[bool], **params: Any) -> Any:
        shape = b.aval(operands[full[0]]).shape
        if not mapped[full[0]]:
            shape = (size, *shape)
        values = []
        for i, (x, m) in enumerate(zip(operands, mapped)):
            rank = b.aval(x).ndim
            if not m and (rank > 0 or i in full):
                x = expand(b, x, size)
            elif m and rank == 1 < len(shape):
                x = b.broadcast_in_dim(x, shape=shape, broadcast_dimensions=(0,))
            values.append(x)
        return b.bind(op, *values, **params)

    return rule
