"""Convolutions: of any layout, strided, dilated, grouped; transposed; and the patches that they see."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.core import dtypes
from sable.core.array import Array, Value
from sable.core.bind import BIND
from sable.core.operands import integers, value_of, values_of
from sable.core.precision import Precision, precision_config
from sable.dialects.ops import convolution as rows
from sable.dialects.ops.windows import Padding, dilated, result_sizes
from sable.ir.aval import aval_of
from sable.ir.codec import ConvDimensionNumbers
from sable.library.declare import library

from .contraction import dot_general
from .windows import entries, padding_pairs, padtype_to_pads

ConvGeneralDilatedDimensionNumbers = None | ConvDimensionNumbers | tuple[str, str, str]

_LETTERS = (("N", "C"), ("O", "I"), ("N", "C"))


def _check_preferred(dtype: np.dtype, preferred: np.dtype) -> None:
    """Results of convolutions hold at least what the operands hold; integers may be floats.

    Raises:
      TypeError: they do not.
    """
    kind, other = dtypes.kind_of(dtype), dtypes.kind_of(preferred)
    if kind in "iu" and other == "f":
        fits = True
    elif kind == "i":
        fits = other == "i"
    else:
        fits = other in {"u": "iu", "f": "f", "c": "c"}.get(kind, "biufc")
    if not fits:
        raise TypeError(
            f"Input type is incompatible with `preferred_element_type`: a convolution of {dtype.name} has no result of "
            f"{preferred.name}. Integers go with integers (of either sign: only unsigned ones) and floats, floats with "
            "floats, complex numbers with complex numbers."
        )
    if preferred.itemsize < dtype.itemsize:
        raise TypeError(
            f"`preferred_element_type` must not be narrower than the original type, got {preferred.name} for {dtype.name}."
        )


def conv_dimension_numbers(
    lhs_shape: Sequence[int], rhs_shape: Sequence[int], dimension_numbers: Any
) -> ConvDimensionNumbers:
    """Which dimensions of a convolution are what, as numbers.

    Args:
      lhs_shape, rhs_shape: of the operands.
      dimension_numbers: such numbers already; or three strings for input, kernel and result, with the letters N (batch),
        C (feature), O and I (output and input feature of the kernel), and any others for the spatial dimensions, which
        strides and padding name in the kernel's order; None for ("NCHW...", "OIHW...", "NCHW...").

    Raises:
      TypeError: ranks that differ, or letters that make no sense.

    Example:
      >>> conv_dimension_numbers((1, 8, 8, 3), (3, 3, 3, 4), ("NHWC", "HWIO", "NHWC"))
      ConvDimensionNumbers(lhs_spec=(0, 3, 1, 2), rhs_spec=(3, 2, 0, 1), out_spec=(0, 3, 1, 2))
    """
    if isinstance(dimension_numbers, ConvDimensionNumbers):
        return dimension_numbers
    if len(lhs_shape) != len(rhs_shape):
        raise TypeError(
            f"convolution requires lhs and rhs ndim to be equal, got {len(lhs_shape)} and {len(rhs_shape)}."
        )
    if dimension_numbers is None:
        return ConvDimensionNumbers(*[tuple(range(len(lhs_shape)))] * 3)
    if not isinstance(dimension_numbers, (list, tuple)):
        raise TypeError(f"convolution dimension_numbers must be tuple/list or None, got {type(dimension_numbers)}.")
    _check_letters(len(lhs_shape), dimension_numbers)
    return rows.dimension_numbers(*dimension_numbers)


def _check_letters(rank: int, specs: Sequence[Any]) -> None:
    name = "convolution dimension_numbers"
    if len(specs) != 3 or not all(isinstance(s, str) for s in specs):
        raise TypeError(f"{name} must be three strings, got {tuple(specs)}.")
    for i, (spec, letters) in enumerate(zip(specs, _LETTERS)):
        if len(spec) != rank:
            raise TypeError(f"{name}[{i}] must have a letter for each of the {rank} dimensions, got {spec}.")
        if any(spec.count(c) != 1 for c in letters):
            raise TypeError(f"{name}[{i}] must contain the characters {letters} exactly once, got {spec}.")
        if len(set(spec)) != len(spec):
            raise TypeError(f"{name}[{i}] cannot have duplicate characters, got {spec}.")
    if len({frozenset(s) - frozenset(letters) for s, letters in zip(specs, _LETTERS)}) > 1:
        raise TypeError(f"{name} must each have the same set of spatial characters, got {tuple(specs)}.")


def conv_general_permutations(dimension_numbers: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    """Where the dimensions of input, kernel and result are: batch (output feature), feature, then the spatial ones.

    Args:
      dimension_numbers: three strings, see `conv_dimension_numbers`.

    Raises:
      TypeError: letters that make no sense.

    Example:
      >>> lax.conv_general_permutations(("NHWC", "HWIO", "NHWC"))
      ((0, 3, 1, 2), (3, 2, 0, 1), (0, 3, 1, 2))
    """
    _check_letters(len(dimension_numbers[0]), dimension_numbers)
    return tuple(rows.dimension_numbers(*dimension_numbers))


def conv_shape_tuple(
    lhs_shape: Sequence[int],
    rhs_shape: Sequence[int],
    strides: Sequence[int],
    pads: str | Sequence[tuple[int, int]],
    batch_group_count: int = 1,
) -> tuple[int, ...]:
    """The shape of a convolution with layouts NCHW... and OIHW....

    Args:
      lhs_shape, rhs_shape: of the operands, with n spatial dimensions.
      strides, pads, batch_group_count: as for `conv_general_dilated`.

    Raises:
      TypeError: not n pairs of edges.
      ValueError: more is cut off than there is; the batch is no multiple of its groups.

    Example:
      >>> lax.conv_shape_tuple((1, 3, 8, 8), (4, 3, 3, 3), (2, 2), "SAME")
      (1, 4, 4, 4)
    """
    (batch, _, *space), (features, _, *window) = integers(lhs_shape), integers(rhs_shape)
    edges = padtype_to_pads(space, window, strides, pads) if isinstance(pads, str) else pads
    if len(edges) != len(space):
        raise TypeError(f"Wrong number of explicit pads for convolution: expected {len(space)}, got {len(edges)}.")
    if any(n + low + high < 0 for n, (low, high) in zip(space, edges)):
        raise ValueError(
            "Negative padding is larger than the size of the corresponding dimension: "
            f"got padding={edges} for lhs_shape[2:]={tuple(space)}"
        )
    if batch % batch_group_count:
        raise ValueError(f"conv_shape_tuple: {batch} examples are no multiple of batch_group_count={batch_group_count}")
    ones = (1,) * len(space)
    return batch // batch_group_count, features, *result_sizes(space, window, strides, tuple(edges), ones, ones)


def conv_general_shape_tuple(
    lhs_shape: Sequence[int],
    rhs_shape: Sequence[int],
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    dimension_numbers: Sequence[str],
) -> tuple[int, ...]:
    """The shape of a convolution of any layout, without dilation and groups.

    Args:
      lhs_shape, rhs_shape: of the operands.
      window_strides, padding: as for `conv_general_dilated`.
      dimension_numbers: three strings.

    Raises:
      TypeError: letters that make no sense; the wrong number of edges.
      ValueError: more is cut off than there is.

    Example:
      >>> lax.conv_general_shape_tuple((1, 8, 8, 3), (3, 3, 3, 4), (2, 2), "VALID", ("NHWC", "HWIO", "NHWC"))
      (1, 3, 3, 4)
    """
    lhs, rhs, out = conv_general_permutations(dimension_numbers)
    found = conv_shape_tuple([lhs_shape[i] for i in lhs], [rhs_shape[i] for i in rhs], window_strides, padding)
    return _put(found, out)


def _put(sizes: Sequence[int], places: Sequence[int]) -> tuple[int, ...]:
    return tuple(n for _, n in sorted(zip(places, sizes)))


def conv_transpose_shape_tuple(
    lhs_shape: Sequence[int],
    rhs_shape: Sequence[int],
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    dimension_numbers: Sequence[str],
) -> tuple[int, ...]:
    """The shape of a transposed convolution of any layout.

    Args:
      lhs_shape, rhs_shape: of the operands.
      window_strides: as `strides` of `conv_transpose`.
      padding: 'SAME', 'VALID', or what is added to the edges of the dilated input.
      dimension_numbers: three strings.

    Raises:
      TypeError: letters that make no sense.

    Example:
      >>> lax.conv_transpose_shape_tuple((1, 8, 8, 3), (3, 3, 3, 4), (2, 2), "SAME", ("NHWC", "HWIO", "NHWC"))
      (1, 16, 16, 4)
    """
    lhs, rhs, out = conv_general_permutations(dimension_numbers)
    batch, _, *space = [lhs_shape[i] for i in lhs]
    features, _, *window = [rhs_shape[i] for i in rhs]
    if isinstance(padding, str):
        padding = [_transposed_padding(k, stride, padding) for k, stride in zip(window, window_strides)]
    found = [
        (n - 1) * stride - k + 2 + low + high
        for n, k, stride, (low, high) in zip(space, window, window_strides, padding)
    ]
    return _put([batch, features, *found], out)


@library
def conv_general_dilated(
    lhs: Any,
    rhs: Any,
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    feature_group_count: int = 1,
    batch_group_count: int = 1,
    precision: Any = None,
    preferred_element_type: Any = None,
    out_sharding: Any = None,
) -> Value:
    """Sums of products of a kernel with every window of an input, in any number of spatial dimensions.

    Args:
      lhs: the input, with batch, feature and n spatial dimensions.
      rhs: the kernel, with output feature, input feature and n spatial dimensions.
      window_strides: n steps between windows.
      padding: 'SAME', 'SAME_LOWER', 'VALID', or n pairs (low, high) of zeros at the edges; negative ones cut off.
      lhs_dilation: n distances at which the input's elements lie, zeros between them.
      rhs_dilation: n distances at which the kernel's elements lie.
      dimension_numbers: see `conv_dimension_numbers`.
      feature_group_count: into how many groups input and output features are cut, which are convolved one by one.
      batch_group_count: likewise for batch and output features.
      precision: a Precision, its name, or one for each operand.
      preferred_element_type: dtype to accumulate in and to return; by default the operands' one.
      out_sharding: without effect.

    Raises:
      TypeError: dtypes that differ, or dimension numbers that make no sense.
      ValueError: sizes, groups, strides, padding or dilations that do not fit.

    Example:
      >>> lax.conv_general_dilated(jnp.arange(5.).reshape(1, 1, 5), jnp.ones((1, 1, 3)), (1,), "SAME")
      Array([[[1., 3., 6., 9., 7.]]], dtype=float32)
    """
    x, w = values_of("conv_general_dilated", lhs, rhs)
    numbers = conv_dimension_numbers(x.aval.shape, w.aval.shape, dimension_numbers)
    rank = len(numbers.rhs_spec) - 2
    holes = entries("conv_general_dilated", "lhs_dilation", lhs_dilation, rank)
    window_holes = entries("conv_general_dilated", "rhs_dilation", rhs_dilation, rank)
    strides = entries("conv_general_dilated", "window_strides", window_strides, rank)
    if isinstance(padding, str):
        if any(d != 1 for d in holes):
            raise ValueError(
                "String padding is not implemented for transposed convolution using this op. Please either exactly "
                "specify the required padding or use conv_transpose."
            )
        window = [dilated(w.aval.shape[i], d) for i, d in zip(numbers.rhs_spec[2:], window_holes)]
        pads: Padding = padtype_to_pads([x.aval.shape[i] for i in numbers.lhs_spec[2:]], window, strides, padding)
    else:
        pads = padding_pairs("conv_general_dilated", padding)
    wanted = None
    if preferred_element_type is not None:
        wanted = dtypes.user_dtype(preferred_element_type, "conv_general_dilated")
        _check_preferred(x.aval.dtype, wanted)
    return BIND.convolution(
        x,
        w,
        dimension_numbers=numbers,
        window_strides=strides,
        padding=tuple(pads),
        lhs_dilation=holes,
        rhs_dilation=window_holes,
        window_reversal=(False,) * rank,
        feature_group_count=int(feature_group_count),
        batch_group_count=int(batch_group_count),
        precision_config=precision_config(precision),
        preferred_element_type=wanted,
    )


@library
def conv(
    lhs: Any,
    rhs: Any,
    window_strides: Sequence[int],
    padding: str,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Value:
    """`conv_general_dilated` with layouts NCHW... and OIHW..., without dilation and groups.

    Args:
      lhs: the input, (batch, features, n spatial dimensions).
      rhs: the kernel, (output features, features, n spatial dimensions).
      window_strides, padding, precision, preferred_element_type: as for `conv_general_dilated`.

    Raises:
      TypeError, ValueError: as for `conv_general_dilated`.

    Example:
      >>> lax.conv(jnp.arange(5.).reshape(1, 1, 5), jnp.array([[[-1., 0., 1.]]]), (1,), "VALID")
      Array([[[2., 2., 2.]]], dtype=float32)
    """
    return conv_general_dilated(
        lhs, rhs, window_strides, padding, precision=precision, preferred_element_type=preferred_element_type
    )


@library
def conv_with_general_padding(
    lhs: Any,
    rhs: Any,
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    lhs_dilation: Sequence[int] | None,
    rhs_dilation: Sequence[int] | None,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Value:
    """`conv_general_dilated` with layouts NCHW... and OIHW..., without groups.

    Args:
      lhs: the input, (batch, features, n spatial dimensions).
      rhs: the kernel, (output features, features, n spatial dimensions).
      window_strides, padding, lhs_dilation, rhs_dilation, precision, preferred_element_type: as for `conv_general_dilated`.

    Raises:
      TypeError, ValueError: as for `conv_general_dilated`.

    Example:
      >>> x, kernel = jnp.arange(3.).reshape(1, 1, 3), jnp.ones((1, 1, 2))
      >>> lax.conv_with_general_padding(x, kernel, (1,), [(1, 0)], lhs_dilation=(2,), rhs_dilation=None)
      Array([[[0., 0., 1., 1., 2.]]], dtype=float32)
    """
    return conv_general_dilated(
        lhs,
        rhs,
        window_strides,
        padding,
        lhs_dilation,
        rhs_dilation,
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


def _transposed_padding(window: int, stride: int, padding: Any) -> tuple[int, int]:
    """The input's edges for which the result has the size of the input of a convolution padded like this."""
    if padding == "SAME":
        total = window + stride - 2
        low = window - 1 if stride > window - 1 else -(-total // 2)
        return low, total - low
    if padding == "VALID":
        return window - 1, stride - 1 + max(window - stride, 0)
    low, high = padding
    return window - 1 - low, window - 1 - high


#: Layouts of `conv_transpose` by the number of spatial dimensions.
_TRANSPOSED_LAYOUTS = (
    ("NC", "IO", "NC"),
    ("NHC", "HIO", "NHC"),
    ("NHWC", "HWIO", "NHWC"),
    ("NHWDC", "HWDIO", "NHWDC"),
)


@library
def conv_transpose(
    lhs: Any,
    rhs: Any,
    strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    transpose_kernel: bool = False,
    precision: Any = None,
    preferred_element_type: Any = None,
    use_consistent_padding: bool = False,
) -> Value:
    """A convolution with fractional strides: each step of the input is `strides` steps of the result.

    Args:
      lhs: the input.
      rhs: the kernel.
      strides: n factors.
      padding: 'SAME' and 'VALID' as of the convolution whose transpose this is; pairs as of this one, or, with
        `use_consistent_padding`, of that one too.
      rhs_dilation: n distances at which the kernel's elements lie.
      dimension_numbers: see `conv_dimension_numbers`; by default features are last ("NHWC", "HWIO", "NHWC").
      transpose_kernel: turn the kernel around and swap its features: then the result is a convolution's gradient.
      precision, preferred_element_type: as for `conv_general_dilated`.
      use_consistent_padding: see `padding`.

    Raises:
      TypeError, ValueError: as for `conv_general_dilated`; more than three spatial dimensions without numbers.

    Example:
      >>> lax.conv_transpose(jnp.array([[[1.], [2.]]]), jnp.array([[[1.]], [[10.]]]), (2,), "SAME")
      Array([[[10.],
              [ 1.],
              [20.],
              [ 2.]]], dtype=float32)
    """
    x, w = values_of("conv_transpose", lhs, rhs)
    rank = x.aval.ndim - 2
    if dimension_numbers is None:
        if rank >= len(_TRANSPOSED_LAYOUTS):
            raise ValueError("No 4+ dimensional dimension_number defaults.")
        dimension_numbers = _TRANSPOSED_LAYOUTS[rank]
    numbers = conv_dimension_numbers(x.aval.shape, w.aval.shape, dimension_numbers)
    steps = entries("conv_transpose", "strides", strides, rank)
    holes = entries("conv_transpose", "rhs_dilation", rhs_dilation, rank)
    if use_consistent_padding or (isinstance(padding, str) and padding in ("SAME", "VALID")):
        window = [dilated(w.aval.shape[i], d) for i, d in zip(numbers.rhs_spec[2:], holes)]
        kinds = [padding] * rank if isinstance(padding, str) else padding_pairs("conv_transpose", padding)
        padding = [_transposed_padding(k, s, p) for k, s, p in zip(window, steps, kinds)]
    if transpose_kernel:
        out, inner, *spatial = numbers.rhs_spec
        w = BIND.reverse(w, dimensions=tuple(spatial)) if spatial else w
        order = list(range(rank + 2))
        order[out], order[inner] = inner, out
        w = BIND.transpose(w, permutation=tuple(order))
    return conv_general_dilated(
        x,
        w,
        (1,) * rank,
        padding,
        steps,
        holes,
        numbers,
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


@library
def conv_general_dilated_patches(
    lhs: Any,
    filter_shape: Sequence[int],
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Value:
    """The windows that a convolution sees, flattened (input feature first, then the window) into the feature dimension.

    Args:
      lhs: the input.
      filter_shape: n sizes of the window.
      window_strides, padding, lhs_dilation, rhs_dilation, dimension_numbers, precision, preferred_element_type: as for
        `conv_general_dilated`.

    Returns:
      An array of the layout of the result, with input features times the window's size as features.

    Raises:
      TypeError, ValueError: as for `conv_general_dilated`.

    Example:
      >>> lax.conv_general_dilated_patches(jnp.arange(4.).reshape(1, 1, 4), (2,), (1,), "VALID")
      Array([[[0., 1., 2.],
              [1., 2., 3.]]], dtype=float32)
    """
    x = value_of(lhs, "conv_general_dilated_patches")
    window = integers(filter_shape)
    numbers = conv_dimension_numbers(x.aval.shape, (1, 1, *window), dimension_numbers)
    channels, size = x.aval.shape[numbers.lhs_spec[1]], math.prod(window)
    # one kernel of a single one for each place in the window, for each input feature
    kernel = np.tile(np.eye(size, dtype=x.aval.dtype), (channels, 1)).reshape(channels * size, 1, *window)
    kernel = np.ascontiguousarray(kernel.transpose(np.argsort(numbers.rhs_spec)))
    return conv_general_dilated(
        x,
        Array(aval_of(kernel), kernel),
        window_strides,
        padding,
        lhs_dilation,
        rhs_dilation,
        numbers,
        feature_group_count=channels,
        precision=None if precision is None else (precision, "default"),
        preferred_element_type=preferred_element_type,
    )


@library
def conv_general_dilated_local(
    lhs: Any,
    rhs: Any,
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    filter_shape: Sequence[int],
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    precision: Any = None,
) -> Value:
    """A convolution whose kernel is another one at every place of the result.

    Args:
      lhs: the input, with batch, feature and n spatial dimensions.
      rhs: the kernels, with output feature, input and n spatial dimensions: the input dimension has a flattened window
        (input feature first) as in `conv_general_dilated_patches`, the spatial ones have the sizes of the result's.
      filter_shape: n sizes of the window.
      window_strides, padding, lhs_dilation, rhs_dilation, dimension_numbers, precision: as for `conv_general_dilated`.

    Raises:
      TypeError, ValueError: as for `conv_general_dilated_patches` and `dot_general`.

    Example:
      >>> kernels = jnp.array([[[1., 10., 100.], [0., 0., 1.]]])
      >>> lax.conv_general_dilated_local(jnp.arange(1., 5.).reshape(1, 1, 4), kernels, (1,), "VALID", (2,))
      Array([[[  1.,  20., 304.]]], dtype=float32)
    """
    x, w = values_of("conv_general_dilated_local", lhs, rhs)
    window, exactness = integers(filter_shape), precision_config(precision)
    numbers = conv_dimension_numbers(x.aval.shape, (1, 1, *window), dimension_numbers)
    patches = conv_general_dilated_patches(
        x,
        window,
        window_strides,
        padding,
        lhs_dilation,
        rhs_dilation,
        numbers,
        None if exactness is None else Precision[exactness[0]],
    )
    batch, feature, *places = numbers.out_spec
    pairs = sorted(zip(places, numbers.rhs_spec[2:]))
    contract = (feature,), (numbers.rhs_spec[1],)
    found = dot_general(patches, w, (contract, ([p for p, _ in pairs], [k for _, k in pairs])), precision)
    made = [*(p for p, _ in pairs), batch, feature]  # where each dimension of what is found belongs
    return BIND.transpose(found, permutation=tuple(made.index(i) for i in range(len(made))))
