"""`checkpoint`: a call whose derivative computes residuals again in place of keeping them; `name` for its policies.

A policy decides about every value that the derivative needs: kept, or computed again from what is kept. The two-stage
builder asks it (`sable.passes.linearize`) while it fills the linear function. That function is a `checkpoint` again, so
higher derivatives follow the policy too, with `differentiated` set: a barrier before its operands then keeps compilers
from recognising what is computed again.
"""

from __future__ import annotations

import itertools
import logging
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sable._config import config
from sable.ir.aval import aval
from sable.ir.bindings import ir
from sable.ir.codec import BOOL, STRING, SYMBOL, Codec, DotDimensions
from sable.ir.op import Linear, Op, defop

from .calls import CallRules, call_ref, call_type, inlined
from .contraction import dot_general
from .convolution import convolution
from .functions import function_of, rearranged, spread, there
from .rules import elementwise, floats, sample

_LOGGER = logging.getLogger("sable.ad_checkpoint")

#: A value with a name by which policies know it; the identity.
name_value = defop(
    "name",
    dialect="sable",
    operands=("x",),
    params={"name": STRING},
    type=lambda x, name: x,
    ref=lambda x, name: x,
    jvp={"x": Linear(lambda b, t, y, x, name: t)},
    transpose={"x": lambda b, ct, avals, x, name: ct},
    batch=elementwise,
    samples=lambda: [
        sample(floats(), name="activation"),
        sample(np.int32(3), name="count", grad=False, why="integers"),
    ],
    lower=lambda b, x, name: x,
)

# ---- policies ------------------------------------------------------------------------------------------------


def _dots(op: Op, names: frozenset[str], params: dict) -> bool:
    return op is dot_general or op is convolution


def _unbatched_dots(op: Op, names: frozenset[str], params: dict) -> bool:
    return op is dot_general and not params["dot_dimension_numbers"].lhs_batching_dimensions


#: What each policy says of an op with its parameters, given the policy's names.
_KINDS: dict[str, Callable[[Op, frozenset[str], dict], bool]] = {
    "everything_saveable": lambda op, names, params: True,
    "nothing_saveable": lambda op, names, params: False,
    "dots_saveable": _dots,
    "dots_with_no_batch_dims_saveable": _unbatched_dots,
    "save_only_these_names": lambda op, names, params: op is name_value and params["name"] in names,
    "save_any_names_but_these": lambda op, names, params: op is name_value and params["name"] not in names,
    "save_anything_except_these_names": lambda op, names, params: op is not name_value or params["name"] not in names,
}


@dataclass(frozen=True)
class Policy:
    """One of the named policies: called with an op or a primitive, the operands' abstract values and the parameters.

    Attributes:
      kind: its name.
      names: for the kinds that are about names, in order.
    """

    kind: str
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise ValueError(f"no checkpoint policy is named {self.kind!r}; there are {', '.join(sorted(_KINDS))}")

    def __call__(self, what: Any, *avals: Any, **params: Any) -> bool:
        op = what if isinstance(what, Op) else what.op
        return _KINDS[self.kind](op, frozenset(self.names), params)


@dataclass(frozen=True)
class EitherPolicy:
    """Keeps what one of two policies keeps."""

    first: Callable[..., bool]
    second: Callable[..., bool]

    def __call__(self, what: Any, *avals: Any, **params: Any) -> bool:
        return self.first(what, *avals, **params) or self.second(what, *avals, **params)


#: Policies that are functions of the user's, and the numbers that stand for them in programs. The functions that a
#: checkpoint calls keep its policy alive (`_type`).
_USERS: weakref.WeakValueDictionary[int, Callable[..., bool]] = weakref.WeakValueDictionary()
_NUMBERS: weakref.WeakKeyDictionary[Callable[..., bool], int] = weakref.WeakKeyDictionary()
_NEW_NUMBERS = itertools.count()

_EITHER, _USER = "save_from_both_policies", "python"


def _number(policy: Callable[..., bool]) -> int:
    number = _NUMBERS.get(policy)
    if number is None or number not in _USERS:
        number = _NUMBERS[policy] = next(_NEW_NUMBERS)
        _USERS[number] = policy
    return number


def _users(policy: Any) -> list[Callable[..., bool]]:
    """The user's functions in a policy, each as the object that stands for all that are equal to it."""
    if isinstance(policy, EitherPolicy):
        return [*_users(policy.first), *_users(policy.second)]
    return [] if isinstance(policy, Policy) else [_USERS[_number(policy)]]


def _encode(policy: Any) -> Any:
    """`["save_only_these_names", "a", "b"]`."""
    if isinstance(policy, Policy):
        parts = [policy.kind, *policy.names]
    elif isinstance(policy, EitherPolicy):
        return ir.ArrayAttr.get([ir.StringAttr.get(_EITHER), _encode(policy.first), _encode(policy.second)])
    else:
        parts = [_USER, getattr(policy, "__qualname__", type(policy).__name__), str(_number(policy))]
    return ir.ArrayAttr.get([ir.StringAttr.get(part) for part in parts])


def _decode(attribute: Any) -> Any:
    head, *rest = ir.ArrayAttr(attribute)
    kind = ir.StringAttr(head).value
    if kind == _EITHER:
        return EitherPolicy(*map(_decode, rest))
    names = tuple(ir.StringAttr(name).value for name in rest)
    if kind != _USER:
        return Policy(kind, names)
    found = _USERS.get(int(names[1]))
    if found is None:
        raise ValueError(f"the checkpoint policy {names[0]} is a Python function, which only its own process knows")
    return found


POLICY = Codec(_encode, _decode, kind="a checkpoint policy", memo_size=0)


# ---- the op --------------------------------------------------------------------------------------------------


def _type(*avals: Any, callee: Any, policy: Any, **params: Any) -> tuple:
    for found in _users(policy):
        callee.memo["policy", id(found)] = found
    return call_type(*avals, callee=callee)


def _log(name: str, function: Any, saved: list) -> None:
    """The residuals, as `jax_log_checkpoint_residuals` asks."""
    level = logging.WARNING if config.jax_log_checkpoint_residuals else logging.DEBUG
    if not _LOGGER.isEnabledFor(level):
        return
    arguments = set(function.arguments)
    inputs = [f"  {v.aval.short()}" for v in saved if v in arguments]
    others = [v for v in saved if v not in arguments]
    made = {v: node for node in function.nodes() for v in node.results}
    described = [f"  {v.aval.short()} from {made[v].op.name}\n    at {made[v].location}" for v in others]
    lines = [f"checkpoint of {name} keeps"]
    for title, part in (("inputs:", inputs), ("intermediates:", described)):
        lines += [title, *part] if part else []
    _LOGGER.log(level, "\n".join(lines))


class CheckpointRules(CallRules):
    """A call; `linearize` keeps as residuals what the policy says, and the operands."""

    def linearize(self, passes, two, node, xs, tangents):
        p = node.params
        active = tuple(t is not None for t in tangents)
        made = passes.linearize_function(inlined(p["callee"]), active, keep=p["policy"])
        n = len(node.results)
        operand = dict(zip(made.forward.arguments, xs))
        saved = made.forward.outputs[n:]
        _log(p["callee"].name, made.forward, saved)
        computed = [n + k for k, v in enumerate(saved) if v not in operand]
        forward = rearranged(made.forward, range(len(xs)), [*range(n), *computed])
        out = two.inner.bind(node.op, *xs, **{**p, "callee": forward})
        rest = iter(out[n:])
        residuals = [two.residual(operand[v] if v in operand else next(rest)) for v in saved]
        again = {**p, "callee": made.linear, "differentiated": True}
        return out[:n], spread(two.linear.bind(node.op, *there(tangents), *residuals, **again), made.active)

    def lower(self, b, *operands, callee, policy, prevent_cse, differentiated):
        if differentiated and prevent_cse and operands:
            operands = b.optimization_barrier(*operands)
        return tuple(b.inline(callee, operands))

    def samples(self):
        a = aval((2, 2), np.dtype(np.float64))
        dot = {
            "dot_dimension_numbers": DotDimensions((), (), (1,), (0,)),
            "precision_config": None,
            "preferred_element_type": a.dtype,
        }

        def layer(b: Any, x: Any, w: Any) -> list:
            hidden = b.name(b.tanh(b.dot_general(x, w, **dot)), name="hidden")
            return [b.sine(b.multiply(hidden, hidden))]

        inner = function_of(layer, a, a, name="layer")
        nested = function_of(lambda b, x, w: [*b.call(*b.call(x, w, callee=inner), w, callee=inner)], a, a, name="two")
        operands = floats((2, 2), dtype=np.float64), floats((2, 2), dtype=np.float64, seed=1)
        rest = {"prevent_cse": True, "differentiated": False}
        policies = (
            Policy("nothing_saveable"),
            Policy("dots_saveable"),
            Policy("save_only_these_names", ("hidden", "other")),
        )
        found = [sample(*operands, callee=nested, policy=policy, **rest) for policy in policies]
        rest = {"prevent_cse": False, "differentiated": True}
        return [*found, sample(*operands, callee=inner, policy=Policy("everything_saveable"), **rest)]


checkpoint = defop(
    "checkpoint",
    dialect="sable",
    operands=("*operands",),
    params={"callee": SYMBOL, "policy": POLICY, "prevent_cse": BOOL, "differentiated": BOOL},
    type=_type,
    ref=call_ref,
    functions=CheckpointRules(),
    multiple_results=True,
)
