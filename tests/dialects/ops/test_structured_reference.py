"""Structured rows against JAX: random dimension numbers, JAX's own programs, ties, error messages."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import sable.dialects.ops  # noqa: F401  (defines the table)
from sable.dialects.ops.indexing import (
    bounds_of,
    clamp_indices,
    gather_without_batching_dims,
    scatter_dimensions,
    scatter_without_batching_dims,
)
from sable.ir.aval import aval, aval_of, bfloat16
from sable.ir.bindings import CONTEXT, aval_of_type, ir
from sable.ir.codec import DotDimensions, GatherDimensions
from sable.ir.op import OPS, NumpyBuilder, Op, Sample
from sable.ir.reading import find_row
from sable.passes.linearize import tangent

from . import oracle

jax = pytest.importorskip("jax")

from jax import lax  # noqa: E402

B = NumpyBuilder()
F32 = np.dtype(np.float32)
#: random cases of one op, compiled together
CASES = 60
#: float32 sums of a few products in another order
RTOL, ATOL = 1e-5, 1e-5

DTYPES = [np.float32, np.float32, np.int32, np.uint8, np.bool_, np.float16, bfloat16]


def array(rng: np.random.Generator, shape: Any, dtype: Any = np.float32) -> np.ndarray:
    """Small integers as numbers of that dtype: sums are exact in every order and there are ties."""
    dtype = np.dtype(dtype)
    if dtype == np.bool_:
        return rng.integers(0, 2, shape).astype(dtype)
    return rng.integers(0 if dtype.kind == "u" else -4, 5, shape).astype(dtype)


def pick(rng: np.random.Generator, items: Any, count: int) -> tuple[int, ...]:
    return tuple(int(i) for i in rng.permutation(list(items))[:count])


def agree(op: Op, samples: list[Sample]) -> None:
    """The reference meaning and XLA give the same on every sample."""
    for s, want in zip(samples, oracle.run(op, samples)):
        out = B.bind(op, *s.operands, **s.params)
        for got, wanted in zip(out if op.multiple_results else [out], want):
            assert (got.shape, got.dtype) == (wanted.shape, wanted.dtype), s
            if got.dtype == bfloat16:
                got, wanted = got.astype(np.float32), wanted.astype(np.float32)
            np.testing.assert_allclose(got, wanted, rtol=RTOL, atol=ATOL, err_msg=str(s))


# ---- gather, scatter -------------------------------------------------------------------------------


def random_window(rng: np.random.Generator, dtype: Any, components: int = 0) -> tuple:
    """Operand, start indices, dimension numbers, slice sizes of a random gather.

    components: how many an index vector has at least.
    """
    rank = int(rng.integers(1, 5))
    shape = tuple(int(n) for n in rng.integers(1, 5, rank))
    order = pick(rng, range(rank), rank)
    batching = tuple(sorted(order[: int(rng.integers(0, min(rank, 3)))]))  # one dimension is left
    rest = [d for d in range(rank) if d not in batching]
    collapsed = tuple(sorted(pick(rng, rest, int(rng.integers(0, len(rest) + 1)))))
    index_map = pick(rng, rest, int(rng.integers(components, len(rest) + 1)))
    sizes = [1 if d in (*batching, *collapsed) else int(rng.integers(0, n + 1)) for d, n in enumerate(shape)]
    sizes = [n if rng.random() < 0.3 and d in rest and d not in collapsed else s
             for d, (n, s) in enumerate(zip(shape, sizes))]  # fmt: skip
    batch = [int(n) for n in rng.integers(1, 4, int(rng.integers(0, 3)))]
    places = list(pick(rng, range(len(batch) + len(batching)), len(batching)))
    for at, d in sorted(zip(places, batching)):
        batch.insert(at, shape[d])
    implicit = len(index_map) == 1 and rng.random() < 0.3
    vector_dim = len(batch) if implicit else int(rng.integers(0, len(batch) + 1))
    index_shape = batch if implicit else [*batch[:vector_dim], len(index_map), *batch[vector_dim:]]
    start_batching = tuple(p + (not implicit and p >= vector_dim) for p in places)
    windows = rank - len(batching) - len(collapsed)
    offset_dims = tuple(sorted(pick(rng, range(len(batch) + windows), windows)))
    indices = rng.integers(-2, 6, index_shape).astype(np.int32)
    dims = GatherDimensions(offset_dims, collapsed, batching, start_batching, index_map, vector_dim)
    return array(rng, shape, dtype), indices, dims, tuple(sizes)


def gather_sample(seed: int, dtype: Any) -> Sample:
    x, indices, dims, sizes = random_window(np.random.default_rng(seed), dtype)
    params = {"dimension_numbers": dims, "slice_sizes": sizes, "indices_are_sorted": False}
    return Sample((x, indices), params)


def scatter_sample(seed: int, dtype: Any) -> Sample:
    rng = np.random.default_rng(seed)
    # of index vectors without components XLA makes nothing or nonsense
    x, indices, dims, sizes = random_window(rng, dtype, components=1)
    params = {"dimension_numbers": dims, "slice_sizes": sizes, "indices_are_sorted": False}
    out = OPS["gather"].type(aval_of(x), aval_of(indices), **params)
    flags = {"indices_are_sorted": False, "unique_indices": False}
    updates = array(rng, out.shape, dtype)
    return Sample((x, indices, updates), {"scatter_dimension_numbers": scatter_dimensions(dims), **flags})


def test_random_gathers() -> None:
    agree(OPS["gather"], [gather_sample(i, DTYPES[i % len(DTYPES)]) for i in range(CASES)])


SCATTERS = ("scatter", "scatter_add", "scatter_mul", "scatter_min", "scatter_max")


@pytest.mark.parametrize("name", SCATTERS)
def test_random_scatters(name: str) -> None:
    dtypes = [d for d in DTYPES if np.dtype(d).itemsize > 1]
    agree(OPS[name], [scatter_sample(100 + i, dtypes[i % len(dtypes)]) for i in range(CASES // 2)])


def test_gathers_without_batching_dims() -> None:
    for i in range(CASES):
        s = gather_sample(i, np.float32)
        got = gather_without_batching_dims(B, *s.operands, **s.params)
        np.testing.assert_array_equal(got, B.gather(*s.operands, **s.params))


@pytest.mark.parametrize("name", ["scatter", "scatter_add"])
def test_scatters_without_batching_dims(name: str) -> None:
    for i in range(CASES):
        s = scatter_sample(i, np.float32)
        got = scatter_without_batching_dims(B, OPS[name], *s.operands, **s.params)
        np.testing.assert_array_equal(got, B.bind(OPS[name], *s.operands, **s.params))


@pytest.mark.parametrize("name", ["gather", *SCATTERS])
def test_random_derivatives(name: str) -> None:
    """Tangents are those of central differences, cotangents are transposed to them."""
    op = OPS[name]
    for i in range(CASES):
        s = (gather_sample if name == "gather" else scatter_sample)(i, np.float64)
        rng = np.random.default_rng(i)
        # no ties and no zeros
        xs = [rng.uniform(0.5, 1.5, x.shape) if x.dtype.kind == "f" else x for x in s.operands]
        ts = [rng.uniform(-1, 1, x.shape) if x.dtype.kind == "f" else None for x in xs]
        t = tangent(B, op, ts, B.bind(op, *xs, **s.params), xs, dict(s.params))
        step = 1e-6
        ends = [[x if v is None else x + h * v for x, v in zip(xs, ts)] for h in (step, -step)]
        high, low = (B.bind(op, *values, **s.params) for values in ends)
        np.testing.assert_allclose(t, (high - low) / (2 * step), rtol=1e-6, atol=1e-6, err_msg=str(s))
        if callable(op.jvp) or set(op.transpose) != set(op.jvp):
            continue
        ct = rng.uniform(-1, 1, t.shape)
        given = [x if v is None else None for x, v in zip(xs, ts)]
        if name == "gather":  # nothing comes back from windows that were moved inside
            numbers = s.params["dimension_numbers"]
            bounds = bounds_of(xs[0].shape, s.params["slice_sizes"], numbers.start_index_map)
            given[1] = clamp_indices(B, xs[1], numbers.index_vector_dim, bounds)
        avals = [aval_of(x) for x in xs]
        back = [op.transpose[o](B, ct, avals, *given, **s.params) if o in op.transpose else None for o in op.operands]
        dots = sum(np.vdot(v, c) for v, c in zip(ts, back) if c is not None)
        np.testing.assert_allclose(dots, np.vdot(ct, t), rtol=1e-9, atol=1e-9, err_msg=str(s))


def test_scatter_of_repeated_indices_has_the_derivative_of_the_one_that_stays() -> None:
    from sable.ir.codec import ScatterDimensions

    params = {"scatter_dimension_numbers": ScatterDimensions((), (0,), (), (), (0,), 1),
              "indices_are_sorted": False, "unique_indices": False}  # fmt: skip
    x, indices, updates = np.zeros(4), np.array([[1], [1], [7], [3]]), np.arange(4.0)
    avals = [aval_of(v) for v in (x, indices, updates)]
    ct = np.array([1.0, 2.0, 3.0, 4.0])
    rules = OPS["scatter"].transpose
    np.testing.assert_array_equal(rules["updates"](B, ct, avals, None, indices, None, **params), [0, 2, 0, 4])
    np.testing.assert_array_equal(rules["operand"](B, ct, avals, None, indices, None, **params), [1, 0, 3, 0])


# ---- dot_general -----------------------------------------------------------------------------------


def dot_sample(seed: int) -> Sample:
    rng = np.random.default_rng(seed)
    counts = [int(n) for n in rng.integers(0, 3, 4)]  # batch, contract, free ones of each side
    sizes = [tuple(int(n) for n in rng.integers(1, 4, c)) for c in counts]
    names = [[(kind, i) for i in range(c)] for kind, c in enumerate(counts)]
    sides = []
    for free in (2, 3):
        dims = [*names[0], *names[1], *names[free]]
        sides.append([dims[i] for i in rng.permutation(len(dims))])
    shapes = [[sizes[kind][i] for kind, i in side] for side in sides]
    numbers = [tuple(side.index(n) for n in group) for group in names[:2] for side in sides]
    dtype, preferred = [(np.float32, None), (np.int32, None), (np.int8, np.int32), (bfloat16, np.float32),
                        (np.bool_, None), (np.complex64, None), (np.float16, None)][seed % 7]  # fmt: skip
    preferred = np.dtype(preferred or dtype)
    params = {"dot_dimension_numbers": DotDimensions(*numbers), "precision_config": None}
    return Sample(tuple(array(rng, s, dtype) for s in shapes), {**params, "preferred_element_type": preferred})


def test_random_dots() -> None:
    agree(OPS["dot_general"], [dot_sample(i) for i in range(2 * CASES)])


def test_dot_of_numbers_of_jax() -> None:
    """The dimension numbers mean what `lax.dot_general` means."""
    x, y = array(np.random.default_rng(0), (2, 3, 4)), array(np.random.default_rng(1), (4, 2, 5))
    want = lax.dot_general(x, y, (((2,), (0,)), ((0,), (1,))))
    got = B.dot_general(
        x,
        y,
        dot_dimension_numbers=DotDimensions((0,), (1,), (2,), (0,)),
        precision_config=None,
        preferred_element_type=F32,
    )
    np.testing.assert_array_equal(got, want)


def test_half_precision_is_accumulated_in_f32() -> None:
    x = np.full((1, 4096), 1.0, np.float16)
    params = {"precision_config": None, "preferred_element_type": x.dtype}
    got = B.dot_general(x, x, dot_dimension_numbers=DotDimensions((), (), (1,), (1,)), **params)
    assert got[0, 0] == 4096  # f16 would stay at 2048


# ---- shapes ----------------------------------------------------------------------------------------


def pad_sample(seed: int) -> Sample:
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(0, 4, int(rng.integers(0, 4))))
    low, high, interior = [], [], []
    for n in shape:
        while True:
            config = [int(k) for k in (rng.integers(-4, 4), rng.integers(-4, 4), rng.integers(0, 3))]
            if config[0] + config[1] + n + max(n - 1, 0) * config[2] >= 0:
                break
        for to, k in zip((low, high, interior), config):
            to.append(k)
    params = {"edge_padding_low": low, "edge_padding_high": high, "interior_padding": interior}
    dtype = DTYPES[seed % len(DTYPES)]
    return Sample((array(rng, shape, dtype), array(rng, (), dtype)), {k: tuple(v) for k, v in params.items()})


def test_random_pads() -> None:
    agree(OPS["pad"], [pad_sample(i) for i in range(2 * CASES)])


def window_sample(seed: int, update: bool) -> Sample:
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(0, 5, int(rng.integers(1, 4))))
    sizes = tuple(int(rng.integers(0, n + 1)) for n in shape)
    kind = [np.int32, np.int64, np.uint8, np.int8][seed % 4]
    starts = [np.asarray(rng.integers(0 if kind is np.uint8 else -3, 8), kind) for _ in shape]
    dtype = DTYPES[seed % len(DTYPES)]
    x = array(rng, shape, dtype)
    return Sample((x, array(rng, sizes, dtype), *starts)) if update else Sample((x, *starts), {"slice_sizes": sizes})


@pytest.mark.parametrize("name", ["dynamic_slice", "dynamic_update_slice"])
def test_random_dynamic_slices(name: str) -> None:
    agree(OPS[name], [window_sample(i, name == "dynamic_update_slice") for i in range(CASES)])


def test_broadcast_that_turns_dimensions() -> None:
    rng = np.random.default_rng(0)
    samples = []
    for i in range(CASES):
        shape = tuple(int(n) for n in rng.integers(1, 5, 4))
        dims = pick(rng, range(4), i % 5)
        x = array(rng, [1 if rng.random() < 0.3 else shape[d] for d in dims])
        samples.append(Sample((x,), {"shape": shape, "broadcast_dimensions": dims}))
    agree(OPS["broadcast_in_dim"], samples)


# ---- sort, argmax, cumulative ones -----------------------------------------------------------------

# no denormal numbers: XLA on CPU takes them for zero
SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, -math.nan, 1e-30, 2.0])


@pytest.mark.parametrize("dtype", [np.float32, np.float16, bfloat16, np.int8, np.uint32, np.bool_, np.complex64])
@pytest.mark.parametrize("num_keys", [1, 2])
def test_sort_of_everything(dtype: Any, num_keys: int) -> None:
    rng = np.random.default_rng(num_keys)
    numbers = SPECIAL if np.dtype(dtype).kind in "fcV" else np.arange(4)
    samples = []
    for dimension in range(2):
        keys = [rng.choice(numbers, (3, 24)) for _ in range(2)]
        if np.dtype(dtype).kind == "c":
            # NumPy multiplies NaN into the other part
            keys = [np.stack([k, rng.choice(numbers, k.shape)], -1).astype(F32).view(dtype)[..., 0] for k in keys]
        keys = [k.astype(dtype) for k in keys]
        places = np.arange(72, dtype=np.int32).reshape(3, 24)
        params = {"dimension": dimension, "num_keys": num_keys, "is_stable": True}
        samples.append(Sample((*keys, places), params))
    agree(OPS["sort"], samples)


@pytest.mark.parametrize("zeros", [False, True])
def test_long_sorts_are_as_if_stable(zeros: bool) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=5000).astype(F32)
    x[::7] = math.nan
    x[1::3] = rng.choice([0.0, -0.0], x[1::3].shape) if zeros else 0.0
    got = B.sort(x, dimension=0, num_keys=1, is_stable=True)[0]
    want = np.sort(x, kind="stable")
    np.testing.assert_array_equal(got, want)
    ordered = ~np.isnan(want)
    np.testing.assert_array_equal(np.signbit(got)[ordered], np.signbit(want)[ordered])


@pytest.mark.parametrize("name", ["argmax", "argmin"])
@pytest.mark.parametrize("dtype", [np.float32, bfloat16, np.int8, np.uint32, np.bool_])
def test_arg_of_everything(name: str, dtype: Any) -> None:
    rng = np.random.default_rng(0)
    numbers = SPECIAL if np.dtype(dtype).kind in "fV" else np.arange(3)
    x = rng.choice(numbers, (40, 3)).astype(dtype)
    for axis in range(2):
        want = getattr(lax, name)(x, axis, np.int32)
        np.testing.assert_array_equal(B.bind(OPS[name], x, axis=axis, index_dtype=np.dtype(np.int32)), want)


def jvp_at(name: str, x: np.ndarray, t: np.ndarray, **params: Any) -> Any:
    op = OPS[name]
    return tangent(B, op, [t], B.bind(op, x, **params), [x], params)


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp"])
@pytest.mark.parametrize("reverse", [False, True])
def test_cumulative_tangents_at_ties_and_zeros(name: str, reverse: bool) -> None:
    f = getattr(lax, name)
    for n in (1, 2, 3, 8, 13):
        rng = np.random.default_rng(n)
        x, t = array(rng, (n, 2)), rng.uniform(-1, 1, (n, 2)).astype(F32)
        y, want = jax.jvp(lambda x: f(x, axis=0, reverse=reverse), (x,), (t,))
        np.testing.assert_allclose(B.bind(OPS[name], x, axis=0, reverse=reverse), y, rtol=RTOL, atol=ATOL)
        got = jvp_at(name, x, t, axis=0, reverse=reverse)
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)


def test_log_of_nothing_has_finite_derivatives() -> None:
    x, t = np.array([-math.inf, -math.inf, 1.0, 2.0]), np.ones(4)
    got = jvp_at("cumlogsumexp", x, t, axis=0, reverse=False)
    np.testing.assert_allclose(got[2:], 1)
    assert np.isfinite(got).all()


@pytest.mark.parametrize("name", ["reduce_max", "reduce_min", "reduce_prod"])
def test_reduction_tangents_at_ties_and_zeros(name: str) -> None:
    f = {"reduce_max": lax.reduce_max, "reduce_min": lax.reduce_min, "reduce_prod": lax.reduce_prod}[name]
    rng = np.random.default_rng(0)
    for dimensions in ((0,), (0, 2), ()):
        x, t = array(rng, (3, 4, 3)), rng.uniform(-1, 1, (3, 4, 3)).astype(F32)
        _, want = jax.jvp(lambda x, d=dimensions: f(x, d), (x,), (t,))
        np.testing.assert_allclose(jvp_at(name, x, t, dimensions=dimensions), want, rtol=RTOL, atol=ATOL)


@pytest.mark.parametrize("name", ["scatter_min", "scatter_max"])
def test_scatter_extreme_tangents_at_ties(name: str) -> None:
    rng = np.random.default_rng(0)
    x, u = array(rng, (4, 3)), array(rng, (6, 3))
    t, v = rng.uniform(-1, 1, x.shape).astype(F32), rng.uniform(-1, 1, u.shape).astype(F32)
    i = np.array([[0], [1], [0], [3], [9], [3]], np.int32)
    numbers = lax.ScatterDimensionNumbers((1,), (0,), (0,))
    _, want = jax.jvp(lambda x, u: getattr(lax, name)(x, i, u, numbers, mode="drop"), (x, u), (t, v))
    params = {"scatter_dimension_numbers": scatter_dimensions(GatherDimensions((1,), (0,), (), (), (0,), 1)),
              "indices_are_sorted": False, "unique_indices": False}  # fmt: skip
    y = B.bind(OPS[name], x, i, u, **params)
    got = tangent(B, OPS[name], [t, None, v], y, [x, i, u], params)
    np.testing.assert_allclose(got, want, rtol=RTOL, atol=ATOL)


def test_sort_moves_tangents_with_their_elements() -> None:
    rng = np.random.default_rng(0)
    x, z = array(rng, (5, 8)), rng.uniform(size=(5, 8)).astype(F32)
    ts = [rng.uniform(-1, 1, (5, 8)).astype(F32) for _ in range(2)]
    _, want = jax.jvp(lambda x, z: lax.sort((x, z), dimension=1, num_keys=1), (x, z), tuple(ts))
    params = {"dimension": 1, "num_keys": 1, "is_stable": True}
    got = tangent(B, OPS["sort"], ts, B.sort(x, z, **params), [x, z], params)
    for g, w in zip(got, want):
        np.testing.assert_array_equal(g, w)


# ---- programs written by JAX -----------------------------------------------------------------------


def rows_of(f: Any, *args: Any) -> list[tuple[str, dict]]:
    """The rows and parameters of the operations with bodies in what JAX makes of f."""
    text = jax.jit(f).lower(*args).as_text()
    found = []
    with CONTEXT:
        module = ir.Module.parse(text)
        for function in module.body.operations:
            for view in function.regions[0].blocks[0].operations:
                operation = view.operation
                if len(operation.regions):
                    op = find_row(operation, operation.name)
                    avals = [aval_of_type(r.type) for r in operation.results]
                    found.append((op.name, op.form.decode(operation, avals)[1]))
    return found


@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.uint8, np.bool_, bfloat16])
def test_arg_reductions_of_jax_are_recognised(dtype: Any) -> None:
    x = np.ones((3, 4), dtype)
    assert rows_of(lambda x: lax.argmax(x, 1, np.int32), x) == [("reduce_argmax", {"axis": 1})]
    assert rows_of(lambda x: lax.argmin(x, 0, np.int32), x) == [("reduce_argmin", {"axis": 0})]


@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.uint8, np.bool_, bfloat16, np.complex64])
@pytest.mark.parametrize("num_keys", [1, 2])
def test_sorts_of_jax_are_recognised(dtype: Any, num_keys: int) -> None:
    x = np.ones((3, 4), dtype)
    params = {"dimension": 1, "num_keys": num_keys, "is_stable": True}
    y = np.ones((3, 4), np.float32)
    f = jax.tree_util.Partial(lax.sort, dimension=1, num_keys=num_keys)
    assert rows_of(lambda x, y: f((x, y, y)), x, y) == [("sort", params)]


def test_scatters_of_jax_are_recognised() -> None:
    x, i, u = np.ones((4, 3), F32), np.ones(2, np.int32), np.ones((2, 3), F32)
    methods = {"set": "", "add": "_add", "multiply": "_mul", "min": "_min", "max": "_max"}
    for method, suffix in methods.items():
        ((got, params),) = rows_of(lambda x, i, u, m=method: getattr(x.at[i], m)(u), x, i, u)
        assert got == f"scatter{suffix}"
        assert params["scatter_dimension_numbers"].update_window_dims == (1,)


def test_reductions_of_jax_are_recognised() -> None:
    x = np.ones((3, 4), F32)
    for name in ("reduce_sum", "reduce_prod", "reduce_max", "reduce_min"):
        f = jax.tree_util.Partial(getattr(lax, name), axes=(1,))
        assert rows_of(f, x) == [(name, {"dimensions": (1,)})]
    for name in ("reduce_and", "reduce_or", "reduce_xor"):
        f = jax.tree_util.Partial(getattr(lax, name), axes=(1,))
        assert rows_of(f, x > 0) == [(name, {"dimensions": (1,)})]


# ---- random bits -----------------------------------------------------------------------------------


def test_bits_are_those_of_jax() -> None:
    from jax.extend.random import threefry2x32_p

    words = [np.random.default_rng(i).integers(0, 2**32, (5, 7), np.uint32) for i in range(4)]
    for got, want in zip(B.threefry2x32(*words), threefry2x32_p.bind(*words)):
        np.testing.assert_array_equal(got, want)


# ---- error messages --------------------------------------------------------------------------------


def type_error(name: str, *shapes: Any, **params: Any) -> str:
    avals = [aval(s, F32) if isinstance(s, tuple) else s for s in shapes]
    with pytest.raises((TypeError, ValueError)) as caught:
        OPS[name].type(*avals, **params)
    return str(caught.value)


def jax_error(f: Any, *args: Any) -> str:
    with pytest.raises((TypeError, ValueError)) as caught:
        f(*args)
    return str(caught.value)


def test_messages_are_those_of_jax() -> None:
    x = np.ones((2, 3), F32)
    pairs = [
        (
            type_error("broadcast_in_dim", (2, 3), shape=(2, 4), broadcast_dimensions=(0, 1)),
            jax_error(lax.broadcast_in_dim, x, (2, 4), (0, 1)),
        ),
        (type_error("transpose", (2, 3), permutation=(0, 0)), jax_error(lax.transpose, x, (0, 0))),
        (
            type_error("concatenate", (2, 3), (2, 4), dimension=0),
            jax_error(lax.concatenate, [x, np.ones((2, 4), F32)], 0),
        ),
        (type_error("reverse", (2, 3), dimensions=(3,)), jax_error(lax.rev, x, (3,))),
        (type_error("reduce_sum", (2, 3), dimensions=(2,)), jax_error(lax.reduce_sum, x, (2,))),
        (type_error("reduce_or", (2, 3), dimensions=(0,)), jax_error(lax.reduce_or, x, (0,))),
        (
            type_error("argmax", (0, 3), axis=0, index_dtype=np.dtype(np.int32)),
            jax_error(lambda: lax.argmax(np.ones((0, 3), F32), 0, np.int32)),
        ),
        (
            type_error("sort", (2, 3), (3,), dimension=0, num_keys=1, is_stable=True),
            jax_error(lax.sort, (x, np.ones(3, F32))),
        ),
        (
            type_error(
                "dot_general",
                (2, 3),
                (2, 3),
                dot_dimension_numbers=DotDimensions((), (), (1,), (0,)),
                precision_config=None,
                preferred_element_type=None,
            ),
            jax_error(lax.dot_general, x, x, (((1,), (0,)), ((), ()))),
        ),
    ]
    for ours, theirs in pairs:
        assert ours.strip() == theirs.strip()


def test_messages_of_gather_are_those_of_jax() -> None:
    indices, numbers = np.zeros((3, 1), np.int32), lax.GatherDimensionNumbers((1,), (0,), (0,))
    ours = type_error(
        "gather",
        (4, 5),
        aval_of(indices),
        dimension_numbers=GatherDimensions((1,), (0,), (), (), (0,), 1),
        slice_sizes=(1, 6),
        indices_are_sorted=False,
    )
    assert ours == jax_error(lambda: lax.gather(np.ones((4, 5), F32), indices, numbers, (1, 6)))
