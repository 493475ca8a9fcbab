"""Random programs under JAX and under Sable; `make fuzz` runs more of them."""

from __future__ import annotations

from collections.abc import Iterator

import jax
import pytest

import sable
from tests.differential.modes import MODES, Trial, together, trial
from tests.differential.program import OPS, Program, Step, analysed
from tests.differential.shrink import printed, shrunk

#: How many programs of each mode: eager ones cost little.
COUNTS = {
    "eager": 280,
    "eager_again": 16,
    "vmap": 56,
    "grad": 48,
    "jit": 40,
    "jit_vmap": 16,
    "jit_grad": 16,
    "jit_vmap_grad": 8,
    "fori_loop": 16,
    "scan": 8,
}
FIRST_SEED = 600
#: Programs that each side compiles at once.
TOGETHER = 8


def _batches() -> Iterator[tuple[str, int, int]]:
    for mode, count in COUNTS.items():
        for first in range(FIRST_SEED, FIRST_SEED + count, TOGETHER):
            yield mode, first, min(first + TOGETHER, FIRST_SEED + count)


@pytest.mark.parametrize(("mode", "first", "end"), list(_batches()))
def test_agrees_with_jax(mode: str, first: int, end: int) -> None:
    """Types and values of programs of these seeds."""
    wrong = [outcome for outcome in together([trial(seed, mode) for seed in range(first, end)]) if outcome.wrong]
    assert not wrong, printed(shrunk(wrong[0]))


@pytest.mark.parametrize("mode", ["eager", "jit_vmap"])
def test_agrees_with_jax_in_64_bits(mode: str) -> None:
    """The same with 64-bit dtypes."""
    with jax.enable_x64(True), sable.enable_x64(True):
        wrong = [outcome for outcome in together([trial(seed, mode, x64=True) for seed in range(12)]) if outcome.wrong]
        assert not wrong, printed(shrunk(wrong[0]))


def test_a_seed_makes_one_program() -> None:
    assert trial(5, "jit").program == trial(5, "jit").program
    assert trial(5, "jit").program.body() != trial(6, "jit").program.body()


def test_wrong_programs_are_made_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """With cosines that are off, what is left of a program is a cosine."""
    cosine = sable.numpy.cos
    monkeypatch.setattr(sable.numpy, "cos", lambda x: cosine(x) + 0.5)
    for seed in range(1000):
        drawn = trial(seed, "eager")
        ops = [node.op for node in drawn.program.nodes if isinstance(node, Step)]
        if "cos" in ops and ops[-1] != "cos":
            break
    (outcome,) = together([drawn])
    short = shrunk(outcome)
    assert [node.op for node in short.trial.program.nodes if isinstance(node, Step)] == ["cos"]
    assert all(v.elements <= 2 for v in analysed(short.trial.program))
    assert "jnp.cos(v0)" in printed(short)


def test_programs_without_a_need_of_a_step() -> None:
    """What no output needs is left out, and the rest renumbered."""
    program = trial(0, "eager").program
    one = Program(program.nodes, program.outputs[:1]).needed()
    assert len(one.nodes) <= len(program.nodes)
    assert one.function(jax)(*(Trial(one, "eager").arguments()))


def test_every_mode_is_run() -> None:
    assert set(COUNTS) == set(MODES)
    assert len(OPS) > 200
