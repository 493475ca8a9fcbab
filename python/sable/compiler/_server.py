"""The compile server: a program of its own, started by `client.py`, which alone uses iree.compiler.api.

    python -I -S _server.py serve SCRATCH SETTINGS CONTROL_FD PARENT_PID WORKERS WARM
    python -I -S _server.py once  SCRATCH SETTINGS     (one frame in on stdin, one frame out on stdout)

SCRATCH is the folder for temporary files, which `serve` makes and removes. SETTINGS is JSON: `paths` for `sys.path`,
`packages` (the folders of Sable's packages by name; what they do when imported is not run), `flags` of the compiler that
hold for the whole process.

`serve` loads the compiler once and forks a child for each compile, so that an abort, a segmentation fault or
a hang costs a child and nothing else. The client sends one byte and a socket over CONTROL_FD for each
compile. The child reads its request from that socket and writes its answer to it; the server speaks for a
child that died. A client that gives up (time-out, Ctrl-C) closes the socket, whereupon the server kills the
child. The server ends when CONTROL_FD closes or its parent is gone.

Forking is safe because the process has one thread: MLIR's pool is switched off here, OpenBLAS's (NumPy is
imported by IREE's bindings) by the environment which the client sets. Of Sable there are this file, `wire.py`,
`vm_repair.py` and, imported when the server first has nothing else to do, the lowering of loops: many passes of
MLIR, which may crash as well as IREE's.
"""

from __future__ import annotations

import collections
import contextlib
import ctypes
import gc
import importlib.util
import json
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

#: Seconds between looks at whether the parent still lives, for when CONTROL_FD stays open in somebody else's
#: hands (a process that C code forked off the user's).
_PARENT_CHECK_SECONDS = 2.0
#: Seconds in which the compiler must be loaded, or warmed up; a server that hangs there is killed by its own
#: alarm and the client starts one that does not warm up. A hundred times what it takes.
_START_SECONDS = 60
#: Bytes of diagnostics sent back: a failing kernel is printed in full, which nobody reads beyond its
#: beginning (where the error is) and its end (where a stack trace is).
_DIAGNOSTIC_BYTES = 48 << 10
_PR_SET_PDEATHSIG = 1

#: Compiled once when the server starts, so that children inherit touched pages, relocations and warm
#: allocators.
_WARM_PROGRAM = b"""
func.func public @main(%a: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<4xf32> {
  %0 = stablehlo.add %a, %b : tensor<4xf32>
  return %0 : tensor<4xf32>
}
"""
#: Lowered then, for the sake of the imports.
_WARM_LOOP = b"""
func.func public @main(%a: tensor<4xf32>) -> tensor<4xf32> {
  %end = stablehlo.constant dense<9> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %start = stablehlo.constant dense<0> : tensor<i32>
  %0:2 = stablehlo.while(%i = %start, %x = %a) : tensor<i32>, tensor<4xf32>
  cond {
    %1 = stablehlo.compare LT, %i, %end : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %1 : tensor<i1>
  } do {
    %1 = stablehlo.add %i, %one : tensor<i32>
    %2 = stablehlo.add %x, %x : tensor<4xf32>
    stablehlo.return %1, %2 : tensor<i32>, tensor<4xf32>
  }
  return %0#1 : tensor<4xf32>
}
"""
#: Only flags that are known not to kill the compiler, for the server compiles the warm-up program itself.
_WARM_FLAGS = (
    "--iree-input-type=stablehlo",
    "--iree-hal-target-device=local",
    "--iree-hal-local-target-device-backends=llvm-cpu",
    "--iree-llvmcpu-target-cpu=host",
    "--iree-llvmcpu-debug-symbols=false",
    "--iree-llvmcpu-link-ukernel-bitcode=false",
    "--iree-opt-const-eval=false",
)


def _load(name: str) -> ModuleType:
    """The module `name` that lies beside this file."""
    spec = importlib.util.spec_from_file_location(f"sable_compiler_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Stage(Exception):
    """A compile failed cleanly in the stage that the first argument names; the text is on stderr."""


class Compiler:
    """libIREECompiler and the VM repair, loaded into this process."""

    def __init__(self, flags: list[str]) -> None:
        from iree.compiler import api
        from iree.compiler.api import ctypes_dl

        # Before the first session: with a thread pool in the parent a forked child would wait for dead
        # threads.
        api._initializeGlobalCL("sable", "--mlir-disable-threading", *flags)
        self._api = api
        self._set_verify = ctypes_dl._dylib.ireeCompilerInvocationSetVerifyIR
        self._set_verify.argtypes, self._set_verify.restype = [ctypes.c_void_p, ctypes.c_bool], None
        self._repair = _load("vm_repair").repair

    def lower_loops(self, module: bytes, platform: str, route: str) -> tuple[bytes, tuple[str, ...], str]:
        """The module without structured control flow, the flags that it wants besides the target's, and why not all of
        its loops are kernels.

        Raises:
          Stage: 'loops' failed; the traceback is on stderr.
        """
        try:
            from sable.passes.legalize.loops import lower_bytes

            return lower_bytes(module, platform, route)
        except Exception as error:  # a fault of ours, or of MLIR's passes: other settings may do without them
            traceback.print_exc()
            raise Stage("loops") from error

    def compile(
        self, module: bytes, flags: tuple[str, ...], source_name: str, verify: bool = True
    ) -> tuple[bytes, int]:
        """The .vmfb of `module` (MLIR text or bytecode), and the number of branches repaired.

        Args:
          verify: check the IR after each pass; a quarter of the time of a large compile.

        Raises:
          Stage: 'flags', 'parse', 'compile' or 'output' failed; IREE has written why to stderr.
        """
        session = self._session(flags)
        invocation = self._invocation(session, verify)
        # Text is given with its terminating zero: without it the parser would need a copy.
        buffer = module if module[:4] == b"ML\xefR" else module + b"\0"
        source = self._api.Source.wrap_buffer(session, buffer, buffer_name=source_name)
        if not invocation.parse_source(source):
            raise Stage("parse")
        if not invocation.execute():
            raise Stage("compile")
        repaired = invocation.export_module()
        count = self._repair(repaired)
        final = self._invocation(session, verify)
        final.import_module(repaired)
        output = self._api.Output.open_membuffer()
        try:
            final.output_vm_bytecode(output)
        except ValueError as error:
            print(error, file=sys.stderr, flush=True)
            raise Stage("output") from error
        return bytes(output.map_memory()), count

    def _invocation(self, session: Any, verify: bool) -> Any:
        invocation = session.invocation()
        self._set_verify(invocation._inv_p, verify)
        invocation.enable_console_diagnostics()
        return invocation

    def _session(self, flags: tuple[str, ...]) -> Any:
        # A new one each time: it costs 0.5 ms, and a set of flags that kills the compiler does so in the
        # child.
        session = self._api.Session()
        try:
            session.set_flags(*flags)
        except ValueError as error:
            print(error, file=sys.stderr, flush=True)
            raise Stage("flags") from error
        return session


# ---- one compile, in a process of its own
# --------------------------------------------------------------------


def _answer(compiler: Compiler, wire: ModuleType, sock: Any) -> None:
    """Read a request from `sock`, compile it and write the answer."""
    header, module = wire.receive(sock)
    with contextlib.suppress(OSError):  # the user's folder may be gone; it only matters to relative paths in flags
        os.chdir(header["folder"])
    sock.settimeout(None)
    began = time.perf_counter()
    refused = ""
    try:
        _fault(header["fault"])
        flags = tuple(header["flags"])
        if header["loops"]:
            module, more, refused = compiler.lower_loops(module, *header["loops"])
            flags += more
        vmfb, repaired = compiler.compile(module, flags, header["source_name"], header["verify"])
    except Stage as failure:
        reply, vmfb = {"ok": False, "kind": "error", "stage": failure.args[0]}, b""
    except Exception:  # a fault of ours or of the bindings: its traceback is the diagnosis
        traceback.print_exc()
        reply, vmfb = {"ok": False, "kind": "error", "stage": "internal"}, b""
    else:
        reply = {"ok": True, "repaired": repaired}
    reply.update(seconds=time.perf_counter() - began, diagnostics=_diagnostics(), refused=refused)
    wire.send(sock, reply, vmfb)


def _fault(name: str) -> None:
    """What tests ask for: die, hang or fail in the place of a compiler that does."""
    if name == "abort":
        os.abort()
    if name == "segfault":
        ctypes.string_at(0)
    if name == "hang":
        while True:
            time.sleep(1)
    if name in ("fail", "loops"):
        print("<unknown>:0: error: failure asked for by a test", file=sys.stderr, flush=True)
        raise Stage("compile" if name == "fail" else name)


def _redirect_stderr(folder: str) -> None:
    """Collect what this process writes to stderr (the compiler's diagnostics) in a file."""
    descriptor = os.open(_log(folder), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def _log(folder: str) -> str:
    return os.path.join(folder, "stderr")


def _diagnostics(log: str | None = None) -> str:
    """The beginning and the end of the log; without a path, of this process's own stderr."""
    sys.stderr.flush()
    try:
        if log is None:
            with os.fdopen(os.dup(2), "rb") as file:
                return _read_bounded(file)
        with open(log, "rb") as file:
            return _read_bounded(file)
    except OSError as error:
        return f"(the compiler's diagnostics could not be read: {error})"


def _read_bounded(file: Any) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if size <= _DIAGNOSTIC_BYTES:
        return file.read().decode(errors="replace")
    half = _DIAGNOSTIC_BYTES // 2
    head = file.read(half)
    file.seek(size - half)
    cut = f"\n… ({size - 2 * half} bytes left out) …\n"
    return head.decode(errors="replace") + cut + file.read().decode(errors="replace")


# ---- the server
# ----------------------------------------------------------------------------------------------


class Job:
    """A child that compiles, the client's socket, and the folder for its temporary files."""

    def __init__(self, pid: int, sock: socket.socket, folder: str) -> None:
        self.pid, self.sock, self.folder = pid, sock, folder

    def kill(self) -> None:
        """Kill the child and whatever it has started (the linker)."""
        for kill in (os.killpg, os.kill):  # the group exists only once the child has made it
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(self.pid, signal.SIGKILL)


class Server:
    """Accepts sockets, forks a child for each, `workers` at a time, and sees to their ends."""

    def __init__(self, control: socket.socket, parent: int, workers: int, scratch: str, flags: list[str]) -> None:
        self._control, self._parent, self._workers, self._scratch = control, parent, workers, scratch
        self._wire = _load("wire")
        self._waiting: collections.deque[socket.socket] = collections.deque()
        self._jobs: dict[int, Job] = {}  # by the descriptor of the client's socket
        self._poll = select.poll()
        self._wakeup = self._wake_on_child_exit()
        self._poll.register(control, select.POLLIN)
        self._poll.register(self._wakeup, select.POLLIN)
        # A parent-death signal reaches children even if this process is killed; Linux only, others lack
        # prctl.
        self._prctl = getattr(ctypes.CDLL(None), "prctl", None) if sys.platform == "linux" else None
        self._compiler = Compiler(flags)

    def run(self, warm: bool) -> None:
        """Serve until the client is gone; warm up, step by step, while there is nothing else to do."""
        signal.alarm(0)
        steps = collections.deque(self._warm_up_steps() if warm else ())
        while os.getppid() == self._parent:
            idle = len(self._jobs) < self._workers
            events = self._poll.poll(0 if steps and idle else _PARENT_CHECK_SECONDS * 1000)
            if not events and steps and idle:
                self._warm_up(steps.popleft())
            if not all(self._handle(descriptor) for descriptor, _ in events):
                return
            self._start_waiting()

    def close(self) -> None:
        """Kill the children, and leave no zombies."""
        for job in list(self._jobs.values()):
            job.kill()
            with contextlib.suppress(ChildProcessError):
                os.waitpid(job.pid, 0)

    def _wake_on_child_exit(self) -> int:
        readable, writable = os.pipe()
        os.set_blocking(readable, False)
        os.set_blocking(writable, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
        return readable

    def _warm_up_steps(self) -> list[Callable[[], object]]:
        return [
            lambda: self._compiler.compile(_WARM_PROGRAM, _WARM_FLAGS, "warm-up"),
            lambda: self._compiler.lower_loops(_WARM_LOOP, "cpu", "auto"),
        ]

    def _warm_up(self, step: Callable[[], object]) -> None:
        signal.alarm(_START_SECONDS)
        step()
        signal.alarm(0)
        gc.collect()
        gc.freeze()  # a collection in a child would copy every page that holds an object's header

    def _handle(self, descriptor: int) -> bool:
        """React to an event; False when the client has gone."""
        if descriptor == self._control.fileno():
            return self._accept()
        if descriptor == self._wakeup:
            self._reap()
        elif descriptor in self._jobs:  # only hang-ups are reported: the client has given up
            self._poll.unregister(descriptor)
            self._jobs[descriptor].kill()
        return True

    def _accept(self) -> bool:
        try:
            data, descriptors, _, _ = socket.recv_fds(self._control, 1, 1)
        except OSError:
            return False
        self._waiting.extend(socket.socket(fileno=descriptor) for descriptor in descriptors)
        return bool(data)

    def _start_waiting(self) -> None:
        while self._waiting and len(self._jobs) < self._workers:
            self._start(self._waiting.popleft())

    def _start(self, sock: socket.socket) -> None:
        try:
            sock.send(b"s")  # from now on the client counts the seconds
            os.makedirs(self._scratch, 0o700, exist_ok=True)  # what cleans /tmp may have removed it
            folder = tempfile.mkdtemp(dir=self._scratch)
            server = os.getpid()
            pid = os.fork()
        except OSError as error:  # the client is gone, the disk is full, or there is no memory for another process
            self._speak(sock, {"ok": False, "kind": "error", "stage": "server", "diagnostics": str(error)})
            sock.close()
            return
        if pid == 0:
            self._child(sock, folder, server)
        with contextlib.suppress(OSError):  # the child does the same; whoever is first
            os.setpgid(pid, pid)
        self._jobs[sock.fileno()] = Job(pid, sock, folder)
        self._poll.register(sock, 0)

    def _child(self, sock: socket.socket, folder: str, server: int) -> NoReturn:
        status = 70  # EX_SOFTWARE of sysexits.h: no answer was written
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setpgid(0, 0)
            if self._prctl is not None:
                self._prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            self._control.close()
            for job in self._jobs.values():
                job.sock.close()
            os.environ["TMPDIR"] = folder  # LLVM and the linker put their temporary files there
            _redirect_stderr(folder)
            if server == os.getppid():  # else the server died before it could be watched
                _answer(self._compiler, self._wire, sock)
                status = 0
        except (EOFError, BrokenPipeError, ConnectionResetError):
            status = 0  # the client gave up: there is nobody to tell
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)  # no destructors: the compiler's are slow and the memory goes anyway

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._wakeup, 4096)
        for descriptor, job in list(self._jobs.items()):
            pid, status = os.waitpid(job.pid, os.WNOHANG)
            if not pid:
                continue
            del self._jobs[descriptor]
            with contextlib.suppress(KeyError):
                self._poll.unregister(descriptor)
            code = os.waitstatus_to_exitcode(status)
            if code:
                log = _diagnostics(_log(job.folder))
                self._speak(job.sock, {"ok": False, "kind": "crash", "code": code, "diagnostics": log})
            job.sock.close()
            shutil.rmtree(job.folder, ignore_errors=True)

    def _speak(self, sock: socket.socket, header: dict[str, Any]) -> None:
        """Answer for a child; a client that has left, or does not read, is not waited for."""
        sock.settimeout(1.0)
        with contextlib.suppress(OSError):
            self._wire.send(sock, header)


class _Files:
    """A pair of binary files with the methods of a socket that `wire` uses."""

    def __init__(self, readable: Any, writable: Any) -> None:
        self._readable, self._writable = readable, writable

    def recv(self, size: int, /) -> bytes:
        return self._readable.read(size)

    def sendall(self, data: bytes, /) -> None:
        self._writable.write(data)
        self._writable.flush()

    def settimeout(self, seconds: float | None, /) -> None:
        """Files have none; whoever started this process kills it when the time is up."""


def _once(scratch: str, flags: list[str]) -> None:
    """One compile without fork: for systems that have none."""
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever the compiler prints must not end up in the frame
    _redirect_stderr(scratch)
    _answer(Compiler(flags), _load("wire"), _Files(sys.stdin.buffer, answer))


def _forbid_core_dumps() -> None:
    """The compiler's crashes are answers; their images of hundreds of MB in the user's folder help nobody."""
    with contextlib.suppress(ImportError, OSError, ValueError):  # `resource` is Unix only
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def _serve(scratch: str, flags: list[str], control_descriptor: str, parent: str, workers: str, warm: str) -> None:
    signal.alarm(_START_SECONDS)
    control = socket.socket(fileno=int(control_descriptor))
    control.setblocking(True)
    os.mkdir(scratch, 0o700)
    try:
        server = Server(control, int(parent), int(workers), scratch, flags)
        try:
            server.run(warm == "1")
        finally:
            server.close()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def main(arguments: list[str]) -> NoReturn:
    """Run as the docstring of this module says."""
    mode, scratch, text, *rest = arguments
    settings = json.loads(text)
    sys.path.extend(settings["paths"])
    for name, folders in settings["packages"].items():
        sys.modules[name] = package = ModuleType(name)
        package.__path__ = folders
    os.environ["TMPDIR"] = scratch
    _forbid_core_dumps()
    if mode == "serve":
        _serve(scratch, settings["flags"], *rest)
    else:
        _once(scratch, settings["flags"])
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
