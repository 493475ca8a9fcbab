"""`einsum`: sums of products of labelled axes, two arrays at a time."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.operands import array_arguments, convert, dtype_argument, promote_dtypes
from sable.core.precision import precision_config
from sable.core.values import retype
from sable.library.declare import library

from .manipulation import moveaxis, permuted
from .matrices import diagonal
from .products import contract, summed

#: the axes that `...` stands for are labelled by their distance from the last one
_Labels = list


def _interleaved(operands: Sequence[Any]) -> tuple[list[Any], list[_Labels], _Labels | None]:
    """Arrays and labels of `einsum(x, [0, 1], y, [1, 2], [0, 2])`."""
    pairs = list(zip(operands[: len(operands) // 2 * 2 : 2], operands[1::2]))
    arrays = [x for x, _ in pairs]
    inputs = [list(labels) for _, labels in pairs]
    return arrays, inputs, list(operands[-1]) if len(operands) % 2 else None


def _tokens(text: str) -> _Labels:
    parts = text.replace(" ", "").replace("...", "\0")
    labels = [Ellipsis if c == "\0" else c for c in parts]
    for c in labels:
        if c is not Ellipsis and not c.isalpha():
            raise ValueError(f"Character {c!r} is not a valid symbol in einsum subscripts {text!r}.")
    return labels


def _from_text(subscripts: str, count: int) -> tuple[list[_Labels], _Labels | None]:
    if subscripts.count("->") > 1:
        raise ValueError(f"einsum subscripts can have one '->' only, got {subscripts!r}")
    left, arrow, right = subscripts.partition("->")
    inputs = [_tokens(part) for part in left.split(",")]
    if len(inputs) != count:
        raise ValueError(f"einsum subscripts {subscripts!r} are for {len(inputs)} operands, got {count}")
    return inputs, _tokens(right) if arrow else None


def _expanded(labels: _Labels, x: Value) -> _Labels:
    """Labels with `...` replaced: one label for each axis.

    Raises:
      ValueError: numbers of labels and of axes differ.
    """
    named = [label for label in labels if label is not Ellipsis]
    extra = x.aval.ndim - len(named)
    if extra < 0 or (extra and Ellipsis not in labels):
        raise ValueError(f"einsum labels {named} do not fit an operand of shape {x.aval.shape}")
    if Ellipsis not in labels:
        return named
    i = labels.index(Ellipsis)
    return [*labels[:i], *(("...", k) for k in range(extra, 0, -1)), *labels[i + 1 :]]


def _output(inputs: list[_Labels], given: _Labels | None) -> _Labels:
    dots = sorted({label for labels in inputs for label in labels if isinstance(label, tuple)}, reverse=True)
    if given is None:
        counts: dict[Any, int] = {}
        for label in itertools.chain.from_iterable(inputs):
            counts[label] = counts.get(label, 0) + 1
        return [*dots, *sorted(label for label, n in counts.items() if n == 1 and not isinstance(label, tuple))]
    known = set(itertools.chain.from_iterable(inputs))
    found = [part for label in given for part in (dots if label is Ellipsis else [label])]
    for label in found:
        if label not in known:
            raise ValueError(f"einsum output label {label!r} is not among the inputs'")
    if len(set(found)) != len(found):
        raise ValueError(f"einsum output labels must be distinct, got {found}")
    return found


def _diagonals(x: Value, labels: _Labels) -> tuple[Value, _Labels]:
    """An array in which each label occurs once."""
    while len(set(labels)) != len(labels):
        label = next(c for c in labels if labels.count(c) > 1)
        i = labels.index(label)
        j = labels.index(label, i + 1)
        if x.aval.shape[i] != x.aval.shape[j]:
            raise ValueError(f"einsum label {label!r} has two sizes, {x.aval.shape[i]} and {x.aval.shape[j]}")
        x = moveaxis(diagonal(x, 0, i, j), -1, i)
        labels = labels[:j] + labels[j + 1 :]
    return x, labels


def _check_sizes(values: Sequence[Value], inputs: Sequence[_Labels]) -> dict[Any, int]:
    sizes: dict[Any, int] = {}
    for x, labels in zip(values, inputs):
        for label, n in zip(labels, x.aval.shape):
            if sizes.setdefault(label, n) != n and n != 1:
                if sizes[label] != 1:
                    raise ValueError(f"einsum label {label!r} has two sizes, {sizes[label]} and {n}")
                sizes[label] = n
    return sizes


def _cheapest(inputs: Sequence[_Labels], out: _Labels, sizes: dict[Any, int]) -> tuple[int, int]:
    """The pair whose product takes the fewest multiplications; of equals, that with the smallest result."""

    def cost(pair: tuple[int, int]) -> tuple[int, int]:
        i, j = pair
        labels = set(inputs[i]) | set(inputs[j])
        kept = labels & _needed(inputs, out, pair)
        return math.prod(sizes[c] for c in labels), math.prod(sizes[c] for c in kept)

    return min(itertools.combinations(range(len(inputs)), 2), key=cost)


def _needed(inputs: Sequence[_Labels], out: _Labels, pair: tuple[int, int]) -> set:
    """Labels that the rest of the sum asks for."""
    return set(out).union(*(labels for k, labels in enumerate(inputs) if k not in pair))


@library
def einsum(
    subscripts: Any,
    /,
    *operands: Any,
    out: None = None,
    optimize: Any = "auto",
    precision: Any = None,
    preferred_element_type: Any = None,
    out_sharding: Any = None,
) -> Value:
    """Sum of products in Einstein's notation.

    Args:
      subscripts: labels of each operand's axes and of the result's, such as "ij,jk->ik"; without an arrow the labels
        that occur once make the result. `...` stands for further axes, which broadcast. Or the operands and lists
        of labels in turns: `einsum(x, [0, 1], y, [1, 2], [0, 2])`.
      *operands: arrays.
      optimize: accepted; the order of products is always chosen by cost, two arrays at a time. Of a path only this is
        checked.
      precision: precision of the products on accelerators.
      preferred_element_type: dtype of the sums.

    Raises:
      ValueError: labels do not fit the operands.
      NotImplementedError: a path that contracts three operands or more at once.

    Example:
      >>> x = jnp.arange(4.0).reshape(2, 2)
      >>> jnp.einsum("ii", x), jnp.einsum("ij->j", x), jnp.einsum("i...,i...", x, x)
      (Array(3., dtype=float32), Array([2., 4.], dtype=float32), Array([ 4., 10.], dtype=float32))
    """
    if out is not None:
        raise NotImplementedError("The 'out' argument to jnp.einsum is not supported.")
    if isinstance(subscripts, str):
        arrays, given = list(operands), None
        inputs, given = _from_text(subscripts, len(arrays))
    else:
        arrays, inputs, given = _interleaved((subscripts, *operands))
    if not arrays:
        raise TypeError("einsum needs at least one operand")
    _check_path(optimize)
    preferred = dtype_argument(preferred_element_type, "einsum")
    values = promote_dtypes(array_arguments("einsum", *arrays))
    weak = values[0].aval.weak_type
    inputs = [_expanded(labels, x) for labels, x in zip(inputs, values)]
    result = _output(inputs, given)
    pairs = [_diagonals(x, labels) for x, labels in zip(values, inputs)]
    made = _reduce(pairs, result, precision_config(precision), preferred)
    return convert(made, preferred) if preferred is not None else retype(made, weak)


def _check_path(optimize: Any) -> None:
    """Raise NotImplementedError for a path, a sequence of tuples of operand numbers, with a step of three or more."""
    steps = optimize if isinstance(optimize, (list, tuple)) else ()
    if any(isinstance(step, (list, tuple)) and len(step) > 2 for step in steps):
        raise NotImplementedError(
            "jax.numpy.einsum does not support simultaneous contraction of 3 or more operands, which the path given as "
            f"`optimize` asks for: {optimize}"
        )


def _reduce(pairs: list[tuple[Value, _Labels]], out: _Labels, precision: Any, preferred: Any) -> Value:
    sizes = _check_sizes([x for x, _ in pairs], [labels for _, labels in pairs])
    while len(pairs) > 1:
        inputs = [labels for _, labels in pairs]
        i, j = _cheapest(inputs, out, sizes)
        needed = _needed(inputs, out, (i, j))
        (x, xs), (y, ys) = pairs[i], pairs[j]
        if len(pairs) == 2:
            kept = out
        else:
            kept = [c for c in dict.fromkeys([*xs, *ys]) if c in needed]
        made = contract(x, xs, y, ys, kept, precision, preferred)
        pairs = [p for k, p in enumerate(pairs) if k not in (i, j)] + [(made, list(kept))]
        if preferred is not None:
            pairs = [(convert(x, preferred), labels) for x, labels in pairs]
    x, labels = pairs[0]
    gone = tuple(i for i, c in enumerate(labels) if c not in out)
    if gone:
        x, labels = summed(x, gone), [c for c in labels if c in out]
    return permuted(x, tuple(labels.index(c) for c in out))


def einsum_path(subscripts: Any, /, *operands: Any, optimize: Any = "auto") -> tuple[list, str]:
    """The order in which NumPy would multiply: the path, pairs of operand numbers, and a description of it.

    Args:
      subscripts, *operands: as for `einsum`.
      optimize: a way to search, as for NumPy; a path; False for the operands in their order.

    Example:
      >>> shapes = jnp.ones((2, 100)), jnp.ones((100, 100)), jnp.ones(100)
      >>> jnp.einsum_path("ij,jk,k->i", *shapes)[0]  # the matrix and the vector first
      [(1, 2), (0, 1)]
    """
    given = (subscripts, *operands)
    shapes = [np.empty(x.shape) if isinstance(x, Value) else x for x in given]
    way = "greedy" if optimize == "auto" else optimize
    if way is False:
        count = len(operands) if isinstance(subscripts, str) else len(given) // 2
        way = [(0, 1)] * (count - 1) or [(0,)]
    path, text = np.einsum_path(*shapes, optimize=["einsum_path", *way] if isinstance(way, list) else way)
    return path[1:], text  # NumPy's begins with its own name
