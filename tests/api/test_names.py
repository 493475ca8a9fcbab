"""The package under another name than its own: a copy, a link, an entry of `sys.modules`."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import sable
from sable.core.dtypes import explicit_dtype
from sable.pytree.registry import implementation, native
from sable.tools.replay import lay_out

ROOT = Path(__file__).parents[2]

USE = """
import sys
import {name}
import {name}.numpy as jnp, {name}.scipy.special as special
from {name} import lax
jax = {name}
assert jax is sys.modules["sable"] and jnp is sys.modules["sable.numpy"] and jnp is jax.numpy
assert jnp.__name__ == jnp.__spec__.name == "sable.numpy" and special.erf is jax.scipy.special.erf
wave = jax.jit(lambda x: jnp.sin(x) + lax.fori_loop(0, 3, lambda i, c: c * 2, x))
assert float(jax.grad(wave)(0.)) == 9
line = wave.lower(1.).as_text(debug_info=True)
assert '"<string>"' in line, line  # the user's, not the library's
print({name}.numpy.__file__)
"""


def run(text: str, *folders: Path) -> Path:
    """Runs without the installation: the folders, and the packages that Sable needs."""
    paths = [*map(str, folders), *(path for path in sys.path if path.endswith("site-packages"))]
    command = [sys.executable, "-S", "-c", f"import sys; sys.path += {paths!r}\n{text}"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return Path(done.stdout.strip())


@pytest.fixture(scope="module")
def copied(tmp_path_factory) -> Path:
    """A folder with a copy of the package as `sable`."""
    folder = tmp_path_factory.mktemp("copied")
    lay_out(ROOT, folder)
    if native:
        (folder / "sable" / Path(implementation.__file__).name).symlink_to(implementation.__file__)
    return folder


def test_a_copy_and_a_link(copied, tmp_path):
    (tmp_path / "array_library").symlink_to(copied / "sable", target_is_directory=True)
    assert run(USE.format(name="array_library"), tmp_path).is_relative_to(tmp_path / "array_library")


def test_another_name_for_the_imported_package(copied):
    both = 'import sys, sable\nsys.modules["jax"] = sable\n' + USE.format(name="jax")
    assert run(both, copied).is_relative_to(copied)


def test_a_link_beside_the_imported_package(copied, tmp_path):
    (tmp_path / "array_library").symlink_to(copied / "sable", target_is_directory=True)
    run("import sable.lax\n" + USE.format(name="array_library"), copied, tmp_path)


def test_what_is_not_there_is_not_found_by_either_name():
    sys.modules["another_sable"] = sable
    try:
        for name in ("sable.nothing", "another_sable.nothing", "another_sable.numpy.nothing"):
            with pytest.raises(ModuleNotFoundError, match="nothing"):
                __import__(name)
        with pytest.raises(AttributeError, match="nothing"):
            _ = sable.nothing
    finally:
        del sys.modules["another_sable"]


def test_warnings_point_at_the_users_line():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        sable.numpy.zeros(2, np.float64)
        explicit_dtype(np.dtype(np.int64), "here")
    assert [Path(w.filename).name for w in caught] == ["test_names.py"] * 2


def test_traced_values_are_told_from_arrays():
    seen = []
    sable.jit(lambda x: seen.append(isinstance(x, sable.core.Tracer)) or x)(1.0)
    assert seen == [True] and not isinstance(sable.numpy.ones(2), sable.core.Tracer)
    assert not hasattr(sable.core, "something_else")
