"""Errors of the compiler."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sable._pages import with_page
from sable.errors import JaxRuntimeError

Kind = Literal["error", "crash", "timeout"]

#: Characters of the compiler's own words that a message repeats; it sometimes prints whole kernels into them.
_SUMMARY_LENGTH = 400


@dataclass(frozen=True)
class Failure:
    """Why a module could not be compiled.

    Attributes:
      kind: 'error' (the compiler said no), 'crash' (it died) or 'timeout' (it was killed).
      summary: one line, in the compiler's words where it had any.
      op: MLIR name of the op that it named, or None.
      location: file and line of the user's program, or None.
      diagnostics: all that the compiler said.
      stage: 'flags', 'loops', 'parse', 'compile', 'output', 'server' or 'internal' for an error; 'killed' for a crash by
        SIGKILL, which comes from outside (out of memory); '' otherwise.
      rung: the name of the settings under which it failed.
      tried: the names of all settings that were tried.
      target: what was compiled for.
      reproducer: path of the module that was given to the compiler, or None where it could not be kept.
      program: name of the function that was compiled, or ''.
      program_location: file and line of its first op in the user's program, where no op can be blamed.
    """

    kind: Kind
    summary: str
    op: str | None = None
    location: tuple[str, int] | None = None
    diagnostics: str = ""
    stage: str = ""
    rung: str = ""
    tried: tuple[str, ...] = ()
    target: str = ""
    reproducer: str | None = None
    program: str = ""
    program_location: tuple[str, int] | None = None


@with_page
class CompilationError(JaxRuntimeError):
    """A program could not be compiled for a device. The process is unharmed, and the next compile works.

    The message names the op and the line of the program, where they can be found out, the settings that were tried, and
    the file that keeps the module for a report.

    Attributes:
      kind: 'error' (the compiler said no), 'crash' (it died) or 'timeout' (it took too long and was killed).
      op: MLIR name of the op that the compiler named, such as 'stablehlo.sort', or None.
      location: (file, line) of the user's program, or None.
      diagnostics: all that the compiler said, for the report of a bug.
      reproducer: path of the module that was given to the compiler, or None.
      failure: the above and more, as a `Failure`.

    A program that raises it:

        from sable.compiler import Target, compile_module

        compile_module(b"func.func @main() -> i32 { return %x : i32 }", Target())

    The program mended:

        from sable.compiler import Target, compile_module

        compile_module(b"func.func @main(%x : i32) -> i32 { return %x : i32 }", Target())

    Other ways:

    - It took too long: smaller functions, `jax.lax.scan` or `fori_loop` in place of a loop that Python unrolls, or more
      seconds by the environment variable SABLE_COMPILE_TIMEOUT.
    - The compiler fails at one line: write it with other functions, or report the module.
    - It was killed: the machine has no memory left for it.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(_message(failure))
        self.failure = failure
        self.kind = failure.kind
        self.op = failure.op
        self.location = failure.location
        self.diagnostics = failure.diagnostics
        self.reproducer = failure.reproducer

    def __reduce__(self) -> tuple[type[CompilationError], tuple[Failure]]:
        return type(self), (self.failure,)


def _message(failure: Failure) -> str:
    summary = failure.summary
    if len(summary) > _SUMMARY_LENGTH:
        summary = summary[:_SUMMARY_LENGTH] + " …"
    program = f"The function {failure.program}" if failure.program else "The program"
    lines = [f"{program} could not be compiled for {failure.target or 'the device'}: {summary}"]
    if failure.location is not None:
        lines.append(f"  at {failure.location[0]}:{failure.location[1]}")
    elif failure.program_location is not None:
        file, line = failure.program_location
        lines.append(f"  which op is at fault is not known; the function's first is at {file}:{line}")
    if failure.op is not None and failure.op not in summary:
        lines.append(f"  op: {failure.op}")
    if failure.tried:
        lines.append(f"  settings tried: {', '.join(failure.tried)}")
    lines.append("  " + _advice(failure))
    if failure.reproducer is not None:
        lines.append(f"  The module is kept at {failure.reproducer}")
    return "\n".join(lines)


def _advice(failure: Failure) -> str:
    if failure.kind == "timeout":
        return (
            "Compile smaller functions (a loop unrolled by Python can become lax.fori_loop or lax.scan), or "
            "allow more seconds by SABLE_COMPILE_TIMEOUT."
        )
    if failure.kind == "crash" and failure.stage != "killed":
        return "This is a fault of the compiler: rewrite the function another way, and please report the module."
    if failure.stage == "flags":
        return "Check the target and the extra flags."
    if failure.stage in ("server", "killed"):
        return "Check the memory and disk space of this machine, then try again."
    if failure.location is not None:
        return "Rewrite that line without the op, or report the module."
    return "Report the module, or try another device."
