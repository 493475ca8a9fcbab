"""The ladder of compiler settings, from those that make the fastest code to those that compile the most.

`compile_module` tries the rungs in order until one compiles. The figures are of IREE 3.13.0 on 2 cores with
AVX-512 (`benchmarks/compile_latency.py` prints those of your machine).

Two things about IREE's flags decided the form of this file:

* `--iree-opt-level` has no effect through the session API: it is the command-line tool that turns the level
  into defaults of other flags. So the flags are spelled out, which also lets them be chosen one by one.
* Of what the levels switch on, `reassociate-fp-reductions` (O2) takes a sum of 1e6 from 0.50 to 0.15 ms and a
  softmax of 1024x1024 from 2.3 to 1.0 ms. `enable-aggressive-fusion` (O2) makes nothing measured faster and
  the gradient of an attention block fail to compile. `generalize-matmul` (O2) and
  `aggressively-propagate-transposes` (O3) slow a training step of an MLP from 0.37 to 0.83 ms. Hence the
  first alone.
"""

from __future__ import annotations

import importlib.util
import shlex
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .options import CompileOptions
from .target import Target

#: Stands for the linker's command in the flags of a rung, so that where IREE is installed is in no cache key.
_LINKER = "{linker}"

#: No 64-bit value becomes a 32-bit one: which dtypes a program has is decided before it comes here.
_ALL = ("--iree-input-demote-i64-to-i32=false", "--iree-input-demote-f64-to-f32=false")

#: Constant evaluation compiles and runs a second program (0.05 s and more), and breaks complex64 cos and
#: atan2. Debug symbols and micro-kernel bitcode cost time in every executable, and gave no speed.
_QUICK_CPU = (
    "--iree-opt-const-eval=false",
    "--iree-llvmcpu-debug-symbols=false",
    "--iree-llvmcpu-link-ukernel-bitcode=false",
)
_OPTIMISED = ("--iree-opt-strip-assertions=true", "--iree-opt-outer-dim-concat=true")
_REASSOCIATE = "--iree-llvmcpu-reassociate-fp-reductions=true"
_UNDISTRIBUTED = "--iree-llvmcpu-disable-distribution=true"
_SYSTEM_LINK = ("--iree-llvmcpu-link-embedded=false", f"--iree-llvmcpu-system-linker-path={_LINKER}")
_EMBEDDED_LINK = ("--iree-llvmcpu-link-embedded=true",)
_NATIVE_LINK = ("--iree-llvmcpu-link-embedded=false",)


#: Parts of IREE that no module of ours needs: other languages and other devices. Their ops count in every
#: canonicalisation. One flag each: of a list IREE takes none and says nothing.
_UNUSED_PLUGINS = ("input_torch", "input_tosa", "hal_target_rocm", "hal_target_vmvx", "hal_target_metal_spirv")
#: Flags that IREE takes for a process, not for a compile. Peeled loops instead of masked vectors: rows whose length is no
#: multiple of 16 are then as fast as others (softmax of 500x500: 0.27 ms instead of 7). With them products of f64 matrices
#: from 32 x 32 on have vectors that IREE calls too large, and that are as quick as others.
PROCESS_FLAGS = (
    "--iree-llvmcpu-vector-pproc-strategy=peel",
    "--iree-llvmcpu-fail-on-large-vector=false",
    *(f"--iree-plugin=-{plugin}" for plugin in _UNUSED_PLUGINS),
)


@dataclass(frozen=True)
class Rung:
    """One set of compiler settings.

    Attributes:
      name: short, for messages and `CompileOptions.rungs`.
      settings: flags of IREE, in which '{linker}' stands for the linker's command.
      reason: what it is good for.
    """

    name: str
    settings: tuple[str, ...]
    reason: str

    def flags(self) -> tuple[str, ...]:
        """The flags as IREE takes them on this machine."""
        return tuple(flag.replace(_LINKER, linker_command()) for flag in self.settings)


def ladder(target: Target, options: CompileOptions) -> tuple[Rung, ...]:
    """The rungs to try, best first.

    Raises:
      ValueError: `options.rungs` names none of the rungs there are.
    """
    rungs = _cpu(target, options) if target.platform == "cpu" else _gpu()
    common = (f"--iree-input-type={options.input_type}", *_ALL, *target.flags())
    chosen = tuple(
        Rung(rung.name, common + rung.settings + options.extra_flags, rung.reason)
        for rung in rungs
        if not options.rungs or rung.name in options.rungs
    )
    if not chosen:
        names = ", ".join(rung.name for rung in rungs)
        raise ValueError(f"expected rungs out of {names} for {target}, got {', '.join(options.rungs)}")
    return chosen


def _cpu(target: Target, options: CompileOptions) -> tuple[Rung, ...]:
    shape = () if options.distribute else (_UNDISTRIBUTED,)
    embedded = (
        Rung(
            "fast-embedded",
            (*_QUICK_CPU, *_OPTIMISED, _REASSOCIATE, *shape, *_EMBEDDED_LINK),
            "portable code: an ELF file for IREE's own loader, the same for every operating system",
        ),
        Rung(
            "embedded",
            ("--iree-opt-const-eval=false", *shape, *_EMBEDDED_LINK),
            "portable code by IREE's defaults",
        ),
    )
    if options.linking == "embedded" or (options.linking == "auto" and target.triple):
        return embedded
    if sys.platform != "linux":
        native = Rung("native-linker", (*_QUICK_CPU, *shape, *_NATIVE_LINK), "has libm, for f64 sin, cos, tan …")
        return (*embedded, native)
    return (*_linux(shape), embedded[1])


def _linux(shape: tuple[str, ...]) -> tuple[Rung, ...]:
    fast = Rung(
        "fast",
        (*_QUICK_CPU, *_OPTIMISED, _REASSOCIATE, *shape, *_SYSTEM_LINK),
        "shared objects made by the lld in IREE's package: no bundled math library to compile (0.04 s in "
        "each module) and libm at run time, without which f64 sin, cos, tan, tanh … do not link",
    )
    plain = Rung(
        "plain",
        (*_QUICK_CPU, *shape, *_SYSTEM_LINK),
        "reductions in order: for kernels that vectorised reductions make too large for 32 KiB of stack",
    )
    whole = Rung(
        "whole",
        (*_QUICK_CPU, _UNDISTRIBUTED, *_SYSTEM_LINK),
        "kernels in one piece: for fusions that IREE cannot split into workgroups ('failed on workgroup "
        "distribution verification'), at the price of running on one thread",
    )
    return (fast, plain) if shape else (fast, plain, whole)


def _gpu() -> tuple[Rung, ...]:
    return (
        Rung(
            "fast",
            ("--iree-opt-const-eval=false", *_OPTIMISED),
            "constant evaluation would compile for the CPU",
        ),
        Rung("plain", ("--iree-opt-const-eval=false",), "IREE's defaults"),
    )


@cache
def iree_package() -> Path:
    """The folder of the package `iree.compiler`, found without importing it (which takes 0.1 s).

    Raises:
      ModuleNotFoundError: it is not installed.
    """
    spec = importlib.util.find_spec("iree.compiler")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("compiling needs the package iree-base-compiler: pip install iree-base-compiler")
    return Path(next(iter(spec.submodule_search_locations)))


@cache
def linker_command() -> str:
    """The lld that IREE brings along, in its ELF flavour."""
    return f"{shlex.quote(str(iree_package() / '_mlir_libs' / 'iree-lld'))} -flavor gnu -z now"


@cache
def iree_version() -> str:
    """Version and revision of the compiler, as in its package."""
    return (iree_package() / "version.py").read_text(encoding="utf-8")
