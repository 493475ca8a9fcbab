"""Bodies of loops and branches: traced, compared with what goes in, given what they close over."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable._config import config
from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.dtypes import promote_avals
from sable.core.entries import shared_entries
from sable.core.extended import seen_avals
from sable.core.references import Ref, present
from sable.core.state import STATE
from sable.core.tracing import Traced, trace_flat
from sable.core.values import as_value, retype
from sable.dialects.ops.checkpoint import Policy
from sable.ir.aval import Aval
from sable.ir.function import Function, FunctionBuilder, interpret
from sable.ir.op import OPS
from sable.pytree import arrays
from sable.pytree.registry import treedef_differences
from sable.tree_util import keystr


def trace_body(fun: Callable, tree: Any, avals: Sequence[Aval], kind: str) -> Traced:
    """Trace a body, which is done once for each signature where it closes over no arrays."""
    entries = shared_entries(fun, (kind,))
    key = (tree, tuple(avals), config.trace_key, tuple(STATE.axes.items()))
    found = entries.get(key)
    if found is None or config.jax_debug_key_reuse or config.jax_check_tracer_leaks:  # these look at what is traced

        def call(tracers: list) -> Any:
            return fun(*tree.unflatten(tracers))

        found = trace_flat(call, avals, fun=fun, kind=kind, staged=True, references=True)._replace(trace=None)
        if not found.captures:
            entries[key] = found
    return found


def checkpointed(fun: Callable) -> Callable:
    """A function of one pytree whose derivative computes its residuals again, in the body of a loop."""

    def call(x: Any) -> Any:
        leaves, tree = arrays.flatten((x,))
        values = [as_value(leaf) for leaf in leaves]
        traced = trace_body(fun, tree, [v.aval for v in values], "checkpoint")
        params = {"policy": Policy("nothing_saveable"), "prevent_cse": False, "differentiated": False}
        out = BIND.bind(OPS["checkpoint"], *values, *present(traced.captures), callee=traced.function, **params)
        return traced.out_tree.unflatten(traced.settled(out))

    return functools.update_wrapper(call, fun)


def captures_first(traced: Traced, captures: list[Value], n: int) -> Function:
    """The traced function taking `captures` (of several functions together) before its own n arguments."""
    f = traced.function
    avals = [x.aval for x in captures]
    made = Function([*avals, *f.in_avals[:n]], f.name)
    place = {id(x): v for x, v in zip(captures, made.arguments)}
    own = made.arguments[len(captures) :]
    args = [*own, *[place[id(x)] for x in traced.captures]]
    return made.finish(interpret(f, args, FunctionBuilder(made)), f.out_avals)


def written_by(*bodies: Traced) -> list[Ref]:
    """The references that bodies of one loop, or branches, write to."""
    return list(dict.fromkeys(ref for t in bodies for ref in t.written))  # type: ignore[misc]


def carrying(traced: Traced, refs: Sequence[Ref], n: int) -> Traced:
    """The body as a pure function: `refs` are arguments before its own n ones, and results before its own.

    References that it only reads are captures, as what they hold now.
    """
    f = traced.function
    if not traced.touches and not refs:
        return traced
    others = [x for x in traced.captures if x not in refs]
    made = Function([*[r.inner for r in refs], *f.in_avals[:n], *[x.aval for x in present(others)]], f.name)
    place = dict(zip(map(id, [*refs, *others]), [*made.arguments[: len(refs)], *made.arguments[len(refs) + n :]]))
    own = made.arguments[len(refs) : len(refs) + n]
    found = interpret(f, [*own, *[place[id(x)] for x in traced.captures]], FunctionBuilder(made))
    count = len(traced.out_avals)
    last = dict(zip(traced.written, found[count:]))
    outs = [last.get(r, place[id(r)]) for r in refs]
    closed = made.finish([*outs, *found[:count]], [*[r.inner for r in refs], *traced.out_avals])
    return Traced(closed, present(others), traced.out_tree, None)


def write_back(refs: Sequence[Ref], outs: Sequence[Value]) -> Sequence[Value]:
    """What is left of the results of a `carrying` body's op when those for the references have been written."""
    for ref, x in zip(refs, outs):
        ref.write(x)
    return outs[len(refs) :]


def union(*lists: Sequence[Value]) -> list[Value]:
    return list({id(x): x for values in lists for x in values}.values())


def same_types(what: str, fun: Callable, tree_in: Any, avals_in: Sequence[Any], traced: Traced, tree_out: Any) -> None:
    """The carry must come out as it went in.

    Raises:
      TypeError: names each component that differs.
    """
    name = _first_parameter(fun)
    start = f"{what} function carry input and carry output must have"
    avals_in, avals_out = seen_avals(tree_in, avals_in), seen_avals(tree_out, traced.out_avals)
    seen_in, seen_out = arrays.seen(tree_in), arrays.seen(tree_out)
    if seen_in != seen_out:
        found = [
            (path, f"is a {one} but the corresponding component of the carry output is a {other}, so {why}")
            for path, one, other, why in treedef_differences(seen_in, seen_out)
        ]
        raise TypeError(
            f"{start} the same pytree structure, but they differ:\n\n{_listed(name, found)}\n\nRevise the function so that "
            "the carry output has the same pytree structure as the carry input."
        )
    paths = arrays.paths(tree_in)
    found = [
        (
            path,
            f"has type {a.short()} but the corresponding output carry component has type {o.short()}, so {_unequal(a, o)}",
        )
        for path, a, o in zip(paths, avals_in, avals_out)
        if a.shape != o.shape or a.dtype != o.dtype
    ]
    if found:
        raise TypeError(
            f"{start} equal types, but they differ:\n\n{_listed(name, found)}\n\nRevise the function so that all output "
            "types match the corresponding input types."
        )


def _first_parameter(fun: Callable) -> str:
    try:
        return next(iter(inspect.signature(fun).parameters), "carry")
    except (TypeError, ValueError):  # functions written in C need have no signature
        return "carry"


def _unequal(a: Any, o: Any) -> str:
    parts = ["the dtypes do not match"] * (a.dtype != o.dtype) + ["the shapes do not match"] * (a.shape != o.shape)
    return ", and ".join(parts)


def _listed(name: str, found: list[tuple[Any, str]]) -> str:
    """One sentence, or a list of several, about components of the carry."""
    texts = [f"input carry {'component ' * bool(path)}{name}{keystr(path)} {text}" for path, text in found]
    if len(texts) == 1:
        return f"The {texts[0]}."
    return ";\n".join(f"  * the {text}" for text in texts) + "."


def settled(trace: Callable, values: list[Value], n: int) -> tuple[Any, list[Value]]:
    """Trace with the first n values as carry, promoting weakly typed ones to what the body makes of them."""
    for _ in range(n + 1):
        traced = trace([x.aval for x in values[:n]])
        changed = False
        for i, (x, out) in enumerate(zip(values[:n], traced.out_avals[:n])):
            if x.aval.weak_type and (x.aval.dtype != out.dtype) and x.aval.shape == out.shape:
                dtype, weak = promote_avals((x.aval, out))
                if dtype != x.aval.dtype:
                    values[i] = retype(BIND.convert(x, dtype=dtype), weak)
                    changed = True
            elif x.aval.weak_type and not out.weak_type and x.aval.shape == out.shape:
                values[i] = retype(x, False)
                changed = True
        if not changed:
            return traced, values
    return traced, values


def selected(f: Function, arguments: Sequence[int], outputs: Sequence[int]) -> Function:
    """The function taking its arguments in another order and returning some of its results."""
    made = Function([f.in_avals[i] for i in arguments], f.name)
    values = dict(zip(arguments, made.arguments))
    found = interpret(f, [values[i] for i in range(len(f.arguments))], FunctionBuilder(made))
    return made.finish([found[k] for k in outputs], [f.out_avals[k] for k in outputs])


def with_known(found: Sequence[Value], known: dict[int, Value], avals: Sequence[Aval]) -> list[Value]:
    """The results of an op with those between them that are known without it."""
    rest = iter(found)
    return [retype(known[k], a.weak_type) if k in known else next(rest) for k, a in enumerate(avals)]


def check_branches(what: str, traced: Sequence[Traced], names: Sequence[str]) -> None:
    first, one = (traced[-1], names[-1]) if what == "cond" else (traced[0], names[0])
    wanted, types = arrays.seen(first.out_tree), seen_avals(first.out_tree, first.out_avals)
    for t, name in zip(traced, names):
        tree, own = arrays.seen(t.out_tree), seen_avals(t.out_tree, t.out_avals)
        if tree != wanted:
            lines = [
                f"{one} output at path {keystr(path)} is a {x} but {name} output at path {keystr(path)} is a {y}, so {why}."
                for path, x, y, why in treedef_differences(wanted, tree)
            ]
            raise TypeError(
                f"{what} branch outputs must have the same pytree structure, but they differ:\n\n" + "\n".join(lines)
            )
        paths = arrays.paths(t.out_tree)
        lines = [
            f"The output of {one}{' at path ' * bool(path)}{keystr(path)} has type {a.short()} but the corresponding output of "
            f"{name} has type {o.short()}, so {_unequal(a, o)}."
            for path, a, o in zip(paths, types, own)
            if a.shape != o.shape or a.dtype != o.dtype
        ]
        if lines:
            raise TypeError(f"{what} branches must have equal output types but they differ.\n\n" + "\n".join(lines))


def equal_outputs(branches: list[Function]) -> list[Function]:
    """A result is weakly typed where it is in all branches."""
    for k, outs in enumerate(zip(*[f.out_avals for f in branches])):
        weak = all(a.weak_type for a in outs)
        for f in branches:
            f.out_avals[k] = f.out_avals[k].update(weak_type=weak)
    return branches


def check_predicate(what: str, traced: Traced) -> None:
    tree = arrays.seen(traced.out_tree)
    if tree.num_leaves != 1 or tree.num_nodes != 1:
        raise TypeError(f"{what}, but got pytree {tree}.")
    (a,) = seen_avals(traced.out_tree, traced.out_avals)
    if a.shape or a.dtype != np.bool_:
        raise TypeError(f"{what}, but got output type(s) [{a!r}].")


__all__ = [
    "captures_first",
    "carrying",
    "check_branches",
    "check_predicate",
    "checkpointed",
    "equal_outputs",
    "same_types",
    "selected",
    "settled",
    "trace_body",
    "union",
    "with_known",
    "write_back",
    "written_by",
]
