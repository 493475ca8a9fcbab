"""`check`: an error, if there is one. `passes.checkify` makes a value of it; what remains cannot be compiled."""

from __future__ import annotations

from typing import Any

import numpy as np

from sable.ir.aval import Aval, aval
from sable.ir.checks import CODE, Checks, FailedCheckError, Failure, JaxRuntimeError, Kind, grouped
from sable.ir.codec import HOST
from sable.ir.op import defop

from .functions import takes
from .host import HostRules
from .rules import expand, floats, sample

_NOT_FUNCTIONAL = (
    "Cannot abstractly evaluate a checkify.check which was not functionalized. This probably means you tried to stage "
    "(jit/scan/pmap/...) a `check` without functionalizing it through `checkify.checkify`."
)


class CheckRules(HostRules):
    """An error raised at once, or turned into a value."""

    forward = reverse = True

    def _check(self, node):
        """Nothing is differentiated."""

    def check(self, passes, b, node, xs, errors):
        checks = node.params["checks"]
        for kind, values in grouped(checks.kinds, xs).items():
            if kind.category in errors.enabled:
                errors.merge(kind, values)
        errors.codes.update(checks.codes)
        return []

    def batch(self, passes, b, node, size, xs, on, axis_name):
        """Of the examples with an error the last one is reported, as JAX does."""
        checks = node.params["checks"]
        values = [x if m else expand(b, x, size) for x, m in zip(xs, on)]
        one = [y for group in grouped(checks.kinds, values).values() for y in _last(b, group, size)]
        return b.bind(node.op, *one, checks=checks), []

    def lower(self, b, *operands, checks):
        if checks.debug:
            return ()
        raise ValueError(f"{_NOT_FUNCTIONAL}\n  the check is at {checks.line}")

    def evaluate(self, core, op, values, params):
        checks = params["checks"]
        error = None if checks.debug else checks.error([v.numpy() for v in values])
        if error is not None:
            raise JaxRuntimeError(str(error)) from error
        return ()

    def verify(self, operands, checks):
        takes("sable.check", "checks", checks, operands)

    def samples(self):
        kind = Kind(FailedCheckError, (aval((2,), np.dtype(np.float64)),))
        checks = Checks([kind], {1: Failure(FailedCheckError, ("{}", None))}, debug=True)
        return [sample(np.bool_(True), np.int32(1), floats((2,), dtype=np.float64), checks=checks)]


def _last(b: Any, values: list, size: int) -> list:
    """The values of the last example whose flag is set; of any other where none is."""
    places = b.iota(shape=(size,), dtype=CODE.dtype, iota_dimension=0)
    none = b.full(CODE.update(shape=(size,)), 0)
    last = b.reduce_max(b.select(values[0], places, none), dimensions=(0,))
    return [b.reshape(_row(b, x, last), shape=b.aval(x).shape[1:]) for x in values]


def _row(b: Any, x: Any, at: Any) -> Any:
    shape = b.aval(x).shape
    starts = [at, *[b.full(CODE, 0) for _ in shape[1:]]]
    return b.dynamic_slice(x, *starts, slice_sizes=(1, *shape[1:]))


def _type(*avals: Aval, checks: Any) -> tuple[Aval, ...]:
    return ()


check = defop(
    "check",
    dialect="sable",
    operands=("*operands",),
    params={"checks": HOST},
    type=_type,
    ref=lambda *operands, checks: (),
    functions=CheckRules(),
    multiple_results=True,
    effects=True,
)
