"""jacfwd, jacrev, hessian: whole derivatives, by pushing or pulling every basis vector at once under vmap."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable.core.bind import BIND
from sable.core.boundary import boundary
from sable.core.dtypes import default_dtype, kind_of
from sable.core.float0 import is_float0
from sable.core.operands import filled
from sable.core.values import as_value
from sable.tree_util import tree_flatten, tree_leaves, tree_map, tree_structure, tree_unflatten

from .autodiff import jvp, vjp
from .batching import vmap
from .derivative_arguments import check_argnums, check_callable, check_input, check_output, leaf_name, partial_of


def _basis(tree: Any) -> Any:
    """A pytree like `tree` whose leaves hold, along a leading axis, the basis vectors of all leaves together."""
    leaves, structure = tree_flatten(tree)
    values = [as_value(x) for x in leaves]
    total = sum(x.aval.size for x in values)
    at, found = 0, []
    for x in values:
        a = x.aval
        block = np.zeros((total, a.size), a.dtype)
        block[at : at + a.size] = np.eye(a.size, dtype=a.dtype)
        found.append(BIND.literal(block.reshape(total, *a.shape)))
        at += a.size
    return tree_unflatten(structure, found)


def _slices(x: Any, sizes: Sequence[int], axis: int) -> list[Any]:
    """x cut along an axis into consecutive parts; derivatives of or by integers are zeros."""
    if is_float0(x):
        x = filled(x.shape, default_dtype("i"), 0)
    shape, at, parts = x.shape, 0, []
    for n in sizes:
        start = tuple(at if d == axis else 0 for d in range(len(shape)))
        limit = tuple(at + n if d == axis else s for d, s in enumerate(shape))
        parts.append(BIND.slice(x, start_indices=start, limit_indices=limit, strides=(1,) * len(shape)))
        at += n
    return parts


def _check_forward(what: str, x: Any, holomorphic: bool) -> None:
    """Raise TypeError where forward mode makes no Jacobian of an argument (or, if it is holomorphic, a result) like x."""
    dtype = as_value(x).aval.dtype
    if holomorphic and kind_of(dtype) != "c":
        raise TypeError(f"jacfwd with holomorphic=True requires {what} with complex dtype, but got {dtype.name}.")
    if not holomorphic and kind_of(dtype) != "f":
        raise TypeError(
            f"jacfwd requires real-valued {what} ({what.removesuffix('s')} dtype that is a sub-dtype of np.floating), but got "
            f"{dtype.name}. For holomorphic differentiation pass holomorphic=True; of other functions of complex numbers or "
            "integers take jax.jvp."
        )


def jacfwd(
    fun: Callable, argnums: int | Sequence[int] = 0, has_aux: bool = False, holomorphic: bool = False
) -> Callable:
    """Jacobian of `fun` by forward mode: one column for each element of the argument; good for tall Jacobians.

    Args:
      fun: a function of arrays and pytrees of arrays.
      argnums: positions of the arguments to differentiate with respect to; a tuple gives a tuple of Jacobians.
      has_aux: `fun` returns (value, aux).
      holomorphic: complex arguments and results, `fun` being holomorphic.

    Returns:
      A function giving a pytree like the output; each leaf has the shape `output.shape + argument.shape` (a pytree like
      the argument in its place where that is one); with has_aux a pair with aux.

    Raises:
      TypeError: arguments or results of another dtype than floats (complex numbers if `holomorphic`).
      ValueError: no such position.

    Example:
      >>> jax.jacfwd(lambda x: x**2)(jnp.array([1.0, 2.0]))
      Array([[2., 0.],
             [0., 4.]], dtype=float32)
    """
    check_callable(fun)

    @boundary
    @functools.wraps(fun)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        inner, picked = partial_of(fun, check_argnums(fun, argnums, args, ValueError), args, kwargs)
        for x in tree_leaves(picked):
            _check_forward("inputs", x, holomorphic)
        primals = tuple(picked)
        aux: list[Any] = []

        def push(tangents: Any) -> Any:
            out = jvp(inner, primals, tangents, has_aux=has_aux)
            return (out[0], out[1], out[2]) if has_aux else (out[0], out[1], None)

        y, columns, a = vmap(push, in_axes=0, out_axes=(None, -1, None))(_basis(primals))
        aux.append(a)
        for x in tree_leaves(y) if holomorphic else ():  # a complex result of real arguments has a complex derivative
            _check_forward("outputs", x, True)
        result = tree_map(lambda c: _unravel(c, primals, argnums, -1), columns)
        return (result, aux[0]) if has_aux else result

    return jacobian


def _unravel(block: Any, primals: tuple, argnums: Any, axis: int) -> Any:
    """The leading or last axis of a block of derivatives as pytree and shape of the arguments."""
    leaves, structure = tree_flatten(primals)
    shapes = [as_value(x).aval.shape for x in leaves]
    sizes = [int(np.prod(s)) for s in shapes]
    rest = block.shape[:-1] if axis == -1 else block.shape[1:]
    parts = _slices(block, sizes, len(block.shape) - 1 if axis == -1 else 0)
    shaped = [BIND.reshape(p, shape=(*rest, *s) if axis == -1 else (*s, *rest)) for p, s in zip(parts, shapes)]
    tree = tree_unflatten(structure, shaped)
    return tree[0] if isinstance(argnums, int) else tree


def jacrev(
    fun: Callable,
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
) -> Callable:
    """Jacobian of `fun` by reverse mode: one row for each element of the output; good for wide Jacobians.

    Args:
      fun, argnums, has_aux, holomorphic: as of `jacfwd`.
      allow_int: integer arguments are allowed and get float0 Jacobians.

    Returns:
      As for `jacfwd`.

    Raises:
      TypeError, ValueError: as of `jacfwd`.

    Example:
      >>> jax.jacrev(lambda x: x.sum() * x)(jnp.array([1.0, 2.0]))
      Array([[4., 1.],
             [2., 5.]], dtype=float32)
    """
    check_callable(fun)

    @boundary
    @functools.wraps(fun)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        chosen = check_argnums(fun, argnums, args, ValueError)
        inner, picked = partial_of(fun, chosen, args, kwargs)
        for k, x in enumerate(tree_leaves(picked)):
            name = functools.partial(leaf_name, fun, args, chosen, k)
            check_input("jacrev", as_value(x).aval, holomorphic, allow_int, name)
        out = vjp(inner, *picked, has_aux=has_aux)
        y, pull = out[0], out[1]
        for x in tree_leaves(y):
            check_output("jacrev", as_value(x).aval, holomorphic, fun)
        rows = vmap(pull)(_basis(y))
        rows = rows[0] if isinstance(argnums, int) else rows
        leaves, structure = tree_flatten(y)
        sizes = [as_value(x).aval.size for x in leaves]

        def rearrange(k: int) -> Any:
            def one(block: Any) -> Any:
                part = _slices(block, sizes, 0)[k]
                return BIND.reshape(part, shape=(*as_value(leaves[k]).aval.shape, *block.shape[1:]))

            return tree_map(one, rows)

        result = tree_unflatten(structure, [rearrange(k) for k in range(len(leaves))])
        return (result, out[2]) if has_aux else result

    return jacobian


jacobian = jacrev


def hessian(
    fun: Callable, argnums: int | Sequence[int] = 0, has_aux: bool = False, holomorphic: bool = False
) -> Callable:
    """Second derivatives of `fun`: forward over reverse mode.

    Args:
      fun, argnums, has_aux, holomorphic: as of `jacfwd`.

    Returns:
      A function giving the Jacobian of the Jacobian; with has_aux a pair with aux.

    Raises:
      TypeError: as of `jacfwd`.

    Example:
      >>> jax.hessian(lambda x: (x**3).sum())(jnp.array([1.0, 2.0]))
      Array([[ 6.,  0.],
             [ 0., 12.]], dtype=float32)
    """
    return jacfwd(jacrev(fun, argnums, has_aux, holomorphic), argnums, has_aux, holomorphic)


__all__ = ["hessian", "jacfwd", "jacobian", "jacrev", "tree_structure"]
