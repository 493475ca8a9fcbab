"""`sparsify`: functions of dense arrays as functions of sparse ones.

The function is traced on dense types, and its operations are run by rules, of JAX's number: what is no zero where its operands
are is refused. Arrays that are one value repeated stay that value; sparse arrays that share their indices are known to.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import sable.numpy as jnp
from sable import lax
from sable.ad_checkpoint import checkpoint_name
from sable.api.abstract import eval_shape
from sable.core.array import Value
from sable.core.bind import bind
from sable.core.boundary import boundary
from sable.core.trace import Tracer
from sable.core.tracing import trace_flat
from sable.core.values import as_value, retype
from sable.ir.aval import aval
from sable.ir.function import Function, Node
from sable.tree_util import tree_flatten, tree_map, tree_structure

from ._base import JAXSparse
from ._bcoo import BCOO
from ._bcsr import BCSR
from ._rules import RULES, TODENSE, Sparse, broadcast, is_sparse, new_sparse, refusal, whole


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


def _given(x: Any) -> Any:
    """An argument as the rules take it."""
    if isinstance(x, BCOO):
        return new_sparse(x)
    if isinstance(x, BCSR):
        return Sparse(x.to_bcoo(), object(), (x.indices, x.indptr))
    if isinstance(x, JAXSparse):
        raise NotImplementedError(f"sparsify of a function of {type(x).__name__} arrays; BCOO and BCSR are there")
    return as_value(x)


def _seen(x: Any) -> Any:
    """A value as users see it."""
    x = whole(x)
    if not isinstance(x, Sparse):
        return x
    if isinstance(x.by_rows, tuple):
        flags = {"indices_sorted": x.mat.indices_sorted, "unique_indices": x.mat.unique_indices}
        return BCSR((x.mat.data, *x.by_rows), shape=x.mat.shape, **flags)
    return BCSR.from_bcoo(x.mat) if x.by_rows else x.mat


def _type(x: Any) -> Any:
    if isinstance(x, Sparse):
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
        return [broadcast(node, operands[0])]
    if name in _FUNCTIONS and any(is_sparse(x) for x in operands):
        return _FUNCTIONS[name](node, [whole(x) for x in operands])
    if not any(is_sparse(x) for x in operands):
        found = bind(node.op, *(whole(x) for x in operands), **node.params)
        return found if node.op.multiple_results else [found]
    rule = RULES.get(name)
    if rule is None:
        raise NotImplementedError(refusal(node))
    return [rule(node, *operands)]


# ---- operations that name functions ------------------------------------------------------------


def _called(node: Node, operands: list) -> list:
    return _run(node.params["callee"], operands)


def _plain(x: Any) -> Any:
    """A value as loops and branches carry it: a pytree of arrays."""
    x = whole(x)
    return x.mat if isinstance(x, Sparse) else x


def _carried(xs: Sequence[Any]) -> list:
    return [new_sparse(x) if isinstance(x, BCOO) else x for x in xs]


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
    if any(isinstance(x, Sparse) and not x.mat.n_batch for x in xs):
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
    if not isinstance(x, Sparse):
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
    return checkpoint_name(arr, TODENSE) if isinstance(arr, Tracer) else as_value(arr)
