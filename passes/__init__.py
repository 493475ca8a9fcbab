"""Algorithms over any function: differentiation, transposition, batching, lowering."""

from .batch import batch, batch_function
from .checkify import checked_function, checkify
from .jet import jet, jet_function
from .jvp import jvp, jvp_function
from .linearize import Linearized, linearize, linearize_function
from .transpose import transpose, transpose_function

__all__ = [
    "Linearized",
    "batch",
    "batch_function",
    "checked_function",
    "checkify",
    "jet",
    "jet_function",
    "jvp",
    "jvp_function",
    "linearize",
    "linearize_function",
    "transpose",
    "transpose_function",
]
