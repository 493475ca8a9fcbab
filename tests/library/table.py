"""The table of samples: what each public function of the library is called with.

`add("numpy.sum", call(M, axis=0), call(M))` is a row of two samples. NumPy arrays and `Key`s among the arguments are the
operands: they become arrays of the module under test, are traced, batched and differentiated. All else is passed as
it is. The tests in `test_library.py` are generated from the rows; a new function needs a row and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Key:
    """A random key of that seed."""

    seed: int


@dataclass(frozen=True)
class Using:
    """An argument that needs the module: `Using(lambda jax: jax.numpy.sin)`."""

    make: Callable[[Any], Any]


@dataclass(frozen=True, eq=False)
class Call:
    """One sample.

    Attributes:
      function: path of the function below the module: `numpy.sum`.
      args, kwargs: what it is called with.
      rtol, atol: tolerance of values against JAX.
      without: modes among 'jit', 'grad', 'vmap' that are left out, for the reason `why`.
    """

    function: str
    args: tuple
    kwargs: dict[str, Any]
    rtol: float = 1e-5
    atol: float = 1e-5
    without: tuple[str, ...] = ()
    why: str = ""

    def __repr__(self) -> str:
        shown = [*map(_short, self.args), *(f"{k}={_short(v)}" for k, v in self.kwargs.items())]
        return f"{self.function}({', '.join(shown)})"


def _short(x: Any) -> str:
    return f"{x.dtype}{list(x.shape)}" if isinstance(x, np.ndarray) else repr(x)


#: every sample, in the order of the rows
CALLS: list[Call] = []


def call(*args: Any, **kwargs: Any) -> tuple[tuple, dict]:
    """The arguments of one sample."""
    return args, kwargs


def add(
    function: str,
    *samples: tuple[tuple, dict],
    rtol: float = 1e-5,
    atol: float = 1e-5,
    without: tuple[str, ...] = (),
    why: str = "",
) -> None:
    """A row: samples of one function.

    Raises:
      ValueError: modes are left out without a reason.
    """
    if without and not why:
        raise ValueError(f"{function}: {', '.join(without)} left out without a reason")
    blank = Call(function, (), {}, rtol, atol, without, why)
    CALLS.extend(replace(blank, args=args, kwargs=kwargs) for args, kwargs in samples)


def find(module: Any, path: str) -> Any:
    """The function of that path below a module."""
    for name in path.split("."):
        module = getattr(module, name)
    return module


def is_operand(x: Any) -> bool:
    """Whether an argument becomes an array of the module."""
    return isinstance(x, (np.ndarray, Key))


def operands(sample: Call, module: Any) -> list[Any]:
    """The sample's operands as arrays of a module: those in lists and tuples among the arguments, too."""
    found: list[Any] = []
    _replaced((sample.args, sample.kwargs), lambda x: found.append(x) or x)
    return [module.random.key(x.seed) if isinstance(x, Key) else module.numpy.asarray(x) for x in found]


def apply(sample: Call, module: Any, values: list[Any]) -> Any:
    """Call the function with these values in the operands' places."""
    args, kwargs = arguments(sample, module, values)
    return find(module, sample.function)(*args, **kwargs)


def arguments(sample: Call, module: Any, values: list[Any]) -> tuple[Any, Any]:
    """The sample's arguments, positional and named, with these values in the operands' places."""
    rest = iter(values)
    return _replaced((sample.args, sample.kwargs), lambda x: next(rest), module)


def with_operands(sample: Call, change: Callable[[Any], Any]) -> Call:
    """The sample with other operands."""
    args, kwargs = _replaced((sample.args, sample.kwargs), change)
    return replace(sample, args=args, kwargs=kwargs)


def _replaced(x: Any, put: Callable[[Any], Any], module: Any = None) -> Any:
    if is_operand(x):
        return put(x)
    if isinstance(x, Using):
        return x.make(module) if module is not None else x
    if type(x) in (list, tuple):
        return type(x)(_replaced(y, put, module) for y in x)
    if type(x) is dict:
        return {k: _replaced(y, put, module) for k, y in x.items()}
    return x
