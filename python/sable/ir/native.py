"""Which C function of the native module computes an op, and how it wants its operands."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .aval import Aval

#: Dimensions of what a kernel gets, behind that of the batch.
_RANK = 2
_INTEGER = np.dtype(np.int32)
#: Elements of the matrices of a piece, and how many pieces there are at most.
_ELEMENTS, _MOST_PIECES = 1 << 14, 64
#: Right-hand sides of a piece, so that its share of the matrix's own work is small; and products, some 100 us.
_SIDES, _PRODUCTS = 120, 1 << 22


def _no_options(**params: Any) -> tuple[int, ...]:
    return ()


def _one_piece(*operands: Aval, **params: Any) -> int:
    return 1


def pieces_of_batch(operand: Aval, rank: int, elements: int = _ELEMENTS) -> int:
    """Into how many pieces the batch in front of the last `rank` dimensions is cut: not below so many elements a piece."""
    return max(1, min(math.prod(operand.shape[: operand.ndim - rank]), operand.size // elements, _MOST_PIECES))


def pieces_of_stack(operand: Aval, *others: Aval, **params: Any) -> int:
    """As many matrices a piece as are some 100 us of work."""
    return pieces_of_batch(operand, 2)


def pieces_of_solve(matrix: Aval, *others: Aval, left_side: bool = True, **params: Any) -> int:
    """Of few matrices with many right-hand sides, which are the last operand: so many sides a piece; else matrices."""
    sides = others[-1]
    by_batch, batch = pieces_of_stack(matrix), math.prod(matrix.shape[:-2])
    by_sides = min(sides.shape[-1 if left_side else -2] // _SIDES, sides.size * matrix.shape[-1] // _PRODUCTS)
    return by_sides if by_sides > max(by_batch, batch) else by_batch


@dataclass(frozen=True)
class NativeKernel:
    """The native kernel of an op: its eager meaning, and what compiled CPU programs call.

    The op works on stacks: all operands and results have the same leading batch dimensions, which reach the kernel as
    one. Vectors reach it as matrices of one column. `python/native/kernels.h` says what else it gets. It tells of
    failure by values (NaN).

    Attributes:
      name: of the kernels, without the dtype: `sable_cholesky` for `sable_cholesky_float32`. `{param}` stands for a
        parameter in lower case.
      operand_ranks, result_ranks: dimensions of each operand and result behind those of the batch; of a last result that
        the parameters leave out, too.
      dtypes: of the operands but integers, those that there is a kernel for. Integers are int32.
      options: `options(**params)`: the op's parameters as integers.
      pieces: `pieces(*operands, **params)`: into how many pieces a compiled program cuts the call, for as many cores; by the
        operands' shapes alone, so that results depend on no machine.
      large: from so many rows and columns of the first operand on the kernel is the one for large matrices, in which LAPACK runs
        threads of its own; 0: there is none.
    """

    name: str
    operand_ranks: tuple[int, ...]
    result_ranks: tuple[int, ...]
    dtypes: tuple[np.dtype, ...]
    options: Callable[..., tuple[int, ...]] = _no_options
    pieces: Callable[..., int] = _one_piece
    large: int = 0

    def symbol(self, avals: Sequence[Aval], outs: Sequence[Aval], params: Mapping[str, Any]) -> str | None:
        """The kernel for these operands and results; None where there is none: other dtypes, empty arrays."""
        dtype = avals[0].dtype
        if dtype not in self.dtypes or any(a.dtype not in (dtype, _INTEGER) for a in avals):
            return None
        if not all(a.size for a in (*avals, *outs)):
            return None
        ending = "_large" if self.large and min(avals[0].shape[-2:]) >= self.large else ""
        return f"{self.name.format(**{k: str(v).lower() for k, v in params.items()})}_{dtype.name}{ending}"

    def operand_stacks(self, avals: Sequence[Aval]) -> list[tuple[int, ...]]:
        """The shapes in which the operands reach the kernel."""
        return [_stack(a.shape, rank) for a, rank in zip(avals, self.operand_ranks)]

    def result_stacks(self, avals: Sequence[Aval]) -> list[tuple[int, ...]]:
        """The shapes in which the kernel writes the results."""
        return [_stack(a.shape, rank) for a, rank in zip(avals, self.result_ranks)]

    def words(self, params: Mapping[str, Any]) -> tuple[int, ...]:
        """The options of an op with these parameters."""
        return tuple(int(word) for word in self.options(**params))


def _stack(shape: tuple[int, ...], rank: int) -> tuple[int, ...]:
    first = len(shape) - rank
    return (math.prod(shape[:first]), *shape[first:], *[1] * (_RANK - rank))
