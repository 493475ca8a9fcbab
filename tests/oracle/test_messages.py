"""Errors and warnings that programs and their tests look for: the same class as in JAX, and the same phrase."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

import pytest

import sable

from .errors_table import ERRORS, V, X

jax = pytest.importorskip("jax", reason="JAX is the oracle of these tests (it needs Python 3.11)")


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


#: name -> (program of a module, class of the warning, phrase)
WARNINGS: dict[str, tuple[Callable[[Any], Any], type, str]] = {
    "copy by position": (
        lambda j: j.numpy.array(V, None, True),
        DeprecationWarning,
        "Passing the copy, order, and ndmin",
    ),
    "complex to real": (
        lambda j: j.numpy.ones(2, complex).astype(float),
        DeprecationWarning,
        "Casting from complex to real",
    ),
    "shape of a list": (lambda j: j.numpy.shape([1]), DeprecationWarning, "shape requires ndarray or scalar arguments"),
    "ndim of a list": (lambda j: j.numpy.ndim([1]), DeprecationWarning, "ndim requires ndarray or scalar arguments"),
    "classes of floats": (
        lambda j: j.nn.one_hot(V, 3),
        DeprecationWarning,
        "jax.nn.one_hot input should be integer-typed",
    ),
}


@pytest.mark.parametrize("name", WARNINGS)
def test_warnings_have_the_class_and_the_phrase(name: str) -> None:
    program, kind, phrase = WARNINGS[name]
    for module in (jax, sable):
        with pytest.warns(kind, match=re.escape(phrase)):
            program(module)


def test_operands_of_different_rank_warn_as_jax_does() -> None:
    for module in (jax, sable):
        with (
            module.numpy_rank_promotion("warn"),
            pytest.warns(UserWarning, match="automatic rank promotion for add on sha"),
        ):
            module.numpy.add(V, X)


def test_static_indices_are_named_with_their_bounds() -> None:
    for index, phrase in (
        (-5, "index -5 out of bounds for axis 0 with size 3"),
        ((0, 4), "index 4 out of bounds for axis 1"),
    ):
        for module in (jax, sable):
            module.config.update("jax_check_static_indices", True)
            try:
                with pytest.raises(IndexError, match=phrase):
                    module.numpy.ones((3, 4))[index]
            finally:
                module.config.update("jax_check_static_indices", False)


def test_what_is_no_array_is_said_under_a_guard_of_transfers() -> None:
    for level in ("log", "disallow"):
        with sable.transfer_guard(level), pytest.raises(TypeError, match="Cannot interpret value of type"):
            sable.lax.stop_gradient(lambda x: x)
