"""The examples in docstrings give what they say, and the README's program runs.

Examples know `np` (NumPy), `jax` (this library), `jnp` and `lax`, beside the names of the module that they stand in.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import re
from pathlib import Path

import numpy as np
import pytest

import sable

ROOT = Path(__file__).parents[1]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
NAMES = {"np": np, "jax": sable, "jnp": sable.numpy, "lax": sable.lax}


def modules() -> dict[str, Path]:
    """Every module of the library whose text has an example."""
    packages = {"sable": list(sable.__path__)}
    for name in ("dialects", "passes", "tools"):
        packages[f"sable.{name}"] = list(importlib.import_module(f"sable.{name}").__path__)
    found = {}
    for package, folders in packages.items():
        for folder in map(Path, folders):
            for file in folder.rglob("*.py") if (folder / "__init__.py").exists() else ():
                if "tests" not in file.parts[len(folder.parts) :] and ">>>" in file.read_text():
                    parts = file.relative_to(folder).with_suffix("").parts
                    found[".".join([package, *(p for p in parts if p != "__init__")])] = file
    return found


def examples(file: Path) -> list[tuple[str, str, int]]:
    """Name, docstring and line of everything in a file that has a docstring with examples."""
    tree = ast.parse(file.read_text())
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    documented = [(n, ast.get_docstring(n)) for n in ast.walk(tree) if isinstance(n, kinds)]
    return [
        (getattr(n, "name", "module"), text, getattr(n, "lineno", 1))
        for n, text in documented
        if text and ">>>" in text
    ]


@pytest.mark.parametrize("name", modules())
def test_docstrings(name):
    file = modules()[name]
    module = importlib.import_module(name)
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    parser = doctest.DocTestParser()
    found = examples(file)
    for where, text, line in found:
        runner.run(parser.get_doctest(text, {**vars(module), **NAMES}, f"{name}.{where}", str(file), line))
    assert found and not runner.failures


def test_readme():
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    scope: dict = {}
    exec(code, scope)
    w, x, y = np.ones((3, 2), np.float32), np.ones((5, 3), np.float32), np.ones((5, 2), np.float32)
    value, gradient = scope["step"](w, x, y)
    assert value.shape == () and gradient.shape == (3, 2)
    assert scope["per_example"](w, x, y).shape == (5, 3, 2)


def test_every_package_is_searched():
    names = {name.split(".")[1] for name in modules()}
    assert {"numpy", "lax", "api", "random", "nn"} <= names
