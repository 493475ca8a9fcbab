"""scatter (set), scatter_add, scatter_mul, scatter_min, scatter_max.

An update whose window sticks out of the operand is dropped altogether, as XLA does it. Where several updates
meet, they are combined in their order; of `scatter` the last one stays.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.ir.aval import Aval, bfloat16
from sable.ir.codec import BOOL as FLAG
from sable.ir.codec import SCATTER, ScatterDimensions
from sable.ir.eager import EagerPolicy
from sable.ir.op import JOINT, LINEAR, OPS, Shape, Traits, defop

from ..form_regions import ScatterForm
from .compose import INT32, compare, logical, up, zeros
from .index_plan import plan_windows, scatter_windows
from .indexing import (
    batch_shape,
    bounds_of,
    check_batching,
    check_indices,
    check_integers,
    check_sorted,
    check_unique,
    fits,
    gather_dimensions,
    over_windows,
)
from .long_sums import updates_in_a_row, wider
from .rules import check_same, expand, floats, integers, sample

_PARAMS = {"scatter_dimension_numbers": SCATTER, "indices_are_sorted": FLAG, "unique_indices": FLAG}


def window_sizes(operand: tuple[int, ...], updates: tuple[int, ...], n: ScatterDimensions) -> tuple[int, ...]:
    """Size of an update's window in every dimension of the operand."""
    dropped = {*n.inserted_window_dims, *n.input_batching_dims}
    sizes = iter([updates[d] for d in n.update_window_dims])
    return tuple(1 if d in dropped else next(sizes) for d in range(len(operand)))


# ---- type ----------------------------------------------------------------------------------------


def _check_windows(x: Aval, indices: Aval, updates: Aval, n: ScatterDimensions) -> None:
    rank = len(n.update_window_dims) + len(n.inserted_window_dims) + len(n.input_batching_dims)
    if rank != x.ndim:
        raise TypeError(f"Scatter op has window of size {rank}; doesn't match operand of rank {x.ndim}.")
    sizes = window_sizes(x.shape, updates.shape, n)
    dropped = {*n.inserted_window_dims, *n.input_batching_dims}
    for d, (size, whole) in enumerate(zip(sizes, x.shape)):
        if d not in dropped and size > whole:
            raise TypeError(
                "Bounds of the window dimensions of updates must not exceed the bounds of the corresponding "
                f"dimensions of operand. For dimension {d}, updates bound is {size}, "
                f"operand bound is {whole}."
            )
    given = [m for d, m in enumerate(updates.shape) if d not in n.update_window_dims]
    for i, (wanted, got) in enumerate(zip(batch_shape(indices.shape, n.index_vector_dim), given)):
        if wanted != got:
            raise TypeError(
                "Bounds of the scatter dimensions of updates must be the same as the bounds of the "
                f"corresponding dimensions of scatter indices. For scatter dimension {i}, "
                f"updates bound is {got}, indices bound is {wanted}."
            )


def _scatter_type(x: Aval, indices: Aval, updates: Aval, scatter_dimension_numbers: ScatterDimensions, **_: Any):
    n = scatter_dimension_numbers
    check_integers(indices)
    check_same("scatter", [x, updates.update(shape=x.shape)])
    rank = len(batch_shape(indices.shape, n.index_vector_dim)) + len(n.update_window_dims)
    check_sorted("scatter", "update_window_dims", n.update_window_dims, rank)
    check_sorted("scatter", "inserted_window_dims", n.inserted_window_dims, x.ndim)
    others = {
        "inserted_window_dims": n.inserted_window_dims,
        "scatter_dims_to_operand_dims": n.scatter_dims_to_operand_dims,
    }
    check_batching(
        "Scatter", x, indices, n.input_batching_dims, n.scatter_indices_batching_dims, n.index_vector_dim, others,
        "scatter_indices_batching_dims",
    )  # fmt: skip
    check_indices(
        "Scatter", indices, n.index_vector_dim, n.scatter_dims_to_operand_dims, "scatter_dims_to_operand_dims"
    )
    if updates.ndim != rank:
        raise TypeError(f"Updates tensor must be of rank {rank}; got {updates.ndim}.")
    for i, d in enumerate(n.scatter_dims_to_operand_dims):
        if not 0 <= d < x.ndim:
            raise TypeError(f"Invalid scatter_dims_to_operand_dims mapping; domain is [0, {x.ndim}), got: {i}->{d}.")
    check_unique("scatter", "scatter_dims_to_operand_dims", n.scatter_dims_to_operand_dims)
    _check_windows(x, indices, updates, n)
    return x


# ---- what the rows share -------------------------------------------------------------------------


def _ref(combine: np.ufunc | None) -> Any:
    def ref(operand, scatter_indices, updates, scatter_dimension_numbers, indices_are_sorted, unique_indices):
        n = scatter_dimension_numbers
        sizes = window_sizes(operand.shape, updates.shape, n)
        plan = plan_windows(operand.shape, scatter_indices.shape, gather_dimensions(n), sizes)
        dtype = operand.dtype
        if combine is np.add and (wide := wider(dtype, updates_in_a_row(operand.size, updates.size))):
            operand, updates = operand.astype(wide), updates.astype(wide)
        return scatter_windows(plan, operand, scatter_indices, updates, combine).astype(dtype, copy=False)

    return ref


def _batch(b: Any, op: Any, size: int, operands: Any, mapped: Any, scatter_dimension_numbers, **flags: Any) -> Any:
    n = scatter_dimension_numbers
    x, indices, updates = operands
    x = x if mapped[0] else expand(b, x, size)
    updates = updates if mapped[2] else expand(b, updates, size)
    rows = mapped[1]
    # shared indices: the batch axis is one more dimension of the window
    dims = ScatterDimensions(
        up(n.update_window_dims) if rows else (0, *up(n.update_window_dims)),
        up(n.inserted_window_dims),
        (0, *up(n.input_batching_dims)) if rows else up(n.input_batching_dims),
        (0, *up(n.scatter_indices_batching_dims)) if rows else n.scatter_indices_batching_dims,
        up(n.scatter_dims_to_operand_dims),
        n.index_vector_dim + rows,
    )
    if rows:
        flags["indices_are_sorted"] = False
    return b.bind(op, x, indices, updates, scatter_dimension_numbers=dims, **flags)


def _read(b: Any, x: Any, indices: Any, avals: Any, n: ScatterDimensions) -> Any:
    """What x has where the updates go, in the shape of the updates (anything for those that are dropped)."""
    operand = avals[0].shape
    sizes = window_sizes(operand, avals[2].shape, n)
    return b.gather(
        x,
        indices,
        dimension_numbers=gather_dimensions(n),
        slice_sizes=tuple(min(size, whole) for size, whole in zip(sizes, operand)),
        indices_are_sorted=False,
    )


def _landed(b: Any, indices: Any, avals: Any, n: ScatterDimensions) -> Any:
    """Which elements of the updates are not dropped."""
    sizes = window_sizes(avals[0].shape, avals[2].shape, n)
    bounds = bounds_of(avals[0].shape, sizes, n.scatter_dims_to_operand_dims)
    inside = fits(b, indices, n.index_vector_dim, bounds)
    return over_windows(b, inside, n.update_window_dims, avals[2].shape)


def _stayed(b: Any, indices: Any, avals: Any, n: ScatterDimensions, **flags: Any) -> Any:
    """Which elements of the updates a `scatter` leaves in its result: scatters their numbers likewise."""
    batch = batch_shape(avals[1].shape, n.index_vector_dim)
    count = int(np.prod(batch, dtype=np.int64))
    numbers = b.iota(shape=(count,), dtype=INT32, iota_dimension=0)
    numbers = b.add(numbers, b.full(b.aval(numbers), 1))
    numbers = over_windows(b, b.reshape(numbers, shape=batch), n.update_window_dims, avals[2].shape)
    nothing = zeros(b, avals[0].update(dtype=INT32))
    left = b.scatter(nothing, indices, numbers, scatter_dimension_numbers=n, **flags)
    return compare(b, _read(b, left, indices, avals, n), numbers, "EQ")


def _spread_samples(sizes: tuple[int, ...] = (), grad: bool = True, why: str = "") -> list:
    """Repeated, dropped, batched, empty; several dtypes."""
    rows = ScatterDimensions((1,), (0,), (), (), (0,), 1)
    cells = ScatterDimensions((), (0, 1), (), (), (1, 0), 1)
    per_row = ScatterDimensions((), (1,), (0,), (0,), (1,), 2)
    windows = ScatterDimensions((0, 2), (), (), (), (0, 1), 0)
    line = ScatterDimensions((), (0,), (), (), (0,), 1)
    whole = ScatterDimensions((0,), (), (), (), (0,), 0)
    between = ScatterDimensions((1,), (0, 2), (), (), (0, 2), 1)
    before = ScatterDimensions((0,), (1, 2), (), (), (2, 1), 1)

    def one(x: np.ndarray, indices: Any, updates: np.ndarray, n: ScatterDimensions, unique: bool = False) -> Any:
        indices = indices if isinstance(indices, np.ndarray) else np.array(indices, np.int32)
        return sample(
            x,
            indices,
            updates,
            scatter_dimension_numbers=n,
            indices_are_sorted=False,
            unique_indices=unique,
            grad=grad,
            why=why,
        )

    def some(*shape: int, dtype: Any = np.float32) -> np.ndarray:
        return floats(shape, dtype=dtype, seed=1)

    return [
        one(floats((4, 3)), [[1], [3]], some(2, 3), rows, True),
        one(floats((4, 3)), [[1], [3], [1]], some(3, 3), rows),
        one(floats((4, 3)), [[-1], [9], [3]], some(3, 3), rows),
        one(floats((4, 3)), [[0], [2]], some(2, 2), rows),
        one(floats((4, 3)), [[0, 1], [2, 3], [5, -1], [2, 3]], some(4), cells),
        one(floats((2, 5)), [[[0], [4]], [[9], [2]]], some(2, 2), per_row, True),
        one(floats((4, 5)), [[1, 3], [2, 1]], some(2, 2, 3), windows),
        one(floats((2, 3, 4)), [[0, 3], [1, 2]], some(2, 3), between, True),
        one(floats((2, 3, 4)), [[3, 0], [1, 2]], some(2, 2), before, True),
        one(floats((4,)), np.array([250, 1], np.uint8), some(2), line),
        one(floats((4,)), np.array([1]), some(2), whole),
        one(floats((4,)), np.array([3]), some(2), whole),
        one(floats((4, 3)), np.zeros((0, 1), np.int32), some(0, 3), rows),
        one(floats((0,)), [0, 1], some(2), line),
        one(integers((4, 3)), [[1], [3], [1]], integers((3, 3), seed=1), rows),
        one(integers((4,), 0, 9, np.uint8), [1, 1], integers((2,), 0, 9, np.uint8, seed=1), line),
        one(floats((4,), dtype=bfloat16), [1, 3], some(2, dtype=bfloat16), line, True),
        one(floats((4,), dtype=np.float16), [1, 1], some(2, dtype=np.float16), line),
        one(floats((4,), dtype=np.float64), [1, 1], some(2, dtype=np.float64), line),
    ]


def _updated(operands: Sequence[Shape], results: Sequence[Shape], attributes: Any) -> int:
    """Operations are those of the updates: the rest stays where it is."""
    return math.prod(operands[-1])


def _row(name: str, combine: str | None, ufunc: np.ufunc | None, jvp: Any, transpose: dict, samples: Any) -> Any:
    return defop(
        name,
        operands=("operand", "scatter_indices", "updates"),
        params=_PARAMS,
        type=_scatter_type,
        ref=_ref(ufunc),
        jvp=jvp,
        transpose=transpose,
        batch=_batch,
        samples=samples,
        form=ScatterForm(combine, _PARAMS),
        eager=EagerPolicy(lambda avals, params: avals[2].size, "updates", 100),
        moves=combine is None,
        traits=Traits(in_place=True, work=_updated),
    )


# ---- scatter -------------------------------------------------------------------------------------


def _set_transpose_operand(b, ct, avals, operand, indices, updates, **params: Any) -> Any:
    return b.scatter(ct, indices, zeros(b, avals[2]), **params)


def _set_transpose_updates(b, ct, avals, operand, indices, updates, scatter_dimension_numbers, **flags: Any) -> Any:
    n = scatter_dimension_numbers
    kept = _landed(b, indices, avals, n) if flags["unique_indices"] else _stayed(b, indices, avals, n, **flags)
    return b.select(kept, _read(b, ct, indices, avals, n), zeros(b, avals[2]))


_row(
    "scatter",
    None,
    None,
    # linear in both together, whatever the indices: the same updates stay for tangents as for values
    {"operand": JOINT, "updates": JOINT},
    {"operand": _set_transpose_operand, "updates": _set_transpose_updates},
    _spread_samples,
)

# ---- scatter_add ---------------------------------------------------------------------------------


def _add_transpose_updates(b, ct, avals, operand, indices, updates, scatter_dimension_numbers, **flags: Any) -> Any:
    n = scatter_dimension_numbers
    return b.select(_landed(b, indices, avals, n), _read(b, ct, indices, avals, n), zeros(b, avals[2]))


_row(
    "scatter_add",
    "add",
    np.add,
    {"operand": JOINT, "updates": JOINT},
    {"operand": lambda b, ct, avals, *operands, **params: ct, "updates": _add_transpose_updates},
    _spread_samples,
)

# ---- scatter_mul ---------------------------------------------------------------------------------


def _mul_jvp_updates(b: Any, t: Any, y: Any, operand: Any, indices: Any, updates: Any, **params: Any) -> Any:
    # d (x prod u) = x sum_j du_j prod_{k != j} u_k
    nothing = zeros(b, b.aval(operand))
    if params["unique_indices"]:
        return b.multiply(operand, b.scatter_add(nothing, indices, t, **params))
    n = params["scatter_dimension_numbers"]
    avals = [b.aval(v) for v in (operand, indices, updates)]
    zero, one = zeros(b, avals[2]), b.full(avals[2], 1)
    # the product of the others: y / u_j, or the product of what is not zero where u_j is the only zero
    vanishes = compare(b, updates, zero, "EQ")
    count = b.scatter_add(nothing, indices, b.select(vanishes, one, zero), **params)
    nonzero = b.select(vanishes, one, updates)
    product = _read(b, b.scatter_mul(operand, indices, nonzero, **params), indices, avals, n)
    others = b.subtract(_read(b, count, indices, avals, n), b.select(vanishes, one, zero))
    factor = b.select(compare(b, others, zero, "EQ"), b.divide(product, nonzero), zero)
    return b.scatter_add(nothing, indices, b.multiply(factor, t), **params)


_row(
    "scatter_mul",
    "multiply",
    np.multiply,
    {"operand": LINEAR, "updates": _mul_jvp_updates},
    {
        "operand": lambda b, ct, avals, operand, indices, updates, **params: b.scatter_mul(
            ct, indices, updates, **params
        )
    },
    _spread_samples,
)

# ---- scatter_min, scatter_max --------------------------------------------------------------------


def _extreme_jvp(b: Any, tangents: Any, y: Any, operand: Any, indices: Any, updates: Any, **params: Any) -> Any:
    # equal shares for all that attain the extreme value, the operand among them, as JAX has it
    t, _, u = tangents
    n = params["scatter_dimension_numbers"]
    avals = [b.aval(v) for v in (operand, indices, updates)]
    zero, one, nothing = zeros(b, avals[2]), b.full(avals[2], 1), zeros(b, avals[0])
    attained = compare(b, updates, _read(b, y, indices, avals, n), "EQ")
    kept = logical(b, "or", compare(b, operand, y, "EQ"), compare(b, operand, operand, "NE"))
    start = b.select(kept, b.full(avals[0], 1), nothing)
    count = b.scatter_add(start, indices, b.select(attained, one, zero), **params)
    # nothing attains NaN: its tangent is 0
    count = b.maximum(count, b.full(avals[0], 1))
    out = nothing if t is None else b.select(kept, t, nothing)
    if u is not None:
        out = b.scatter_add(out, indices, b.select(attained, u, zero), **params)
    return b.divide(out, count)


_row("scatter_min", "minimum", np.minimum, _extreme_jvp, {}, _spread_samples)
_row("scatter_max", "maximum", np.maximum, _extreme_jvp, {}, _spread_samples)

#: the scatter ops by what they do with an element and its update
SCATTERS = {name: OPS[name] for name in ("scatter", "scatter_add", "scatter_mul", "scatter_min", "scatter_max")}
