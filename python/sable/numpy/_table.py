"""Elementwise functions from tables: one row a function, one factory for those of one operand, one for two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.bind import OPS, bind
from sable.core.dtypes import kind_of
from sable.core.operands import array_arguments, promote
from sable.core.values import retype
from sable.ir.op import Op
from sable.library.declare import library

#: what a function does with operands of a dtype: an op and its parameters, or None if it takes several ops
Choice = Callable[[np.dtype], "tuple[Op, dict] | None"]


def single(name: str, **params: Any) -> Choice:
    """The same op for every dtype."""
    found = (OPS[name], params)
    return lambda dtype: found


def by_kind(**names: str | None) -> Choice:
    """An op for each kind of dtype (`b`, `i`, `u`, `f`, `c`); `other` stands for the rest."""
    table = {k: (OPS[n], {}) if n is not None else None for k, n in names.items()}
    other = table.get("other")
    return lambda dtype: table.get(kind_of(dtype), other)


def several(dtype: np.dtype) -> None:
    """The choice of functions that always take several ops."""
    return None


def _general(name: str, rule: str, choose: Choice, body: Callable | None, hardens: bool = False) -> Callable:
    def run(*xs: Any) -> Value:
        values = promote(name, xs, rule)
        chosen = choose(values[0].aval.dtype)
        if chosen is not None:
            op, params = chosen
            return bind(op, *values, **params)
        found = body(*values)  # type: ignore[misc]
        return retype(found, False) if hardens and found.aval.weak_type and _harden(name, xs) else found

    return run


def _harden(name: str, xs: Sequence[Any]) -> bool:
    """Whether shapes had to be broadcast, or no operand is weakly typed (of int32 and uint64 sums are)."""
    avals = [x.aval for x in array_arguments(name, *xs)]
    return len({a.shape for a in avals}) > 1 or not any(a.weak_type for a in avals)


def unary(
    name: str,
    meaning: str,
    choose: Choice = several,
    rule: str = "inexact",
    body: Callable | None = None,
    join: Callable | None = None,
) -> Callable[[str], Any]:
    """A function of one array.

    Args:
      name: its name in `sable.numpy`.
      meaning: the first line of its docstring.
      choose: the op for the dtype in which it computes, None where `body` says what to do.
      rule: how the argument's dtype is changed first; see `RULES`.
      body: `body(x)` in terms of ops, for dtypes without an op of their own.
      join: of a function that tests typed keys too, how the results for their words are put together.

    Returns:
      What makes the function, given its example: lines with prompts, indented by four, and what they print.
    """
    run = _general(name, rule, choose, body)

    def function(x: Any, /) -> Value:
        return run(x)

    arguments = "x: an array or scalar; lists are not accepted."
    return lambda example: _named(function, name, meaning, arguments, rule, "x", example, join)


def binary(
    name: str,
    meaning: str,
    choose: Choice = several,
    rule: str = "same",
    body: Callable | None = None,
    hardens: bool = False,
    join: Callable | None = None,
) -> Callable[[str], Any]:
    """A function of two arrays which broadcast; arguments as of `unary`.

    Args:
      hardens: results of `body` are not weakly typed if shapes had to be broadcast or no operand is (some functions of JAX's).
      join: of a function that compares typed keys too, how the results for their words are put together.
    """
    run = _general(name, rule, choose, body, hardens)

    def function(x1: Any, x2: Any, /) -> Value:
        return run(x1, x2)

    arguments = "x1, x2: arrays or scalars, which are promoted to one dtype and broadcast to one shape."
    return lambda example: _named(function, name, meaning, arguments, rule, "x1 and x2", example, join)


_RESULT = {
    "same": "An array in the common dtype, unless the first line says otherwise.",
    "numeric": "An array in the common dtype; booleans count as int32.",
    "inexact": "An array; booleans and integers become floats first.",
}

#: the beginning of a line of an example as it stands in the table, and in the docstring
_LINE, _DEEPER = "\n    ", "\n      "


def example_section(example: str) -> str:
    """The part of a docstring made of an example as it stands in a table."""
    return f"Example:{example.rstrip().replace(_LINE, _DEEPER)}"


def _named(
    function: Callable,
    name: str,
    meaning: str,
    arguments: str,
    rule: str,
    which: str,
    example: str,
    join: Callable | None,
) -> Any:
    function.__module__ = "sable.numpy"
    text = f"""{meaning}

    Args:
      {arguments}

    Returns:
      {_RESULT[rule]}

    Raises:
      TypeError: {which} cannot be read as an array or scalar, or the dtype has no such function.

    {example_section(example)}
    """
    operands = ("x", "x1", "x2")
    moves = None if join is None else operands
    return library(operands=operands, name=name, text=text, moves=moves, join=join)(function)
