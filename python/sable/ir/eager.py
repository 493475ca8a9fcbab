"""How an eager op is computed on the CPU: by NumPy at once, or beyond some work by a compiled program."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .aval import Aval

#: Seconds that NumPy may take for one op. A program for an op's types costs 0.1 to 0.3 s, after which it comes from memory
#: or the disk: five calls' worth.
QUICK_SECONDS = 0.05


@dataclass(frozen=True)
class EagerPolicy:
    """For ops that a program computes much quicker than NumPy: how long NumPy takes, and so when a program does it instead.

    A row has one where that was measured, beside each other on one core: IREE at least 3 times as quick on 1e6 elements
    (tanh 17, erf 17, cosh 20, atan 15, asinh 10, atan2 10, cbrt 5, asin 3.4, grouped convolutions 13), and 1.5 to 2.9 times
    for scatters, which also take NumPy's memory. It is not for dense convolutions, products of integers, cumlogsumexp and
    zeta, for which NumPy is as quick or quicker.

    Attributes:
      work: `work(avals, params)`: how many `unit`s an op on these operands is.
      unit: what is counted, for people: 'products', 'updates'.
      nanoseconds: of NumPy for one of them, measured on large operands.
    """

    work: Callable[[Sequence[Aval], Mapping[str, Any]], int]
    unit: str
    nanoseconds: float

    def is_long(self, avals: Sequence[Aval], params: Mapping[str, Any]) -> bool:
        """Whether NumPy would take more than `QUICK_SECONDS`."""
        return self.work(avals, params) * self.nanoseconds > QUICK_SECONDS * 1e9


def per_element(nanoseconds: float) -> EagerPolicy:
    """The policy of an elementwise op."""
    return EagerPolicy(lambda avals, params: avals[0].size, "elements", nanoseconds)
