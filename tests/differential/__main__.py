"""`python -m tests.differential --count 1000 --seed 0 --mode jit`: random programs under JAX and under Sable.

Prints programs that differ, as short as they can be made, and a count by mode; the exit code says whether any did.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter

# the oracle's programs run once each; XLA's algebraic simplifier crashes on reversed comparisons, and is not IEEE's.
# The variable must be set before JAX is imported.
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=0 --xla_cpu_parallel_codegen_split_count=1 --xla_disable_hlo_passes=algsimp",
)

import jax

import sable
from tests.differential.mixing import Pool
from tests.differential.modes import MODES, Outcome, Trial, together, trial
from tests.differential.program import forget
from tests.differential.shrink import printed, shrunk

#: Programs that our side compiles at once.
TOGETHER = 12
#: Batches after which what JAX has compiled is forgotten.
FORGET_EVERY = 20
#: Programs whose steps are mixed, and mixed programs made of them.
POOL, MIXED = 40, 5000
#: Programs of one mode that are printed for one operation.
MOST_REPORTS = 2


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
    tallies = {mode: _Tally(mode, options) for mode in (MODES if options.mode == "all" else [options.mode])}
    end = options.seed + options.count
    if "mixed" in tallies:
        _mixed(tallies["mixed"], options.seed, end)
    alone = [tally for mode, tally in tallies.items() if mode != "mixed"]
    for k, first in enumerate(range(options.seed, end, TOGETHER) if alone else ()):
        for tally in alone:  # in all modes before the next ones: JAX compiles a program once
            tally.run([trial(seed, tally.mode, options.x64) for seed in range(first, min(first + TOGETHER, end))])
        if k % FORGET_EVERY == FORGET_EVERY - 1:
            print(*alone, sep="\n", flush=True)
            forget()
    print("in all:", *tallies.values(), sep="\n", flush=True)
    return 1 if any(tally.wrong for tally in tallies.values()) else 0


def _mixed(tally: _Tally, start: int, end: int) -> None:
    for first in range(start, end, MIXED):
        pool = Pool(range(first, first + POOL), tally.options.x64)
        for seed in range(first, min(first + MIXED, end)):
            tally.run([Trial(pool.program(seed), tally.mode)])
        print(f"{tally}; the last of {len(pool.steps)} steps", flush=True)
        forget()


class _Tally:
    """What became of the programs of one mode."""

    def __init__(self, mode: str, options: argparse.Namespace) -> None:
        self.mode, self.options = mode, options
        self.ran, self.refused, self.seconds = 0, 0, 0.0
        self.wrong: Counter[str] = Counter()

    def run(self, trials: list[Trial]) -> None:
        start = time.process_time()
        for outcome in together(trials):
            self.ran += 1
            self.refused += outcome.refused is not None
            if outcome.wrong:
                operation = outcome.wrong.split(":")[0]
                self.wrong[operation] += 1
                if self.wrong[operation] <= MOST_REPORTS:
                    _report(outcome, self.options.no_shrink)
        self.seconds += time.process_time() - start

    def __str__(self) -> str:
        wrong = f" ({', '.join(f'{k} {n}' for k, n in self.wrong.items())})" if self.wrong else ""
        return (
            f"{self.mode}: {self.ran} programs, {self.wrong.total()} differ{wrong}, {self.refused} refused by JAX,"
            f" {self.seconds:.0f} s of CPU besides our compiler's"
        )


def _report(outcome: Outcome, as_drawn: bool) -> None:
    print(printed(outcome if as_drawn else shrunk(outcome)), end="\n\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
