"""`jet`: against JAX, and of every row of the table against the polynomial that values along a curve lie on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import sable
import sable.numpy as jnp
from sable.experimental.jet import fact, jet, zero_series
from sable.ir.op import OPS, NumpyBuilder, Op, interpret
from sable.passes.jet import Series, SeriesBuilder
from sable.passes.jet import jet as run_jet

from ..dialects.ops.test_functions import NAMES, case
from ..dialects.ops.test_second_order import ONCE
from ..dialects.ops.test_table import differentiable, every_differentiable_sample, is_inexact, random_like, wide_sample

ORDER = 3
#: Points of a curve, on both sides, and how far they are from each other.
SIDE, STEP = 4, 0.005
#: Relative to the largest coefficient: some functions are known to 1e-12, which the third difference divides by STEP^3.
TOLERANCE = 1e-4


def coefficients(values_at: Callable[[float], Sequence[np.ndarray]], step: float = STEP) -> list[list[np.ndarray]]:
    """Of each result along a curve: those of the polynomial through 9 points of it."""
    points = np.arange(-SIDE, SIDE + 1)
    rows = zip(*[values_at(step * s) for s in points])
    inverse = np.linalg.inv(np.vander(points.astype(float), increasing=True))
    found = []
    for row in rows:
        fitted = np.tensordot(inverse, np.stack([np.asarray(y) for y in row]), 1)
        found.append([fitted[k] / step**k for k in range(ORDER + 1)])
    return found


def curves(operands: Sequence[Any], active: Sequence[int]) -> list[list[np.ndarray]]:
    """Small terms, so that the curve stays where the function is smooth."""
    return [
        [0.3**k * random_like(np.asarray(x), 31 * k + i) for k in range(1, ORDER + 1)] if i in active else []
        for i, x in enumerate(operands)
    ]


def along(operands: Sequence[Any], terms: list[list[np.ndarray]], s: float) -> list[Any]:
    return [
        np.asarray(x + sum(t * s ** (k + 1) for k, t in enumerate(ts))) if ts else x for x, ts in zip(operands, terms)
    ]


def assert_coefficients(
    series: Sequence[Series], values_at: Callable[[float], Sequence[np.ndarray]], step: float = STEP
) -> None:
    """Where the curve is smooth: there half the step gives the same polynomial. If it is nowhere, closer."""
    for y, want, again in zip(series, coefficients(values_at, step), coefficients(values_at, step / 2), strict=True):
        if not is_inexact(want[0] if y.constant else np.asarray(y[0])):
            continue
        for k in range(1, ORDER + 1):
            got = np.zeros(want[k].shape) if y[k] is None else np.asarray(y[k])
            scale = np.maximum(1.0, np.abs(np.stack(want)).max(0))
            smooth = np.abs(want[k] - again[k]) <= TOLERANCE * scale
            if 2 * smooth.sum() < smooth.size:
                assert step > STEP / 10
                return assert_coefficients(series, values_at, step / 4)
            np.testing.assert_array_less((np.abs(got - want[k]) / scale)[smooth], 2 * TOLERANCE)
    return None


@every_differentiable_sample
def test_every_op(op: Op, i: int) -> None:
    operands, params = wide_sample(op, i)
    active = [k for k in differentiable(op, operands) if (op.name, op.operand_name(k)) not in ONCE]
    terms = curves(operands, active)
    series = [Series([np.asarray(x), *ts]) for x, ts in zip(operands, terms)]

    def values(s: float) -> list[np.ndarray]:
        out = op.ref(*along(operands, terms, s), **params)
        return list(out) if op.multiple_results else [out]

    out = SeriesBuilder(NumpyBuilder(), ORDER).bind(op, *series, **params)
    assert_coefficients(out if op.multiple_results else [out], values)


@pytest.mark.parametrize("name", [n for n in NAMES if OPS[n].rules.forward])
def test_ops_that_name_functions(name: str) -> None:
    function, operands = case(name, 0)
    terms = curves(operands, [k for k, x in enumerate(operands) if is_inexact(np.asarray(x))])
    b = NumpyBuilder()
    series = [Series([np.asarray(x), *ts]) for x, ts in zip(operands, terms)]
    out = run_jet(function, series, SeriesBuilder(b, ORDER))

    assert_coefficients(out, lambda s: interpret(function, along(operands, terms, s), b))


def programs(n: ModuleType) -> Callable:
    """Of two matrices."""
    return lambda x, y: {
        "circle": n.sin(x) * n.cos(y),
        "quotient of powers": (x + 3) ** y / (y + 3) ** -3,
        "products": x @ y.T @ x,
        "kinks": n.maximum(x, y) + n.abs(x) + n.where(x > 0, x * y, n.sin(y)),
        "reductions": (n.sum(n.exp(x)), n.max(x * y, axis=0)),
        "inverse functions": n.arctan2(x, y) + n.arcsinh(x),
        "joined": n.concatenate([x, x * y])[1:, 0] * x[0, 1],
        "cumulative": n.cumsum(x**2) + n.cumprod(y),
        "near zero": n.expm1(x) + n.log1p(y**2) + n.tanh(x),
        "no derivative": n.floor(x),
    }


def test_terms_are_those_of_jax() -> None:
    jax = pytest.importorskip("jax", reason="JAX is the oracle of these tests (it needs Python 3.11)")
    theirs = pytest.importorskip("jax.experimental.jet")
    r = np.random.default_rng(5)
    xs = [r.uniform(-1, 1, (2, 2)).astype(np.float32) for _ in range(2)]
    series = [[r.uniform(-1, 1, (2, 2)).astype(np.float32) for _ in range(3)] for _ in range(2)]
    wanted = jax.jit(lambda *given: theirs.jet(programs(jax.numpy), *given))(xs, series)
    found = jet(programs(jnp), xs, series)
    assert str(sable.tree.structure(found)) == str(jax.tree.structure(wanted))
    for x, y in zip(sable.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        assert x.dtype == y.dtype
        np.testing.assert_allclose(x, y, rtol=5e-5, atol=5e-5)


def test_terms_may_be_coefficients() -> None:
    _, derivatives = jet(jnp.exp, (0.5,), ([1.0, 0.6, 0.3],))
    _, coefficients = jet(jnp.exp, (0.5,), ([1.0, 0.3, 0.05],), factorial_scaled=False)
    np.testing.assert_allclose(np.array(coefficients) * [1, 2, 6], derivatives, rtol=1e-6)


def test_integers_have_terms_of_zero() -> None:
    value, terms = jet(lambda x: jnp.argmax(x), (jnp.array([1.0, 3.0]),), ([jnp.ones(2)],))
    assert value == 1 and terms == [0] and terms[0].dtype == np.int32


def test_loops_and_rules_of_users_compiled_and_differentiated() -> None:
    @sable.custom_jvp
    def own(x: Any) -> Any:
        return jnp.sin(x)

    own.defjvp(lambda p, t: (own(*p), jnp.cos(*p) * t[0]))

    def f(x: Any) -> Any:
        y, ys = sable.lax.scan(lambda c, a: (jnp.sin(c * a), c * c), x, jnp.array([1.0, 2.0, 0.5]))
        return y * ys[2] + sable.checkpoint(own)(x)

    def terms(x: Any) -> Any:
        return jnp.stack(jet(f, (x,), ([1.0, 0.0, 0.0],), factorial_scaled=False)[1])

    with sable.enable_x64(True):
        found, slopes = sable.jit(lambda x: sable.jvp(terms, (x,), (1.0,)))(0.7)
        (wanted,) = coefficients(lambda s: [f(0.7 + s)])
    found, slopes = np.asarray(found), np.asarray(slopes)
    np.testing.assert_allclose(found, wanted[1:], rtol=1e-5)
    np.testing.assert_allclose(slopes[:2], [2 * found[1], 3 * found[2]], rtol=1e-10)


def test_branches_and_loops_of_unknown_length() -> None:
    def f(x: Any) -> Any:
        z = sable.lax.while_loop(lambda s: s[0] < 2, lambda s: (s[0] + 1, s[1] * jnp.exp(x * s[1])), (0, 0.3))[1]
        return sable.lax.cond(x > 0, jnp.exp, jnp.cos, z)

    with sable.enable_x64(True):
        found = sable.jit(lambda x: jet(f, (x,), ([1.0, 0.0],), factorial_scaled=False)[1])(0.7)
        (wanted,) = coefficients(lambda s: [f(0.7 + s)])
    np.testing.assert_allclose(found, wanted[1:3], rtol=1e-5)


def test_work_grows_with_the_square_of_the_order() -> None:
    def multiplications(order: int) -> int:
        text = str(sable.make_jaxpr(lambda x: jet(jnp.sin, (x,), ([1.0] * order,)))(0.5))
        return text.count(" mul ")

    # of sine and cosine, each product and its factors
    assert multiplications(8) < 150


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match="jet terms have inconsistent lengths for different arguments"):
        jet(jnp.add, (1.0, 2.0), ([1.0], [1.0, 2.0]))
    with pytest.raises(ValueError, match="primal value at position 0 is not an array"):
        jet(lambda x: x[0], ((1.0,),), ([1.0],))
    with pytest.raises(ValueError, match="term 1 for argument 0 is not an array"):
        jet(jnp.sin, (1.0,), ([1.0, "a"],))
    with pytest.raises(ValueError, match=r"term 0 for argument 0 has shape \(2,\), but the primal value has \(\)"):
        jet(jnp.sin, (1.0,), ([jnp.ones(2)],))


def test_arguments_that_do_not_move() -> None:
    value, terms = jet(lambda x, y: x * y, (2.0, 3.0), ([1.0, 0.0], zero_series))
    assert (value, terms) == (6.0, [3.0, 0.0])
    assert fact(5) == 120
