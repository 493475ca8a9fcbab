"""Products of matrices whose rows, sums or batch belong to groups of sizes that are computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.operands import compare, full_like, integers, logical, select, values_of
from sable.library.declare import library

from .contraction import DotDimensionNumbers, dot_general
from .reductions import cumsum


@dataclass(frozen=True)
class RaggedDotDimensionNumbers:
    """Which dimensions of a ragged product are what.

    Attributes:
      dot_dimension_numbers: as for `dot_general`.
      lhs_ragged_dimensions: the one dimension of the lhs along which groups follow each other.
      rhs_group_dimensions: the dimension of the rhs that has an entry for each group, where the ragged one is neither
        contracted nor of the batch; else none.

    Example:
      >>> rows = lax.RaggedDotDimensionNumbers((((1,), (1,)), ((), ())), [0], [0])
      >>> lax.ragged_dot_general(jnp.ones((4, 2)), jnp.ones((3, 2, 5)), jnp.array([1, 0, 3]), rows).shape
      (4, 5)
    """

    dot_dimension_numbers: DotDimensionNumbers
    lhs_ragged_dimensions: Sequence[int]
    rhs_group_dimensions: Sequence[int]

    def __post_init__(self) -> None:
        (lhs, rhs), (lhs_batch, rhs_batch) = self.dot_dimension_numbers
        numbers = (integers(lhs), integers(rhs)), (integers(lhs_batch), integers(rhs_batch))
        object.__setattr__(self, "dot_dimension_numbers", numbers)
        object.__setattr__(self, "lhs_ragged_dimensions", integers(self.lhs_ragged_dimensions))
        object.__setattr__(self, "rhs_group_dimensions", integers(self.rhs_group_dimensions))


_MATRICES = RaggedDotDimensionNumbers((((1,), (1,)), ((), ())), (0,), (0,))


@library
def ragged_dot(
    lhs: Any,
    rhs: Any,
    group_sizes: Any,
    precision: Any = None,
    preferred_element_type: Any = None,
    group_offset: Any = None,
    out_sharding: Any = None,
) -> Value:
    """Rows times the matrices of their groups.

    Args:
      lhs: (m, k), the rows of each group behind those of the one before.
      rhs: (g, k, n), a matrix for each group.
      group_sizes: (g,) integers, the numbers of rows.
      precision, preferred_element_type: as for `dot_general`.
      group_offset: must be None.
      out_sharding: without effect.

    Returns:
      (m, n); rows beyond the last group are zero.

    Raises:
      TypeError: shapes that do not fit; sizes that are no integers.
      NotImplementedError: a group offset.

    Example:
      >>> matrices = jnp.array([[[1.]], [[10.]]])
      >>> lax.ragged_dot(jnp.array([[1.], [2.], [3.]]), matrices, jnp.array([1, 2]))
      Array([[ 1.],
             [20.],
             [30.]], dtype=float32)
    """
    return ragged_dot_general(lhs, rhs, group_sizes, _MATRICES, precision, preferred_element_type, group_offset)


@library
def ragged_dot_general(
    lhs: Any,
    rhs: Any,
    group_sizes: Any,
    ragged_dot_dimension_numbers: RaggedDotDimensionNumbers,
    precision: Any = None,
    preferred_element_type: Any = None,
    group_offset: Any = None,
    out_sharding: Any = None,
) -> Value:
    """`dot_general` of arrays one dimension of which is cut into g groups of computed sizes.

    Args:
      lhs: an array with a ragged dimension.
      rhs: an array; where the ragged dimension is neither contracted nor of the batch, with a dimension of g.
      group_sizes: (g,) integers; or behind the batch and those dimensions of the ragged one's kind (contracted or not)
        that come before it, other sizes for each of their indices.
      ragged_dot_dimension_numbers: which dimensions are what.
      precision, preferred_element_type: as for `dot_general`.
      group_offset: must be None.
      out_sharding: without effect.

    Returns:
      The product of each slice of the lhs with the group's slice of the rhs; where the ragged dimension is contracted, a
      leading dimension of g has the groups' sums. What is beyond the last group counts as zero. A ragged batch is as any.

    Raises:
      TypeError: dimensions that do not fit; sizes that are no integers.
      NotImplementedError: a group offset.

    Example:
      >>> sums = lax.RaggedDotDimensionNumbers((((0,), (0,)), ((), ())), [0], [])
      >>> x = jnp.array([[1.], [2.], [3.]])
      >>> lax.ragged_dot_general(x, x, jnp.array([1, 2]), sums)
      Array([[[ 1.]],
      <BLANKLINE>
             [[13.]]], dtype=float32)
    """
    if group_offset is not None:
        raise NotImplementedError("ragged_dot_general takes no group_offset")
    x, y, sizes = values_of("ragged_dot_general", lhs, rhs, group_sizes)
    numbers = ragged_dot_dimension_numbers
    ragged, before = _ragged_dimension(x, y, sizes, numbers)
    (lhs_sum, rhs_sum), (lhs_batch, rhs_batch) = numbers.dot_dimension_numbers
    options = {"precision": precision, "preferred_element_type": preferred_element_type}
    if ragged in lhs_batch:
        return dot_general(x, y, numbers.dot_dimension_numbers, **options)
    x = _by_group(x, ragged, before, sizes)
    contract, batch = [i + 1 for i in lhs_sum], [i + 1 for i in lhs_batch]
    if ragged not in lhs_sum:
        sums = ([*contract, 0], [*rhs_sum, *numbers.rhs_group_dimensions])
        return dot_general(x, y, (sums, (batch, rhs_batch)), **options)
    place = lhs_sum.index(ragged)
    y = _by_group(y, rhs_sum[place], [*rhs_batch, *rhs_sum[:place]], sizes)
    sums = (contract, [i + 1 for i in rhs_sum])
    return dot_general(x, y, (sums, ([0, *batch], [0, *[i + 1 for i in rhs_batch]])), **options)


def _ragged_dimension(
    x: Value, y: Value, sizes: Value, numbers: RaggedDotDimensionNumbers
) -> tuple[int, Sequence[int]]:
    """The ragged dimension, and those before it for each of whose indices there may be other sizes.

    Raises:
      TypeError: something does not fit.
    """
    name = "ragged_dot_general"
    if len(numbers.lhs_ragged_dimensions) != 1:
        raise TypeError(f"{name} expects exactly one lhs ragged dimension.")
    (ragged,) = numbers.lhs_ragged_dimensions
    _check_dimension(ragged, x, "lhs ragged dimension", "lhs")
    if sizes.aval.dtype.kind not in "iu":
        raise TypeError(f"{name} requires that group_sizes.dtype is subtype of np.integer.")
    (lhs_sum, rhs_sum), (lhs_batch, rhs_batch) = numbers.dot_dimension_numbers
    own = [i for i in range(x.aval.ndim) if i not in lhs_sum and i not in lhs_batch]
    kind: Sequence[int] = next(dims for dims in (lhs_sum, lhs_batch, own) if ragged in dims)
    before = [*([] if kind is lhs_batch else lhs_batch), *kind[: kind.index(ragged)]]
    _check_sizes(x, sizes, before)
    groups = numbers.rhs_group_dimensions
    if kind is not own:
        if groups:
            raise TypeError(f"{name} takes no rhs group dimension where the ragged one is contracted or of the batch.")
        return ragged, before
    if len(groups) != 1:
        raise TypeError(f"{name} requires exactly one rhs group dimension, got {len(groups)}.")
    _check_dimension(groups[0], y, "rhs group dimension", "rhs")
    if groups[0] in (*rhs_sum, *rhs_batch):
        raise TypeError(f"{name} requires a rhs group dimension that is neither contracted nor of the batch.")
    if y.aval.shape[groups[0]] != sizes.aval.shape[-1]:
        raise TypeError(
            f"expected rhs group dimension size to be {sizes.aval.shape[-1]}, got {y.aval.shape[groups[0]]}."
        )
    return ragged, before


def _check_dimension(dim: int, x: Value, what: str, side: str) -> None:
    if not 0 <= dim < x.aval.ndim:
        raise TypeError(
            f"ragged_dot_general requires {what} numbers to be nonnegative and less than the number of axes of the {side} "
            f"value, got {dim} for {side} of rank {x.aval.ndim}."
        )


def _check_sizes(x: Value, sizes: Value, before: Sequence[int]) -> None:
    if sizes.aval.ndim == 0:
        raise TypeError("expected rank of group_sizes to be >=1.")
    expected = (*[x.aval.shape[i] for i in before], sizes.aval.shape[-1])
    if sizes.aval.ndim > 1 and sizes.aval.shape != expected:
        raise TypeError(f"expected group_sizes to have shape {expected}, got {sizes.aval.shape}.")


def _by_group(x: Value, dim: int, before: Sequence[int], sizes: Value) -> Value:
    """(g, *x.shape): what is of each group, zeros elsewhere."""
    rank = sizes.aval.ndim
    shape = (sizes.aval.shape[-1], *x.aval.shape)
    own = before if rank > 1 else ()
    order = sorted(range(len(own)), key=own.__getitem__)
    places = (0, *[own[k] + 1 for k in order])

    def spread(v: Value) -> Value:
        v = BIND.transpose(v, permutation=(rank - 1, *order))
        return BIND.broadcast_in_dim(v, shape=shape, broadcast_dimensions=places)

    ends = cumsum(sizes, axis=rank - 1)
    here = BIND.iota(shape=shape, dtype=sizes.aval.dtype, iota_dimension=dim + 1)
    begun = compare(spread(BIND.subtract(ends, sizes)), here, "LE")
    inside = logical("and", begun, compare(here, spread(ends), "LT"))
    wide = BIND.broadcast_in_dim(x, shape=shape, broadcast_dimensions=tuple(range(1, len(shape))))
    return select(inside, wide, full_like(wide, 0))


__all__ = ["RaggedDotDimensionNumbers", "ragged_dot", "ragged_dot_general"]
