"""Elements taken from one of several arrays: `select`, `choose`, `piecewise`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.operands import (
    array_argument,
    array_arguments,
    compare_to,
    convert,
    kind,
    known_values,
    promote_dtypes,
    truth,
    wrapped,
)
from sable.core.operands import select as select_op
from sable.core.values import retype
from sable.lax.branches import switch
from sable.library.declare import library

from .arrays import asarray
from .manipulation import broadcast_arrays
from .reductions import argmax
from .ufuncs import clip
from .ufuncs_logic import choose as choose_between
from .vectorization import vectorize


@library
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Value:
    """For each element that of the first choice whose condition is true.

    Args:
      condlist: arrays; what is not boolean is compared with zero.
      choicelist: as many arrays; all broadcast.
      default: elements for which no condition is true.

    Raises:
      ValueError: the lists are empty or differ in length. TypeError: an argument is no array.

    Example:
      >>> x = jnp.arange(5)
      >>> jnp.select([x < 2, x < 4], [x, 10 * x], default=-1)
      Array([ 0,  1, 20, 30, -1], dtype=int32)
    """
    if len(condlist) != len(choicelist):
        raise ValueError(
            f"condlist must have length equal to choicelist ({len(condlist)} vs {len(choicelist)}): one for each"
        )
    if not len(condlist):
        raise ValueError("condlist must be non-empty")
    values = array_arguments("select", *condlist, *choicelist, default)
    *choices, made = promote_dtypes(values[len(condlist) :])
    for condition, choice in zip(values[len(condlist) - 1 :: -1], choices[::-1]):
        made = choose_between(truth(condition), choice, made)
    return made


@library
def choose(a: Any, choices: Any, out: None = None, mode: str = "raise") -> Value:
    """For each element of an array of integers the element of the choice of that number.

    Args:
      a: integers.
      choices: a sequence of arrays, or an array with one in each row; they broadcast against `a`.
      mode: for numbers of no choice: "raise" (known arrays only), "wrap" or "clip".

    Raises:
      ValueError: `a` has no integers; a number of no choice in mode "raise"; an unknown mode.
      ConcretizationTypeError: a traced array in mode "raise". NotImplementedError: `out`.

    Example:
      >>> choices = [jnp.array([0, 1, 2]), jnp.array([10, 11, 12])]
      >>> jnp.choose(jnp.array([1, 0, 1]), choices)
      Array([10,  1, 12], dtype=int32)
      >>> jnp.choose(jnp.array([1, 0, 2]), choices, mode="clip")
      Array([10,  1, 12], dtype=int32)
    """
    if out is not None:
        raise NotImplementedError("The 'out' argument to jnp.choose is not supported.")
    numbers, *cases = array_arguments("choose", a, *choices)
    if kind(numbers) not in "iu":
        raise ValueError("`a` array must be integer typed")
    numbers = _numbers_inside(numbers, len(cases), mode)
    numbers, *cases = broadcast_arrays(numbers, *promote_dtypes(cases))
    made = cases[0]
    for i, case in enumerate(cases[1:], 1):
        made = select_op(compare_to(numbers, i, "EQ"), case, made)
    return retype(made, False)


def _numbers_inside(numbers: Value, n: int, mode: str) -> Value:
    if mode == "wrap":
        return wrapped(numbers, n)
    if mode == "clip":
        return clip(numbers, 0, n - 1)
    if mode != "raise":
        raise ValueError(f"mode={mode!r} not understood. Must be 'raise', 'wrap', or 'clip'")
    values = known_values(
        numbers,
        "The error occurred because jnp.choose was jit-compiled with mode='raise'. Use mode='wrap' or mode='clip' instead.",
    )
    if np.any((values < 0) | (values >= n)):
        raise ValueError("invalid entry in choice array")
    return numbers


def piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Value:
    """For each element what the function of the last condition that is true gives for it.

    Args:
      x: array.
      condlist: n arrays of booleans, which broadcast against x; what is not boolean is compared with zero.
      funclist: n functions of an element, or numbers for functions that are constant; and one more for where no condition
        is true (else it is 0). Results are converted to x's dtype.
      *args, **kw: what the functions get besides.

    Returns:
      An array of x's dtype.

    Raises:
      ValueError: numbers of conditions and functions do not fit.

    Example:
      >>> x = jnp.array([-2.0, 0.5, 3.0])
      >>> jnp.piecewise(x, [x < 0, x > 1], [lambda v: -v, 1.0, lambda v: v**2])
      Array([2.  , 0.25, 1.  ], dtype=float32)
    """
    value = array_argument("piecewise", x)
    n = len(condlist)
    if len(funclist) not in (n, n + 1):
        raise ValueError(f"with {n} condition(s), either {n} or {n + 1} functions are expected; got {len(funclist)}")
    default = funclist[n] if len(funclist) > n else 0
    dtype = value.aval.dtype

    def branch(f: Any) -> Callable:
        if callable(f):
            return lambda y: asarray(f(y, *args, **kw)).astype(dtype)
        return lambda y: asarray(f, dtype=dtype)

    branches = [branch(f) for f in (default, *funclist[:n])]
    conditions = asarray(condlist, dtype=bool)
    found = convert(conditions, np.dtype(np.int32))
    # the last that is true is where the number of true ones so far is first the largest; 0 if there is none
    counts = BIND.cumsum(found, axis=0, reverse=False)
    none = BIND.full(found.aval.update(shape=(1, *found.aval.shape[1:])), 0)
    numbers = argmax(BIND.concatenate(none, counts, dimension=0), 0)
    return vectorize(lambda i, y: switch(i, branches, y))(numbers, value)
