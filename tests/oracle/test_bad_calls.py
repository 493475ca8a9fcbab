"""Calls that are refused (bad_calls/*.txt, an expression a line): by an error of JAX's class, or a subclass, which says why."""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sable

jax = pytest.importorskip("jax", reason="JAX is the oracle of these tests (it needs Python 3.11)")

TABLES = sorted((Path(__file__).parent / "bad_calls").glob("*.txt"))
#: What the expressions know beside the modules: arrays of several ranks and dtypes.
ARRAYS = {
    "X": np.ones((3, 4), np.float32),
    "V": np.ones(4, np.float32),
    "I": np.ones(4, np.int32),
    "S": np.ones((3, 3), np.float32),
    "B": np.ones(4, bool),
    "T": np.ones((2, 3, 4), np.float32),
    "C": np.ones(4, np.complex64),
}


def names(j: Any) -> dict[str, Any]:
    """The modules of either library by the names of the expressions."""
    parts = {
        "jnp": "numpy",
        "lax": "lax",
        "random": "random",
        "nn": "nn",
        "jsp": "scipy.special",
        "jsl": "scipy.linalg",
    }
    for other in ("image", "ops", "flatten_util"):
        importlib.import_module(f"{j.__name__}.{other}")
    return {"j": j, "np": np, **ARRAYS, **{k: importlib.import_module(f"{j.__name__}.{v}") for k, v in parts.items()}}


def refusal(j: Any, call: str, known: dict[str, Any]) -> Exception | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            j.block_until_ready(eval(call, dict(known)))
    except Exception as error:
        return error
    return None


@pytest.mark.parametrize("table", TABLES, ids=lambda path: path.stem)
def test_refused_as_by_jax(table: Path) -> None:
    wrong = []
    ours, theirs = names(sable), names(jax)
    for call in table.read_text().splitlines():
        a, b = refusal(sable, call, ours), refusal(jax, call, theirs)
        classes = {c.__name__ for c in type(a).__mro__}
        if a is None or b is None or not (type(b).__name__ in classes or isinstance(a, type(b))) or not str(a):
            wrong.append(f"{call}: {a!r}, JAX: {b!r}")
    assert not wrong, "\n".join(wrong)
