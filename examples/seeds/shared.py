"""What the programs of this folder share: a clock, a chart and the command line."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

import sable as jax


def best_time(call: Callable[[], Any], repeats: int = 5) -> float:
    """Seconds of the quickest of some calls, each waited for."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(call())
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def error_of(call: Callable[[], Any]) -> str:
    """The name of the error that a call ends in."""
    try:
        call()
    except Exception as error:
        return type(error).__name__
    raise AssertionError("there was no error")


def chart(path: Path, title: str, curves: Iterable[tuple[Any, Any, str]], points: Any = None) -> None:
    """Draw named curves, given as (x, y, name), and perhaps a cloud of points, as a PNG."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4))
    if points is not None:
        axes.plot(np.asarray(points[0]), np.asarray(points[1]), "k.", label="data")
    for x, y, name in curves:
        axes.plot(np.asarray(x), np.asarray(y), label=name)
    axes.set_title(title)
    axes.legend()
    figure.savefig(path, dpi=100)
    plt.close(figure)


def run(main: Callable[[Path | None], None], description: str) -> None:
    """Call a program's `main` with the folder for its charts that the command line names, or None."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, help="where charts are drawn; without it none are")
    folder = parser.parse_args().folder
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    main(folder)
