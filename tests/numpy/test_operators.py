"""Operators and methods of arrays against JAX; the short way for eager arrays."""

from __future__ import annotations

import numpy as np
import pytest

import sable.numpy as jnp
from sable.core.array import Array

from .expressions import compare, table
from .oracle import jax

OPERANDS = ["2", "2.0", "True", "1j", "np.float64(2)", "np.int8(2)", "np.ones(3)", "f"]


@pytest.mark.parametrize(
    "symbol", ["+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", "<=", ">", ">=", "&", "|", "^", "<<", ">>"]
)
def test_binary_operators(symbol: str) -> None:
    for other in OPERANDS:
        for own in ("f", "i"):
            if symbol in ("//", "%", "**", "/") and other == "1j":
                continue
            compare(f"{own} {symbol} {other}", rtol=2e-5)
            compare(f"{other} {symbol} {own}", rtol=2e-5)


@pytest.mark.parametrize(
    "symbol", ["+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", "<=", ">", ">=", "&", "|", "^", "<<", ">>", "@"]
)
def test_refused_operands(symbol: str) -> None:
    for other in ("None", "'a'", "object()", "[1.0, 2.0, 3.0]", "(1,)", "{}"):
        compare(f"f {symbol} {other}")
        if symbol not in ("==", "!=") or other != "{}":
            compare(f"{other} {symbol} f")


@table(
    """
    -f
    +f
    abs(f)
    ~b
    ~i
    ~f
    -b
    divmod(f, 2)
    divmod(7, i)
    round(f)
    round(f, 1)
    round(i)
    f**2
    f**0
    f**-2
    f**7
    i**2
    i**-1
    i8**2
    b**2
    w**2
    wi**2
    c**3
    f**0.5
    p**p
    2**i
    2.0**i
    pow(f, 2)
    f**np.int32(2)
    f**True
    1.5 in f
    v[0] in f[0]
    2 in i[0]
    v[0] in v
    list(f)
    list(s)
    len(s)
    len(f)
    [x for x in t]
    f.__setitem__(0, 1)
    f.foo
    bool(f)
    bool(e)
    bool(s)
    int(s)
    float(s)
    complex(s)
    int(f)
    s.item()
    f.tolist()
    sum(v)
    hash(f)
    f.real
    f.imag
    c.real
    c.imag
    f.T
    t.mT
    f.shape
    f.ndim
    f.size
    f.nbytes
    f.itemsize
    f.astype(int)
    f.astype("float16")
    f.conj()
    c.conjugate()
    f.clip(-0.5, 0.5)
    f.clip(max=0)
    f.round(1)
    f.copy()
    f.view(jnp.int32)
    f.view(jnp.uint8)
    f.view(jnp.float16)
    u8[:2].view(jnp.uint16)
    u8.view(jnp.uint16)
    s.view(jnp.int32)
    s.view(jnp.int8)
    u8.view(jnp.int4).astype(int)
    s.astype("int8").view(jnp.uint2).astype(int)
    u8.astype("uint4").view(jnp.uint8)
    f.view()
    b.view(jnp.int8)
    f.swapaxes(0, 1)
    f.squeeze()
    f.repeat(2, axis=0)
    f.ravel()
    f.flatten()
    f.diagonal()
    m.trace()
    f.dot(v[:3])
    f.prod(0)
    f.var()
    f.min(0)
    f.any()
    f.argmin(1)
    f.cumprod(0)
    f.sort(0)
    i[0].searchsorted(2)
    f.nonzero()
    f.take(jnp.array([0, 1]), axis=1)
    f.at[0].set(1)
    """
)
def test_operators_and_methods(text: str) -> None:
    compare(text, rtol=2e-5)


def test_item_assignment_names_at() -> None:
    with pytest.raises(TypeError, match=r"immutable.*\.at\["):
        jnp.zeros(2)[0] = 1


def test_in_place_operators_rebind() -> None:
    x = y = jnp.zeros(2)
    x += 1
    assert y.tolist() == [0, 0] and x.tolist() == [1, 1]


def test_numpy_on_the_left_gives_an_array() -> None:
    for made in (np.ones(2) + jnp.ones(2), np.float32(1) * jnp.ones(2), np.arange(2) == jnp.arange(2)):
        assert type(made) is Array


# ---- the short way says what the general way says ------------------------------------------------------------------


@table(
    """
    f + f
    f + 1
    f + 1.0
    1 - f
    i + 2.5
    i / 2
    u8 * 300
    u8 + 2**40
    b + True
    b * b
    f > 0
    f == 0.0
    f * 0.0
    f * -0.0
    h * 2.5
    bf * 2.5
    i8 + i8
    f + i
    f[:, :1] + v
    t + f[0, 0]
    jnp.sin(f)
    jnp.sin(i)
    jnp.exp2(f)
    f // 0.3
    i % 4
    j // k
    jnp.sum(f, 0)
    f.mean()
    f.var(1, keepdims=True)
    f @ m[:3]
    jnp.where(f > 0, f, 0.0)
    jnp.where(f > 0, f, -0.0)
    jnp.where(b, i, 2.5)
    jnp.hypot(f, 2.0)
    jnp.logaddexp(f, p)
    jnp.concatenate([f, i])
    jnp.stack([v, v], axis=1)
    jnp.split(f, 3, axis=1)
    jnp.divmod(v, 0.7)
    f.reshape(-1)
    jnp.einsum("ij,kj->ik", f, p)
    jnp.isclose(f, f + 1e-6)
    jnp.power(f, 3)
    jnp.power(i, si)
    i8**si
    jnp.round(f, 2)
    jnp.nan_to_num(n)
    jnp.argmax(f, 1)
    jnp.sort(f)
    jnp.cumsum(f, 1)
    jnp.clip(f, 0.1, w)
    jnp.roll(v, si)
    jnp.tril(m)
    """
)
def test_repeated_calls(text: str) -> None:
    # the first call goes the general way, later ones by a plan or a program
    compare(f"[{text} for _ in range(5)]", rtol=2e-5)


def test_configuration_changes_plans() -> None:
    x = jnp.arange(3.0)
    for _ in range(5):
        assert (x + 1).dtype == np.float32
    import sable

    with sable.enable_x64():
        assert (jnp.asarray(np.arange(3)) + 1).dtype == np.int64
        assert jnp.arange(3.0).dtype == np.float64
    with sable.numpy_rank_promotion("raise"), pytest.raises(ValueError):
        jnp.ones((2, 3)) + jnp.ones(3)
    assert (jnp.ones((2, 3)) + jnp.ones(3)).shape == (2, 3)


def test_oracle_is_jax() -> None:
    assert jax.__version__.startswith("0.10")
