"""The same functions inside of grad, vmap and jit: against JAX."""

from __future__ import annotations

import numpy as np
import pytest

import sable
import sable.numpy as jnp
from sable.api.compilation import make_jaxpr

from .oracle import Programs, check

_RNG = np.random.default_rng(3)
X = (_RNG.random((3, 4)) * 0.8 + 0.1).astype(np.float32)
V = (_RNG.random(4) * 0.8 + 0.1).astype(np.float32)

#: functions of a matrix with elements between 0.1 and 0.9, as expressions
SMOOTH = """
x + 1
2 * x - x * x
1 / x
x**3
x**-2
x**2.5
2**x
x % 0.3
x // 0.3 + x
-x
abs(x - 0.5)
jnp.exp(x)
jnp.exp2(x)
jnp.log(x)
jnp.log2(x)
jnp.log1p(x)
jnp.sqrt(x)
jnp.cbrt(x)
jnp.square(x)
jnp.sin(x) * jnp.cos(x)
jnp.tan(x)
jnp.arcsin(x)
jnp.arccos(x)
jnp.arctan2(x, 0.5)
jnp.sinh(x)
jnp.tanh(x)
jnp.arcsinh(x)
jnp.arctanh(x)
jnp.sinc(x)
jnp.hypot(x, 2.0)
jnp.logaddexp(x, 0.5)
jnp.logaddexp(x, x)
jnp.logaddexp2(x, 0.5)
jnp.maximum(x, 0.5)
jnp.minimum(x, 0.5)
jnp.clip(x, 0.3, 0.6)
jnp.where(x > 0.5, x * x, jnp.sin(x))
jnp.float_power(x, 2)
jnp.copysign(x, -1.0)
jnp.deg2rad(x)
jnp.nan_to_num(x)
x.sum()
x.sum(0)
x.mean(axis=1, keepdims=True)
x.var()
x.std(0)
x.prod()
x.prod(1)
x.max()
x.min(1)
jnp.ptp(x, 0)
jnp.average(x, weights=x)
jnp.nansum(x)
jnp.sum(x, where=x > 0.5)
jnp.cumsum(x, 1)
jnp.cumprod(x, 0)
jnp.diff(x)
jnp.trapezoid(x)
jnp.gradient(x, axis=0)
jnp.sort(x)
jnp.median(x)
jnp.quantile(x, 0.3, axis=0)
x.T
x.reshape(2, 6)
x.ravel()
jnp.reshape(x, (2, 6), order="F")
jnp.concatenate([x, x * 2])
jnp.stack([x, x * 2], axis=1)
jnp.hstack([x, x])
jnp.split(x, 2, axis=1)[0]
jnp.flip(x)
jnp.rot90(x)
jnp.roll(x, 1, 1)
jnp.tile(x, (2, 1))
jnp.repeat(x, 2, 0)
jnp.pad(x, 1)
jnp.pad(x, 1, mode="edge")
jnp.pad(x, 2, mode="reflect")
jnp.tril(x)
jnp.diag(x[0])
jnp.diagonal(x)
jnp.trace(x)
jnp.broadcast_to(x, (2, 3, 4))
jnp.array([[x[0, 0], 1.0], [2, x[1, 1]]])
jnp.linspace(0, x[0, 0], 5)
x @ x.T
x @ v
jnp.dot(v, x.T)
jnp.outer(x, v)
jnp.inner(x, v)
jnp.tensordot(x, x, 2)
jnp.einsum("ij,kj->ik", x, x)
jnp.einsum("ij,j,kj->k", x, v, x)
jnp.kron(x, v)
jnp.cross(x[:, :3], x[:, 1:])
jnp.linalg.norm(x)
jnp.linalg.norm(x, axis=1)
jnp.linalg.norm(x, 1)
jnp.vander(v)
list(x)[1]
""".strip().splitlines()


def run(module, text: str, x, v):
    return eval(text, {"jnp": module.numpy, "x": x, "v": v})


def gradient(text: str):
    def program(module, x, v):
        return module.grad(lambda x, v: (module.numpy.sin(run(module, text, x, v)) * 1.5).sum(), argnums=(0, 1))(x, v)

    return program


def batched(text: str):
    return lambda module, x, v: module.vmap(lambda x: run(module, text, x, v))(x)


GRADIENTS = Programs({text: gradient(text) for text in SMOOTH}, [X, V])
BATCHED = Programs({text: batched(text) for text in SMOOTH}, [np.stack([X, X[::-1], X * 0.9]), V])


@pytest.mark.parametrize("text", SMOOTH)
def test_gradient(text: str) -> None:
    GRADIENTS.check(text, rtol=3e-4, atol=3e-5)


@pytest.mark.parametrize("text", SMOOTH)
def test_batching(text: str) -> None:
    BATCHED.check(text, rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize(
    "text",
    [
        "jnp.sin(x) + v",
        "(x // 0.3) + jnp.mod(x, 0.2)",
        "jnp.logaddexp(x, v)",
        "x.var(0) + x.mean()",
        "jnp.where(x > 0.5, x, 0)",
        "x @ x.T",
        "jnp.concatenate([x, x]).reshape(-1)",
        "jnp.pad(x, 1, mode='reflect')",
        "jnp.zeros(3) + jnp.arange(3) + jnp.eye(3)",
        "jnp.array([x[0, 0], 1])",
        "jnp.einsum('ij,j->i', x, v)",
        "jnp.argmax(x, 1) + x.astype(int).sum()",
    ],
)
def test_jit(text: str) -> None:
    check(lambda module, x, v: module.jit(lambda x, v: run(module, text, x, v))(x, v), X, V, rtol=2e-5, atol=2e-6)


def test_second_derivative_of_square_at_zero() -> None:
    assert float(sable.grad(sable.grad(lambda x: x**2))(0.0)) == 2.0
    assert float(sable.grad(sable.grad(jnp.sinc))(0.0)) == pytest.approx(-(np.pi**2) / 3)


def test_derivatives_at_ties_and_zeros() -> None:
    for text in ("jnp.logaddexp(a, a)", "jnp.maximum(a, 0.0)", "a**0", "a**1", "abs(a)", "jnp.sqrt(a + 1)"):
        check(lambda module, a, text=text: module.grad(lambda a: eval(text, {"jnp": module.numpy, "a": a}))(a), 0.0)


def test_scalars_are_constants_of_the_program() -> None:
    text = str(make_jaxpr(lambda x: (x + 1.0) * 2)(jnp.ones(3)).as_mlir())
    assert "convert" not in text and text.count("stablehlo.constant") == 2


def test_operators_of_tracers_with_numpy_arrays() -> None:
    check(lambda module, x: module.jit(lambda x: np.ones((3, 4), np.float32) * x - np.float32(2))(x), X)


def test_eager_programs_do_not_leak_into_traces() -> None:
    for _ in range(5):
        jnp.var(jnp.asarray(X))
    check(lambda module, x: module.grad(lambda x: module.numpy.var(x))(x), X)
