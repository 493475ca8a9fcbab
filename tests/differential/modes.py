"""Ways to run a program, each written once over a module, and the comparison of two runs."""

from __future__ import annotations

import functools
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import sable
from tests.differential.bounds import Value
from tests.differential.operations import drawn
from tests.differential.program import Input, Program, Step, analysed

#: Examples of a mapped program, rows of a scanned one.
BATCH = 3
#: How far apart gradients may be, in units in the last place of the coarsest dtype times the largest of them.
GRADIENT_ULPS = 256
#: Gradients smaller than this are compared as if they were as large.
GRADIENT_FLOOR = 1e-3
#: Bounds are of the worst case; a reordered computation with other functions may exceed them by this.
SLACK = 4


@dataclass(frozen=True)
class Mode:
    """`wrap(module, function, mapped)` gives what is run; `mapped` says which inputs have a leading axis of examples.

    `of_examples` makes the results that are expected of those for each example. The oracle compiles the program, or each
    of its steps if the mode is `stepwise`.
    """

    wrap: Callable[[Any, Callable, tuple[bool, ...]], Callable]
    source: str
    of_examples: Callable[[list[list[np.ndarray]]], list[np.ndarray]] = lambda examples: examples[0]
    compiled: bool = True
    mapped: bool = False
    gradient: bool = False
    stepwise: bool = False


def _weighted(module: Any, function: Callable) -> Callable:
    """The sum of all floating results, weighted."""

    def scalar(*arguments: Any) -> Any:
        xp, total = module.numpy, 0.0
        for result in function(*arguments):
            if xp.issubdtype(result.dtype, xp.floating):
                weights = (np.arange(result.size, dtype=np.float32).reshape(result.shape) % 5 - 1.5) / max(
                    1, result.size
                )
                total = total + (result.astype("float32") * weights).sum()
        return total

    return scalar


def _grad(module: Any, function: Callable) -> Callable:
    def gradients(*arguments: Any) -> Any:
        xp = module.numpy
        floats = [i for i, a in enumerate(arguments) if xp.issubdtype(a.dtype, xp.floating)]
        return list(module.grad(_weighted(module, function), argnums=floats)(*arguments)) if floats else []

    return gradients


def _again(module: Any, function: Callable, _: tuple[bool, ...]) -> Callable:
    """The fourth call's results: by then library functions have plans."""

    def run(*arguments: Any) -> Any:
        for _ in range(3):
            function(*arguments)
        return function(*arguments)

    return run if module is sable else function


def _vmap(module: Any, function: Callable, mapped: tuple[bool, ...]) -> Callable:
    return module.vmap(function, in_axes=tuple(0 if m else None for m in mapped), axis_size=BATCH)


def _fori(module: Any, function: Callable, mapped: tuple[bool, ...]) -> Callable:
    """Each turn computes the example of its number; the last one's results stay."""

    def run(*arguments: Any) -> Any:
        def turn(i: Any, previous: Any) -> Any:
            return function(*(a[i] if m else a for a, m in zip(arguments, mapped, strict=True)))

        arguments = tuple(module.numpy.asarray(a) for a in arguments)
        return module.lax.fori_loop(1, BATCH, turn, turn(0, None))

    return run


def _fori_of_blocks(module: Any, function: Callable, mapped: tuple[bool, ...]) -> Callable:
    """`_fori` with a carry without elements, which no kernel takes: a loop of dispatches."""
    run = _fori(module, lambda *arguments: (module.numpy.zeros(0), function(*arguments)), mapped)
    return lambda *arguments: run(*arguments)[1]


def _scan(module: Any, function: Callable, mapped: tuple[bool, ...]) -> Callable:
    def run(*arguments: Any) -> Any:
        def turn(carry: Any, rows: Any) -> Any:
            rest = iter(rows)
            return carry, function(*(next(rest) if m else a for a, m in zip(arguments, mapped, strict=True)))

        rows = [module.numpy.asarray(a) for a, m in zip(arguments, mapped, strict=True) if m]
        return module.lax.scan(turn, 0, rows, length=BATCH)[1]

    return run


def _stacked(examples: list[list[np.ndarray]]) -> list[np.ndarray]:
    return [np.stack(results) for results in zip(*examples, strict=True)]


def _last(examples: list[list[np.ndarray]]) -> list[np.ndarray]:
    return examples[-1]


MODES: dict[str, Mode] = {
    "eager": Mode(lambda m, f, _: f, "f", compiled=False),
    "mixed": Mode(lambda m, f, _: f, "f", compiled=False, stepwise=True),
    "eager_again": Mode(_again, "f, for the fourth time", compiled=False),
    "jit": Mode(lambda m, f, _: m.jit(f), "jax.jit(f)"),
    "vmap": Mode(_vmap, "vmap(f)", _stacked, compiled=False, mapped=True),
    "jit_vmap": Mode(lambda m, f, mapped: m.jit(_vmap(m, f, mapped)), "jax.jit(vmap(f))", _stacked, mapped=True),
    "grad": Mode(lambda m, f, _: _grad(m, f), "grad of a weighted sum of f", compiled=False, gradient=True),
    "jit_grad": Mode(lambda m, f, _: m.jit(_grad(m, f)), "jax.jit(grad of a weighted sum of f)", gradient=True),
    "jit_vmap_grad": Mode(
        lambda m, f, mapped: m.jit(_vmap(m, _grad(m, f), mapped)),
        "jax.jit(vmap(grad))",
        _stacked,
        mapped=True,
        gradient=True,
    ),
    "fori_loop": Mode(lambda m, f, mapped: m.jit(_fori(m, f, mapped)), "body of a fori_loop", _last, mapped=True),
    "fori_blocks": Mode(
        lambda m, f, mapped: m.jit(_fori_of_blocks(m, f, mapped)), "body of a fori_loop of blocks", _last, mapped=True
    ),
    "scan": Mode(lambda m, f, mapped: m.jit(_scan(m, f, mapped)), "body of a scan", _stacked, mapped=True),
}


@dataclass(frozen=True)
class Trial:
    """A program in a mode."""

    program: Program
    mode: str

    @property
    def mapped(self) -> tuple[bool, ...]:
        """Which inputs have examples: all but every third."""
        wanted = MODES[self.mode].mapped
        return tuple(wanted and (self.program.seed + i) % 3 != 0 for i in range(len(self.program.inputs)))

    def arguments(self) -> list[np.ndarray]:
        arrays = []
        for number, mapped in zip(self.program.inputs, self.mapped, strict=True):
            item = self.program.nodes[number]
            assert isinstance(item, Input)
            arrays.append(replace(item, shape=(BATCH, *item.shape) if mapped else item.shape).array())
        return arrays

    def examples(self, arguments: Sequence[np.ndarray]) -> list[list[np.ndarray]]:
        """What the program itself gets, once or for each example."""
        if not MODES[self.mode].mapped:
            return [list(arguments)]
        mapped = self.mapped
        return [[a[e] if m else a for a, m in zip(arguments, mapped, strict=True)] for e in range(BATCH)]

    def function(self, module: Any) -> Callable[..., list[Any]]:
        return MODES[self.mode].wrap(module, self.program.function(module), self.mapped)

    def run(self, module: Any, arguments: Sequence[Any]) -> list[Any]:
        """The results over the module; NumPy's arrays are handed over as the inputs say."""
        given = [
            module.numpy.asarray(a) if handed else a
            for a, handed in zip(arguments, self._handed_over(module), strict=True)
        ]
        return list(self.function(module)(*given))

    def _handed_over(self, module: Any) -> list[bool]:
        """Outside of `jit` an array's methods are needed: NumPy's own are another thing."""
        eager = not MODES[self.mode].compiled
        return [eager or self.program.nodes[i].handed_over for i in self.program.inputs]

    def values(self) -> list[Value]:
        known = analysed(self.program)
        return [known[i] for i in self.program.outputs]


def trial(seed: int, mode: str, x64: bool = False) -> Trial:
    """The trial of a seed."""
    return Trial(drawn(seed, x64=x64, smooth=MODES[mode].gradient), mode)


# ---- what the oracle says -------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Expected:
    """A result: its type as text, its value."""

    type: str
    value: np.ndarray


@functools.lru_cache(maxsize=256)
def _compiled(program: Program, gradient: bool) -> Callable[..., list[Any]]:
    function = program.function(jax)
    return jax.jit(_grad(jax, function) if gradient else function)


def expected(trial: Trial, arguments: Sequence[np.ndarray]) -> list[Expected]:
    """The oracle's results: those of the program for each example, the types as the mode makes them."""
    mode = MODES[trial.mode]
    function = trial.program.function(jax) if mode.stepwise else _compiled(trial.program, mode.gradient)
    examples = [function(*(jnp.asarray(a) for a in arguments)) for arguments in trial.examples(arguments)]
    values = mode.of_examples([[np.asarray(x) for x in results] for results in examples])
    shaped = jax.eval_shape(trial.function(jax), *arguments) if mode.mapped else examples[0]
    return [Expected(described(s), v) for s, v in zip(shaped, values, strict=True)]


# ---- comparison ------------------------------------------------------------------------------------------------
def described(array: Any) -> str:
    weak = "weak " if getattr(array, "aval", array).weak_type else ""
    return f"{weak}{array.dtype}{list(array.shape)}"


def _real(array: np.ndarray) -> np.ndarray:
    """The array, or real and imaginary parts of it along another axis: one may be infinite and the other not."""
    return np.stack([array.real, array.imag], -1) if array.dtype.kind == "c" else array


def difference(expected: Expected, actual: Any, tolerance: float) -> str | None:
    """What is wrong with a result, if anything: type, weak type, or values further apart than the tolerance."""
    if expected.type != described(actual):
        return f"expected {expected.type}, got {described(actual)}"
    wanted, got = _real(expected.value), _real(np.asarray(actual))
    if not tolerance:
        wrong = (wanted != got) & ~((wanted != wanted) & (got != got))
    else:
        wanted, got = wanted.astype(np.float64), got.astype(np.float64)
        with np.errstate(invalid="ignore"):
            wrong = ~((abs(wanted - got) <= tolerance) | (wanted == got) | (np.isnan(wanted) & np.isnan(got)))
    if not wrong.any():
        return None
    place = tuple(int(i) for i in np.argwhere(wrong)[0])
    return (
        f"{int(wrong.sum())} of {wrong.size} elements of {expected.type} differ (tolerance {tolerance:.2g});"
        f" at {place} expected {wanted[place]}, got {got[place]}"
    )


def compared(trial: Trial, expected: Sequence[Expected], actual: Sequence[Any]) -> str | None:
    """The first difference between the results of a trial."""
    if len(expected) != len(actual):
        return f"expected {len(expected)} results, got {len(actual)}"
    if MODES[trial.mode].gradient:
        return _compared_gradients(trial, expected, actual)
    for i, value, one, other in zip(trial.program.outputs, trial.values(), expected, actual, strict=True):
        if wrong := difference(one, other, SLACK * value.bound.error):
            node = trial.program.nodes[i]
            return f"{node.op if isinstance(node, Step) else 'input'}: {wrong}"
    return None


def _compared_gradients(trial: Trial, expected: Sequence[Expected], actual: Sequence[Any]) -> str | None:
    """No bounds are known here: the largest gradient and the coarsest dtype of all values say what is close."""
    floats = [v.dtype for v in analysed(trial.program) if v.kind == "f"]
    eps = max([float(jnp.finfo(d).eps) for d in floats], default=0.0)
    largest = max([float(np.abs(e.value.astype(np.float64)).max()) for e in expected if e.value.size], default=0.0)
    if not np.isfinite(largest):
        return None
    for one, other in zip(expected, actual, strict=True):
        if wrong := difference(one, other, GRADIENT_ULPS * eps * max(largest, GRADIENT_FLOOR)):
            return wrong
    return None


def failure(error: BaseException) -> str:
    """An exception as one line, with where in the library it rose."""
    frames = [
        f for f in traceback.extract_tb(error.__traceback__) if "/sable/" in f.filename or "/passes/" in f.filename
    ]
    where = (
        f" ({frames[-1].filename.rsplit('/', 2)[-2]}/{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno})"
        if frames
        else ""
    )
    return f"{type(error).__name__}: {str(error).strip()[:400]}{where}"


@dataclass(frozen=True)
class Outcome:
    """What became of a trial: `refused` by the oracle, or wrong in some way, or fine."""

    trial: Trial
    wrong: str | None = None
    refused: str | None = None


def together(trials: Sequence[Trial]) -> list[Outcome]:
    """The outcomes of trials of one mode; ours are compiled as one program, and in halves if that fails."""
    outcomes: dict[int, Outcome] = {}
    accepted: list[tuple[int, list[np.ndarray], list[Expected]]] = []
    for k, trial in enumerate(trials):
        arguments = trial.arguments()
        try:
            accepted.append((k, arguments, expected(trial, arguments)))
        except Exception as error:
            outcomes[k] = Outcome(trial, refused=failure(error))
    _try([(trials[k], a, e, k) for k, a, e in accepted], outcomes)
    return [outcomes[k] for k in range(len(trials))]


def _try(cases: Sequence[tuple[Trial, list[np.ndarray], list[Expected], int]], outcomes: dict[int, Outcome]) -> None:
    if not cases:
        return
    try:
        actual = _ours([c[0] for c in cases], [c[1] for c in cases])
        for (trial, _, wanted, k), got in zip(cases, actual, strict=True):
            outcomes[k] = Outcome(trial, compared(trial, wanted, got))
    except Exception as error:
        if len(cases) == 1:
            trial, _, _, k = cases[0]
            outcomes[k] = Outcome(trial, wrong=failure(error))
            return
        half = 1 if not MODES[cases[0][0].mode].compiled else len(cases) // 2
        for first in range(0, len(cases), half):
            _try(cases[first : first + half], outcomes)


def _ours(trials: Sequence[Trial], arguments: Sequence[list]) -> list[list[Any]]:
    if not MODES[trials[0].mode].compiled:
        return [t.run(sable, a) for t, a in zip(trials, arguments, strict=True)]
    given = [
        [
            sable.numpy.asarray(x) if t.program.nodes[i].handed_over else x
            for i, x in zip(t.program.inputs, a, strict=True)
        ]
        for t, a in zip(trials, arguments, strict=True)
    ]
    return sable.jit(lambda all_: [t.function(sable)(*a) for t, a in zip(trials, all_, strict=True)])(given)
