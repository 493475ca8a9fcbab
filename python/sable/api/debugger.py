"""jax.debug.breakpoint: a debugger that opens where a running program reaches a place, and knows the values there."""

from __future__ import annotations

import cmd
import inspect
import pprint
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any

from sable._forks import new_lock
from sable.core.trace import Tracer
from sable.core.values import is_array_like
from sable.ir.location import is_internal
from sable.pytree import arrays

from .callback import debug_callback, pure_callback

#: Held while a debugger is open: programs of several threads may reach breakpoints at once.
_OPEN = new_lock(reentrant=True)
#: Lines of source around the current one that `list`, and other commands, show.
_LISTED, _SHOWN = 5, 2


@dataclass
class Frame:
    """A call of a Python function that led to a breakpoint.

    Attributes:
      filename, lineno: where it is.
      locals: the function's variables; traced values are those of the run.
      source: lines of the function.
      first: the number of the first of these lines.
    """

    filename: str
    lineno: int
    locals: dict[str, Any]
    source: list[str]
    first: int

    def shown(self, around: int) -> str:
        """The place, and the lines around it."""
        lines = [f"> {self.filename}({self.lineno})"]
        for number, line in enumerate(self.source, self.first):
            if abs(number - self.lineno) <= around:
                lines.append(f"{'->' if number == self.lineno else '  '}  {line}")
        return "\n".join(lines)

    def line(self) -> str:
        """The current line."""
        place = self.lineno - self.first
        return self.source[place].strip() if 0 <= place < len(self.source) else "<no source>"


def _frames(limit: int | None, every: bool) -> list[Frame]:
    """The calls that lead here, the innermost first; those of Sable itself only where all are wanted."""
    found: list[Frame] = []
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and (limit is None or len(found) < limit):
        if every or not is_internal(frame.f_code):
            try:
                source, first = inspect.getsourcelines(frame)
            except (OSError, TypeError):
                source, first = [], 0
            lines = [line.rstrip("\n") for line in source]
            found.append(Frame(frame.f_code.co_filename, frame.f_lineno, dict(frame.f_locals), lines, max(first, 1)))
        frame = frame.f_back
    return found


class Debugger(cmd.Cmd):
    """Reads commands and expressions from a terminal, or from `stdin`."""

    prompt = "(jdb) "
    intro = "Entering jdb:"

    def __init__(self, frames: Sequence[Frame], stdin: Any = None, stdout: Any = None, completekey: str = "tab"):
        super().__init__(completekey, stdin, stdout)
        self.use_rawinput = stdin is None
        self._frames, self._number = frames, 0

    @property
    def _frame(self) -> Frame:
        return self._frames[self._number]

    def _say(self, text: str) -> None:
        print(text, file=self.stdout)

    def _evaluate(self, expression: str, show: Callable[[Any], str]) -> None:
        try:
            self._say(show(eval(expression, {}, self._frame.locals)))
        except Exception as error:  # of the user's expression
            self._say(f"*** {type(error).__name__}: {error}")

    def default(self, line: str) -> None:
        """An expression: evaluated and shown."""
        self._evaluate(line, repr)

    def emptyline(self) -> bool:
        """Nothing."""
        return False

    def do_p(self, line: str) -> None:
        """p expression: evaluate it and show the value"""
        self._evaluate(line, repr)

    def do_pp(self, line: str) -> None:
        """pp expression: evaluate it and show the value on several lines"""
        self._evaluate(line, pprint.pformat)

    def do_up(self, _: str) -> None:
        """u(p): go to the caller"""
        self._move(1, "At topmost frame.")

    def do_down(self, _: str) -> None:
        """d(own): go to what is called"""
        self._move(-1, "At bottommost frame.")

    def _move(self, step: int, refusal: str) -> None:
        if 0 <= self._number + step < len(self._frames):
            self._number += step
        else:
            self._say(refusal)
        self._say(self._frame.shown(_SHOWN))

    def do_list(self, _: str) -> None:
        """l(ist): show the lines around the current one"""
        self._say(self._frame.shown(_LISTED))

    def do_where(self, _: str) -> None:
        """w(here), bt: show all calls, the innermost last"""
        lines = [f'  File "{f.filename}", line {f.lineno}\n    {f.line()}' for f in reversed(self._frames)]
        self._say("\n".join(["Traceback:", *lines]))

    def do_continue(self, _: str) -> bool:
        """c(ont(inue)): let the program run on"""
        return True

    def do_quit(self, _: str) -> None:
        """q(uit), exit: leave Python"""
        sys.exit(0)

    do_u, do_d, do_l, do_w, do_bt, do_c, do_cont = do_up, do_down, do_list, do_where, do_where, do_continue, do_continue
    do_q = do_exit = do_EOF = do_quit


def breakpoint(
    *,
    backend: str | None = None,
    filter_frames: bool = True,
    num_frames: int | None = None,
    ordered: bool = False,
    token: Any = None,
    **kwargs: Any,
) -> Any:
    """Open a debugger where the running program reaches this place; traced variables have the values of the run.

    Commands are `p`, `pp`, `u`, `d`, `l`, `w`, `c`, `q`; anything else is an expression that is evaluated.

    Args:
      backend: "cli", the only debugger.
      filter_frames: whether calls of Sable itself are left out.
      num_frames: how many calls can be looked at, by default all.
      ordered: whether breakpoints are reached in the program's order: they always are.
      token: a pytree of arrays that is returned; the place is then reached when they are known, if the result is used.
      **kwargs: `stdin`, `stdout`: files in place of the terminal.

    Raises:
      ValueError: both ordered and token.

    Example:
      >>> import io
      >>> import sable as jax
      >>> @jax.jit
      ... def f(x):
      ...     y = 2 * x
      ...     jax.debug.breakpoint(stdin=io.StringIO("y + 1\\nc\\n"))
      ...     return y
      >>> print(f(3))
      Entering jdb:
      (jdb) Array(7, dtype=int32)
      (jdb) 6
    """
    if token is not None and ordered:
        raise ValueError("`ordered` and `token` are mutually exclusive arguments.")
    frames = _frames(num_frames, not filter_frames)
    traced = [(i, name) for i, f in enumerate(frames) for name, value in f.locals.items() if _is_traced(value)]
    values = [frames[i].locals[name] for i, name in traced]

    def stop(*known: Any) -> None:
        here = [replace(f, locals=dict(f.locals)) for f in frames]
        for (i, name), value in zip(traced, known):
            here[i].locals[name] = value
        with _OPEN:
            Debugger(here, **kwargs).cmdloop()

    if token is None:
        debug_callback(stop, *values, ordered=ordered)
        return None

    def passed_on(given: Any, *known: Any) -> Any:
        stop(*known)
        return given

    return pure_callback(passed_on, token, token, *values)


def _is_traced(value: Any) -> bool:
    """Whether a variable is a pytree of arrays of which some are traced."""
    try:
        leaves = arrays.leaves(value)
    except Exception:  # whatever a variable is that is no pytree: keys of dictionaries that cannot be sorted
        return False
    return any(type(x) is Tracer for x in leaves) and all(is_array_like(x) for x in leaves)


__all__ = ["breakpoint"]
