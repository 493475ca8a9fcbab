"""The examples in docstrings give what they say, public functions have complete docstrings, and the README's program runs.

Examples know `np` (NumPy), `jax` (this library), `jnp` and `lax`, beside the names of the module that they stand in. They
may stand in any string of a module: in docstrings, and in what a table makes docstrings of.
"""

from __future__ import annotations

import ast
import doctest
import enum
import importlib
import inspect
import re
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sable
from sable._absent import names_of_jax

ROOT = Path(__file__).parents[1]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
#: numbers with a fraction, and the spaces by which NumPy aligns them
FLOAT = re.compile(r"(?<![\w.])[ ]*([-+]?\d+\.\d*(?:e[-+]?\d+)?)[ ]*")
NAMES = {"np": np, "jax": sable, "jnp": sable.numpy, "lax": sable.lax}


class Close(doctest.OutputChecker):
    """Floats may differ in their last digits: another processor contracts and adds in another order."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        if super().check_output(want, got, optionflags):
            return True
        expected, found = ([float(x) for x in FLOAT.findall(text)] for text in (want, got))
        texts = [FLOAT.sub("#", text) for text in (want, got)]
        same = len(expected) == len(found) and super().check_output(*texts, optionflags)
        return same and bool(np.allclose(found, expected, rtol=1e-5, atol=2e-7))


def runner() -> doctest.DocTestRunner:
    return doctest.DocTestRunner(Close(), optionflags=FLAGS)


def test_last_digits_may_differ():
    same = [
        "Array([0.25, 1. ])|Array([0.24999999, 1.       ])",
        "(1.5e-05, 3)|(1.4999999e-05, 3)",
        "-3. nan|-2.9999998 nan",
    ]
    other = ["Array([0.25])|Array([0.26])", "3|3.0", "[1. 2.]|[1.]", "Array([0.5], dtype=f32)|Array([0.5], dtype=f64)"]
    for texts, wanted in ((same, True), (other, False)):
        for text in texts:
            assert Close().check_output(*text.split("|"), FLAGS) is wanted, text


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


def examples(file: Path) -> list[tuple[str, int]]:
    """Text and line of every string in a file that has examples; not of those with parts that are filled in."""
    nodes = list(ast.walk(ast.parse(file.read_text())))
    parts = {id(part) for n in nodes if isinstance(n, ast.JoinedStr) for part in n.values}
    texts = [n for n in nodes if isinstance(n, ast.Constant) and id(n) not in parts]
    return [(n.value, n.lineno) for n in texts if isinstance(n.value, str) and ">>>" in n.value]


@pytest.mark.parametrize("name", modules())
def test_docstrings(name):
    file = modules()[name]
    module = importlib.import_module(name)
    run = runner()
    parser = doctest.DocTestParser()
    for text, line in examples(file):
        where = f"{name}, line {line}"
        run.run(parser.get_doctest(text, {**vars(module), **NAMES}, where, str(file), line - 1))
    assert not run.failures


def test_filled_in_docstrings():
    """Examples of public functions that stand in no file as they are, since parts of them are filled in."""
    run, parser = runner(), doctest.DocTestParser()
    written = {part for file in modules().values() for text, _ in examples(file) for part in pairs(text)}
    for module in filter(is_ours, names_of_jax()):
        for name, function in public_functions(module).items():
            text = inspect.getdoc(function) or ""
            if not pairs(text) <= written:
                run.run(parser.get_doctest(text, dict(NAMES), f"{module}.{name}", None, None))
    assert not run.failures


def pairs(text: str) -> set[tuple[str, str]]:
    """The examples of a text: what is entered, and what is printed."""
    return {(e.source, e.want) for e in doctest.DocTestParser().get_examples(text)}


def is_ours(module: str) -> bool:
    """Whether there is a module of that name here."""
    try:
        return importlib.import_module(module.replace("jax", "sable", 1)) is not None
    except ImportError:
        return False


# ---- complete docstrings -------------------------------------------------------------------------

#: modules of JAX that are ours too, of which every public function has a complete docstring
DOCUMENTED = tuple(filter(is_ours, names_of_jax()))


def public_functions(module: str) -> dict[str, Callable]:
    """What can be called among the names of a module of JAX's that are ours too.

    NumPy's own classes and those of ml_dtypes are theirs, types for annotations are called by nobody, and the docstrings of
    errors have whole programs, which `tests/tools/test_error_pages.py` runs.
    """
    ours = importlib.import_module(module.replace("jax", "sable", 1))
    found = {name: attribute(ours, name) for name in names_of_jax()[module]}
    return {k: f for k, f in found.items() if callable(f) and not _is_for_others(f)}


def _is_for_others(function: Any) -> bool:
    foreign = (getattr(function, "__module__", None) or "").startswith(("numpy", "ml_dtypes"))
    annotation = function is Any or typing.get_origin(function) is not None
    return foreign or annotation or (isinstance(function, type) and issubclass(function, BaseException))


def attribute(module: Any, name: str) -> Any:
    """The object behind a name with dots, None where there is none."""
    for part in name.split("."):
        module = getattr(module, part, None)
    return module


def parameters(function: Callable) -> list[str]:
    """The names of the parameters that a caller can give; none of enumerations, errors, and what says nothing of them."""
    if isinstance(function, type) and issubclass(function, (enum.Enum, BaseException)):
        return []
    try:
        given = inspect.signature(function).parameters
    except (ValueError, TypeError):
        return []
    return [p for p in given if not p.startswith("_") and p not in ("args", "kwargs")]


def named(text: str, module: Any, depth: int = 3) -> set[str]:
    """The words of a docstring, and of those that it refers to: "as of `f`", "see `f`"."""
    words = set(re.findall(r"\w+", text))
    for other in re.findall(r"(?:as\s+(?:those\s+)?(?:of|for)|see)\s+`([\w.]+)`", text) if depth else ():
        words |= named(inspect.getdoc(attribute(module, other)) or "", module, depth - 1)
    return words


def shortcomings(module: str) -> list[str]:
    """What public functions' docstrings lack: an example, or the name of a parameter.

    Parameters that many functions of a module share are named in the module's docstring.
    """
    ours = importlib.import_module(module.replace("jax", "sable", 1))
    shared = set(re.findall(r"`(\w+)`", inspect.getdoc(ours) or ""))
    found = []
    for name, function in public_functions(module).items():
        text = inspect.getdoc(function) or ""
        if ">>>" not in text:
            found.append(f"{name}: no example")
        unnamed = set(parameters(function)) - shared - named(text, ours)
        found += [f"{name}: parameter {p} is not named" for p in sorted(unnamed)]
    return found


@pytest.mark.parametrize("module", DOCUMENTED)
def test_complete_docstrings(module):
    assert not shortcomings(module)


def test_methods_have_docstrings():
    """A method or property of arrays has an example, or says of which function it is the method."""
    public = {k: v for k, v in inspect.getmembers(type(sable.numpy.ones(1))) if not k.startswith("_")}
    texts = {k: inspect.getdoc(v) or "" for k, v in public.items() if callable(v) or isinstance(v, property)}
    assert "sum" in texts and not [k for k, text in texts.items() if ">>>" not in text and ": see there" not in text]
    own = inspect.signature(sable.numpy.ones(1).sum)
    assert list(own.parameters) == list(inspect.signature(sable.numpy.sum).parameters)[1:]


def test_shortcomings_are_found():
    def bare(x):
        """The same."""

    def refers(x, y):
        """Another; `y` is more, x as of `flatten`.

        >>> 1
        1
        """

    assert "x" not in named(inspect.getdoc(bare) or "", sable.tree)
    assert {"x", "y", "is_leaf"} <= named(inspect.getdoc(refers) or "", sable.tree)


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
