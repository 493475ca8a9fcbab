"""Matrix products of narrow dtypes whose elements have scales by blocks along the contracted dimension.

Sources: OCP Microscaling Formats (MX) Specification 1.0, 2023 (mxfp8: blocks of 32, scales that are powers of two); NVFP4: blocks
of 16 float4 numbers with float8 scales, and one factor for the whole array.
"""

from __future__ import annotations

import functools
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

import sable.numpy as jnp
from sable import lax
from sable.core.custom_derivatives import custom_vjp
from sable.core.dtypes import finfo
from sable.core.operands import dtype_argument
from sable.library.declare import library

_RESULTS = tuple(np.dtype(t) for t in ("float32", "float16")) + (np.dtype(jnp.bfloat16),)


@dataclass(frozen=True, eq=False)
class BlockScaleConfig:
    """How an operand is rounded, by blocks along the contracted dimension.

    Attributes:
      mode: "mxfp8" or "nvfp4".
      block_size: elements of a block.
      data_type, scale_type: dtypes of the elements, and of the scales.
      global_scale: nvfp4: a f32 factor of all scales, (1,).
      infer_only: without effect.
    """

    mode: str
    block_size: int
    data_type: Any
    scale_type: Any
    global_scale: Any
    infer_only: bool


def get_scaled_dot_general_config(mode: str, global_scale: Any = None) -> BlockScaleConfig:
    """How `scaled_dot_general` rounds an operand.

    Args:
      mode: "mxfp8", float8_e4m3fn with a power of two for each 32 elements; "nvfp4", float4_e2m1fn with a float8_e4m3fn for each
        16 and one factor for all.
      global_scale: that factor, (1,) f32; None: one.

    Raises:
      ValueError: another mode.

    Example:
      >>> jax.nn.get_scaled_dot_general_config("mxfp8").block_size
      32
    """
    if mode == "nvfp4":
        factor = jnp.ones((1,), jnp.float32) if global_scale is None else global_scale
        return BlockScaleConfig(mode, 16, jnp.float4_e2m1fn, jnp.float8_e4m3fn, factor, False)
    if mode == "mxfp8":
        return BlockScaleConfig(mode, 32, jnp.float8_e4m3fn, jnp.float8_e8m0fnu, None, False)
    raise ValueError(f"Unsupported mode: {mode}")


@library
def scaled_matmul(
    lhs: Any, rhs: Any, lhs_scales: Any, rhs_scales: Any, preferred_element_type: Any = np.float32
) -> Any:
    """Products of stacks of matrices, (lhs lhs_scales) (rhs rhs_scales)^T.

    Args:
      lhs, rhs: (b, m, k) and (b, n, k), often of narrow dtypes.
      lhs_scales, rhs_scales: (b, m, l) and (b, n, l): one for each block of k / l elements.
      preferred_element_type: of the result; products and sums are of f32.

    Returns:
      (b, m, n).

    Raises:
      ValueError: other shapes.

    JAX has it on GPUs only.

    Example:
      >>> x, scales = jnp.ones((1, 1, 4), jnp.float8_e4m3fn), jnp.array([[[2.0, 0.5]]])
      >>> jax.nn.scaled_matmul(x, x, scales, jnp.ones((1, 1, 2)))
      Array([[[5.]]], dtype=float32)
    """
    a, b, s, t = (jnp.asarray(x) for x in (lhs, rhs, lhs_scales, rhs_scales))
    if any(x.ndim != 3 for x in (a, b, s, t)):
        raise ValueError("scaled_matmul requires all inputs to be 3-dimensional arrays")
    if a.shape[::2] != b.shape[::2]:
        raise ValueError(
            "scaled_matmul requires inputs a and b to have matching batch (B) and contract (K) dimensions, "
            f"but got shapes {a.shape} and {b.shape}"
        )
    if s.shape[::2] != t.shape[::2]:
        raise ValueError(
            "scaled_matmul requires scales to have matching batch (B) and contract (K) dimensions, "
            f"but got shapes {s.shape} and {t.shape}"
        )
    if s.shape[1] != a.shape[1] or t.shape[1] != b.shape[1]:
        raise ValueError(
            "scaled_matmul requires scales to match non-contract dimensions of inputs, "
            f"but got shapes a: {a.shape}, b: {b.shape}, a_scales: {s.shape}, b_scales: {t.shape}"
        )
    if not s.shape[2] or a.shape[2] % s.shape[2]:
        raise ValueError(f"scaled_matmul requires blocks of one size, but got shapes a: {a.shape}, a_scales: {s.shape}")
    dtype = dtype_argument(preferred_element_type, "scaled_matmul")
    product = jnp.matmul(_scaled(a, s), jnp.swapaxes(_scaled(b, t), 1, 2), precision="highest")
    return product.astype(dtype)


def _scaled(x: Any, scales: Any) -> Any:
    blocks = x.astype(jnp.float32).reshape(*scales.shape, -1)
    return (blocks * scales.astype(jnp.float32)[..., None]).reshape(x.shape)


def _rounded(x: Any, config: BlockScaleConfig) -> Any:
    """f32 numbers that an array is rounded to, by blocks along its last dimension."""
    if x.shape[-1] % config.block_size or not x.shape[-1]:
        raise ValueError(
            f"scaled_dot_general: the contracted dimension, of size {x.shape[-1]}, is no multiple of {config.block_size}, the "
            f"block size of {config.mode}"
        )
    factor = jnp.float32(1) if config.global_scale is None else config.global_scale
    blocks = x.astype(jnp.float32).reshape(*x.shape[:-1], -1, config.block_size) / factor
    largest = jnp.float32(finfo(config.data_type).max)
    scales = jnp.max(jnp.abs(blocks), -1, keepdims=True) / largest
    if config.mode == "mxfp8":
        scales = _power_above(scales)
    else:
        scales = (
            jnp.clip(scales, 0, jnp.float32(finfo(config.scale_type).max)).astype(config.scale_type).astype(jnp.float32)
        )
    elements = jnp.clip(blocks / scales, -largest, largest).astype(config.data_type).astype(jnp.float32)
    return (elements * scales * factor).reshape(x.shape)


def _power_above(x: Any) -> Any:
    """The least powers of two from x on, of those from 2^-127 to 2^127 that float8_e8m0fnu has."""
    bits: Any = lax.bitcast_convert_type(x, jnp.uint32)
    exponent, rest = bits >> 23, bits & 0x7FFFFF
    up = (rest > 0) & (exponent != 0xFE) & ~((exponent == 0) & (rest <= 0x400000))
    exponent = jnp.where(up, exponent + 1, exponent)
    power = lax.bitcast_convert_type(exponent << 23, jnp.float32)
    return jnp.where(exponent == 0, jnp.float32(2.0**-127), power)


def scaled_dot_general(
    lhs: Any,
    rhs: Any,
    dimension_numbers: Any,
    preferred_element_type: Any = np.float32,
    configs: Any = None,
    implementation: Any = None,
) -> Any:
    """`lax.dot_general` of operands that are rounded to narrow dtypes by blocks, as quantized training does.

    Args:
      lhs, rhs: floating arrays.
      dimension_numbers: as of `lax.dot_general`.
      preferred_element_type: of the result: f32, f16 or bf16.
      configs: how lhs, rhs and, for derivatives, the cotangent are rounded: three of `get_scaled_dot_general_config`. None: not.
      implementation: without effect.

    Returns:
      As of `lax.dot_general`. Derivatives pass the roundings straight through; in mode "mxfp8" the products in them are of rounded
      operands, too, in mode "nvfp4" they are not, and are zero where an operand was beyond what can be rounded to.

    Raises:
      TypeError: another `preferred_element_type`. ValueError: the number of contracted elements is no multiple of the block size.

    JAX has it with configs on GPUs only.

    Example:
      >>> configs = [jax.nn.get_scaled_dot_general_config("mxfp8")] * 3
      >>> x = jnp.full((1, 32), 1.03)
      >>> jax.nn.scaled_dot_general(x, x, (((1,), (1,)), ((), ())), configs=configs)
      Array([[32.]], dtype=float32)
    """
    if implementation is not None:
        warnings.warn(
            "Backend selector, now ignored. The system chooses the backend automatically.",
            DeprecationWarning,
            stacklevel=2,
        )
    if configs is None:
        return lax.dot_general(lhs, rhs, dimension_numbers, preferred_element_type=preferred_element_type)
    dtype = dtype_argument(preferred_element_type, "scaled_dot_general")
    if dtype not in _RESULTS:
        raise TypeError(f"Only support preferred_element_type in (f32, bf16, f16), but got {dtype.name}")
    contracted, stacked = ((tuple(dims) for dims in pair) for pair in dimension_numbers)
    return _scaled_dot(
        _Product(tuple(contracted), tuple(stacked), dtype, tuple(configs)), jnp.asarray(lhs), jnp.asarray(rhs)
    )


@dataclass(frozen=True)
class _Product:
    contracted: tuple
    stacked: tuple
    dtype: Any
    configs: tuple

    def order(self, side: int, ndim: int) -> list[int]:
        """Dimensions of an operand: of the stack, free, contracted."""
        first, last = self.stacked[side], self.contracted[side]
        return [*first, *(d for d in range(ndim) if d not in (*first, *last)), *last]

    def matrices(self, x: Any, side: int) -> Any:
        """(stack, free, contracted)."""
        turned = jnp.transpose(x, self.order(side, x.ndim))
        first, last = len(self.stacked[side]), len(self.contracted[side])
        count = int(np.prod(turned.shape[:first]))
        return turned.reshape(count, -1, int(np.prod(turned.shape[x.ndim - last :])))

    def back(self, y: Any, side: int, like: Any) -> Any:
        """An operand of its matrices."""
        order = self.order(side, like.ndim)
        return jnp.transpose(y.reshape([like.shape[d] for d in order]), np.argsort(order)).astype(like.dtype)

    def shape(self, lhs: Any, rhs: Any) -> list[int]:
        """Of the result."""
        free = [
            [
                x.shape[d]
                for d in self.order(side, x.ndim)[len(self.stacked[side]) : x.ndim - len(self.contracted[side])]
            ]
            for side, x in enumerate((lhs, rhs))
        ]
        return [*(lhs.shape[d] for d in self.stacked[0]), *free[0], *free[1]]


def _matmul(a: Any, b: Any) -> Any:
    """a b^T of stacks, in f32."""
    return jnp.matmul(a.astype(jnp.float32), jnp.swapaxes(b.astype(jnp.float32), 1, 2), precision="highest")


@functools.partial(custom_vjp, nondiff_argnums=(0,))
def _scaled_dot(product: _Product, lhs: Any, rhs: Any) -> Any:
    sides = [_rounded(product.matrices(x, side), product.configs[side]) for side, x in enumerate((lhs, rhs))]
    return _matmul(*sides).reshape(product.shape(lhs, rhs)).astype(product.dtype)


def _forward(product: _Product, lhs: Any, rhs: Any) -> tuple:
    return _scaled_dot(product, lhs, rhs), (lhs, rhs)


def _backward(product: _Product, residuals: tuple, cotangent: Any) -> tuple:
    a, b = (product.matrices(x, side) for side, x in enumerate(residuals))
    g = cotangent.reshape(a.shape[0], a.shape[1], b.shape[1])
    found = []
    for side, (ct, other) in enumerate(((g, b), (jnp.swapaxes(g, 1, 2), a))):
        x = residuals[side]
        columns = jnp.swapaxes(other, 1, 2)
        if product.configs[2].mode == "mxfp8":
            ct, columns = _rounded(ct, product.configs[2]), _rounded(columns, product.configs[1 - side])
        y = product.back(_matmul(ct, columns), side, x)
        if product.configs[2].mode == "nvfp4":
            config = product.configs[side]
            most = config.global_scale * float(finfo(config.data_type).max) * float(finfo(config.scale_type).max)
            y = jnp.where(jnp.abs(x) <= most, y, jnp.zeros_like(y))
        found.append(y)
    return tuple(found)


_scaled_dot.defvjp(_forward, _backward)
