"""Derivatives by sparse arrays: by what they store."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import sable.api.autodiff as autodiff
import sable.api.jacobian as jacobians
import sable.numpy as jnp
from sable.api.abstract import eval_shape
from sable.tree_util import tree_flatten, tree_unflatten

from ._base import JAXSparse
from ._bcoo import BCOO


def _is_sparse(x: Any) -> bool:
    return isinstance(x, JAXSparse)


def _data(x: Any) -> Any:
    return x.data if _is_sparse(x) else x


def _with_data(x: Any, data: Any) -> Any:
    """A sparse array with the same indices and other data."""
    if not _is_sparse(x):
        return data
    children, aux = x.tree_flatten()
    return type(x).tree_unflatten(aux, (data, *children[1:]))


def _positions(argnums: int | Sequence[int], count: int) -> tuple[int, ...]:
    given = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    if any(not -count <= i < count for i in given):
        raise ValueError(
            f"differentiating with respect to argnums={argnums} requires more positional arguments than {count}"
        )
    return tuple(i % count for i in given)


def _split(fun: Callable, argnums: int | Sequence[int], args: tuple, kwargs: dict) -> tuple[Callable, list, list]:
    """A function of the data alone; the data, by argument, and the arguments."""
    at = _positions(argnums, len(args))
    leaves = [tree_flatten(args[i], is_leaf=_is_sparse) for i in at]

    def of_data(*parts: list) -> Any:
        given = list(args)
        for i, (own, tree), new in zip(at, leaves, parts):
            given[i] = tree_unflatten(tree, [_with_data(x, d) for x, d in zip(own, new)])
        return fun(*given, **kwargs)

    return of_data, [[_data(x) for x in own] for own, _ in leaves], leaves


def _gradient(argnums: int | Sequence[int], found: Sequence[list], leaves: list) -> Any:
    """Derivatives by data as arguments with these data."""
    made = [
        tree_unflatten(tree, [_with_data(x, d) for x, d in zip(own, parts)])
        for (own, tree), parts in zip(leaves, found)
    ]
    return made[0] if isinstance(argnums, int) else tuple(made)


def value_and_grad(
    fun: Callable, argnums: int | Sequence[int] = 0, has_aux: bool = False, **kwargs: Any
) -> Callable[..., tuple[Any, Any]]:
    """Value and gradient of a function of sparse arrays: `jax.value_and_grad`.

    The gradient by a sparse array is one with its indices: of the derivatives by the elements that are stored.

    Args:
      fun: function of pytrees of arrays and sparse arrays.
      argnums: which arguments.
      has_aux: whether fun returns `(value, auxiliary)`.
      kwargs: further arguments of `jax.value_and_grad`.

    Returns:
      Function of the same arguments.

    Raises:
      ValueError: an argument that is not there.

    Example:
      >>> import sable.numpy as jnp
      >>> from sable.experimental import sparse
      >>> value, slope = value_and_grad(lambda m, v: (m @ v).sum())(sparse.eye(2), jnp.arange(2.0))
      >>> value, slope.data
      (Array(1., dtype=float32), Array([0., 1.], dtype=float32))
    """

    @functools.wraps(fun)
    def differentiated(*args: Any, **named: Any) -> tuple[Any, Any]:
        of_data, data, leaves = _split(fun, argnums, args, named)
        every = tuple(range(len(data)))
        value, found = autodiff.value_and_grad(of_data, argnums=every, has_aux=has_aux, **kwargs)(*data)
        return value, _gradient(argnums, found, leaves)

    return differentiated


def grad(fun: Callable, argnums: int | Sequence[int] = 0, has_aux: bool = False, **kwargs: Any) -> Callable:
    """The gradient of a function of sparse arrays: `jax.grad`.

    Args:
      fun, argnums, has_aux, kwargs: as of `value_and_grad`.

    Returns:
      Function of the same arguments: the gradient, with has_aux and the auxiliary.

    Raises:
      ValueError: an argument that is not there.

    Example:
      >>> import sable.numpy as jnp
      >>> from sable.experimental import sparse
      >>> grad(lambda m, v: (m @ v).sum())(sparse.eye(2), jnp.arange(2.0)).data
      Array([0., 1.], dtype=float32)
    """
    both = value_and_grad(fun, argnums, has_aux, **kwargs)

    @functools.wraps(fun)
    def differentiated(*args: Any, **named: Any) -> Any:
        value, found = both(*args, **named)
        return (found, value[1]) if has_aux else found

    return differentiated


def _rows(x: Any, data: Any) -> Any:
    """The Jacobian by an argument, of that by its data: one batch axis more for each axis of the result."""
    if not _is_sparse(x):
        return data
    if not isinstance(x, BCOO):
        raise NotImplementedError(f"Jacobians by {type(x).__name__} arrays, which have no batch axes; BCOO has")
    outer = data.shape[: data.ndim - x.data.ndim]
    indices = jnp.broadcast_to(x.indices, (*outer, *x.indices.shape))
    flags = {"indices_sorted": x.indices_sorted, "unique_indices": x.unique_indices}
    return BCOO((data, indices), shape=(*outer, *x.shape), **flags)


def _jacobian(transformation: Callable, fun: Callable, argnums: Any, has_aux: bool, options: dict) -> Callable:
    @functools.wraps(fun)
    def differentiated(*args: Any, **named: Any) -> Any:
        of_data, data, leaves = _split(fun, argnums, args, named)
        every = tuple(range(len(data)))
        out = transformation(of_data, argnums=every, has_aux=has_aux, **options)(*data)
        found, aux = out if has_aux else (out, None)
        # each leaf of the result has become as many as the arguments have
        flat, _ = tree_flatten(found)
        inner = sum(len(own) for own, _ in leaves)
        shape_of = eval_shape(of_data, *data)
        results, tree = tree_flatten(shape_of[0] if has_aux else shape_of)
        made = []
        for k in range(len(results)):
            group = flat[k * inner : (k + 1) * inner]
            parts = []
            for own, _ in leaves:
                parts.append([_rows(x, group.pop(0)) for x in own])
            each = [tree_unflatten(t, p) for (_, t), p in zip(leaves, parts)]
            made.append(each[0] if isinstance(argnums, int) else tuple(each))
        found = tree_unflatten(tree, made)
        return (found, aux) if has_aux else found

    return differentiated


def jacfwd(fun: Callable, argnums: int | Sequence[int] = 0, has_aux: bool = False, **kwargs: Any) -> Callable:
    """The Jacobian of a function of sparse arrays, forwards: `jax.jacfwd`.

    That by a BCOO array is one with its indices, for each element of the result.

    Args:
      fun: function of pytrees of arrays and BCOO arrays, to a pytree of arrays.
      argnums: which arguments.
      has_aux: whether fun returns `(result, auxiliary)`.
      kwargs: further arguments of `jax.jacfwd`.

    Returns:
      Function of the same arguments.

    Raises:
      ValueError: an argument that is not there.
      NotImplementedError: an argument in another format.

    Example:
      >>> import sable.numpy as jnp
      >>> from sable.experimental import sparse
      >>> jacfwd(lambda m, v: m @ v)(sparse.eye(2), jnp.arange(2.0))
      BCOO(float32[2, 2, 2], nse=2, n_batch=1)
    """
    return _jacobian(jacobians.jacfwd, fun, argnums, has_aux, kwargs)


def jacrev(fun: Callable, argnums: int | Sequence[int] = 0, has_aux: bool = False, **kwargs: Any) -> Callable:
    """The Jacobian of a function of sparse arrays, backwards: `jax.jacrev`.

    Args:
      fun, argnums, has_aux, kwargs: as of `jacfwd`.

    Returns:
      Function of the same arguments.

    Raises:
      ValueError: an argument that is not there.
      NotImplementedError: an argument in another format.

    Example:
      >>> import sable.numpy as jnp
      >>> from sable.experimental import sparse
      >>> jacrev(lambda m, v: m @ v)(sparse.eye(2), jnp.arange(2.0))
      BCOO(float32[2, 2, 2], nse=2, n_batch=1)
    """
    return _jacobian(jacobians.jacrev, fun, argnums, has_aux, kwargs)


jacobian = jacrev
