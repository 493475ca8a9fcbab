"""scan, while_loop, fori_loop, map: loops whose bodies are traced once."""

from __future__ import annotations

import functools
import itertools
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
from sable.core.references import Ref, new_ref, present
from sable.core.trace import Tracer
from sable.core.tracing import Traced, function_name
from sable.core.values import as_value, concrete
from sable.errors import ConcretizationTypeError
from sable.ir.aval import aval
from sable.ir.op import OPS
from sable.pytree import arrays
from sable.tree_util import tree_flatten, tree_leaves

from .branches import cond
from .control_bodies import (
    captures_first,
    carrying,
    check_predicate,
    checkpointed,
    same_types,
    selected,
    settled,
    trace_body,
    with_known,
    write_back,
    written_by,
)


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
def while_loop(cond_fun: Callable, body_fun: Callable, init_val: Any, *, max_steps: int | None = None) -> Any:
    """Repeat the body while the condition holds; forward derivatives only, unless there is a bound.

    Args:
      cond_fun: carry -> a boolean scalar.
      body_fun: carry -> carry of the same structure, shapes and dtypes.
      init_val: first carry, a pytree of arrays.
      max_steps: after so many steps it ends in any case. Then it has reverse derivatives too, which keep O(log max_steps)
        carries and compute each step O(log max_steps) times, up to the step at which the loop ends: checkpoints in levels
        (Griewank and Walther, "Evaluating Derivatives", chapter 12). JAX has no such argument.

    Returns:
      The carry for which the condition is False, or that after `max_steps`.

    Raises:
      TypeError: the condition is no boolean scalar; the carry changes its type; `max_steps` is no integer.
      ValueError: it is negative.

    Example:
      >>> lax.while_loop(lambda x: x < 100, lambda x: 2 * x, 3)
      Array(192, dtype=int32, weak_type=True)
      >>> root = lambda a: lax.while_loop(lambda x: jnp.abs(x * x - a) > 1e-5, lambda x: (x + a / x) / 2, a, max_steps=100)
      >>> root(2.0), jax.grad(root)(2.0)
      (Array(1.4142157, dtype=float32, weak_type=True), Array(0.35356593, dtype=float32, weak_type=True))
    """
    if not (callable(body_fun) and callable(cond_fun)):
        raise TypeError("lax.while_loop: body_fun and cond_fun arguments should be callable.")
    if max_steps is not None and operator.index(max_steps) < 0:
        raise ValueError(f"lax.while_loop: max_steps must not be negative, got {max_steps}")
    leaves, tree = arrays.flatten(init_val)
    values = [as_value(x) for x in leaves]
    if config.jax_disable_jit:
        carry = tree.unflatten(values)
        steps = itertools.count() if max_steps is None else range(max_steps)
        try:
            for _ in steps:
                if not cond_fun(carry):
                    break
                carry = body_fun(carry)
            return carry
        except ConcretizationTypeError:
            pass  # under vmap the condition is one for each example: the loop is traced all the same
    whole = arrays.flatten((init_val,))[1]
    body, values = settled(lambda avals: trace_body(body_fun, whole, avals, "while_loop"), values, len(values))
    same_types("while_loop body", body_fun, tree, [x.aval for x in values], body, body.out_tree)
    test = trace_body(cond_fun, whole, [x.aval for x in values], "while_loop")
    check_predicate("cond_fun must return a boolean scalar", test)
    if test.written:
        raise NotImplementedError(
            f"while_loop: the condition {function_name(cond_fun)} writes to a mutable array reference: write in the body"
        )
    if max_steps is not None:
        return _bounded(cond_fun, body_fun, tree.unflatten(values), max_steps)
    key_reuse.loop(body.function, values, len(values), "while_loop")
    refs = written_by(body)
    body, test = (carrying(t, refs, len(values)) for t in (body, test))
    values = [*present(refs), *values]
    n = len(values)
    going_on = captures_first(test, test.captures, n)
    out = bind(
        OPS["while"],
        *test.captures,
        *body.captures,
        *values,
        cond=selected(going_on, range(len(going_on.arguments)), [len(refs)]) if refs else going_on,
        body=captures_first(body, body.captures, n),
        cond_consts=len(test.captures),
        body_consts=len(body.captures),
    )
    return tree.unflatten(write_back(refs, out))


#: Steps of one level of a bounded loop: of n steps, the derivative keeps 4 log4 n carries, and computes each log4 n times.
_LEVEL = 4


def _bounded(cond_fun: Callable, body_fun: Callable, init: Any, max_steps: int) -> Any:
    """A `while_loop` of at most so many steps, as scans in scans of which each remembers where its steps begin."""

    def level(run: Callable, steps: int) -> Callable:
        return lambda state: scan(lambda s, _: (cond(s[1], run, lambda s: s, s), None), state, None, length=steps)[0]

    def step(state: Any) -> Any:
        i, _, carry = state
        return following(BIND.add(i, BIND.full(i.aval, 1)), body_fun(carry))

    def following(i: Value, carry: Any) -> Any:
        """Number of the step, whether there is one more, the carry."""
        below = BIND.compare(i, BIND.full(i.aval, max_steps), comparison_direction="LT")
        return i, BIND.bind(OPS["and"], below, as_value(cond_fun(carry))), carry

    zero = BIND.full(aval((), np.dtype(np.int32)), 0)
    run, done = step, 1
    while done < max_steps:
        steps = min(_LEVEL, -(-max_steps // done))
        run, done = level(run if done == 1 else checkpointed(run), steps), done * steps
    first = following(zero, init)
    return cond(first[1], run, lambda s: s, first)[2]


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


__all__ = ["fori_loop", "map", "scan", "while_loop"]
