"""Algorithms over any function: differentiation, transposition, batching, lowering."""

from . import control_flow, custom, loops
from .batch import batch, batch_function
from .jvp import jvp, jvp_function
from .linearize import Linearized, linearize, linearize_function
from .transpose import transpose, transpose_function

__all__ = [
    "Linearized",
    "batch",
    "batch_function",
    "control_flow",
    "custom",
    "jvp",
    "jvp_function",
    "linearize",
    "linearize_function",
    "loops",
    "transpose",
    "transpose_function",
]
