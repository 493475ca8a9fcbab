"""`platform_index`: which of several platforms a program is lowered for."""

from __future__ import annotations

from typing import Any

import numpy as np

from sable.ir.aval import aval
from sable.ir.codec import STRINGS
from sable.ir.op import defop

from .rules import elementwise, sample

_INDEX = aval((), np.dtype(np.int32))


def place_of(platform: str, platforms: tuple[str, ...]) -> int:
    """The number of the platform among those named, or of the empty name.

    Raises:
      NotImplementedError: it has none.
    """
    for name in (platform, ""):
        if name in platforms:
            return platforms.index(name)
    raise NotImplementedError(f"platform_dependent has no branch for {platform!r}, and no default")


def _lower(b: Any, platforms: tuple[str, ...]) -> Any:
    # plain StableHLO is of no platform, and is read where modules are made for CPUs
    return b.full(_INDEX, place_of("cpu" if b.platform == "any" else b.platform, platforms))


platform_index = defop(
    "platform_index",
    dialect="sable",
    operands=(),
    params={"platforms": STRINGS},
    type=lambda platforms: _INDEX,
    ref=lambda platforms: np.int32(place_of("cpu", platforms)),
    jvp=None,
    transpose={},
    batch=elementwise,
    samples=lambda: [sample(platforms=("tpu", "")), sample(platforms=("",))],
    lower=_lower,
)
