"""The passes on functions, as rules of ops that name functions get them (`sable.ir.function_rules.Transforms`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

_F = TypeVar("_F", bound=Callable)


class Transforms:
    """Filled by the passes themselves: rules of one pass may need another (the tangent of a while loop is a jvp)."""

    linearize_function: Callable
    jvp_function: Callable
    transpose_function: Callable
    batch_function: Callable
    checked_function: Callable
    jet: Callable
    jet_function: Callable


TRANSFORMS = Transforms()


def transform(function: _F) -> _F:
    """Decorator: one of the passes that rules get."""
    setattr(TRANSFORMS, function.__name__, function)
    return function
