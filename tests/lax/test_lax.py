"""`jax.lax` against JAX: values, dtypes, weak types and errors of the strict functions."""

from __future__ import annotations

import numpy as np
import pytest

import sable as jax
import sable.numpy as jnp
from sable import lax
from sable.core.bind import BIND

from ..numpy.oracle import Programs

ARRAYS = {
    "f": np.array([0.5, -1.25, 2.0], np.float32),
    "p": np.array([0.25, 1.5, 3.0], np.float32),
    "h": np.array([0.5, 1.5, -2.0], np.float16),
    "w": np.array([0.5, 1.5, -2.0], np.float32).astype("float32"),
    "i": np.array([3, -7, 2], np.int32),
    "u": np.array([3, 250, 2], np.uint8),
    "b": np.array([True, False, True]),
    "c": np.array([1 + 2j, -0.5j, 3], np.complex64),
    "m": np.arange(6, dtype=np.float32).reshape(2, 3),
    "n": np.array([[1.0], [2.0]], np.float32),
    "x": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "e": np.zeros((0, 3), np.float32),
}


def evaluate(j, text: str, **names):
    space = {"j": j, "lax": j.lax, "np": np, "jnp": j.numpy, "A": j.numpy.asarray}
    space.update({name: j.numpy.asarray(array) for name, array in ARRAYS.items() if name not in names})
    return eval(text, {**space, **names})


def programs(texts: list[str]) -> Programs:
    return Programs.of_expressions(evaluate, ARRAYS, texts)


def cases(table: str) -> list[str]:
    return [c.strip() for line in table.strip().splitlines() for c in line.split(" | ")]


UNARY = [
    "neg",
    "abs",
    "sign",
    "floor",
    "ceil",
    "round",
    "is_finite",
    "square",
    "reciprocal",
    "exp",
    "exp2",
    "expm1",
    "sin",
    "cos",
    "tan",
    "tanh",
    "logistic",
    "sinh",
    "cosh",
    "asinh",
    "atan",
    "erf",
    "erfc",
    "lgamma",
    "digamma",
    "real",
    "imag",
    "conj",
    "bitwise_not",
    "population_count",
    "clz",
    "cbrt",
]
POSITIVE = ["log", "log1p", "sqrt", "rsqrt", "acosh"]
INSIDE = ["asin", "acos", "atanh", "erf_inv"]


UNARY_CALLS = [
    *[f"lax.{name}({x})" for name in UNARY for x in ["f", "h", "i", "u", "b", "c", "1.5", "2", "[1]"]],
    *[f"lax.{name}({x})" for name in POSITIVE for x in ["p + 1", "i", "b", "c", "1.5", "2"]],
    *[f"lax.{name}({x})" for name in INSIDE for x in ["f / 4", "i", "b", "0.5"]],
]
UNARY_PROGRAMS = programs(UNARY_CALLS)


@pytest.mark.parametrize("text", UNARY_CALLS)
def test_unary(text: str) -> None:
    UNARY_PROGRAMS.check(text, rtol=2e-3 if "(h)" in text else 2e-5)


BINARY = [
    *[
        "add",
        "sub",
        "mul",
        "div",
        "rem",
        "max",
        "min",
        "pow",
        "atan2",
        "nextafter",
        "eq",
        "ne",
        "lt",
        "le",
        "gt",
        "ge",
        "complex",
    ],
    *["bitwise_and", "bitwise_or", "bitwise_xor", "shift_left", "shift_right_arithmetic", "shift_right_logical"],
]
PAIRS = "f,f | f,1.5 | f,1 | 2,i | 1,2 | 1,2.0 | f,i | i,i | u,u | m,n | m,f | f,A(1.0) | b,b | b,True | i,True | c,c | c,1j | f,np.ones(3)"


BINARY_CALLS = [f"lax.{name}({pair})".replace("pow(f,f)", "pow(p,f)") for name in BINARY for pair in cases(PAIRS)]
BINARY_PROGRAMS = programs(BINARY_CALLS)


@pytest.mark.parametrize("text", BINARY_CALLS)
def test_binary(text: str) -> None:
    BINARY_PROGRAMS.check(text, rtol=2e-5)


CHOICES = """
lax.select(True, f, f) | lax.select(f > 0, f, -f) | lax.select(f > 0, f, 0.0) | lax.select(b, f, i)
lax.select(i, f, f) | lax.select_n(b, f, p) | lax.select_n(True, f, h) | lax.select_n(A(1), f, p, f)
lax.select_n(A([2, 0, 1]), f, p, p + 1) | lax.select_n(A([-5, 0, 9]), f, p, p + 1) | lax.select_n(A(1.5), f, p)
lax.select_n(b, f, p, p) | lax.select_n(b) | lax.clamp(0.0, f, 1.0) | lax.clamp(0, f, 1) | lax.clamp(0, i, 2)
lax.clamp(p, f, p) | lax.clamp(0.0, h, 1.0) | lax.clamp(A([1.0, 2.0]), f, 3.0) | lax.integer_pow(f, 3)
lax.integer_pow(f, 0) | lax.integer_pow(f, -2) | lax.integer_pow(i, -1) | lax.integer_pow(i, 5)
lax.integer_pow(True, 2) | lax.integer_pow(2, 3) | lax.pow(f, 2) | lax.pow(p, i) | lax.pow(p, u)
lax.pow(2.0, 3) | lax.convert_element_type(f, int) | lax.convert_element_type(1, float)
lax.convert_element_type(f, None) | lax.convert_element_type(1.0, 'float32')
lax.convert_element_type(f, 'bfloat16') | lax.convert_element_type(i, bool)
lax.convert_element_type(c, 'float32') | lax.convert_element_type(f, 'foo')
lax.convert_element_type(f, 'float64') | lax.bitcast_convert_type(f, 'int32')
lax.bitcast_convert_type(1.0, 'int32') | lax.bitcast_convert_type(f, 'uint8')
lax.bitcast_convert_type(b, 'int8') | lax.reduce_precision(f, 5, 3) | lax.reduce_precision(i, 5, 3)
lax.round(f * 2, lax.RoundingMethod.TO_NEAREST_EVEN) | lax.round(f * 2) | lax.exp(f, accuracy=None)
lax.mul(f, f, out_dtype='float16') | lax.polygamma(1.0, p) | lax.zeta(p + 1, p) | str(lax.dtype(1)) | str(lax.dtype(f))
lax.exp2(c)
"""
SHAPES = """
lax.broadcast(f, (2,)) | lax.broadcast(1.0, (2,)) | lax.broadcast(f, ()) | lax.broadcast_in_dim(f, (2, 3), (1,))
lax.broadcast_in_dim(1.0, (2, 3), ()) | lax.broadcast_in_dim(f, (2, 3), (0,))
lax.broadcast_in_dim(f, (2, 3), (2,)) | lax.broadcast_in_dim(n, (2, 3), (0, 1))
lax.broadcast_shapes((2, 1), (3,)) | lax.broadcast_shapes((2,), (3,))
lax.broadcast_to_rank(f, 3) | lax.broadcast_like(1.0, f) | lax.reshape(f, (3, 1)) | lax.reshape(f, (-1,))
lax.reshape(m, 6) | lax.reshape(m, (3, 2), dimensions=(1, 0)) | lax.reshape(m, (2, 3), (0, 1))
lax.transpose(m, (1, 0)) | lax.transpose(m, (-1, 0)) | lax.transpose(x, (2, 0, 1)) | lax.transpose(f, 0)
lax.expand_dims(f, (0,)) | lax.expand_dims(f, (0, -1)) | lax.expand_dims(f, 0) | lax.expand_dims(f, (0, 0))
lax.expand_dims(f, (5,)) | lax.squeeze(n, (1,)) | lax.squeeze(n, (0,)) | lax.squeeze(n, (-1,))
lax.squeeze(n, ()) | lax.collapse(m, 0) | lax.collapse(x, 1, 3) | lax.collapse(x, 0, 2)
lax.concatenate([f, f], 0) | lax.concatenate([f, 1.0], 0) | lax.concatenate([f, i], 0)
lax.concatenate([f, f], -1) | lax.concatenate([m, n], 1) | lax.concatenate([m, m], 2) | lax.concatenate([], 0)
lax.concatenate([f], 0) | lax.stack([f, p]) | lax.stack([f, p], axis=1) | lax.unstack(m) | lax.unstack(m, 1)
lax.split(f, [1, 2]) | lax.split(f, [1, 1]) | lax.split(m, [2, 1], axis=1) | lax.tile(f, (2,))
lax.tile(m, (2, 3)) | lax.pad(f, 0.0, [(1, 2, 1)]) | lax.pad(f, 0, [(1, 1, 1)]) | lax.pad(f, 1.0, [(-1, 1, 0)])
lax.pad(1.0, 0.0, []) | lax.pad(f, p, [(0, 0, 0)]) | lax.pad(m, 0.0, [(0, 0, 0)]) | lax.rev(f, (0,))
lax.rev(m, (0, 1)) | lax.rev(f, 0) | lax.rev(f, (1,)) | lax.iota(int, 3) | lax.iota(float, 3)
lax.iota('int64', 3) | lax.iota(bool, 3) | lax.iota('uint8', 300) | lax.iota('float32', 0)
lax.broadcasted_iota(int, (2, 3), 1) | lax.broadcasted_iota('float32', (2, 3), 0)
lax.broadcasted_iota(int, (2,), 1) | lax.full((2,), 1.0) | lax.full((2,), 1, float) | lax.full((2,), 1)
lax.full(2, 1.0) | lax.full((2,), f) | lax.full((), True) | lax.full((2,), A(2.0))
lax.full((2,), np.float16(2)) | lax.full((2,), 1.5, int) | lax.full((2.5,), 1) | lax.full((-1,), 1)
lax.full_like(1.0, 2) | lax.full_like(f, 2) | lax.full_like(f, 2, int) | lax.full_like(f, 2, shape=(1,))
lax.full_like(i, 2.7) | lax.shape_as_value((1, 2)) | lax.optimization_barrier((f, i))
j.vmap(lambda y: lax.full((2,), y))(f) | j.vmap(lambda y: lax.full_like(m, y))(f)
"""
SLICES = """
lax.slice(f, (1,), (2,)) | lax.slice(f, (1,), (5,)) | lax.slice(f, (1,), (0,))
lax.slice(m, (0, 1), (2, 3), (1, 2))
lax.slice_in_dim(f, -2, None) | lax.slice_in_dim(m, 1, 3, axis=1)
lax.slice_in_dim(m, 0, 5, axis=1) | lax.slice_in_dim(m, None, -1, axis=-1)
lax.index_in_dim(m, -1, 1) | lax.index_in_dim(m, 5, 1) | lax.index_in_dim(m, 1, 1, keepdims=False)
lax.dynamic_slice(f, (1,), (2,)) | lax.dynamic_slice(f, [-1], (2,)) | lax.dynamic_slice(f, A([-1]), (2,))
lax.dynamic_slice(m, (1, jnp.int8(1)), (1, 1)) | lax.dynamic_slice(m, (1.0, 1), (1, 1))
lax.dynamic_slice(f, (1, 1), (2,)) | lax.dynamic_slice(f, 1, (2,)) | lax.dynamic_slice(f, (0,), (4,))
lax.dynamic_slice(f, (-9,), (2,)) | lax.dynamic_slice(f, (-1,), (2,), allow_negative_indices=False)
lax.dynamic_slice(m, A([1, 2]), (1, 1)) | lax.dynamic_slice_in_dim(m, 1, 2, 1)
lax.dynamic_slice_in_dim(m, jnp.uint8(1), 2, 1)
lax.dynamic_index_in_dim(m, 1, 1) | lax.dynamic_index_in_dim(m, 1, 1, False)
lax.dynamic_index_in_dim(m, -1, 1, False) | lax.dynamic_update_slice(f, jnp.zeros(1), (1,))
lax.dynamic_update_slice(f, jnp.zeros(1, int), (1,)) | lax.dynamic_update_slice(f, jnp.zeros(2), (2,))
lax.dynamic_update_slice_in_dim(f, 5.0, 1, 0) | lax.dynamic_update_slice_in_dim(m, n, 1, 1)
lax.dynamic_update_index_in_dim(m, jnp.zeros(3), 1, 0)
lax.dynamic_update_index_in_dim(m, jnp.zeros((1, 3)), -1, 0)
lax.dynamic_update_index_in_dim(m, jnp.zeros(2), 1, 1)
"""
PRODUCTS = """
lax.dot(f, f) | lax.dot(m, f) | lax.dot(f, i) | lax.dot(m, m) | lax.dot(1.0, f) | lax.dot(x, m) | lax.dot(h, h)
lax.dot(b, b) | lax.dot(i, i) | lax.dot_general(m, m, (((1,), (1,)), ((), ())))
lax.dot_general(m, f, (((1,), (0,)), ((), ())), preferred_element_type='float64')
lax.dot_general(h, h, (((0,), (0,)), ((), ())), preferred_element_type='float32')
lax.dot_general(x, x, (((2,), (2,)), ((0,), (0,)))) | lax.dot_general(x, x, (((2, 1), (2, 1)), ((0,), (0,))))
lax.dot_general(m, m, (((0,), (1,)), ((), ()))) | lax.batch_matmul(m, m)
lax.dot_general(m, m, (((1,), (1,)), ((), ())), precision='highest')
lax.dot_general(m, m, (((1,), (1,)), ((), ())), precision='foo')
lax.dot_general(m, m, (((1,), (1,)), ((), ())), precision=lax.Precision.HIGH)
lax.batch_matmul(x, x.transpose(0, 2, 1)) | lax.batch_matmul(f, f)
lax.dot(m, f, precision=('high', 'default')) | str(lax.Precision('float32')) | repr(lax.Precision.HIGH)
"""
REDUCTIONS = """
lax.reduce_sum(m, [0]) | lax.reduce_sum(m, (-1,)) | lax.reduce_sum(b, (0,)) | lax.reduce_and(b, (0,))
lax.reduce_or(i, (0,)) | lax.reduce_xor(i, (0,)) | lax.reduce_max(e, (0,)) | lax.reduce_min(e, (0,))
lax.reduce_sum(m, (5,)) | lax.reduce_sum(m, (0, 0)) | lax.reduce_sum(1.0, ()) | lax.reduce_sum(f, 0)
lax.reduce_prod(x, (0, 2)) | lax.reduce_max(x, axes=(1,)) | lax.reduce_min(h, (0,)) | lax.argmax(f, 0, int)
lax.argmax(f, 0, 'int8') | lax.argmin(f, 0, 'int32') | lax.argmax(f, -1, 'int8') | lax.argmax(f, 1, 'int32')
lax.argmax(f, 0, float) | lax.argmax(e, 0, int) | lax.argmax(x, 1, 'uint8') | lax.cumsum(f)
lax.cumsum(f, axis=1) | lax.cumsum(f, axis=-1) | lax.cumsum(b) | lax.cummax(b) | lax.cumsum(1.0)
lax.cumprod(m, 1) | lax.cummax(f) | lax.cummin(f, reverse=True) | lax.cumsum(x, 1, reverse=True)
lax.cumlogsumexp(f) | lax.cumlogsumexp(m, 1, True) | lax.sort(f) | lax.sort((f, i)) | lax.sort([f, i])
lax.sort((i, f), num_keys=2) | lax.sort((f, m)) | lax.sort(x, dimension=1) | lax.sort(f, dimension=3)
lax.sort(()) | lax.sort(A([1.0, np.nan, -1.0])) | lax.sort_key_val(f, i) | lax.sort_key_val(m, -m, 0)
lax.top_k(f, 2) | lax.top_k(f, 4) | lax.top_k(f, -1) | lax.top_k(m, 2, axis=0) | lax.top_k(1.0, 0)
lax.top_k(A([1.0, 3.0, np.nan, 3.0, 1.0]), 4) | lax.top_k(A([1, 3, 3, 1]), 3) | lax.top_k(x, 0)
lax.top_k(c, 1) | lax.top_k(u, 2) | lax.reduce(f, 0.0, lax.add, (0,)) | lax.reduce(f, 0, lax.add, (0,))
lax.reduce(f, -np.inf, lax.max, (0,)) | lax.reduce(f, 1.0, lax.add, (0,))
lax.reduce((f, i), (0.0, 0), lambda x, y: (x[0] + y[0], x[1] * y[1]), (0,))
lax.reduce(x, 0.0, lambda a, b: a + b, (0, 2)) | lax.reduce(i, 1, lax.mul, (0,))
lax.reduce(e, 0.0, lambda a, b: a + b, (0,)) | lax.reduce(b, False, lax.bitwise_or, (0,))
lax.reduce(m, np.inf, lax.min, (1,)) | lax.reduce(f, f, lax.add, (0,)) | lax.associative_scan(lax.add, f)
lax.associative_scan(jnp.maximum, x, axis=1) | lax.associative_scan(lax.mul, A([1, 2, 3, 4, 5]), reverse=True)
lax.associative_scan(lambda p, q: (p[0] * q[0], q[0] * p[1] + q[1]), (f, i.astype('float32')))
lax.associative_scan(3, f) | lax.associative_scan(lax.add, 2.5 - i) | lax.associative_scan(lax.add, (2.5 - i)[:1])
"""
INDEXING = """
lax.gather(f, A([[2], [0]]), lax.GatherDimensionNumbers((), (0,), (0,)), (1,))
lax.gather(f, A([[2], [9]]), lax.GatherDimensionNumbers((), (0,), (0,)), (1,))
lax.gather(f, A([[2], [9]]), lax.GatherDimensionNumbers((), (0,), (0,)), (1,), mode='clip')
lax.gather(m, A([[1, 1]]), lax.GatherDimensionNumbers((1,), (0,), (0, 1)), (1, 2))
lax.gather(m, A([[1, 2]]), lax.GatherDimensionNumbers((1,), (0,), (0, 1)), (1, 2))
lax.gather(m, A([[1, 2]]), lax.GatherDimensionNumbers((1,), (0,), (0, 1)), (1, 2), mode='promise_in_bounds')
lax.gather(f, A([[2], [9]]), lax.GatherDimensionNumbers((), (0,), (0,)), (1,), fill_value=7)
lax.gather(m, A([[0], [2]]), lax.GatherDimensionNumbers((), (1,), (1,), (0,), (0,)), (1, 1))
lax.scatter(f, A([[2], [0]]), A([5.0, 6.0]), lax.ScatterDimensionNumbers((), (0,), (0,)))
lax.scatter_add(f, A([[2], [2]]), A([5.0, 6.0]), lax.ScatterDimensionNumbers((), (0,), (0,)))
lax.scatter_add(f, A([[2], [9]]), A([5.0, 6.0]), lax.ScatterDimensionNumbers((), (0,), (0,)))
lax.scatter_add(f, A([[2], [9]]), A([5.0, 6.0]), lax.ScatterDimensionNumbers((), (0,), (0,)), mode='clip')
lax.scatter_mul(f, A([[2], [2]]), A([5.0, 6.0]), lax.ScatterDimensionNumbers((), (0,), (0,)))
lax.scatter_min(f, A([[2]]), A([-5.0]), lax.ScatterDimensionNumbers((), (0,), (0,)))
lax.scatter_max(f, A([[2]]), A([5.0]), lax.ScatterDimensionNumbers((), (0,), (0,)))
lax.scatter_sub(f, A([[2]]), A([5.0]), lax.ScatterDimensionNumbers((), (0,), (0,)))
lax.scatter(m, A([1]), n, lax.ScatterDimensionNumbers((0, 1), (), (1,)))
lax.scatter_add(f, A([[2]]), A([5]), lax.ScatterDimensionNumbers((), (0,), (0,)))
lax.scatter_apply(f, A([[2]]), jnp.sin, lax.ScatterDimensionNumbers((), (0,), (0,)), update_shape=(1,))
lax.gather(f, A([[2.0]]), lax.GatherDimensionNumbers((), (0,), (0,)), (1,))
"""
ALL = [*cases(CHOICES), *cases(SHAPES), *cases(SLICES), *cases(PRODUCTS), *cases(REDUCTIONS), *cases(INDEXING)]


EVALUATED = programs(ALL)


@pytest.mark.parametrize("text", ALL)
def test_case(text: str) -> None:
    EVALUATED.check(text, rtol=1e-5)


DERIVATIVES = [
    "lax.integer_pow(x, 3)",
    "lax.pow(x, 2.5)",
    "lax.exp2(x)",
    "lax.reciprocal(x)",
    "lax.clamp(0.5, x, 2.0)",
    "lax.select_n(x > 1, x, x * x)",
    "lax.top_k(x, 2)[0]",
    "lax.sort(x) * np.arange(4)",
    "lax.tile(x, (2,)) * np.arange(8)",
    "lax.cumsum(x) ** 2",
    "lax.reduce(x, 0.0, lambda a, b: a + b, (0,)) ** 2",
    "lax.reduce(x, 0.0, lax.add, (0,)) ** 2",
    "lax.associative_scan(lax.mul, x)",
    "lax.dot(x, lax.sin(x))",
    "lax.dot_general(x, x, (((), ()), ((), ()))) * np.arange(16).reshape(4, 4)",
    "lax.dynamic_update_slice(x * x, x[:2], (1,))",
    "lax.pad(x, 0.0, [(1, -1, 2)]) ** 2",
    "lax.gather(x, A([[2], [0], [2]]), lax.GatherDimensionNumbers((), (0,), (0,)), (1,)) ** 2",
    "lax.gather(x, A([[2], [9]]), lax.GatherDimensionNumbers((), (0,), (0,)), (1,), mode='fill', fill_value=1.0) ** 2",
    "lax.scatter_add(x, A([[2], [2]]), x[:2], lax.ScatterDimensionNumbers((), (0,), (0,))) ** 2",
    "lax.scatter(x, A([[2], [9]]), x[:2], lax.ScatterDimensionNumbers((), (0,), (0,))) ** 2",
]


def derivatives(text: str):
    def program(j, x):
        def f(x):
            return evaluate(j, text, x=x).sum()

        return j.grad(f)(x), j.vmap(f)(j.numpy.stack([x, 2 * x])), j.vmap(j.grad(f))(j.numpy.stack([x, 2 * x]))

    return program


DIFFERENTIATED = Programs(
    {text: derivatives(text) for text in DERIVATIVES}, [np.array([0.3, 1.7, 2.4, 0.9], np.float32)]
)


@pytest.mark.parametrize("text", DERIVATIVES)
def test_derivatives_and_batches(text: str) -> None:
    DIFFERENTIATED.check(text, rtol=2e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16"])
def test_narrow_indices_of_long_dimensions(dtype):
    """Against NumPy: XLA writes out of bounds for them."""
    x = np.arange(300)
    places = [v for v in (-100, -1, 5, 127, 200) if np.iinfo(dtype).min <= v <= np.iinfo(dtype).max]

    def all_of(a, i):
        zeros = jnp.zeros(60, a.dtype)
        return (
            lax.dynamic_index_in_dim(a, i, keepdims=False),
            lax.dynamic_slice(a, (i,), (60,)),
            lax.dynamic_update_slice(a, zeros, (i,)),
            lax.dynamic_update_index_in_dim(a, 7, i, 0),
        )

    for v in places:
        start = min(v % 300, 240)
        cleared, replaced = x.copy(), x.copy()
        cleared[start : start + 60], replaced[v] = 0, 7
        index = np.array(v, dtype)
        for found in (all_of(jnp.asarray(x), index), jax.jit(all_of)(jnp.asarray(x), index)):
            for got, want in zip(found, (x[v], x[start : start + 60], cleared, replaced), strict=True):
                np.testing.assert_array_equal(np.asarray(got), want)


def test_sums_of_booleans_along_a_named_axis():
    counts = jax.vmap(lambda x: lax.psum(x, "i"), axis_name="i")(jnp.array([True, False, True]))
    assert counts.dtype == np.int32 and counts.tolist() == [2, 2, 2]


@pytest.mark.parametrize("run", [lambda f: f, jax.jit])
def test_bits_of_complex_numbers_of_another_width(run):
    with jax.enable_x64(True):
        wide = np.array([1 + 2j, -0.5j, 3], np.complex128)
        narrow = wide.view(np.complex64).reshape(3, 2)
        for x, y in ((wide, narrow), (narrow, wide)):
            found = run(lambda x, dtype=y.dtype: BIND.bitcast_convert(x, dtype=dtype))(jnp.asarray(x))
            np.testing.assert_array_equal(found, y)


def test_edges_of_padding_are_ints():
    sizes = [np.array(s) for s in ((8, 8), (3, 3), (2, 2))]
    assert all(type(n) is int for pair in lax.padtype_to_pads(*sizes, "SAME_LOWER") for n in pair)


def test_tokens_pass_through_programs() -> None:
    token = jax.jit(lambda x: lax.after_all(lax.create_token(x), lax.create_token()))(1.0)
    assert token.shape == (0,)


def test_how_exactly_functions_are_computed() -> None:
    assert lax.exp(0.0, accuracy=lax.Tolerance(ulps=1)) == lax.exp(0.0, accuracy=lax.AccuracyMode.HIGHEST) == 1
    with pytest.raises(ValueError, match="non-negative"):
        lax.Tolerance(-1.0)
    with pytest.raises(ValueError, match="At least one"):
        lax.Tolerance()
    with pytest.raises(NotImplementedError, match="Accuracy 3 not supported"):
        lax.exp(0.0, accuracy=3)
    with pytest.raises(NotImplementedError):
        lax.exp2(0.0, accuracy=3)


def test_algorithms_for_products() -> None:
    x = np.ones(3, np.float32)
    for algorithm in (lax.DotAlgorithmPreset.F32_F32_F32, "BF16_BF16_F32_X3", lax.DotAlgorithmPreset.DEFAULT):
        assert lax.dot(x, x, precision=algorithm) == 3
    for algorithm in (lax.DotAlgorithm(np.float32, np.float32, np.float32), "F16_F16_F32"):
        with pytest.raises(ValueError, match="is not supported by dot_general on CPU"):
            lax.dot(x, x, precision=algorithm)
