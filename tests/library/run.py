"""Runs many samples at once under a module, so that little is compiled: results or error classes of each."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .table import Call, apply, operands


@dataclass(frozen=True)
class Outcome:
    """What a sample did: leaves of its result and their structure as text, or the error."""

    leaves: tuple = ()
    structure: str = ""
    error: Exception | None = None


class _Static:
    """A leaf that is no array."""

    def __init__(self, value: Any):
        self.value = value


def _outcome(module: Any, run: Callable[[], Any]) -> Outcome:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = run()
        except Exception as error:  # an outcome like any other: its class is compared
            return Outcome(error=error)
    leaves, structure = module.tree_util.tree_flatten(result)
    return Outcome(tuple(_plain(module, x) for x in leaves), str(structure))


def _plain(module: Any, x: Any) -> Any:
    if not hasattr(x, "dtype") or not hasattr(x, "shape"):
        return _Static(x)
    is_key = module.numpy.issubdtype(x.dtype, module.dtypes.prng_key)
    return module.random.key_data(x) if is_key else x


def each(module: Any, samples: Sequence[Call], transform: Callable[[Any, Call], Callable]) -> list[Outcome]:
    """Run samples one by one; `transform(module, sample) -> function of the operands`."""
    found = []
    for sample in samples:
        values = operands(sample, module)
        found.append(_outcome(module, lambda s=sample, v=values: transform(module, s)(*v)))
    return found


def together(module: Any, samples: Sequence[Call], transform: Callable[[Any, Call], Callable]) -> list[Outcome]:
    """Run samples in one compiled program; those whose tracing raises have that as their outcome."""
    outcomes: list[Outcome] = []

    def program(values: list[list[Any]]) -> list[list[Any]]:
        outcomes[:] = [_outcome(module, lambda s=s, v=v: transform(module, s)(*v)) for s, v in zip(samples, values)]
        return [[x for x in o.leaves if not isinstance(x, _Static)] for o in outcomes]

    results = module.jit(program)([operands(s, module) for s in samples])
    made = []
    for outcome, arrays in zip(outcomes, results):
        rest = iter(arrays)
        leaves = tuple(x if isinstance(x, _Static) else next(rest) for x in outcome.leaves)
        made.append(Outcome(leaves, outcome.structure, outcome.error))
    return made


# ---- what is run ---------------------------------------------------------------------------------------------------
def value(module: Any, sample: Call) -> Callable:
    """The call itself."""
    return lambda *values: apply(sample, module, list(values))


def gradient(module: Any, sample: Call) -> Callable:
    """Derivatives of a weighted sum of the results with respect to all floating-point operands."""

    def function(*values: Any) -> Any:
        floats = tuple(k for k, x in enumerate(values) if _is_float(module, x))
        return module.grad(total, floats)(*values) if floats else ()

    def total(*values: Any) -> Any:
        leaves = module.tree_util.tree_leaves(apply(sample, module, list(values)))
        terms = [_weighted(module, x) for x in leaves if _is_inexact(module, x)]
        return sum(terms, module.numpy.zeros((), np.float32))

    return function


def _weighted(module: Any, x: Any) -> Any:
    x = module.numpy.asarray(x)
    weights = np.cos(np.arange(x.size, dtype=np.float32)).reshape(x.shape)
    product = module.numpy.sum((x * weights).astype(np.complex64 if x.dtype.kind == "c" else np.float32))
    return module.numpy.real(product) + 0.5 * module.numpy.imag(product) if x.dtype.kind == "c" else product


def _is_float(module: Any, x: Any) -> bool:
    return module.numpy.issubdtype(x.dtype, np.floating)


def _is_inexact(module: Any, x: Any) -> bool:
    return hasattr(x, "dtype") and hasattr(x, "shape") and module.numpy.issubdtype(x.dtype, np.inexact)


def batched(module: Any, sample: Call) -> Callable:
    """Two examples under vmap: the sample's operands, and their elements in another order."""

    def function(*values: Any) -> Any:
        both = [_two(module, x) for x in values]
        return module.vmap(lambda *xs: apply(sample, module, list(xs)))(*both)

    return function


def _two(module: Any, x: Any) -> Any:
    if module.numpy.issubdtype(x.dtype, module.dtypes.prng_key):
        return module.random.split(x, 2)
    return module.numpy.stack([x, module.numpy.roll(x, 1)])


# ---- comparison ----------------------------------------------------------------------------------------------------
def difference(sample: Call, ours: Outcome, theirs: Outcome) -> str | None:
    """What is different from JAX, or None."""
    if theirs.error is not None:
        if ours.error is None:
            return f"JAX raises {_describe(theirs.error)}, Sable returns {[_shape(x) for x in ours.leaves]}"
        names = {c.__name__ for c in type(ours.error).__mro__}
        same = type(theirs.error).__name__ in names
        return None if same else f"JAX raises {_describe(theirs.error)}, Sable raises {_describe(ours.error)}"
    if ours.error is not None:
        return f"Sable raises {_describe(ours.error)}"
    if len(ours.leaves) != len(theirs.leaves):
        return f"JAX returns {theirs.structure}, Sable {ours.structure}"
    for x, y in zip(ours.leaves, theirs.leaves):
        if _shape(x) != _shape(y):
            return f"JAX returns {_shape(y)}, Sable {_shape(x)}"
        if not isinstance(x, _Static) and not _close(x, y, sample):
            return f"JAX returns {np.asarray(y)!r}, Sable {np.asarray(x)!r}"
    return None


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}({str(error).splitlines()[0] if str(error) else ''})"


def _shape(x: Any) -> tuple:
    if isinstance(x, _Static):
        return "static", type(x.value).__name__, str(x.value)
    return tuple(x.shape), str(x.dtype), bool(getattr(x, "weak_type", False))


def _close(x: Any, y: Any, sample: Call) -> bool:
    x, y = np.asarray(x), np.asarray(y)
    if x.dtype.kind in "SUOV" and x.dtype.kind != "V":
        return bool(np.array_equal(x, y))
    wide = np.complex128 if x.dtype.kind == "c" else np.float64
    half = x.dtype.itemsize == 2 and x.dtype.kind not in "iu"
    rtol, atol = (2e-2, 2e-2) if half else (sample.rtol, sample.atol)
    return np.allclose(x.astype(wide), y.astype(wide), rtol=rtol, atol=atol, equal_nan=True)
