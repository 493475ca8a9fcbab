"""Random bits: the hashes threefry2x32 and philox4x32, and StableHLO's generator, which is made of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from sable._threefry import rounds as threefry_rounds
from sable._threefry import threefry2x32 as hash_words
from sable.ir.aval import Aval, aval
from sable.ir.codec import RESULT_DTYPE, RESULT_SHAPE, enum
from sable.ir.native_form import loops
from sable.ir.op import OPS, NumpyBuilder, Traits, defop

from .rules import kind_of, sample

_UINT32, _UINT64 = np.dtype(np.uint32), np.dtype(np.uint64)


# ---- hashes of words under a key -----------------------------------------------------------------------------


class Word:
    """A value of unsigned integers with Python's operators, by the ops of a builder; scalars are repeated."""

    __slots__ = ("b", "value")

    def __init__(self, b: Any, value: Any):
        self.b, self.value = b, value

    def _with(self, name: str, other: Any) -> Word:
        b, mine = self.b, self.value
        a = b.aval(mine)
        if not isinstance(other, Word):
            return Word(b, b.bind(OPS[name], mine, b.full(a, int(other))))
        its, theirs = other.value, b.aval(other.value)
        if a.shape != theirs.shape and not a.shape:
            mine = b.broadcast_in_dim(mine, shape=theirs.shape, broadcast_dimensions=())
        elif a.shape != theirs.shape:
            its = b.broadcast_in_dim(its, shape=a.shape, broadcast_dimensions=())
        return Word(b, b.bind(OPS[name], mine, its))

    def __add__(self, other: Any) -> Word:
        return self._with("add", other)

    def __mul__(self, other: Any) -> Word:
        return self._with("multiply", other)

    def __xor__(self, other: Any) -> Word:
        return self._with("xor", other)

    def __or__(self, other: Any) -> Word:
        return self._with("or", other)

    def __lshift__(self, distance: int) -> Word:
        return self._with("shift_left", distance)

    def __rshift__(self, distance: int) -> Word:
        return self._with("shift_right_logical", distance)

    def astype(self, dtype: np.dtype) -> Word:
        """The low bits, or with zeros above."""
        return Word(self.b, self.b.convert(self.value, dtype=dtype))


def _hash_type(name: str, words: int) -> Callable:
    """Type rule: two words of a key and some to hash, of one shape or scalars; as many results."""

    def rule(*operands: Aval) -> tuple[Aval, ...]:
        if len(operands) != 2 + words:
            raise TypeError(f"{name} expects two words of a key and {words} of a count, got {len(operands)} operands.")
        if any(a.dtype != _UINT32 for a in operands):
            names = ", ".join(a.dtype.name for a in operands)
            raise TypeError(f"Arguments to {name} must have uint32 type, got {names}.")
        shapes = {a.shape for a in operands} - {()}
        if len(shapes) > 1:
            raise TypeError(
                f"{name} expects operands of one shape or scalars, got shapes {', '.join(str(a.shape) for a in operands)}."
            )
        return (aval(shapes.pop() if shapes else (), _UINT32),) * words

    return rule


def _hash_batch(b: Any, op: Any, size: int, operands: Any, mapped: Any) -> Any:
    shapes = [b.aval(x).shape[1:] if m else b.aval(x).shape for x, m in zip(operands, mapped)]
    shape = max(shapes, key=len)
    whole = []
    for x, m, own in zip(operands, mapped, shapes):
        if (m and own == shape) or (not m and own == ()):
            whole.append(x)  # scalars stay scalars: a key is cheaper than an array of keys
            continue
        dims = (0,) if m else tuple(range(1, len(shape) + 1))
        whole.append(b.broadcast_in_dim(x, shape=(size, *shape), broadcast_dimensions=dims))
    return b.bind(op, *whole)


def _lowered(rounds: Callable) -> Callable:
    """The rounds of a hash as ops."""

    def lower(b: Any, *operands: Any) -> tuple[Any, ...]:
        shape = max((b.aval(x).shape for x in operands), key=len)
        return tuple(
            y.value
            if b.aval(y.value).shape == shape
            else b.broadcast_in_dim(y.value, shape=shape, broadcast_dimensions=())
            for y in rounds(*[Word(b, x) for x in operands])
        )

    return lower


def _hash_samples(count: int) -> Callable:
    def samples() -> list:
        words = [np.random.default_rng(i).integers(0, 2**32, (2, 3), np.uint32) for i in range(2 + count)]
        key = np.asarray(7, np.uint32), np.asarray(2**32 - 1, np.uint32)
        zero = np.zeros((), np.uint32)
        return [
            sample(*words, rtol=0, atol=0),
            sample(*key, *words[2:], rtol=0, atol=0),
            sample(key[0], *words[1:], rtol=0, atol=0),
            sample(*[zero] * len(words), rtol=0, atol=0),
            sample(*key, *[np.zeros((0,), np.uint32)] * count, rtol=0, atol=0),
        ]

    return samples


defop(
    "threefry2x32",
    dialect="sable",
    operands=("k1", "k2", "x1", "x2"),
    type=_hash_type("threefry2x32", 2),
    ref=loops("threefry2x32")(lambda k1, k2, x1, x2: hash_words(k1, k2, x1, x2)),
    jvp=None,
    transpose={},
    batch=_hash_batch,
    samples=_hash_samples(2),
    multiple_results=True,
    lower=_lowered(threefry_rounds),
)

#: Multipliers of the words, and what is added to the key after each round.
_PHILOX_FACTORS = (0xD2511F53, 0xCD9E8D57)
_PHILOX_STEPS = (0x9E3779B9, 0xBB67AE85)
_PHILOX_ROUNDS = 10


def _philox_rounds(k0: Any, k1: Any, x0: Any, x1: Any, x2: Any, x3: Any) -> tuple[Any, ...]:
    """Philox-4x32 with 10 rounds (J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011)."""
    for _ in range(_PHILOX_ROUNDS):
        first, second = (x.astype(_UINT64) * factor for x, factor in zip((x0, x2), _PHILOX_FACTORS))
        x0, x1 = (second >> 32).astype(_UINT32) ^ x1 ^ k0, second.astype(_UINT32)
        x2, x3 = (first >> 32).astype(_UINT32) ^ x3 ^ k1, first.astype(_UINT32)
        k0, k1 = k0 + _PHILOX_STEPS[0], k1 + _PHILOX_STEPS[1]
    return x0, x1, x2, x3


def _philox_ref(*operands: Any) -> tuple[np.ndarray, ...]:
    shape = np.broadcast_shapes(*map(np.shape, operands))
    made = _philox_rounds(*map(np.atleast_1d, operands))
    return tuple(np.broadcast_to(y, shape or (1,)).reshape(shape) for y in made)


defop(
    "philox4x32",
    dialect="sable",
    operands=("k1", "k2", "x1", "x2", "x3", "x4"),
    type=_hash_type("philox4x32", 4),
    ref=_philox_ref,
    jvp=None,
    transpose={},
    batch=_hash_batch,
    samples=_hash_samples(4),
    multiple_results=True,
    lower=_lowered(_philox_rounds),
)


# ---- rng_bit_generator ---------------------------------------------------------------------------------------

#: numbers of words that a generator's state may have
_STATES = {"DEFAULT": (2, 3), "PHILOX": (2, 3), "THREE_FRY": (2,)}


def _generator_type(state: Aval, *, shape: tuple, dtype: np.dtype, algorithm: str) -> tuple[Aval, Aval]:
    sizes = _STATES.get(algorithm)
    if sizes is None:
        raise ValueError(f"rng_bit_generator: algorithm must be one of {', '.join(_STATES)}, got {algorithm}.")
    if state.dtype != _UINT64 or state.ndim != 1 or state.shape[0] not in sizes:
        expected = " or ".join(f"uint64[{n}]" for n in sizes)
        raise TypeError(
            f"rng_bit_generator: a state of {algorithm} is {expected}, got {state.dtype.name}{list(state.shape)}."
        )
    if kind_of(dtype) != "u":
        raise TypeError(f"rng_bit_generator: unsupported dtype {dtype.name}")
    return aval(state.shape, _UINT64), aval(tuple(shape), dtype)


def _words_at(b: Any, state: Any, i: int) -> Any:
    """Word i of a state, a scalar."""
    return b.reshape(b.slice(state, start_indices=(i,), limit_indices=(i + 1,), strides=(1,)), shape=())


def _halves(x: Word) -> tuple[Any, Any]:
    """The low and the high 32 bits of 64-bit words."""
    return x.astype(_UINT32).value, (x >> 32).astype(_UINT32).value


def _wide(b: Any, low: Any, high: Any) -> Any:
    return (Word(b, high).astype(_UINT64) << 32 | Word(b, low).astype(_UINT64)).value


def _generator_lower(b: Any, state: Any, *, shape: tuple, dtype: np.dtype, algorithm: str) -> tuple[Any, Any]:
    """XLA's way: a counter, in the state behind the key, is hashed once for several words of the result."""
    make = _threefry_bits if algorithm == "THREE_FRY" else _philox_bits
    new_state, found = make(b, state, shape, dtype.itemsize == 8)
    return new_state, b.convert(found, dtype=dtype) if dtype.itemsize < 4 else found


def _counted(b: Any, state: Any, count: int) -> tuple[Word, Word, Any]:
    """The key and the counter, and the state after so many steps; the counter is one word."""
    key, start = (_words_at(b, state, i) for i in (0, 1))
    after = (Word(b, start) + count).value
    rest = b.slice(state, start_indices=(0,), limit_indices=(1,), strides=(1,))
    new_state = b.concatenate(rest, b.reshape(after, shape=(1,)), dimension=0)
    return Word(b, key), Word(b, start), new_state


def _half_shape(shape: tuple) -> tuple[int, tuple]:
    """The dimension in which the two words of a hash lie beside each other (the first even one, else the first longest
    one), and the shape with half of it."""
    axis = next((i for i, n in enumerate(shape) if n % 2 == 0), None)
    if axis is None:
        axis = shape.index(max(shape))
    return axis, tuple(-(-n // 2) if i == axis else n for i, n in enumerate(shape))


def _threefry_bits(b: Any, state: Any, shape: tuple, wide: bool) -> tuple[Any, Any]:
    axis, half = (0, shape) if wide else _half_shape(shape or (1,))
    size = math.prod(half)
    key, start, new_state = _counted(b, state, size)
    numbers = start + Word(b, b.iota(shape=(size,), dtype=_UINT64, iota_dimension=0))
    first, second = b.threefry2x32(*_halves(key), *_halves(numbers))
    if wide:
        return new_state, b.reshape(_wide(b, first, second), shape=shape)
    beside = (*half[: axis + 1], 1, *half[axis + 1 :])
    pairs = b.concatenate(*(b.reshape(x, shape=beside) for x in (first, second)), dimension=axis + 1)
    whole = b.reshape(pairs, shape=(*half[:axis], 2 * half[axis], *half[axis + 1 :]))
    limits = shape or (1,)
    cut = b.slice(whole, start_indices=(0,) * len(limits), limit_indices=limits, strides=(1,) * len(limits))
    return new_state, b.reshape(cut, shape=shape)


def _philox_bits(b: Any, state: Any, shape: tuple, wide: bool) -> tuple[Any, Any]:
    size = math.prod(shape)
    words = 2 * size if wide else size
    count = -(-words // 4)
    key, start, new_state = _counted(b, state, count)
    number = b.iota(shape=(count,), dtype=_UINT64, iota_dimension=0)
    low = start + Word(b, number)
    # a counter of 128 bits: its upper word is the state's third, else the key
    long = b.aval(state).shape[0] == 3
    upper = Word(b, _words_at(b, state, 2)) if long else key

    def carried(value: Any) -> Word:
        least = b.broadcast_in_dim(start.value, shape=b.aval(value).shape, broadcast_dimensions=())
        return Word(b, b.convert(b.compare(value, least, comparison_direction="LT"), dtype=_UINT64))

    high = upper + carried(low.value)
    if long:
        last = upper + carried((start + count).value)
        new_state = b.concatenate(new_state, b.reshape(last.value, shape=(1,)), dimension=0)
    made = b.philox4x32(*_halves(key), *_halves(low), *_halves(high))
    whole = b.concatenate(*(b.reshape(x, shape=(count, 1)) for x in made), dimension=1)
    found = b.slice(b.reshape(whole, shape=(4 * count,)), start_indices=(0,), limit_indices=(words,), strides=(1,))
    if wide:
        pairs = b.reshape(found, shape=(size, 2))
        parts = (b.slice(pairs, start_indices=(0, i), limit_indices=(size, i + 1), strides=(1, 1)) for i in (0, 1))
        found = _wide(b, *parts)
    return new_state, b.reshape(found, shape=shape)


def _generator_batch(b: Any, op: Any, size: int, operands: Any, mapped: Any, *, shape: tuple, **params: Any) -> Any:
    """One block of the first state, as JAX makes it: the other states stay what they are."""
    (states,) = operands
    words = b.aval(states).shape[1]
    first = b.slice(states, start_indices=(0, 0), limit_indices=(1, words), strides=(1, 1))
    new_state, found = b.bind(op, b.reshape(first, shape=(words,)), shape=(size, *shape), **params)
    rest = b.slice(states, start_indices=(1, 0), limit_indices=(size, words), strides=(1, 1))
    return b.concatenate(b.reshape(new_state, shape=(1, words)), rest, dimension=0), found


def _generator_samples() -> list:
    near = np.array([7, 2**64 - 2], np.uint64)
    states = [np.array([2**40 + 3, 5], np.uint64), near]
    made = [
        sample(states[i % 2], shape=shape, dtype=np.dtype(dtype), algorithm=algorithm, rtol=0, atol=0)
        for algorithm in ("DEFAULT", "PHILOX", "THREE_FRY")
        for i, (shape, dtype) in enumerate(
            [
                ((5, 3), "uint32"),
                ((), "uint32"),
                ((3, 4), "uint64"),
                ((9,), "uint8"),
                ((0, 3), "uint16"),
                ((6,), "uint16"),
            ]
        )
    ]
    long = np.array([7, 2**64 - 2, 2**64 - 1], np.uint64)
    return [*made, sample(long, shape=(9,), dtype=_UINT32, algorithm="PHILOX", rtol=0, atol=0)]


defop(
    "rng_bit_generator",
    operands=("initial_state",),
    type=_generator_type,
    ref=lambda state, **params: _generator_lower(NumpyBuilder(), state, **params),
    jvp=None,
    transpose={},
    batch=_generator_batch,
    samples=_generator_samples,
    params={
        "algorithm": enum("rng_algorithm").named("rng_algorithm"),
        "shape": RESULT_SHAPE.of(1),
        "dtype": RESULT_DTYPE.of(1),
    },
    multiple_results=True,
    lower=_generator_lower,
    traits=Traits(no_kernel="randomness with a state"),
)
