"""Every public function has a row, and takes what JAX's takes: names, kinds and defaults of its parameters."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

import sable

from . import rows  # noqa: F401  (they fill the table)
from .table import CALLS, find

jax = pytest.importorskip("jax", reason="JAX is the oracle of these tests (it needs Python 3.11)")

MODULES = (
    "image",
    "numpy",
    "numpy.linalg",
    "lax",
    "lax.linalg",
    "nn",
    "nn.initializers",
    "ops",
    "random",
    "scipy.cluster.vq",
    "scipy.integrate",
    "scipy.linalg",
    "scipy.ndimage",
    "scipy.optimize",
    "scipy.signal",
    "scipy.sparse.linalg",
    "scipy.special",
    "scipy.stats",
    *(
        f"scipy.stats.{name}"
        for name in sorted(sable.scipy.stats.__all__)
        if isinstance(getattr(sable.scipy.stats, name), ModuleType)
    ),
)

#: Parameters that come with sharded arrays.
LATER = ("out_sharding", "to")

#: Functions without a row, and why.
NO_ROW = {
    "scipy.optimize.minimize": "it takes functions: tests/scipy/test_optimize.py",
    "numpy.get_printoptions": "printing",
    "numpy.printoptions": "printing",
    "numpy.set_printoptions": "printing",
    "numpy.vectorize": "it makes a function: tests/numpy/test_vectorization.py",
    "numpy.frompyfunc": "it makes a function: tests/numpy/test_ufuncs.py",
    "numpy.array_repr": "text, which names JAX's internal class there",
    "numpy.isdtype": "dtypes only",
    "numpy.iterable": "it is NumPy's, as JAX's is",
    **dict.fromkeys(
        [f"numpy.{n}" for n in ("from_dlpack", "frombuffer", "fromfile", "fromfunction", "fromiter", "fromstring")]
        + [f"numpy.{n}" for n in ("load", "save", "savez")],
        "files, buffers and functions: tests/numpy/test_files.py",
    ),
    "numpy.einsum_path": "the description is NumPy's: tests/numpy/test_products.py",
    "lax.dtype": "dtypes only",
    "lax.rng_uniform": "each call draws other numbers: tests/lax/test_primitives.py",
    "random.key_dtype": "dtypes only",
    "lax.DotDimensionNumbers": "a type",
    **dict.fromkeys(
        ["lax.conv_shape_tuple", "lax.conv_general_shape_tuple", "lax.conv_transpose_shape_tuple"],
        "Python's integers, not NumPy's: tests/lax/test_convolution.py",
    ),
    **dict.fromkeys(
        [f"lax.{n}" for n in ("composite", "custom_linear_solve", "custom_root", "platform_dependent")],
        "they take functions of some size: tests/lax/test_solves.py",
    ),
    **dict.fromkeys(
        ["nn.get_scaled_dot_general_config", "nn.scaled_dot_general", "nn.scaled_matmul"],
        "on GPUs only in JAX: tests/nn/test_scaling.py",
    ),
    "lax.with_sharding_constraint": "shardings: tests/oracle/test_meshes.py",
    **dict.fromkeys(["lax.create_token", "lax.after_all"], "tokens are arrays: tests/lax/test_lax.py"),
    **dict.fromkeys(
        [
            f"lax.{n}"
            for n in ("all_to_all", "pbroadcast", "pcast", "ppermute", "pshuffle", "psum_scatter", "pswapaxes")
        ],
        "mapped rows of lax.map; tests/lax/test_parallel.py",
    ),
}


def public_functions(name: str) -> Iterator[tuple[str, Any]]:
    """Path and function of what a module offers and JAX's has too; classes and scalar types are left out."""
    ours, theirs = importlib.import_module(f"sable.{name}"), importlib.import_module(f"jax.{name}")
    for entry in sorted(getattr(ours, "__all__", dir(ours))):
        function = getattr(ours, entry)
        if entry.startswith("_") or not callable(function) or isinstance(function, type) or not hasattr(theirs, entry):
            continue
        if hasattr(function, "dtype"):
            continue  # float32 and its like are callable
        yield f"{name}.{entry}", function


FUNCTIONS = dict(pair for name in MODULES for pair in public_functions(name))


def parameters(function: Any) -> list[tuple[str, str, str]] | None:
    """Name, kind and default of each parameter, as a caller sees them; None where there is no signature."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    seen = [p for p in found if not p.name.startswith("_") and p.name not in LATER]
    by_place = [(_name(p), p.kind.name, _plain(p.default)) for p in seen if p.kind is not p.KEYWORD_ONLY]
    by_name = sorted((p.name, p.kind.name, _plain(p.default)) for p in seen if p.kind is p.KEYWORD_ONLY)
    return by_place + by_name


def _name(p: inspect.Parameter) -> str:
    return "" if p.kind in (p.POSITIONAL_ONLY, p.VAR_POSITIONAL) else p.name


def _plain(default: Any) -> str:
    if default is inspect.Parameter.empty:
        return "required"
    if isinstance(default, type):
        return default.__name__
    return "nothing" if type(default) is object else str(default)


def test_every_function_has_a_row() -> None:
    missing = set(FUNCTIONS) - {c.function for c in CALLS} - set(NO_ROW) - through_tree_map()
    assert not missing, f"no row in tests/library/rows for {sorted(missing)}"


def through_tree_map() -> set[str]:
    """Initializers are functions that make functions: their rows call what they make."""
    return {path for path in FUNCTIONS if path.startswith("nn.initializers.")}


def test_no_reason_is_stale() -> None:
    assert not {name for name in NO_ROW if name not in FUNCTIONS}


#: Functions whose parameters differ, and why.
DIFFERENT: dict[str, str] = {
    "lax.while_loop": "max_steps is an addition of ours",
    "nn.initializers.Initializer": "a protocol",
    "numpy.set_printoptions": "NumPy's own",
    "lax.dtype": "also takes canonicalize=, which JAX had",
    "lax.random_gamma_grad": "its two arguments have no names there",
    "numpy.result_type": "also tells the weak type",
}


@pytest.mark.parametrize("path", sorted(FUNCTIONS))
def test_parameters(path: str) -> None:
    ours, theirs = parameters(find(sable, path)), parameters(find(jax, path))
    if path in DIFFERENT:
        assert ours != theirs, f"{path} is said to differ, and does not"
        return
    assert ours == theirs
