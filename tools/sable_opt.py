"""sable-opt: mlir-opt for this project. Every pass of ours, of MLIR and of IREE by name, on text or bytecode."""

from __future__ import annotations

import dataclasses
import io
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sable.passes.pipelines  # noqa: F401  (fills the table of passes)
from sable.ir.bindings import CONTEXT, ir
from sable.passes import foreign
from sable.passes.diagnostics import UNNAMED, Diagnostic, PassError, Place, diagnostic_of, from_mlir
from sable.passes.pipeline_text import PipelineParser, Step, run_steps, step_of
from sable.passes.registry import PASSES
from sable.passes.verify import verify

from ._expected import check_expectations

PROGRAM = "sable-opt"
STDIN = "<stdin>"
SPLIT_MARKER = "// -----"
BYTECODE_MAGIC = b"ML\xefR"

USAGE = """\
usage: sable-opt [options] [input file]

Reads an MLIR module (text or bytecode; '-' or nothing: standard input), runs passes in the order of their flags,
verifies, and writes the module. Exit code 1 if anything is wrong.
"""


def _flag(help: str, default: Any = False) -> Any:
    return dataclasses.field(default=default, metadata={"help": help})


@dataclass(frozen=True)
class Arguments:
    """The command line. Fields with a help text are flags, underscores written as dashes."""

    input: str = "-"
    steps: tuple[Step, ...] = ()
    output: str = "-"
    split_input_file: bool = _flag(f"treat the parts between lines of '{SPLIT_MARKER}' as modules of their own")
    verify_diagnostics: bool = _flag("check diagnostics against comments // expected-error@+1 {{text}}")
    verify_each: bool = _flag("verify after every pass (on by default; --verify-each=false)", True)
    allow_unregistered_dialect: bool = _flag("let operations of unknown dialects pass")
    emit_bytecode: bool = _flag("write bytecode instead of text")
    mlir_print_debuginfo: bool = _flag("print locations")
    mlir_print_op_generic: bool = _flag("print operations in their generic form")
    mlir_print_local_scope: bool = _flag("print without aliases of attributes and types")
    mlir_elide_elementsattrs_if_larger: int | None = _flag("leave out constants of more elements", None)
    mlir_print_ir_before_all: bool = _flag("print the module to standard error before every pass")
    mlir_print_ir_after_all: bool = _flag("print the module to standard error after every pass")
    mlir_disable_threading: bool = _flag("accepted and always so")
    list_passes: str | None = _flag("list all passes and leave; --list-passes=sable: ours only", None)
    show_dialects: bool = _flag("list all dialects and leave")
    version: bool = _flag("print versions and leave")
    help: bool = _flag("print this and leave")


_FLAGS = {f.name.replace("_", "-"): f for f in dataclasses.fields(Arguments) if "help" in f.metadata}
_WORDS = {"true": True, "1": True, "false": False, "0": False}


def parse_arguments(argv: Sequence[str]) -> Arguments:
    """The command line, read in order: passes run in the order of their flags.

    Raises:
      PassError: an unknown flag or pass, a wrong value; placed by its column in the command line.
    """
    values: dict[str, Any] = {}
    steps: list[Step] = []
    rest = list(enumerate(argv))
    while rest:
        k, word = rest.pop(0)
        place = Place("<command line>", 1, len(" ".join([*argv[:k], ""])) + 1)
        name, equals, text = word.lstrip("-").partition("=")
        if word == "-" or not word.startswith("-"):
            if "input" in values:
                raise PassError(Diagnostic(f"more than one input: '{values['input']}' and '{word}'", place))
            values["input"] = word
        elif name == "o":
            if not equals and not rest:
                raise PassError(Diagnostic("-o needs the name of a file", place))
            values["output"] = text if equals else rest.pop(0)[1]
        elif name == "pass-pipeline":
            if not equals and not rest:
                raise PassError(Diagnostic("--pass-pipeline needs a pipeline", place))
            steps += PipelineParser(text if equals else rest.pop(0)[1]).steps()
        elif name in _FLAGS:
            values[_FLAGS[name].name] = _flag_value(name, text if equals else None, place)
        else:
            steps.append(step_of(name, text, place))
    return Arguments(steps=tuple(steps), **values)


def _flag_value(name: str, text: str | None, place: Place) -> Any:
    if name == "list-passes":
        return text or "all"
    if name == "mlir-elide-elementsattrs-if-larger":
        if text is None or not text.isdigit():
            raise PassError(Diagnostic(f"--{name}: expected a number, got '{text or ''}'", place))
        return int(text)
    if text is None:
        return True
    if text.lower() not in _WORDS:
        raise PassError(Diagnostic(f"--{name}: expected true or false, got '{text}'", place))
    return _WORDS[text.lower()]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tool; the exit code."""
    CONTEXT.enable_multithreading(False)  # output and diagnostics in a fixed order
    try:
        arguments = parse_arguments(sys.argv[1:] if argv is None else argv)
        information = _information(arguments)
        if information is not None:
            print(information)
            return 0
        return _Run(arguments).all_parts()
    except PassError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{PROGRAM}: error: {error.filename or ''}: {error.strerror or error}", file=sys.stderr)
        return 1


class _Run:
    """One input and what becomes of it."""

    def __init__(self, arguments: Arguments):
        self.arguments = arguments
        self.name = STDIN if arguments.input == "-" else arguments.input
        self.options = foreign.RunOptions(
            verify=arguments.verify_each,
            print_before=arguments.mlir_print_ir_before_all,
            print_after=arguments.mlir_print_ir_after_all,
            debug_info=arguments.mlir_print_debuginfo,
        )

    def all_parts(self) -> int:
        """Every part of the input; the exit code."""
        data = sys.stdin.buffer.read() if self.arguments.input == "-" else Path(self.arguments.input).read_bytes()
        outputs, failed = [], False
        for part in self._parts(data):
            output, diagnostics = self._part(part)
            if self.arguments.verify_diagnostics:
                diagnostics = check_expectations(_text(part), self.name, diagnostics)
            for diagnostic in diagnostics:
                _report(diagnostic, self.name, part)
            failed |= any(d.severity == "error" for d in diagnostics)
            if output is not None:
                outputs.append(output)
        if not failed or self.arguments.output == "-":
            write_output(self.arguments.output, f"{SPLIT_MARKER}\n".encode().join(outputs))
        return 1 if failed else 0

    def _parts(self, data: bytes) -> list[bytes]:
        if not self.arguments.split_input_file or data.startswith(BYTECODE_MAGIC):
            return [data]
        parts: list[list[str]] = [[]]
        for number, line in enumerate(_text(data).splitlines(keepends=True), 1):
            if line.strip() == SPLIT_MARKER:
                # the lines before a part stay as empty ones, so that its line numbers are those of the file
                parts.append(["\n" * number])
            else:
                parts[-1].append(line)
        return ["".join(part).encode() for part in parts]

    def _part(self, data: bytes) -> tuple[bytes | None, list[Diagnostic]]:
        """One module: what is written, None if that fails; and what there is to say."""
        found: list[Diagnostic] = []

        def keep(info: Any) -> bool:
            found.append(diagnostic_of(info))
            return True

        handler = CONTEXT.attach_diagnostic_handler(keep)
        output = None
        try:
            module = self._parse(data)
            verify(module, self.arguments.allow_unregistered_dialect)
            module = run_steps(module, self.arguments.steps, self.options, self._show)
            output = self._print(module)
        except PassError as error:
            found += error.diagnostics
        except ir.MLIRError as error:
            found += from_mlir(error).diagnostics
        finally:
            handler.detach()
        return output, [_named(d, self.name) for d in found]

    def _parse(self, data: bytes) -> ir.Module:
        if self.arguments.input != "-" and not self.arguments.split_input_file:
            return ir.Module.parseFile(self.arguments.input, CONTEXT)
        return ir.Module.parse(data if data.startswith(BYTECODE_MAGIC) else _text(data), CONTEXT)

    def _print(self, module: ir.Module) -> bytes:
        if self.arguments.emit_bytecode:
            stream = io.BytesIO()
            module.operation.write_bytecode(stream)
            return stream.getvalue()
        return (self._asm(module).rstrip("\n") + "\n").encode()

    def _asm(self, module: ir.Module) -> str:
        a = self.arguments
        return module.operation.get_asm(
            enable_debug_info=a.mlir_print_debuginfo,
            print_generic_op_form=a.mlir_print_op_generic,
            use_local_scope=a.mlir_print_local_scope,
            large_elements_limit=a.mlir_elide_elementsattrs_if_larger,
        )

    def _show(self, title: str, module: ir.Module) -> None:
        print(f"// -----// IR {title} //----- //\n{self._asm(module)}\n", file=sys.stderr)


def _text(data: bytes) -> str:
    return data.decode(errors="replace")


def _named(diagnostic: Diagnostic, name: str) -> Diagnostic:
    """With the input's name where the bindings only know memory."""
    place = diagnostic.place
    if place is not None and place.file == UNNAMED:
        place = Place(name, place.line, place.column)
    notes = tuple(_named(n, name) for n in diagnostic.notes)
    return dataclasses.replace(diagnostic, place=place, notes=notes)


def _report(diagnostic: Diagnostic, name: str, data: bytes) -> None:
    """Print a diagnostic and, if it is about the input, the line with a caret."""
    place = diagnostic.place
    print(dataclasses.replace(diagnostic, notes=()), file=sys.stderr)
    if place is not None and place.file == name and not data.startswith(BYTECODE_MAGIC):
        lines = _text(data).splitlines()
        if place.line <= len(lines):
            print(f"{lines[place.line - 1]}\n{' ' * (place.column - 1)}^", file=sys.stderr)
    for note in diagnostic.notes:
        print(note, file=sys.stderr)


def write_output(name: str, data: bytes) -> None:
    """Write a file whole or not at all; '-' is standard output."""
    if name == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    path = Path(os.path.realpath(name))
    if path.exists() and not path.is_file():  # /dev/null, a pipe
        path.write_bytes(data)
        return
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        os.chmod(temporary, path.stat().st_mode if path.exists() else 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _information(arguments: Arguments) -> str | None:
    """What --help, --version, --list-passes and --show-dialects print."""
    if arguments.help:
        flags = [("-o FILE", "write there, whole or not at all; '-': standard output")]
        flags += [(f"--{name}", f.metadata["help"]) for name, f in _FLAGS.items()]
        flags.append(("--pass-pipeline=TEXT", "builtin.module(...) with passes of ours (sable-NAME), MLIR and IREE"))
        table = "\n".join(f"  {name:40} {text}" for name, text in flags)
        return f"{USAGE}\noptions:\n{table}\n\n{list_passes(everything=False)}\n\nand {_MORE}."
    if arguments.version:
        return _versions()
    if arguments.list_passes is not None:
        return list_passes(everything=arguments.list_passes != "sable")
    if arguments.show_dialects:
        return "\n".join(["Dialects:", *(f"  {n}" for n in sorted(["sable", *foreign.foreign_dialects()]))])
    return None


_MORE = "every pass of MLIR and IREE by its name (--list-passes)"


def list_passes(everything: bool = True) -> str:
    """The passes with their options; MLIR's and IREE's by name if `everything`."""
    lines = ["Passes of Sable (in pipelines: sable-NAME{...}):"]
    for entry in PASSES.values():
        lines.append(f"  --{entry.name}")
        lines.append(f"      {entry.description}")
        lines += [f"      {n}=<{kind}>: {text}" for n, kind, text in entry.describe_options()]
    if everything:
        lines += ["", "Passes and pass pipelines of MLIR and IREE:"]
        lines += [f"  --{name:60} {text}" for name, text in foreign.foreign_passes().items()]
    return "\n".join(lines)


def _versions() -> str:
    from importlib.metadata import PackageNotFoundError, version

    found = []
    for package in ("sable-mlir", "iree-base-compiler"):
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"{package} (not installed as a package)")
    return f"{PROGRAM}: {', '.join(found)}"


if __name__ == "__main__":
    sys.exit(main())
