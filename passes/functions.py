"""Registry of the rules for ops that name functions; `control_flow` and its neighbours fill it.

A set of rules has `linearize(two, node, operands, tangents)`, `jvp(b, node, xs, tangents)`,
`transpose(b, node, on, xs, cotangents)`, `batch(b, node, size, xs, on, axis_name)`; see `Rules`.
"""

from __future__ import annotations

from typing import Any, Protocol


class Rules(Protocol):
    """How the transformations treat one op that names functions."""

    def linearize(self, two: Any, node: Any, operands: Any, tangents: Any) -> tuple[Any, Any]:
        """Results (all Known) and their tangents (values of two.linear, or None); operands are Known."""
        ...

    def jvp(self, b: Any, node: Any, xs: Any, tangents: Any) -> tuple[Any, Any]:
        """Results and their tangents (None where zero)."""
        ...

    def transpose(self, b: Any, node: Any, on: Any, xs: Any, cotangents: Any) -> Any:
        """Cotangents of the operands that `on` marks as linear (None for others and zeros)."""
        ...

    def batch(self, b: Any, node: Any, size: int, xs: Any, on: Any, axis_name: Any) -> tuple[Any, Any]:
        """Results and which of them are mapped."""
        ...


FUNCTION_RULES: dict[str, Rules] = {}


def rules_for(*names: str):
    """Class decorator: register an instance of the class for these ops."""

    def register(cls: type) -> type:
        for name in names:
            FUNCTION_RULES[name] = cls()
        return cls

    return register
