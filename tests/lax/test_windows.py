"""Reductions and windows by any function against JAX: values, derivatives, batches, errors; compiled against eager."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sable
import sable.numpy as jnp
from sable import lax
from sable.lax.windows import select_and_scatter
from sable.passes.lower import lower

from ..numpy.oracle import check


def floats(*shape: int, dtype: Any = np.float32, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(sum(shape) + seed).uniform(0.5, 2, shape).astype(dtype)


def norm(j: Any) -> Any:
    return lambda x, y: j.numpy.sqrt(x * x + y * y)


def both(x: tuple, y: tuple) -> tuple:
    return x[0] + y[0] + 0.5 * x[0] * y[0], x[1] * y[1]


F = floats
#: program of (module, array), and an array
CASES: dict[str, tuple] = {
    "sum": (lambda j, x: j.lax.reduce_window(x, 0.0, j.lax.add, (2, 3), (1, 2)), F(4, 7)),
    "sum dilated": (
        lambda j, x: j.lax.reduce_window(x, 0.0, j.lax.add, (2, 2), None, [(1, 0), (-1, 2)], (2, 3), (3, 1)),
        F(4, 5),
    ),
    "max": (lambda j, x: j.lax.reduce_window(x, -np.inf, j.lax.max, (2, 2), (2, 2), "SAME_LOWER"), F(5, 7)),
    "max of ties": (lambda j, x: j.lax.reduce_window(x.round(), -np.inf, j.lax.max, (3,), (1,), "SAME") * x, F(9)),
    "min": (lambda j, x: j.lax.reduce_window(x, np.inf, j.lax.min, (1, 2, 2)), F(2, 5, 4)),
    "average pool": (
        lambda j, x: (
            j.lax.reduce_window(x, 0.0, j.lax.add, (1, 2, 2, 1), (1, 2, 2, 1), "SAME")
            / j.lax.reduce_window(j.numpy.ones_like(x), 0.0, j.lax.add, (1, 2, 2, 1), (1, 2, 2, 1), "SAME")
        ),
        F(1, 5, 4, 2),
    ),
    "reduce norm": (lambda j, x: j.lax.reduce(x, 0.0, norm(j), (0, 2)), F(3, 2, 4)),
    "reduce product of lambda": (lambda j, x: j.lax.reduce(x, 1.0, lambda a, b: a * b, (1,)), F(3, 4)),
    "reduce max of lambda": (lambda j, x: j.lax.reduce(x, -np.inf, lambda a, b: j.numpy.maximum(a, b), (0,)), F(3, 4)),
    "reduce two": (lambda j, x: j.lax.reduce((x, x + 1), (0.0, 1.0), both, (0,)), F(5, 2)),
}
#: forward mode only in JAX, or no derivative at all
ONLY_VALUES: dict[str, tuple] = {
    "sum of lambda": (lambda j, x: j.lax.reduce_window(x, 0.0, lambda a, b: b + a, (3,), (2,), "SAME"), F(8)),
    "min dilated": (
        lambda j, x: j.lax.reduce_window(x, np.inf, j.lax.min, (1, 2, 2), window_dilation=(1, 2, 1)),
        F(2, 5, 4),
    ),
    "product": (lambda j, x: j.lax.reduce_window(x, 1.0, j.lax.mul, (2, 3), (2, 1), "SAME"), F(4, 7)),
    "norm": (lambda j, x: j.lax.reduce_window(x, 0.0, norm(j), (2, 3), (1, 2)), F(4, 7)),
    "two": (lambda j, x: j.lax.reduce_window((x, 2 * x), (0.0, 1.0), both, (2,), (2,)), F(7)),
    "closure": (lambda j, x: j.lax.reduce(x, 0.0, lambda a, b: a + b + j.numpy.float32(0), (0,)), F(3, 2)),
    "large window": (lambda j, x: j.lax.reduce_window(x, 0.0, norm(j), (37,), (3,)), F(64)),
    "integers": (lambda j, x: j.lax.reduce_window(x, 0, j.lax.add, (3,), (1,), "SAME"), np.arange(9, dtype=np.int32)),
    "half": (lambda j, x: j.lax.reduce_window(x, 0.0, j.lax.add, (30,)), F(64, dtype=np.float16)),
    "no window": (lambda j, x: j.lax.reduce_window(x, 0.0, j.lax.add, (9,)), F(4)),
    "empty": (lambda j, x: j.lax.reduce_window(x, 0.0, j.lax.add, (1, 2)), F(0, 4)),
    "other start": (lambda j, x: j.lax.reduce_window(x, 1.0, j.lax.add, (2,)), F(4)),
    "complex": (
        lambda j, x: j.lax.reduce_window(x, j.numpy.complex64(0), j.lax.add, (2,)),
        (F(5) + 1j * F(5)).astype(np.complex64),
    ),
}
#: Those whose function is not known, so that evaluating them means compiling them.
BY_FUNCTION = {"reduce norm", "reduce two", "product", "norm", "two", "closure", "large window", "other start"}
ERRORS = {
    "entries": lambda j, x: j.lax.reduce_window(x, 0.0, j.lax.add, (2,)),
    "structure": lambda j, x: j.lax.reduce_window((x, x), 0.0, j.lax.add, (2, 2)),
    "start": lambda j, x: j.lax.reduce(x, x, norm(j), (0,)),
    "dimensions": lambda j, x: j.lax.reduce(x, 0.0, norm(j), (0, 0)),
}


@pytest.mark.parametrize("name", [*CASES, *ONLY_VALUES])
def test_values(name: str) -> None:
    program, x = {**CASES, **ONLY_VALUES}[name]
    check(program, x, rtol=2e-3 if name == "half" else 1e-5, atol=1e-5)


@pytest.mark.parametrize("name", list(CASES))
def test_gradients_second_order_and_batches(name: str) -> None:
    program, x = CASES[name]

    def derivatives(j: Any, x: Any) -> Any:
        def loss(x: Any) -> Any:
            return sum((y**2).sum() for y in j.tree.leaves(program(j, x)))

        xs = j.numpy.stack([x, 2 * x, x * x])
        return (
            j.grad(loss)(x),
            j.jvp(j.grad(loss), (x,), (x * x,))[1],
            j.vmap(lambda x: program(j, x))(xs),
            j.vmap(j.grad(loss))(xs),
        )

    # JAX compiles the whole, which is quicker than op by op; we evaluate what NumPy can
    def program_of(j: Any, x: Any) -> Any:
        return derivatives(j, x) if j is sable and "reduce" not in name else j.jit(derivatives, static_argnums=0)(j, x)

    check(program_of, x, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("name", ["norm", "two", "product"])
def test_forward_mode_agrees_with_reverse_mode(name: str) -> None:
    program, x = ONLY_VALUES[name]
    x = jnp.asarray(x)

    def loss(x: Any) -> Any:
        return sum((y**2).sum() for y in sable.tree.leaves(program(sable, x)))

    t = jnp.cos(x)
    forward = sable.jvp(loss, (x,), (t,))[1]
    np.testing.assert_allclose((sable.grad(loss)(x) * t).sum(), forward, rtol=1e-5)
    check(lambda j, x: j.jvp(lambda x: program(j, x), (x,), (j.numpy.cos(x),))[1], np.asarray(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", list(ERRORS))
def test_errors(name: str) -> None:
    x = floats(3, 4)
    with pytest.raises((ValueError, TypeError)):
        ERRORS[name](sable, jnp.asarray(x))


def test_a_computation_that_closes_over_a_traced_value_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="closes over a traced value"):
        sable.jit(lambda x, y: lax.reduce(x, 0.0, lambda a, b: a + y * b, (0,)))(jnp.ones(3), 2.0)


def test_a_computation_may_close_over_arrays() -> None:
    weight = jnp.array([2.0, 3.0])
    found = lax.reduce(jnp.array([1.0, 2.0]), 1.0, lambda a, b: a * b * weight[1], (0,))
    np.testing.assert_allclose(found, 18.0)


def test_known_functions_are_known_by_what_they_do() -> None:
    text = sable.jit(lambda x: lax.reduce(x, 0.0, lambda a, b: b + a, (0,))).lower(jnp.ones(3)).as_text()
    assert "applies stablehlo.add" in text


def test_compiled_values_and_gradients_agree_with_evaluated_ones() -> None:
    """All that NumPy evaluates, in one program."""
    programs = [(p, jnp.asarray(x)) for name, (p, x) in {**CASES, **ONLY_VALUES}.items() if name not in BY_FUNCTION]

    def all_of_them(arrays: Any) -> Any:
        found = []
        for (program, _), x in zip(programs, arrays):
            found.append(program(sable, x))
            if x.dtype == np.float32 and x.size:
                found.append(sable.grad(lambda x, program=program: (program(sable, x) ** 2).sum())(x))
        return found

    arrays = [x for _, x in programs]
    for one, other in zip(all_of_them(arrays), sable.jit(all_of_them)(arrays), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=2e-3 if one.dtype == np.float16 else 1e-4, atol=1e-4)


def test_in_a_loop() -> None:
    image = jnp.asarray(floats(1, 4, 3, 1))

    def step(x: Any, _: Any) -> Any:
        pooled = lax.reduce_window(x, -np.inf, lax.max, (1, 3, 3, 1), None, "SAME")
        return 0.9 * pooled, lax.reduce(pooled, 0.0, norm(sable), (2,))

    def loop(x: Any) -> Any:
        return lax.scan(step, x, None, length=2)

    def unrolled(x: Any) -> Any:
        ys = []
        for _ in range(2):
            x, y = step(x, None)
            ys.append(y)
        return x, jnp.stack(ys)

    def both_ways(x: Any) -> Any:
        gradients = [sable.grad(lambda x, f=f: f(x)[1].sum())(x) for f in (loop, unrolled)]
        return (loop(x), gradients[0]), (unrolled(x), gradients[1])

    one, other = sable.jit(both_ways)(image)
    for x, y in zip(sable.tree.leaves(one), sable.tree.leaves(other), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-6)


def test_select_and_scatter_is_the_gradient_of_a_maximum() -> None:
    x, ct = jnp.asarray(floats(2, 6, 5)), jnp.asarray(floats(2, 3, 2, seed=1))
    window = ((1, 2, 3), (1, 2, 2))

    def largest(x: Any) -> Any:
        return lax.reduce_window(x, -np.inf, lax.max, *window)

    wanted = sable.vjp(largest, x)[1](ct)[0]
    for run in (lambda f: f, sable.jit):
        found = run(lambda x, ct: select_and_scatter(x, lax.ge, *window, "VALID", ct, 0.0, lax.add))(x, ct)
        np.testing.assert_allclose(found, wanted, rtol=1e-6)
    mapped = sable.vmap(lambda x, ct: select_and_scatter(x, lax.ge, (2, 3), (2, 2), "VALID", ct, 0.0, lax.add))(x, ct)
    np.testing.assert_allclose(mapped, wanted, rtol=1e-6)
    pulled = sable.vjp(lambda ct: select_and_scatter(x, lax.ge, *window, "VALID", ct, 0.0, lax.add), ct)[1](x)[0]
    np.testing.assert_allclose(pulled, largest(x), rtol=1e-6)


@pytest.mark.parametrize("combine", [lax.add, lambda x, y: x + y + 0.0], ids=["sum", "stepwise"])
def test_select_and_scatter_of_large_windows(combine: Any) -> None:
    """Values where windows overlap; the program does not grow with the window but for the doubling."""
    x, ct = np.random.default_rng(0).permutation(15 * 12).reshape(15, 12).astype(np.float32), floats(7, 6)
    wanted = np.zeros_like(x)
    for i, j in np.ndindex(ct.shape):
        k, m = np.unravel_index(x[i : i + 9, j : j + 7].argmax(), (9, 7))
        wanted[i + k, j + m] += ct[i, j]

    def run(x: Any, ct: Any, *window: int) -> Any:
        return select_and_scatter(x, lax.ge, window, (1, 1), "VALID", ct, 0.0, combine)

    np.testing.assert_allclose(sable.jit(lambda x, ct: run(x, ct, 9, 7))(x, ct), wanted, rtol=1e-5)
    large = sable.jit(lambda x, ct: run(x, ct, 100, 100)).lower(floats(120, 110), floats(21, 11))
    made = lower(large._traced.function, "cpu")
    assert 100 < made.module.operation.get_asm().count("\n") < 400
