"""Random bits: the hash threefry2x32."""

from __future__ import annotations

from typing import Any

import numpy as np

from sable._threefry import KEY_PARITY, ROTATIONS
from sable._threefry import threefry2x32 as hash_words
from sable.ir.aval import Aval, aval
from sable.ir.native_form import loops
from sable.ir.op import OPS, defop

from .rules import sample

_UINT32 = np.dtype(np.uint32)
#: groups of four rounds
_GROUPS = 5


def _type(*operands: Aval) -> tuple[Aval, Aval]:
    if len(operands) != 4:
        raise TypeError(f"threefry2x32 expects two words of a key and two of a count, got {len(operands)} operands.")
    if any(a.dtype != _UINT32 for a in operands):
        names = ", ".join(a.dtype.name for a in operands)
        raise TypeError(f"Arguments to threefry2x32 must have uint32 type, got {names}.")
    shapes = {a.shape for a in operands} - {()}
    if len(shapes) > 1:
        raise TypeError(
            "threefry2x32 expects operands of one shape or scalars, got shapes "
            f"{', '.join(str(a.shape) for a in operands)}."
        )
    out = aval(shapes.pop() if shapes else (), _UINT32)
    return out, out


def _batch(b: Any, op: Any, size: int, operands: Any, mapped: Any) -> Any:
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


def _rotate(b: Any, x: Any, distance: int) -> Any:
    a = b.aval(x)
    left, right = b.full(a, distance), b.full(a, 32 - distance)
    return b.bind(OPS["or"], b.shift_left(x, left), b.shift_right_logical(x, right))


def _lower(b: Any, k0: Any, k1: Any, x0: Any, x1: Any) -> tuple[Any, Any]:
    xor = OPS["xor"]
    shape = max((b.aval(v).shape for v in (k0, k1, x0, x1)), key=len)

    def whole(x: Any) -> Any:
        if b.aval(x).shape == shape:
            return x
        return b.broadcast_in_dim(x, shape=shape, broadcast_dimensions=())

    if b.aval(k0).shape != b.aval(k1).shape:
        k0, k1 = whole(k0), whole(k1)
    parity = b.full(b.aval(k0), KEY_PARITY)
    keys = (k0, k1, b.bind(xor, b.bind(xor, k0, k1), parity))
    x0, x1 = b.add(whole(x0), whole(keys[0])), b.add(whole(x1), whole(keys[1]))
    for group in range(_GROUPS):
        for distance in ROTATIONS[group % 2]:
            x0 = b.add(x0, x1)
            x1 = b.bind(xor, x0, _rotate(b, x1, distance))
        first, second = keys[(group + 1) % 3], keys[(group + 2) % 3]
        x0 = b.add(x0, whole(first))
        x1 = b.add(x1, whole(b.add(second, b.full(b.aval(second), group + 1))))
    return x0, x1


def _samples() -> list:
    words = [np.random.default_rng(i).integers(0, 2**32, (2, 3), np.uint32) for i in range(4)]
    key = np.asarray(7, np.uint32), np.asarray(2**32 - 1, np.uint32)
    zero = np.zeros((), np.uint32)
    return [
        sample(*words, rtol=0, atol=0),
        sample(*key, *words[2:], rtol=0, atol=0),
        sample(key[0], words[1], words[2], words[3], rtol=0, atol=0),
        sample(zero, zero, zero, zero, rtol=0, atol=0),
        sample(*key, np.zeros((0,), np.uint32), np.zeros((0,), np.uint32), rtol=0, atol=0),
    ]


defop(
    "threefry2x32",
    dialect="sable",
    operands=("k1", "k2", "x1", "x2"),
    type=_type,
    ref=loops("threefry2x32")(lambda k1, k2, x1, x2: hash_words(k1, k2, x1, x2)),
    jvp=None,
    transpose={},
    batch=_batch,
    samples=_samples,
    multiple_results=True,
    lower=_lower,
)
