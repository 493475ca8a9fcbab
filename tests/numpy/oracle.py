"""One program under JAX and under Sable: results agree in value, shape, dtype and weak type, errors in their class."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

import sable

jax = pytest.importorskip("jax", reason="JAX is the oracle of these tests (it needs Python 3.11)")


def describe(x: Any) -> tuple:
    """Shape, dtype and weak type of an array; the type of anything else."""
    if not _is_array(x):
        return (type(x).__name__, x)
    return tuple(x.shape), str(x.dtype), bool(getattr(x, "weak_type", False))


def values(x: Any) -> np.ndarray:
    """An array's values as float64 or complex128, which hold those of all dtypes of 32 bits."""
    found = np.asarray(x)
    return found.astype(np.complex128 if found.dtype.kind == "c" else np.float64)


def outcome(module: Any, program: Callable, arguments: tuple) -> Any:
    """(result, None) or (None, error) of the program under a module."""
    converted = [module.numpy.asarray(a) if isinstance(a, np.ndarray) else a for a in arguments]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return program(module, *converted), None
        except Exception as error:
            return None, error


def assert_same(ours: Any, theirs: Any, rtol: float = 1e-6, atol: float = 1e-6, weak: bool = True) -> None:
    """Equal structures of equal arrays."""
    mine, yours = sable.tree_util.tree_leaves(ours), jax.tree_util.tree_leaves(theirs)
    described = [describe(x) for x in mine], [describe(x) for x in yours]
    if not weak:
        described = [d[:2] for d in described[0]], [d[:2] for d in described[1]]  # type: ignore[assignment]
    assert described[0] == described[1]
    for x, y in zip(mine, yours):
        if _is_array(x):
            np.testing.assert_allclose(values(x), values(y), rtol=rtol, atol=atol)


def check(program: Callable, *arguments: Any, rtol: float = 1e-6, atol: float = 1e-6, weak: bool = True) -> None:
    """The program `program(jax, *arguments)` does the same under both modules.

    NumPy arrays among the arguments become arrays of the module. An error has to have the same class (by name; base
    classes count, since our own are as fine as JAX's).
    """
    compare(outcome(jax, program, arguments), outcome(sable, program, arguments), rtol, atol, weak)


def compare(theirs_or_error: Any, ours_or_error: Any, rtol: float, atol: float, weak: bool) -> None:
    """Both `outcome`s are the same."""
    (theirs, their_error), (ours, our_error) = theirs_or_error, ours_or_error
    if their_error is None:
        if our_error is not None:
            raise our_error
        assert_same(ours, theirs, rtol, atol, weak)
        return
    assert our_error is not None, f"JAX raises {their_error!r}, Sable returns {ours}"
    names = {c.__name__ for c in type(our_error).__mro__}
    assert type(their_error).__name__ in names, f"JAX raises {their_error!r}, Sable raises {our_error!r}"


class Programs:
    """Programs of the same arguments, which JAX runs in one compiled program: many small compiles cost more.

    What cannot be traced, and what raises, runs by itself.

    Args:
      programs: by name: `program(module, *arguments)`.
      arguments: NumPy arrays become arrays of the module.
      alone: names of those of which JAX computes something else when it traces them.
    """

    def __init__(self, programs: Mapping[str, Callable], arguments: Sequence[Any] = (), alone: Sequence[str] = ()):
        self._programs, self._arguments, self._alone = programs, tuple(arguments), alone

    @classmethod
    def of_expressions(
        cls, evaluate: Callable, arrays: Mapping[str, Any], texts: Sequence[str], alone: Sequence[str] = ()
    ) -> Programs:
        """Expressions of arrays: `evaluate(module, text, **arrays)`."""

        def program(text: str) -> Callable:
            return lambda module, *values: evaluate(module, text, **dict(zip(arrays, values)))

        return cls({text: program(text) for text in texts}, list(arrays.values()), alone)

    @functools.cached_property
    def _traced(self) -> dict[str, Any]:
        return self._run([name for name in self._programs if name not in self._alone])

    def _run(self, names: list[str]) -> dict[str, Any]:
        outcomes: dict[str, Any] = {}

        def all_of(*arguments: Any) -> dict[str, list]:
            found = {name: outcome(jax, self._programs[name], arguments) for name in names}
            outcomes.update({name: result for name, (result, error) in found.items() if error is None})
            return {name: _arrays(result) for name, result in outcomes.items()}

        try:
            arrays = jax.jit(all_of)(*self._arguments)
        except Exception:  # one of them raises only where it is lowered
            half = len(names) // 2
            return {**self._run(names[:half]), **self._run(names[half:])} if half else {}
        for name, result in outcomes.items():
            leaves, tree = jax.tree_util.tree_flatten(result)
            rest = iter(arrays[name])
            outcomes[name] = jax.tree_util.tree_unflatten(tree, [next(rest) if _is_array(x) else x for x in leaves])
        return outcomes

    def check(self, name: str, rtol: float = 1e-6, atol: float = 1e-6, weak: bool = True) -> None:
        """As `check`, for the program of that name."""
        program = self._programs[name]
        if name in self._traced:
            theirs = self._traced[name], None
        else:
            theirs = outcome(jax, program, self._arguments)
        compare(theirs, outcome(sable, program, self._arguments), rtol, atol, weak)


def _is_array(x: Any) -> bool:
    return hasattr(x, "dtype") and hasattr(x, "shape")


def _arrays(tree: Any) -> list[Any]:
    return [x for x in jax.tree_util.tree_leaves(tree) if _is_array(x)]
