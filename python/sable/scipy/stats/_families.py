"""What the modules of distributions share: how a function of one is declared, and how one is made of another."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import sable.numpy as jnp
from sable.library.declare import library


def method(function: Callable | None = None, *, weak: bool = False) -> Any:
    """Declare a function of a distribution: all its parameters are operands, which meet in one inexact dtype.

    Errors about operands name the distribution, too, as JAX's do: `norm.logpdf`.

    Args:
      weak: integer arrays beside Python's floats make weakly typed results, as in those functions of JAX's that have no
        strongly typed constants.
    """
    if function is None:
        return functools.partial(method, weak=weak)
    code = function.__code__
    module = function.__module__.rpartition(".")[2]
    declare = library(
        operands=code.co_varnames[: code.co_argcount],
        promotion="inexact" if weak else "inexact, strong beside arrays",
        called=f"{module}.{function.__name__}",
    )
    return declare(function)


def composed(name: str, outer: Callable, inner: Any, text: str) -> Any:
    """The function `outer(inner(...))`, with the parameters of `inner`, a declared function of this distribution.

    Args:
      name, text: its name and docstring.
    """

    @functools.wraps(inner)
    def function(*args: Any, **kwargs: Any) -> Any:
        return outer(inner(*args, **kwargs))

    return library(operands=sorted(k for k in inner.__operands__ if isinstance(k, str)), name=name, text=text)(function)


def where_probability(q: Any, quantile: Any) -> Any:
    """The quantile where q is a probability, NaN elsewhere."""
    return jnp.where((q >= 0) & (q <= 1), quantile, jnp.nan)


def log1mexp(x: Any) -> Any:
    """log(1 - e^-x) for x >= 0, without cancellation.

    Source: M. Maechler, "Accurately computing log(1 - exp(-|a|))", 2012.
    """
    return jnp.where(x > math.log(2), jnp.log1p(-jnp.exp(-x)), jnp.log(-jnp.expm1(-x)))
