"""Writes what a package emits for each program: `python -m tests.replay.emit PACKAGE_FOLDER OUTPUT_FOLDER`.

Each program of `tests.oracle.programs` is traced, differentiated, batched and lowered; what raises is written as its
error class, so that a change of that shows as well.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np


def use_package(folder: str) -> Any:
    """The `sable` of that folder, whatever is installed."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in type(finder).__module__]
    sys.path.insert(0, folder)
    import sable

    assert str(Path(sable.__file__).resolve()).startswith(str(Path(folder).resolve())), sable.__file__
    return sable


def texts(jax: Any, run: Any, arguments: tuple) -> Iterator[tuple[str, Any]]:
    """Name and maker of each text of one program."""
    arrays = [k for k, x in enumerate(arguments) if isinstance(x, np.ndarray)]
    floats = tuple(k for k in arrays if arguments[k].dtype.kind == "f")

    def program(*values: Any) -> Any:
        given = list(arguments)
        for k, v in zip(arrays, values):
            given[k] = v
        return jax.tree_util.tree_map(jax.numpy.asarray, run(jax, *given))

    def total(*values: Any) -> Any:
        leaves = jax.tree_util.tree_leaves(program(*values))
        return sum((x.astype("float32").sum() for x in leaves if x.dtype.kind == "f"), jax.numpy.float32(0))

    operands = [arguments[k] for k in arrays]
    stacked = [np.stack([x, x]) for x in operands]
    yield "jit", lambda: jax.jit(program).lower(*operands)
    if floats:
        at = tuple(arrays.index(k) for k in floats)
        yield "grad", lambda: jax.jit(jax.grad(total, at)).lower(*operands)
    if operands:
        yield "vmap", lambda: jax.jit(jax.vmap(program)).lower(*stacked)


def main(folder: str, into: str) -> None:
    """Write all programs."""
    jax = use_package(folder)
    from sable.passes.lower import lower
    from tests.oracle.programs import PROGRAMS

    for program in PROGRAMS:
        for kind, make in texts(jax, program.run, program.arguments):
            try:
                lowered = make()
                plain = lowered.as_text()
                for_cpu = lower(lowered._traced.function, "cpu").module.operation.get_asm(assume_verified=True)
                text = f"{plain}\n{for_cpu}"
            except Exception as error:
                text = f"{type(error).__name__}\n"
            (Path(into) / f"{program.name}.{kind}").write_text(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
