"""Errors and warnings that programs and their tests look for: the same class as in JAX, and the same phrase."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import sable

jax = pytest.importorskip("jax", reason="JAX is the oracle of these tests (it needs Python 3.11)")

X = np.ones((3, 4), np.float32)
V = np.ones(4, np.float32)
INTEGERS = np.ones(4, np.int32)


def _mask(name: str) -> Callable:
    extra = {"initial": 0} if name.endswith(("max", "min")) else {}
    return lambda j: getattr(j.numpy, name)(V, where=INTEGERS, **extra)


#: name -> (program of a module, phrase of the error)
ERRORS: dict[str, tuple[Callable[[Any], Any], str]] = {
    **{
        f"mask of {name}": (_mask(name), f"jnp.{name}: where must be None or a boolean array")
        for name in [
            "sum",
            "prod",
            "min",
            "max",
            "mean",
            "var",
            "std",
            "nansum",
            "nanprod",
            "nanmin",
            "nanmax",
            "nanmean",
            "nanvar",
            "nanstd",
        ]
    },
    "where of shapes that do not fit": (lambda j: j.numpy.where(V > 0, V, np.ones(3)), "Incompatible shapes for broad"),
    "method of quantiles": (lambda j: j.numpy.quantile(V, 0.5, method="other"), "method can only be 'linear', 'lower'"),
    "complex weights": (lambda j: j.numpy.quantile(V, 0.5, weights=V * 1j), "Weights cannot be complex"),
    "mode of pad": (lambda j: j.numpy.pad(V, 1, mode=None), "Unimplemented padding mode 'None' for np.pad"),
    "variance of vectors": (
        lambda j: j.nn.initializers.he_normal()(j.random.key(0), (3,)),
        "weights tensor with default in_axis. Must be at least 2D or specify in_axis explicitly",
    ),
}


def _error(module: Any, program: Callable) -> Exception:
    with warnings.catch_warnings(), pytest.raises(Exception) as caught:
        warnings.simplefilter("ignore")
        program(module)
    return caught.value


@pytest.mark.parametrize("name", ERRORS)
def test_errors_have_the_class_and_the_phrase(name: str) -> None:
    program, phrase = ERRORS[name]
    theirs, ours = _error(jax, program), _error(sable, program)
    assert type(theirs).__name__ in {c.__name__ for c in type(ours).__mro__}
    for error in (theirs, ours):
        assert re.search(re.escape(phrase), str(error))


def test_what_is_no_array_is_said_under_a_guard_of_transfers() -> None:
    for level in ("log", "disallow"):
        with sable.transfer_guard(level), pytest.raises(TypeError, match="Cannot interpret value of type"):
            sable.lax.stop_gradient(lambda x: x)
