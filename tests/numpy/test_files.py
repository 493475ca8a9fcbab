"""Arrays of files, buffers, texts, functions of positions and other libraries' arrays."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import sable
import sable.numpy as jnp
from sable.dlpack import from_dlpack, is_supported_dtype
from sable.runtime.dlpack import type_code

jax = pytest.importorskip("jax", reason="JAX is the oracle of these tests (it needs Python 3.11)")


@pytest.mark.parametrize(
    "call",
    [
        lambda n: n.frombuffer(b"\x00\x01\x02\x03", dtype=np.uint8, offset=1),
        lambda n: n.frombuffer(np.arange(3.0), count=2),
        lambda n: n.frombuffer(b"\x00", dtype=np.int32),
        lambda n: n.fromstring("1 2.5 3", sep=" "),
        lambda n: n.fromstring("1,2", dtype=int, sep=","),
        lambda n: n.fromfile("none"),
        lambda n: n.fromiter(iter([1]), dtype=int),
        lambda n: n.fromfunction(lambda i, j: 10 * i + j, (2, 3), dtype=int),
        lambda n: n.fromfunction(lambda i: (i.sum(), n.full(2, i)), 3),
        lambda n: n.fromfunction(lambda i, w: i * w, (2,), w=np.float32([1, 2])),
        lambda n: n.fromfunction(lambda i, w: i * w, (2,), w=2.0),
        lambda n: n.fromfunction(lambda: n.ones(2), ()),
        lambda n: n.iterable(n.ones(2)) and not n.iterable(3),
    ],
)
def test_as_jax(call: Callable[[Any], Any]) -> None:
    """Values, dtypes, structure and error classes."""
    try:
        expected = call(jax.numpy)
    except Exception as error:
        with pytest.raises(type(error)):
            call(jnp)
        return
    found, structure = sable.tree_util.tree_flatten(call(jnp))
    leaves, expected_structure = jax.tree_util.tree_flatten(expected)
    assert str(structure) == str(expected_structure)
    for x, y in zip(found, leaves):
        np.testing.assert_array_equal(np.asarray(x), np.asarray(y))
        assert np.asarray(x).dtype == np.asarray(y).dtype


@pytest.mark.parametrize("dtype", [np.float32, np.int16, ml_dtypes.bfloat16, bool])
def test_saved_arrays_are_loaded(dtype: Any, tmp_path: Path) -> None:
    x = jnp.array([[1, 0], [3, 4]], dtype)
    jnp.save(tmp_path / "x.npy", x)
    found = jnp.load(tmp_path / "x.npy")
    assert isinstance(found, sable.Array) and found.dtype == x.dtype
    np.testing.assert_array_equal(np.asarray(found), np.asarray(x))


def test_other_files_are_numpys(tmp_path: Path) -> None:
    jnp.savez(tmp_path / "x.npz", a=jnp.ones(2))
    np.testing.assert_array_equal(jnp.load(tmp_path / "x.npz")["a"], np.ones(2))
    file = io.BytesIO()
    np.save(file, np.array(["text"]))
    file.seek(0)
    assert jnp.load(file).dtype.kind == "U"


# ---- DLPack ----------------------------------------------------------------------------------------------------------


class Exporter:
    """An array of another library, which gives away a capsule once."""

    def __init__(self, array: Any, place: tuple[int, int] = (1, 0)):
        self.array, self.place = array, place

    def __dlpack__(self, *, stream: Any = None) -> Any:
        return self.array.__dlpack__()

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.place


@pytest.mark.parametrize("dtype", [np.float32, np.int8, np.uint16, np.complex64, np.float16, bool])
def test_arrays_share_numpys_memory(dtype: Any) -> None:
    x = np.arange(12).reshape(3, 4).astype(dtype)
    made = from_dlpack(Exporter(x))
    assert made.unsafe_buffer_pointer() == x.ctypes.data and made.dtype == x.dtype and made.committed
    np.testing.assert_array_equal(np.asarray(made), x)
    assert jnp.from_dlpack(x, copy=True).unsafe_buffer_pointer() != x.ctypes.data


@pytest.mark.parametrize("dtype", [np.float32, bool, np.complex64])
def test_numpy_shares_arrays_memory(dtype: Any) -> None:
    x = jnp.arange(6).reshape(2, 3).astype(dtype)
    found = np.from_dlpack(x)
    assert found.ctypes.data == x.unsafe_buffer_pointer()
    np.testing.assert_array_equal(found, np.asarray(x))
    x.delete()
    assert found.sum() != 0  # the memory lives on


@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e3m4", "float8_e4m3b11fnuz"])
def test_types_that_numpy_does_not_know_are_exchanged(dtype: str) -> None:
    """Their capsules carry other codes, those of JAX's."""
    x = jnp.array([1.5, -2, 0.25], dtype)
    made = from_dlpack(x)
    assert type_code(x.__dlpack__()) == type_code(jax.numpy.asarray(np.asarray(x)).__dlpack__())
    assert made.dtype == x.dtype and made.unsafe_buffer_pointer() == x.unsafe_buffer_pointer()
    assert made.tolist() == [1.5, -2, 0.25]
    with pytest.raises((BufferError, RuntimeError)):
        np.from_dlpack(x)


def test_memory_outlives_its_owner() -> None:
    made = from_dlpack(Exporter(np.full(1000, 7.0, np.float32)))
    np.zeros(1000, np.float32)
    assert float(sable.jit(jnp.sum)(made)) == 7000


def test_what_needs_a_copy() -> None:
    columns = np.arange(6.0, dtype=np.float32).reshape(2, 3).T
    np.testing.assert_array_equal(np.asarray(from_dlpack(columns)), columns)
    np.testing.assert_array_equal(np.asarray(from_dlpack(columns[::-1])), columns[::-1])
    assert from_dlpack(np.arange(3)).dtype == np.int32
    assert from_dlpack(np.zeros((0, 2), np.float32), copy=False).shape == (0, 2)
    for x in (columns, np.arange(3)):
        with pytest.raises(ValueError, match="copy=False"):
            from_dlpack(x, copy=False)


def test_what_is_refused() -> None:
    for x in ([1], np.float32(3)):
        with pytest.raises(TypeError, match="__dlpack__"):
            from_dlpack(x)
    with pytest.raises(TypeError, match="unsupported device"):
        from_dlpack(Exporter(np.ones(2), (2, 0)))
    with pytest.raises(BufferError):
        from_dlpack(np.array(["text"]))
    with pytest.raises(ValueError, match="device"):
        from_dlpack(np.ones(2), "cpu")
    x = jnp.ones(2)
    with pytest.raises(BufferError):
        x.__dlpack__(max_version=(0, 2))
    with pytest.raises(BufferError):
        x.__dlpack__(dl_device=(77, 0))
    with pytest.raises(RuntimeError):
        x.__dlpack__(stream=1)
    assert x.__dlpack_device__() == (1, 0)


def test_supported_dtypes() -> None:
    for dtype in ("f4", "S1", "int4", "c8", "bool", ml_dtypes.bfloat16, ml_dtypes.float8_e5m2, "f8", "u8"):
        assert is_supported_dtype(dtype) == jax.dlpack.is_supported_dtype(dtype), dtype
    with pytest.raises(TypeError):
        is_supported_dtype(None)
