"""What each step of a call costs, beside JAX: `python benchmarks/runtime_call.py`.

Prints microseconds, the best of several repetitions, for the same function (x + 1 on ten floats) in one run.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable

import numpy as np

from sable.ir.aval import aval
from sable.runtime import Device, Executable, HostFunction, _iree, aligned_empty, devices
from sable.runtime.buffers import SHARE_AT_LEAST_BYTES

REPETITIONS = 7
FLOAT32 = np.dtype(np.float32)
TEN = aval((10,), FLOAT32)
FLAGS = (
    "--iree-hal-target-device=local",
    "--iree-hal-local-target-device-backends=llvm-cpu",
    "--iree-llvmcpu-target-cpu=host",
    "--iree-input-type=stablehlo",
)
PROGRAM = """
module @benchmark {
  func.func private @host.same(tensor<10xf32>) -> tensor<10xf32>
  func.func @add_one(%a: tensor<10xf32>) -> tensor<10xf32> {
    %c = stablehlo.constant dense<1.0> : tensor<10xf32>
    %r = stablehlo.add %a, %c : tensor<10xf32>
    return %r : tensor<10xf32>
  }
  func.func @host_call(%a: tensor<10xf32>) -> tensor<10xf32> {
    %r = call @host.same(%a) : (tensor<10xf32>) -> tensor<10xf32>
    return %r : tensor<10xf32>
  }
}
"""
HOST = {"same": HostFunction(lambda arrays: arrays, (TEN,), (TEN,))}


def compile_program() -> bytes:
    """The benchmark's program as a .vmfb."""
    from iree.compiler.api import Output, Session, Source

    session = Session()
    session.set_flags(*FLAGS)
    invocation = session.invocation()
    if not invocation.parse_source(Source.wrap_buffer(session, PROGRAM.encode() + b"\0")):
        raise SystemExit("the benchmark's program does not parse")
    if not invocation.execute():
        raise SystemExit("the benchmark's program does not compile")
    output = Output.open_membuffer()
    invocation.output_vm_bytecode(output)
    return bytes(output.map_memory())


def report(name: str, function: Callable[[], object], calls: int = 20_000) -> None:
    """Prints the best time of a call in microseconds."""
    function()
    best = min(timeit.repeat(function, number=calls, repeat=REPETITIONS)) / calls
    print(f"{name:<58} {best * 1e6:9.2f} µs")


def report_steps(device: Device, program: bytes) -> None:
    """The steps of a call, bare and as the runtime does them."""
    executable = Executable(program, device, results=[TEN], entry="add_one", host_functions=HOST)
    argument = device.put(np.ones(10, np.float32))
    make_list = _iree.VariantList
    filled = make_list(1)
    filled.push_ref(argument)
    output = make_list(1)
    bare = executable._program.new_lane().invoke
    function = executable._program.module.lookup_function("add_one")
    bare(function, filled, output)

    def list_with_argument() -> None:
        make_list(1).push_ref(argument)

    print("-- IREE, step by step")
    report("make a list", lambda: make_list(1))
    report("make a list and push an argument", list_with_argument)
    report("VmContext.invoke, lists made before", lambda: bare(function, filled, output))
    report("take a result as VmRef", lambda: output.get_as_ref(0))
    print("-- sable.runtime")
    buffers = [argument]
    invoke = executable.invoke
    report("Executable.invoke (buffers in and out)", lambda: invoke(buffers))
    report("Executable.__call__", lambda: executable(buffers))
    array = np.ones(10, np.float32)
    report("Executable.run (NumPy in and out)", lambda: executable.run(array))
    threads = Executable(program, device, results=[TEN], entry="add_one", host_functions=HOST, threaded=True)
    report("Executable.invoke, worker threads", lambda: threads.invoke(buffers), 1000)
    host = Executable(program, device, results=[TEN], entry="host_call", host_functions=HOST)
    report("Executable.invoke, one host call", lambda: host.invoke(buffers))


def report_transfers(device: Device) -> None:
    """put and get of small and large arrays."""
    put, get = device.put, device.get
    small = np.ones(10, np.float32)
    buffer = put(small)
    report("put, ten floats (copied)", lambda: put(small))
    report("get, ten floats (a view)", lambda: get(buffer, (10,), FLOAT32))
    count = 16 * SHARE_AT_LEAST_BYTES // FLOAT32.itemsize
    shared = aligned_empty((count,), FLOAT32)
    shared[...] = 1
    shifted = aligned_empty((count + 1,), FLOAT32)[1:]
    shifted[...] = 1
    report("put, 1 MiB aligned (shared)", lambda: put(shared))
    report("put, 1 MiB not aligned (copied)", lambda: put(shifted), 2000)


def report_jax() -> None:
    """The same function under jax.jit."""
    try:
        import jax
    except ImportError:
        print("-- JAX is not installed")
        return
    print("-- JAX", jax.__version__)
    jitted = jax.jit(lambda x: x + 1)
    argument = jax.numpy.ones(10, "float32")
    array = np.ones(10, np.float32)
    report("jax.jit call", lambda: jitted(argument))
    report("jax.jit call, block_until_ready", lambda: jitted(argument).block_until_ready())
    report("jax.jit call, NumPy in and out", lambda: np.asarray(jitted(array)))
    report("jax.numpy.asarray, ten floats", lambda: jax.numpy.asarray(array))


def main() -> None:
    """Runs everything on the CPU."""
    device = devices("cpu")[0]
    report_steps(device, compile_program())
    report_transfers(device)
    report_jax()


if __name__ == "__main__":
    main()
