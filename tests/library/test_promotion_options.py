"""Where JAX's functions take operands although implicit promotion is forbidden, ours do too.

What a function does inside is nobody's promotion: under `numpy_dtype_promotion("strict")` and
`numpy_rank_promotion("raise")` only those calls may fail that fail with JAX. Nothing is compiled: the shapes are asked.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import sable

from . import rows  # noqa: F401  (they fill the table)
from .table import CALLS, Call, apply, operands, with_operands

jax = pytest.importorskip("jax", reason="JAX is the oracle of these tests (it needs Python 3.11)")

_STRICT = ("strict", "allow")
_ONE_RANK = ("standard", "raise")
#: signatures of `vectorize` are JAX's own matter: ours broadcast
_ALLOWED = {"numpy.matvec", "numpy.vecmat", "numpy.vecdot"}


def _as_integers(x: Any) -> Any:
    return np.clip(np.nan_to_num(x), -9, 9).astype(np.int32) if getattr(x, "dtype", None) == np.float32 else x


def _samples() -> Iterator[Call]:
    """The first and the last sample of each function, with floats and with integers."""
    by_name: dict[str, list[Call]] = {}
    for sample in CALLS:
        by_name.setdefault(sample.function, []).append(sample)
    for name, samples in by_name.items():
        if name.startswith("random."):
            continue
        for sample in {id(s): s for s in (samples[0], samples[-1])}.values():
            yield from (sample, with_operands(sample, _as_integers))


def _error(module: Any, sample: Call, options: tuple[str, str]) -> Exception | None:
    values = operands(sample, module)
    with (
        warnings.catch_warnings(),
        module.numpy_dtype_promotion(options[0]),
        module.numpy_rank_promotion(options[1]),
    ):
        warnings.simplefilter("ignore")
        try:
            module.eval_shape(lambda *v: apply(sample, module, list(v)), *values)
        except Exception as error:
            return error
    return None


@pytest.mark.parametrize("options", [_STRICT, _ONE_RANK], ids=["strict dtypes", "one rank"])
def test_functions_promote_nothing_behind_the_users_back(options: tuple[str, str]) -> None:
    wrong = [
        f"{sample}: {ours!r}"
        for sample in _samples()
        if sample.function not in _ALLOWED
        and (ours := _error(sable, sample, options)) is not None
        and _error(sable, sample, ("standard", "allow")) is None
        and _error(jax, sample, options) is None
    ]
    assert not wrong, "\n".join(wrong)
