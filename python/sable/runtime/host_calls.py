"""Python functions that compiled programs call: imports `host.<name>`, resolved by a VM module made of
Python.

In a program (StableHLO level): `func.func private @host.<name>(tensor<…>, …) -> (tensor<…>, …)` and calls of
it.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sable.ir.aval import Aval, aval_of
from sable.runtime import _iree
from sable.runtime.devices import Device

MODULE_NAME = "host"


@dataclass(frozen=True)
class HostFunction:
    """A Python function that programs call.

    Attributes:
      callable: gets a list of NumPy arrays (read-only views of the program's values) and returns a sequence
        of arrays, one per result; what it returns is copied. With no results its value is ignored. Called on
        the thread that runs the program, with the GIL; it may run other programs. What it raises reaches
        whoever runs the program.
      arguments: the avals of its arguments. Programs do not say whether their integers are signed; these do.
      results: what it must return. Nothing is converted: another shape or dtype is an error.
    """

    callable: Callable[[list[np.ndarray]], Sequence[np.ndarray] | None]
    arguments: tuple[Aval, ...] = ()
    results: tuple[Aval, ...] = ()


class CallState:
    """Of one context, hence of one running call: the exception that a host function ended with."""

    __slots__ = ("failure",)

    def __init__(self) -> None:
        self.failure: BaseException | None = None


class HostFunctions:
    """The host functions of one executable on one device, as a VM module.

    The native module holds this object weakly: Python's collector cannot look into native objects, and a
    function that refers to its own executable must not keep it alive for ever.
    """

    def __init__(self, functions: Mapping[str, HostFunction], device: Device):
        self._device = device
        self._functions = dict(functions)
        self._latest: CallState | None = None
        self.module = self._make_module()

    def new_state(self) -> CallState:
        """The state of the context that was made last; to be taken before another context is made."""
        state, self._latest = self._latest, None
        assert state is not None, "a context that links the host module makes its state"
        return state

    def _make_module(self) -> Any:
        owner = weakref.ref(self)

        def make_state() -> CallState:
            state = CallState()
            functions = owner()
            if functions is not None:
                functions._latest = state
            return state

        exports = {name: (_convention(f), _bind(owner, name)) for name, f in self._functions.items()}
        return _iree.host_module(MODULE_NAME, exports, make_state)

    def call(self, name: str, refs: Sequence[_iree.Buffer]) -> Any:
        """Runs one function: buffers in; none, one, or a list of buffers out."""
        function = self._functions[name]
        get = self._device.get
        arrays = [get(ref, aval.shape, aval.dtype) for ref, aval in zip(refs, function.arguments)]
        returned = function.callable(arrays)
        if not function.results:
            return None
        results = _checked(name, function.results, returned)
        put = self._device.put
        # share=False: the function may keep and change what it returned.
        buffers = [put(array, share=False) for array in results]
        return buffers[0] if len(buffers) == 1 else buffers


class _HostCallFailed(Exception):
    """Ends the program; the original exception waits in the call's state."""


def _bind(owner: Callable[[], HostFunctions | None], name: str) -> Callable:
    def run(state: CallState, *refs: _iree.Buffer) -> Any:
        functions = owner()
        try:
            if functions is None:
                raise RuntimeError(f"host function {name!r} was called after its executable was dropped")
            return functions.call(name, refs)
        except BaseException as error:
            # Also KeyboardInterrupt and SystemExit: IREE would turn them into text. Re-raised by the
            # executable.
            state.failure = error
        raise _HostCallFailed(name)

    return run


def _convention(function: HostFunction) -> str:
    """IREE's calling convention: version 0, one `r` (reference) per tensor, `v` for none."""
    return f"0{'r' * len(function.arguments) or 'v'}_{'r' * len(function.results) or 'v'}"


def _checked(name: str, expected: tuple[Aval, ...], returned: Any) -> list[np.ndarray]:
    """The arrays that a host function returned.

    Raises:
      TypeError: it returned something else than a sequence of that many arrays of these dtypes.
      ValueError: an array has another shape.
    """
    wanted = ", ".join(aval.short() for aval in expected)
    if not isinstance(returned, (tuple, list)):
        got = type(returned).__name__
        raise TypeError(
            f"host function {name!r} must return a sequence of {len(expected)} array(s) ({wanted}), got {got}"
        )
    arrays = [np.asarray(value) for value in returned]
    if len(arrays) != len(expected):
        raise TypeError(f"host function {name!r} must return {len(expected)} array(s) ({wanted}), got {len(arrays)}")
    for index, (aval, array) in enumerate(zip(expected, arrays)):
        if array.dtype == aval.dtype and array.shape == aval.shape:
            continue
        error = TypeError if array.dtype != aval.dtype else ValueError
        got = aval_text(array)
        raise error(f"host function {name!r}: result {index} must be {aval.short()}, got {got}")
    return arrays


def aval_text(array: np.ndarray) -> str:
    """`float32[2,3]`, for any dtype."""
    try:
        return aval_of(array).short()
    except TypeError:
        return f"{array.dtype}[{','.join(map(str, array.shape))}]"
