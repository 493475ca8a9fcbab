"""Convolutions against JAX: values, dtypes, derivatives, batches and error classes; compiled against eager."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sable
import sable.numpy as jnp
from sable import lax

from ..numpy.oracle import check


def floats(*shape: int, dtype: Any = np.float32) -> np.ndarray:
    return np.random.default_rng(sum(shape)).uniform(-2, 2, shape).astype(dtype)


F = floats
NHWC = ("NHWC", "HWIO", "NHWC")
CASES: dict[str, tuple] = {
    "conv same": (lambda j, x, w: j.lax.conv(x, w, (1, 2), "SAME"), F(2, 3, 5, 6), F(4, 3, 2, 3)),
    "conv valid": (lambda j, x, w: j.lax.conv(x, w, (2, 1), "VALID"), F(2, 3, 5, 6), F(4, 3, 2, 3)),
    "same lower": (
        lambda j, x, w: j.lax.conv_general_dilated(x, w, (2, 1), "SAME_LOWER", rhs_dilation=(1, 2)),
        F(2, 3, 5, 6),
        F(4, 3, 2, 2),
    ),
    "general padding": (
        lambda j, x, w: j.lax.conv_with_general_padding(x, w, (2,), ((2, -1),), (3,), (2,)),
        F(2, 3, 5),
        F(4, 3, 2),
    ),
    "layouts": (
        lambda j, x, w: j.lax.conv_general_dilated(
            x, w, (2, 1), "SAME", dimension_numbers=("CWNH", "HIOW", "HNWC"), rhs_dilation=(1, 2)
        ),
        F(3, 6, 2, 5),
        F(2, 3, 4, 3),
    ),
    "feature groups": (
        lambda j, x, w: j.lax.conv_general_dilated(x, w, (1, 1), "SAME", dimension_numbers=NHWC, feature_group_count=3),
        F(2, 5, 5, 3),
        F(3, 3, 1, 6),
    ),
    "batch groups": (
        lambda j, x, w: j.lax.conv_general_dilated(x, w, (2,), [(1, 0)], (2,), (2,), batch_group_count=2),
        F(4, 3, 6),
        F(4, 3, 2),
    ),
    "matrices": (lambda j, x, w: j.lax.conv_general_dilated(x, w, (), []), F(2, 3), F(4, 3)),
    "transpose same": (lambda j, x, w: j.lax.conv_transpose(x, w, (2, 3), "SAME"), F(2, 4, 3, 3), F(3, 2, 3, 5)),
    "transpose valid": (
        lambda j, x, w: j.lax.conv_transpose(x, w, (3,), "VALID", rhs_dilation=(2,)),
        F(2, 4, 3),
        F(3, 3, 5),
    ),
    "transpose kernel": (
        lambda j, x, w: j.lax.conv_transpose(x, w, (2, 1), ((1, 2), (0, 1)), transpose_kernel=True),
        F(2, 4, 3, 3),
        F(3, 2, 5, 3),
    ),
    "transpose consistent": (
        lambda j, x, w: j.lax.conv_transpose(x, w, (2, 1), ((1, 2), (0, 1)), use_consistent_padding=True),
        F(2, 4, 3, 3),
        F(3, 2, 3, 5),
    ),
    "patches": (
        lambda j, x, w: w * j.lax.conv_general_dilated_patches(x, (2, 3), (1, 2), "SAME", dimension_numbers=NHWC),
        F(2, 4, 5, 3),
        F(1),
    ),
}
ONLY_VALUES: dict[str, tuple] = {
    "half": (
        lambda j, x, w: j.lax.conv(x, w, (1,), "SAME"),
        F(2, 3, 5, dtype=np.float16),
        F(4, 3, 2, dtype=np.float16),
    ),
    "preferred": (
        lambda j, x, w: j.lax.conv(x, w, (1,), "SAME", preferred_element_type=np.float32),
        F(2, 3, 5, dtype=np.float16),
        F(4, 3, 2, dtype=np.float16),
    ),
    "integers": (
        lambda j, x, w: j.lax.conv(x, w, (1,), "SAME", preferred_element_type=np.int32),
        F(2, 3, 5).astype(np.int8),
        F(4, 3, 2).astype(np.int8),
    ),
    "complex": (
        lambda j, x, w: j.lax.conv(x, 1j * w, (1,), "SAME", precision="highest"),
        F(2, 3, 5).astype(np.complex64),
        F(4, 3, 2).astype(np.complex64),
    ),
    "empty batch": (lambda j, x, w: j.lax.conv(x, w, (1,), "SAME"), F(0, 3, 5), F(4, 3, 2)),
    "small input": (lambda j, x, w: j.lax.conv(x, w, (1,), "VALID"), F(2, 3, 1), F(4, 3, 2)),
    "numbers": (
        lambda j, x, w: x.sum() + sum(j.lax.conv_dimension_numbers((1, 8, 8, 3), (3, 3, 3, 4), NHWC), ())[3],
        F(2),
        F(1),
    ),
}
ERRORS = {
    "ranks": lambda j, x, w: j.lax.conv(x, w[0], (1,), "SAME"),
    "dtypes": lambda j, x, w: j.lax.conv(x, w.astype("int32"), (1,), "SAME"),
    "features": lambda j, x, w: j.lax.conv(x[:, :2], w, (1,), "SAME"),
    "strides": lambda j, x, w: j.lax.conv_general_dilated(x, w, (1, 1), [(0, 0)]),
    "padding": lambda j, x, w: j.lax.conv_general_dilated(x, w, (1,), [1]),
    "padding name": lambda j, x, w: j.lax.conv(x, w, (1,), "FULL"),
    "dilated by name": lambda j, x, w: j.lax.conv_general_dilated(x, w, (1,), "SAME", (2,)),
    "groups": lambda j, x, w: j.lax.conv_general_dilated(x, w, (1,), "SAME", feature_group_count=2),
    "both groups": lambda j, x, w: j.lax.conv_general_dilated(
        x, w[:, :1], (1,), "SAME", feature_group_count=3, batch_group_count=2
    ),
    "letters": lambda j, x, w: j.lax.conv_general_dilated(x, w, (1,), "SAME", dimension_numbers=("NCH", "OIW", "NCH")),
    "no feature": lambda j, x, w: j.lax.conv_general_dilated(
        x, w, (1,), "SAME", dimension_numbers=("NXH", "OIH", "NCH")
    ),
    "negative": lambda j, x, w: j.lax.conv_general_dilated(x, w, (1,), [(-9, 0)]),
}


@pytest.mark.parametrize("name", [*CASES, *ONLY_VALUES])
def test_values(name: str) -> None:
    program, *arrays = {**CASES, **ONLY_VALUES}[name]
    check(program, *arrays, rtol=2e-3 if name == "half" else 1e-5, atol=2e-2 if name == "half" else 1e-5)


@pytest.mark.parametrize("name", list(CASES))
def test_gradients_second_order_and_batches(name: str) -> None:
    program, x, w = CASES[name]

    def derivatives(j: Any, x: Any, w: Any) -> Any:
        def loss(x: Any, w: Any) -> Any:
            return (program(j, x, w) ** 2).sum()

        def directional(x: Any, w: Any) -> Any:
            return j.jvp(j.grad(loss, (0, 1)), (x, w), (w.sum() * x, w))[1]

        xs, ws = j.numpy.stack([x, 2 * x, -x]), j.numpy.stack([w, -w, w + 1])
        return (
            j.grad(loss, (0, 1))(x, w),
            directional(x, w),
            j.vmap(lambda x, w: program(j, x, w))(xs, ws),
            j.vmap(j.grad(loss), (0, None))(xs, w),
            j.vmap(j.grad(loss, 1), (None, 2))(x, j.numpy.moveaxis(ws, 0, -1).transpose(*_third(w.ndim))),
        )

    # JAX compiles the whole, which is quicker than op by op; we evaluate
    check(lambda j, x, w: (derivatives if j is sable else j.jit(derivatives, static_argnums=0))(j, x, w), x, w, **LOOSE)


#: Second derivatives are sums of hundreds of products.
LOOSE = {"rtol": 2e-4, "atol": 2e-2}


def _third(rank: int) -> tuple[int, ...]:
    """An order of axes that brings the last one of rank + 1 to place 2, or to the end of fewer."""
    order = list(range(rank))
    order.insert(min(2, rank), rank)
    return tuple(order)


@pytest.mark.parametrize("name", list(ERRORS))
def test_errors(name: str) -> None:
    check(ERRORS[name], F(2, 3, 5), F(4, 3, 2))


def test_compiled_values_and_gradients_agree_with_eager_ones() -> None:
    """All programs in one: f64 too, whose gradients IREE refuses in some layouts."""
    programs = [(p, x.astype(t), w.astype(t)) for p, x, w in CASES.values() for t in (np.float32, np.float64)]

    def all_of_them(arrays: Any) -> Any:
        found = []
        for (program, _, _), (x, w) in zip(programs, arrays):
            y, pull = sable.vjp(lambda x, w, program=program: program(sable, x, w), x, w)
            found.append((y, pull(jnp.cos(y))))
        return found

    with sable.enable_x64(True):
        arrays = [(jnp.asarray(x), jnp.asarray(w)) for _, x, w in programs]
        for (_, x, _), eager, compiled in zip(programs, all_of_them(arrays), sable.jit(all_of_them)(arrays)):
            rtol = 1e-4 if x.dtype == np.float32 else 1e-11
            for one, other in zip(sable.tree.leaves(eager), sable.tree.leaves(compiled)):
                assert one.dtype == other.dtype == x.dtype
                np.testing.assert_allclose(one, other, rtol=rtol, atol=rtol * 10)


def test_a_convolution_in_a_loop() -> None:
    kernel = jnp.asarray(F(3, 3, 3))

    def blurred(x: Any) -> Any:
        def step(x: Any, _: Any) -> Any:
            return jnp.tanh(lax.conv(x, kernel, (1,), "SAME")), x.sum()

        return lax.scan(step, x, None, length=4)

    x = jnp.asarray(F(2, 3, 6))
    grad = sable.grad(lambda x: blurred(x)[0].sum())
    np.testing.assert_allclose(grad(x), sable.jit(grad)(x), rtol=1e-4, atol=1e-5)
    step, sums = x, []
    for _ in range(4):
        sums.append(step.sum())
        step = jnp.tanh(lax.conv(step, kernel, (1,), "SAME"))
    out, found = sable.jit(blurred)(x)
    np.testing.assert_allclose(out, step, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found, sums, rtol=1e-4, atol=1e-5)


SHAPES = [
    lambda lax: lax.conv_shape_tuple((1, 2, 5, 6), (3, 2, 2, 2), (1, 2), "SAME"),
    lambda lax: lax.conv_shape_tuple((4, 2, 5, 5), (3, 2, 9, 2), (1, 1), [(0, 0), (1, -1)], 2),
    lambda lax: lax.conv_general_shape_tuple((1, 2, 5, 5), (3, 2, 2, 2), (1, 1), "VALID", ("NCHW", "OIHW", "NHWC")),
    lambda lax: lax.conv_transpose_shape_tuple((1, 2, 5, 5), (2, 3, 2, 4), (2, 1), "SAME", ("NCHW", "IOHW", "NHWC")),
    lambda lax: lax.conv_transpose_shape_tuple((1, 2, 5, 5), (2, 3, 2, 2), (2, 1), "VALID", ("NCHW", "IOHW", "NCHW")),
    lambda lax: lax.conv_transpose_shape_tuple(
        (1, 2, 5, 5), (2, 3, 2, 2), (2, 1), ((0, 1), (1, 1)), ("NCHW", "IOHW", "NCHW")
    ),
]


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_of_results(shape: Any) -> None:
    oracle = pytest.importorskip("jax")
    found = shape(sable.lax)
    assert all(type(n) is int for n in found)
    assert found == tuple(shape(oracle.lax))


def test_shapes_that_there_are_not() -> None:
    with pytest.raises(TypeError, match="Wrong number of explicit pads"):
        sable.lax.conv_shape_tuple((1, 2, 5, 5), (3, 2, 2, 2), (1, 1), [(0, 0)])
    with pytest.raises(ValueError, match="Negative padding"):
        sable.lax.conv_shape_tuple((1, 2, 5, 5), (3, 2, 2, 2), (1, 1), [(-9, 0), (0, 0)])
