"""fwd_and_bwd: the two halves of reverse mode as functions of their own, each compiled once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .autodiff import vjp
from .compilation import jit
from .static_arguments import as_tuple


def fwd_and_bwd(
    fun: Callable, argnums: int | Sequence[int], has_aux: bool = False, jitted: bool = True
) -> tuple[Callable, Callable]:
    """The forward and the backward pass of a function, as two functions.

    Args:
      fun: the function.
      argnums: the positional arguments whose cotangents are wanted, an int or several.
      has_aux: whether `fun` returns a pair whose second element is not differentiated.
      jitted: whether both are compiled.

    Returns:
      `fwd`, of the arguments, which returns the results and residuals (and, with has_aux, what is not differentiated);
      `bwd`, of residuals and the cotangents of the results, which returns those of the arguments: one where argnums is an
      int, else a tuple.

    Raises:
      TypeError: `fun` is not callable.

    Example:
      >>> import sable as jax, sable.numpy as jnp
      >>> fwd, bwd = jax.fwd_and_bwd(lambda x, w: x * w, argnums=1)
      >>> y, residuals = fwd(2.0, 3.0)
      >>> print(y, bwd(residuals, 1.0))
      6.0 2.0
    """
    if not callable(fun):
        raise TypeError(f"Expected a callable value, got {fun}")
    positions = as_tuple(argnums, int, "argnums")

    def fwd(*args: Any, **kwargs: Any) -> tuple:
        def of_those(*moving: Any) -> Any:
            given = list(args)
            for i, x in zip(positions, moving):
                given[i] = x
            return fun(*given, **kwargs)

        return vjp(of_those, *[args[i] for i in positions], has_aux=has_aux)

    def bwd(residuals: Callable, cotangents: Any) -> Any:
        found = residuals(cotangents)
        return found[0] if isinstance(argnums, int) else found

    return (jit(fwd), jit(bwd)) if jitted else (fwd, bwd)


__all__ = ["fwd_and_bwd"]
