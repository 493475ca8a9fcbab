"""The user's side of the compile server: starts it, restarts it, talks to it.

One server serves one process. It is started by the first compile, or ahead of it by `prestart`, through
`subprocess`, so that the user's process never forks. Each request has a socket of its own, whose other end
goes to the server, so that any number of threads compile at a time, and whoever gives up just closes the
socket.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import importlib.util
import io
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sable import _names
from sable._forks import in_child, new_lock

from . import wire
from .ladder import PROCESS_FLAGS, iree_package
from .options import UNNAMED_SOURCE
from .processors import usable_processors

_PROGRAM = Path(__file__).with_name("_server.py")
#: Seconds given to a server to end by itself when its socket closes; it takes milliseconds.
_EXIT_SECONDS = 2.0
#: Bytes of a dead server's log that go into an error.
_LOG_BYTES = 2000


class ServerDied(Exception):
    """The compile server ended before it answered; the message is the end of its log."""


@dataclass(frozen=True)
class Request:
    """One compile.

    Attributes:
      module: MLIR text or bytecode.
      flags: flags of IREE.
      source_name: file name of the module's own text in diagnostics.
      loops: platform and route (of `LoopOptions`) by which loops are lowered first; () for a module without any.
      verify: check the IR after each pass.
      fault: see `CompileOptions.fault`.
    """

    module: bytes
    flags: tuple[str, ...]
    source_name: str = UNNAMED_SOURCE
    loops: tuple[str, ...] = ()
    verify: bool = True
    fault: str = ""

    def header(self) -> dict[str, Any]:
        """The request without the module, for the wire."""
        folder = "/"
        with contextlib.suppress(OSError):  # the current folder may have been removed
            folder = os.getcwd()
        return {
            "flags": list(self.flags),
            "source_name": self.source_name,
            "loops": list(self.loops),
            "verify": self.verify,
            "fault": self.fault,
            "folder": folder,
        }


@dataclass(frozen=True)
class Reply:
    """The answer to a request.

    Attributes:
      vmfb: the compiled module; empty where the compile failed.
      kind: 'ok', 'error', 'crash' or 'timeout'.
      stage: of an error: 'flags', 'loops', 'parse', 'compile', 'output', 'server' or 'internal'.
      code: of a crash: the exit code of the process, negative for a signal.
      diagnostics: what the compiler wrote to stderr.
      refused: why not all loops became kernels, '' where they did.
    """

    vmfb: bytes = b""
    kind: str = "ok"
    stage: str = ""
    code: int = 0
    diagnostics: str = ""
    refused: str = ""


def compile_once(request: Request, timeout: float) -> Reply:
    """Compile in the server, which is started if need be, and started anew once if it dies.

    Args:
      request: what to compile.
      timeout: seconds for the compile; waiting for other compiles to end does not count.

    Raises:
      ServerDied: twice in succession.
      OSError: no process could be started.
    """
    if not _has_fork_server():
        return _compile_in_new_process(request, timeout)
    server = _running_server()
    try:
        return server.compile(request, timeout)
    except ServerDied:
        _discard(server)
    return _running_server().compile(request, timeout)


def prestart() -> None:
    """Start the compile server in the background, so that it is warm when the first compile comes."""
    if _has_fork_server():
        _running_server()


def shutdown() -> None:
    """End the compile server of this process, if there is one; the next compile starts another."""
    global _server
    with _lock:
        server, _server = _server, None
    if server is not None:
        server.close()


def server_pid() -> int | None:
    """Process id of the compile server, or None where none runs."""
    server = _server
    return server.pid if server is not None and server.alive() else None


def _has_fork_server() -> bool:
    return hasattr(os, "fork") and hasattr(socket, "send_fds") and os.environ.get("SABLE_COMPILE_SERVER") != "0"


class CompileServer:
    """A running compile server."""

    def __init__(self, *, warm: bool) -> None:
        # Only a name: the server makes the folder and removes it, whenever this process is killed.
        self._scratch = os.path.join(tempfile.gettempdir(), f"sable-compile-{secrets.token_hex(8)}")
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (as long as the server)
        self._lock = new_lock()
        self._open: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._control, theirs = socket.socketpair()
        workers = str(usable_processors())  # as many compiles run at once
        arguments = [str(theirs.fileno()), str(os.getpid()), workers, "1" if warm else "0"]
        try:
            self._process = subprocess.Popen(
                _command("serve", self._scratch, *arguments),
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                pass_fds=[theirs.fileno()],
                env=_environment(),
                start_new_session=True,  # Ctrl-C is for the user's process, which then closes its socket
            )
        except BaseException:
            self._control.close()
            self._log.close()
            raise
        finally:
            theirs.close()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def alive(self) -> bool:
        """Whether the process runs; one that has ended is reaped."""
        return self._process.poll() is None

    def compile(self, request: Request, timeout: float) -> Reply:
        """Hand over a request and wait for the answer.

        Raises:
          ServerDied: the server ended before it answered.
        """
        ours, theirs = socket.socketpair()
        with contextlib.closing(ours):
            self._open.add(ours)
            try:
                with contextlib.closing(theirs), self._lock:
                    socket.send_fds(self._control, [b"c"], [theirs.fileno()])
                wire.read_exactly(ours, 1)  # a process was forked for this request; until then it waited its turn
                return _exchange(ours, request, timeout)
            except (OSError, EOFError, wire.ProtocolError) as error:
                raise ServerDied(self._last_words()) from error

    def close(self) -> None:
        """End the server and its children; wait for that and remove their files."""
        self._control.close()
        if sys.platform == "linux":  # where children die with the server; it may be warming up, deaf to everything else
            self._process.kill()
        try:
            self._process.wait(_EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
        shutil.rmtree(self._scratch, ignore_errors=True)  # of a server that was killed

    def forget(self) -> None:
        """Let go in a process that was forked off the user's: the server is not its own."""
        for sock in [self._control, *self._open]:
            sock.close()
        self._process.returncode = 0  # keeps Popen from waiting for what is not a child of this process

    def _last_words(self) -> str:
        with contextlib.suppress(OSError, ValueError):  # another thread has closed it
            log = self._log.fileno()
            return os.pread(log, _LOG_BYTES, max(0, os.fstat(log).st_size - _LOG_BYTES)).decode(errors="replace")
        return ""


def _exchange(sock: socket.socket, request: Request, timeout: float) -> Reply:
    deadline = time.monotonic() + timeout
    sock.settimeout(timeout)
    try:
        wire.send(sock, request.header(), request.module)
        header, vmfb = wire.receive(sock, deadline)
    except TimeoutError:  # the caller closes the socket, whereupon the server kills the child
        return Reply(kind="timeout")
    except (BrokenPipeError, ConnectionResetError):
        # The child died, or could not be started, before it had read all of the module: the reason follows.
        header, vmfb = wire.receive(sock, deadline)
    return _reply(header, vmfb)


def _reply(header: dict[str, Any], vmfb: bytes) -> Reply:
    return Reply(
        vmfb,
        "ok" if header["ok"] else header["kind"],
        header.get("stage", ""),
        header.get("code", 0),
        header.get("diagnostics", ""),
        header.get("refused", ""),
    )


def _compile_in_new_process(request: Request, timeout: float) -> Reply:
    """One compile in one process, where there is no fork."""
    scratch = tempfile.mkdtemp(prefix="sable-compile-")
    message = b"".join(wire.pack(request.header(), request.module))
    try:
        done = subprocess.run(
            _command("once", scratch), input=message, capture_output=True, env=_environment(), timeout=timeout
        )
        if done.returncode == 0:
            return _reply(*wire.receive(_Bytes(done.stdout)))
        log = os.path.join(scratch, "stderr")
        text = Path(log).read_text(encoding="utf-8", errors="replace") if os.path.exists(log) else ""
        text = text or done.stderr.decode(errors="replace")
        return Reply(kind="crash", code=done.returncode, diagnostics=text)
    except subprocess.TimeoutExpired:
        return Reply(kind="timeout")
    except (EOFError, wire.ProtocolError) as error:
        raise ServerDied(str(error)) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


class _Bytes:
    """Bytes with the methods of a socket that `wire.receive` uses."""

    def __init__(self, data: bytes) -> None:
        self.recv = io.BytesIO(data).read

    def sendall(self, data: bytes, /) -> None:
        raise OSError("these bytes are to be read")

    def settimeout(self, seconds: float | None, /) -> None:
        """All of it is there already."""


def _command(mode: str, scratch: str, *arguments: str) -> list[str]:
    # -I and -S: neither the user's environment nor the .pth files of the installation (0.05 s) run in the
    # server.
    settings = json.dumps({"paths": _search_path(), "packages": _packages(), "flags": PROCESS_FLAGS})
    return [sys.executable, "-I", "-S", str(_PROGRAM), mode, scratch, settings, *arguments]


@functools.cache
def _packages() -> dict[str, list[str]]:
    """The folders of those packages of Sable's of which the server needs modules, by name."""
    packages = ("sable", "sable.ir", "sable.dialects", "sable.passes")
    found = {name: list(map(str, _names.folders(*name.split(".")[1:]))) for name in packages}
    missing = [name for name, folders in found.items() if not folders]
    if missing:
        raise ImportError(f"the installation is not complete: there is no package {', '.join(missing)}")
    return found


@functools.cache
def lowering_identity() -> str:
    """A hash of the sources by which loops are lowered: what they made of a module yesterday is not reused."""
    digest = hashlib.sha256()
    for folder in _packages()["sable.passes"]:
        for name in ("ir_tools.py", "legalize", "kernels"):
            path = Path(folder, name)
            for file in [path] if path.is_file() else sorted(path.glob("*.py")):
                digest.update(file.read_bytes())
    return digest.hexdigest()


def _search_path() -> list[str]:
    """The folders in which the server finds IREE, and NumPy, which IREE's bindings import."""
    folders = [iree_package().parents[1]]
    for name in ("numpy", "ml_dtypes"):
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            folders.append(Path(spec.origin).parents[1])
    return list(dict.fromkeys(map(str, folders)))


def _environment() -> dict[str, str]:
    """The user's, save that NumPy's BLAS starts no threads: a process that forks must have a single one."""
    return {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


_lock = new_lock()
_server: CompileServer | None = None
_warm_next = True


def _running_server() -> CompileServer:
    with _lock:
        if _server is None or not _server.alive():
            _replace()
        assert _server is not None
        return _server


def _discard(server: CompileServer) -> None:
    """Replace a server that has died, unless another thread has done so."""
    with _lock:
        if _server is server:
            _replace()


def _replace() -> None:
    global _server, _warm_next
    if _server is not None:
        _server.close()
        _warm_next = False  # should it have been the warm-up that killed it, the next one would die of it too
    _server = CompileServer(warm=_warm_next)


@in_child
def _leave_server() -> None:
    """In a forked process: the server is its parent's."""
    global _server, _warm_next
    if _server is not None:
        _server.forget()
    _server, _warm_next = None, True


atexit.register(shutdown)
