"""The examples run as a user runs them."""

from __future__ import annotations

import copy
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from ..vulkan import vulkan_device

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name: str, *arguments: str, cache: Path | None = None) -> str:
    """What an example prints, with a program cache of its own if one is given."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, **({"SABLE_CACHE_DIR": str(cache)} if cache else {})},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    assert found is not None, text
    return float(found[1])


def test_digits(tmp_path):
    arguments = ("--epochs", "12", "--output", str(tmp_path))
    first = run("digits.py", *arguments, cache=tmp_path / "cache")
    assert number(r"held-out accuracy: ([\d.]+)%", first) >= 97
    assert number(r"compiler: (\d+) programs compiled", first) > 0
    assert (tmp_path / "digits.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "digits.vmfb").read_bytes().startswith(b"PK")
    second = run("digits.py", *arguments, cache=tmp_path / "cache")
    assert number(r"compiler: (\d+) programs compiled", second) == 0
    for line in (r"held-out accuracy: ([\d.]+)%", r"median norm ([\d.e+-]+)"):
        assert number(line, second) == number(line, first)


def test_digits_on_vulkan(tmp_path):
    vulkan_device()  # skips where there is none
    text = run("digits.py", "--platform", "vulkan", "--epochs", "12", "--output", str(tmp_path))
    assert "device: VulkanDevice(id=0)" in text
    assert number(r"held-out accuracy: ([\d.]+)%", text) >= 97


# program -> what it prints, among other lines
SEEDS = {
    "arrays": [
        "mean of sin^2 + cos^2: 1.0",
        "sable.numpy: array [5 3 4], returned [3 4 5]",
        "assignment: TypeError",
        "set [10 20  7 40] add [10 20 37 40] multiply [10 20 60 40] max [10 20 35 40] min [10 20  7 40]",
        "read at 6 and 600: 25 25",
        "filled: -1",
        "numpy.add: float32  lax.add: TypeError",
        "with 64 bits: float64 int64",
    ],
    "compiling": [
        "octaves: [1.0, 5.0, [2.0, 3.0], [0.0, -1.0]]",
        "traced with: ['JitTracer(~float32[])', 'JitTracer(float32[2])']",
    ],
    "control_flow": [
        "called: -4 -4  compiled: TracerBoolConversionError",
        "selected: -4 -4",
        "elements by a mask: NonConcreteBooleanIndexError",
        "length of a loop traced: TracerIntegerConversionError",
        "static: 8 35",
        "sizes: [7.0, 5.0, 7.0, 5.0] traced for [1, 2]",
        "methods: 6.0 15.0",
        "while, static: 7",
        "while_loop: 7 20",
    ],
    "derivatives": [
        "sin x + log x: as the formula: True",
        "piecewise at 16.0: 24.0855, slope 0.1250",
        "where NaN is an error: FloatingPointError",
        "by x: 12.0  by y: 4.0",
        "of integers: TypeError",
        "of NumPy's cosine: TracerArrayConversionError",
        "second derivative of x^3 at 2: 12.0",
        "gradient: [0.25   0.1966 0.105 ] by vjp: True, along ones: 0.5516",
        "energies 7.00 and 39.24, gradient [ 0.    0.   -9.81  1.    2.    3.  ]",
        "action -32.24, the same gradient: True",
    ],
    "fitting": [
        "[1, {'k': 2, 'l': (3, 4)}, None] has 4: [1, 2, 3, 4]",
        "straight line: slope 1.88, offset 10.02",
        "kinked line: [-0.4, 2.2, 1.1] loss from 170.7 to 1.3",
        "slopes of a peak: [ 0.0148  0.5    -0.5    -0.0148]",
        "peak: centre 1.53, width 2.02",
        "decay: gradient as by differences: True",
        "decay: height 1.05, length 106, floor 4.94, misfit 5.04",
        "velocities: outside of the prior -inf",
        "velocities: mean 149.6, spread 19.4",
    ],
    "mapping": [
        "mapped as looped: True",
        "in_axes=1, out_axes=0: shape (4, 2), [[0, 8], [1, 9], [2, 10], [3, 11]]",
        "every sum: [[40, 41, 42, 43], [50, 51, 52, 53]]",
        "as in a loop: True",
        "energies: (100,), from 0.710 to 2.792",
        "densities: (30,) (30, 30) as scipy.stats.norm: True",
        "moving means: [[0.0, 0.0, 1.0], [0.0, -1.0, 1.0], [0.0, 0.0, 1.0]] by products: True",
    ],
    "images": [
        "variance along 1, 2 and 3: [0.149, 0.136, 0.118]",
        "components for nine tenths of it: 21",
        "as the covariance has it: True",
        "left out by 2: 0.71",
        "left out by 21: 0.10",
        "left out by 64: 0.00",
        "noise: 0.51 before, 0.05 after",
        "the hills themselves pass: True",
        "best cutoff: 0.03",
    ],
    "minimizing": [
        "with the gradient: height 0.96, length 120, floor 4.98; 27 values, 22 steps",
        "with the Hessian: height 0.96, length 120, floor 4.98; 12 values, 11 steps",
        "fewer values with each derivative: True",
        "compiled search, the same minimum: True",
        "two hundred measurements: median length 99",
    ],
    "processes": [
        "gradient as by the formula: True",
        "converged: True  likelier than before: True",
        "height 0.6, length 1.8, noise 0.09",
        "within two standard deviations of the truth: True",
    ],
    "sampling": [
        "the same chains: True True",
        "mean 151 +- 0.7, spread 20 +- 0.5",
        "the gradient is small there: True",
    ],
    "orbits": [
        "back after a year: True  farthest: 1.400",
        "energy kept: True  momentum kept: True",
        "by place, speed and mass: -10.11 -0.97 4.67",
        "as the formula: True",
        "mass: 1.250, misfit below 1e-6: True",
    ],
    "randomness": [
        "key [ 0 42] split into [[1832780943, 270669613], [64467757, 2916123636]]",
        "typed: key<fry> with the same words: True",
        "one key twice gives the same numbers: True",
        "one by one: [0.07592554 0.60576403 0.4323065 ]  at once: [-0.02830462  0.46713185  0.29570296]",
        "over keys: [0.07592554 0.60576403 0.4323065 ]",
        "over a parameter: [  4 520]",
        "Student's t beyond 3, with [ 1  2 50] degrees of freedom: [199  77   5]",
    ],
}
CHARTS = {
    "derivatives": {"chebyshev", "piecewise", "slopes"},
    "fitting": {"decay", "kink", "line", "peak"},
    "images": {"components", "row"},
    "minimizing": {"decay_fit"},
    "orbits": {"orbit"},
    "processes": {"process"},
    "sampling": {"chains"},
}


@pytest.mark.parametrize("program", SEEDS)
def test_seeds(program, tmp_path, monkeypatch, capsys):
    """The programs about the seed documents, all in this process."""
    if program == "sampling":
        pytest.importorskip("emcee", reason="the sampler is a dependency of development")
    path, charts = EXAMPLES / "seeds" / f"{program}.py", tmp_path / "charts"
    monkeypatch.syspath_prepend(path.parent)
    monkeypatch.setattr(sys, "argv", [str(path), str(charts)])
    runpy.run_path(str(path), run_name="__main__")
    printed = capsys.readouterr().out.splitlines()
    for line in SEEDS[program]:
        assert line in printed, printed
    assert {p.stem for p in charts.glob("*.png")} == CHARTS.get(program, set())


def outputs(notebook) -> list[list[str]]:
    """The text that each cell of code gives."""
    return [
        [output.get("text") or output["data"]["text/plain"] for output in cell.outputs]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def test_tour():
    """The notebook gives what it shows."""
    import nbformat
    from nbclient import NotebookClient

    stored = nbformat.read(EXAMPLES / "seeds" / "tour.ipynb", as_version=4)
    executed = NotebookClient(copy.deepcopy(stored), timeout=300, coalesce_streams=True).execute()
    assert outputs(executed) == outputs(stored)


def test_every_example_is_tested():
    assert {p.name for p in EXAMPLES.glob("*.py")} == {"digits.py"}
    assert {p.stem for p in (EXAMPLES / "seeds").glob("*.py")} == {*SEEDS, "shared"}
    assert {p.name for p in EXAMPLES.rglob("*.ipynb")} == {"tour.ipynb"}


def test_bad_arguments_end_early(tmp_path):
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "digits.py"), "--platform", "abacus", "--output", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode and "abacus" in done.stderr and not (tmp_path / "out").exists()
