"""`sparsify`: functions of dense arrays as functions of sparse ones.

The function is traced on dense types, and its operations are run by rules, of JAX's number: what is no zero where its operands
are is refused. Arrays that are one value repeated stay that value; sparse arrays that share their indices are known to.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import sable.numpy as jnp
from sable import lax
from sable.ad_checkpoint import checkpoint_name
from sable.api.abstract import eval_shape
from sable.core.array import Value
from sable.core.bind import BIND, bind
from sable.core.boundary import boundary
from sable.core.primitives import primitive_of
from sable.core.trace import Tracer
from sable.core.tracing import trace_flat
from sable.core.values import as_value, retype
from sable.ir.aval import aval
from sable.ir.function import Function, Node
from sable.tree_util import tree_flatten, tree_map, tree_structure

from ._base import JAXSparse
from ._bcoo import BCOO, bcoo_sum_duplicates, bcoo_update_layout, with_data
from ._bcsr import BCSR
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
_TODENSE = "sparse.todense"


class _Marked(type):
    def __instancecheck__(cls, x: Any) -> bool:
        return type(x) is Tracer and x.owner.kind == _KIND


class SparseTracer(metaclass=_Marked):
    """What a function sees in the place of its arrays under `sparsify(f, use_tracer=True)`; only `isinstance` asks for it.

    Example:
      >>> import sable.numpy as jnp
      >>> seen = []
      >>> _ = sparsify(lambda x: seen.append(isinstance(x, SparseTracer)), use_tracer=True)(jnp.ones(3))
      >>> seen
      [True]
    """


_KIND = "sparsify with tracers"


class _Sparse(NamedTuple):
    """A sparse value.

    Attributes:
      pattern: the same object for values that share their indices.
      by_rows: whether users see a BCSR array.
    """

    mat: BCOO
    pattern: object
    by_rows: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        return self.mat.shape

    def with_data(self, data: Value) -> _Sparse:
        return _Sparse(with_data(self.mat, data), self.pattern, self.by_rows)


class _Repeated(NamedTuple):
    """A value of `broadcast_in_dim` that nobody has asked for as a whole."""

    base: Any
    dimensions: tuple[int, ...]
    shape: tuple[int, ...]

    def ranked(self) -> Any:
        """The base with axes of length 1 in the place of new ones."""
        base = self.base.mat if isinstance(self.base, _Sparse) else self.base
        sizes = [1] * len(self.shape)
        for n, d in zip(base.shape, self.dimensions):
            sizes[d] = n
        if isinstance(base, BCOO):
            return bcoo_broadcast_in_dim(base, shape=sizes, broadcast_dimensions=self.dimensions)
        return base.reshape(tuple(sizes))

    @property
    def is_sparse(self) -> bool:
        return isinstance(self.base, _Sparse)

    def whole(self) -> Any:
        params = {"shape": self.shape, "broadcast_dimensions": self.dimensions}
        if isinstance(self.base, _Sparse):
            made = bcoo_broadcast_in_dim(self.base.mat, **params)
            return _new(made, self.base.by_rows)
        return BIND.broadcast_in_dim(self.base, **params)


def _new(mat: BCOO, by_rows: bool = False) -> _Sparse:
    return _Sparse(mat, object(), by_rows and mat.n_sparse == 2)


def _is_sparse(x: Any) -> bool:
    return isinstance(x, _Sparse) or (isinstance(x, _Repeated) and x.is_sparse)


def _whole(x: Any) -> Any:
    return x.whole() if isinstance(x, _Repeated) else x


def _given(x: Any) -> Any:
    """An argument as the rules take it."""
    if isinstance(x, BCOO):
        return _new(x)
    if isinstance(x, BCSR):
        return _new(x.to_bcoo(), True)
    if isinstance(x, JAXSparse):
        raise NotImplementedError(f"sparsify of a function of {type(x).__name__} arrays; BCOO and BCSR are there")
    return as_value(x)


def _seen(x: Any) -> Any:
    """A value as users see it."""
    x = _whole(x)
    if not isinstance(x, _Sparse):
        return x
    return BCSR.from_bcoo(x.mat) if x.by_rows else x.mat


def _type(x: Any) -> Any:
    if isinstance(x, _Sparse):
        return aval(x.mat.shape, x.mat.data.aval.dtype, x.mat.data.aval.weak_type)
    return x.aval


def sparsify(f: Callable, use_tracer: bool = False) -> Callable:
    """A function of dense arrays as one that takes sparse arrays as well.

    What is zero where its operands are stays sparse: sums, differences and products of sparse arrays, products with dense ones,
    contractions, sums over axes, other shapes, slices, joins, odd functions such as `sin`; also in loops, branches and compiled
    functions. A sum of a sparse and a dense array is dense.

    Args:
      f: function of pytrees of arrays.
      use_tracer: whether `isinstance(x, SparseTracer)` holds for what f is called with; without other effect.

    Returns:
      Function of the same arguments, where BCOO and BCSR arrays may stand for arrays.

    Raises:
      NotImplementedError: when it is called: the result of an operation would be dense, or there is no rule for it.

    Example:
      >>> import sable.numpy as jnp
      >>> from sable.experimental import sparse
      >>> matrix = sparse.BCOO.fromdense(jnp.array([[0.0, 2.0], [3.0, 0.0]]))
      >>> sparse.sparsify(lambda m, v: 2 * m.T @ v)(matrix, jnp.ones(2))
      Array([6., 4.], dtype=float32)
    """

    @functools.wraps(f)
    @boundary
    def sparsified(*args: Any, **kwargs: Any) -> Any:
        leaves, tree = tree_flatten((args, kwargs), is_leaf=lambda x: isinstance(x, JAXSparse))
        items = [_given(x) for x in leaves]

        def call(values: list) -> Any:
            a, k = tree.unflatten(values)
            return f(*a, **k)

        kind = _KIND if use_tracer else "sparsify"
        traced = trace_flat(call, [_type(x) for x in items], fun=f, kind=kind, staged=True)
        outs = _run(traced.function, [*items, *traced.captures])
        found = [_retyped(_seen(x), a.weak_type) for x, a in zip(outs, traced.out_avals)]
        return traced.out_tree.unflatten(found)

    return sparsified


def _retyped(x: Any, weak: bool) -> Any:
    if isinstance(x, (BCOO, BCSR)):
        children, aux = x.tree_flatten()
        return type(x).tree_unflatten(aux, (retype(children[0], weak), *children[1:]))
    return retype(x, weak)


def _run(function: Function, arguments: Sequence[Any]) -> list:
    """The function's outputs on values that may be sparse."""
    values: dict = dict(zip(function.arguments, arguments))
    for node in function.nodes():
        found = _apply(node, [values[v] for v in node.operands])
        values.update(zip(node.results, found))
    return [values[v] for v in function.outputs]


def _apply(node: Node, operands: list) -> Sequence[Any]:
    name = node.op.name
    if name == "broadcast_in_dim":
        return [_broadcast(node, operands[0])]
    if name in _FUNCTIONS and any(_is_sparse(x) for x in operands):
        return _FUNCTIONS[name](node, [_whole(x) for x in operands])
    if not any(_is_sparse(x) for x in operands):
        found = bind(node.op, *(_whole(x) for x in operands), **node.params)
        return found if node.op.multiple_results else [found]
    rule = _RULES.get(name)
    if rule is None:
        raise NotImplementedError(_refusal(node))
    return [rule(node, *operands)]


#: Operations that are not zero where their operands are.
_DENSE = frozenset(
    ("acos", "acosh", "bessel_i0e", "compare", "cosine", "cosh", "digamma", "erfc", "exponential", "exponential2")
    + ("is_finite", "lgamma", "log", "logistic", "not", "rsqrt")
)


def _refusal(node: Node) -> str:
    name = primitive_of(node.op, node.params).name
    if node.op.name not in _DENSE:
        return f"sparse rule for {name} is not implemented."
    return (
        f"sparse rule for {name} is not implemented because it would result in dense output. Arguments that are meant to be dense "
        "are made so by sparse.todense()."
    )


# ---- operations --------------------------------------------------------------------------------


def _broadcast(node: Node, x: Any) -> Any:
    shape, to = tuple(node.results[0].aval.shape), tuple(node.params["broadcast_dimensions"])
    if isinstance(x, _Repeated):
        return _Repeated(x.base, tuple(to[d] for d in x.dimensions), shape)
    return _Repeated(x, to, shape)


def _result(node: Node) -> Any:
    return node.results[0].aval


def _linear(node: Node, x: Any) -> Any:
    x = _whole(x)
    return x.with_data(bind(node.op, x.mat.data, **_params(node, x.mat.data.shape)))


def _params(node: Node, shape: tuple[int, ...]) -> dict[str, Any]:
    return {**node.params, "shape": shape} if "shape" in node.params else node.params


def _unique(x: _Sparse) -> _Sparse:
    """The same value with each index once: what functions that are not linear need."""
    return x if x.mat.unique_indices else _new(bcoo_sum_duplicates(x.mat, nse=x.mat.nse), x.by_rows)


def _odd(node: Node, x: Any) -> Any:
    return _linear(node, _unique(_whole(x)))


def _convert(node: Node, x: Any) -> Any:
    x = _whole(x)
    keeps = np.can_cast(x.mat.dtype, _result(node).dtype, "safe")
    return _linear(node, x if keeps else _unique(x))


def _integer_pow(node: Node, x: Any) -> Any:
    if node.params["y"] <= 0:
        raise NotImplementedError("sparse rule for integer_pow with non-positive exponent")
    return _odd(node, x)


def _name(node: Node, x: Any) -> Any:
    x = _whole(x)
    return x.mat.todense() if node.params["name"] == _TODENSE else _linear(node, x)


def _shared(x: Any, y: Any) -> bool:
    return isinstance(x, _Sparse) and isinstance(y, _Sparse) and x.pattern is y.pattern


def _add(node: Node, x: Any, y: Any) -> Any:
    subtract = node.op.name == "subtract"
    if _shared(x, y):
        return x.with_data(bind(node.op, x.mat.data, y.mat.data, **node.params))
    if _is_sparse(x) and _is_sparse(y):
        left, right = _whole(x).mat, _whole(y).mat
        return _new(_joined(left, with_data(right, -right.data) if subtract else right))
    if subtract:
        raise NotImplementedError("Subtraction between sparse and dense array.")
    sparse, dense = (x, y) if _is_sparse(x) else (y, x)
    if isinstance(dense, _Repeated) and dense.ranked().shape != dense.shape:
        raise NotImplementedError(
            "Addition between a sparse array X and a dense array Y is not implemented when the output shape is larger than "
            "Y.shape: the result would be dense. sparse.todense(X) says that it is meant to be."
        )
    return _whole(dense) + _whole(sparse).mat.todense()


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
    if _is_sparse(x) and _is_sparse(y):
        left, right = (v.ranked() if isinstance(v, _Repeated) else v.mat for v in (x, y))
        if left.n_dense != right.n_dense:
            n_dense = min(left.n_dense, right.n_dense)
            if not any(isinstance(v, _Repeated) for v in (x, y)):
                n_dense = -1
            if n_dense >= 0:
                left, right = (bcoo_update_layout(m, n_dense=n_dense) for m in (left, right))
        return _new(bcoo_multiply_sparse(left, right))
    sparse, dense = (x, y) if _is_sparse(x) else (y, x)
    return _scaled(sparse, dense, False)


def _scaled(sparse: Any, dense: Any, divide: bool) -> Any:
    if isinstance(sparse, _Repeated) and not (isinstance(dense, _Repeated) and not dense.dimensions):
        small, v = sparse.ranked(), dense.ranked() if isinstance(dense, _Repeated) else dense
        if np.broadcast_shapes(small.shape, v.shape) == small.shape:
            return _Repeated(_new(times(small, v, divide)), tuple(range(small.ndim)), sparse.shape)
        raise NotImplementedError(
            "multiplication between sparse and dense is only implemented for cases where the output shape matches the sparse "
            f"matrix shape. Got shape={small.shape}, v.shape={v.shape}"
        )
    x = _whole(sparse)
    v = dense
    if isinstance(dense, _Repeated):
        v = dense.ranked() if dense.dimensions else dense.base
    data = times(x.mat, v, divide).data
    return x.with_data(data)


def _divide(node: Node, x: Any, y: Any) -> Any:
    if _is_sparse(y):
        raise NotImplementedError(
            "Division by a sparse array is not implemented because it would result in dense output. An array that is meant to be "
            "dense is made so by sparse.todense()."
        )
    return _scaled(x, y, True)


def _complex(node: Node, x: Any, y: Any) -> Any:
    if not _shared(x, y):
        raise NotImplementedError(_refusal(node))
    return x.with_data(bind(node.op, x.mat.data, y.mat.data, **node.params))


def _dot_general(node: Node, x: Any, y: Any) -> Any:
    d = node.params["dot_dimension_numbers"]
    dims = (
        (d.lhs_contracting_dimensions, d.rhs_contracting_dimensions),
        (d.lhs_batching_dimensions, d.rhs_batching_dimensions),
    )
    left, right = (v.mat if isinstance(v, _Sparse) else v for v in (_whole(x), _whole(y)))
    found = bcoo_dot_general(left, right, dimension_numbers=dims, preferred_element_type=_result(node).dtype)
    return _new(found) if isinstance(found, BCOO) else found


def _reduce_sum(node: Node, x: Any) -> Any:
    mat = bcoo_reduce_sum(_whole(x).mat, axes=node.params["dimensions"])
    return mat.todense() if not mat.shape else _new(mat)


def _transpose(node: Node, x: Any) -> Any:
    return _new(bcoo_transpose(_whole(x).mat, permutation=node.params["permutation"]))


def _reshape(node: Node, x: Any) -> Any:
    """Axes of length 1 go and come by `squeeze` and `broadcast_in_dim`, as in the functions that make such operations."""
    x = _whole(x)
    mat, sizes = x.mat, tuple(_result(node).shape)
    if [n for n in mat.shape if n != 1] != [n for n in sizes if n != 1]:
        return _new(bcoo_reshape(mat, new_sizes=sizes))
    ones = [d for d, n in enumerate(mat.shape) if n == 1]
    gone = ones if len(sizes) != mat.ndim or sizes != mat.shape else []
    if gone:
        mat = bcoo_squeeze(mat, dimensions=gone)
    to = [d for d, n in enumerate(sizes) if n != 1] if gone or not ones else list(range(len(sizes)))
    if len(to) < len(sizes):
        mat = bcoo_broadcast_in_dim(mat, shape=sizes, broadcast_dimensions=to)
    return _new(mat, x.by_rows)


def _slice(node: Node, x: Any) -> Any:
    return _new(bcoo_slice(_whole(x).mat, **node.params))


def _dynamic_slice(node: Node, x: Any, *start: Any) -> Any:
    if any(_is_sparse(s) for s in start):
        raise NotImplementedError("dynamic_slice at positions that are sparse")
    return _new(bcoo_dynamic_slice(_whole(x).mat, [_whole(s) for s in start], node.params["slice_sizes"]))


def _reverse(node: Node, x: Any) -> Any:
    return _new(bcoo_rev(_whole(x).mat, node.params["dimensions"]))


def _concatenate(node: Node, *xs: Any) -> Any:
    if not all(_is_sparse(x) for x in xs):
        raise NotImplementedError("sparse rule for concatenate of sparse and dense arrays is not implemented.")
    whole = [_whole(x) for x in xs]
    rows = all(x.by_rows for x in whole)
    return _new(bcoo_concatenate([x.mat for x in whole], dimension=node.params["dimension"]), rows)


def _gather(node: Node, x: Any, at: Any) -> Any:
    if _is_sparse(at):
        raise NotImplementedError("gather at positions that are sparse")
    d = node.params["dimension_numbers"]
    numbers = lax.GatherDimensionNumbers(
        d.offset_dims,
        d.collapsed_slice_dims,
        d.start_index_map,
        d.operand_batching_dims,
        d.start_indices_batching_dims,
    )
    at = (
        jnp.moveaxis(_whole(at), d.index_vector_dim, -1)
        if d.index_vector_dim < len(at.shape)
        else _whole(at)[..., None]
    )
    return _new(bcoo_gather(_whole(x).mat, at, numbers, node.params["slice_sizes"], mode="clip"))


def _convolution(node: Node, x: Any, y: Any) -> Any:
    p = node.params
    left, right = (v.mat if isinstance(v, _Sparse) else v for v in (_whole(x), _whole(y)))
    if any(p["window_reversal"] or ()):
        raise NotImplementedError("bcoo convolution with reversed windows")
    kept = ("window_strides", "padding", "lhs_dilation", "rhs_dilation", "feature_group_count", "batch_group_count")
    options = {name: p[name] for name in kept}
    found = bcoo_conv_general_dilated(
        left, right, dimension_numbers=p["dimension_numbers"], preferred_element_type=_result(node).dtype, **options
    )
    return _new(found)


#: Those of JAX's rules that are zero at zero and not linear.
_ODD = (
    "abs asin asinh atan atanh bessel_i1e exponential_minus_one log_plus_one sign sine sinh sqrt tan tanh".split()  # noqa: SIM905
)
_RULES: dict[str, Callable] = {
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


# ---- operations that name functions ------------------------------------------------------------


def _called(node: Node, operands: list) -> list:
    return _run(node.params["callee"], operands)


def _plain(x: Any) -> Any:
    """A value as loops and branches carry it: a pytree of arrays."""
    x = _whole(x)
    return x.mat if isinstance(x, _Sparse) else x


def _carried(xs: Sequence[Any]) -> list:
    return [_new(x) if isinstance(x, BCOO) else x for x in xs]


def _flagged(x: Any, like: Any) -> Any:
    """A sparse array of which no more is known than of another one."""
    if not (isinstance(x, BCOO) and isinstance(like, BCOO)):
        return x
    names = ("indices_sorted", "unique_indices")
    flags = {name: getattr(x, name) and getattr(like, name) for name in names}
    return BCOO.tree_unflatten({"shape": x.shape, **flags}, (x.data, x.indices))


def _agreed(step: Callable[[list], list], carry: list) -> tuple[Callable[[list], list], list]:
    """A step of a loop, and where it begins, that know the same of the indices of what is carried."""
    while True:
        found = eval_shape(step, carry)
        less = [_flagged(x, y) for x, y in zip(carry, found)]
        if tree_structure(less) == tree_structure(carry):
            break
        carry = less
    fixed = carry
    return lambda xs: [_flagged(x, y) for x, y in zip(step(xs), fixed)], fixed


def _while(node: Node, operands: list) -> list:
    p = node.params
    split = p["cond_consts"] + p["body_consts"]
    cond_consts, body_consts = operands[: p["cond_consts"]], operands[p["cond_consts"] : split]

    def cond(carry: list) -> Value:
        return _run(p["cond"], [*cond_consts, *_carried(carry)])[0]

    def body(carry: list) -> list:
        return [_plain(x) for x in _run(p["body"], [*body_consts, *_carried(carry)])]

    step, start = _agreed(body, [_plain(x) for x in operands[split:]])
    return _carried(lax.while_loop(cond, step, start))


def _case(node: Node, operands: list) -> list:
    index, *rest = operands
    given = [_plain(x) for x in rest]

    def branch(function: Function) -> Callable:
        return lambda xs: [_plain(x) for x in _run(function, _carried(xs))]

    branches = [branch(f) for f in node.params["branches"]]
    results = [eval_shape(run, given) for run in branches]
    for k, found in enumerate(results):
        results[0] = [_flagged(x, y) for x, y in zip(results[0], found)]
        if [tree_structure(_flagged(x, y)) for x, y in zip(found, results[0])] != [
            tree_structure(x) for x in results[0]
        ]:
            raise TypeError(
                "sparsified true_fun output must have same type structure as sparsified false_fun output, got "
                f"{found} of branch {k} and {results[0]}."
            )

    def flagged(run: Callable) -> Callable:
        return lambda xs: [_flagged(x, y) for x, y in zip(run(xs), results[0])]

    return _carried(lax.switch(index, [flagged(run) for run in branches], given))


def _scan(node: Node, operands: list) -> list:
    p = node.params
    n, m = p["num_consts"], p["num_consts"] + p["num_carry"]
    consts, carry, xs = operands[:n], operands[n:m], operands[m:]
    if any(isinstance(x, _Sparse) and not x.mat.n_batch for x in xs):
        raise NotImplementedError("scan over a sparse axis; the first axis must be a batch axis")
    spread = [_spread(x) for x in xs]

    def body(carry: list, each: list) -> tuple[list, list]:
        outs = [_plain(x) for x in _run(p["body"], [*consts, *_carried(carry), *_carried(each)])]
        return outs[: p["num_carry"]], outs[p["num_carry"] :]

    # a step is tried on the first example
    first = tree_map(lambda leaf: leaf[0], spread) if p["length"] else []
    start = [_plain(x) for x in carry]
    if p["length"]:
        _, start = _agreed(lambda c: body(c, first)[0], start)

    def fixed(carry: list, each: list) -> tuple[list, list]:
        last, out = body(carry, each)
        return [_flagged(x, y) for x, y in zip(last, start)], out

    last, stacked = lax.scan(fixed, start, spread, length=p["length"], reverse=p["reverse"])
    return [*_carried(last), *_carried(stacked)]


def _spread(x: Any) -> Any:
    """A value to scan over: sparse arrays store an example for each step."""
    if not isinstance(x, _Sparse):
        return x
    data, indices = (jnp.broadcast_to(a, (x.shape[0], *a.shape[1:])) for a in (x.mat.data, x.mat.indices))
    return BCOO((data, indices), shape=x.shape)


_FUNCTIONS: dict[str, Callable] = {
    **dict.fromkeys(("call", "custom_jvp_call", "custom_vjp_call", "custom_vmap_call", "checkpoint"), _called),
    "case": _case,
    "scan": _scan,
    "while": _while,
}


def todense(arr: Any) -> Value:
    """A sparse array with its zeros; arrays are returned as they are.

    Inside of a function under `sparsify` it says that what follows is meant to be dense.

    Args:
      arr: sparse or dense array.

    Returns:
      Array.

    Example:
      >>> import sable.numpy as jnp
      >>> todense(BCOO.fromdense(jnp.arange(3)))
      Array([0, 1, 2], dtype=int32)
    """
    if isinstance(arr, JAXSparse):
        return arr.todense()
    return checkpoint_name(arr, _TODENSE) if isinstance(arr, Tracer) else as_value(arr)
