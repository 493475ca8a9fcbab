"""Elementwise functions: every name over dtypes, shapes, weak types and special values, against JAX."""

from __future__ import annotations

import numpy as np
import pytest

import sable.numpy as jnp

from .expressions import compare, table

UNARY = [
    "absolute",
    "negative",
    "positive",
    "sign",
    "sqrt",
    "square",
    "cbrt",
    "reciprocal",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log2",
    "log10",
    "log1p",
    "sin",
    "cos",
    "tan",
    "arcsin",
    "arccos",
    "arctan",
    "sinh",
    "cosh",
    "tanh",
    "arcsinh",
    "arccosh",
    "arctanh",
    "floor",
    "ceil",
    "trunc",
    "rint",
    "round",
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "signbit",
    "logical_not",
    "invert",
    "real",
    "imag",
    "conjugate",
    "angle",
    "deg2rad",
    "rad2deg",
    "sinc",
    "nan_to_num",
    "modf",
    "frexp",
    "fabs",
    "bitwise_count",
]
BINARY = [
    "add",
    "subtract",
    "multiply",
    "divide",
    "floor_divide",
    "remainder",
    "fmod",
    "power",
    "float_power",
    "arctan2",
    "hypot",
    "maximum",
    "minimum",
    "fmax",
    "fmin",
    "logaddexp",
    "logaddexp2",
    "logical_and",
    "logical_xor",
    "bitwise_and",
    "bitwise_or",
    "left_shift",
    "right_shift",
    "equal",
    "less",
    "greater_equal",
    "copysign",
    "heaviside",
    "ldexp",
    "nextafter",
    "divmod",
    "isclose",
]
ALIASES = [
    "abs=absolute",
    "asin=arcsin",
    "acos=arccos",
    "atan=arctan",
    "asinh=arcsinh",
    "acosh=arccosh",
    "atanh=arctanh",
    "atan2=arctan2",
    "pow=power",
    "mod=remainder",
    "true_divide=divide",
    "conj=conjugate",
    "radians=deg2rad",
    "degrees=rad2deg",
    "bitwise_not=invert",
    "bitwise_invert=invert",
    "bitwise_left_shift=left_shift",
    "bitwise_right_shift=right_shift",
    "around=round",
    "amax=max",
    "amin=min",
]

#: float16 results are rounded once by us, after each step by XLA on the CPU (or the other way round)
HALF = {"rtol": 4e-3, "atol": 2e-3}
BFLOAT = {"rtol": 2e-2, "atol": 2e-2}
FLOAT = {"rtol": 4e-6, "atol": 2e-6}

UNARY_ARGUMENTS = ["f", "u8", "c", "wi", "wb", "2.5", "e"]
BINARY_ARGUMENTS = ["f, p", "2.5, i", "j, k", "u8, np.int8(2)", "b, 1", "w, wi", "c, f", "v[:, None], f[0]"]


def tolerance(name: str, text: str) -> dict:
    if "c" in text.split(", ") or "j" in text.split():
        return {"rtol": 2e-5, "atol": 2e-5}
    return FLOAT


@pytest.mark.parametrize("name", UNARY)
def test_unary(name: str) -> None:
    for argument in UNARY_ARGUMENTS:
        if name == "angle" and argument == "c":
            continue  # the sign of a zero
        compare(f"jnp.{name}({argument})", **tolerance(name, argument))


@pytest.mark.parametrize("names", ALIASES)
def test_aliases(names: str) -> None:
    alias, name = names.split("=")
    assert getattr(jnp, alias) is getattr(jnp, name)


@pytest.mark.parametrize("name", UNARY)
def test_unary_half_precision(name: str) -> None:
    compare(f"jnp.{name}(h)", **HALF)
    compare(f"jnp.{name}(bf)", **BFLOAT)


@pytest.mark.parametrize("name", UNARY)
def test_unary_special_values(name: str) -> None:
    compare(f"jnp.{name}(special)", rtol=2e-5)


@pytest.mark.parametrize("name", BINARY)
def test_binary(name: str) -> None:
    for arguments in BINARY_ARGUMENTS:
        if name == "power" and arguments == "j, k":
            continue  # integers to negative powers: 0 where JAX multiplies 2**32 - 3 times
        # which of two selects has a scalar operand decides about JAX's weak type of heaviside
        compare(f"jnp.{name}({arguments})", weak=name != "heaviside", **tolerance(name, arguments))


@pytest.mark.parametrize("name", BINARY)
def test_binary_half_precision(name: str) -> None:
    for arguments in ("h, 2", "bf, i"):
        compare(f"jnp.{name}({arguments})", **(BFLOAT if "bf" in arguments else HALF))


@pytest.mark.parametrize("name", BINARY)
def test_binary_special_values(name: str) -> None:
    compare(f"jnp.{name}(special[:, None], special)", rtol=2e-5)


@pytest.mark.parametrize("name", UNARY + BINARY)
def test_refused_arguments(name: str) -> None:
    second = ", 1" if name in BINARY else ""
    for bad in ("[1.0]", "(1,)", "'a'", "None", "object()"):
        if name in ("array_equal", "array_equiv") or (name == "clip" and bad == "None"):
            continue
        compare(f"jnp.{name}({bad}{second})")
    if name in BINARY and name not in ("array_equal", "array_equiv", "clip", "isclose", "allclose"):
        compare(f"jnp.{name}(f, [1.0])")


@pytest.mark.parametrize("name", BINARY)
def test_shapes_that_do_not_broadcast(name: str) -> None:
    for arguments in ("f, v", "v, v[:3]"):
        if name not in ("copysign", "heaviside", "array_equal", "array_equiv", "clip", "allclose", "hypot"):
            compare(f"jnp.{name}({arguments})")


@table(
    """
    jnp.add(i, 2.5)
    jnp.add(i8, True)
    jnp.power(i, -1)
    jnp.power(f, -2)
    jnp.power(p, 0)
    jnp.power(p, 7)
    jnp.power(p, 0.5)
    jnp.power(p, k[0])
    jnp.power(i, si)
    jnp.power(f, jnp.array([0, 2, 3]))
    jnp.power(2, i)
    jnp.power(b, 2)
    jnp.power(wi, 2)
    jnp.power(u8, np.int8(2))
    jnp.power(i8, si)
    jnp.power(0.0, jnp.array([0.0, 1.0, -1.0]))
    jnp.round(2.567, 1)
    jnp.round(p * 10, 2)
    jnp.round(h, 1)
    jnp.round(15, -1)
    jnp.round(p * 100, -1)
    jnp.round(jnp.array([0.5, 1.5, 2.5, -0.5]))
    jnp.round(c, 1)
    jnp.clip(i, 1, 1.5)
    jnp.clip(w, max=1)
    jnp.clip(i, 2)
    jnp.clip(i)
    jnp.clip(i, 2, 4)
    jnp.clip(f, -0.5, 0.5)
    jnp.clip(f, min=0)
    jnp.clip(f, a_min=0)
    jnp.clip(f, jnp.zeros(3), jnp.ones(3))
    jnp.clip(c, 0, 1)
    jnp.clip(f, 0.5, -0.5)
    jnp.where(True, 1, 2.5)
    jnp.where(jnp.array([1, 0]), w, 1)
    jnp.where(b, f, 0)
    jnp.where(b, i, f)
    jnp.where(b, f, jnp.zeros((4, 1, 1)))
    jnp.where(s, v, 0)
    jnp.where(f, f, i8)
    jnp.where([True, False], 1, 2)
    jnp.where(b, 1)
    jnp.where(b, f, v)
    jnp.where(b, 1, 2, size=3)
    jnp.floor_divide(1.0, 0.0)
    jnp.floor_divide(jnp.inf, 1.0)
    jnp.floor_divide(-1.0, jnp.inf)
    jnp.floor_divide(j, 0)
    jnp.floor_divide(u8, np.uint8(7))
    jnp.mod(-1.0, jnp.inf)
    jnp.mod(5.0, 0.0)
    jnp.mod(j, 0)
    jnp.divmod(j, k)
    jnp.divmod(v, 0.7)
    jnp.isclose(jnp.array([1.0, jnp.nan]), jnp.array([1.0 + 1e-6, jnp.nan]), equal_nan=True)
    jnp.isclose(f, f + 1e-3, rtol=1e-2)
    jnp.isclose(i, i + 1, atol=1)
    jnp.isclose(c, c)
    jnp.isclose(jnp.inf, jnp.inf)
    jnp.allclose(n, n)
    jnp.allclose(n, n, equal_nan=True)
    jnp.array_equal(n, n, equal_nan=True)
    jnp.array_equal([1, 2], jnp.array([1, 2]))
    jnp.array_equal(1, jnp.ones(2))
    jnp.array_equiv(1, jnp.ones(2))
    jnp.array_equiv(f, v)
    jnp.nan_to_num(n, nan=1.0, posinf=2.0, neginf=-3.0)
    jnp.angle(1 + 1j, deg=True)
    jnp.angle(jnp.array([1.0, -2.0]))
    jnp.logaddexp(c, c)
    jnp.minimum(c, 1)
    jnp.less(c, 1 + 1j)
    jnp.greater_equal(c, c)
    jnp.left_shift(i8, 3)
    jnp.right_shift(u32, 1)
    jnp.right_shift(i8, 1)
    jnp.frexp(special)
    jnp.ldexp(f, jnp.array([1, 200, -3]))
    jnp.nextafter(f, jnp.inf)
    jnp.bitwise_count(i8)
    jnp.bitwise_invert(b)
    jnp.bitwise_left_shift(i, 1)
    jnp.logical_and(2.5 - k, k)
    jnp.logical_or(2.5 - k[0], 2)
    jnp.logical_xor(k, 2.5 - k)
    jnp.logical_not(2.5 - k)
    jnp.logical_not(2.5 - k[0])
    jnp.astype(f, jnp.int8)
    """
)
def test_cases(text: str) -> None:
    compare(text, rtol=4e-6, atol=2e-6)


def test_rank_promotion() -> None:
    compare("jnp.add(f, v[:3])")
    for policy in ("raise", "warn", "allow"):
        compare(f"(jax.config.update('jax_numpy_rank_promotion', {policy!r}), f + v[:3])[1]")
        compare("f + 1")
        compare("(jax.config.update('jax_numpy_rank_promotion', 'allow'), 1)[1]")


def test_negative_zero_is_not_zero() -> None:
    compare("jnp.copysign(1.0, v * 0 + -0.0) + (v * 0 + 0.0) * 1")
    compare("1 / (jnp.zeros(3) * -0.0)")
    compare("1 / (jnp.zeros(3) * 0.0)")
    assert np.signbit(np.float32(-0.0))


def test_x64() -> None:
    for text in (
        *(
            "f + 1",
            "jnp.sin(i)",
            "jnp.sum(i)",
            "jnp.arange(3)",
            "jnp.array([1.5])",
            "jnp.argmax(f)",
            "i / 2",
            "jnp.rint(i)",
        ),
        *("jnp.searchsorted(f, f)", "jnp.digitize(f, f)", "jnp.digitize(f, jnp.zeros(0))", "jnp.nonzero(f)[0]"),
        *("jnp.nonzero(f, size=2, fill_value=-1)[0]", "jnp.argwhere(f)", "jnp.argpartition(f, 1)"),
        "jnp.ravel_multi_index((jnp.int8(1), jnp.uint8(2)), (2, 3))",
    ):
        compare(f"[jax.config.update('jax_enable_x64', True), {text}, jax.config.update('jax_enable_x64', False)][1]")
