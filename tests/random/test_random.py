"""Random numbers against JAX: the same bits for the same key."""

from __future__ import annotations

import numpy as np
import pytest

import sable

from ..numpy.oracle import check, compare, jax, outcome

SHAPES = [(), (0,), (5,), (3, 4), (2, 0, 3)]


def evaluate(j, text: str, key=None):
    r = j.random
    space = {"j": j, "r": r, "np": np, "jnp": j.numpy, "A": j.numpy.asarray}
    return eval(text, {**space, "k": r.PRNGKey(17) if key is None else key, "t": r.key(17)})


def exactly(text: str) -> None:
    check(lambda j: evaluate(j, text), rtol=0, atol=0)


def nearly(text: str, rtol: float = 2e-6, atol: float = 1e-6) -> None:
    check(lambda j: evaluate(j, text), rtol=rtol, atol=atol)


# ---- keys ----------------------------------------------------------------------------------------------------

KEYS = """
r.PRNGKey(0) | r.PRNGKey(-1) | r.PRNGKey(2**31) | r.PRNGKey(2**40 + 5) | r.PRNGKey(2**63 - 1) | r.PRNGKey(2**63)
r.PRNGKey(True) | r.PRNGKey(np.int32(-7)) | r.PRNGKey(np.uint8(200)) | r.PRNGKey(np.int64(2**40 + 5))
r.PRNGKey(1.5) | r.PRNGKey(A([1, 2])) | r.PRNGKey(A(-3)) | r.PRNGKey(t) | r.PRNGKey(0, impl='foo')
r.PRNGKey(0, impl='threefry2x32') | r.PRNGKey('a') | r.key(3).shape | str(r.key(3).dtype) | r.key_data(r.key(3))
r.key_data(k) | r.key_impl(k) | r.key_impl(t) | r.split(k) | r.split(k, 5) | r.split(k, (2, 3)) | r.split(k, 0)
r.key_data(r.split(t, 3)) | r.split(t, (2, 3)).shape | r.split(r.split(k)) | r.split(A([1, 2]))
r.split(A([1, 2, 3]).astype('uint32')) | r.split(3) | r.split('a') | r.split(None) | r.fold_in(k, 3)
r.fold_in(k, A(3)) | r.fold_in(k, np.int8(-3)) | r.fold_in(k, 2**32 - 1) | r.fold_in(k, A([1, 2]))
r.key_data(r.fold_in(t, 9)) | r.fold_in(r.split(k), 3) | r.key_data(r.wrap_key_data(k))
r.wrap_key_data(A([1, 2])) | r.wrap_key_data(A([1, 2, 3]).astype('uint32'))
r.wrap_key_data(k, impl='threefry2x32').ndim | r.key_data(r.split(t, 4)[1:3]) | r.key_data(r.split(t, 4)[-1])
[r.key_data(x) for x in r.split(t, 2)] | r.split(t, 4).reshape(2, 2).shape | len(r.split(t, 4))
r.key_data(r.clone(t)) | t == t | r.split(t) == t | bool(t) | np.asarray(t) | repr(t) | hash(t) | t.size
t.itemsize | jnp.issubdtype(t.dtype, j.dtypes.prng_key) | j.vmap(r.PRNGKey)(jnp.arange(3))
j.vmap(r.key)(jnp.arange(3)).shape | j.vmap(r.split)(r.split(k, 3))
r.key_data(j.vmap(r.fold_in)(r.split(t, 3), jnp.arange(3))) | j.vmap(lambda i: r.fold_in(k, i))(jnp.arange(4))
r.fold_in(k, -1) | r.fold_in(k, 2**32) | r.fold_in(k, 1.5)
"""


@pytest.mark.parametrize("text", [c.strip() for line in KEYS.strip().splitlines() for c in line.split(" | ")])
def test_keys(text: str) -> None:
    exactly(text)


# ---- bits ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32"])
def test_bits(shape, dtype: str) -> None:
    exactly(f"r.bits(k, {shape}, {dtype!r})")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_uniform(shape, dtype: str) -> None:
    exactly(f"r.uniform(k, {shape}, {dtype!r})")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "complex64"])
@pytest.mark.parametrize("shape", [(), (0,), (3, 4)])
def test_normal(shape, dtype: str) -> None:
    coarse = {"float16": 2e-3, "bfloat16": 2e-2}.get(dtype, 2e-6)
    nearly(f"r.normal(k, {shape}, {dtype!r})", coarse, coarse)


def test_normal_of_many_samples() -> None:
    nearly("r.normal(k, (20000,))", rtol=1e-6)


INTEGERS = [
    "r.randint(k, (6,), 0, 10)",
    "r.randint(k, (), 0, 10)",
    "r.randint(k, (3, 2), -5, 7, 'int8')",
    "r.randint(k, (9,), 0, 256, 'uint8')",
    "r.randint(k, (9,), 0, 1000, 'uint8')",
    "r.randint(k, (9,), -300, 300, 'int8')",
    "r.randint(k, (9,), 0, 60000, 'uint16')",
    "r.randint(k, (9,), 0, 2**31 - 1)",
    "r.randint(k, (9,), -2**31, 2**31 - 1)",
    "r.randint(k, (9,), 0, 7, 'uint32')",
    "r.randint(k, (9,), np.uint32(5), np.uint32(2**32 - 1), 'uint32')",
    "r.randint(k, (9,), np.uint32(5), np.uint32(2**32 - 1))",
    "r.randint(k, (3,), 5, 5)",
    "r.randint(k, (3,), 5, 2)",
    "r.randint(k, (2, 3), A([0, 10, 20]), A([[5], [30]]))",
    "r.randint(k, (2,), A([0, 10, 20]), 30)",
    "r.randint(k, (2,), 0.0, 10.5)",
    "r.randint(k, (2,), 0, 10, 'float32')",
    "r.randint(k, (0,), 0, 10)",
    "r.randint(k, 3, 0, 10)",
]


@pytest.mark.parametrize("text", INTEGERS)
def test_randint(text: str) -> None:
    exactly(text)


# ---- distributions -------------------------------------------------------------------------------------------

EXACT = """
r.uniform(k, (4,), minval=-1, maxval=3) | r.uniform(k, (4,), minval=A([0.0, 1.0, 2.0, 3.0]), maxval=5.0)
r.uniform(k, 3) | r.uniform(k, (2,), maxval=A([1.0, 2.0, 3.0])) | r.uniform(k, (2,), 'int32')
r.uniform(k, (1.5,)) | r.uniform(r.split(k), (2,)) | r.uniform(3, (2,)) | r.uniform(k, (2,), float)
r.bits(k, (2,), 'int32') | r.normal(k, (2,), 'int32') | r.bernoulli(k) | r.bernoulli(k, 0.3, (5,))
r.bernoulli(k, A([0.1, 0.9])) | r.bernoulli(k, 1) | r.bernoulli(k, A([0.1, 0.9]), (3,))
r.bernoulli(k, 0.3, (5,), mode='high') | r.bernoulli(k, 0.3, mode='foo') | r.rademacher(k, (5,))
r.rademacher(k, (3,), 'float32') | r.permutation(k, 10) | r.permutation(k, A([1.0, 2.0, 3.0]))
r.permutation(k, jnp.arange(12).reshape(4, 3)) | r.permutation(k, jnp.arange(12).reshape(4, 3), axis=1)
r.permutation(k, jnp.arange(12).reshape(4, 3), independent=True) | r.permutation(k, 2.5) | r.permutation(k, 0)
r.permutation(k, jnp.arange(3000)) | r.permutation(k, jnp.arange(4), axis=2) | r.choice(k, 10)
r.choice(k, 10, (3,)) | r.choice(k, A([1.0, 2.0, 3.0]), (2, 2)) | r.choice(k, 5, (5,), replace=False)
r.choice(k, 5, (6,), replace=False) | r.choice(k, jnp.arange(6).reshape(3, 2), (4,))
r.choice(k, jnp.arange(6).reshape(3, 2), (4,), axis=1) | r.choice(k, 3, (4,), p=A([0.2, 0.5, 0.3]))
r.choice(k, 3, (2,), replace=False, p=A([0.2, 0.5, 0.3])) | r.choice(k, 3, 4)
r.choice(k, 3, (4,), p=A([0.2, 0.8])) | r.choice(k, 0, (2,))
r.choice(k, jnp.arange(6).reshape(3, 2), (2,), replace=False) | r.categorical(k, A([0.1, 0.5, 0.4]))
r.categorical(k, jnp.zeros((3, 4))) | r.categorical(k, jnp.zeros((3, 4)), axis=0)
r.categorical(k, jnp.zeros((3, 4)), shape=(5, 3)) | r.categorical(k, jnp.zeros((3, 4)), shape=(5,))
r.categorical(k, jnp.zeros(4), shape=(3,), replace=False)
r.categorical(k, jnp.zeros(4), shape=(5,), replace=False)
r.categorical(k, jnp.zeros((2, 4)), shape=(3, 2), replace=False, axis=1) | r.geometric(k, 0.2, (6,))
r.geometric(k, A([0.5, 0.9]))
"""
NEAR = """
r.exponential(k, (5,)) | r.exponential(k, (5,), 'float16') | r.gumbel(k, (5,)) | r.gumbel(k, (5,), mode='high')
r.gumbel(k, (5,), mode='foo') | r.gumbel(k, (400,), mode='highest') | r.gumbel(k, (5,), 'float16', mode='highest') | r.laplace(k, (5,)) | r.logistic(k, (5,)) | r.cauchy(k, (5,))
r.maxwell(k, (5,)) | r.truncated_normal(k, -2, 2, (6,)) | r.truncated_normal(k, 0.5, A([1.0, 2.0]))
r.truncated_normal(k, -2, 2, (3,), 'int32') | r.lognormal(k, shape=(4,)) | r.lognormal(k, A([0.5, 2.0]))
r.pareto(k, 2.0, (4,)) | r.pareto(k, A([1.0, 3.0])) | r.rayleigh(k, 2.0, (4,))
r.weibull_min(k, 2.0, 3.0, (4,)) | r.triangular(k, 0.0, 1.0, 3.0, (5,)) | r.wald(k, A([1.0, 3.0]))
r.double_sided_maxwell(k, 1.0, 2.0, (4,)) | r.exponential(k, (2,), 'int32') | r.cauchy(t, (3,))
r.rayleigh(k, A([1.0, 2.0]), (3,))
"""


@pytest.mark.parametrize("text", [c.strip() for line in EXACT.strip().splitlines() for c in line.split(" | ")])
def test_exact(text: str) -> None:
    exactly(text)


@pytest.mark.parametrize("text", [c.strip() for line in NEAR.strip().splitlines() for c in line.split(" | ")])
def test_near(text: str) -> None:
    nearly(text, *((2e-3, 2e-3) if "float16" in text else (5e-6, 1e-6)))


# ---- transformations -----------------------------------------------------------------------------------------

MAPPED = [
    "r.uniform(key, (3,))",
    "r.uniform(key)",
    "r.normal(key, (2, 2))",
    "r.randint(key, (4,), 0, 100)",
    "r.split(key, 3)",
    "r.bernoulli(key, 0.4, (3,))",
    "r.permutation(key, 6)",
    "r.permutation(key, jnp.arange(6).reshape(3, 2))",
    "r.categorical(key, jnp.arange(4.0))",
    "r.choice(key, 5, (3,), replace=False)",
    "r.choice(key, 3, (4,), p=A([0.2, 0.5, 0.3]))",
    "r.gumbel(key, (3,))",
    "r.bits(key, (3,), 'uint8')",
]


@pytest.mark.parametrize("text", MAPPED)
def test_under_vmap(text: str) -> None:
    def program(j):
        space = {"j": j, "r": j.random, "np": np, "jnp": j.numpy, "A": j.numpy.asarray}
        return j.vmap(lambda key: eval(text, {**space, "key": key}))(j.random.split(j.random.PRNGKey(5), 4))

    check(program, rtol=2e-6)


def test_counts_of_many_parameters() -> None:
    """Both methods for each: small and large means."""
    exactly("r.poisson(k, jnp.linspace(0, 60, 2000))")
    exactly("r.binomial(k, 70.0, jnp.linspace(0, 1, 2000))")


@pytest.mark.parametrize("dtype", ["int8", "uint16", "uint32", "int32"])
def test_counts_of_dtypes(dtype: str) -> None:
    exactly(f"r.poisson(k, A([0.5, 3.0, 40.0]), dtype={dtype!r})")


def test_gamma_of_many_parameters() -> None:
    nearly("r.gamma(k, jnp.linspace(0.05, 20, 2000))", rtol=1e-5)
    nearly("j.grad(lambda a: r.gamma(k, a).sum())(jnp.linspace(0.05, 20, 2000))", rtol=1e-4)


def test_derivatives_pass_through_parameters() -> None:
    def program(j):
        key = j.random.key(3)

        def f(low, high):
            u = j.random.uniform(key, (3,), minval=low, maxval=high)
            return (u + low * j.random.normal(key, (3,))).sum() + j.random.truncated_normal(key, low, high)

        return j.grad(f, (0, 1))(0.5, 2.0)

    check(program, rtol=1e-5)


def test_typed_keys_pass_transformations() -> None:
    def program(j):
        keys = j.random.split(j.random.key(3), 3)
        mapped = j.vmap(lambda k: j.random.normal(k, (2,)))(keys)
        new = j.vmap(lambda k: j.random.split(k))(keys)
        return mapped, j.random.key_data(new), j.random.key_data(j.vmap(j.random.key)(j.numpy.arange(2)))

    check(program, rtol=2e-6)


@pytest.mark.parametrize("text", ["r.uniform(k, (3,), 'float64')", "r.bits(k, (3,), 'uint64')", "r.PRNGKey(2**40 + 5)"])
def test_64_bits(text: str) -> None:
    def program(j):
        with j.enable_x64(True):
            return evaluate(j, text)

    check(program, rtol=0, atol=0)


@pytest.mark.parametrize("text", ["r.normal(k, (3,))", "r.randint(k, (5,), -7, 2**40)", "r.exponential(k, (3,))"])
def test_64_bits_nearly(text: str) -> None:
    def program(j):
        with j.enable_x64(True):
            return evaluate(j, text)

    check(program, rtol=1e-12, atol=1e-12)


def test_a_key_is_no_constant_of_programs() -> None:
    key = sable.random.PRNGKey(0)
    assert not key.constant


def test_more_elements_than_a_word_can_number(monkeypatch) -> None:
    shape = sable.eval_shape(lambda k: sable.random.normal(k, (10**12,)), sable.random.key(0))
    assert shape.shape == (10**12,)
    expected = sable.random.bits(sable.random.key(0), (3, 5))
    monkeypatch.setattr("sable.random._generators._COUNTED", 1)
    sable.random.bits.clear_plans()
    try:
        np.testing.assert_array_equal(sable.random.bits(sable.random.key(0), (3, 5)), expected)
    finally:
        sable.random.bits.clear_plans()


# ---- other generators ----------------------------------------------------------------------------------------

#: with the keys g of a generator of that name
OF_GENERATORS = """
g.dtype.name | g.itemsize | repr(g) | r.key_impl(g) | r.key_data(g) | r.PRNGKey(-3, impl=n) | r.key_data(r.split(g, (2, 3)))
r.key_data(r.fold_in(g, 9)) | r.key_data(r.clone(g)) | r.split(g, 3).shape | r.key_data(r.split(g, 4).reshape(2, 2)[1])
g == g | g == t | r.key_data(r.key(5, dtype=g.dtype)) | r.key_data(r.wrap_key_data(r.key_data(g), impl=n))
r.wrap_key_data(r.key_data(t), impl=n) | r.wrap_key_data(r.key_data(g)) | g.dtype == t.dtype | r.split(r.split(g))
jnp.issubdtype(g.dtype, j.dtypes.prng_key) | r.bits(g, (3, 5)) | r.bits(g, (3, 5), 'uint8') | r.bits(g, (), 'uint16')
r.uniform(g, (7,)) | r.uniform(g, (3, 4), 'bfloat16') | r.randint(g, (5,), -7, 200) | r.permutation(g, 10)
r.choice(g, 20, (3,), replace=False) | r.bernoulli(g, 0.3, (9,)) | r.rademacher(g, (4,)) | r.categorical(g, jnp.ones((3, 4)))
r.key_data(j.vmap(lambda i: r.key(i, impl=n))(jnp.arange(3))) | r.key_data(j.vmap(r.split)(r.split(g, 3)))
j.vmap(lambda k: r.bits(k, (3,)))(r.split(g, 3)) | j.vmap(j.vmap(lambda k: r.bits(k, (3,))))(r.split(g, (2, 3)))
j.vmap(lambda i: r.bits(r.fold_in(g, i), (2,)))(jnp.arange(3)) | j.jit(lambda k: r.bits(r.split(k)[1], (3,)))(g)
j.jit(lambda k: r.split(k, 3))(g).dtype.name | j.vmap(lambda k: r.uniform(k, (2,)), 0, 1)(r.split(g, 3))
j.lax.scan(lambda k, _: (lambda two: (two[0], r.bits(two[1], (2,))))(r.split(k)), g, None, 4)[1]
j.grad(lambda x: (r.uniform(g, (3,)) * x).sum())(2.0) | j.lax.rng_bit_generator(g, (3,))[1]
r.key_data(j.lax.rng_bit_generator(g, (3,))[0])
"""


@pytest.mark.parametrize("name", ["rbg", "unsafe_rbg"])
@pytest.mark.parametrize("text", [c.strip() for line in OF_GENERATORS.strip().splitlines() for c in line.split(" | ")])
def test_generators(text: str, name: str) -> None:
    check(lambda j: _of_generator(j, text, name), rtol=0, atol=0)


def _of_generator(j, text: str, name: str):
    r = j.random
    space = {"j": j, "r": r, "np": np, "jnp": j.numpy, "n": name, "g": r.key(42, impl=name), "t": r.key(17)}
    return eval(text, space)


@pytest.mark.parametrize("name", ["rbg", "unsafe_rbg"])
def test_raw_keys_of_the_default_generator(name: str) -> None:
    def draw(j):
        with j.default_prng_impl(name):
            k = j.random.PRNGKey(3)
            return k, j.random.split(k), j.random.bits(k, (5,)), j.random.key_impl(k), j.jit(j.random.bits)(k)

    check(draw, rtol=0, atol=0)


@pytest.mark.parametrize("algorithm", ["RNG_DEFAULT", "RNG_THREE_FRY", "RNG_PHILOX"])
def test_rng_bit_generator(algorithm: str) -> None:
    """Shapes, dtypes, carries of the counter; batches; the same compiled."""

    def draw(j):
        choice = getattr(j.lax.RandomAlgorithm, algorithm)
        state = np.array([7, 9, 2**32 - 2, 2**32 - 1], np.uint32)

        def one(s, *shape, dtype="uint32"):
            return j.lax.rng_bit_generator(s, shape, dtype, choice)

        def several(s):
            return (
                one(s),
                one(s, 5),
                one(s, 3, 3),
                one(s, 5, 4, dtype="uint8"),
                one(s, 3, 4, 2, dtype="uint16"),
                one(s, 0, 3),
            )

        states = j.numpy.stack([j.numpy.asarray(state), j.numpy.arange(4, dtype="uint32")])
        return several(state), j.jit(several)(state), j.vmap(lambda s: one(s, 3))(states), str(choice), int(choice)

    check(draw, rtol=0, atol=0)


@pytest.mark.parametrize("text", ["np.zeros(4, np.int32), (5,)", "np.zeros(3, np.uint32), (5,)", "np.zeros((1, 4), np.uint32), (5,)",
                                  "np.zeros(4, np.uint32), (5,), 'int32'", "np.zeros(4, np.uint32), (5,), 'float32'"])  # fmt: skip
def test_rng_bit_generator_refuses(text: str) -> None:
    with pytest.raises(TypeError, match="rng_bit_generator"):
        evaluate(sable, f"j.lax.rng_bit_generator({text})")


# ---- gamma of keys -------------------------------------------------------------------------------------------


def test_gamma_of_many_keys() -> None:
    """Many keys of rbg draw what one JAX program draws of them: mapped keys, parameters, both."""

    def program(j):
        r, a = j.random, j.numpy.asarray([0.5, 2.0, 7.0])
        g = r.key(5, impl="rbg")

        def draw(k, p):
            return r.gamma(k, p)

        two, three = r.split(g, 2), r.split(g, 3)
        return [
            j.vmap(draw, (0, None))(three, 2.0),
            j.vmap(draw, (None, 0))(g, a),
            j.vmap(draw)(three, a),
            j.vmap(j.vmap(draw, (None, 0)), (0, None))(two, a),
            j.vmap(lambda k: r.loggamma(k, a))(two),
            j.vmap(j.grad(lambda p, k: r.loggamma(k, p)))(a, three),
            r.random_gamma_p.bind(g, a, log_space=False),
            r.random_gamma_p.bind(two, a[:2], log_space=True),
        ]

    compiled = outcome(jax, lambda j: j.jit(lambda: program(j))(), ())
    compare(compiled, outcome(sable, program, ()), 4e-6, 1e-6, weak=False)


def test_random_gamma_p_refuses() -> None:
    bind, key = sable.random.random_gamma_p.bind, sable.random.key(0)
    with pytest.raises(TypeError, match="typed random key"):
        bind(sable.random.PRNGKey(0), 2.0, log_space=False)
    with pytest.raises(TypeError, match="float dtype"):
        bind(key, sable.numpy.arange(2), log_space=False)
    with pytest.raises(ValueError, match="leading dimensions"):
        bind(sable.random.split(key, 2), sable.numpy.ones(3), log_space=False)


REFUSED = """
r.gamma(k, 1 + 1j) | r.gamma(k, 2.0, (2,), 'complex64') | r.loggamma(k, A([1 + 0j])) | r.beta(k, 1j, 2.0)
r.chisquare(k, 1j) | r.t(k, 1j) | r.generalized_normal(k, 1j)
"""


@pytest.mark.parametrize("text", [c.strip() for line in REFUSED.strip().splitlines() for c in line.split(" | ")])
def test_complex_parameters(text: str) -> None:
    nearly(text)
