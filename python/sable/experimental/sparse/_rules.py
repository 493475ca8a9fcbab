"""Rules of operations on values of which some are sparse: for `sparsify`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import sable.numpy as jnp
from sable import lax
from sable.core.array import Value
from sable.core.bind import BIND, bind
from sable.core.primitives import primitive_of
from sable.ir.function import Node

from ._bcoo import BCOO, bcoo_sum_duplicates, bcoo_update_layout, with_data
from ._joins import bcoo_concatenate, bcoo_conv_general_dilated, bcoo_gather, bcoo_reduce_sum
from ._products import bcoo_dot_general, bcoo_multiply_sparse, times
from ._shapes import (
    bcoo_broadcast_in_dim,
    bcoo_dynamic_slice,
    bcoo_reshape,
    bcoo_rev,
    bcoo_slice,
    bcoo_squeeze,
    bcoo_transpose,
)

#: The name by which `todense` is known among the operations of a function.
TODENSE = "sparse.todense"


class Sparse(NamedTuple):
    """A sparse value.

    Attributes:
      pattern: the same object for values that share their indices.
      by_rows: whether users see a BCSR array; if it is one of theirs, its columns and rows' ends.
    """

    mat: BCOO
    pattern: object
    by_rows: Any = False

    @property
    def shape(self) -> tuple[int, ...]:
        return self.mat.shape

    def with_data(self, data: Value) -> Sparse:
        return Sparse(with_data(self.mat, data), self.pattern, self.by_rows)


class Repeated(NamedTuple):
    """A value of `broadcast_in_dim` that nobody has asked for as a whole."""

    base: Any
    dimensions: tuple[int, ...]
    shape: tuple[int, ...]

    def ranked(self) -> Any:
        """The base with axes of length 1 in the place of new ones."""
        base = self.base.mat if isinstance(self.base, Sparse) else self.base
        sizes = [1] * len(self.shape)
        for n, d in zip(base.shape, self.dimensions):
            sizes[d] = n
        if isinstance(base, BCOO):
            return bcoo_broadcast_in_dim(base, shape=sizes, broadcast_dimensions=self.dimensions)
        return base.reshape(tuple(sizes))

    @property
    def is_sparse(self) -> bool:
        return isinstance(self.base, Sparse)

    def whole(self) -> Any:
        params = {"shape": self.shape, "broadcast_dimensions": self.dimensions}
        if isinstance(self.base, Sparse):
            made = bcoo_broadcast_in_dim(self.base.mat, **params)
            return new_sparse(made, self.base.by_rows)
        return BIND.broadcast_in_dim(self.base, **params)


def new_sparse(mat: BCOO, by_rows: Any = False) -> Sparse:
    return Sparse(mat, object(), bool(by_rows) and mat.n_sparse == 2)


def is_sparse(x: Any) -> bool:
    return isinstance(x, Sparse) or (isinstance(x, Repeated) and x.is_sparse)


def whole(x: Any) -> Any:
    return x.whole() if isinstance(x, Repeated) else x


#: Operations that are not zero where their operands are.
_DENSE = frozenset(
    ("acos", "acosh", "bessel_i0e", "compare", "cosine", "cosh", "digamma", "erfc", "exponential", "exponential2")
    + ("is_finite", "lgamma", "log", "logistic", "not", "rsqrt")
)


def refusal(node: Node) -> str:
    name = primitive_of(node.op, node.params).name
    if node.op.name not in _DENSE:
        return f"sparse rule for {name} is not implemented."
    return (
        f"sparse rule for {name} is not implemented because it would result in dense output. Arguments that are meant to be dense "
        "are made so by sparse.todense()."
    )


# ---- operations --------------------------------------------------------------------------------


def broadcast(node: Node, x: Any) -> Any:
    shape, to = tuple(node.results[0].aval.shape), tuple(node.params["broadcast_dimensions"])
    if isinstance(x, Repeated):
        return Repeated(x.base, tuple(to[d] for d in x.dimensions), shape)
    return Repeated(x, to, shape)


def _result(node: Node) -> Any:
    return node.results[0].aval


def _linear(node: Node, x: Any) -> Any:
    x = whole(x)
    return x.with_data(bind(node.op, x.mat.data, **_params(node, x.mat.data.shape)))


def _params(node: Node, shape: tuple[int, ...]) -> dict[str, Any]:
    return {**node.params, "shape": shape} if "shape" in node.params else node.params


def _unique(x: Sparse) -> Sparse:
    """The same value with each index once: what functions that are not linear need."""
    return x if x.mat.unique_indices else new_sparse(bcoo_sum_duplicates(x.mat, nse=x.mat.nse), x.by_rows)


def _odd(node: Node, x: Any) -> Any:
    return _linear(node, _unique(whole(x)))


def _convert(node: Node, x: Any) -> Any:
    x = whole(x)
    keeps = np.can_cast(x.mat.dtype, _result(node).dtype, "safe")
    return _linear(node, x if keeps else _unique(x))


def _integer_pow(node: Node, x: Any) -> Any:
    if node.params["y"] <= 0:
        raise NotImplementedError("sparse rule for integer_pow with non-positive exponent")
    return _odd(node, x)


def _name(node: Node, x: Any) -> Any:
    x = whole(x)
    return x.mat.todense() if node.params["name"] == TODENSE else _linear(node, x)


def _shared(x: Any, y: Any) -> bool:
    return isinstance(x, Sparse) and isinstance(y, Sparse) and x.pattern is y.pattern


def _add(node: Node, x: Any, y: Any) -> Any:
    subtract = node.op.name == "subtract"
    if _shared(x, y):
        return x.with_data(bind(node.op, x.mat.data, y.mat.data, **node.params))
    if is_sparse(x) and is_sparse(y):
        left, right = whole(x).mat, whole(y).mat
        return new_sparse(_joined(left, with_data(right, -right.data) if subtract else right))
    if subtract:
        raise NotImplementedError("Subtraction between sparse and dense array.")
    sparse, dense = (x, y) if is_sparse(x) else (y, x)
    if isinstance(dense, Repeated) and dense.ranked().shape != dense.shape:
        raise NotImplementedError(
            "Addition between a sparse array X and a dense array Y is not implemented when the output shape is larger than "
            "Y.shape: the result would be dense. sparse.todense(X) says that it is meant to be."
        )
    return whole(dense) + whole(sparse).mat.todense()


def _joined(x: BCOO, y: BCOO) -> BCOO:
    """The sum of two sparse arrays: the entries of both."""
    n_batch, n_dense = min(x.n_batch, y.n_batch), min(x.n_dense, y.n_dense)
    x, y = (bcoo_update_layout(m, n_batch=n_batch, n_dense=n_dense) for m in (x, y))
    parts = []
    for a, b in ((x.data, y.data), (x.indices, y.indices)):
        batch = np.broadcast_shapes(a.shape[:n_batch], b.shape[:n_batch])
        parts.append(jnp.concatenate([jnp.broadcast_to(m, (*batch, *m.shape[n_batch:])) for m in (a, b)], axis=n_batch))
    return BCOO((parts[0], parts[1]), shape=x.shape)


def _multiply(node: Node, x: Any, y: Any) -> Any:
    if _shared(x, y):
        if x.mat.unique_indices:
            return x.with_data(x.mat.data * y.mat.data)
        if x.mat.data is y.mat.data:
            x = _unique(x)
            return x.with_data(x.mat.data * x.mat.data)
    if is_sparse(x) and is_sparse(y):
        left, right = (v.ranked() if isinstance(v, Repeated) else v.mat for v in (x, y))
        if left.n_dense != right.n_dense:
            n_dense = min(left.n_dense, right.n_dense)
            if not any(isinstance(v, Repeated) for v in (x, y)):
                n_dense = -1
            if n_dense >= 0:
                left, right = (bcoo_update_layout(m, n_dense=n_dense) for m in (left, right))
        return new_sparse(bcoo_multiply_sparse(left, right))
    sparse, dense = (x, y) if is_sparse(x) else (y, x)
    return _scaled(sparse, dense, False)


def _scaled(sparse: Any, dense: Any, divide: bool) -> Any:
    if isinstance(sparse, Repeated) and not (isinstance(dense, Repeated) and not dense.dimensions):
        small, v = sparse.ranked(), dense.ranked() if isinstance(dense, Repeated) else dense
        if np.broadcast_shapes(small.shape, v.shape) == small.shape:
            return Repeated(new_sparse(times(small, v, divide)), tuple(range(small.ndim)), sparse.shape)
        raise NotImplementedError(
            "multiplication between sparse and dense is only implemented for cases where the output shape matches the sparse "
            f"matrix shape. Got shape={small.shape}, v.shape={v.shape}"
        )
    x = whole(sparse)
    v = dense
    if isinstance(dense, Repeated):
        v = dense.ranked() if dense.dimensions else dense.base
    data = times(x.mat, v, divide).data
    return x.with_data(data)


def _divide(node: Node, x: Any, y: Any) -> Any:
    if is_sparse(y):
        raise NotImplementedError(
            "Division by a sparse array is not implemented because it would result in dense output. An array that is meant to be "
            "dense is made so by sparse.todense()."
        )
    return _scaled(x, y, True)


def _complex(node: Node, x: Any, y: Any) -> Any:
    if not _shared(x, y):
        raise NotImplementedError(refusal(node))
    return x.with_data(bind(node.op, x.mat.data, y.mat.data, **node.params))


def _dot_general(node: Node, x: Any, y: Any) -> Any:
    d = node.params["dot_dimension_numbers"]
    dims = (
        (d.lhs_contracting_dimensions, d.rhs_contracting_dimensions),
        (d.lhs_batching_dimensions, d.rhs_batching_dimensions),
    )
    left, right = (v.mat if isinstance(v, Sparse) else v for v in (whole(x), whole(y)))
    found = bcoo_dot_general(left, right, dimension_numbers=dims, preferred_element_type=_result(node).dtype)
    return new_sparse(found) if isinstance(found, BCOO) else found


def _reduce_sum(node: Node, x: Any) -> Any:
    mat = bcoo_reduce_sum(whole(x).mat, axes=node.params["dimensions"])
    return mat.todense() if not mat.shape else new_sparse(mat)


def _transpose(node: Node, x: Any) -> Any:
    return new_sparse(bcoo_transpose(whole(x).mat, permutation=node.params["permutation"]))


def _reshape(node: Node, x: Any) -> Any:
    """Axes of length 1 go and come by `squeeze` and `broadcast_in_dim`, as in the functions that make such operations."""
    x = whole(x)
    mat, sizes = x.mat, tuple(_result(node).shape)
    if [n for n in mat.shape if n != 1] != [n for n in sizes if n != 1]:
        return new_sparse(bcoo_reshape(mat, new_sizes=sizes))
    ones = [d for d, n in enumerate(mat.shape) if n == 1]
    gone = ones if len(sizes) != mat.ndim or sizes != mat.shape else []
    if gone:
        mat = bcoo_squeeze(mat, dimensions=gone)
    to = [d for d, n in enumerate(sizes) if n != 1] if gone or not ones else list(range(len(sizes)))
    if len(to) < len(sizes):
        mat = bcoo_broadcast_in_dim(mat, shape=sizes, broadcast_dimensions=to)
    return new_sparse(mat, x.by_rows)


def _slice(node: Node, x: Any) -> Any:
    return new_sparse(bcoo_slice(whole(x).mat, **node.params))


def _dynamic_slice(node: Node, x: Any, *start: Any) -> Any:
    if any(is_sparse(s) for s in start):
        raise NotImplementedError("dynamic_slice at positions that are sparse")
    return new_sparse(bcoo_dynamic_slice(whole(x).mat, [whole(s) for s in start], node.params["slice_sizes"]))


def _reverse(node: Node, x: Any) -> Any:
    return new_sparse(bcoo_rev(whole(x).mat, node.params["dimensions"]))


def _concatenate(node: Node, *xs: Any) -> Any:
    if not all(is_sparse(x) for x in xs):
        raise NotImplementedError("sparse rule for concatenate of sparse and dense arrays is not implemented.")
    found = [whole(x) for x in xs]
    rows = all(x.by_rows for x in found)
    return new_sparse(bcoo_concatenate([x.mat for x in found], dimension=node.params["dimension"]), rows)


def _gather(node: Node, x: Any, at: Any) -> Any:
    if is_sparse(at):
        raise NotImplementedError("gather at positions that are sparse")
    d = node.params["dimension_numbers"]
    numbers = lax.GatherDimensionNumbers(
        d.offset_dims,
        d.collapsed_slice_dims,
        d.start_index_map,
        d.operand_batching_dims,
        d.start_indices_batching_dims,
    )
    at = jnp.moveaxis(whole(at), d.index_vector_dim, -1) if d.index_vector_dim < len(at.shape) else whole(at)[..., None]
    return new_sparse(bcoo_gather(whole(x).mat, at, numbers, node.params["slice_sizes"], mode="clip"))


def _convolution(node: Node, x: Any, y: Any) -> Any:
    p = node.params
    left, right = (v.mat if isinstance(v, Sparse) else v for v in (whole(x), whole(y)))
    if any(p["window_reversal"] or ()):
        raise NotImplementedError("bcoo convolution with reversed windows")
    kept = ("window_strides", "padding", "lhs_dilation", "rhs_dilation", "feature_group_count", "batch_group_count")
    options = {name: p[name] for name in kept}
    found = bcoo_conv_general_dilated(
        left, right, dimension_numbers=p["dimension_numbers"], preferred_element_type=_result(node).dtype, **options
    )
    return new_sparse(found)


#: Those of JAX's rules that are zero at zero and not linear.
_ODD = (
    "abs asin asinh atan atanh bessel_i1e exponential_minus_one log_plus_one sign sine sinh sqrt tan tanh".split()  # noqa: SIM905
)
RULES: dict[str, Callable] = {
    **dict.fromkeys(("negate", "real", "imag", "optimization_barrier"), _linear),
    **dict.fromkeys(_ODD, _odd),
    **dict.fromkeys(("add", "subtract"), _add),
    "complex": _complex,
    "concatenate": _concatenate,
    "convert": _convert,
    "convolution": _convolution,
    "divide": _divide,
    "dot_general": _dot_general,
    "dynamic_slice": _dynamic_slice,
    "gather": _gather,
    "integer_pow": _integer_pow,
    "multiply": _multiply,
    "name": _name,
    "reduce_sum": _reduce_sum,
    "reshape": _reshape,
    "reverse": _reverse,
    "slice": _slice,
    "transpose": _transpose,
}
