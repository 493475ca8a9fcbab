"""sable.lax: shapes, slices, gathers, contractions, reductions, order."""

from __future__ import annotations

import numpy as np

from ..table import Using, add, call
from .operands import BF, BM, I8, IM, M2, SCALAR, SPECIAL, U8, B, C, E, H, I, J, M, P, T, V, W, normal

add("lax.reshape", call(M, (4, 3)), call(T, (6, 4)))
add("lax.broadcast", call(V, (2,)), call(SCALAR, (2, 3)))
add("lax.broadcast_in_dim", call(V, (2, 5), (1,)), call(SCALAR, (2,), ()), call(V, (5, 2), (0,)), call(V, (2, 4), (1,)))
add("lax.broadcast_shapes", call((2, 1), (1, 3)))
add("lax.broadcast_to_rank", call(V, 3))
add("lax.broadcast_like", call(V, V))
add("lax.expand_dims", call(V, (0,)), call(M, (1, 3)))
add("lax.squeeze", call(T[:1], (0,)), call(T, (0,)))
add("lax.collapse", call(T, 0, 2), call(T, 1))
add("lax.concatenate", call([V, W], 0), call([M, M], 1), call([M, V], 0), call([V, I], 0))
add("lax.stack", call([V, W]), call([M, M], 1))
add("lax.unstack", call(M), call(M, 1))
add("lax.split", call(V, (2, 3)), call(M, (1, 3), 1), call(V, (1, 1)))
add("lax.transpose", call(T, (2, 0, 1)), call(T, (0, 1)))
add("lax.rev", call(M, (0,)), call(T, (0, 2)))
add("lax.tile", call(V, (2,)), call(M, (2, 1)))
add(
    "lax.pad",
    call(V, 0.0, ((1, 2, 0),)),
    call(V, 1.0, ((-1, 2, 1),)),
    call(M, 0.0, ((0, 0, 1), (1, -1, 0))),
    call(V, 0, ((1, 1, 0),)),
)
add("lax.iota", call(np.int32, 5), call(np.float32, 3))
add("lax.broadcasted_iota", call(np.int32, (2, 3), 1), call(np.float32, (2, 3), 0))
add("lax.full", call((2, 3), 1.5), call((2,), 1, np.float16))
add("lax.full_like", call(M, 2.0), call(I, 1, np.float32))
add("lax.empty", call((2,), np.float32))
add("lax.slice", call(V, (1,), (4,)), call(M, (0, 1), (3, 4), (2, 1)), call(V, (2,), (9,)))
add("lax.slice_in_dim", call(M, 1, 3), call(M, 0, 4, 2, 1), call(M, None, -1))
add("lax.index_in_dim", call(M, 1), call(M, -1, 1, False))
add("lax.dynamic_slice", call(V, (1,), (2,)), call(M, (1, 2), (2, 2)), call(V, (9,), (2,)), call(M, I[:2], (2, 2)))
add("lax.dynamic_slice_in_dim", call(M, 1, 2), call(V, -2, 2))
add("lax.dynamic_index_in_dim", call(M, 1), call(M, -1, 1, False), call(V, np.int8(3).reshape(())))
add("lax.dynamic_update_slice", call(V, W[:2], (1,)), call(M, M[:2, :2] * 2, (1, 3)), call(V, I[:2], (0,)))
add("lax.dynamic_update_slice_in_dim", call(M, M[:1] * 2, 1, 0), call(V, W[:2], 9, 0))
add("lax.dynamic_update_index_in_dim", call(M, V[:4], 1, 0), call(V, 2.0, 1, 0))
_ROWS = Using(lambda jax: jax.lax.GatherDimensionNumbers((1,), (0,), (0,)))
_AT = np.array([[0], [2], [1]], np.int32)
add(
    "lax.gather",
    call(M, _AT, _ROWS, (1, 4)),
    call(M, _AT + 2, _ROWS, (1, 4), mode="clip"),
    call(M, _AT + 2, _ROWS, (1, 4), mode="fill", fill_value=7.0),
)
_INTO = Using(lambda jax: jax.lax.ScatterDimensionNumbers((1,), (0,), (0,)))
_TIES = {"without": ("grad",), "why": "JAX has no derivative where indices may repeat"}
for _name in ["scatter", "scatter_add", "scatter_mul", "scatter_min", "scatter_max", "scatter_sub"]:
    _left_out = _TIES if _name == "scatter_mul" else {}
    add(
        f"lax.{_name}",
        call(M, _AT, M * 2 + 0.01, _INTO),
        call(M, _AT + 1, M * 2 + 0.01, _INTO, mode="drop"),
        **_left_out,
    )
add("lax.scatter_apply", call(M, _AT, lambda x: x * 3, (3, 4), _INTO))
add("lax.full", call((2,), 2**32 - 1, np.dtype(np.uint32)), call((2,), 2**100, np.dtype(np.float32)))
add(
    "lax.convert_element_type",
    call(2**32, np.int32),
    call(2**100, np.float32),
    call(2**31, np.uint32),
    call(-1, np.uint8),
)
add("lax.dot", call(V, I), call(BF, H), call(I8, U8), call(C, V), without=("vmap",), why="two dtypes")
add("lax.dot", call(M, M2), call(V, W), call(M, V[:4]), call(M, M), call(I, J))
add(
    "lax.dot_general",
    call(T, T, (((2,), (2,)), ((0,), (0,)))),
    call(M, M2, (((1,), (0,)), ((), ()))),
    call(H, H, (((0,), (0,)), ((), ()))),
    call(M, M2, (((1,), (0,)), ((), ())), preferred_element_type=np.float32),
    call(M, M, (((1,), (0,)), ((), ()))),
)
add("lax.batch_matmul", call(T, np.swapaxes(T, 1, 2)))
for _name in ["reduce_sum", "reduce_max", "reduce_min", "reduce_prod"]:
    add(f"lax.{_name}", call(M, (0,)), call(T, (0, 2)), call(IM, (1,)), call(H, (0,)), call(E, (1,)))
for _name in ["reduce_and", "reduce_or", "reduce_xor"]:
    add(f"lax.{_name}", call(BM, (0,)), call(IM, (1,)))
add(
    "lax.reduce",
    call(M, 0.0, Using(lambda jax: jax.lax.add), (0,)),
    call(M, 1.0, Using(lambda jax: jax.lax.mul), (1,)),
    call(M, -np.inf, Using(lambda jax: jax.lax.max), (0, 1)),
    call(BM, False, Using(lambda jax: jax.lax.bitwise_or), (0,)),
)
add("lax.argmax", call(M, 0, np.int32), call(SPECIAL, 0, np.int32), call(IM, 1, np.int32))
add("lax.argmin", call(M, 1, np.int32), call(B, 0, np.int32))
for _name in ["cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp"]:
    add(f"lax.{_name}", call(V), call(M, 1), call(M, axis=0, reverse=True), call(P), rtol=1e-4)
for _name in ["cumsum", "cummax"]:
    add(f"lax.{_name}", call(I), call(IM, 1))
add("lax.sort", call(V), call(M, 0), call(SPECIAL), call((IM[0], V[:4]), num_keys=1), call(C, 0))
add("lax.sort_key_val", call(V, I), call(J, V))
add("lax.top_k", call(V, 2), call(M, 3), call(IM, 2), call(V, 9))
for _name in ["approx_max_k", "approx_min_k"]:
    add(
        f"lax.{_name}",
        call(V, 2),
        call(M, 2, 0),
        call(H, 3),
        call(V, 2, aggregate_to_topk=False),
        call(I, 2),
        call(V, 0),
        call(V, 9),
        call(SCALAR, 1),
        call(V, 1, 4),
    )
add(
    "lax.index_take",
    call(M, [np.array([1, -1, 7, 0], np.int32)], (0,)),
    call(T, [np.array([1, -1], np.int32), np.array([2, 9], np.int32)], (0, 2)),
)
add("lax.stage", call(V), call(1.5), call("x"))
add("lax.dce_sink", call(V), call([V, I]))

# ---- ragged products
_SIZES = np.array([1, 3], np.int32)


def _ragged(*numbers):
    return Using(lambda jax: jax.lax.RaggedDotDimensionNumbers(*numbers))


_WITHIN, _BATCHES = ((((2,), (1,)), ((0,), (0,)))), np.array([[1, 2], [0, 3]], np.int32)
add(
    "lax.ragged_dot",
    call(normal(5, 3), normal(2, 3, 4), _SIZES),
    call(normal(4, 3), normal(2, 3, 4).astype(np.float16), _SIZES, preferred_element_type=np.float32),
    call(normal(4, 3), normal(3, 3, 4), _SIZES),
    call(normal(4, 3), normal(2, 3, 4), V[:2]),
)
add(
    "lax.ragged_dot_general",
    call(T, normal(2, 2, 4, 5), _BATCHES, _ragged(_WITHIN, [1], [1])),  # rows of groups, for each of a batch
    call(T, normal(2, 4, 5), _SIZES, _ragged(_WITHIN, [0], [1])),
    call(T, normal(2, 4, 5), _SIZES, _ragged(_WITHIN, [0, 1], [])),
    call(T, normal(2, 4, 5), _SIZES, _ragged(_WITHIN, [3], [])),
)
add(
    "lax.ragged_dot_general",
    call(T, normal(2, 4, 5), _SIZES, _ragged(_WITHIN, [2], [])),  # sums of groups
    call(T, normal(2, 4, 5), _SIZES, _ragged(_WITHIN, [0], [])),
    without=("grad", "vmap"),
    why="JAX has no derivatives of these, and no batches of the first",
)

# ---- convolution
_IMAGE, _KERNEL = normal(2, 3, 6, 5), normal(4, 3, 3, 2)
add("lax.conv", call(_IMAGE, _KERNEL, (1, 1), "SAME"), call(_IMAGE, _KERNEL, (2, 1), "VALID"), rtol=1e-4, atol=1e-4)
add(
    "lax.conv_with_general_padding",
    call(_IMAGE, _KERNEL, (1, 2), ((1, 0), (2, 1)), (2, 1), (1, 2)),
    rtol=1e-4,
    atol=1e-4,
)
add(
    "lax.conv_general_dilated",
    call(_IMAGE, _KERNEL, (1, 1), "SAME_LOWER"),
    call(
        np.moveaxis(_IMAGE, 1, -1),
        np.moveaxis(_KERNEL, (0, 1), (-1, -2)),
        (1, 1),
        "SAME",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    ),
    call(_IMAGE, _KERNEL[:3, :1], (1, 1), "VALID", feature_group_count=3),
    call(_IMAGE, _KERNEL[:, :2], (1, 1), "VALID"),
    rtol=1e-4,
    atol=1e-4,
)
add(
    "lax.conv_transpose",
    call(np.moveaxis(_IMAGE, 1, -1), np.moveaxis(_KERNEL, (0, 1), (-1, -2)), (2, 1), "SAME"),
    rtol=1e-4,
    atol=1e-4,
)
add("lax.conv_general_dilated_patches", call(_IMAGE, (2, 2), (1, 1), "VALID"))
_LOCAL = np.linspace(-1, 1, 2 * 12 * 5 * 4, dtype=np.float32).reshape(2, 12, 5, 4)
add(
    "lax.conv_general_dilated_local",
    call(_IMAGE, _LOCAL, (1, 1), "VALID", (2, 2)),
    call(
        np.moveaxis(_IMAGE, 1, -1),
        _LOCAL.transpose(3, 2, 1, 0),
        (1, 1),
        "VALID",
        (2, 2),
        dimension_numbers=("NHWC", "WHIO", "CWNH"),
        precision=("highest", "default"),
    ),
    call(_IMAGE, _LOCAL, (1, 1), "VALID", (2, 3)),
    rtol=1e-4,
    atol=1e-4,
)
add("lax.conv_dimension_numbers", call((2, 3, 6, 5), (4, 3, 3, 2), ("NCHW", "OIHW", "NCHW")))
add("lax.padtype_to_pads", call((6, 5), (3, 2), (1, 2), "SAME"), call((6,), (3,), (1,), "VALID"))

# ---- windows
_SUM, _MAX = Using(lambda jax: jax.lax.add), Using(lambda jax: jax.lax.max)
add(
    "lax.reduce_window",
    call(_IMAGE, 0.0, _SUM, (1, 1, 2, 2), (1, 1, 2, 1), "VALID"),
    call(_IMAGE, -np.inf, _MAX, (1, 1, 3, 2), (1, 1, 1, 2), "SAME"),
    call(IM, 0, _SUM, (2, 1), None, "VALID", (2, 1), (1, 1)),
    rtol=1e-4,
    atol=1e-4,
)
add(
    "lax.reduce_window",
    call(M, 1.0, lambda x, y: x * y, (2, 2), (1, 1), ((1, 0), (0, 1))),
    without=("grad",),
    why="JAX has no reverse mode of any but sums and extremes",
)
add("lax.conv_general_permutations", call(("NHWC", "HWIO", "NCHW")), call(("NHWC", "HWIO", "NHHC")))
add(
    "lax.reduce_window_shape_tuple",
    call((5, 6), (2, 2), (1, 2), ((0, 0), (1, 1))),
    call((5, 6), (2, 2), (1, 2), ((0, 0), (1, 1)), (2, 1), (1, 3)),
)

add(
    "lax.scaled_dot",
    call(M, M2),
    call(T, np.swapaxes(T, 1, 2), preferred_element_type=np.float32),
    without=("grad",),
    why="JAX has none",
)
add(
    "lax.scaled_dot",
    call(V[:4], V[:4]),
    call(M, M2, lhs_scale=M[:, :3]),
    call(M, M2, lhs_scale=M),
    without=("grad", "vmap"),
    why="errors",
)
add(
    "lax.scaled_dot",
    call(M, M2, lhs_scale=M[:, :2], rhs_scale=M2[::2].copy(), dimension_numbers=(((1,), (0,)), ((), ()))),
    call(T, T, rhs_scale=T[..., ::2].copy(), dimension_numbers=(((2,), (2,)), ((0,), (0,)))),
    without=("grad",),
    why="JAX has none",
    rtol=1e-2,
)
