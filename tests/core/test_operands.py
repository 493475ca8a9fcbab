"""Operand handling that all libraries share: axes, sizes, indices, powers."""

import numpy as np
import pytest

import sable.numpy as jnp
from sable.core.operands import (
    broadcast_operands,
    broadcast_shape,
    expand_to,
    integer_pow,
    normal_axes,
    normal_axis,
    position_of,
    shape_argument,
    wrapped,
)

INTEGERS = ("int8", "int16", "int32", "uint8", "uint16", "uint32")


def test_axes_are_counted_from_the_front():
    assert [normal_axis(a, 3) for a in (-3, -1, 0, 2)] == [0, 2, 0, 2]
    assert normal_axes((-1, 0), 3) == (2, 0)
    for axis, ndim in ((3, 3), (-4, 3), (0, 0)):
        with pytest.raises(ValueError, match=f"axis {axis} is out of bounds for array of dimension {ndim}"):
            normal_axis(axis, ndim)
    with pytest.raises(ValueError, match="duplicate"):
        normal_axes((0, -3), 3)


def test_shapes():
    assert shape_argument(3) == (3,)
    assert shape_argument([np.int64(2), jnp.int32(0)]) == (2, 0)
    with pytest.raises(TypeError, match="concrete values of integer type"):
        shape_argument([2.5])
    with pytest.raises(TypeError, match="nonnegative"):
        shape_argument((2, -1))


@pytest.mark.parametrize(
    "shapes", [((),), ((2, 1), (3,)), ((0, 1), (1, 4)), ((1,), (0,)), ((5, 1, 2), (), (4, 1))], ids=str
)
def test_shapes_broadcast_as_in_numpy(shapes):
    assert broadcast_shape(shapes) == np.broadcast_shapes(*shapes)
    values = [expand_to(jnp.zeros(s), broadcast_shape(shapes)) for s in shapes]
    assert {v.shape for v in values} == {np.broadcast_shapes(*shapes)}


def test_shapes_that_do_not_broadcast():
    with pytest.raises(ValueError, match="Incompatible shapes"):
        broadcast_shape(((2, 3), (4,)))
    values = [jnp.zeros((2, 3)), jnp.zeros((2,))]
    assert broadcast_operands(values) is values  # left to the op's type rule


@pytest.mark.parametrize("dtype", INTEGERS)
def test_positions_count_from_the_front(dtype):
    info = np.iinfo(dtype)
    given = np.array([info.min, 0, 1, info.max], dtype)
    wide = np.minimum(given.astype(np.int64), 2**31 - 1)
    found = position_of(jnp.asarray(given), 1000)
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, np.where(wide < 0, wide + 1000, wide))
    np.testing.assert_array_equal(position_of(jnp.asarray(given), 1000, wrap=False), wide)


@pytest.mark.parametrize("dtype", ("int32", "uint8"))
def test_indices_wrap_around(dtype):
    given = np.arange(10).astype(dtype) - (5 if dtype == "int32" else 0)
    np.testing.assert_array_equal(wrapped(jnp.asarray(given), 3), given % 3)


@pytest.mark.parametrize("n", (0, 1, 2, 3, 7, 12, -1, -3))
def test_integer_powers(n):
    x = np.array([-2.0, 0.5, 3.0], np.float32)
    np.testing.assert_allclose(integer_pow(jnp.asarray(x), n), x**n, rtol=1e-6)


def test_integers_have_no_negative_powers():
    with pytest.raises(TypeError, match=r"integer_pow\(int32\[2\], -1\)"):
        integer_pow(jnp.array([1, 2]), -1)
