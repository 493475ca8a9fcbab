"""Complex functions over a table of extremes: against mpmath where the result is finite, against JAX everywhere else.

All functions of one width are one program. The reference of values is exact, so that JAX's own errors (docs/differences.md)
do not count; zeros, infinities, NaN and cuts are compared part by part.
"""

from __future__ import annotations

import itertools

import jax as oracle
import jax.numpy as oracle_numpy
import mpmath
import numpy as np
import pytest

import sable as jax
import sable.numpy as jnp
from sable._config.managers import enable_x64

UNARY = {
    "exp": mpmath.exp,
    "expm1": lambda z: mpmath.exp(z) - 1,
    "log": mpmath.log,
    "log1p": lambda z: mpmath.log(1 + z),
    "log2": lambda z: mpmath.log(z) / mpmath.log(2),
    "log10": lambda z: mpmath.log(z) / mpmath.log(10),
    "sqrt": mpmath.sqrt,
    "rsqrt": lambda z: 1 / mpmath.sqrt(z),
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tan": mpmath.tan,
    "sinh": mpmath.sinh,
    "cosh": mpmath.cosh,
    "tanh": mpmath.tanh,
    "arcsin": mpmath.asin,
    "arccos": mpmath.acos,
    "arctan": mpmath.atan,
    "arcsinh": mpmath.asinh,
    "arccosh": mpmath.acosh,
    "arctanh": mpmath.atanh,
    "sign": lambda z: z / abs(z),
    "square": lambda z: z * z,
    "reciprocal": lambda z: 1 / z,
    "logistic": lambda z: 1 / (1 + mpmath.exp(-z)),
    "abs": abs,
}
BINARY = {
    "multiply": lambda z, w: z * w,
    "divide": lambda z, w: z / w,
    "power": lambda z, w: mpmath.exp(w * mpmath.log(z)),
}
DTYPES = (np.complex64, np.complex128)
#: Units in the last place of the result's magnitude.
LIMIT = 4.0
#: The exponent of a power, up to 700, is rounded to the width of the parts; complex64 is computed as complex128.
POWER_LIMITS = {np.complex64: 4.0, np.complex128: 700.0}

#: bits that e^z - 1 takes at 1e-300
PRECISION = 2200


def parts(dtype: type, special: bool) -> list[float]:
    if special:
        return [0.0, -0.0, 1.0, -2.0, np.inf, -np.inf, np.nan]
    if dtype == np.complex64:
        return [-1e-30, 1e-20, 0.1, -1.0, 20.0, 88.9, -1e6, 1e20, 3e38]
    return [-1e-300, 1e-200, 0.1, -1.0, 20.0, 709.9, -1e6, 1e200, 1.7e308]


def complex_numbers(values: list[tuple[float, float]], dtype: type) -> np.ndarray:
    z = np.empty(len(values), dtype)
    z.real, z.imag = np.array(values).T
    return z


def table(dtype: type, special: bool) -> np.ndarray:
    return complex_numbers(list(itertools.product(parts(dtype, special), repeat=2)), dtype)


def pairs(dtype: type, special: bool) -> tuple[np.ndarray, np.ndarray]:
    """Bases and exponents: some of all combinations of four parts."""
    values = parts(dtype, special)
    rows = list(itertools.product(values, repeat=4))[:: 1 if special else 7]
    return tuple(complex_numbers([r[i : i + 2] for r in rows], dtype) for i in (0, 2))


def functions(library, numpy, names) -> dict:
    return {n: getattr(library.lax, n) if n in ("rsqrt", "logistic") else getattr(numpy, n) for n in names}


def applied(library, numpy, z, zs) -> dict:
    found = {n: f(z) for n, f in functions(library, numpy, UNARY).items()}
    return found | {n: f(*zs) for n, f in functions(library, numpy, BINARY).items()}


def computed(library, numpy, managers, special: bool, eagerly: bool = False) -> dict:
    """Results by function and dtype: one program for each dtype, or each function by itself."""
    results = {}
    for dtype in DTYPES:

        def everything(z, zs):
            return applied(library, numpy, z, zs)

        with np.errstate(all="ignore"), managers(True):
            arguments = [numpy.asarray(z) for z in (table(dtype, special), *pairs(dtype, special))]
            found = (everything if eagerly else library.jit(everything))(arguments[0], arguments[1:])
            results |= {(n, dtype): np.asarray(y) for n, y in found.items()}
    return results


@pytest.fixture(scope="module")
def ours() -> dict:
    """Results by (eager or not, special or finite table)."""
    return {
        (eagerly, special): computed(jax, jnp, enable_x64, special, eagerly)
        for eagerly in (False, True)
        for special in (False, True)
    }


@pytest.fixture(scope="module")
def theirs() -> dict:
    return computed(oracle, oracle_numpy, oracle.enable_x64, True)


@pytest.fixture(scope="module")
def exact() -> dict:
    """What is finite and no denormal number, by function and dtype: positions and values."""
    found = {}
    with mpmath.workprec(PRECISION):
        for dtype in DTYPES:
            info = np.finfo(dtype)
            arguments = {n: [(mpmath.mpc(complex(v)),) for v in table(dtype, False)] for n in UNARY}
            z, w = pairs(dtype, False)
            arguments |= {n: [(mpmath.mpc(complex(a)), mpmath.mpc(complex(b))) for a, b in zip(z, w)] for n in BINARY}
            for name, function in (UNARY | BINARY).items():
                values = [(i, function(*v)) for i, v in enumerate(arguments[name]) if is_moderate(name, *v)]
                found[name, dtype] = [(i, v) for i, v in values if info.tiny * 4 < abs(v) < info.max]
    return found


def is_moderate(name: str, z: mpmath.mpc, w: mpmath.mpc = 0) -> bool:
    """Whether mpmath should be asked: not for the exponential of 1e300, nor for the sine of such an exponent."""
    size = abs(mpmath.re(w * mpmath.log(z))) + abs(mpmath.im(w * mpmath.log(z))) if name == "power" else 0
    if name in ("exp", "expm1", "sinh", "cosh", "tanh", "logistic"):
        size = abs(mpmath.re(z))
    if name in ("sin", "cos", "tan"):
        size = abs(mpmath.im(z))
    return size < (700 if name == "power" else 3000)


def error(y: complex, value: mpmath.mpc, dtype: type) -> float:
    """In units in the last place of the result's magnitude; denormal parts may be zero."""
    if not np.isfinite(y):
        return np.inf
    off = max(0, abs(mpmath.mpc(complex(y)) - value) - 2 * float(np.finfo(dtype).tiny))
    return float(off / abs(value) / float(np.finfo(dtype).eps))


@pytest.mark.parametrize("eagerly", [False, True], ids=["compiled", "eager"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [*UNARY, *BINARY])
def test_values(ours, exact, name, dtype, eagerly):
    y = ours[eagerly, False][name, dtype]
    limit = POWER_LIMITS[dtype] if name == "power" else LIMIT
    with mpmath.workprec(PRECISION):
        errors = {i: error(y[i], value, dtype) for i, value in exact[name, dtype]}
    assert len(errors) > 5
    assert {i: e for i, e in errors.items() if e > limit} == {}


def kinds(z: np.ndarray, rough: bool) -> np.ndarray:
    """NaN, infinities, zeros and other numbers by their signs, of both parts; roughly: with what is nearly zero as zero."""
    parts = np.stack([z.real, z.imag])
    with np.errstate(invalid="ignore"):
        nearly = rough & (np.abs(parts) < 1e-6 * np.where(np.isfinite(z), np.abs(z), 1))
    sign = np.where(np.signbit(parts), -1, 1)
    zero = 0 if rough else sign
    return np.select([np.isnan(parts), np.isinf(parts), (parts == 0) | nearly], [9, 3 * sign, zero], 2 * sign)


#: Where XLA takes the cosine of pi/2 in a polar form for -4e-8, or has the zero's sign of a sum.
ROUGH = {"rsqrt", "power", "logistic", "divide", "reciprocal"}


@pytest.mark.parametrize("eagerly", [False, True], ids=["compiled", "eager"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [*UNARY, *BINARY])
def test_zeros_infinities_and_nan(ours, theirs, name, dtype, eagerly):
    y, wanted = ours[eagerly, True][name, dtype], theirs[name, dtype]
    if name == "divide":  # XLA's quotients of numbers with both an infinite and a NaN part are infinite
        dividend = pairs(dtype, True)[0]
        kept = ~(np.isinf(dividend) & np.isnan(dividend))
        y, wanted = y[kept], wanted[kept]
    of_ours, of_theirs = (kinds(z, name in ROUGH) for z in (y, wanted))
    where = np.flatnonzero((of_ours != of_theirs).any(0))
    assert [(y[i], wanted[i]) for i in where] == []


#: Those whose derivative is taken from the result saturate with it, as in JAX.
DIFFERENTIATED = [n for n in UNARY if n not in ("sign", "abs", "expm1", "tan", "tanh", "logistic")]


@pytest.mark.parametrize("eagerly", [False, True], ids=["compiled", "eager"])
def test_derivatives(eagerly):
    """Against central differences with 300 digits."""
    values = list(itertools.product([-1e-10, 1e-3, 0.5, -1.5, 8.0, -40.0, 1e4, 1e10], repeat=2))
    z = jnp.asarray(complex_numbers(values, np.complex64))

    def slopes(z):
        ones = jnp.ones_like(z)
        return {n: jax.jvp(f, (z,), (ones,))[1] for n, f in functions(jax, jnp, DIFFERENTIATED).items()}

    found = {n: np.asarray(y) for n, y in (slopes if eagerly else jax.jit(slopes))(z).items()}
    errors = {}
    with mpmath.workprec(1000):
        for i, x in enumerate(mpmath.mpc(complex(v)) for v in np.asarray(z)):
            step = mpmath.mpf(2) ** -300 * abs(x)
            for name in DIFFERENTIATED:
                value = (UNARY[name](x + step) - UNARY[name](x - step)) / (2 * step)
                if 1e-34 < abs(value) < 1e34:
                    errors[name, i] = error(found[name][i], value, np.complex64)
    assert len(errors) > 1000
    assert {k: e for k, e in errors.items() if e > LIMIT} == {}


def test_products_and_extremes_along_an_axis():
    z = complex_numbers([(1, 2), (1, -2), (-3, 1), (3, 0), (1, 2), (2, 0), (3, -1)], np.complex64)
    z = jnp.asarray(z)
    functions = {
        "cumprod": jnp.cumprod,
        "cummax": jax.lax.cummax,
        "cummin": lambda z: jax.lax.cummin(z, reverse=True),
        "cast": lambda z: jax.lax.bitcast_convert_type(z, np.complex64),
        "max": lambda z: jnp.max(jnp.stack([z, z.at[3].set(np.nan)]), 1),
    }
    results = jax.jit(lambda z: {n: f(z) for n, f in functions.items()})(z)
    wanted = {
        "cumprod": np.cumprod(np.asarray(z)),
        "cummax": np.maximum.accumulate(np.asarray(z)),
        "cummin": np.minimum.accumulate(np.asarray(z)[::-1])[::-1],
        "cast": z,
        "max": [3, complex(np.nan, np.nan)],
    }
    for name, function in functions.items():
        np.testing.assert_allclose(results[name], wanted[name], rtol=1e-6, err_msg=name)
        np.testing.assert_allclose(function(z), wanted[name], rtol=1e-6, err_msg=name)
    with pytest.raises(TypeError, match="does not support bool or complex values"):
        jax.lax.bitcast_convert_type(z, np.int32)
