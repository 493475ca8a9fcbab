"""Abstract values of arrays as users see them: those of wrappers have a dtype of their own, which is not NumPy's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sable.ir.aval import Aval, aval
from sable.pytree import arrays

from .dtype_kinds import ExtendedDType


@dataclass(frozen=True)
class ExtendedAval:
    """What an `Aval` is for other arrays."""

    shape: tuple[int, ...]
    dtype: ExtendedDType

    weak_type = False
    ndim = property(lambda self: len(self.shape))
    size = property(lambda self: math.prod(self.shape))

    def short(self) -> str:
        """`key<fry>[2,3]`."""
        return f"{self.dtype.name}[{','.join(map(str, self.shape))}]"

    def __repr__(self) -> str:
        return f"ShapedArray({self.short()})"

    @property
    def words(self) -> Aval:
        """Of the array inside."""
        return aval((*self.shape, self.dtype.words), self.dtype.word_dtype)


def seen_avals(treedef: Any, avals: Sequence[Aval]) -> list[Any]:
    """The abstract values of the leaves as users see them, given those of the arrays."""
    return arrays.seen_values(treedef, avals, lambda kind, a: ExtendedAval(a.shape[:-1], kind._dtype))  # type: ignore[attr-defined]


__all__ = ["ExtendedAval", "seen_avals"]
