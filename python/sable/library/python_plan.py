"""Plans in pure Python: a program's ops by their NumPy meanings, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.core.array import Array

from .program import Program, evaluated


class PythonPlan:
    """Runs a program on leaves (arrays and Python scalars)."""

    __slots__ = ("program",)

    def __init__(self, program: Program):
        self.program = program

    def run(self, leaves: Sequence[Any]) -> Any:
        """The call's result."""
        p = self.program
        values: dict[int, np.ndarray] = dict(p.constants)
        for i, (x, a) in enumerate(zip(leaves, p.leaves)):
            values[i] = x.numpy() if type(x) is Array else np.asarray(x, a.dtype)
        for step in p.steps:
            values.update(zip(step.results, evaluated(step, [values[k] for k in step.operands])))
        arrays = [
            leaves[k] if k < len(leaves) and type(leaves[k]) is Array and leaves[k].aval is a else Array(a, values[k])
            for k, a in zip(p.outputs, p.out_avals)
        ]
        return arrays[0] if p.build is None else p.build(arrays)
