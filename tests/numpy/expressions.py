"""Tables of expressions, one a line, each evaluated under JAX and under Sable and compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from .oracle import Programs

_RNG = np.random.default_rng(7)

#: arrays that expressions may use; those in `WEAK` are made by the module itself and are weakly typed
ARRAYS = {
    "f": _RNG.normal(size=(2, 3)).astype(np.float32),
    "p": (_RNG.random((2, 3)) + 0.5).astype(np.float32),
    "v": _RNG.normal(size=5).astype(np.float32),
    "t": _RNG.normal(size=(2, 3, 4)).astype(np.float32),
    "m": _RNG.normal(size=(4, 4)).astype(np.float32),
    "i": np.array([[1, 2, 3], [4, 5, 6]], np.int32),
    "j": np.array([5, -5, 7, 0], np.int32),
    "k": np.array([-3, 3, 2, 1], np.int32),
    "i8": np.array([[1, -2, 3], [100, 5, 6]], np.int8),
    "i16": np.array([3, -4], np.int16),
    "u8": np.array([1, 200, 3], np.uint8),
    "u32": np.array([1, 2**32 - 1, 3], np.uint32),
    "b": np.array([[True, False, True], [False, False, True]]),
    "h": np.array([[0.5, 1.5, -2.5], [3.25, 0.125, 9.0]], np.float16),
    "c": (np.arange(6).reshape(2, 3) - 2 + 1j * np.arange(6)[::-1].reshape(2, 3)).astype(np.complex64),
    "n": np.array([1.0, np.nan, 3.0, -np.inf], np.float32),
    "special": np.array([0.0, -0.0, 1.0, -1.5, np.inf, -np.inf, np.nan, 2e-38, 1e30, 0.5], np.float32),
    "e": np.zeros((0, 3), np.float32),
    "s": np.array(2.5, np.float32),
    "si": np.array(3, np.int32),
}
WEAK = {"w": 2.0, "wi": 3, "wb": True}


#: JAX looks at the exponent's value where it is known, and gives another dtype than for a traced one
_EAGER = ("jnp.power(i8, si)", "i8**si")

#: the programs of each line of a table
_PROGRAMS: dict[str, Programs] = {}


def evaluate(module: Any, text: str, **arrays: Any) -> Any:
    """The value of an expression under a module: arrays are the module's, `jnp` its NumPy functions."""
    space: dict[str, Any] = {"jnp": module.numpy, "np": np, "jax": module, **arrays}
    space.update({name: module.numpy.asarray(x) for name, x in WEAK.items()})
    space["bf"] = space["f"].astype(module.numpy.bfloat16)
    space["wv"] = module.numpy.full((2,), 3)
    return eval(text, space)


def table(text: str) -> Any:
    """Parametrisation by the lines of a text; blank lines and comments are left out."""
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    together(lines)
    return pytest.mark.parametrize("text", lines)


def together(texts: Sequence[str]) -> None:
    """Let JAX run these expressions in one program, where `compare` is asked for one of them."""
    _PROGRAMS.update(dict.fromkeys(texts, Programs.of_expressions(evaluate, ARRAYS, texts, alone=_EAGER)))


def compare(text: str, **tolerances: Any) -> None:
    """Equal results, or errors of one class."""
    if text in _PROGRAMS:
        _PROGRAMS[text].check(text, **tolerances)
    else:
        Programs.of_expressions(evaluate, ARRAYS, [text], alone=[text]).check(text, **tolerances)
