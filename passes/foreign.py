"""MLIR's and IREE's passes by name, without the crash that a pass at the wrong nesting is.

MLIR ends the process when some pass pipelines are added at a nesting that they do not allow, so a pipeline is first
built in a forked child; what the child says, or dies of, becomes an error.
"""

from __future__ import annotations

import difflib
import functools
import os
import re
import signal
import subprocess
import warnings
from dataclasses import dataclass

from iree.compiler.tools import binaries

from sable.ir.bindings import CONTEXT, ir, passmanager

from .diagnostics import Diagnostic, PassError, from_mlir
from .registry import PASSES

#: Where passes that run on something else than a module are nested, by what they run on.
_NESTINGS = {
    "func.func": "func.func",
    "hal.executable": "hal.executable",
    "hal.executable.variant": "hal.executable(hal.executable.variant",
    "vm.module": "vm.module",
    "vm.func": "vm.module(vm.func",
    "llvm.func": "llvm.func",
    "spirv.module": "spirv.module",
}
_RESTRICTED = re.compile(
    r"Can't add pass '([^']*)' restricted to '([^']*)' on a PassManager intended to run on '([^']*)'"
)
_NOT_REGISTERED = re.compile(r"'([^']*)' does not refer to a registered pass or pass pipeline")
_BAD_OPTIONS = re.compile(r"failed to add `([^`]*)` with options `([^`]*)`")

#: Dialects of the bindings that iree-opt does not have until an input plugin is asked for.
_LOADED_ONLY_HERE = ("chlo", "stablehlo", "tosa", "vhlo")

#: Bytes of a child's message that are kept.
_MESSAGE_SIZE = 65536


@dataclass(frozen=True)
class RunOptions:
    """What is printed and checked while passes run.

    Attributes:
      verify: after every pass.
      print_before, print_after: the module, on standard error, around every pass.
      debug_info: with locations.
    """

    verify: bool = True
    print_before: bool = False
    print_after: bool = False
    debug_info: bool = False


def nested(element: str) -> str:
    """A pass with its options as an element of a `builtin.module(...)` pipeline, nested where it has to be.

    Raises:
      PassError: there is no such pass, or it takes other options, or it runs where no pipeline over a module gets.
    """
    message = _probe(f"builtin.module({element})")
    if message is None:
        return element
    restricted = _RESTRICTED.search(message)
    if restricted is not None:
        inside = _NESTINGS.get(restricted[2])
        if inside is not None:
            whole = f"{inside}({element}{')' * (inside.count('(') + 1)}"
            message = _probe(f"builtin.module({whole})")
            if message is None:
                return whole
    raise PassError(Diagnostic(_explain(message, element)))


def why_not(elements: str) -> str | None:
    """Why a comma list of elements is no pipeline over a module; None if it is one."""
    message = _probe(f"builtin.module({elements})")
    return None if message is None else _explain(message, elements)


def run(module: ir.Module, elements: str, options: RunOptions) -> None:
    """Run a comma list of pipeline elements over a module, in place.

    Raises:
      PassError: the pipeline is wrong, or a pass failed.
    """
    pipeline = f"builtin.module({elements})"
    message = why_not(elements)
    if message is not None:
        raise PassError(Diagnostic(message))
    manager = passmanager.PassManager.parse(pipeline, CONTEXT)
    manager.enable_verifier(options.verify)
    if options.print_before or options.print_after:
        CONTEXT.enable_multithreading(False)
        manager.enable_ir_printing(
            print_before_all=options.print_before,
            print_after_all=options.print_after,
            enable_debug_info=options.debug_info,
        )
    try:
        manager.run(module.operation)
    except ir.MLIRError as error:
        raise from_mlir(error) from None


@functools.lru_cache(maxsize=1024)
def _probe(pipeline: str) -> str | None:
    """Build a pipeline in a child process: None if that works, else what was said."""
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        # the child only parses and leaves, so other threads' locks do not matter to it
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        _build(pipeline, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        message = stream.read(_MESSAGE_SIZE).decode(errors="replace")
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == 0:
        return None
    return (
        message or f"building the pipeline ends the process by {signal.Signals(-status).name if status < 0 else status}"
    )


def _build(pipeline: str, writer: int) -> None:
    """The child's part; never returns."""
    os.dup2(writer, 2)
    signal.signal(signal.SIGABRT, signal.SIG_DFL)
    try:
        passmanager.PassManager.parse(pipeline, CONTEXT)
    except BaseException as error:
        os.write(2, str(error).encode())
        os._exit(1)
    os._exit(0)


def _explain(message: str, elements: str) -> str:
    """What is wrong with a pipeline, in one line."""
    restricted = _RESTRICTED.search(message)
    if restricted is not None:
        where = restricted[2]
        return (
            f"pass {restricted[1]} runs on {where}, not on {restricted[3]}: nest it, as in "
            f"--pass-pipeline='builtin.module({_NESTINGS.get(where, where)}(...))'"
        )
    unknown = _NOT_REGISTERED.search(message)
    if unknown is not None:
        return unknown_pass(unknown[1])
    bad = _BAD_OPTIONS.search(message)
    if bad is not None:
        detail = _detail(message)
        return f"pass {bad[1]} does not take the options '{bad[2]}'{detail}"
    return f"the pipeline '{elements}' cannot be built: {' '.join(message.split())}"


def _detail(message: str) -> str:
    for line in message.splitlines():
        line = line.removeprefix("<Pass-Options-Parser>").lstrip(": ")
        if "option" in line and not line.startswith("failed"):
            return f": {line}"
    return ""


def unknown_pass(name: str) -> str:
    """The message for a name that no pass has."""
    close = difflib.get_close_matches(name.removeprefix("sable-"), [*PASSES, *foreign_passes()], 1)
    hint = f"; did you mean '{close[0]}'?" if close else "; --list-passes lists them"
    return f"unknown pass '{name}'{hint}"


@functools.lru_cache(maxsize=1)
def foreign_passes() -> dict[str, str]:
    """Descriptions of MLIR's and IREE's passes and pass pipelines by name, as `iree-opt --help` tells them."""
    _, _, passes = _help().partition("\n    Passes:\n")
    return dict(re.findall(r"^      --([\w-]*\w) +-  +(.*)$", passes, re.MULTILINE))


def foreign_dialects() -> list[str]:
    """Dialects of the context."""
    found = re.search(r"^Available Dialects: (.*)$", _help(), re.MULTILINE)
    names = {*_LOADED_ONLY_HERE, *(found[1].split(", ") if found else ())}
    return [n for n in sorted(names) if CONTEXT.is_dialect_loaded(n)]


@functools.lru_cache(maxsize=1)
def _help() -> str:
    """The bindings cannot list passes and dialects, the program beside them can."""
    command = [binaries.find_tool("iree-opt"), "--help"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout
