"""Where arrays are: shardings, shards, and the methods of arrays that are about devices and memory."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import numpy as np
import pytest

import sable
import sable.numpy as jnp
from sable.sharding import Sharding, SingleDeviceSharding

X = jnp.arange(6.0).reshape(2, 3)
CPU = sable.devices("cpu")[0]


def test_an_arrays_sharding_is_its_device() -> None:
    s = X.sharding
    assert s == SingleDeviceSharding(CPU) and hash(s) == hash(SingleDeviceSharding(CPU)) and isinstance(s, Sharding)
    assert s.device_set == s.addressable_devices == X.devices() == {CPU} and s.num_devices == 1
    assert s.is_fully_replicated and s.is_fully_addressable and s.has_addressable_devices
    assert s.devices_indices_map((2, 3)) == s.addressable_devices_indices_map((2, 3)) == {CPU: (slice(None),) * 2}
    assert s.shard_shape((2, 3)) == (2, 3) and s.is_equivalent_to(SingleDeviceSharding(CPU), 2)
    assert repr(s) == "SingleDeviceSharding(device=CpuDevice(id=0), memory_kind=device)"
    assert pickle.loads(pickle.dumps(s)) == s == s.with_memory_kind("device")
    with pytest.raises(ValueError, match="memory"):
        SingleDeviceSharding(CPU, memory_kind="other")


def test_shards() -> None:
    (shard,) = X.addressable_shards
    assert shard.device is CPU and shard.index == (slice(None),) * 2 and shard.replica_id == 0
    np.testing.assert_array_equal(np.asarray(shard.data), np.asarray(X))
    assert len(X.global_shards) == 1 and isinstance(shard, sable.Shard)
    assert X.is_fully_replicated and X.is_fully_addressable and X.addressable_data(0).shape == (2, 3)


def test_shardings_are_places() -> None:
    for moved in (sable.device_put(X, X.sharding), X.to_device(X.sharding), X.to_device(CPU)):
        assert moved.committed and moved.devices() == {CPU}
    assert not X.to_device(None).committed
    assert jnp.from_dlpack(np.ones(2, np.float32), device=X.sharding).committed
    with pytest.raises(NotImplementedError):
        X.to_device(CPU, stream=1)


def test_what_is_known_of_memory() -> None:
    assert X.platform() == "cpu" and X.is_ready() and X.on_device_size_in_bytes() == 24
    assert X.__numpy_dtype__ == np.float32 and X.__array_module__(()) is jnp
    other = X.clone()
    assert other is not X and other.unsafe_buffer_pointer() == X.unsafe_buffer_pointer()
    gone = copy.deepcopy(X)
    gone.delete()
    for use in (gone.is_ready, gone.on_device_size_in_bytes, gone.__dlpack__):
        with pytest.raises(RuntimeError, match="deleted"):
            use()


@pytest.mark.parametrize(
    "ask",
    [
        lambda a: a.devices(),
        lambda a: a.delete(),
        lambda a: a.is_deleted(),
        lambda a: a.addressable_data(0),
        lambda a: a.on_device_size_in_bytes(),
        lambda a: a.unsafe_buffer_pointer(),
        lambda a: a.committed,
        lambda a: a.addressable_shards,
        lambda a: a.global_shards,
        lambda a: a.is_fully_replicated,
        lambda a: a.is_fully_addressable,
    ],
)
def test_traced_arrays_are_nowhere(ask: Callable) -> None:
    with pytest.raises(sable.errors.ConcretizationTypeError, match=r"traced array"):
        sable.jit(ask)(X)


@pytest.mark.parametrize("dtype", [np.int32, np.int16, np.uint8, np.float16, np.complex64, bool])
def test_bytes_are_swapped(dtype: type) -> None:
    x = np.arange(5).astype(dtype)
    for run in (lambda a: a.byteswap(), sable.jit(lambda a: a.byteswap())):
        assert np.asarray(run(jnp.asarray(x))).tobytes() == x.byteswap().tobytes()


def test_positions_of_a_partition() -> None:
    assert jnp.array([3, 1, 2]).argpartition(1).tolist() == [1, 2, 0]
