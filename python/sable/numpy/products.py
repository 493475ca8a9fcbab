"""Products of vectors, matrices and stacks of them."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND, OPS, bind
from sable.core.dtypes import kind_of
from sable.core.operands import (
    array_argument,
    array_arguments,
    broadcast_shape,
    convert,
    dtype_argument,
    expand_to,
    filled,
    normal_axis,
    promote_dtypes,
    reshape_to,
)
from sable.core.precision import precision_config
from sable.core.trace import Tracer
from sable.core.values import retype
from sable.ir.codec import DotDimensions
from sable.lax.contraction import check_not_narrower
from sable.library.declare import library

from .joining import stack as stacked
from .manipulation import moveaxis, permuted, ravel
from .matrices import diagonal, eye
from .rearrangement import slice_axis
from .reductions import accumulator, no_out
from .ufuncs import multiply
from .ufuncs_float import conjugate
from .ufuncs_logic import where

_DOT = OPS["dot_general"]


def _products(x: Value, y: Value, n: DotDimensions, precision: Any, preferred: Any) -> Value:
    """`dot_general`, with booleans computed as integers."""
    if preferred is not None:
        check_not_narrower(x.aval.dtype, preferred)
    made = bind(
        _DOT,
        x,
        y,
        dot_dimension_numbers=n,
        precision_config=precision,
        preferred_element_type=None if preferred is None or preferred == x.aval.dtype else preferred,
    )
    return made


# ---- contraction of labelled axes ------------------------------------------------------------------


def contract(
    x: Value,
    xs: Sequence[Any],
    y: Value,
    ys: Sequence[Any],
    out: Sequence[Any],
    precision: Any = None,
    preferred: Any = None,
) -> Value:
    """Sum of products over the labels that `out` lacks.

    Args:
      x, y: arrays of one dtype, whose axes are labelled `xs` and `ys` (each label once in an array). An axis of size
        1 goes with any size.
      out: labels of the result's axes, in order; each is one of xs or ys.
    """
    x, xs = _without_ones(x, xs, y, ys, out)
    y, ys = _without_ones(y, ys, x, xs, out)
    x, xs = _summed(x, xs, ys, out)
    y, ys = _summed(y, ys, xs, out)
    shared = [label for label in xs if label in ys]
    batch = [label for label in shared if label in out]
    inner = [label for label in shared if label not in out]
    if not inner and preferred is None:
        return _outer(x, xs, y, ys, out)
    numbers = DotDimensions(
        tuple(xs.index(label) for label in batch),
        tuple(ys.index(label) for label in batch),
        tuple(xs.index(label) for label in inner),
        tuple(ys.index(label) for label in inner),
    )
    made = _products(x, y, numbers, precision, preferred)
    labels = [*batch, *(i for i in xs if i not in shared), *(i for i in ys if i not in shared)]
    return permuted(made, tuple(labels.index(label) for label in out))


def _without_ones(x: Value, xs: Sequence, y: Value, ys: Sequence, out: Sequence) -> tuple[Value, list]:
    """Axes of size 1 that the other array has in another size are taken away."""
    gone = {
        label
        for label, n in zip(xs, x.aval.shape)
        if n == 1 and label in ys and y.aval.shape[list(ys).index(label)] != 1
    }
    if not gone:
        return x, list(xs)
    kept = [i for i, label in enumerate(xs) if label not in gone]
    return reshape_to(x, tuple(x.aval.shape[i] for i in kept)), [xs[i] for i in kept]


def summed(x: Value, axes: tuple[int, ...]) -> Value:
    """The sum along axes, without them; of booleans whether any is true."""
    return BIND.reduce_or(x, dimensions=axes) if kind_of(x.aval.dtype) == "b" else BIND.reduce_sum(x, dimensions=axes)


def _summed(x: Value, xs: list, others: Sequence, out: Sequence) -> tuple[Value, list]:
    """Labels that are nowhere else are summed over first."""
    gone = tuple(i for i, label in enumerate(xs) if label not in others and label not in out)
    if not gone:
        return x, xs
    return summed(x, gone), [label for i, label in enumerate(xs) if i not in gone]


def _outer(x: Value, xs: list, y: Value, ys: list, out: Sequence) -> Value:
    """Nothing to sum over: a product of arrays that broadcast."""

    def aligned(v: Value, labels: list) -> Value:
        v = permuted(v, tuple(labels.index(label) for label in out if label in labels))
        sizes = iter(v.aval.shape)
        return reshape_to(v, tuple(next(sizes) if label in labels else 1 for label in out))

    return multiply(aligned(x, xs), aligned(y, ys))


def _operands(name: str, a: Any, b: Any, preferred: Any) -> tuple[Value, Value, Any, bool]:
    x, y = promote_dtypes(array_arguments(name, a, b))
    return x, y, dtype_argument(preferred, name), x.aval.weak_type


def _finished(made: Value, weak: bool, preferred: Any) -> Value:
    if preferred is not None:
        return convert(made, preferred)
    return retype(made, weak and kind_of(made.aval.dtype) != "b")


# ---- products --------------------------------------------------------------------------------------


@library
def dot(
    a: Any, b: Any, *, precision: Any = None, preferred_element_type: Any = None, out_sharding: Any = None
) -> Value:
    """Inner product of vectors, product of matrices; else the sum over a's last and b's second to last axis.

    Args:
      a, b: arrays; a scalar multiplies.
      precision: precision of the products on accelerators.
      preferred_element_type: dtype of the sums.

    Raises:
      TypeError: the sizes of the axes differ.

    Example:
      >>> jnp.dot(jnp.array([1, 2]), jnp.array([3, 4])), jnp.dot(jnp.array([1j]), jnp.array([1j]))
      (Array(11, dtype=int32), Array(-1.+0.j, dtype=complex64))
      >>> x = jnp.ones((2, 3, 4))
      >>> jnp.dot(x, jnp.swapaxes(x, 1, 2)).shape, jnp.matmul(x, jnp.swapaxes(x, 1, 2)).shape
      ((2, 3, 2, 3), (2, 3, 3))
    """
    x, y, preferred, weak = _operands("dot", a, b, preferred_element_type)
    if x.aval.ndim == 0 or y.aval.ndim == 0:
        return _finished(multiply(x, y), weak, preferred)
    xs = [("x", i) for i in range(x.aval.ndim - 1)]
    ys = [("y", i) for i in range(y.aval.ndim)]
    place = max(0, y.aval.ndim - 2)
    _check_inner("dot", x, x.aval.ndim - 1, y, place)
    out = [*xs, *(label for i, label in enumerate(ys) if i != place)]
    ys[place] = "inner"
    return _finished(contract(x, [*xs, "inner"], y, ys, out, precision_config(precision), preferred), weak, preferred)


def _check_inner(name: str, x: Value, i: int, y: Value, j: int) -> None:
    if x.aval.shape[i] != y.aval.shape[j]:
        raise TypeError(
            f"dot_general requires contracting dimensions to have the same shape, got {(x.aval.shape[i],)} and "
            f"{(y.aval.shape[j],)}. The operands of {name} have the shapes {x.aval.shape} and {y.aval.shape}."
        )


@library
def matmul(
    a: Any, b: Any, *, precision: Any = None, preferred_element_type: Any = None, out_sharding: Any = None
) -> Value:
    """Products of matrices: the last two axes are the matrices', the others broadcast.

    Args:
      a, b: arrays with at least one axis; a vector is a row on the left and a column on the right.
      precision: precision of the products on accelerators.
      preferred_element_type: dtype of the sums.

    Raises:
      ValueError: a scalar; stacks that do not broadcast. TypeError: inner sizes differ.

    Example:
      >>> import sable.numpy as jnp
      >>> jnp.matmul(jnp.ones((2, 3)), jnp.ones(3))
      Array([3., 3.], dtype=float32)
    """
    x, y, preferred, weak = _operands("matmul", a, b, preferred_element_type)
    for i, v in enumerate((x, y)):
        if v.aval.ndim < 1:
            raise ValueError(f"matmul input operand {i} must have ndim at least 1, but it has ndim {v.aval.ndim}")
    _check_inner("dot_general", x, x.aval.ndim - 1, y, max(0, y.aval.ndim - 2))
    rank = max(x.aval.ndim, y.aval.ndim, 2) - 2
    stack = broadcast_shape((x.aval.shape[:-2], y.aval.shape[:-2]))
    numbers = list(range(rank))
    xs = [*numbers[rank - max(0, x.aval.ndim - 2) :], *(["row"] if x.aval.ndim > 1 else []), "inner"]
    ys = [*numbers[rank - max(0, y.aval.ndim - 2) :], "inner", *(["column"] if y.aval.ndim > 1 else [])]
    out = [*numbers, *(["row"] if "row" in xs else []), *(["column"] if "column" in ys else [])]
    made = contract(x, xs, y, ys, out, precision_config(precision), preferred)
    if stack:
        made = expand_to(made, (*stack, *made.aval.shape[rank:]))
    return _finished(made, weak, preferred)


def _need_ranks(name: str, *operands: tuple[Value, int]) -> None:
    for k, (x, rank) in enumerate(operands, 1):
        if x.aval.ndim < rank:
            raise ValueError(f"{name}: x{k} needs at least {rank} dimensions, got shape {x.aval.shape}")


def _need_length(name: str, n: int, vectors: Value) -> None:
    if vectors.aval.shape[-1] != n:
        raise ValueError(f"{name}: the matrices' axis has size {n}, the vectors are of shape {vectors.aval.shape}")


@library
def matvec(x1: Any, x2: Any, /) -> Value:
    """Products of matrices (the last two axes of x1) and vectors (the last one of x2); the others broadcast.

    Args:
      x1: (..., m, n).
      x2: (..., n).

    Returns:
      (..., m).

    Raises:
      ValueError: shapes do not fit.

    Example:
      >>> jnp.matvec(jnp.array([[1, 2], [3, 4]]), jnp.array([[1, 0], [0, 1], [1, 1]]))
      Array([[1, 3],
             [2, 4],
             [3, 7]], dtype=int32)
    """
    x, y = array_arguments("matvec", x1, x2)
    _need_ranks("matvec", (x, 2), (y, 1))
    _need_length("matvec", x.aval.shape[-1], y)
    made = matmul(x, reshape_to(y, (*y.aval.shape, 1)))
    return reshape_to(made, made.aval.shape[:-1])


@library
def vecmat(x1: Any, x2: Any, /) -> Value:
    """Products of vectors (conjugated) and matrices; the other axes broadcast.

    Args:
      x1: (..., m).
      x2: (..., m, n).

    Returns:
      (..., n).

    Raises:
      ValueError: shapes do not fit.

    Example:
      >>> jnp.vecmat(jnp.array([1j, 1]), jnp.array([[1, 2], [3, 4]]))
      Array([3.-1.j, 4.-2.j], dtype=complex64)
    """
    x, y = array_arguments("vecmat", x1, x2)
    _need_ranks("vecmat", (x, 1), (y, 2))
    _need_length("vecmat", y.aval.shape[-2], x)
    made = matmul(reshape_to(conjugate(x), (*x.aval.shape[:-1], 1, x.aval.shape[-1])), y)
    return reshape_to(made, (*made.aval.shape[:-2], made.aval.shape[-1]))


@library
def vdot(a: Any, b: Any, *, precision: Any = None, preferred_element_type: Any = None) -> Value:
    """Inner product of two arrays as vectors; the first one is conjugated.

    Args:
      a, b: arrays of as many elements.
      precision: precision of the products on accelerators.
      preferred_element_type: dtype of the sums.

    Example:
      >>> jnp.vdot(jnp.array([1j, 2]), jnp.array([1j, 2])), jnp.dot(jnp.array([1j, 2]), jnp.array([1j, 2]))
      (Array(5.+0.j, dtype=complex64), Array(3.+0.j, dtype=complex64))
    """
    x, y = array_arguments("vdot", a, b)
    return dot(ravel(conjugate(x)), ravel(y), precision=precision, preferred_element_type=preferred_element_type)


@library
def vecdot(x1: Any, x2: Any, /, *, axis: int = -1, precision: Any = None, preferred_element_type: Any = None) -> Value:
    """Inner products along an axis; the first array is conjugated, the other axes broadcast.

    Args:
      x1, x2: arrays with the axis, of one size.
      axis: the axis.
      precision: precision of the products on accelerators.
      preferred_element_type: dtype of the sums.

    Raises:
      ValueError: a scalar; sizes differ.

    Example:
      >>> jnp.vecdot(jnp.array([[1, 2], [3, 4]]), jnp.array([10, 1]))
      Array([12, 34], dtype=int32)
    """
    x, y = array_arguments("vecdot", x1, x2)
    x, y = moveaxis(conjugate(x), axis, -1), moveaxis(y, axis, -1)
    if x.aval.shape[-1] != y.aval.shape[-1]:
        raise ValueError(f"vecdot requires equal sizes along axis {axis}, got {x.aval.shape} and {y.aval.shape}")
    rows, columns = reshape_to(x, (*x.aval.shape[:-1], 1, x.aval.shape[-1])), reshape_to(y, (*y.aval.shape, 1))
    made = matmul(rows, columns, precision=precision, preferred_element_type=preferred_element_type)
    return reshape_to(made, made.aval.shape[:-2])


@library
def inner(a: Any, b: Any, *, precision: Any = None, preferred_element_type: Any = None) -> Value:
    """Sums over the last axes of both arrays; a scalar multiplies.

    Args:
      a, b: arrays whose last axes have one size.
      precision: precision of the products on accelerators.
      preferred_element_type: dtype of the sums.

    Raises:
      TypeError: sizes differ.

    Example:
      >>> jnp.inner(jnp.array([[1, 2], [3, 4]]), jnp.array([[1, 0], [1, 1]]))  # rows with rows
      Array([[1, 3],
             [3, 7]], dtype=int32)
    """
    x, y = array_arguments("inner", a, b)
    if x.aval.ndim == 0 or y.aval.ndim == 0:
        return dot(x, y, precision=precision, preferred_element_type=preferred_element_type)
    return tensordot(x, y, (-1, -1), precision=precision, preferred_element_type=preferred_element_type)


@library
def outer(a: Any, b: Any, out: None = None) -> Value:
    """All products of the elements of two arrays as vectors: a matrix.

    Args:
      a, b: arrays.

    Example:
      >>> jnp.outer(jnp.array([1, 2]), jnp.array([1, 10, 100]))
      Array([[  1,  10, 100],
             [  2,  20, 200]], dtype=int32)
    """
    if out is not None:
        raise NotImplementedError("The 'out' argument to jnp.outer is not supported.")
    x, y = array_arguments("outer", a, b)
    return multiply(reshape_to(x, (x.aval.size, 1)), reshape_to(y, (1, y.aval.size)))


@library
def tensordot(
    a: Any,
    b: Any,
    axes: Any = 2,
    *,
    precision: Any = None,
    preferred_element_type: Any = None,
    out_sharding: Any = None,
) -> Value:
    """Sum over pairs of axes.

    Args:
      a, b: arrays.
      axes: a number n: a's last n with b's first n axes; or a pair of axes, or of sequences of axes.
      precision: precision of the products on accelerators.
      preferred_element_type: dtype of the sums.

    Raises:
      TypeError: `axes` does not fit, or sizes differ.

    Example:
      >>> x, y = jnp.ones((2, 3, 4)), jnp.ones((4, 3, 5))
      >>> jnp.tensordot(x, y, axes=([1, 2], [1, 0])).shape, jnp.tensordot(x, y, axes=1).shape
      ((2, 5), (2, 3, 3, 5))
    """
    x, y, preferred, weak = _operands("tensordot", a, b, preferred_element_type)
    left, right = _tensordot_axes(x, y, axes)
    for i, j in zip(left, right):
        _check_inner("tensordot", x, i, y, j)
    xs: list[Any] = [("x", i) for i in range(x.aval.ndim)]
    ys: list[Any] = [("y", i) for i in range(y.aval.ndim)]
    out = [v for i, v in enumerate(xs) if i not in left] + [v for j, v in enumerate(ys) if j not in right]
    for number, (i, j) in enumerate(zip(left, right)):
        xs[i] = ys[j] = number
    return _finished(contract(x, xs, y, ys, out, precision_config(precision), preferred), weak, preferred)


def _tensordot_axes(x: Value, y: Value, axes: Any) -> tuple[list[int], list[int]]:
    if isinstance(axes, (int, np.integer)):
        n = operator.index(axes)
        if n > min(x.aval.ndim, y.aval.ndim):
            raise TypeError(
                f"Number of tensordot axes (axes {axes}) exceeds input ranks ({x.aval.shape} and {y.aval.shape})"
            )
        return list(range(x.aval.ndim - n, x.aval.ndim)), list(range(n))
    if not isinstance(axes, (tuple, list)) or len(axes) != 2:
        raise TypeError(
            f"tensordot axes argument must be an int, a pair of ints, or a pair of lists/tuples, got {axes!r}"
        )
    kinds = [int if isinstance(a, (int, np.integer)) else type(a) for a in axes]
    if kinds[0] is not kinds[1] or kinds[0] not in (int, tuple, list):
        raise TypeError(
            f"tensordot requires both axes lists to be either ints, tuples or lists, got {axes[0]} and {axes[1]}"
        )
    left, right = ([a] if isinstance(a, (int, np.integer)) else list(a) for a in axes)
    if len(left) != len(right):
        raise TypeError(f"tensordot requires axes lists to have equal length, got {axes[0]} and {axes[1]}.")
    return [normal_axis(i, x.aval.ndim) for i in left], [normal_axis(j, y.aval.ndim) for j in right]


@library
def kron(a: Any, b: Any) -> Value:
    """Kronecker product: a with each element replaced by it times b.

    Args:
      a, b: arrays.

    Example:
      >>> jnp.kron(jnp.array([[1, 2]]), jnp.array([[1], [1]]))
      Array([[1, 2],
             [1, 2]], dtype=int32)
    """
    x, y = promote_dtypes(array_arguments("kron", a, b))
    rank = max(x.aval.ndim, y.aval.ndim)
    left = (1,) * (rank - x.aval.ndim) + x.aval.shape
    right = (1,) * (rank - y.aval.ndim) + y.aval.shape
    spread = tuple(n for size in left for n in (size, 1))
    inside = tuple(n for size in right for n in (1, size))
    made = multiply(reshape_to(x, spread), reshape_to(y, inside))
    return reshape_to(made, tuple(m * n for m, n in zip(left, right)))


@library
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: None = None) -> Value:
    """Sum of a diagonal of each matrix that lies along two axes.

    Args:
      a: array with two dimensions or more.
      offset: which diagonal: above the main one if positive.
      axis1, axis2: the axes of rows and of columns.
      dtype: dtype in which the sum is taken; None: as of `sum`.

    Raises:
      ValueError: less than two dimensions.

    Example:
      >>> x = jnp.arange(9).reshape(3, 3)
      >>> jnp.trace(x), jnp.trace(x, offset=1)
      (Array(12, dtype=int32), Array(6, dtype=int32))
    """
    no_out("trace", out)
    x = array_argument("trace", a)
    if isinstance(offset, Tracer):
        x = moveaxis(x, (axis1, axis2), (-2, -1))
        rows, columns = x.aval.shape[-2:]
        x = where(eye(rows, columns, offset, bool), x, 0)
        summed = (x.aval.ndim - 2, x.aval.ndim - 1)
    else:
        x = diagonal(x, offset, axis1, axis2)
        summed = (x.aval.ndim - 1,)
    x = convert(x, accumulator(x, dtype_argument(dtype, "trace"), True))
    return retype(BIND.reduce_sum(x, dimensions=summed), False)


@library
def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Value:
    """Vector products; vectors of two elements lie in a plane, and their product is a number.

    Args:
      a, b: arrays whose other axes broadcast.
      axisa, axisb, axisc: the axes of the vectors in a, b and the result; `axis` sets all three.

    Raises:
      ValueError: vectors of other sizes than 2 and 3.

    Example:
      >>> jnp.cross(jnp.array([1, 0, 0]), jnp.array([0, 1, 0])), jnp.cross(jnp.array([1, 2]), jnp.array([3, 4]))
      (Array([0, 0, 1], dtype=int32), Array(-2, dtype=int32))
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = promote_dtypes(array_arguments("cross", a, b))
    x, y = moveaxis(x, axisa, -1), moveaxis(y, axisb, -1)
    sizes = x.aval.shape[-1], y.aval.shape[-1]
    if not set(sizes) <= {2, 3}:
        raise ValueError(f"Dimension must be either 2 or 3 for cross product, got {sizes}")
    stack = broadcast_shape((x.aval.shape[:-1], y.aval.shape[:-1]))
    first = [expand_to(part, stack) for part in _parts(x)]
    second = [expand_to(part, stack) for part in _parts(y)]

    def minor(i: int, j: int) -> Value:
        return BIND.subtract(BIND.multiply(first[i], second[j]), BIND.multiply(first[j], second[i]))

    if sizes == (2, 2):
        return minor(0, 1)
    zero = filled(stack, x.aval.dtype, 0)
    first += [zero] * (3 - len(first))
    second += [zero] * (3 - len(second))
    return stacked([minor(1, 2), minor(2, 0), minor(0, 1)], axisc)


def _parts(x: Value) -> list[Value]:
    last, shape = x.aval.ndim - 1, x.aval.shape[:-1]
    return [reshape_to(slice_axis(x, last, i, i + 1), shape) for i in range(x.aval.shape[-1])]
