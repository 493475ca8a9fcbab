"""Constants of programs: a hashable array."""

from __future__ import annotations

from typing import Any

import numpy as np

from .aval import Aval, aval


class Literal:
    """An immutable array that is equal to another of the same shape, dtype, weak type and bits.

    A splat (one repeated value) keeps one element only: `data` is then 0-d.
    """

    __slots__ = ("_hash", "aval", "data")

    def __init__(self, aval: Aval, data: np.ndarray):
        self.aval = aval
        self.data = data
        self._hash = hash((aval, data.tobytes()))

    @staticmethod
    def full(aval: Aval, value: Any) -> Literal:
        return Literal(aval, np.asarray(value, aval.dtype))

    @staticmethod
    def of(array: np.ndarray, weak_type: bool = False) -> Literal:
        array = np.asarray(array)
        a = aval(array.shape, array.dtype, weak_type)
        bits = array.tobytes()
        first = bits[: array.itemsize]
        splat = array.size > 0 and bits == first * array.size
        return Literal(a, array.reshape(-1)[0].reshape(()) if splat else array.copy())

    def strong(self) -> Literal:
        """The same without weak type."""
        return self if self.aval.strong is self.aval else Literal(self.aval.strong, self.data)

    @property
    def is_splat(self) -> bool:
        return self.data.ndim == 0

    def numpy(self) -> np.ndarray:
        """The whole array (a read-only broadcast for splats)."""
        return np.broadcast_to(self.data, self.aval.shape)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Literal)
            and self.aval is other.aval
            and self.data.shape == other.data.shape
            and self.data.tobytes() == other.data.tobytes()
        )

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"Literal({self.data!r}, {self.aval.short()})"
