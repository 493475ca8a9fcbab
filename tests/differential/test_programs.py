"""Random programs under JAX and under Sable; `make fuzz` runs more of them."""

from __future__ import annotations

import jax
import numpy as np
import pytest

import sable
from tests.differential.mixing import Pool
from tests.differential.modes import MODES, Trial, together, trial
from tests.differential.operations import drawn
from tests.differential.program import OPS, Input, Program, Step, analysed
from tests.differential.shrink import printed, shrunk

EAGER = ("eager", "eager_again", "vmap")
COMPILED = ("jit", "jit_vmap", "fori_loop", "fori_blocks", "scan")
#: Seeds and the modes in which their programs run: JAX compiles each once, ours all of a row and mode together.
ROWS = [
    (600, 606, (*EAGER, *COMPILED)),
    (608, 614, (*EAGER, "jit", "jit_vmap")),
    *((first, first + 8, EAGER) for first in range(616, 640, 8)),
    (600, 605, ("grad", "jit_grad")),
    (605, 608, ("grad", "jit_vmap_grad")),
    (608, 616, ("grad",)),
]
#: Programs whose steps are mixed, and programs made of them.
POOL, MIXED = range(700, 724), range(500)


def _assert_agree(trials: list[Trial]) -> None:
    wrong = [outcome for outcome in together(trials) if outcome.wrong]
    assert not wrong, printed(shrunk(wrong[0]))


@pytest.mark.parametrize(("first", "end", "modes"), ROWS)
def test_agrees_with_jax(first: int, end: int, modes: tuple[str, ...]) -> None:
    """Types and values of programs of these seeds."""
    for mode in modes:
        _assert_agree([trial(seed, mode) for seed in range(first, end)])


def test_mixed_programs_agree_with_jax() -> None:
    pool = Pool(POOL)
    for seed in MIXED:
        _assert_agree([Trial(pool.program(seed), "mixed")])


@pytest.mark.parametrize(("mode", "count"), [("eager", 8), ("jit_vmap", 4)])
def test_agrees_with_jax_in_64_bits(mode: str, count: int) -> None:
    """The same with 64-bit dtypes."""
    with jax.enable_x64(True), sable.enable_x64(True):
        _assert_agree([trial(seed, mode, x64=True) for seed in range(count)])


def test_a_seed_makes_one_program() -> None:
    assert drawn.__wrapped__(5).nodes == drawn.__wrapped__(5).nodes
    assert drawn(5).nodes != drawn(6).nodes
    assert Pool(range(3)).program(5).nodes == Pool(range(3)).program(5).nodes


def test_what_is_known_of_a_program_is_so() -> None:
    """Types and bounds that are found out while a program is drawn are those of the finished program."""
    for program in (drawn(3), Pool(range(3)).program(5)):
        assert tuple(analysed(program.changed())) == program.known


def test_extreme_inputs_hold_extremes() -> None:
    floats = Input((1000,), "float16", -32, 32, 0, extreme=True).array()
    assert np.isnan(floats).any() and np.isinf(floats).any() and np.signbit(floats[floats == 0]).any()
    integers = Input((1000,), "int16", -32, 32, 0, extreme=True).array()
    assert {integers.min(), integers.max()} == {-(2**15), 2**15 - 1}


def test_wrong_programs_are_made_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """With cosines that are off, what is left of a program is a cosine."""
    cosine = sable.numpy.cos
    monkeypatch.setattr(sable.numpy, "cos", lambda x: cosine(x) + 0.5)
    for seed in range(1000):
        candidate = trial(seed, "eager")
        ops = [node.op for node in candidate.program.nodes if isinstance(node, Step)]
        if "cos" in ops and ops[-1] != "cos":
            break
    (outcome,) = together([candidate])
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
    assert {mode for *_, modes in ROWS for mode in modes} | {"mixed"} == set(MODES)
    assert len(OPS) > 200
