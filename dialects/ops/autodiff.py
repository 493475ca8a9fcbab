"""Ops that only derivatives look at."""

from __future__ import annotations

import numpy as np

from sable.ir.native_form import views
from sable.ir.op import defop

from .rules import elementwise, floats, sample

#: The identity, with a derivative of zero.
stop_gradient = defop(
    "stop_gradient",
    dialect="sable",
    operands=("x",),
    type=lambda x: x,
    ref=views()(lambda x: x),
    jvp=None,
    transpose={},
    batch=elementwise,
    samples=lambda: [sample(floats()), sample(np.int32(3))],
    lower=lambda b, x: x,
)
