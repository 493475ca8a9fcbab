"""checkify: a function with checks to one that returns what failed, beside its results.

Errors are values by kind (`sable.ir.checks.Kind`): whether there is one, the number of the check that found it, its payload.
Of a kind the first error is kept. Checks are those of the op `check`, and what automatic ones find in other ops' operands
and results. Ops that name functions hand the values through them: `FunctionRules.check`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from sable.dialects.ops.rules import is_inexact
from sable.dialects.ops.scatter import window_sizes
from sable.ir.checks import CODE, DivisionByZeroError, Failure, JaxException, Kind, NaNError, OOBError, new_code
from sable.ir.function import Function, FunctionBuilder, Node

from .transforms import TRANSFORMS, transform

#: By the names that JAX has for them, the operations that can make NaN of numbers.
_MAKE_NAN = frozenset([
    "acos", "acosh", "add", "asin", "asinh", "atan", "atan2", "atanh", "bessel_i0e", "bessel_i1e", "cbrt",
    "conv_general_dilated", "cos", "cosh", "cumlogsumexp", "cummax", "cummin", "cumprod", "cumsum", "digamma", "div",
    "dot_general", "erf", "erf_inv", "erfc", "exp", "expm1", "fft", "igamma", "igamma_grad_a", "igammac",
    "integer_pow", "lgamma", "log", "log1p", "logistic", "mul", "pad", "pow", "psum", "reduce", "reduce_prod",
    "reduce_sum", "reduce_window", "reduce_window_sum", "regularized_incomplete_beta", "rem", "rsqrt", "scatter",
    "scatter_add", "scatter_max", "scatter_min", "scatter_mul", "sin", "sinh", "sqrt", "square", "sub", "tan",
    "tanh",
])  # fmt: skip


class Errors:
    """What has failed so far.

    Attributes:
      b: builder of the values.
      enabled: classes of errors that are looked for.
      values: of each kind whether there is an error, the check's number, the payload.
      codes: number of a check -> what it says.
    """

    def __init__(self, b: Any, enabled: frozenset[type[JaxException]]):
        self.b, self.enabled = b, enabled
        self.values: dict[Kind, list[Any]] = {}
        self.codes: dict[int, Failure] = {}

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds, in order."""
        return tuple(self.values)

    def flat(self) -> list[Any]:
        """The values of all kinds."""
        return [x for group in self.values.values() for x in group]

    def add(self, kinds: Sequence[Kind]) -> None:
        """Kinds of which there is no error yet."""
        for kind in kinds:
            if kind not in self.values:
                self.values[kind] = [self.b.full(a, 0) for a in kind.avals]

    def merge(self, kind: Kind, new: Sequence[Any]) -> None:
        """Values of a kind that come later than what there is."""
        old = self.values.get(kind)
        if old is not None:
            b, failed = self.b, old[0]
            new = [getattr(b, "or")(failed, new[0]), *[b.select(failed, x, y) for x, y in zip(old[1:], new[1:])]]
        self.values[kind] = list(new)

    def note(self, failed: Any, failure: Failure, payload: Sequence[Any] = ()) -> None:
        """A check: a flag, what it says, what is shown."""
        code = new_code()
        self.codes[code] = failure
        kind = Kind(failure.category, tuple(self.b.aval(x).strong for x in payload))
        self.merge(kind, [failed, self.b.full(CODE, code), *payload])

    def take(self, made: Checked, results: Sequence[Any]) -> list[Any]:
        """The values from the results of a checked function; its other results."""
        rest = iter(results)
        self.values = {kind: [next(rest) for _ in kind.avals] for kind in made.kinds}
        self.codes.update(made.codes)
        return list(rest)


class Checked(NamedTuple):
    """`checked_function`: of values of errors and the arguments, to values of errors and the results.

    Attributes:
      kinds: of the errors that are returned: those that are taken, and then more.
      codes: of the checks in it; empty where there are none.
    """

    function: Function
    kinds: tuple[Kind, ...]
    codes: dict[int, Failure]


def checkify(function: Function, args: Sequence[Any], errors: Errors, b: Any) -> list[Any]:
    """Evaluate a function with builder b, its checks noted in `errors`; its results."""
    env = dict(zip(function.arguments, args))
    outer = b.location
    for node in function.nodes():
        b.at(node.location)
        xs = [env[v] for v in node.operands]
        if node.op.functions:
            ys = node.op.rules.check(TRANSFORMS, b, node, xs, errors)
        else:
            out = b.bind(node.op, *xs, **node.params)
            ys = out if node.op.multiple_results else (out,)
        for category, looks in _AUTOMATIC.items():
            if category in errors.enabled:
                looks(errors, node, xs, ys)
        env.update(zip(node.results, ys))
    b.at(outer)
    return [env[v] for v in function.outputs]


@transform
def checked_function(function: Function, kinds: tuple[Kind, ...], enabled: frozenset[type[JaxException]]) -> Checked:
    """`checkify` with the function builder, memoised: for callees, loops and branches."""
    key = ("checkify", kinds, enabled)
    if key not in function.memo:
        taken = [a for kind in kinds for a in kind.avals]
        made = Function([*taken, *function.in_avals], function.name)
        b = FunctionBuilder(made)
        errors = Errors(b, enabled)
        args = errors.take(Checked(made, kinds, {}), made.arguments)
        outs = checkify(function, args, errors, b)
        avals = [a for kind in errors.kinds for a in kind.avals]
        made.finish([*errors.flat(), *outs], [*avals, *function.out_avals])
        function.memo[key] = Checked(made, errors.kinds, errors.codes)
    return function.memo[key]


# ---- automatic checks ----------------------------------------------------------------------------------------


def _any(b: Any, flags: Any) -> Any:
    rank = len(b.aval(flags).shape)
    return b.reduce_or(flags, dimensions=tuple(range(rank))) if rank else flags


def _look_for_nan(errors: Errors, node: Node, xs: Sequence[Any], ys: Sequence[Any]) -> None:
    b = errors.b
    if node.op.primitive not in _MAKE_NAN:
        return
    for y in ys:
        if is_inexact(b.aval(y)):
            failed = _any(b, b.compare(y, y, comparison_direction="NE"))
            errors.note(failed, Failure(NaNError, (node.op.primitive,)))


def _look_for_zero(errors: Errors, node: Node, xs: Sequence[Any], ys: Sequence[Any]) -> None:
    b = errors.b
    if node.op.name == "divide":
        failed = _any(b, b.compare(xs[1], b.full(b.aval(xs[1]), 0), comparison_direction="EQ"))
        errors.note(failed, Failure(DivisionByZeroError, ()))


def _look_for_indices(errors: Errors, node: Node, xs: Sequence[Any], ys: Sequence[Any]) -> None:
    found = _INDEXED.get(node.op.name)
    if found is not None:
        _note_indices(errors, node, xs[0], *found(errors.b, node, xs))


_AUTOMATIC: dict[type[JaxException], Callable] = {
    OOBError: _look_for_indices,
    DivisionByZeroError: _look_for_zero,
    NaNError: _look_for_nan,
}


def _of_slice(b: Any, node: Node, xs: Sequence[Any]) -> tuple[Any, Sequence[int], Sequence[int]]:
    return _stacked(b, xs[1:]), range(len(xs) - 1), node.params["slice_sizes"]


def _of_update(b: Any, node: Node, xs: Sequence[Any]) -> tuple[Any, Sequence[int], Sequence[int]]:
    return _stacked(b, xs[2:]), range(len(xs) - 2), b.aval(xs[1]).shape


def _of_gather(b: Any, node: Node, xs: Sequence[Any]) -> tuple[Any, Sequence[int], Sequence[int]]:
    n, sizes = node.params["dimension_numbers"], node.params["slice_sizes"]
    axes = n.start_index_map
    return _vectors_last(b, xs[1], n.index_vector_dim), axes, [sizes[d] for d in axes]


def _of_scatter(b: Any, node: Node, xs: Sequence[Any]) -> tuple[Any, Sequence[int], Sequence[int]]:
    n = node.params["scatter_dimension_numbers"]
    axes = n.scatter_dims_to_operand_dims
    sizes = window_sizes(b.aval(xs[0]).shape, b.aval(xs[2]).shape, n)
    return _vectors_last(b, xs[1], n.index_vector_dim), axes, [sizes[d] for d in axes]


#: Op -> rule giving its indices, whose last axis goes over some axes of the first operand; these; the window's sizes there.
_INDEXED: dict[str, Callable] = {
    "dynamic_slice": _of_slice,
    "dynamic_update_slice": _of_update,
    "gather": _of_gather,
    **dict.fromkeys(["scatter", "scatter_add", "scatter_mul", "scatter_min", "scatter_max"], _of_scatter),
}


def _stacked(b: Any, scalars: Sequence[Any]) -> Any:
    if not scalars:
        return b.full(CODE.update(shape=(0,)), 0)
    rows = [b.reshape(x, shape=(1,)) for x in scalars]
    return rows[0] if len(rows) == 1 else b.concatenate(*rows, dimension=0)


def _vectors_last(b: Any, indices: Any, dim: int) -> Any:
    shape = b.aval(indices).shape
    if dim == len(shape):
        return b.reshape(indices, shape=(*shape, 1))
    others = [d for d in range(len(shape)) if d != dim]
    return indices if dim == len(shape) - 1 else b.transpose(indices, permutation=(*others, dim))


def _note_indices(errors: Errors, node: Node, x: Any, indices: Any, axes: Sequence[int], sizes: Sequence[int]) -> None:
    """Check indices: shape (..., axes). The payload is the first that is out of bounds, its axis and that axis's size."""
    b, a = errors.b, errors.b.aval(indices)
    count = math.prod(a.shape)
    if not count:
        return
    shape = b.aval(x).shape
    flat = b.reshape(indices, shape=(count,))

    def everywhere(values: Sequence[int], dtype: np.dtype) -> Any:
        return b.literal(np.resize(np.asarray(values, dtype), count))

    highest = everywhere([min(shape[d] - n, np.iinfo(a.dtype).max) for d, n in zip(axes, sizes)], a.dtype)
    low = b.compare(flat, b.full(b.aval(flat), 0), comparison_direction="LT")
    out = getattr(b, "or")(low, b.compare(flat, highest, comparison_direction="GT"))
    places = b.iota(shape=(count,), dtype=CODE.dtype, iota_dimension=0)
    first = b.reduce_min(b.select(out, places, b.full(CODE.update(shape=(count,)), count - 1)), dimensions=(0,))
    columns = [
        b.convert(flat, dtype=CODE.dtype),
        everywhere(axes, CODE.dtype),
        everywhere([shape[d] for d in axes], CODE.dtype),
    ]
    payload = b.concatenate(*[b.dynamic_slice(c, first, slice_sizes=(1,)) for c in columns], dimension=0)
    errors.note(_any(b, out), Failure(OOBError, (node.op.primitive, shape)), [payload])
