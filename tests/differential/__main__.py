"""`python -m tests.differential --count 1000 --seed 0 --mode jit`: random programs under JAX and under Sable.

Prints each program that differs, as short as it can be made, and a count by mode; the exit code says whether any did.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

# the oracle's programs run once each; the variable must be set before JAX is imported
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_cpu_parallel_codegen_split_count=1")

import jax

import sable
from tests.differential.modes import MODES, Outcome, together, trial
from tests.differential.shrink import printed, shrunk

#: Programs that each side compiles at once.
TOGETHER = 6
#: Batches after which JAX forgets its programs.
FORGET_EVERY = 20


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=200, help="programs of each mode")
    parser.add_argument("--seed", type=int, default=0, help="the first program's seed")
    parser.add_argument("--mode", choices=[*MODES, "all"], default="all")
    parser.add_argument("--x64", action="store_true", help="64-bit dtypes")
    parser.add_argument("--no-shrink", action="store_true", help="print programs as they were drawn")
    options = parser.parse_args(arguments)
    jax.config.update("jax_enable_x64", options.x64)
    sable.config.update("jax_enable_x64", options.x64)
    wrong = 0
    for mode in MODES if options.mode == "all" else [options.mode]:
        wrong += _run(mode, options)
    return 1 if wrong else 0


def _run(mode: str, options: argparse.Namespace) -> int:
    start, wrong, refused = time.time(), 0, 0
    for batch, first in enumerate(range(options.seed, options.seed + options.count, TOGETHER)):
        seeds = range(first, min(first + TOGETHER, options.seed + options.count))
        for outcome in together([trial(seed, mode, options.x64) for seed in seeds]):
            refused += outcome.refused is not None
            if outcome.wrong:
                wrong += 1
                _report(outcome, options.no_shrink)
        if batch % FORGET_EVERY == FORGET_EVERY - 1:
            jax.clear_caches()
    print(
        f"{mode}: {options.count} programs, {wrong} differ, {refused} refused by JAX, {time.time() - start:.0f} s",
        flush=True,
    )
    return wrong


def _report(outcome: Outcome, as_drawn: bool) -> None:
    print(printed(outcome if as_drawn else shrunk(outcome)), end="\n\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
