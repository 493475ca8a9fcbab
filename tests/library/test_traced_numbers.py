"""Numbers among the arguments: which of them JAX lets be traced values, may be traced here.

Every Python number and sequence of numbers that a sample is called with is traced, one at a time. Nothing is compiled: the
shapes, dtypes and weak types of the results are asked.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

import sable

from . import rows  # noqa: F401  (they fill the table)
from .table import CALLS, Call, apply, operands

jax = pytest.importorskip("jax", reason="JAX is the oracle of these tests (it needs Python 3.11)")

Place = tuple[Any, ...]


def _is_number(x: Any) -> bool:
    return isinstance(x, (int, float, complex)) and not isinstance(x, bool)


def _places(x: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Where there are numbers, and sequences of them, in the arguments of a sample."""
    if _is_number(x):
        yield place, x
    elif isinstance(x, dict):
        for k, y in x.items():
            yield from _places(y, (*place, k))
    elif type(x) in (list, tuple):
        if len(place) > 1 and x and all(map(_is_number, x)):
            yield place, x
        for i, y in enumerate(x):
            yield from _places(y, (*place, i))


def _put(x: Any, place: Place, value: Any) -> Any:
    if not place:
        return value
    first, *rest = place
    if isinstance(x, dict):
        return {k: _put(y, tuple(rest), value) if k == first else y for k, y in x.items()}
    return type(x)(_put(y, tuple(rest), value) if i == first else y for i, y in enumerate(x))


def _samples() -> dict[str, list[tuple[Call, Place, Any]]]:
    """For each module of the library: each place of each function once."""
    found: dict[str, list[tuple[Call, Place, Any]]] = {}
    seen = set()
    for sample in CALLS:
        for place, number in _places((sample.args, sample.kwargs)):
            key = (sample.function, place, type(number))
            if key not in seen:
                seen.add(key)
                found.setdefault(sample.function.split(".")[0], []).append((sample, place, number))
    return found


SAMPLES = _samples()


def _result(module: Any, sample: Call, place: Place, number: Any) -> list | Exception:
    def call(traced: Any) -> Any:
        args, kwargs = _put((sample.args, sample.kwargs), place, traced)
        changed = replace(sample, args=args, kwargs=kwargs)
        return apply(changed, module, operands(changed, module))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = module.eval_shape(call, module.numpy.asarray(number))
        except Exception as error:
            return error
    return [(x.shape, str(x.dtype), x.weak_type) for x in module.tree_util.tree_leaves(result)]


@pytest.mark.parametrize("module", SAMPLES)
def test_numbers_may_be_traced(module: str) -> None:
    wrong = []
    for sample, place, number in SAMPLES[module]:
        expected = _result(jax, sample, place, number)
        if not isinstance(expected, Exception) and _result(sable, sample, place, number) != expected:
            wrong.append((sample, place, expected, _result(sable, sample, place, number)))
    assert wrong == []
