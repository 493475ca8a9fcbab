"""The buffer protocol: memory of arrays, read by whoever reads memory."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest

import sable
import sable.numpy as jnp


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int32", "float16", "float32", "complex64"])
@pytest.mark.parametrize("shape", [(), (5,), (2, 3), (0, 3)])
def test_views_are_those_of_numpy(dtype: str, shape: tuple[int, ...]) -> None:
    x = np.arange(6).astype(dtype)[: np.prod(shape, dtype=int)].reshape(shape) if shape != (5,) else np.ones(5, dtype)
    found, expected = memoryview(jnp.asarray(x)), memoryview(x)
    assert (found.format, found.shape, found.strides) == (expected.format, expected.shape, expected.strides)
    assert found.readonly and found.tobytes() == expected.tobytes()


def test_who_reads_memory_reads_arrays() -> None:
    x = np.arange(6, dtype=np.float32)
    ours = jnp.asarray(x)
    assert hashlib.sha256(ours).digest() == hashlib.sha256(x).digest()
    assert np.frombuffer(ours, np.float32).tolist() == x.tolist()
    assert memoryview(jnp.asarray(x.reshape(2, 3)).T).tobytes() == x.reshape(2, 3).T.tobytes()
    with pytest.raises(ValueError, match="read-only"):
        np.frombuffer(ours, np.float32)[0] = 1


@pytest.mark.parametrize("dtype", ["bfloat16", "int4", "float8_e5m2"])
def test_types_that_the_protocol_lacks(dtype: str) -> None:
    x = jnp.ones(2, dtype)
    with pytest.raises(BufferError, match=f"type {dtype} are not supported"):
        memoryview(x)
    assert np.asarray(x).dtype == x.dtype  # NumPy asks for the array instead


def test_views_outlive_arrays() -> None:
    deleted, donated = jnp.arange(3.0), jnp.ones((64, 64))
    views: list[Any] = [memoryview(deleted), memoryview(donated)]
    deleted.delete()
    sable.jit(lambda x: x + 1, donate_argnums=0)(donated)
    assert views[0].tolist() == [0, 1, 2] and views[1][63, 63] == 1
    for x in (deleted, donated):
        with pytest.raises(RuntimeError, match="deleted"):
            memoryview(x)
