"""Every public function, called as its row says, against JAX: {first eager call, repeated eager call, jit, grad, vmap}.

Compared are values, shapes, dtypes, weak types and error classes. Samples run many at a time, so that little is
compiled; a failing test lists the samples that differ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import sable
from sable.library.declare import DIFFERENT_RESULT, reasons

from . import rows  # noqa: F401  (they fill the table)
from .run import Outcome, batched, difference, each, gradient, together, value
from .table import CALLS, Call, operands

jax = pytest.importorskip("jax", reason="JAX is the oracle of these tests (it needs Python 3.11)")

#: Samples of one program.
_CHUNK = 24
#: Lines of a program from which on it counts as long: its compile takes up to a second.
_LONG = 100
#: Eager calls after which the eager shortcut of a function is in use.
_REPETITIONS = 5

CHUNKS = [CALLS[k : k + _CHUNK] for k in range(0, len(CALLS), _CHUNK)]


def name_of(chunk: Sequence[Call]) -> str:
    return f"{chunk[0].function}..{chunk[-1].function}"


def eager_oracle(
    samples: Sequence[Call], transform: Callable, traced: Sequence[Outcome] | None = None
) -> list[Outcome]:
    """JAX's eager outcomes. What can be traced is computed in one program (`traced`), which gives the same."""
    found = list(together(jax, samples, transform) if traced is None else traced)
    again = [i for i, o in enumerate(found) if o.error is not None]
    for i, outcome in zip(again, each(jax, [samples[i] for i in again], transform)):
        found[i] = outcome
    return found


def check(samples: Sequence[Call], ours: Sequence[Outcome], theirs: Sequence[Outcome], what: str) -> None:
    found = [(s, difference(s, x, y)) for s, x, y in zip(samples, ours, theirs)]
    wrong = [f"  {s!r}: {text}" for s, text in found if text is not None]
    assert not wrong, "\n".join([f"{len(wrong)} of {len(samples)} samples differ ({what}):", *wrong])


def compiled(module: Any, samples: Sequence[Call], transform: Callable) -> list[Outcome]:
    """`together`; where the program does not compile, one by one to tell which sample it is."""
    try:
        return together(module, samples, transform)
    except Exception:
        return [together(module, [s], transform)[0] if _compiles(module, s, transform) else _failed(s) for s in samples]


def _compiles(module: Any, sample: Call, transform: Callable) -> bool:
    try:
        together(module, [sample], transform)
    except Exception:
        return False
    return True


def _failed(sample: Call) -> Outcome:
    return Outcome(error=RuntimeError(f"does not compile: {sample!r}"))


def worth_compiling(samples: Sequence[Call]) -> list[int]:
    """Which samples are compiled: of functions whose programs are long the first, of others all."""
    chosen, seen = [], set()
    for i, sample in enumerate(samples):
        if "jit" in sample.without or (sample.function in seen and _is_long(sample)):
            continue
        seen.add(sample.function)
        chosen.append(i)
    return chosen


def _is_long(sample: Call) -> bool:
    try:
        return sable.jit(value(sable, sample)).lower(*operands(sample, sable)).as_text().count("\n") > _LONG
    except Exception:  # its error is what is compared
        return False


chunks = pytest.mark.parametrize("k", range(len(CHUNKS)), ids=lambda k: f"{k}-{name_of(CHUNKS[k])}")


@chunks
def test_eager_and_jit(k: int) -> None:
    samples = CHUNKS[k]
    traced = together(jax, samples, value)
    first = each(sable, samples, value)
    check(samples, first, eager_oracle(samples, value, traced), "first eager call")
    for _ in range(_REPETITIONS):
        later = each(sable, samples, value)
    for sample, x, y in zip(samples, first, later):
        assert (x.error is None) == (y.error is None), sample
        for a, b in zip(x.leaves, y.leaves):
            if hasattr(a, "dtype"):
                assert a.dtype == b.dtype and a.weak_type == b.weak_type, sample
                np.testing.assert_array_equal(np.asarray(a), np.asarray(b), repr(sample))
    assert not [name for name, why in reasons().items() if DIFFERENT_RESULT in why and name.startswith("sable.")]
    jitted = worth_compiling(samples)
    chosen = [samples[i] for i in jitted]
    check(chosen, compiled(sable, chosen, value), [traced[i] for i in jitted], "jit")


@chunks
def test_grad(k: int) -> None:
    samples = [s for s in CHUNKS[k] if "grad" not in s.without]
    check(samples, each(sable, samples, gradient), eager_oracle(samples, gradient), "grad")


@chunks
def test_vmap(k: int) -> None:
    samples = [s for s in CHUNKS[k] if "vmap" not in s.without]
    check(samples, each(sable, samples, batched), eager_oracle(samples, batched), "vmap")
