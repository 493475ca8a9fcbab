"""scan, while_loop, fori_loop, cond, switch, map: structured control flow whose bodies are traced once."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable._config import config
from sable.core import key_reuse
from sable.core.array import Array, Value
from sable.core.batching import batched_call
from sable.core.bind import BIND, bind
from sable.core.boundary import boundary
from sable.core.concretization import concretization_error
from sable.core.extended import seen_avals
from sable.core.operands import known_integer
from sable.core.placement import default_device
from sable.core.references import Ref, new_ref, present
from sable.core.state import STATE
from sable.core.trace import Tracer
from sable.core.tracing import Traced, function_name
from sable.core.values import as_value, concrete, is_array_like
from sable.dialects.ops.platform import place_of
from sable.errors import ConcretizationTypeError
from sable.ir.op import OPS
from sable.pytree import arrays
from sable.tree_util import tree_flatten, tree_leaves

from .control_bodies import (
    captures_first,
    carrying,
    check_branches,
    check_predicate,
    equal_outputs,
    same_types,
    selected,
    settled,
    trace_body,
    union,
    with_known,
    write_back,
    written_by,
)

#: Stands for an operand that is not given: None is one.
_NOTHING = object()


def _concrete(x: Any) -> bool:
    return not isinstance(as_value(x), Tracer)


@boundary
def scan(
    f: Callable,
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
    _split_transpose: bool = False,
) -> tuple[Any, Any]:
    """Loop over the leading axis of `xs` with a carry, stacking outputs.

    Args:
      f: `(carry, x) -> (carry, y)`; the carry keeps structure, shapes and dtypes.
      init: first carry, a pytree of arrays.
      xs: pytree of arrays with a common leading size, or None.
      length: number of steps, needed if xs is None.
      reverse: go from the last element to the first.
      unroll: how many steps to unroll, or whether to; checked, but the compiler decides.
      _split_transpose: without effect.

    Returns:
      (last carry, ys stacked along a leading axis).

    Raises:
      TypeError, ValueError: lengths disagree; the carry changes its type (names the component).

    Example:
      >>> lax.scan(lambda c, x: (c + x, c), 0, jnp.arange(4))
      (Array(6, dtype=int32), Array([0, 0, 1, 3], dtype=int32))
      >>> lax.scan(lambda c, x: (c + x, None), 0, jnp.arange(4.))[0]
      Array(6., dtype=float32)
      >>> lax.scan(lambda c, x: (jnp.float32(c), None), jnp.int32(0), jnp.arange(4))
      Traceback (most recent call last):
          ...
      TypeError: scan body function carry input and carry output must have equal types, but they differ:...
    """
    if not callable(f):
        raise TypeError(f"lax.scan: f argument should be a callable, got {f}")
    _check_unroll(unroll)
    if any(type(x) is Ref for x in tree_leaves((init, xs))):
        return _scan_over_refs(f, init, xs, length, reverse)
    leaves, init_tree = arrays.flatten(init)
    values = [as_value(x) for x in leaves]
    rows, xs_tree = arrays.flatten(xs)
    rows = [as_value(x) for x in rows]
    n = _scan_length(seen_avals(xs_tree, [x.aval for x in rows]), length)
    slices = [x.aval.update(shape=x.aval.shape[1:]) for x in rows]
    if config.jax_disable_jit:
        return _scan_in_python(f, init, xs, n, reverse)
    tree = arrays.flatten((init, xs_tree.unflatten(rows)))[1]
    traced, values = settled(lambda avals: trace_body(f, tree, [*avals, *slices], "scan"), values, len(values))
    carry_tree, _ys_tree, n_carry = _pair(f, traced)
    same_types("scan body", f, init_tree, [x.aval for x in values], traced, carry_tree)
    key_reuse.loop(traced.function, [*values, *rows], n_carry, "scan")
    refs = written_by(traced)
    traced, values = carrying(traced, refs, len(values) + len(rows)), [*present(refs), *values]
    out = _scan([*traced.captures, *values, *rows], traced, len(values), {"length": n, "reverse": bool(reverse)})
    out = write_back(refs, out)
    return carry_tree.unflatten(out[:n_carry]), _ys_tree.unflatten(out[n_carry:])


def _scan_over_refs(f: Callable, init: Any, xs: Any, length: int | None, reverse: bool) -> tuple[Any, Any]:
    """`scan` where some of `xs` are references: each step gets one to its row."""
    if any(type(x) is Ref for x in tree_leaves(init)):
        raise ValueError(f"scan of {function_name(f)}: a mutable array reference cannot be carried. Close over it.")
    leaves, tree = tree_flatten(xs)
    refs = [x for x in leaves if type(x) is Ref]

    def step(carry: Any, rows: Any) -> Any:
        given = [new_ref(x) if type(ref) is Ref else x for x, ref in zip(rows, leaves)]
        result = f(carry, tree.unflatten(given))
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            return result
        return result[0], (result[1], [r.read() for r in given if type(r) is Ref])

    functools.update_wrapper(step, f)
    carry, (ys, rows) = scan(step, init, present(leaves), length, reverse)
    write_back(refs, rows)
    return carry, ys


def _scan(values: list[Value], traced: Traced, n_carry: int, params: dict) -> list[Value]:
    """The op, without what the body only hands on: a carry that stays is a constant, a y that is an x is there already."""
    captures = len(traced.captures)
    body = captures_first(traced, traced.captures, len(values) - captures)
    arguments, outputs = body.arguments, body.outputs
    stays = [k for k in range(n_carry) if outputs[k] is arguments[captures + k]]
    place = {v: k for k, v in enumerate(arguments)}
    known = {k: values[captures + k] for k in stays}
    for k in range(n_carry, len(outputs)):
        if place.get(outputs[k], -1) >= captures + n_carry:
            known[k] = values[place[outputs[k]]]
    if known:
        constants = [*range(captures), *[captures + k for k in stays]]
        order = [*constants, *[i for i in range(len(values)) if i not in constants]]
        body = selected(body, order, [k for k in range(len(outputs)) if k not in known])
        values, captures, n_carry = [values[i] for i in order], len(constants), n_carry - len(stays)
    found = bind(OPS["scan"], *values, body=body, num_consts=captures, num_carry=n_carry, **params)
    return with_known(found, known, traced.out_avals)


def _check_unroll(unroll: Any) -> None:
    if isinstance(unroll, Tracer):
        raise concretization_error(unroll, "The `unroll` argument to `scan` expects a concrete `int` or `bool` value.")
    if operator.index(unroll) < 0:
        raise ValueError("`unroll` must be a `bool` or a non-negative `int`.")


def _pair(f: Callable, traced: Traced) -> tuple[Any, Any, int]:
    """Structure of carry and ys in the body's result."""
    children = traced.out_tree.children()
    if len(children) != 2:
        found = traced.out_tree.unflatten([a.short() for a in seen_avals(traced.out_tree, traced.out_avals)])
        raise TypeError(f"scan body output must be a pair, got {found}. The body is {function_name(f)}.")
    return children[0], children[1], children[0].num_leaves


def _scan_length(rows: Sequence[Any], length: int | None) -> int:
    for x in rows:
        if x.ndim == 0:
            raise ValueError(f"scan got value with no leading axis to scan over: {x.short()}.")
    sizes = {x.shape[0] for x in rows}
    if length is not None:
        given = known_integer(
            length,
            "The `length` argument to `scan` expects a concrete `int` value. For a length that is computed take while_loop or "
            "fori_loop.",
        )
        if any(s != given for s in sizes):
            raise ValueError(
                f"scan got `length` argument of {given} which disagrees with leading axis sizes {sorted(sizes)}."
            )
        return given
    if len(sizes) > 1:
        raise ValueError(
            f"scan got values with different leading axis sizes: {', '.join(str(n) for n in sorted(sizes))}."
        )
    if not sizes:
        raise ValueError("scan got no values to scan over and `length` not provided.")
    return sizes.pop()


def _scan_in_python(f: Callable, carry: Any, xs: Any, n: int, reverse: bool) -> tuple[Any, Any]:
    if n == 0:
        raise ValueError("zero-length scan is not supported in disable_jit() mode because the output type is unknown.")
    ys = []
    for i in range(n)[:: -1 if reverse else 1]:
        carry, y = f(carry, arrays.map(lambda x, i=i: as_value(x)[i], xs))
        ys.append(y)
    ys = ys[::-1] if reverse else ys
    return carry, arrays.map(lambda *rows: _stack(rows), *ys) if ys else None


def _stack(rows: Sequence[Any]) -> Any:
    values = [as_value(r) for r in rows]
    return BIND.concatenate(*[BIND.reshape(v, shape=(1, *v.shape)) for v in values], dimension=0)


@boundary
def while_loop(cond_fun: Callable, body_fun: Callable, init_val: Any) -> Any:
    """Repeat the body while the condition holds; forward derivatives only.

    Args:
      cond_fun: carry -> a boolean scalar.
      body_fun: carry -> carry of the same structure, shapes and dtypes.
      init_val: first carry, a pytree of arrays.

    Returns:
      The carry for which the condition is False.

    Raises:
      TypeError: the condition is no boolean scalar; the carry changes its type.

    Example:
      >>> lax.while_loop(lambda x: x < 100, lambda x: 2 * x, 3)
      Array(192, dtype=int32, weak_type=True)
    """
    if not (callable(body_fun) and callable(cond_fun)):
        raise TypeError("lax.while_loop: body_fun and cond_fun arguments should be callable.")
    leaves, tree = arrays.flatten(init_val)
    values = [as_value(x) for x in leaves]
    if config.jax_disable_jit:
        carry = tree.unflatten(values)
        try:
            while cond_fun(carry):
                carry = body_fun(carry)
            return carry
        except ConcretizationTypeError:
            pass  # under vmap the condition is one for each example: the loop is traced all the same
    whole = arrays.flatten((init_val,))[1]
    body, values = settled(lambda avals: trace_body(body_fun, whole, avals, "while_loop"), values, len(values))
    same_types("while_loop body", body_fun, tree, [x.aval for x in values], body, body.out_tree)
    cond = trace_body(cond_fun, whole, [x.aval for x in values], "while_loop")
    check_predicate("cond_fun must return a boolean scalar", cond)
    if cond.written:
        raise NotImplementedError(
            f"while_loop: the condition {function_name(cond_fun)} writes to a mutable array reference: write in the body"
        )
    key_reuse.loop(body.function, values, len(values), "while_loop")
    refs = written_by(body)
    body, cond = (carrying(t, refs, len(values)) for t in (body, cond))
    values = [*present(refs), *values]
    n = len(values)
    cond_function = captures_first(cond, cond.captures, n)
    out = bind(
        OPS["while"],
        *cond.captures,
        *body.captures,
        *values,
        cond=selected(cond_function, range(len(cond_function.arguments)), [len(refs)]) if refs else cond_function,
        body=captures_first(body, body.captures, n),
        cond_consts=len(cond.captures),
        body_consts=len(body.captures),
    )
    return tree.unflatten(write_back(refs, out))


@boundary
def fori_loop(lower: Any, upper: Any, body_fun: Callable, init_val: Any, *, unroll: Any = None) -> Any:
    """`for i in range(lower, upper): val = body_fun(i, val)`.

    With bounds known when traced it is a scan and has reverse derivatives, else a while loop.

    Args:
      lower, upper: real scalars.
      body_fun: `(i, val) -> val` of the same structure, shapes and dtypes.
      init_val: first value, a pytree of arrays.
      unroll: how many steps to unroll, for known bounds only; checked, but the compiler decides.

    Returns:
      The last value.

    Raises:
      TypeError: bounds that are no real scalars of one dtype; a value that changes its type.
      ValueError: `unroll` with bounds that are computed.

    Example:
      >>> lax.fori_loop(1, 6, lambda i, product: product * i, 1)
      Array(120, dtype=int32, weak_type=True)
    """
    if not callable(body_fun):
        raise TypeError("lax.fori_loop: body_fun argument should be callable.")
    bounds = [as_value(lower), as_value(upper)]
    for x in bounds:
        if x.aval.dtype.kind not in "iufb" or x.aval.shape:
            raise TypeError(f"lower and upper arguments to fori_loop must be real scalars, got {x.aval.short()}")
    bounds = [BIND.convert(x, dtype=np.dtype(np.int32)) if x.aval.dtype == np.bool_ else x for x in bounds]
    strong = [x for x in bounds if not x.aval.weak_type] or bounds
    dtype = strong[0].aval.dtype
    if len({x.aval.dtype for x in strong}) > 1:
        raise TypeError(
            "lower and upper arguments to fori_loop must have equal types, got "
            f"{bounds[0].aval.dtype.name} and {bounds[1].aval.dtype.name}"
        )
    lo, hi = (x if x.aval.dtype == dtype else BIND.convert(x, dtype=dtype) for x in bounds)
    first, last = _known_bound(lo), _known_bound(hi)
    if first is not None and last is not None:
        steps = max(int(last) - int(first), 0)
        if not steps and config.jax_disable_jit:
            return init_val
        (_, result), _ = scan(
            lambda carry, _: ((carry[0] + 1, body_fun(carry[0], carry[1])), None),
            (lo, init_val),
            None,
            length=steps,
            unroll=1 if unroll is None else unroll,
        )
        return result
    if unroll is not None and unroll is not False and unroll != 1:
        raise ValueError("Can only use `unroll` in `fori_loop` if the loop bounds are statically known.")
    _, _, result = while_loop(
        lambda carry: carry[0] < carry[1],
        lambda carry: (carry[0] + 1, carry[1], body_fun(carry[0], carry[2])),
        (lo, hi, init_val),
    )
    return result


def _known_bound(x: Value) -> Array | None:
    """A bound's value, also where derivatives are being taken of a known one."""
    return x.owner.evaluate(x.value) if isinstance(x, Tracer) and x.owner.live else concrete(x)


@boundary
def cond(
    pred: Any,
    true_fun: Callable,
    false_fun: Callable,
    *operands: Any,
    operand: Any = _NOTHING,
) -> Any:
    """`true_fun(*operands) if pred else false_fun(*operands)`, both branches traced, one of them run.

    Args:
      pred: a boolean (or numeric) scalar.
      true_fun, false_fun: functions of the operands which return the same structure, shapes and dtypes.
      operands: pytrees of arrays.
      operand: the one operand, if it is given by name.

    Raises:
      TypeError: the predicate is no scalar; the branches disagree (names the component); operands in both ways.

    Example:
      >>> lax.cond(True, lambda x: x + 1, lambda x: x - 1, 3)
      Array(4, dtype=int32, weak_type=True)
      >>> lax.cond(True, lambda x: x + 1, lambda x: 0.5, 3)
      Traceback (most recent call last):
          ...
      TypeError: cond branches must have equal output types but they differ....
    """
    if not (callable(true_fun) and callable(false_fun)):
        raise TypeError("lax.cond: true_fun and false_fun arguments should be callable.")
    operands = _with_named(operands, operand)
    if pred is None:
        raise TypeError("cond predicate is None")
    if callable(pred):
        raise TypeError(f"Pred type must be either boolean or number, got {pred}.")
    if not is_array_like(pred):
        raise TypeError(f"Pred must be a scalar, got {pred} of type {type(pred)}")
    value = as_value(pred)
    if value.aval.shape:
        raise TypeError(f"Pred must be a scalar, got {pred} of shape {value.aval.shape}.")
    if value.aval.dtype.kind not in "biufV":
        raise TypeError(f"Pred type must be either boolean or number, got {value.aval.dtype.name}.")
    if config.jax_disable_jit and _concrete(value):
        return true_fun(*operands) if bool(value) else false_fun(*operands)
    if value.aval.dtype != np.bool_:
        value = BIND.compare(value, BIND.full(value.aval, 0), comparison_direction="NE")
    index = BIND.convert(value, dtype=np.dtype(np.int32))
    return _branches("cond", index, [false_fun, true_fun], ["false_fun", "true_fun"], operands)


@boundary
def switch(index: Any, branches: Sequence[Callable], *operands: Any, operand: Any = _NOTHING) -> Any:
    """`branches[index](*operands)`, the index being clamped to the branches that there are.

    Args:
      index: an integer scalar.
      branches: functions of the operands which return the same structure, shapes and dtypes.
      operands: pytrees of arrays.
      operand: the one operand, if it is given by name.

    Raises:
      TypeError, ValueError: the index is no integer scalar; no branches; the branches disagree.

    Example:
      >>> lax.switch(7, [lambda x: x + 1, lambda x: x - 1], 3)
      Array(2, dtype=int32, weak_type=True)
    """
    if not all(callable(b) for b in branches):
        raise TypeError("lax.switch: branches argument should be a sequence of callables.")
    operands = _with_named(operands, operand)
    if isinstance(index, (tuple, list)):
        raise TypeError(f"Branch index must be scalar, got {index} of shape {np.shape(index)}.")
    if not is_array_like(index):
        raise TypeError(f"Index type must be an integer, got {index}.")
    value = as_value(index)
    if value.aval.shape:
        raise TypeError(f"Branch index must be scalar, got {index} of shape {value.aval.shape}.")
    if value.aval.dtype.kind not in "iu":
        raise TypeError(f"Index type must be an integer, got {value.aval.dtype.name}.")
    branches = list(branches)
    if not branches:
        raise ValueError("Empty branch sequence")
    if len(branches) == 1:
        return branches[0](*operands)
    value = BIND.convert(value, dtype=np.dtype(np.int32))
    zero, last = (BIND.full(value.aval, k) for k in (0, len(branches) - 1))
    value = BIND.clamp(zero, value, last)
    return _branches(
        "switch", value, branches, ["branch 0", *[f"branch{k}" for k in range(1, len(branches))]], operands
    )


def _with_named(operands: tuple, operand: Any) -> tuple:
    if operand is _NOTHING:
        return operands
    if operands:
        raise TypeError(f"operands are given by position, {operands}, or one by name, operand={operand}, but not both")
    return (operand,)


def _branches(what: str, index: Value, functions: Sequence[Callable], names: Sequence[str], operands: Any) -> Any:
    functions, operands = _closing_over_refs(functions, operands)
    leaves, tree = arrays.flatten(operands)
    values = [as_value(x) for x in leaves]
    avals = [x.aval for x in values]
    traced = [trace_body(f, tree, avals, what) for f in functions]
    check_branches(what, traced, names)
    key_reuse.branches([t.function for t in traced], values, what)
    refs = written_by(*traced)
    traced, values = [carrying(t, refs, len(values)) for t in traced], [*present(refs), *values]
    captures = union(*[t.captures for t in traced])
    made = equal_outputs([captures_first(t, captures, len(values)) for t in traced])
    values = [*captures, *values]
    # what every branch hands on does not depend on the index
    places = [{v: k for k, v in enumerate(f.arguments)} for f in made]
    handed = [{place.get(v, -1) for place, v in zip(places, outs)} for outs in zip(*[f.outputs for f in made])]
    known = {k: values[min(found)] for k, found in enumerate(handed) if len(found) == 1 and min(found) >= 0}
    avals = made[0].out_avals
    if known:
        kept = [k for k in range(len(avals)) if k not in known]
        made = [selected(f, range(len(values)), kept) for f in made]
    out = bind(OPS["case"], index, *values, branches=tuple(made))
    return traced[0].out_tree.unflatten(write_back(refs, with_known(out, known, avals)))


def _closing_over_refs(functions: Sequence[Callable], operands: Any) -> tuple[Sequence[Callable], Any]:
    """Functions of what is no reference between the operands, and that."""
    leaves, tree = tree_flatten(operands)
    if not any(type(x) is Ref for x in leaves):
        return functions, operands

    def closing(fun: Callable) -> Callable:
        def closed(*others: Any) -> Any:
            rest = iter(others)
            return fun(*tree.unflatten([x if type(x) is Ref else next(rest) for x in leaves]))

        return functools.update_wrapper(closed, fun)

    return [closing(f) for f in functions], [x for x in leaves if type(x) is not Ref]


def platform_dependent(*args: Any, default: Callable | None = None, **per_platform: Callable) -> Any:
    """What the function of the platform gives for which the program is compiled.

    Args:
      args: pytrees of arrays.
      default: for platforms that are not named.
      per_platform: a function for each platform: 'cpu', 'vulkan', 'cuda' ...; in programs all are traced, and agree in
        what they return.

    Raises:
      NotImplementedError: the platform is not named and there is no default.
      TypeError: a branch is no function; they disagree.
      ValueError: a platform called 'gpu'.

    Example:
      >>> lax.platform_dependent(3.0, cpu=lambda x: 2 * x, default=lambda x: x)
      6.0
    """
    for name, branch in {**per_platform, "default": default}.items():
        if not (callable(branch) or (name == "default" and branch is None)):
            raise TypeError(f"lax.platform_dependent: the '{name}' branch must be a callable.")
        if name == "gpu":
            raise ValueError("Use 'cuda' or 'rocm' for lax.platform_dependent.")
    platforms, branches = tuple(per_platform), list(per_platform.values())
    if default is not None:
        platforms, branches = (*platforms, ""), [*branches, default]
    if STATE.staged is None:
        return branches[place_of(default_device().platform, platforms)](*args)
    return switch(BIND.platform_index(platforms=platforms), branches, *args)


@boundary
def map(f: Callable, xs: Any, *, batch_size: int | None = None) -> Any:
    """Apply f to each element along the leading axis, one after the other (a scan).

    Args:
      f: a function of one element, a pytree of arrays.
      xs: a pytree of arrays with a common leading size.
      batch_size: how many elements are computed at once, as by `vmap`; by default one.

    Returns:
      The results stacked along a leading axis.

    Raises:
      ValueError: sizes differ.

    Example:
      >>> lax.map(lambda x: x * x, jnp.array([1, 2, 3]))
      Array([1, 4, 9], dtype=int32)
      >>> lax.map(lambda x: x * x, jnp.array([1, 2, 3]), batch_size=2)
      Array([1, 4, 9], dtype=int32)
    """
    if batch_size is not None and batch_size < 0:
        raise ValueError(f"map: batch_size may not be negative, got {batch_size}")
    if batch_size and all(x.shape[0] for x in arrays.leaves(xs)):
        return _map_batches(f, xs, batch_size)
    return scan(lambda _, x: ((), f(x)), (), xs)[1]


def _map_batches(f: Callable, xs: Any, size: int) -> Any:
    n = arrays.flatten(xs)[0][0].shape[0]
    whole = n - n % size
    head = arrays.map(lambda x: as_value(x)[:whole].reshape(whole // size, size, *x.shape[1:]), xs)
    parts = []
    if whole:
        ys = scan(lambda _, x: ((), _each(f, x)), (), head)[1]
        parts.append(arrays.map(lambda y: y.reshape(whole, *y.shape[2:]), ys))
    if whole < n:
        parts.append(_each(f, arrays.map(lambda x: as_value(x)[whole:], xs)))
    return parts[0] if len(parts) == 1 else arrays.map(lambda *p: BIND.concatenate(*p, dimension=0), *parts)


def _each(f: Callable, xs: Any) -> Any:
    """f of every example along the leading axis, all at once."""
    leaves, tree = arrays.flatten(((xs,), {}))
    values = [as_value(x) for x in leaves]
    return batched_call(f, values, tree, [0] * len(values), values[0].aval.shape[0])


__all__ = ["cond", "fori_loop", "map", "platform_dependent", "scan", "switch", "while_loop"]
