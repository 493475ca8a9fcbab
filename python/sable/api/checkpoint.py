"""checkpoint (remat): functions whose derivatives compute values again in place of keeping them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sable._config import config
from sable.core.bind import bind
from sable.core.boundary import boundary
from sable.core.entries import shared_entries
from sable.core.primitives import primitive_of
from sable.core.references import present
from sable.core.state import STATE
from sable.core.tracing import argument_names, function_name, trace_flat
from sable.core.values import as_value, is_array_like
from sable.dialects.ops.checkpoint import EitherPolicy, Policy
from sable.ir.op import OPS, Op
from sable.pytree import arrays

from .static_arguments import StaticArguments

_NOTHING = Policy("nothing_saveable")


@dataclass(frozen=True)
class _UserPolicy:
    """A user's function as a policy of ops: it is asked about primitives."""

    function: Callable[..., bool]

    def __call__(self, what: Any, *avals: Any, **params: Any) -> bool:
        primitive = primitive_of(what, params) if isinstance(what, Op) else what
        return self.function(primitive, *avals, **params)

    def __repr__(self) -> str:
        return repr(self.function)


def _of_ops(policy: Callable[..., bool]) -> Any:
    if isinstance(policy, Policy):
        return policy
    if isinstance(policy, EitherPolicy):
        return EitherPolicy(_of_ops(policy.first), _of_ops(policy.second))
    return _UserPolicy(policy)


def checkpoint(
    fun: Callable,
    *,
    prevent_cse: bool | Sequence[bool] = True,
    policy: Callable[..., bool] | None = None,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Iterable[str] = (),
    concrete: bool = False,
) -> Callable:
    """A function that is differentiated with less memory: values that its derivative needs are computed again.

    Args:
      fun: takes and returns pytrees of arrays.
      prevent_cse: whether compilers are kept from recognising what is computed again; not needed in the body of a scan.
        A sequence counts as True if any of it is.
      policy: `(primitive, *avals, **params) -> bool`, asked for every operation whose result the derivative needs: True
        keeps the result. A primitive has JAX's `name`, which is its text too. None keeps nothing but the arguments. See
        `jax.checkpoint_policies`.
      static_argnums, static_argnames: arguments that are Python values, not arrays.
      concrete: must be False.

    Returns:
      A function of the same arguments and results.

    Raises:
      TypeError: `fun` is no function; an argument is no array and not static; the policy returns no boolean.
      NotImplementedError: `concrete=True`.

    Example:
      >>> import sable as jax, sable.numpy as jnp
      >>> f = jax.checkpoint(lambda x: jnp.sin(jnp.sin(x)))
      >>> jax.grad(f)(1.0)
      Array(0.36003944, dtype=float32, weak_type=True)
    """
    if not callable(fun):
        raise TypeError(f"checkpoint expects a function, got {fun!r}")
    if concrete:
        raise NotImplementedError("jax.checkpoint takes no concrete=True: mark the arguments with static_argnums")
    if policy is not None and not callable(policy):
        raise TypeError(f"checkpoint: policy must be a function of an op or None, got {policy!r}")
    cse = prevent_cse if isinstance(prevent_cse, bool) else any(prevent_cse)
    params = {"policy": _NOTHING if policy is None else _of_ops(policy), "prevent_cse": cse, "differentiated": False}
    static = StaticArguments(fun, static_argnums or None, static_argnames or None)
    entries = shared_entries(fun, ("checkpoint", static.argnums, static.argnames))

    @boundary
    @functools.wraps(fun)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        dynamic, left, key = static.split(args, kwargs)
        leaves, tree = arrays.flatten((dynamic, left))
        names = argument_names(fun, dynamic, left)
        for x, name in zip(leaves, names):
            if not is_array_like(x):
                raise TypeError(
                    f"checkpoint of {function_name(fun)}: {name} of type {type(x)} is not a valid JAX type; mark it with "
                    "static_argnums"
                )
        values = [as_value(x) for x in leaves]

        def call(tracers: list) -> Any:
            positional, keywords = static.join(key, *tree.unflatten(tracers))
            return fun(*positional, **keywords)

        avals = tuple(x.aval for x in values)
        signature = (tree, avals, key, config.trace_key, tuple(STATE.axes.items()))
        traced = entries.get(signature)
        if traced is None:
            traced = trace_flat(call, avals, fun=fun, kind="checkpoint", staged=True, names=names, references=True)
            if not traced.captures:  # what it closes over may be another the next time
                entries[signature] = traced
        out = bind(OPS["checkpoint"], *values, *present(traced.captures), callee=traced.function, **params)
        return traced.out_tree.unflatten(traced.settled(out))

    return checkpointed


def checkpoint_name(x: Any, name: str) -> Any:
    """The identity; policies know the value by its name.

    Args:
      x: a pytree of arrays.
      name: any text.

    Example:
      >>> import sable as jax
      >>> from sable.ad_checkpoint import checkpoint_name
      >>> keep = jax.checkpoint_policies.save_only_these_names("sine")
      >>> f = jax.checkpoint(lambda x: checkpoint_name(jax.numpy.sin(x), "sine") ** 2, policy=keep)
      >>> jax.grad(f)(1.0)
      Array(0.9092974, dtype=float32, weak_type=True)
    """
    if not isinstance(name, str):
        raise TypeError(f"checkpoint_name: the name must be a string, got {name!r}")
    return arrays.map(lambda leaf: bind(OPS["name"], as_value(leaf), name=name), x)
