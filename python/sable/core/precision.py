"""How exactly products are computed, where devices offer a choice."""

from __future__ import annotations

import enum
from typing import Any, NamedTuple

from sable._config import config


class Precision(enum.Enum):
    """How exactly float32 products are computed, on devices that offer a choice.

    Also to be had from text: "fastest" and "bfloat16" are DEFAULT; "high", "tensorfloat32" and "bfloat16_3x" HIGH;
    "highest" and "float32" HIGHEST.

    Example:
      >>> lax.dot(jnp.ones((2, 2)), jnp.ones((2, 2)), precision=lax.Precision.HIGHEST)
      Array([[2., 2.],
             [2., 2.]], dtype=float32)
      >>> lax.Precision("tensorfloat32")
      Precision.HIGH
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


class DotAlgorithm(NamedTuple):
    """An algorithm for products.

    Attributes:
      lhs_precision_type, rhs_precision_type: dtypes to which the operands are rounded.
      accumulation_type: dtype of the sums.
      lhs_component_count, rhs_component_count, num_primitive_operations: numbers into which operands and products are split.
      allow_imprecise_accumulation: whether some steps may be of less precision.

    Example:
      >>> lax.DotAlgorithm(np.float32, np.float32, np.float32).num_primitive_operations
      1
    """

    lhs_precision_type: Any
    rhs_precision_type: Any
    accumulation_type: Any
    lhs_component_count: int = 1
    rhs_component_count: int = 1
    num_primitive_operations: int = 1
    allow_imprecise_accumulation: bool = False


class DotAlgorithmPreset(enum.Enum):
    """Algorithms for products by name: dtypes of both operands and of the sums, and how many products stand for one.

    Example:
      >>> lax.dot(jnp.ones(2), jnp.ones(2), precision=lax.DotAlgorithmPreset.F32_F32_F32)
      Array(2., dtype=float32)
      >>> lax.dot(jnp.ones(2), jnp.ones(2), precision=lax.DotAlgorithmPreset.F64_F64_F64)
      Traceback (most recent call last):
          ...
      ValueError: The precision 'F64_F64_F64' is not supported by dot_general on CPU
    """

    DEFAULT = enum.auto()
    ANY_F8_ANY_F8_F32 = enum.auto()
    ANY_F8_ANY_F8_F32_FAST_ACCUM = enum.auto()
    ANY_F8_ANY_F8_ANY = enum.auto()
    ANY_F8_ANY_F8_ANY_FAST_ACCUM = enum.auto()
    F16_F16_F16 = enum.auto()
    F16_F16_F32 = enum.auto()
    BF16_BF16_BF16 = enum.auto()
    BF16_BF16_F32 = enum.auto()
    BF16_BF16_F32_X3 = enum.auto()
    BF16_BF16_F32_X6 = enum.auto()
    BF16_BF16_F32_X9 = enum.auto()
    TF32_TF32_F32 = enum.auto()
    TF32_TF32_F32_X3 = enum.auto()
    F32_F32_F32 = enum.auto()
    F64_F64_F64 = enum.auto()

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self.name}"

    def __str__(self) -> str:
        return self.name


#: The precision that is at least as exact as an algorithm; others are of special devices.
_ALGORITHMS = {
    "DEFAULT": Precision.DEFAULT,
    "BF16_BF16_F32": Precision.DEFAULT,
    "BF16_BF16_F32_X3": Precision.HIGH,
    "BF16_BF16_F32_X6": Precision.HIGHEST,
    "F32_F32_F32": Precision.HIGHEST,
}


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
    if isinstance(precision, (DotAlgorithm, DotAlgorithmPreset)) or precision in DotAlgorithmPreset.__members__:
        if str(precision) not in _ALGORITHMS:
            raise ValueError(f"The precision '{precision}' is not supported by dot_general on CPU")
        precision = _ALGORITHMS[str(precision)]
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
