"""Ahead of time: a function to a file that IREE runs without Sable and without Python."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import sable.numpy  # noqa: F401  (gives arrays their operators)
from sable.api.abstract import abstract_trace
from sable.api.compilation import Jitted
from sable.api.stages import concrete_captures
from sable.core.preparation import compile_prepared, prepare


def save(fn: Callable, args: Sequence[Any], path: str | os.PathLike, *, target: Any = None) -> Path:
    """Compile a function for given argument types into a deployable module.

    The module's function is `main`; its arguments and results are the leaves of `args` and of the result, in order.
    Arrays that the function closes over are constants of the module. `iree-run-module --module=FILE --function=main
    --input=...` runs it, and so does `sable.runtime.load`.

    Args:
      fn: a function, jitted or not.
      args: its arguments: arrays, or `ShapeDtypeStruct`s, or pytrees of these.
      path: the file to write (.vmfb). It is written whole or not at all.
      target: a `sable.compiler.Target`; by default this machine's CPU.

    Returns:
      The path.

    Raises:
      CompilationError: the compiler failed.
      ValueError: the function calls Python (callbacks, printing), which a deployed module cannot.
      TypeError: it closes over a traced value.

    Example:
      >>> import sable as jax, sable.numpy as jnp
      >>> from sable import aot
      >>> path = aot.save(lambda x: x + 1, (jnp.zeros(3),), "/tmp/plus.vmfb")   # doctest: +SKIP
    """
    from sable.compiler import Target  # 0.05 s: only when something is compiled

    fun = fn._fun if isinstance(fn, Jitted) else fn
    traced = abstract_trace(fun, tuple(args), {}, "aot.save")
    target = target or Target()
    prepared = prepare(traced.function, target.platform, concrete_captures(traced))
    if prepared.hosts:
        names = ", ".join(sorted(c.name for c in prepared.hosts.values()))
        raise ValueError(
            f"the function calls Python ({names}), which a deployed module does not have; remove the callbacks to save it"
        )
    compiled = compile_prepared(prepared, target)
    return _write(Path(path), compiled.vmfb)


def _write(path: Path, data: bytes) -> Path:
    """All of the file or nothing: a temporary file in the same folder, then a rename."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    return path


__all__ = ["save"]
