"""Where JAX's functions take operands although implicit promotion is forbidden, ours do too.

What a function does inside is nobody's promotion: under `numpy_dtype_promotion("strict")` and
`numpy_rank_promotion("raise")` only those calls may fail that fail with JAX. Nothing is compiled: the shapes are asked.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import sable

from . import rows  # noqa: F401  (they fill the table)
from .table import CALLS, Call, apply, operands, with_operands

jax = pytest.importorskip("jax", reason="JAX is the oracle of these tests (it needs Python 3.11)")

_USUAL, _BOTH = ("standard", "allow"), ("strict", "raise")
_STRICT, _ONE_RANK = ("strict", "allow"), ("standard", "raise")
#: signatures of `vectorize` are JAX's own matter: ours broadcast
_ALLOWED = {"numpy.matvec", "numpy.vecmat", "numpy.vecdot"}


def _as_integers(x: Any) -> Any:
    return np.clip(np.nan_to_num(x), -9, 9).astype(np.int32) if getattr(x, "dtype", None) == np.float32 else x


def _samples() -> Iterator[Call]:
    """All samples; of each function the first one with integers, too."""
    yield from CALLS
    for sample in {s.function: s for s in reversed(CALLS)}.values():
        yield with_operands(sample, _as_integers)


def _error(module: Any, program: Callable[[], Any], options: tuple[str, str]) -> Exception | None:
    with (
        warnings.catch_warnings(),
        module.numpy_dtype_promotion(options[0]),
        module.numpy_rank_promotion(options[1]),
    ):
        warnings.simplefilter("ignore")
        try:
            program()
        except Exception as error:
            return error
    return None


def _refused(name: Any, program: Callable[[Any], Callable[[], Any]]) -> list[str]:
    """Errors of ours under options with which JAX runs the program. What runs under both options runs under each."""
    ours = program(sable)
    if _error(sable, ours, _BOTH) is None or _error(sable, ours, _USUAL) is not None:
        return []
    return [
        f"{name} under {options}: {error!r}"
        for options in (_STRICT, _ONE_RANK)
        if (error := _error(sable, ours, options)) is not None and _error(jax, program(jax), options) is None
    ]


def _shapes(sample: Call) -> Callable[[Any], Callable[[], Any]]:
    def program(module: Any) -> Callable[[], Any]:
        values = operands(sample, module)
        return lambda: module.eval_shape(lambda *v: apply(sample, module, list(v)), *values)

    return program


def test_functions_promote_nothing_behind_the_users_back() -> None:
    wrong = [text for s in _samples() if s.function not in _ALLOWED for text in _refused(s, _shapes(s))]
    assert not wrong, "\n".join(wrong)


METHODS = """
    Rotation.from_quat(q).inv().as_quat()
    Rotation.from_quat(q).mean().as_quat()
    Rotation.from_quat(q).mean(m[:, 0]).as_quat()
    Rotation.from_quat(q).as_euler("xyz", degrees=True)
    Rotation.from_matrix(Rotation.from_quat(q).as_matrix()).as_rotvec()
    (Rotation.from_quat(q) * Rotation.from_rotvec(q[:, :3])).magnitude()
    Slerp.init(m[0], Rotation.from_quat(q))(m[1, :2]).as_quat()
    stats.gaussian_kde(m)(m)
    stats.gaussian_kde(m, weights=m[0]).logpdf(m)
    stats.gaussian_kde(m).integrate_kde(stats.gaussian_kde(m))
    stats.gaussian_kde(m).resample(k, (2,))
    nn.log1mexp(m.astype("bfloat16"))
    linalg.lstsq(c, c)
    linalg.pinv(c)
    m.at[0].add(m[0]), m.at[:, 0].multiply(2.0), m[m[0] > 1]
"""


@pytest.mark.parametrize("text", [line.strip() for line in METHODS.strip().splitlines()])
def test_methods_promote_nothing_behind_the_users_back(text: str) -> None:
    rng = np.random.default_rng(0)
    arrays = {"q": rng.normal(size=(3, 4)), "m": rng.uniform(0.1, 2, (3, 3))}

    def program(module: Any) -> Callable[[], Any]:
        rotations = importlib.import_module(f"{module.__name__}.scipy.spatial.transform")
        values = {name: module.numpy.asarray(x, np.float32) for name, x in arrays.items()}
        space = {**values, "Rotation": rotations.Rotation, "Slerp": rotations.Slerp, "nn": module.nn}
        space |= {"stats": module.scipy.stats, "linalg": module.numpy.linalg, "k": module.random.key(0)}
        space["c"] = module.lax.complex(values["m"], values["m"].T)
        return lambda: eval(text, space)

    assert not _refused(text, program)
