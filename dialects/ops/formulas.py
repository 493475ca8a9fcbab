"""Formulas of real numbers as they are written on paper, over any builder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


class Real:
    """A builder's value of floats, or of booleans that comparisons give, with operators; Python floats are constants.

    Attributes:
      b: the builder.
      value: the builder's value.
    """

    __slots__ = ("b", "value")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, b: Any, value: Any):
        self.b, self.value = b, value

    @property
    def dtype(self) -> np.dtype:
        return self.b.aval(self.value).dtype

    def like(self, x: Real | float) -> Any:
        """The builder's value of a formula or of a constant beside this one."""
        return x.value if isinstance(x, Real) else self.b.full(self.b.aval(self.value), x)

    def constant(self, value: float) -> Real:
        """A constant of this one's shape and dtype."""
        return Real(self.b, self.like(value))

    def of(self, name: str, *others: Real | float) -> Real:
        """An op by its name: `x.of("atan2", y)`."""
        return Real(self.b, getattr(self.b, name)(self.value, *map(self.like, others)))

    def __add__(self, y: Real | float) -> Real:
        return self.of("add", y)

    def __sub__(self, y: Real | float) -> Real:
        return self.of("subtract", y)

    def __rsub__(self, y: float) -> Real:
        return self.constant(y) - self

    def __mul__(self, y: Real | float) -> Real:
        return self.of("multiply", y)

    def __truediv__(self, y: Real | float) -> Real:
        return self.of("divide", y)

    def __rtruediv__(self, y: float) -> Real:
        return self.constant(y) / self

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> Real:
        return self.of("negate")

    def __abs__(self) -> Real:
        return self.of("abs")

    def __and__(self, y: Real) -> Real:
        return self.of("and", y)

    def __or__(self, y: Real) -> Real:
        return self.of("or", y)

    def __invert__(self) -> Real:
        return self.of("not")

    def _compared(self, y: Real | float, direction: str) -> Real:
        return Real(self.b, self.b.compare(self.value, self.like(y), comparison_direction=direction))

    def __lt__(self, y: Real | float) -> Real:
        return self._compared(y, "LT")

    def __le__(self, y: Real | float) -> Real:
        return self._compared(y, "LE")

    def __gt__(self, y: Real | float) -> Real:
        return self._compared(y, "GT")

    def __ge__(self, y: Real | float) -> Real:
        return self._compared(y, "GE")

    def __eq__(self, y: Real | float) -> Real:  # type: ignore[override]
        return self._compared(y, "EQ")

    def __ne__(self, y: Real | float) -> Real:  # type: ignore[override]
        return self._compared(y, "NE")

    def bits(self, dtype: np.dtype) -> Real:
        return Real(self.b, self.b.bitcast_convert(self.value, dtype=dtype))


def where(condition: Real, x: Real | float, y: Real | float) -> Real:
    """x where the condition holds, else y; one of them is no constant."""
    one = x if isinstance(x, Real) else y
    assert isinstance(one, Real)
    return Real(one.b, one.b.select(condition.value, one.like(x), one.like(y)))


def polynomial(x: Real, coefficients: Sequence[float]) -> Real:
    """coefficients[0] + coefficients[1] x + ..., by Horner's rule; at least two of them."""
    found = x * coefficients[-1] + coefficients[-2]
    for c in reversed(coefficients[:-2]):
        found = found * x + c
    return found
