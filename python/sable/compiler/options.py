"""Options of a compile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from .cache import Keeping

Linking = Literal["auto", "system", "embedded"]
#: File name of a module's text that has none.
UNNAMED_SOURCE = "<module>"

_LINKINGS = ("auto", "system", "embedded")
_KEEPING = Keeping()


@dataclass(frozen=True)
class CompileOptions:
    """How to compile, where the defaults do not fit.

    Attributes:
      input_type: what IREE takes the module for. 'stablehlo' also admits func, arith, cf, tensor, flow, util,
        hal and chlo ops beside StableHLO; 'auto' looks for itself, which takes 0.02 s; 'none' is for modules
        below.
      linking: CPU code as a shared object of this operating system ('system'), or as an ELF file for IREE's
        own loader that runs on every one ('embedded', without libm); 'auto' is 'system' unless the target has
        a triple.
      distribute: split CPU kernels into workgroups, for devices with worker threads. A device that runs
        inline has no use for them, and without them kernels are up to a third faster (and a softmax of
        1000x1000, which IREE does not vectorise when it splits it, forty times).
      extra_flags: flags of IREE, after all others.
      rungs: names of the rungs of the ladder to try, in the ladder's order; () for all.
      source_name: file name of the module's own text, which locations in it are said to be in. Not the user's
        file, so that a location there is reported only if this is changed.
      fingerprint: stands for the module in the cache key; None takes the module's bytes. A hash of the module
        printed without locations makes a program survive the edit of a comment above it.
      loops: the platform for which the compiler's process first lowers the module's loops and branches
        (`sable.passes.legalize.loops`), '' for a module without any. The last rung makes no kernels of them.
      use_cache: look into the caches and write to them.
      keeping: what is read from and written to the disk.
      printed: makes text of the module, for the reproducer of a failure; None keeps it as it is.
      fault: for tests: 'abort', 'segfault', 'hang', 'fail' or 'loops' in the compiler's process; 'hang@fast' on that
        rung only.

    Raises:
      ValueError: an unknown kind of linking.
    """

    input_type: str = "stablehlo"
    linking: Linking = "auto"
    distribute: bool = True
    extra_flags: tuple[str, ...] = ()
    rungs: tuple[str, ...] = ()
    source_name: str = UNNAMED_SOURCE
    fingerprint: bytes | None = None
    loops: str = ""
    use_cache: bool = True
    printed: Callable[[bytes], bytes] | None = None
    keeping: Keeping = _KEEPING
    fault: str = ""

    def __post_init__(self) -> None:
        if self.linking not in _LINKINGS:
            raise ValueError(f"expected linking as one of {', '.join(_LINKINGS)}, got {self.linking!r}")

    def fault_on(self, rung: str) -> str:
        """The fault that a test wants on that rung, or ''."""
        name, _, where = self.fault.partition("@")
        return name if where in ("", rung) else ""
