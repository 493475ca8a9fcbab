"""How the native module does what an op's reference meaning does, without calling it.

A reference that is a NumPy ufunc says so by itself. Others are marked by one of the decorators here; a reference without
a mark is called. Reference and native form give the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

F = TypeVar("F", bound=Callable)

#: ufuncs (or loops of ours) one after the other: each with its operands, numbers of the op's operands and, from there on,
#: of the results so far, or Python floats
Sequence = tuple[tuple[Any, tuple["int | float", ...]], ...]

#: `choose(*dtypes, **params)`: the ufunc, the name of a loop of ours, or several ufuncs, for operands of those dtypes;
#: None: the reference
Choice = Callable[..., "np.ufunc | str | Sequence | None"]


def loops(choose: Choice | str) -> Callable[[F], F]:
    """The reference is an inner loop, element by element; operands that are scalars are repeated.

    Args:
      choose: which one, see `Choice`; the name alone where it is one of ours for all dtypes.
    """

    def mark(ref: F) -> F:
        ref.native_loop = choose if callable(choose) else lambda *dtypes, **params: choose  # type: ignore[attr-defined]
        return ref

    return mark


def views(view: Callable | None = None) -> Callable[[F], F]:
    """The reference only moves data by strides.

    Args:
      view: `view(x, **params)`, a view of x, where the reference itself may copy.
    """

    def mark(ref: F) -> F:
        ref.native_view = view or ref  # type: ignore[attr-defined]
        return ref

    return mark


def reduces(ufunc: np.ufunc, unless: Callable[..., bool] | None = None) -> Callable[[F], F]:
    """The reference reduces by a ufunc along the parameter `dimensions`, in the operand's dtype (half precision apart).

    Args:
      unless: `unless(operand, dimensions)`: whether the reference does something else for this array.
    """

    def mark(ref: F) -> F:
        ref.native_reduction = lambda x, dims: None if unless and unless(x, dims) else ufunc  # type: ignore[attr-defined]
        return ref

    return mark


def places(assemble: Callable) -> Callable[[F], F]:
    """The reference puts its operands together; `assemble(out, *xs, **params)` gives each one's place, a view of `out`."""

    def mark(ref: F) -> F:
        ref.native_places = assemble  # type: ignore[attr-defined]
        return ref

    return mark


def for_reals(choice: np.ufunc | Sequence) -> Choice:
    """The same for all floats of 32 and 64 bits."""
    return lambda dtype, *rest, **params: choice if dtype.kind == "f" and dtype.itemsize >= 4 else None


def for_float32(choice: Sequence) -> Choice:
    """The same for float32 alone."""
    return lambda dtype, *rest, **params: choice if dtype == np.float32 else None


def loop_of(ref: Any, dtypes: list[np.dtype], params: dict) -> np.ufunc | str | Sequence | None:
    """The inner loops that a reference is, or None."""
    if isinstance(ref, np.ufunc):
        return ref
    choose = getattr(ref, "native_loop", None)
    return None if choose is None else choose(*dtypes, **params)
