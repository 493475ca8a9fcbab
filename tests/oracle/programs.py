"""Small programs written once and run under JAX and under Sable: `program(jax, *arguments)`.

`jax` is either module; everything comes from it. The arguments are NumPy arrays and Python scalars.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

_RNG = np.random.default_rng(0)
V = _RNG.normal(size=5).astype(np.float32)
P = np.abs(V) + np.float32(0.5)
M = _RNG.normal(size=(4, 5)).astype(np.float32)
S = _RNG.normal(size=(4, 4)).astype(np.float32)
N = np.arange(6, dtype=np.int32)
B = np.array([True, False, True, True, False])
T3 = _RNG.normal(size=(2, 3, 4)).astype(np.float32)


@dataclass(frozen=True)
class Program:
    """A program, its arguments, tolerances, and whether it is also run under `jit`."""

    name: str
    run: Callable[..., Any]
    arguments: tuple
    jit: bool = False
    rtol: float = 2e-5
    atol: float = 1e-5
    options: dict = field(default_factory=dict)


PROGRAMS: list[Program] = []


def add(name: str, run: Callable[..., Any], *arguments: Any, **options: Any) -> None:
    PROGRAMS.append(Program(name, run, arguments, **options))


# ---- arithmetic, promotion, weak types -----------------------------------------------------------------------
add("add_scalar", lambda j, x: x + 1, V)
add("python_scalars", lambda j: j.numpy.add(1, 2.5))
add("weak_result", lambda j: j.numpy.sin(1.0))
add("int_division", lambda j, x: x / 2, N)
add("floor_division", lambda j, x: (x - 3) // 2, N)
add("modulo", lambda j, x: (x - 3) % 4, N)
add("float_modulo", lambda j, x: x % 0.7, V)
add("power_int", lambda j, x: x**3, V)
add("power_negative", lambda j, x: x**-2, P)
add("power_float", lambda j, x: x**2.5, P)
add("reflected", lambda j, x: 2.0 - x, V)
add("reflected_power", lambda j, x: 2**x, V)
add("matmul", lambda j, a, b: a @ b, S, S, jit=True)
add("mixed_dtypes", lambda j, i, x: i[:5] * x, N, V)
add("bool_plus_int", lambda j, b: b + 1, B)
add("bool_ops", lambda j, b: (b & ~b) | (b ^ True), B)
add("comparison_chain", lambda j, x: (x > 0) & (x < 1), V)
add("int_shift", lambda j, i: (i << 2) >> 1, N)
add("uint8_wrap", lambda j, i: i.astype("uint8") * 100, N)
add("complex", lambda j, x: (x + 1j * x).conj(), V)
add("complex_abs", lambda j, x: j.numpy.abs(x + 2j), V)
add("divmod", lambda j, x: divmod(x, 0.5), V)
add("abs_neg", lambda j, x: abs(-x), V)
add("round", lambda j, x: j.numpy.round(x * 10), V)
add("clip", lambda j, x: j.numpy.clip(x, -0.5, 0.5), V)
add("where", lambda j, x: j.numpy.where(x > 0, x, 0.0), V, jit=True)
add("where_scalars", lambda j, b: j.numpy.where(b, 1, 2.0), B)
add("maximum", lambda j, x: j.numpy.maximum(x, 0), V)
add("nan_handling", lambda j, x: j.numpy.isnan(j.numpy.log(x)), V)
add("sign_floor_ceil", lambda j, x: (j.numpy.sign(x), j.numpy.floor(x), j.numpy.ceil(x)), V)
add("transcendental", lambda j, x: j.numpy.exp(x) + j.numpy.log(x) + j.numpy.sqrt(x), P, jit=True)
add("trigonometry", lambda j, x: j.numpy.sin(x) * j.numpy.cos(x) + j.numpy.tan(x), V)
add("hyperbolic", lambda j, x: j.numpy.tanh(x) + j.numpy.sinh(x) - j.numpy.cosh(x), V)
add("inverse_trig", lambda j, x: j.numpy.arctan(x) + j.numpy.arcsin(x / 10) + j.numpy.arccos(x / 10), V)
add("arctan2", lambda j, x: j.numpy.arctan2(x, x + 1), V)
add("log1p_expm1", lambda j, x: j.numpy.log1p(j.numpy.expm1(x)), P)
add("logaddexp", lambda j, x: j.numpy.logaddexp(x, 2 * x), V)
add("chebyshev", lambda j: j.numpy.cos(3 * j.numpy.arccos(j.numpy.linspace(-1.0, 1.0, 7))))
add("isclose", lambda j, x: j.numpy.isclose(x, x + 1e-9), V)
add(
    "astype_chain",
    lambda j, x: x.astype("int32").astype("float16").astype("bfloat16").astype("float32"),
    V * 10,
)

# ---- creation and shapes -------------------------------------------------------------------------------------
add("arange", lambda j: (j.numpy.arange(5), j.numpy.arange(1.0, 2.0, 0.25), j.numpy.arange(5, 0, -2)))
add("linspace", lambda j: j.numpy.linspace(0, 1, 5))
add("eye_tri", lambda j: (j.numpy.eye(3), j.numpy.tri(3), j.numpy.identity(2)))
add("zeros_ones_full", lambda j: (j.numpy.zeros((2, 3)), j.numpy.ones(2, "int32"), j.numpy.full((2,), 7)))
add("full_like", lambda j, x: j.numpy.full_like(x, 2) + j.numpy.ones_like(x), V)
add("array_nested", lambda j: j.numpy.array([[1, 2.5], [3, 4]]))
add("array_mixed", lambda j, x: j.numpy.array([x[0], 1.0, x[1]]), V)
add("meshgrid", lambda j, x: j.numpy.meshgrid(x, x[:2]), V)
add("reshape", lambda j, x: x.reshape(2, -1), N)
add("transpose", lambda j, x: x.transpose(2, 0, 1), T3)
add("attribute_T", lambda j, x: x.T, M)
add("swapaxes", lambda j, x: j.numpy.swapaxes(x, 0, 2), T3)
add("moveaxis", lambda j, x: j.numpy.moveaxis(x, -1, 0), T3)
add("expand_squeeze", lambda j, x: j.numpy.squeeze(j.numpy.expand_dims(x, (0, 2))), V)
add("concatenate", lambda j, x: j.numpy.concatenate([x, x[:2]]), V)
add("stack", lambda j, x: j.numpy.stack([x, 2 * x], axis=1), V)
add("vstack_hstack", lambda j, x: (j.numpy.vstack([x, x]), j.numpy.hstack([x, x])), V)
add("split", lambda j, x: j.numpy.split(x, 3), N)
add("tile_repeat", lambda j, x: (j.numpy.tile(x, 2), j.numpy.repeat(x, 2)), V)
add("roll_flip", lambda j, x: (j.numpy.roll(x, 2), j.numpy.flip(x)), V)
add("pad", lambda j, x: j.numpy.pad(x, (1, 2)), V)
add("broadcast_to", lambda j, x: j.numpy.broadcast_to(x, (2, 5)), V)
add("diag_trace", lambda j, x: (j.numpy.diag(x), j.numpy.trace(x)), S)
add("tril_triu", lambda j, x: (j.numpy.tril(x), j.numpy.triu(x, 1)), S)
add("outer", lambda j, x: j.numpy.outer(x, x), V)
add("einsum", lambda j, a, b: j.numpy.einsum("ij,kj->ik", a, b), S, S)
add("tensordot", lambda j, a: j.numpy.tensordot(a, a, axes=([1, 2], [1, 2])), T3)
add("batched_matmul", lambda j, a: a @ a.transpose(0, 2, 1), T3, jit=True)
add("dot_vectors", lambda j, x: j.numpy.dot(x, x), V)
add("iterate", lambda j, x: sum(row.sum() for row in x), M)

# ---- reductions ----------------------------------------------------------------------------------------------
add("sum", lambda j, x: (x.sum(), x.sum(0), x.sum(-1, keepdims=True)), M, jit=True)
add("sum_bool_int", lambda j, b, i: (b.sum(), i.astype("int8").sum()), B, N)
add("mean_std_var", lambda j, x: (x.mean(), x.std(), x.var(axis=0, ddof=1)), M)
add("mean_int", lambda j, i: j.numpy.mean(i), N)
add("max_min", lambda j, x: (x.max(), x.min(axis=1)), M)
add("argmax_argmin", lambda j, x: (x.argmax(), x.argmin(axis=0)), M, jit=True)
add("prod", lambda j, x: x.prod(axis=1), M)
add("any_all", lambda j, b: (b.any(), b.all()), B)
add("cumsum", lambda j, x: (j.numpy.cumsum(x), j.numpy.cumprod(x)), V)
add("softmax", lambda j, x: j.nn.softmax(x, axis=-1), M, jit=True)
add("log_softmax", lambda j, x: j.nn.log_softmax(x), M)
add("logsumexp", lambda j, x: j.nn.logsumexp(x, axis=0), M)
add("norm", lambda j, x: j.numpy.linalg.norm(x), M)
add("sort_argsort", lambda j, x: (j.numpy.sort(x), j.numpy.argsort(x)), V)

# ---- indexing ------------------------------------------------------------------------------------------------
add("index_int", lambda j, x: (x[0], x[-1], x[1, 2]), M)
add("index_slice", lambda j, x: (x[1:3], x[::2, ::-1], x[..., -2:]), M)
add("index_none", lambda j, x: x[:, None, :], M)
add("index_array", lambda j, x: x[j.numpy.array([0, 2, 2])], M)
add("index_two_arrays", lambda j, x: x[j.numpy.array([0, 1]), j.numpy.array([2, 3])], M)
add("index_mixed", lambda j, x: x[:, j.numpy.array([[0, 1], [2, 3]])], M)
add("index_mask", lambda j, x, b: x[b], V, B)
add("index_traced", lambda j, x: j.jit(lambda v, i: v[i])(x, 2), V)
add("index_out_of_range", lambda j, x: (x[j.numpy.array([7, -9])], x.at[9].get(mode="fill")), V)
add("take_along_axis", lambda j, x: j.numpy.take_along_axis(x, j.numpy.argsort(x, axis=1), axis=1), M)
add("take", lambda j, x: j.numpy.take(x, j.numpy.array([1, 3]), axis=1), M)
add("at_set", lambda j, x: x.at[1:3].set(0), V)
add("at_add_repeated", lambda j, x: x.at[j.numpy.array([0, 0, 1])].add(1.0), V)
add("at_multiply_max", lambda j, x: (x.at[0].multiply(3), x.at[1].max(9.0)), V)
add("dynamic_slice", lambda j, x: j.lax.dynamic_slice(x, (3,), (3,)), V)
add("dynamic_update_slice", lambda j, x: j.lax.dynamic_update_slice(x, j.numpy.ones(2, "float32"), (4,)), V)
add("one_hot", lambda j, i: j.nn.one_hot(i, 4), N)

# ---- derivatives ---------------------------------------------------------------------------------------------
add("grad_scalar", lambda j: j.grad(lambda x: x**2 + 3 * x)(2.0))
add("grad_vector", lambda j, x: j.grad(lambda v: (v * j.numpy.tanh(v)).sum())(x), V, jit=True)
add("grad_argnums", lambda j, x: j.grad(lambda a, b: (a * b**2).sum(), argnums=(0, 1))(x, 2 * x), V)
add("grad_pytree", lambda j, x: j.grad(lambda p: (p["a"] * p["b"][0]).sum())({"a": x, "b": [x, 1.0]}), V)
add("grad_has_aux", lambda j, x: j.grad(lambda v: (v.sum(), {"aux": v * 2}), has_aux=True)(x), V)
add("value_and_grad", lambda j, x: j.value_and_grad(lambda v: j.numpy.sum(v**3))(x), V)
add("grad_python_if", lambda j: [j.grad(lambda x: x**2 if x > 0 else -x)(v) for v in (3.0, -3.0)])
add("third_derivative", lambda j: j.grad(j.grad(j.grad(j.numpy.sin)))(0.3))
add("perturbation", lambda j: j.grad(lambda x: x * j.grad(lambda y: x + y)(1.0))(2.0))
add("jvp", lambda j, x: j.jvp(lambda v: v * j.numpy.exp(v), (x,), (x,)), V)
add("vjp", lambda j, x: j.vjp(lambda v: (v * 2, v.sum()), x)[1]((x, 1.0)), V)
add("linearize", lambda j, x: j.linearize(j.numpy.tanh, x)[1](x), V)
add("jacfwd", lambda j, x: j.jacfwd(lambda v: v**2 * v.sum())(x), V)
add("jacrev", lambda j, x: j.jacrev(lambda v: v**2 * v.sum())(x), V, jit=True)
add("hessian", lambda j, x: j.hessian(lambda v: (v**3).sum() + v[0] * v[1])(x), V)
add("grad_abs_max_at_ties", lambda j: j.grad(lambda x: j.numpy.maximum(x, 0.0) + j.numpy.abs(x))(0.0))
add("grad_where_sqrt", lambda j, x: j.grad(lambda v: j.numpy.where(v > 0, j.numpy.sqrt(v), 0.0).sum())(x), P)
add("grad_max_ties", lambda j: j.grad(lambda v: v.max())(j.numpy.array([1.0, 3.0, 3.0])))
add("grad_sort", lambda j, x: j.grad(lambda v: (j.numpy.sort(v) * j.numpy.arange(5.0)).sum())(x), V)
add("grad_indexing", lambda j, x: j.grad(lambda v: (v[1:] * v[j.numpy.array([0, 0, 2, 4])]).sum())(x), V)
add("grad_at_set", lambda j, x: j.grad(lambda v: (v.at[1].set(3.0) ** 2).sum())(x), V)
add("grad_matmul", lambda j, a: j.grad(lambda m: (m @ m.T).sum())(a), M)
add("grad_softmax", lambda j, x: j.grad(lambda v: j.nn.softmax(v)[0])(x), V)
add("grad_cumsum", lambda j, x: j.grad(lambda v: (j.numpy.cumsum(v) ** 2).sum())(x), V)
add("grad_concatenate", lambda j, x: j.grad(lambda v: (j.numpy.concatenate([v, v**2]) ** 2).sum())(x), V)
add("grad_std", lambda j, x: j.grad(lambda v: v.std())(x), V)
add("grad_of_complex_abs", lambda j: j.grad(lambda x: j.numpy.abs(x * (1 + 2j)))(1.5))
add("stop_gradient", lambda j: j.grad(lambda x: x * j.lax.stop_gradient(x**2))(3.0))
add("grad_relu_zero", lambda j: [j.grad(j.nn.relu)(v) for v in (-1.0, 0.0, 1.0)])
add("gelu_silu", lambda j, x: (j.nn.gelu(x), j.nn.silu(x), j.nn.softplus(x), j.nn.elu(x)), V)

# ---- batching ------------------------------------------------------------------------------------------------
add("vmap", lambda j, x: j.vmap(lambda r: r.sum() * r)(x), M)
add("vmap_in_axes", lambda j, x, v: j.vmap(lambda c, b: c @ c + b, in_axes=(1, None))(x, v), M, V)
add("vmap_out_axes", lambda j, x: j.vmap(lambda r: r * 2, in_axes=-1, out_axes=-1)(x), M)
add(
    "vmap_pytree",
    lambda j, x: j.vmap(lambda d: d["a"] + d["b"], in_axes=({"a": 0, "b": None},))({"a": x, "b": x[0]}),
    M,
)
add("vmap_nested", lambda j, x: j.vmap(lambda a: j.vmap(lambda b: (a * b).sum())(x))(x), M)
add("vmap_grad", lambda j, x: j.vmap(j.grad(lambda r: (r**3).sum()))(x), M, jit=True)
add(
    "vmap_matmul",
    lambda j, t, m: j.vmap(lambda a: a @ m)(
        t,
    ),
    T3,
    S,
)
add("vmap_index", lambda j, x: j.vmap(lambda r, i: r[i])(x, j.numpy.array([0, 1, 2, 3])), M)
add("vmap_at", lambda j, x: j.vmap(lambda r, i: r.at[i].add(1.0))(x, j.numpy.array([0, 1, 2, 3])), M)
add("vmap_where_reduce", lambda j, x: j.vmap(lambda r: j.numpy.where(r > r.mean(), r, 0).max())(x), M)
add("psum", lambda j, x: j.vmap(lambda r: r - j.lax.pmean(r, "i"), axis_name="i")(x), M)
add("axis_index", lambda j, x: j.vmap(lambda r: r * j.lax.axis_index("i"), axis_name="i")(x), M)
add(
    "convolve_by_hand",
    lambda j, x: j.numpy.array([j.numpy.dot(x[i - 1 : i + 2], x[:3]) for i in range(1, 4)]),
    V,
)

# ---- control flow --------------------------------------------------------------------------------------------
add("scan", lambda j, x: j.lax.scan(lambda c, v: (c + v, c * v), 0.0, x), V)
add("scan_grad", lambda j, x: j.grad(lambda v: j.lax.scan(lambda c, e: (c * e + 1, None), 1.0, v)[0])(x), V)
add("fori_loop", lambda j: j.lax.fori_loop(0, 5, lambda i, v: v + i, 0))
add("while_loop", lambda j: j.lax.while_loop(lambda v: v < 100, lambda v: v * 2, 3))
add(
    "while_jvp",
    lambda j: j.jvp(lambda x: j.lax.while_loop(lambda v: v < 50, lambda v: v * x, x), (2.0,), (1.0,)),
)
add("cond", lambda j: [j.lax.cond(p, lambda x: x + 1, lambda x: x * 2, 5.0) for p in (True, False)])
add("switch", lambda j: j.lax.switch(1, [lambda x: x, lambda x: -x], 3.0))
add("lax_map", lambda j, x: j.lax.map(lambda r: r.sum(), x), M)

# ---- random --------------------------------------------------------------------------------------------------
add("prng_key", lambda j: j.random.PRNGKey(42))
add("split_keys", lambda j: j.random.split(j.random.PRNGKey(7), 3))
add("uniform", lambda j: j.random.uniform(j.random.PRNGKey(0), (7,)))
add("normal", lambda j: j.random.normal(j.random.key(1), (3, 3)))
add("randint", lambda j: j.random.randint(j.random.PRNGKey(3), (9,), 0, 100))
add(
    "bernoulli_permutation",
    lambda j: (j.random.bernoulli(j.random.key(2), 0.3, (8,)), j.random.permutation(j.random.key(5), 10)),
)
add("fold_in", lambda j: j.random.fold_in(j.random.PRNGKey(0), 13))

# ---- the seeds' own examples -----------------------------------------------------------------------------------
add("seed_selu", lambda j, x: 1.05 * j.numpy.where(x > 0, x, 1.67 * j.numpy.exp(x) - 1.67), V, jit=True)
add(
    "seed_logistic_gradient",
    lambda j: j.grad(lambda x: j.numpy.sum(1.0 / (1.0 + j.numpy.exp(-x))))(j.numpy.arange(3.0)),
)
add("seed_lorentzian", lambda j: j.grad(lambda x, x0, gamma: 1 / (1 + ((x - x0) / gamma) ** 2))(0.3, 0, 1))
add("seed_plummer", lambda j, r: j.numpy.sqrt(15**2 / j.numpy.sqrt(1 + r**2 / 200**2)), V)
add(
    "seed_posterior",
    lambda j, v: j.numpy.sum(j.scipy.stats.norm.logpdf(v, loc=0.1, scale=j.numpy.sqrt(1.5**2 + v**2))),
    V,
)
