"""Indexing against JAX: random index expressions, updates, the functions that select."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import sable

from .oracle import check

X = np.arange(120, dtype=np.float32).reshape(4, 5, 6)
F = np.arange(3, dtype=np.float32)
WHOLE = np.arange(3, dtype=np.int32)
M = np.arange(6, dtype=np.float32).reshape(2, 3)
B = np.array([True, False, True])
EMPTY = np.zeros((0, 3), np.float32)


def evaluate(j, text: str, **names):
    """The value of an expression in which `j` is the module and arrays are its own."""
    space = {"j": j, "np": np, "A": j.numpy.asarray, "lax": j.lax, "jnp": j.numpy}
    for name, array in {"x": X, "f": F, "i": WHOLE, "m": M, "b": B, "e": EMPTY, **names}.items():
        space[name] = j.numpy.asarray(array)
    return eval(text, space)


# ---- random expressions --------------------------------------------------------------------------------------


def random_part(rng: np.random.Generator, size: int, beyond: int) -> str:
    """Text of an index of one dimension."""
    kind = rng.integers(0, 9)
    if kind == 0:
        return str(rng.integers(-size, size))
    if kind == 1:
        return f"A({rng.integers(-size, size)})"
    if kind in (2, 3, 4):
        bounds = [str(rng.integers(-size - 1, size + 2)) if rng.random() < 0.6 else "" for _ in range(2)]
        step = str(rng.choice([-3, -2, -1, 1, 2, 3])) if rng.random() < 0.5 else ""
        return f"{bounds[0]}:{bounds[1]}:{step}"
    if kind == 5:
        return "None"
    if kind == 6:
        return f"A(np.array({rng.integers(-size - beyond, size + beyond, 2).tolist()}))"
    if kind == 7:
        return f"np.array({rng.integers(-size, size, (3, 1)).tolist()})"
    mask = (rng.random(size) < 0.5).tolist()
    mask[0], mask[1] = True, True
    mask[2:] = [False] * (size - 2)
    return f"np.array({mask})"


def random_index(seed: int, beyond: int = 2) -> str:
    """Text of an index of an array of shape (4, 5, 6)."""
    rng = np.random.default_rng(seed)
    parts, d = [], 0
    while d < 3 and rng.random() < 0.9:
        part = random_part(rng, X.shape[d], beyond)
        parts.append(part)
        d += part != "None"
    if rng.random() < 0.3:
        parts.insert(int(rng.integers(0, len(parts) + 1)), "...")
        if parts.index("...") < len(parts) - 1:  # what follows counts from the end: keep masks in place
            parts = [p for p in parts if "True" not in p]
    return ", ".join(parts) if parts else "..."


#: with arrays of positions that lie inside: JAX's derivative of reading outside is not that of what it reads
INSIDE = [random_index(seed, 0) for seed in range(200, 240)]
RANDOM = [random_index(seed) for seed in range(140)]


@pytest.mark.parametrize("index", RANDOM)
def test_getitem(index: str) -> None:
    check(lambda j: evaluate(j, f"x[{index}]"))


@pytest.mark.parametrize("index", INSIDE[:20])
def test_getitem_under_vmap_and_grad(index: str) -> None:
    def program(j):
        def f(x):
            return evaluate_on(j, f"x[{index}]", x)

        stacked = j.numpy.asarray(np.stack([X, 2 * X]))
        total = j.grad(lambda x: (f(x) ** 2).sum())(j.numpy.asarray(X))
        return j.vmap(f)(stacked), total

    check(program)


def evaluate_on(j, text: str, x, **names):
    return eval(text, {"j": j, "np": np, "A": j.numpy.asarray, "jnp": j.numpy, "lax": j.lax, "x": x, **names})


@pytest.mark.parametrize("index", RANDOM[:40])
@pytest.mark.parametrize("method", ["set", "add"])
def test_updates(index: str, method: str) -> None:
    def program(j):
        x = j.numpy.asarray(X)
        y = j.numpy.cumsum(j.numpy.ones(x[eval_index(j, index)].shape, "float32").reshape(-1)) + 200
        y = y.reshape(x[eval_index(j, index)].shape)
        y = y if method == "add" else 0 * y + 7
        return getattr(x.at[eval_index(j, index)], method)(y)

    check(program)


def eval_index(j, index: str):
    class Echo:
        def __getitem__(self, found):
            return found

    return eval(f"echo[{index}]", {"echo": Echo(), "A": j.numpy.asarray, "np": np})


@pytest.mark.parametrize("index", INSIDE[20:32])
@pytest.mark.parametrize("method", ["set", "add", "multiply", "max"])
def test_updates_under_vmap_and_grad(index: str, method: str) -> None:
    if "np.array" in index and method != "add":
        pytest.skip("several updates of one element: the order is not defined, or JAX has no derivative")

    def program(j):
        def f(x, y):
            return getattr(x.at[eval_index(j, index)], method)(y)

        x = j.numpy.asarray(X) + 1
        stacked = j.numpy.stack([x, 2 * x])
        y = j.numpy.asarray(np.float32([57.25, -3.5]))
        mapped = j.vmap(f)(stacked, y)
        return mapped, j.grad(lambda x, y: (f(x, y) ** 2).sum(), (0, 1))(x / 8, y[0])

    check(program, rtol=1e-5)


# ---- traced positions ----------------------------------------------------------------------------------------

TRACED = [
    "x[k]",
    "x[k, 1]",
    "x[1:3, k, ::2]",
    "x[..., k]",
    "x[None, k, :, 0]",
    "x[k, k]",
    "x[A(np.array([0, 3, -1])), k]",
    "x[k, A(np.array([[0], [2]]))]",
    "x[:, k, A(np.array([0, 2]))]",
    "x.at[k].set(5.0)",
    "x.at[k, 1:3].add(1.0)",
    "x.at[:, k, ::2].set(3.0)",
    "x.at[k, k].multiply(2.0)",
    "x.at[k].get(mode='fill')",
    "x.at[k].get(mode='fill', fill_value=-1)",
    "x.at[k, A(np.array([0, 2]))].set(5.0)",
    "x.at[k].set(5.0, mode='clip')",
    "x.at[k].min(2.0)",
    "jnp.take(x, k, axis=1)",
    "jnp.take(x, A([k, 1]), axis=1)",
    "lax.dynamic_index_in_dim(x, k, 1)",
    "lax.dynamic_slice(x, (k, 0, k), (2, 2, 2))",
    "lax.dynamic_slice_in_dim(x, k, 2, axis=2)",
    "lax.dynamic_update_slice_in_dim(x, x[:, :2], k, axis=1)",
    "lax.dynamic_update_index_in_dim(x, x[0], k, 0)",
]


@pytest.mark.parametrize("text", TRACED)
def test_traced_positions(text: str) -> None:
    def program(j):
        ks = j.numpy.asarray(np.array([0, 2, -1, 7, -9], np.int32))
        x = j.numpy.asarray(X)
        mapped = j.vmap(lambda k: evaluate_on(j, text, x, k=k))(ks)
        both = j.vmap(lambda x, k: evaluate_on(j, text, x, k=k))(j.numpy.stack([x] * 5), ks)
        total = j.grad(lambda x: (j.vmap(lambda k: evaluate_on(j, text, x, k=k))(ks[:3]) ** 2).sum())(x)
        return mapped, both, total

    check(program)


# ---- single cases --------------------------------------------------------------------------------------------

CASES = """
f[5] | f[-4] | f[-5] | f[A(5)] | f[np.array([5, -4, -3])] | f[[0, 1]] | f[(0,)] | f[[]] | m[[0, 1], 0]
m[([0, 1],)] | f[0.5] | f[A(0.5)] | f['a'] | f[None] | f[...] | f[()] | m[0, 1, 2] | m[..., ...]
m[None, ..., 0] | f[True] | f[False] | f[b] | m[:, b] | m[b] | m[A([True, False])] | m[A([True, False]), 0]
m[jnp.ones((2, 2), bool)] | f[5:1:-1] | f[1:2:0] | f[1.0:2] | f[np.int64(1)] | f[np.array(1)] | f[np.uint8(1)]
m[A([0, 1]), A([0, 1, 2])] | x[0, :, A([0, 1])] | m[0, None] | f[A(1):3] | j.jit(lambda x, k: x[k:])(f, 1)
j.vmap(lambda b: f[b])(b[None]) | f[np.array([], int)] | f[np.array([])] | f[jnp.zeros((0,), int)] | e[0]
e[A([0])] | e[:, 0] | e[0:0] | A(1.0)[()] | A(1.0)[0] | A(1.0)[None] | A(1.0)[...] | f[9:12] | f[jnp.uint8(200)]
f[A(np.array([200], np.uint8))] | f[jnp.int8(-1)] | f[A(True)] | m[True, 0] | m[0, True] | m[1, b]
lax.full((3,), 1.0)[0] | lax.full((3,), 1.0)[A([0])] | f[lax.full((), 1)] | m[{}] | m[set()] | m[object()]
f.at[5].get() | f.at[5].get(mode='fill') | f.at[A([5, -4, 1])].get(mode='fill', fill_value=7)
f.at[5].get(mode='clip') | f.at[-5].get(mode='clip') | i.at[5].get(mode='fill')
i.at[5].get(mode='fill', fill_value=-1.5) | b.at[5].get(mode='fill') | i.astype('uint8').at[5].get(mode='fill')
f.at[5].get(mode='foo') | f.at[5].get(mode='drop') | f.at[0].get(fill_value=3)
f.at[5].get(mode='promise_in_bounds') | f.at[-1].get(wrap_negative_indices=False)
f.at[A([-1])].get(wrap_negative_indices=False) | f.at[-1].set(5, wrap_negative_indices=False)
f.at[9].get(fill_value=3) | f.at[5].set(1) | f.at[1].set(1) | i.at[1].set(1.5) | i.at[1].add(1.5)
i.at[1].set(A(1.5)) | f.at[1].set(1j) | i.astype('int8').at[0].set(300)
i.astype('int8').at[0].add(jnp.int32(3)) | f.at[0].set(jnp.arange(3)) | f.at[:2].set(jnp.ones(3))
m.at[0].set(jnp.ones((2, 3))) | m.at[:, 0].set(5) | m.at[0].add(1) | f.at[A([0, 0])].add(1)
f.at[A([0, 0])].apply(lambda x: x + 1) | f.at[1].apply(lambda x: x + 1) | m.at[:, 1].apply(jnp.sin)
f.at[9].apply(jnp.cos) | f.at[b].set(9.0) | f.at[b].set(A([1.0, 2.0])) | f.at[b].add(1.0) | f.at[1].power(2)
f.at[1].divide(2) | i.at[1].divide(2) | f.at[1].min(-3) | f.at[1].max(5) | f.at[1].subtract(5) | f.at[1].subtract(True)
f.at[1].multiply(5) | f.at[1].set(5.0, mode='clip') | f.at[7].set(5.0, mode='clip')
f.at[7].set(5.0, mode='fill') | f.at[-7].set(5.0, mode='drop') | f.at[None].set(3) | f.at[...].set(3)
f.at[()].set(3) | A(1.0).at[()].set(2) | f.at[::2].add(1) | m.at[1, A([0, 2])].set(7.0)
m.at[A([True, False])].set(7.0) | f.at[0].set([1]) | f.at[0:2].set([1, 2]) | b.at[0].set(2) | b.at[0].add(True)
i.at[0].set(True) | f.at[0].set(None) | f.at[0].set('a') | f.at[1].foo | f.at[0.5].set(1) | f.at[[0, 1]].set(1)
m.at[0, 0, 0].set(1) | f.at[A([0.5])].set(1) | lax.full((3,), 1.0).at[0].set(2) | f.at[True].set(4)
f.at[False].set(4) | lax.full((3,), 1.0).at[0].set(jnp.float32(2)) | f.at[A([0, 1])].power(2)
f.at[A([0, 0])].multiply(2) | f.at[A([1, 1])].divide(2) | f.at[A([1, 1])].power(2) | f.at[A([1, 1])].min(0)
b.at[0].max(True) | f.at[A([9, 1])].set(5) | f.at[A([9, 1])].set(5, mode='clip')
f.at[A([9, 1])].add(5, mode='promise_in_bounds') | e.at[0].set(1) | e.at[:].set(1)
f.at[0].add(1, indices_are_sorted=True, unique_indices=True) | f.astype('bfloat16').at[A([0, 0])].add(1)
jnp.take(f, 1) | jnp.take(f, 5) | jnp.take(f, -1) | jnp.take(f, -5) | jnp.take(f, [0, 1])
jnp.take(m, A([0, 5]), axis=1) | jnp.take(m, A([0, 5])) | jnp.take(m, A([[0, -1]]), axis=0)
jnp.take(f, A([5, -5, -1]), mode='wrap') | jnp.take(f, A([5, -5, -1]), mode='clip')
jnp.take(f, A([5]), mode='raise') | jnp.take(f, A([5]), fill_value=2) | jnp.take(f, A([5]), mode='foo')
jnp.take(f, 0.5) | jnp.take(f, b) | jnp.take(f, True) | jnp.take(e, A([0]), axis=0)
jnp.take(e, jnp.zeros(0, int), axis=0) | jnp.take(m, 1, axis=5) | jnp.take(m, 1, axis=-1) | jnp.take(1.0, 0)
jnp.take(i, 9) | jnp.take_along_axis(m, A([[0], [2]]), 1) | jnp.take_along_axis(m, A([[5, -1, -7]]), 1)
jnp.take_along_axis(m, A([[0, 1]]), 0) | jnp.take_along_axis(m, A([[0, 1, 0]]), 0)
jnp.take_along_axis(f, A([2, -1, 7]), 0, mode='clip') | jnp.take_along_axis(f, A([2, -1, 7]), 0, mode='wrap')
jnp.take_along_axis(f, A([2, -1, 7]), 0, mode='promise_in_bounds')
jnp.take_along_axis(f, A([2, -1, 7]), 0, fill_value=3) | jnp.take_along_axis(m, A([2, -1, 7]), None)
jnp.take_along_axis(m, A([2]), 0) | jnp.take_along_axis(m, A([[0.5]]), 0) | jnp.take_along_axis(m, b[None], 0)
jnp.take_along_axis(m[:, :1], A([[0, 0, 1], [1, 1, 0]]), 0) | jnp.take_along_axis(m, A([[0]]), 3)
jnp.take_along_axis(x, x.argmax(1, keepdims=True), 1) | jnp.take_along_axis(x, A([[[1]]]), 0)
jnp.put_along_axis(m, A([[0], [2]]), 9, 1) | jnp.put_along_axis(m, A([[0], [2]]), 9, 1, inplace=False)
jnp.put_along_axis(m, A([[0], [7]]), 9, 1, inplace=False)
jnp.put_along_axis(m, A([1]), 9, None, inplace=False) | jnp.nonzero(b) | jnp.nonzero(m) | jnp.nonzero(m, size=2)
jnp.nonzero(m, size=7) | jnp.nonzero(m, size=7, fill_value=-1) | jnp.nonzero(m, size=7, fill_value=(-1, -2))
jnp.nonzero(1.0) | jnp.nonzero([1, 0]) | jnp.nonzero(e) | jnp.nonzero(b, size=0)
jnp.nonzero(jnp.zeros(0), size=2) | jnp.nonzero(b, size=-1) | jnp.where(b) | jnp.where(b, size=4, fill_value=9)
jnp.argwhere(m) | jnp.argwhere(m, size=7) | jnp.argwhere(A(3.0)) | jnp.argwhere(A(0.0)) | jnp.flatnonzero(m)
jnp.flatnonzero(m, size=8) | j.vmap(jnp.nonzero)(b[None]) | j.vmap(lambda b: jnp.nonzero(b, size=2))(b[None])
jnp.unravel_index(4, (2, 3)) | jnp.unravel_index(A([4, 9, -1, -9]), (2, 3)) | jnp.unravel_index(4, 6)
jnp.unravel_index(3, ()) | jnp.unravel_index([1, 2], (2, 3)) | jnp.unravel_index(jnp.uint8(4), (2, 3))
jnp.unravel_index(3, (0, 2)) | jnp.ravel_multi_index((A([1]), A([2])), (2, 3))
jnp.ravel_multi_index((A([5]), A([2])), (2, 3)) | jnp.ravel_multi_index((A([5]), A([-1])), (2, 3), mode='wrap')
jnp.ravel_multi_index((A([5]), A([-1])), (2, 3), mode='clip')
jnp.ravel_multi_index((A([1]), A([2])), (2, 3), order='F') | jnp.ravel_multi_index((1, 2), (2, 3))
jnp.ravel_multi_index((1.0, 2), (2, 3)) | jnp.ravel_multi_index((1, 2), (2, 3), dtype='int8')
jnp.compress(b, f) | jnp.compress(A([True, False]), m, axis=0) | jnp.compress(A([True, False]), m)
jnp.compress(m, f) | jnp.compress(b, m, axis=1, size=3) | jnp.compress(b, m, axis=1, size=3, fill_value=7)
jnp.compress(b, m, axis=1, size=1) | jnp.compress(A([1, 0, 1, 1]), f) | jnp.compress([1, 0, 1], f)
jnp.extract(b, f) | jnp.extract(m > 2, m) | jnp.extract(b, f, size=4, fill_value=-1)
jnp.put(f, A([0]), 5, inplace=False) | jnp.put(f, A([7]), 5, inplace=False)
jnp.put(f, A([7]), 5, mode='wrap', inplace=False) | jnp.put(f, A([0]), 5)
jnp.put(f, A([0, 1]), A([5.0]), inplace=False)
m.at[:0].set(jnp.ones((7, 5))) | m.at[9:].min(jnp.ones(0)) | b.at[:0].add(True) | f.at[A([], 'int32')].add(jnp.ones((4, 5)))
jnp.zeros((0, 2)).at[0].set(jnp.ones((7, 5)))
"""


@pytest.mark.parametrize("text", [c.strip() for line in CASES.strip().splitlines() for c in line.split(" | ")])
def test_case(text: str) -> None:
    check(lambda j: evaluate(j, text))


def test_set_warns_where_the_dtype_loses_something() -> None:
    x = sable.numpy.arange(3)
    with pytest.warns(FutureWarning, match="scatter inputs have incompatible types"):
        x.at[1].set(1.5)


def test_small_parts_do_not_keep_large_arrays() -> None:
    x = sable.numpy.zeros(100_000)
    assert x[3].numpy().base is None
    assert x[2:5].numpy().base is None


def test_results_are_not_views_that_follow() -> None:
    x = sable.numpy.arange(4.0)
    y = x[::-1]
    z = x.at[0].set(9)
    assert y[3] == 0
    assert z[0] == 9


@pytest.mark.parametrize("shape", [(1,), (1000,), (1, 1000), (1000, 1), (1, 1, 1000), (2, 1, 500)])
def test_updates_leave_the_updated_array_to_the_loop_behind(shape: tuple[int, ...]) -> None:
    """Whichever axis is long, what a compiled loop reads of an array that was updated before it is the array's."""
    j = sable.numpy

    def program(flat, i):
        def body(k, _):
            return j.hypot(flat, flat), flat.reshape(shape).at[..., i[k]].add(1)

        return sable.lax.fori_loop(1, 3, body, body(0, None))

    flat = np.arange(1, 1 + np.prod(shape), dtype=np.float32)
    read, updated = sable.jit(program)(j.asarray(flat), j.zeros((3, 1), j.int32))
    np.testing.assert_allclose(read, np.hypot(flat, flat), rtol=1e-6)
    np.testing.assert_array_equal(np.asarray(updated)[..., 0], flat.reshape(shape)[..., 0] + 1)


def test_warnings_are_the_users_line() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        sable.numpy.arange(3).at[0].set(0.5)
    assert caught[0].filename == __file__
