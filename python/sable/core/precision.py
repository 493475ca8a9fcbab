"""How exactly products are computed, where devices offer a choice."""

from __future__ import annotations

import enum
from typing import Any

from sable._config import config


class Precision(enum.Enum):
    """How exactly float32 products are computed, on devices that offer a choice.

    Also to be had from text: "fastest" and "bfloat16" are DEFAULT; "high", "tensorfloat32" and "bfloat16_3x" HIGH;
    "highest" and "float32" HIGHEST.
    """

    DEFAULT = 0
    HIGH = 1
    HIGHEST = 2

    @classmethod
    def _missing_(cls, value: object) -> Any:
        return _PRECISIONS.get(value)

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self.name}"

    def __str__(self) -> str:
        return self.name


_PRECISIONS: dict[Any, Precision] = {
    None: Precision.DEFAULT,
    "default": Precision.DEFAULT,
    "fastest": Precision.DEFAULT,
    "bfloat16": Precision.DEFAULT,
    "high": Precision.HIGH,
    "tensorfloat32": Precision.HIGH,
    "bfloat16_3x": Precision.HIGH,
    "highest": Precision.HIGHEST,
    "float32": Precision.HIGHEST,
}


def precision_config(precision: Any) -> tuple[str, str] | None:
    """The op's parameter for a `precision=` argument: names for both operands, or None where neither this
    nor an option says any.

    Raises:
      ValueError: neither a precision, its name, nor a pair of them.
    """
    if precision is None:
        precision = config.jax_default_matmul_precision
        if precision is None:
            return None
    pair = precision if isinstance(precision, (tuple, list)) else (precision, precision)
    if len(pair) != 2:
        raise ValueError(f"Unsupported dot precision value {precision!r}: expected one, or a pair")
    try:
        names = tuple(Precision(p).name for p in pair)
    except ValueError:
        raise ValueError(
            f"Unsupported dot precision value {precision!r}: expected None, a jax.lax.Precision, its name "
            f"({', '.join(repr(p) for p in _PRECISIONS if p)}), or a pair of these"
        ) from None
    return names  # type: ignore[return-value]
