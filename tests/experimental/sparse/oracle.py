"""Programs that are run on Sable and on JAX: functions of the modules `jax`, `jnp`, `sparse` and of NumPy arrays."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import sable
import sable.numpy
from sable.experimental import sparse

OURS = SimpleNamespace(jax=sable, jnp=sable.numpy, sparse=sparse)


@contextlib.contextmanager
def strict() -> Iterator[None]:
    """Library functions promote neither ranks nor dtypes where users may not."""
    with sable.numpy_rank_promotion("raise"), sable.numpy_dtype_promotion("strict"):
        yield


def theirs() -> Any:
    jax = pytest.importorskip("jax", reason="JAX is the oracle of these tests (it needs Python 3.11)")
    return SimpleNamespace(
        jax=jax, jnp=pytest.importorskip("jax.numpy"), sparse=pytest.importorskip("jax.experimental.sparse")
    )


def values(shape: Sequence[int], dtype: Any = np.float32, seed: int = 0) -> np.ndarray:
    """Small integers, half of them zeros: sums of their products are exact."""
    rng = np.random.default_rng(seed)
    found = rng.integers(-3, 4, shape) * (rng.random(shape) < 0.5)
    if np.dtype(dtype).kind == "c":
        found = found + 1j * rng.integers(-2, 3, shape) * (found != 0)
    return found.astype(dtype)


def described(x: Any) -> Any:
    """What is compared of a result: of a sparse array also how it is stored."""
    if hasattr(x, "todense") and not hasattr(x, "at"):
        stored = tuple(np.shape(leaf) for leaf in x.tree_flatten()[0])
        flags = tuple(getattr(x, f, None) for f in ("indices_sorted", "unique_indices"))
        check_flags(x)
        return type(x).__name__, tuple(x.shape), stored, flags, np.asarray(x.todense())
    return np.asarray(x)


def check_flags(x: Any) -> None:
    """Indices that are said to be sorted or unique are."""
    if type(x).__name__ != "BCOO":
        return
    sizes = np.asarray(x.shape[x.n_batch : x.n_batch + x.n_sparse], int)
    for example in np.asarray(x.indices).reshape(-1, *x.indices.shape[-2:]):
        there = [tuple(i) for i in example if (i < sizes).all()]
        assert not x.indices_sorted or there == sorted(there)
        # without sparse dimensions there is one index, which entries share
        assert not x.unique_indices or not x.n_sparse or len(set(there)) == len(there)


def outcome(program: Callable[[Any], Any], modules: Any) -> Any:
    """A result, or the class of the error."""
    try:
        return described(program(modules))
    except AssertionError:
        raise
    except Exception as error:
        return type(error).__name__


def check_equal(ours: Any, wanted: Any, label: Any, **tolerance: Any) -> None:
    if isinstance(wanted, np.ndarray):
        assert isinstance(ours, np.ndarray), (label, ours, wanted)
        assert ours.dtype == wanted.dtype, (label, ours.dtype, wanted.dtype)
        np.testing.assert_allclose(ours, wanted, err_msg=str(label), **tolerance)
    elif isinstance(wanted, tuple):
        assert isinstance(ours, tuple) and ours[:3] == wanted[:3], (label, ours, wanted)
        # what JAX knows of the indices is known; it may be more
        assert all(a is b or b is False for a, b in zip(ours[3], wanted[3])), (label, ours, wanted)
        check_equal(ours[-1], wanted[-1], label, **tolerance)
    else:
        assert ours == wanted, (label, ours, wanted)


def check_table(table: Sequence[tuple[Any, Callable[[Any], Any]]], **tolerance: Any) -> None:
    """Each function gives with Sable what it gives with JAX: values, dtypes, how they are stored, classes of errors."""
    other = theirs()
    for label, program in table:
        check_equal(outcome(program, OURS), outcome(program, other), label, **tolerance)
