"""Convolutions as IREE takes them: batch first and features last, padding and dilation written out, not empty."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sable.dialects.ops.compose import convert
from sable.dialects.ops.convolution import merge, split
from sable.dialects.ops.windows import covering, pad
from sable.ir.aval import Aval, aval
from sable.ir.codec import ConvDimensionNumbers, DotDimensions
from sable.ir.op import OPS

from .rules import extended, is_narrow, legalize

_F32 = np.dtype(np.float32)


@legalize("convolution")
def convolution(b: Any, lhs: Any, rhs: Any, **params: Any) -> Any:
    """An unpadded, undilated convolution over an input that its windows cover exactly.

    Of the others IREE refuses many (a dimension with one window over a larger input, for one: the unit loop is dropped
    and the input's size taken for the window's), and computes some wrongly.
    """
    op = OPS["convolution"]
    numbers = params["dimension_numbers"]
    out = op.type(b.aval(lhs), b.aval(rhs), **params)
    if 0 in (out.size, b.aval(lhs).size, b.aval(rhs).size):
        return b.full(out, False if out.dtype.kind == "b" else 0)  # an empty sum is a SIGFPE
    if out.dtype.kind == "c":
        return _by_parts(b, lhs, rhs, out, params)
    if is_narrow(out.dtype):  # summed in f32, as by XLA
        wide = [b.convert(x, dtype=_F32) for x in (lhs, rhs)]
        return b.convert(b.bind(op, *wide, **{**params, "preferred_element_type": _F32}), dtype=out.dtype)
    lhs, rhs = (extended(b, x, out.dtype) for x in (lhs, rhs))
    wanted = _features_last(len(numbers.lhs_spec))
    lhs = _moved(b, lhs, numbers.lhs_spec, wanted.lhs_spec)
    rhs = _moved(b, rhs, numbers.rhs_spec, wanted.rhs_spec)
    turned = tuple(i for i, r in enumerate(params["window_reversal"]) if r)
    if turned:
        rhs = b.reverse(rhs, dimensions=turned)
    batch_groups = params["batch_group_count"]
    if batch_groups > 1:
        lhs = split(b, lhs, 0, batch_groups)
        lhs = merge(b, lhs, 0, b.aval(lhs).ndim - 2)
    groups = batch_groups * params["feature_group_count"]
    lhs = _covered(b, lhs, b.aval(rhs).shape, params)
    moved = numbers != wanted
    if b.platform == "vulkan" and groups > 1 and b.aval(rhs).shape[-2] > 1:
        # IREE's own code for them leaves channels out
        shape = [out.shape[place] for place in (numbers.out_spec[0], *numbers.out_spec[2:], numbers.out_spec[1])]
        found = _groups_as_products(b, lhs, rhs, groups, out.update(shape=tuple(shape)), params)
        return _moved(b, found, wanted.out_spec, numbers.out_spec)
    if moved:
        # a transpose that is fused with a convolution keeps IREE from tiling it: up to seventy times slower
        lhs, rhs = b.emit("optimization_barrier", lhs, rhs)
    found = b.emit(
        "convolution",
        lhs,
        rhs,
        **{
            **params,
            "dimension_numbers": wanted,
            "padding": ((0, 0),) * (out.ndim - 2),
            "lhs_dilation": (1,) * (out.ndim - 2),
            "window_reversal": (False,) * (out.ndim - 2),
            "feature_group_count": groups,
            "batch_group_count": 1,
        },
    )
    return _moved(b, b.emit("optimization_barrier", found)[0], wanted.out_spec, numbers.out_spec) if moved else found


def _groups_as_products(b: Any, lhs: Any, rhs: Any, groups: int, out: Aval, params: Mapping[str, Any]) -> Any:
    """An unpadded convolution of groups, features last, as a stack of products.

    Each window's elements are laid out along a dimension of their own, which is summed over with the channels.
    """
    (batch, *_, features), (*window, channels, outputs) = b.aval(lhs).shape, b.aval(rhs).shape
    spatial = out.shape[1:-1]
    elements = []
    for place in np.ndindex(*window):
        start = [k * d for k, d in zip(place, params["rhs_dilation"])]
        stop = [s + (n - 1) * stride + 1 for s, n, stride in zip(start, spatial, params["window_strides"])]
        element = b.slice(
            lhs,
            start_indices=(0, *start, 0),
            limit_indices=(batch, *stop, features),
            strides=(1, *params["window_strides"], 1),
        )
        elements.append(b.reshape(element, shape=(1, batch * math.prod(spatial), groups, channels)))
    taken = elements[0] if len(elements) == 1 else b.concatenate(*elements, dimension=0)
    kernel = b.reshape(rhs, shape=(len(elements), channels, groups, outputs // groups))
    found = b.dot_general(
        taken,
        kernel,
        dot_dimension_numbers=DotDimensions((2,), (2,), (0, 3), (0, 1)),
        precision_config=params["precision_config"],
        preferred_element_type=out.dtype,
    )
    return b.reshape(b.transpose(found, permutation=(1, 0, 2)), shape=out.shape)


def _by_parts(b: Any, lhs: Any, rhs: Any, out: Aval, params: dict[str, Any]) -> Any:
    """A complex convolution as four real ones: IREE's buffers go wrong when a complex array is padded."""
    part = np.dtype(f"f{out.dtype.itemsize // 2}")
    (x, x_), (w, w_) = ([b.real(v), b.imag(v)] for v in (convert(b, lhs, out.dtype), convert(b, rhs, out.dtype)))

    def times(left: Any, right: Any) -> Any:
        return b.bind(OPS["convolution"], left, right, **{**params, "preferred_element_type": part})

    return b.complex(b.subtract(times(x, w), times(x_, w_)), b.add(times(x, w_), times(x_, w)))


def _covered(b: Any, lhs: Any, window: Sequence[int], params: Mapping[str, Any]) -> Any:
    """The input with its padding and holes, cut off behind the last window."""
    a = b.aval(lhs)
    names = ("window_strides", "padding", "lhs_dilation", "rhs_dilation")
    edges = covering(a.shape[1:-1], window[:-2], *(params[p] for p in names))
    zero = b.full(aval((), a.dtype), False if a.dtype.kind == "b" else 0)
    return pad(b, lhs, zero, ((0, 0), *edges, (0, 0)), (1, *params["lhs_dilation"], 1))


def _features_last(rank: int) -> ConvDimensionNumbers:
    """[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]."""
    data = (0, rank - 1, *range(1, rank - 1))
    return ConvDimensionNumbers(data, (rank - 1, rank - 2, *range(rank - 2)), data)


def _moved(b: Any, x: Any, now: tuple[int, ...], wanted: tuple[int, ...]) -> Any:
    """Dimensions whose meanings are at the places `now` put to the places `wanted`."""
    order = tuple(place for _, place in sorted(zip(wanted, now)))
    return x if order == tuple(range(len(order))) else b.transpose(x, permutation=order)
