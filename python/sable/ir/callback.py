"""Python functions that programs call: callbacks and printing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable._config import config
from sable.errors import JaxRuntimeError
from sable.ir.aval import Aval

_METHODS = ("sequential", "sequential_unrolled", "expand_dims", "broadcast_all", "legacy_vectorized")


_NARROW = {"float64": "float32", "int64": "int32", "uint64": "uint32", "complex128": "complex64"}


class Callback:
    """A Python function with the types of its arguments and results.

    Attributes:
      function: takes NumPy arrays, returns a list of them.
      line: the user's, where the program calls it.
      vmap_method: how `batch` calls it for many examples: 'sequential' (one call each), 'expand_dims' (one call, axes of
        size 1 for unmapped arguments), 'broadcast_all' (one call, unmapped arguments repeated); None refuses.
    """

    def __init__(
        self,
        function: Callable[..., Sequence[Any]],
        in_avals: Sequence[Aval],
        out_avals: Sequence[Aval],
        name: str,
        vmap_method: str | None = "sequential",
        line: str = "<unknown>",
        levels: tuple[tuple[int, tuple[bool, ...]], ...] = (),
    ):
        if vmap_method is not None and vmap_method not in _METHODS:
            raise ValueError(f"vmap_method must be one of {_METHODS} or None, got {vmap_method!r}")
        self.function, self.name, self.vmap_method, self._levels = function, name, vmap_method, levels
        self.in_avals, self.out_avals, self.line = tuple(in_avals), tuple(out_avals), line

    def __call__(self, *arrays: np.ndarray) -> list[np.ndarray]:
        return self.checked(arrays)

    def checked(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Call the function and check what it returns.

        Raises:
          JaxRuntimeError: the function raised an error, which is the cause, or returned something else than announced.
        """
        try:
            return self._results(arrays)
        except Exception as error:
            raise JaxRuntimeError(
                f"INTERNAL: the callback {self.name}, which the program calls at {self.line}, raised "
                f"{type(error).__name__}: {error}\nWhere it did is in the traceback of that error, the cause of this one."
            ) from error

    def _results(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The results.

        Raises:
          TypeError, ValueError: results of other number, shape or dtype than announced; names the function.
        """
        given = [np.asarray(a) for a in self.function(*self._aligned(arrays))]
        if len(given) != len(self.out_avals):
            raise ValueError(f"callback {self.name} returned {len(given)} results, expected {len(self.out_avals)}")
        return [self._result(g, a, k) for k, (g, a) in enumerate(zip(given, self.out_avals))]

    def _result(self, given: np.ndarray, wanted: Aval, k: int) -> np.ndarray:
        if given.shape != wanted.shape:
            raise ValueError(
                f"callback {self.name}: result {k} has shape {given.shape}, expected {wanted.shape} as result_shape_dtypes says"
            )
        if given.dtype != wanted.dtype:
            # NumPy's default dtypes stand for JAX's where 64-bit ones are off
            if config.jax_enable_x64 or _NARROW.get(given.dtype.name) != wanted.dtype.name:
                raise TypeError(
                    f"callback {self.name}: result {k} has dtype {given.dtype}, expected {wanted.dtype} as result_shape_dtypes says"
                )
            given = given.astype(wanted.dtype)
        return np.array(given, order="C")

    def batched(self, size: int, mapped: tuple[bool, ...], shapes: Sequence[tuple[int, ...]]) -> Callback:
        """The callback for a whole batch; mapped arguments have the batch axis at 0."""
        method = self.vmap_method
        if method is None:
            raise NotImplementedError(
                f"vmap is only supported for callbacks when vmap_method is specified: callback {self.name} has none"
            )
        in_avals = [a.update(shape=s) for a, s in zip(self.in_avals, shapes)]
        out_avals = [a.update(shape=(size, *a.shape)) for a in self.out_avals]
        if not method.startswith("sequential"):
            levels = ((size, mapped), *self._levels)
            return Callback(self.function, in_avals, out_avals, self.name, method, self.line, levels)
        inner = self.function

        def sequential(*arrays: np.ndarray) -> list[np.ndarray]:
            rows = [inner(*[a[i] if m else a for a, m in zip(arrays, mapped)]) for i in range(size)]
            return [np.stack([np.asarray(r[k]) for r in rows]) for k in range(len(out_avals))]

        return Callback(sequential, in_avals, out_avals, self.name, method, self.line)

    def _aligned(self, arrays: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
        """Arguments with the axes of all batches in front, the outermost first."""
        if not self._levels:
            return arrays
        if self.vmap_method == "legacy_vectorized":
            return arrays
        sizes = tuple(size for size, _ in self._levels)
        found = []
        for k, a in enumerate(arrays):
            a = a[tuple(slice(None) if mapped[k] else None for _, mapped in self._levels)]
            if self.vmap_method == "broadcast_all":
                a = np.broadcast_to(a, (*sizes, *a.shape[len(sizes) :]))
            found.append(a)
        return found


class OrderedCallback(Callback):
    """A callback whose calls have an order, which there is none of among examples."""

    def batched(self, size: int, mapped: tuple[bool, ...], shapes: Sequence[tuple[int, ...]]) -> Callback:
        raise ValueError("Cannot `vmap` ordered IO callback.")
