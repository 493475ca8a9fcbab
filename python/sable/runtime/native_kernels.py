"""Native kernels: C functions of `sable._native` that eager ops and compiled CPU programs call by name.

A program imports them as IREE resolves imports, through a plugin of its CPU drivers, which the native module is too
(`python/native/kernels.cpp`). Those of linear algebra call LAPACK and BLAS in an OpenBLAS of our own, from the package
scipy-openblas32, loaded when the first kernel is asked for. It runs on the calling thread: its own threads take long to
meet on a busy machine, and a program's parallel calls are the program's business. Only of eigenvalues and singular values of
large matrices, which are one long call, SciPy's OpenBLAS does the work, with as many threads as it has.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import importlib.util
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sable._forks import new_lock
from sable.pytree.registry import implementation, native
from sable.runtime.errors import ExecutionError

_OPENBLAS_PACKAGE = "scipy_openblas32"
_OPENBLAS_THREADS = "OPENBLAS_NUM_THREADS"
#: LAPACK's and BLAS's functions without the letter of the type, by the letters that there are.
_FUNCTIONS = {
    "sdcz": ("potrf", "trsm", "gemm", "getrf", "geqrf", "geqp3", "gehrd", "gesdd", "geev", "gees", "gtsv"),
    "sd": ("orgqr", "ormqr", "syevd", "sytrd"),
    "cz": ("ungqr", "unmqr", "heevd", "hetrd"),
}
#: How the names of kernels for large matrices end.
_LARGE = "_large"
#: Those that large matrices want with threads.
_OF_LARGE = {"sdcz": ("gesdd",), "sd": ("syevd",), "cz": ("heevd",)}

_LOCK = new_lock()


@functools.cache
def available() -> bool:
    """Whether there are native kernels: the native module was built and is in use, and OpenBLAS is installed."""
    return native and _openblas_path() is not None


def plugin_path() -> str:
    """The file that IREE's CPU drivers load as their plugin."""
    return implementation.__file__


def importable() -> bool:
    """Whether programs can import native kernels; known once a CPU device is open."""
    return available() and implementation.kernels_are_importable()


def require(names: Iterable[str]) -> None:
    """Make sure that a program's imports are there before it is loaded: IREE's own message names none of them.

    Raises:
      ExecutionError: naming those that are missing, and why.
    """
    wanted = sorted(set(names))
    if not wanted:
        return
    if not available():
        raise ExecutionError(f"the program calls the native kernels {', '.join(wanted)}: {_why_unavailable()}")
    _bind(wanted)
    missing = [name for name in wanted if not implementation.has_kernel(name)]
    if missing:
        raise ExecutionError(f"the program calls native kernels that this version does not have: {', '.join(missing)}")
    if not importable():
        raise ExecutionError(
            f"the program calls the native kernels {', '.join(wanted)}, which IREE's CPU drivers do not know: they did "
            f"not load {plugin_path()} as a plugin"
        )


def call(
    name: str,
    operands: Sequence[np.ndarray],
    results: Sequence[np.ndarray],
    options: Sequence[int] = (),
    pieces: int = 1,
) -> None:
    """Run a kernel here and now, in the pieces in which a compiled program does, so that no digit differs.

    Args:
      name: of the kernel.
      operands: arrays of the kernel's dtype and ranks, with one batch dimension first.
      results: arrays that are written.
      options: the op's options.
      pieces: how many there are.
    """
    _bind([name])
    implementation.call_kernel(name, operands, results, options, pieces)


def _why_unavailable() -> str:
    if not native:
        return "Sable runs without its native module"
    return "the package scipy-openblas32 is not installed"


def _openblas_path() -> Path | None:
    spec = importlib.util.find_spec(_OPENBLAS_PACKAGE)
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "lib"
    return next((f for f in sorted(folder.glob("*scipy_openblas*")) if f.suffix in (".so", ".dylib", ".dll")), None)


def _bind(names: Iterable[str]) -> None:
    _bind_lapack()
    if any(name.endswith(_LARGE) for name in names):
        _bind_threaded_lapack()


@functools.cache
def _bind_threaded_lapack() -> None:
    """SciPy's, loaded when it is first needed, since that takes 100 ms."""
    with _LOCK:
        functions = importlib.import_module("scipy.linalg.cython_lapack").__pyx_capi__
        names = [t + function for types, names in _OF_LARGE.items() for function in names for t in types]
        implementation.bind_threaded_lapack({name: _address_in(functions[name]) for name in names})


def _address_in(capsule: Any) -> int:
    """The function's address in a capsule of Cython's, which is named by the function's signature."""
    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype, api.PyCapsule_GetName.argtypes = ctypes.c_char_p, [ctypes.py_object]
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    return api.PyCapsule_GetPointer(capsule, api.PyCapsule_GetName(capsule))


@functools.cache
def _bind_lapack() -> None:
    with _LOCK:
        library = _load_openblas()
        names = [t + function for types, functions in _FUNCTIONS.items() for function in functions for t in types]
        implementation.bind_lapack({name: _address(library, name) for name in names})


def _load_openblas() -> Any:
    """OpenBLAS with one thread: said before it is loaded, so that it starts no others."""
    before = os.environ.get(_OPENBLAS_THREADS)
    os.environ[_OPENBLAS_THREADS] = "1"
    try:
        library = ctypes.CDLL(str(_openblas_path()))
    finally:
        if before is None:
            del os.environ[_OPENBLAS_THREADS]
        else:
            os.environ[_OPENBLAS_THREADS] = before
    library.scipy_openblas_set_num_threads(1)
    return library


def _address(library: Any, name: str) -> int:
    address = ctypes.cast(getattr(library, f"scipy_{name}_"), ctypes.c_void_p).value
    assert address is not None
    return address
