"""Traps of IREE 3.13 that are rewritten before it sees them (figures and cases: docs/architecture.md).

`LEGALIZE[op](b, *operands, **params)` gives the op's results in terms that are safe, or NotImplemented where the op can
stay as it is. `b.emit(name, ...)` writes an op past these rules.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

LEGALIZE: dict[str, Callable[..., Any]] = {}


def legalize(name: str) -> Callable:
    """Decorator: register a rule for the op."""

    def register(rule: Callable) -> Callable:
        LEGALIZE[name] = rule
        return rule

    return register
