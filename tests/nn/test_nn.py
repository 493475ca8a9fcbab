"""`jax.nn` against JAX: values, dtypes, weak types, derivatives."""

from __future__ import annotations

import numpy as np
import pytest

from ..numpy.oracle import Programs, check

FLOATS = np.array([-40.0, -3.5, -1.0, -0.3, -0.0, 0.0, 0.4, 1.0, 2.7, 6.0, 6.5, 40.0], np.float32)
ARRAYS = {
    "x": FLOATS,
    "h": np.array([-3.5, -1.0, 0.0, 0.5, 7.0], np.float16),
    "i": np.array([-3, 0, 2, 7], np.int32),
    "b": np.array([True, False]),
    "m": np.array([[0.5, -1.0, 2.0], [3.0, 0.0, -0.5]], np.float32),
    "w": np.array([[True, False, True], [False, False, True]]),
    "none": np.zeros((2, 3), bool),
    "inf": np.array([-np.inf, 0.0, np.inf, np.nan], np.float32),
}


def evaluate(j, text: str, **names):
    space = {"j": j, "nn": j.nn, "np": np, "jnp": j.numpy, "A": j.numpy.asarray, "s": j.scipy}
    space.update({name: j.numpy.asarray(array) for name, array in ARRAYS.items() if name not in names})
    return eval(text, {**space, **names})


def programs(texts: list[str]) -> Programs:
    return Programs.of_expressions(evaluate, ARRAYS, texts)


ACTIVATIONS = [
    "relu",
    "relu6",
    "sigmoid",
    "softplus",
    "soft_sign",
    "silu",
    "swish",
    "log_sigmoid",
    "leaky_relu",
    "hard_tanh",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "elu",
    "celu",
    "selu",
    "gelu",
    "squareplus",
    "mish",
    "tanh",
    "identity",
    "sparse_plus",
    "sparse_sigmoid",
]


OPERANDS = ["x", "h", "i", "m", "inf", "1.5", "-2", "A(0.5)", "[1.0]", "b"]
ACTIVATED = programs([f"nn.{name}({array})" for name in ACTIVATIONS for array in OPERANDS])


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("array", OPERANDS)
def test_activation(name: str, array: str) -> None:
    coarse = 4e-3 if array == "h" else 2e-5
    ACTIVATED.check(f"nn.{name}({array})", rtol=coarse, atol=1e-6 if array != "h" else 1e-3)


def slopes(name: str):
    def program(j, x):
        f = getattr(j.nn, name)
        return j.vmap(j.grad(f))(x), j.vmap(j.grad(j.grad(f)))(x[1:-1])

    return program


SLOPES = Programs({name: slopes(name) for name in ACTIVATIONS}, [FLOATS])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivatives(name: str) -> None:
    SLOPES.check(name, rtol=1e-4, atol=1e-4)  # XLA's compiled gelu''(6.5) is 6e-5 off


CASES = """
nn.leaky_relu(x, 0.2) | nn.leaky_relu(x, A(0.2)) | nn.elu(x, 0.5) | nn.celu(x, 2.0)
nn.gelu(x, approximate=False) | nn.gelu(x, False) | nn.gelu(h, False) | nn.squareplus(x, 1) | nn.glu(m[:, :2])
nn.glu(m) | nn.glu(m, axis=0) | nn.glu(x[:4]) | nn.logsumexp(m) | nn.logsumexp(m, axis=0)
nn.logsumexp(m, axis=(0, 1), keepdims=True) | nn.logsumexp(m, b=2.0)
nn.logsumexp(m, axis=1, b=A([1.0, -2.0, 0.5]), return_sign=True)
nn.logsumexp(m, axis=1, b=A([1.0, -2.0, 0.5])) | nn.logsumexp(m, where=w) | nn.logsumexp(m, axis=1, where=none)
nn.logsumexp(inf) | nn.logsumexp(inf[:1]) | nn.logsumexp(inf[:3]) | nn.logsumexp(jnp.zeros(0)) | nn.logsumexp(i)
nn.logsumexp(2.0) | nn.logsumexp(m, axis=0, return_sign=True) | nn.logsumexp([1.0]) | nn.logmeanexp(m)
nn.logmeanexp(m, axis=1, keepdims=True) | nn.logmeanexp(m, axis=1, where=w)
nn.log1mexp(A([0.1, 0.5, 2.0, 30.0])) | nn.softmax(m) | nn.softmax(m, axis=0) | nn.softmax(m, axis=(0, 1))
nn.softmax(m, where=w) | nn.softmax(m, axis=1, where=none) | nn.softmax(m, None) | nn.softmax(h) | nn.softmax(i)
nn.softmax(inf) | nn.softmax(1000 * m) | nn.softmax(jnp.zeros((0,))) | nn.softmax(jnp.zeros((2, 0)))
nn.softmax(2.0) | nn.log_softmax(m) | nn.log_softmax(m, axis=0) | nn.log_softmax(m, where=w)
nn.log_softmax(m, axis=1, where=none) | nn.log_softmax(i) | nn.log_softmax(1000 * m) | nn.standardize(m)
nn.standardize(m, axis=0) | nn.standardize(m, axis=(0, 1)) | nn.standardize(m, where=w)
nn.standardize(m, mean=0.5) | nn.standardize(m, variance=2.0)
nn.standardize(m, mean=0.5, variance=2.0, epsilon=0.1) | nn.standardize(i) | nn.standardize(m, axis=None)
nn.one_hot(i, 4) | nn.one_hot(i, 8, dtype='int32') | nn.one_hot(i, 3, axis=0) | nn.one_hot(A(2), 3)
nn.one_hot(2, 3) | nn.one_hot(A([[0, 1]]), 3, axis=1) | nn.one_hot(A([0.0, 1.0]), 3) | nn.one_hot(i, 0)
nn.one_hot(b, 2) | nn.one_hot([0, 1], 2) | nn.one_hot(i, 3, axis=-2) | nn.one_hot(np.uint8(2), 300)
"""
SCIPY = """
s.special.logsumexp(m) | s.special.expit(x) | s.special.expit(i)
s.special.logit(A([0.1, 0.5, 0.9, 0.0, 1.0, 2.0])) | s.special.logit(i) | s.special.erf(x) | s.special.erf(i)
s.special.erfc(x) | s.special.erfinv(A([-1.0, -0.5, 0.0, 0.9, 1.0, 2.0]))
s.special.gammaln(A([0.5, 1.0, 5.0, -0.5])) | s.special.digamma(A([0.5, 2.0]))
s.special.xlogy(A([0.0, 1.0, 2.0]), A([0.0, 2.0, 0.5])) | s.special.xlog1py(A([0.0, 1.0]), A([-1.0, 2.0]))
s.special.xlogy(2, 3) | s.special.entr(A([0.0, 0.5, 2.0, -1.0])) | s.special.ndtr(x) | s.special.softmax(m)
s.special.log_softmax(m, axis=0) | s.special.erf([1.0]) | s.special.entr(2) | s.special.ndtr(0.5)
s.special.softmax(m, axis=None) | s.special.logsumexp(m, axis=0, b=2) | s.special.erf(1) | s.special.xlogy(i, 2)
s.special.gammaln(3) | s.special.log_ndtr(x) | s.stats.norm.logpdf(x) | s.stats.norm.logpdf(x, 1.0, 2.0)
s.stats.norm.pdf(x, 1, 2) | s.stats.norm.cdf(x) | s.stats.norm.logcdf(x) | s.stats.norm.logpdf(0)
s.stats.norm.logpdf(A([1.0, 2.0]), A([[0.0], [1.0]]), 2) | s.stats.norm.logpdf(i) | s.stats.norm.sf(x)
s.stats.norm.logsf(x) | s.stats.norm.logpdf([1.0]) | s.stats.norm.logcdf(A([-20.0, -6.0, -1.0, 4.0, 9.0]))
s.stats.norm.cdf(x, 1, 2) | s.stats.uniform.logpdf(A([-1.0, 0.0, 0.5, 1.0, 2.0]))
s.stats.uniform.pdf(A([0.5, 3.0]), 0, 2) | s.stats.uniform.logpdf(A([0.5]), 0.25, 0.5)
s.stats.uniform.logpdf(1) | s.stats.uniform.cdf(A([-1.0, 0.3, 2.0])) | s.stats.uniform.ppf(A([0.3, 2.0]), 1, 2)
s.stats.uniform.logpdf(i, 0, 5)
"""


def cases(table: str) -> list[str]:
    return [c.strip() for line in table.strip().splitlines() for c in line.split(" | ")]


ALL = [*cases(CASES), *cases(SCIPY)]
EVALUATED = programs(ALL)


@pytest.mark.parametrize("text", ALL)
def test_case(text: str) -> None:
    coarse = 2e-3 if "(h" in text else 2e-5
    EVALUATED.check(text, rtol=coarse, atol=1e-6 if "(h" not in text else 1e-3)


DERIVATIVES = [
    "nn.logsumexp(x)",
    "nn.logsumexp(x, b=jnp.arange(4.0))",
    "nn.logsumexp(x, where=x > 0.5)",
    "nn.softmax(x) @ jnp.arange(4.0)",
    "nn.softmax(x, where=x > 0.5) @ jnp.arange(4.0)",
    "nn.log_softmax(x)[1]",
    "nn.standardize(x) @ jnp.arange(4.0)",
    "nn.glu(x).sum()",
    "nn.gelu(x, approximate=False).sum()",
    "s.stats.norm.logpdf(x, x[0], 2.0).sum()",
    "s.stats.norm.logcdf(x).sum()",
    "s.stats.uniform.logpdf(x, 0.0, 4.0).sum()",
    "s.special.xlogy(x, x).sum()",
    "s.special.entr(x).sum()",
    "s.special.logit(x / 3).sum()",
    "s.special.erfinv(x / 3).sum()",
]


def derivatives(text: str):
    def program(j, x):
        def f(x):
            return evaluate(j, text, x=x)

        return j.grad(f)(x), j.vmap(f)(j.numpy.stack([x, x / 2])), j.hessian(f)(x)

    return program


DIFFERENTIATED = Programs(
    {text: derivatives(text) for text in DERIVATIVES}, [np.array([0.3, 1.7, 2.4, 0.9], np.float32)]
)


@pytest.mark.parametrize("text", DERIVATIVES)
def test_derivatives_and_batches(text: str) -> None:
    DIFFERENTIATED.check(text, rtol=1e-4, atol=2e-5)


INITIALIZERS = """
zeros(k, (2, 3)) | ones(k, (2,), 'int32') | constant(3.5)(k, (2, 2)) | constant(2, 'int32')(k, (2,))
uniform()(k, (3,)) | uniform(2.0)(k, (3,), 'float16') | normal()(k, (3, 2)) | normal(2.0)(k, (3,))
truncated_normal()(k, (3,)) | truncated_normal(2.0, lower=-1.0)(k, (3,)) | lecun_normal()(k, (4, 3))
lecun_uniform()(k, (4, 3)) | glorot_normal()(k, (4, 3)) | glorot_uniform()(k, (2, 4, 3))
xavier_normal()(k, (4, 3)) | xavier_uniform()(k, (4, 3)) | he_normal()(k, (4, 3)) | he_uniform()(k, (4, 3))
kaiming_normal()(k, (4, 3)) | kaiming_uniform()(k, (4, 3)) | he_normal(0, 1)(k, (4, 3, 2))
variance_scaling(1.0, 'fan_out', 'normal')(k, (4, 3))
variance_scaling(1.0, 'fan_geo_avg', 'uniform')(k, (4, 3)) | variance_scaling(1.0, 'foo', 'uniform')(k, (4, 3))
variance_scaling(1.0, 'fan_in', 'foo')(k, (4, 3)) | he_normal()(k, (4,)) | he_normal(batch_axis=0)(k, (2, 4, 3))
lecun_normal(dtype='bfloat16')(k, (4, 3)) | he_normal()(k, (4, 3), 'complex64')
variance_scaling(1.0, 'fan_in', 'uniform')(k, (4, 3), 'complex64') | normal(dtype='complex64')(k, (2,))
uniform(dtype='int32')(k, (2,)) | constant(A([1.0, 2.0]))(k, (2, 2))
glorot_uniform(dtype='float16')(k, (3, 3))
variance_scaling(2, 'fan_avg', 'truncated_normal', in_axis=(0, 1))(k, (2, 3, 4))
"""


@pytest.mark.parametrize("text", cases(INITIALIZERS))
def test_initializer(text: str) -> None:
    def program(j):
        space = {name: getattr(j.nn.initializers, name) for name in dir(j.nn.initializers) if name[0] != "_"}
        return eval(text, {**space, "k": j.random.key(5), "A": j.numpy.asarray})

    coarse = "float16" in text or "bfloat16" in text
    check(program, rtol=1e-2 if coarse else 1e-5, atol=1e-3 if coarse else 1e-6)


#: of q (2, 4, 2, 3), k and v (2, 5, 2, 3), and k1, v1 with one head
ATTENTION = """
attend(q, k, v) | attend(q[0], k[0], v[0]) | attend(q[0, 0], k[0, 0], v[0, 0]) | attend(q, k, v, is_causal=True)
attend(q, k, v, scale=0.5) | attend(q, k, v, scale=A(2.0), bias=1.5) | attend(q, k, v, b[0, 0])
attend(q, k, v, b[:, :1], return_residual=True) | attend(q, k, v, b, is_causal=True) | attend(q[0], k[0], v[0], b[0])
attend(q, k, v, jnp.ones((4, 5), 'int32')) | attend(q, k, v, mask=b > 0) | attend(q, k, v, mask=True)
attend(q, k, v, mask=jnp.tri(4, 5, dtype=bool)) | attend(q[0], k[0], v[0], mask=b[0] > 0, return_residual=True)
attend(q, k, v, mask=jnp.zeros((4, 5), bool)) | attend(q, k1, v1) | attend(q, k1, v1, b, mask=b > 0, is_causal=True)
attend(q, k1, v1, local_window_size=(0, 1), return_residual=True) | attend(q, k, v, local_window_size=1)
attend(q, k, v, local_window_size=(2, 0), is_causal=True) | attend(q, k, v, local_window_size=[1, 2], scale=2)
attend(q, k, v, query_seq_lengths=A([2, 4])) | attend(q, k, v, key_value_seq_lengths=[0, 3])
attend(q, k, v, b, b > 0, query_seq_lengths=A([2, 4]), key_value_seq_lengths=A([5, 3]), return_residual=True)
attend(q, k, v, implementation='xla') | attend(q[:, :0], k, v) | attend(q, k[:, :0], v[:, :0])
attend(h(q), h(k), h(v)) | attend(h(q), h(k), h(v), return_residual=True, is_causal=True)
attend(q.tolist(), k, v)
"""
ATTENDED = Programs.of_expressions(
    lambda j, text, **names: evaluate(
        j,
        text,
        attend=j.nn.dot_product_attention,
        h=lambda x: x.astype("bfloat16"),
        k1=names["k"][:, :, :1],
        v1=names["v"][:, :, :1],
        **names,
    ),
    {
        name: np.random.default_rng(n).normal(size=size).astype(np.float32)
        for n, (name, size) in enumerate(
            {"q": (2, 4, 2, 3), "k": (2, 5, 2, 3), "v": (2, 5, 2, 3), "b": (2, 2, 4, 5)}.items()
        )
    },
    cases(ATTENTION),
)


@pytest.mark.parametrize("text", cases(ATTENTION))
def test_attention(text: str) -> None:
    ATTENDED.check(text, rtol=2e-2 if "h(q)" in text else 2e-5, atol=1e-2 if "h(q)" in text else 1e-6)


def test_attention_of_wide_numbers_and_its_derivatives() -> None:
    """With a query that sees no key: it weighs all alike."""
    mask = np.arange(20).reshape(4, 5) >= 5

    def program(j):
        with j.enable_x64(True):
            rng = np.random.default_rng(1)
            arrays = [j.numpy.asarray(rng.normal(size=(1, n, 2, 3))) for n in (4, 5, 5)]

            def total(q, k, v, bias):
                found, rest = j.nn.dot_product_attention(q, k, v, bias, mask, scale=0.7, return_residual=True)
                return (found * j.numpy.arange(24.0).reshape(found.shape)).sum() + rest.sum()

            return j.jit(j.value_and_grad(total, (0, 1, 2, 3)))(*arrays, j.numpy.asarray(rng.normal(size=(2, 4, 5))))

    check(program, rtol=1e-5, atol=1e-5)  # softmax is of f32
