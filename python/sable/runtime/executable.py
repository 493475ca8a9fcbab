"""Loaded programs and their calls: the hot path of the library."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from sable._forks import in_child, new_lock
from sable.ir.aval import Aval
from sable.runtime import _iree
from sable.runtime._iree import Buffer
from sable.runtime.devices import Device
from sable.runtime.errors import ExecutionError
from sable.runtime.host_calls import MODULE_NAME, HostFunction, HostFunctions
from sable.runtime.memory import call_weight
from sable.runtime.native_kernels import require
from sable.runtime.signature import DECLARATION


class _Lane:
    """A context that one call at a time uses.

    IREE's contexts must not be entered by two threads at once, nor does a lock fit (a host function may run
    the same program again), so each concurrent call takes a lane of its own, made when none is idle (0.2 ms).
    """

    __slots__ = ("invoke", "state")

    def __init__(self, invoke: Callable, state: Any):
        self.invoke = invoke
        self.state = state


class Program:
    """A compiled module on a device: its modules without the device's, and idle lanes."""

    def __init__(
        self,
        vmfb: Any,
        device: Device,
        host_functions: Mapping[str, HostFunction],
        threaded: bool,
        parameters: Mapping[str, Any] | None,
    ):
        self.idle: list[_Lane] = []
        self.watch = device.watch(threaded)
        self._device_module = functools.partial(device.module, threaded)
        self._lock = new_lock()
        self.host = HostFunctions(host_functions, device) if host_functions else None
        modules = []
        if self.host is not None:
            modules.append(self.host.module)
        if parameters:
            module, self._parameter_sources = _iree.parameters_module(parameters)
            modules.append(module)
        self.module = _iree.program_module(vmfb)
        self._modules = [*modules, self.module]
        _PROGRAMS.add(self)

    def new_lane(self) -> _Lane:
        """Links the modules once more."""
        with self._lock:
            context = _iree.make_context([self._device_module(), *self._modules])
            state = None if self.host is None else self.host.new_state()
        if self.watch is not None:
            self.watch.check()
        return _Lane(context.invoke, state)


_PROGRAMS: weakref.WeakSet[Program] = weakref.WeakSet()


@in_child
def _leave_lanes() -> None:
    """In a forked process: lanes lead to devices whose threads are not there, and must not wait for them either."""
    for program in _PROGRAMS:
        for lane in program.idle:
            _iree.keep_forever(lane)
        program.idle.clear()


class Executable:
    """A function of a compiled program, ready to be called; safe to call from many threads at once.

    Args:
      vmfb: the compiled program, as bytes (or any buffer: 64-byte aligned memory is used in place).
      device: where it runs; the program must have been compiled for it.
      results: the avals of the results.
      entry: the name of the exported function.
      host_functions: the Python functions that the program imports, by the name after `host.`.
      threaded: on the CPU, spread the work over worker threads; costs some 10 to 100 µs a call.
      native_kernels: the names of the native kernels that the program imports.
      parameters: scope -> parameter file (.safetensors, .irpa, .gguf) or mapping of key -> array, for
        programs that name parameters. Every concurrent call holds a copy of what it uses.
      name: how errors call the program; by default as the entry.

    Attributes:
      invoke: `(buffers) -> list of buffers`, the same as calling the executable and 0.05 µs quicker: bind it
        where calls are many. Blocks until the results are there, without the GIL; never changes its
        arguments. Host functions and results may share memory with arguments.
      declaration: the function's signature as IREE states it; '' where the module does not.

    Raises:
      ExecutionError: the program does not load: not a module, of another version or device, no such function,
        or host functions or native kernels that are missing or differ from what it imports.

    >>> executable = Executable(vmfb, device, results=[aval])          # doctest: +SKIP
    >>> [result] = executable([device.put(array)])                     # doctest: +SKIP
    >>> device.get(result, aval.shape, aval.dtype)                     # doctest: +SKIP
    """

    __slots__ = ("__weakref__", "_program", "declaration", "device", "entry", "invoke", "results", "threaded")

    invoke: Callable[[Sequence[Buffer]], list[Buffer]]

    def __init__(
        self,
        vmfb: Any,
        device: Device,
        *,
        results: Sequence[Aval],
        entry: str = "main",
        host_functions: Mapping[str, HostFunction] | None = None,
        threaded: bool = False,
        native_kernels: Sequence[str] = (),
        parameters: Mapping[str, Any] | None = None,
        name: str | None = None,
    ):
        self.device = device
        self.entry = entry
        self.results = tuple(results)
        self.threaded = threaded
        device.hal(threaded)
        require(native_kernels)
        try:
            self._program = Program(vmfb, device, host_functions or {}, threaded, parameters)
            function = self._program.module.lookup_function(entry)
            self._program.idle.append(self._program.new_lane())
        except (RuntimeError, ValueError, OSError, LookupError) as error:
            raise _load_error(entry, device, host_functions or {}, error) from error
        if function is None:
            names = ", ".join(n for n in self._program.module.function_names if not n.startswith("__"))
            raise ExecutionError(f"the program has no function {entry!r}; it has {names or 'none'}")
        self.declaration = function.reflection.get(DECLARATION, "")
        self.invoke = _bind(self._program, function, self.results, name or entry)

    def __call__(self, buffers: Sequence[Buffer]) -> list[Buffer]:
        """Runs the function.

        Args:
          buffers: its arguments, buffers of the executable's device.

        Returns:
          One buffer per result.

        Raises:
          ExecutionError: the program failed, or the arguments are not what it was compiled for.
          BaseException: what a host function raised.
        """
        return self.invoke(buffers)

    def run(self, *arrays: np.ndarray) -> list[np.ndarray]:
        """Runs the function on NumPy arrays (of exactly the compiled dtypes) and returns NumPy arrays."""
        put, get = self.device.put, self.device.get
        buffers = self.invoke([put(array) for array in arrays])
        return [get(buffer, aval.shape, aval.dtype) for buffer, aval in zip(buffers, self.results)]

    def __repr__(self) -> str:
        threads = ", threaded" if self.threaded else ""
        return f"<Executable {self.entry} on {self.device!r}{threads}>"


def _bind(
    program: Program, function: Any, results: Sequence[Aval], name: str
) -> Callable[[Sequence[Buffer]], list[Buffer]]:
    """The call of a function, with everything looked up: IREE's part is two thirds of it."""
    make_list = _iree.VariantList
    idle = program.idle
    take, give = idle.pop, idle.append  # atomic under the GIL
    new_lane = program.new_lane
    watch = program.watch
    count = len(results)
    indices = range(count)
    weight = call_weight(sum(aval.size * aval.dtype.itemsize for aval in results))

    def invoke(buffers: Sequence[Buffer]) -> list[Buffer]:
        arguments = make_list(len(buffers))
        for buffer in buffers:
            arguments.push_ref(buffer)
        outputs = make_list(count)
        try:
            lane = take()
        except IndexError:
            lane = new_lane()
        try:
            lane.invoke(function, arguments, outputs)
        except Exception as caught:
            # The lane is dropped: IREE says nothing of a context's state after a failure.
            error = _failure(lane, name, caught)
        else:
            give(lane)
            if watch is not None:
                watch.countdown -= weight
                if watch.countdown < 0:
                    watch.check()
            if count == 1:  # the usual case, and 0.15 µs quicker
                return [outputs.get_as_ref(0)]
            return list(map(outputs.get_as_ref, indices))
        # Out here, so that a host function's exception is not shown as raised while IREE's was handled.
        try:
            raise error
        finally:
            del error  # else a cycle, through the traceback and this frame, keeps the lane and the arguments

    return invoke


def _failure(lane: _Lane, name: str, caught: Exception) -> BaseException:
    """What a failed call raises: the host function's own exception, or IREE's as an ExecutionError."""
    if lane.state is not None and lane.state.failure is not None:
        failure, lane.state.failure = lane.state.failure, None
        return failure
    status = _iree.status_message(caught)
    mending = "; use smaller arrays, or fewer at a time" if "RESOURCE_EXHAUSTED" in status else ""
    error = ExecutionError(f"the program {name!r} failed: {status}{mending}")
    error.__cause__ = caught
    return error


def _load_error(
    entry: str, device: Device, host_functions: Mapping[str, HostFunction], error: Exception
) -> ExecutionError:
    given = ", ".join(f"{MODULE_NAME}.{name}" for name in host_functions) or "none"
    return ExecutionError(
        f"cannot load a program for {entry!r} on {device!r} (host functions given: {given}): "
        f"{_iree.status_message(error)}"
    )
