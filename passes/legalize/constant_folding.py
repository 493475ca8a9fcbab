"""What a program computes from constants alone is computed while it is lowered, by the references of the rows.

IREE moves such computations into initialisers, kernels of their own that are compiled and run: the base-2 logarithm of
the ten in `10.0 ** x` doubled the time of its compile. Small arrays are folded, of at most the size that IREE writes into
kernels, and single repeated elements of any shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.dialects.ops.rules import elementwise, kind_of
from sable.ir.aval import Aval
from sable.ir.literal import Literal
from sable.ir.op import OPS, NumpyBuilder, Op, infer

#: Bytes of an array; IREE's limit for constants inside of kernels.
_LARGEST = 256
_NUMPY = NumpyBuilder()
_CONSTANT, _IOTA = OPS["constant"], OPS["iota"]
_BARRIER = OPS["optimization_barrier"]  # which is there to keep things as they are


class ConstantFolding:
    """The constants of a program that is being lowered, by their values there."""

    def __init__(self) -> None:
        self._known: dict[Any, Literal] = {}

    def note(self, x: Any, op: Op, params: dict[str, Any]) -> None:
        """x is what an op without operands gives: a constant, or small numbers in order."""
        if op is _CONSTANT:
            self._known[x] = params["value"]
        elif op is _IOTA:
            out = infer(op, (), params)
            if _is_plain(out) and _bytes(out) <= _LARGEST:
                self._known[x] = Literal.of(*_computed(op, (), params, (out,)))

    def fold(self, op: Op, operands: Sequence[Any], params: dict[str, Any]) -> list[Literal] | None:
        """The results of an op on these operands, if they are constants and it may be computed now."""
        known = self._known
        for x in operands:
            if x not in known:
                return None
        if not operands or op is _BARRIER or op.functions or op.effects or op.collective is not None:
            return None
        literals = [known[x] for x in operands]
        found = infer(op, tuple([v.aval for v in literals]), params)
        outs = found if op.multiple_results else (found,)
        avals = [*outs, *[v.aval for v in literals]]
        if not all(map(_is_plain, avals)):
            return None
        # (a bitcast to another width makes several elements of one, or one of several)
        repeats = not op.multiple_results and (
            op.traits.constant or (op.batch is elementwise and any(v.aval.shape == found.shape for v in literals))
        )
        if repeats and found.size > 1 and all(v.is_splat for v in literals):
            data = (
                literals[0].data if op.traits.constant else _computed(op, [v.data for v in literals], params, outs)[0]
            )
            return [Literal(found, data)]
        if max(map(_bytes, avals)) > _LARGEST:
            return None
        return [Literal.of(y) for y in _computed(op, [v.numpy() for v in literals], params, outs)]


def _computed(op: Op, arrays: Sequence[np.ndarray], params: dict[str, Any], outs: Sequence[Aval]) -> list[np.ndarray]:
    made = _NUMPY.bind(op, *arrays, **params)
    return [np.asarray(y, a.dtype) for y, a in zip(made if op.multiple_results else (made,), outs)]


def _is_plain(a: Aval) -> bool:
    """Whether there are constants of that type; complex ones are no operations of their own."""
    return kind_of(a.dtype) in "biuf"


def _bytes(a: Aval) -> int:
    return a.size * a.dtype.itemsize
