"""All operations, and programs made of them from a seed."""

from __future__ import annotations

import functools

# each module enters its operations into the table
from tests.differential import contractions, elementwise, indexing, loops, structure
from tests.differential.draw import Draft
from tests.differential.program import OPS, Program, Step

__all__ = ["OPS", "contractions", "drawn", "elementwise", "indexing", "loops", "structure"]

#: Attempts to draw one step.
ATTEMPTS = 30


#: Every so many-th program has extreme inputs.
EXTREME = 8


@functools.lru_cache(maxsize=256)
def drawn(seed: int, *, x64: bool = False, smooth: bool = False, steps: tuple[int, int] = (3, 9)) -> Program:
    """The program of a seed; `smooth`: one that can be differentiated."""
    draft = Draft(seed, x64, smooth, extreme=not smooth and seed % EXTREME == 0)
    names = [name for name, op in OPS.items() if op.differentiable or not smooth]
    for _ in range(draft.integer(1, 2)):
        draft.input(draft.shape(), draft.dtype())
    for _ in range(draft.integer(*steps)):
        any(draft.step(draft.choice(names)) for _ in range(ATTEMPTS))
    made = [i for i, node in enumerate(draft.nodes) if isinstance(node, Step)]
    used = {k for i in made for k in draft.nodes[i].operands}
    outputs = [i for i in made if i not in used or draft.chance(0.2)]
    return Program(tuple(draft.nodes), tuple(outputs), seed, tuple(draft.values)).needed()
