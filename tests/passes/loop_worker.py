"""Compiles or runs loop programs in forked children, so that a crash or hang of IREE costs one program only.

    python loop_worker.py compile|run JOBS RESULTS

JOBS is a pickle of a list of dicts: name, route, and to be compiled text (StableHLO), to be run binary, arguments (NumPy
arrays) and dtypes (of the results). RESULTS becomes a pickle of a list of dicts: name, route, status ("ok", "refused",
"failed", "crashed", "timeout"), reason, and of what was compiled the binary and the route it took, of what was run for
each driver the outputs and whether an argument was changed.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

import iree.compiler
import iree.runtime as rt
import ml_dtypes
import numpy as np
from iree.compiler.api import Output, Session, Source, ctypes_dl

from sable.compiler.vm_repair import repair
from sable.ir.bindings import CONTEXT, ir
from sable.passes.kernels import NotAKernel
from sable.passes.legalize.loops import LoopOptions, lower_loops
from sable.runtime._iree import remove_leftovers

DRIVERS = ("local-sync", "local-task")
SIZE = 8  # bytes that say how long a result is
TIME_LIMIT = 180.0  # seconds: a hang, on a machine several times slower than usual
LINKER = Path(iree.compiler.__file__).parent / "_mlir_libs" / "iree-lld"
FLAGS = (
    "--iree-hal-target-device=local",
    "--iree-hal-local-target-device-backends=llvm-cpu",
    "--iree-llvmcpu-target-cpu=host",
    "--iree-input-demote-i64-to-i32=false",
    "--iree-input-demote-f64-to-f32=false",
    "--iree-llvmcpu-link-embedded=false",  # embedded linking has no libm for f64
    f"--iree-llvmcpu-system-linker-path={LINKER} -flavor gnu",
    "--iree-opt-const-eval=false",
    "--iree-llvmcpu-debug-symbols=false",
    "--iree-llvmcpu-link-ukernel-bitcode=false",
)


def compile_text(text: str, input_type: str, extra_flags: tuple[str, ...]) -> bytes:
    session = Session()
    session.set_flags(f"--iree-input-type={input_type}", *FLAGS, *extra_flags)
    invocation = session.invocation()
    invocation.enable_console_diagnostics()
    if not invocation.parse_source(Source.wrap_buffer(session, text.encode() + b"\0")) or not invocation.execute():
        raise RuntimeError("IREE did not compile the program")
    module = invocation.export_module()
    repair(module)
    last = session.invocation()
    last.enable_console_diagnostics()
    last.import_module(module)
    output = Output.open_membuffer()
    last.output_vm_bytecode(output)
    return bytes(output.map_memory())


ELEMENT_TYPES = {
    "bool": rt.HalElementType.BOOL_8,
    "bfloat16": rt.HalElementType.BFLOAT_16,
    "float16": rt.HalElementType.FLOAT_16,
    "float32": rt.HalElementType.FLOAT_32,
    "float64": rt.HalElementType.FLOAT_64,
    "complex64": rt.HalElementType.COMPLEX_64,
    "complex128": rt.HalElementType.COMPLEX_128,
    **{
        f"{sign}int{width}": getattr(rt.HalElementType, f"{'U' * bool(sign)}INT_{width}")
        for sign in ("", "u")
        for width in (8, 16, 32, 64)
    },
}


class Program:
    """A compiled module on one device."""

    def __init__(self, binary: bytes, driver: str) -> None:
        self.device = rt.get_driver(driver).create_default_device()
        instance = rt.VmInstance()
        hal = rt.create_hal_module(instance, self.device)
        module = rt.VmModule.copy_buffer(instance, binary)
        self.context = rt.VmContext(instance, modules=[hal, module])
        remove_leftovers()
        self.function = module.lookup_function("main")

    def put(self, array: np.ndarray) -> rt.HalBufferView:
        raw = np.array(array, order="C")  # keeps rank 0, which ascontiguousarray does not
        if raw.dtype == ml_dtypes.bfloat16:
            raw = raw.view(np.uint16)
        return self.device.allocator.allocate_buffer_copy(
            memory_type=rt.MemoryType.DEVICE_LOCAL | rt.MemoryType.HOST_VISIBLE,
            allowed_usage=rt.BufferUsage.DEFAULT | rt.BufferUsage.MAPPING,
            device=self.device,
            buffer=raw,
            element_type=ELEMENT_TYPES[array.dtype.name],
        )

    def call(self, views: list[rt.HalBufferView]) -> list[rt.HalBufferView]:
        arguments, results = rt.VmVariantList(len(views)), rt.VmVariantList(4)
        for view in views:
            arguments.push_ref(view.ref)
        self.context.invoke(self.function, arguments, results)
        return [results.get_as_object(i, rt.HalBufferView) for i in range(results.size)]


def read(view: rt.HalBufferView, dtype: np.dtype) -> np.ndarray:
    dtype = np.dtype(dtype)
    plain = np.uint16 if dtype == ml_dtypes.bfloat16 else dtype
    return view.map().asarray(tuple(view.shape), np.dtype(plain)).copy().view(dtype)


def run_job(job: dict) -> dict:
    runs = {}
    for driver in DRIVERS:
        program = Program(job["binary"], driver)
        views = [program.put(a) for a in job["arguments"]]
        outputs = [read(v, d) for v, d in zip(program.call(views), job["dtypes"], strict=True)]
        changed = any(read(v, a.dtype).tobytes() != a.tobytes() for v, a in zip(views, job["arguments"]))
        runs[driver] = {"outputs": outputs, "changed": changed}
    return {"status": "ok", "reason": "", "runs": runs}


def compile_job(job: dict) -> dict:
    try:
        lowered = lower_loops(ir.Module.parse(job["text"], CONTEXT), LoopOptions(route=job["route"]))
    except NotAKernel as refusal:
        return {"status": "refused", "reason": str(refusal)}
    text = lowered.module.operation.get_asm(enable_debug_info=False)
    binary = compile_text(text, lowered.input_type, lowered.extra_flags)
    return {"status": "ok", "took": lowered.route, "reason": lowered.reason, "binary": binary}


DO = {"compile": compile_job, "run": run_job}


def child(do: Callable[[dict], dict], jobs: Sequence[dict], pipe: int) -> None:
    with os.fdopen(pipe, "wb") as stream:
        for job in jobs:
            try:
                result = do(job)
            except BaseException:
                result = {"status": "failed", "reason": traceback.format_exc()}
            data = pickle.dumps(result)
            stream.write(len(data).to_bytes(SIZE, "little") + data)
            stream.flush()
    os._exit(0)


def isolated(do: Callable[[dict], dict], jobs: Sequence[dict]) -> list[dict]:
    """Does jobs one after the other in a forked child; where one ends it, another child does the rest."""
    results: list[dict] = []
    while len(results) < len(jobs):
        results += _until_one_ends_it(do, jobs[len(results) :])
    return results


def _until_one_ends_it(do: Callable[[dict], dict], jobs: Sequence[dict]) -> list[dict]:
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reader)
        child(do, jobs, writer)
    os.close(writer)
    results: list[dict] = []
    while len(results) < len(jobs):
        deadline = time.monotonic() + TIME_LIMIT
        size = _read(reader, SIZE, deadline)
        data = _read(reader, int.from_bytes(size, "little"), deadline) if size else b""
        if not data:
            break
        results.append(pickle.loads(data))
    if len(results) < len(jobs):
        os.kill(process, signal.SIGKILL)  # no effect on one that has ended
    os.close(reader)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    if len(results) < len(jobs):
        status = "timeout" if code == -signal.SIGKILL else "crashed"
        results.append({"status": status, "reason": f"exit code {code}"})
    return results


def _read(reader: int, size: int, deadline: float) -> bytes:
    """So many bytes; none where the time is up or the writer has ended."""
    data = b""
    while len(data) < size:
        ready, _, _ = select.select([reader], [], [], max(0.0, deadline - time.monotonic()))
        piece = os.read(reader, min(size - len(data), 1 << 20)) if ready else b""
        if not piece:
            return b""
        data += piece
    return data


def main() -> None:
    ctypes_dl._initializeGlobalCL("loop_worker", "--mlir-disable-threading")  # no pool threads: forking is safe
    ir.Module.parse("func.func @warm() { return }", CONTEXT)  # loads the dialects' Python modules once, for every child
    do, jobs_path, results_path = DO[sys.argv[1]], *map(Path, sys.argv[2:4])
    jobs = pickle.loads(jobs_path.read_bytes())
    results = [{"name": j["name"], "route": j["route"], **r} for j, r in zip(jobs, isolated(do, jobs), strict=True)]
    results_path.write_bytes(pickle.dumps(results))


if __name__ == "__main__":
    main()
