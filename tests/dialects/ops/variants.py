"""Variants of a row's samples: every dtype that its type takes, scalars, empty arrays, single elements, special values.

They are made of the samples alone, so that a new row has them with no more work: a sample's operands get another dtype or
another size in one dimension, and those variants count that the row's type rule accepts.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

from sable.dialects.ops.rules import elementwise, kind_of
from sable.dialects.ops.samples import TOLERANCES
from sable.ir.aval import aval_of, bfloat16
from sable.ir.op import Op, Sample

#: all that programs are compiled for
DTYPES = [
    *map(np.dtype, (np.bool_, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64)),
    *map(np.dtype, (np.float16, bfloat16, np.float32, np.float64, np.complex64, np.complex128)),
]
#: of those which are stored as bytes, a float with infinities, one without, and integers of both signs
NARROW = [np.dtype(getattr(ml_dtypes, name)) for name in ("float8_e5m2", "float8_e4m3fn", "int4", "uint4")]
#: parameters that hold sizes of operands or results
SIZES = ("shape", "slice_sizes", "limit_indices", "fft_length", "permutation_size")


@dataclass(frozen=True)
class Variant:
    """A sample, and what is special of it.

    Attributes:
      op: the row.
      dtype: what its first operand is changed to, or has.
      what: `scalar`, `empty`, `one`, `typical` or a kind of special values.
      sample: the operands and parameters.
    """

    op: Op
    dtype: np.dtype
    what: str
    sample: Sample

    def __str__(self) -> str:
        return f"{self.op.name}-{self.dtype.name}-{self.what}"


def kind(dtype: np.dtype) -> str:
    """As `kind_of`, also of narrow dtypes."""
    if dtype in NARROW:
        return "u" if dtype.name[0] == "u" else dtype.name[0]
    return kind_of(dtype)


def accepted(op: Op, sample: Sample) -> bool:
    """Whether the type rule takes the sample."""
    try:
        op.type(*[aval_of(x) for x in sample.operands], **sample.params)
    except (TypeError, ValueError, NotImplementedError, IndexError, KeyError):
        return False
    return True


# ---- dtypes --------------------------------------------------------------------------------------------------


def converted(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Values that mean something in the dtype, from those of another."""
    old, new = kind(x.dtype), kind(dtype)
    if old == new or (old in "biu" and new in "fc"):
        return limited(x, dtype) if new in "iu" else x.astype(dtype)
    if new == "b":
        return np.asarray(x.astype(np.complex128).real > 0.1)
    if new == "c":
        return np.asarray(x.astype(np.float64) + 0.5j * np.roll(x.astype(np.float64), 1)).astype(dtype)
    real = x.real if old == "c" else x
    if new == "f":
        return real.astype(dtype)
    return limited(np.asarray(np.rint(np.nan_to_num(np.asarray(real, np.float64)) * (3 if old == "f" else 1))), dtype)


def limited(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    info = ml_dtypes.iinfo(dtype)
    top = min(int(info.max), 2**62)
    if x.dtype.kind in "iu":
        low, high = (
            int(f(int(x.dtype.type(getattr(ml_dtypes.iinfo(x.dtype), e))), int(getattr(info, e))))
            for f, e in ((max, "min"), (min, "max"))
        )
        return np.clip(x, x.dtype.type(low), x.dtype.type(high)).astype(dtype)
    return np.clip(x.astype(np.float64), int(info.min), top).astype(np.int64).astype(dtype)


def with_dtype(op: Op, sample: Sample, places: Sequence[int], dtype: np.dtype) -> Sample:
    """The sample with operands of another dtype; a parameter that had theirs changes too, where the type asks for it."""
    old = sample.operands[places[0]].dtype
    operands = tuple(converted(x, dtype) if i in places else x for i, x in enumerate(sample.operands))
    made = retold(sample, operands, dtype)
    params = {k: dtype if isinstance(v, np.dtype) and v == old else v for k, v in sample.params.items()}
    return made if accepted(op, made) else retold(sample, operands, dtype, params)


def retold(sample: Sample, operands: Sequence[np.ndarray], dtype: np.dtype, params: Any = None) -> Sample:
    """A sample like this one, with the tolerance of a dtype."""
    base = (
        TOLERANCES.get(sample.operands[-1].dtype, TOLERANCES[np.dtype(np.float32)]) if sample.operands else (1.0, 1.0)
    )
    loosen = [max(1.0, own / usual) for own, usual in zip((sample.rtol, sample.atol), base)]
    rtol, atol = TOLERANCES.get(dtype, (0.0, 0.0))
    return Sample(tuple(operands), sample.params if params is None else params, rtol * loosen[0], atol * loosen[1])


def groups(op: Op, sample: Sample) -> list[tuple[int, ...]]:
    """Operands that have one dtype, data first."""
    found: dict[np.dtype, list[int]] = {}
    for i, x in enumerate(sample.operands):
        found.setdefault(x.dtype, []).append(i)
    order = sorted(found.values(), key=lambda places: (sample.operands[places[0]].dtype.kind == "b", places))
    return [tuple(places) for places in order]


# ---- shapes --------------------------------------------------------------------------------------------------


def resized(x: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """As many of its values as the shape takes, repeated."""
    return np.resize(x, shape) if x.size else np.zeros(shape, x.dtype)


def with_size(sample: Sample, old: int, new: int, sizes: bool) -> Sample:
    """The sample with dimensions of one size changed, in parameters too where `sizes`."""

    def changed(shape: Sequence[int]) -> tuple[int, ...]:
        return tuple(new if n == old else n for n in shape)

    params = {k: changed(v) if sizes and k in SIZES and isinstance(v, tuple) else v for k, v in sample.params.items()}
    return Sample(tuple(resized(x, changed(x.shape)) for x in sample.operands), params, sample.rtol, sample.atol)


def scalar(sample: Sample) -> Sample:
    """The sample without dimensions."""
    params = {
        k: () if isinstance(v, tuple) and all(isinstance(n, int) for n in v) else v for k, v in sample.params.items()
    }
    return Sample(tuple(resized(x, ()) for x in sample.operands), params, sample.rtol, sample.atol)


def shaped(op: Op, sample: Sample) -> Iterator[tuple[str, Sample]]:
    """Scalars, empty arrays, single elements: of an elementwise op all, of others what its type accepts."""
    if accepted(op, scalar(sample)):
        yield "scalar", scalar(sample)
    if op.batch is elementwise:
        for what, shape in (("empty", (0,)), ("empty", (0, 3)), ("one", (1,))):
            operands = tuple(resized(x, shape) for x in sample.operands)
            made = Sample(operands, sample.params, sample.rtol, sample.atol)
            if accepted(op, made):  # a bitcast may join elements
                yield what, made
        return
    seen = sorted({n for x in sample.operands for n in x.shape if n > 1})
    for what, new in (("empty", 0), ("one", 1)):
        for old in seen:
            made = next((s for s in (with_size(sample, old, new, p) for p in (False, True)) if accepted(op, s)), None)
            if made is not None:
                yield what, made


# ---- special values ------------------------------------------------------------------------------------------


def specials(dtype: np.dtype) -> list[Any]:
    """NaN, infinities, zeros, a denormal, the smallest normal and the largest number; of integers the ends."""
    k = kind(dtype)
    if k == "b":
        return [False, True]
    if k in "iu":
        info = ml_dtypes.iinfo(dtype)
        return [int(info.min), int(info.max), 0, 1, *((-1,) if k == "i" else ())]
    if k == "c":
        ends = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0)
        return [complex(a, b) for a, b in itertools.product(ends, ends)]
    info = ml_dtypes.finfo(dtype)
    tiny, huge = float(info.smallest_subnormal), float(info.max)
    return [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, -2.5, tiny, -tiny, float(info.tiny), huge, -huge]


def special_operands(sample: Sample, places: Sequence[int]) -> Sample:
    """Operands of an elementwise op: all special values, of two operands all pairs, of more each beside each once."""
    values = specials(sample.operands[places[0]].dtype)
    if len(places) == 2:
        columns = [list(c) for c in zip(*itertools.product(values, values))]
    else:
        columns = [values[i:] + values[:i] for i in range(len(places))]
    made = {place: array_of(column, sample.operands[place].dtype) for place, column in zip(places, columns)}
    size = len(columns[0])
    operands = tuple(made[i] if i in made else resized(x, (size,)) for i, x in enumerate(sample.operands))
    return Sample(operands, sample.params, sample.rtol, sample.atol)


def array_of(values: Sequence[Any], dtype: np.dtype) -> np.ndarray:
    if kind(dtype) == "c":
        return np.array(values, np.complex128).astype(dtype)
    if kind(dtype) == "f":
        return np.array(values, np.float64).astype(dtype)
    return np.array(values, object).astype(dtype)


#: what is put among the elements of operands of other ops
PUT = {
    "nan": (np.nan,),
    "infinities": (np.inf, -np.inf),
    "ends": (-0.0, 0.0, "tiny", "max"),
}


def put(x: np.ndarray, names: Sequence[Any]) -> np.ndarray:
    """The array with a few elements replaced."""
    k, out = kind(x.dtype), x.copy().reshape(-1)
    if k in "fc":
        info = ml_dtypes.finfo(x.dtype)
        ends = {"tiny": float(info.smallest_subnormal), "max": float(info.max) / 2}
        values = [ends.get(v, v) if isinstance(v, str) else v for v in names]
    else:
        values = specials(x.dtype)
    for i, value in enumerate(values):
        if out.size:
            out[(1 + i * max(1, out.size // len(values))) % out.size] = array_of([value], x.dtype)[0]
    return out.reshape(x.shape)


def special_elements(sample: Sample, places: Sequence[int]) -> Iterator[tuple[str, Sample]]:
    """Of an op that is not elementwise: its first operand with special values among its elements."""
    x = sample.operands[places[0]]
    if kind(x.dtype) == "b":
        return
    kinds = PUT if kind(x.dtype) in "fc" else {"ends": PUT["ends"]}
    for what, names in kinds.items():
        operands = tuple(put(x, names) if i == places[0] else y for i, y in enumerate(sample.operands))
        yield what, Sample(operands, sample.params, sample.rtol, sample.atol)


# ---- all -----------------------------------------------------------------------------------------------------


def bases(op: Op) -> list[Sample]:
    """Samples with operands that are worth changing: not empty, and numbers."""
    samples = [s for s in op.samples() if s.operands]
    return [s for s in samples if any(x.size > 1 for x in s.operands)] or samples


def suited(samples: Sequence[Sample], dtype: np.dtype) -> list[Sample]:
    """Those whose data are of the dtype's kind; else all."""
    finite = [s for s in samples if all(np.isfinite(x.astype(np.complex128)).all() for x in s.operands)] or samples
    return [s for s in finite if any(kind(x.dtype) == kind(dtype) for x in s.operands)] or list(finite)


def variants(op: Op) -> Iterator[Variant]:
    """All of an op."""
    samples = bases(op)
    if not samples:
        return
    dtypes = [*DTYPES, *NARROW] if op.moves else DTYPES
    for number, dtype in enumerate(dtypes):
        candidates = suited(samples, dtype)
        found = base_of(op, candidates[number % len(candidates) :] + candidates[: number % len(candidates)], dtype)
        if found is not None:
            yield from of_base(op, *found, dtype)


def base_of(op: Op, candidates: Sequence[Sample], dtype: np.dtype) -> tuple[Sample, tuple[int, ...]] | None:
    """The first of the samples that can have the dtype, and the operands that get it."""
    for sample in candidates:
        for places in groups(op, sample)[:1]:
            made = with_dtype(op, sample, places, dtype)
            if accepted(op, made):
                return made, places
    return None


def of_base(op: Op, sample: Sample, places: tuple[int, ...], dtype: np.dtype) -> Iterator[Variant]:
    yield Variant(op, dtype, "typical", sample)
    for what, made in shaped(op, sample):
        yield Variant(op, dtype, what, made)
    special = special_operands(sample, places)
    if op.batch is elementwise and accepted(op, special):
        yield Variant(op, dtype, "special", special)
        return
    for what, made in special_elements(sample, places):
        yield Variant(op, dtype, what, made)
