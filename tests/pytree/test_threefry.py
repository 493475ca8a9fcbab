"""Threefry-2x32: known answers of the paper's test vectors, JAX, shapes and errors."""

import threading

import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.random import threefry2x32_p

ONES = 0xFFFFFFFF
#: Known answers for 20 rounds, published with Random123: key, counter, result.
KNOWN = [
    ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
    ((ONES, ONES), (ONES, ONES), (0x1CB996FC, 0xBB002BE7)),
    ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
]


def _words(seed, shape):
    return np.random.default_rng(seed).integers(0, 2**32, shape, np.uint32)


@pytest.mark.parametrize(("key", "counter", "expected"), KNOWN)
def test_known_answers(api, key, counter, expected):
    results = api._threefry.threefry2x32(*key, *(np.array([word], np.uint32) for word in counter))
    assert tuple(int(result[0]) for result in results) == expected
    scalars = api._threefry.threefry2x32(*map(np.uint32, key), *counter)
    assert tuple(map(int, scalars)) == expected
    assert scalars[0].shape == ()


@pytest.mark.parametrize("shape", [(0,), (1,), (7,), (1000,), (3, 5), (2, 0, 3)])
@pytest.mark.parametrize("keys", ["scalar", "elementwise"])
def test_matches_jax(api, shape, keys):
    key_shape = () if keys == "scalar" else shape
    operands = _words(1, key_shape), _words(2, key_shape), _words(3, shape), _words(4, shape)
    operands = tuple(np.asarray(operand, np.uint32) for operand in operands)
    results = api._threefry.threefry2x32(*operands)
    expected = threefry2x32_p.bind(*(jnp.broadcast_to(operand, shape) for operand in operands))
    for ours, theirs in zip(results, expected, strict=True):
        assert ours.dtype == np.uint32
        assert ours.shape == shape
        np.testing.assert_array_equal(ours, np.asarray(theirs))


def test_broadcasting(api):
    k0, k1, x0, x1 = _words(1, (4, 1)), _words(2, (1, 3)), _words(3, (3,)), _words(4, ())
    results = api._threefry.threefry2x32(k0, k1, x0, x1)
    full = [np.array(np.broadcast_to(operand, (4, 3))) for operand in (k0, k1, x0, x1)]
    for ours, expected in zip(results, api._threefry.threefry2x32(*full), strict=True):
        np.testing.assert_array_equal(ours, expected)


def test_strides(api):
    x0, x1 = _words(1, (20,))[::2], _words(2, (10,))[::-1]
    results = api._threefry.threefry2x32(1, 2, x0, x1)
    expected = api._threefry.threefry2x32(1, 2, x0.copy(), x1.copy())
    np.testing.assert_array_equal(results, expected)


def test_operands_are_left_alone(api):
    operands = [_words(seed, (5,)) for seed in range(4)]
    before = [operand.copy() for operand in operands]
    for operand in operands:
        operand.flags.writeable = False
    api._threefry.threefry2x32(*operands)
    np.testing.assert_array_equal(operands, before)


def test_errors(api):
    words = np.zeros(3, np.uint32)
    function = api._threefry.threefry2x32
    for wrong in (np.zeros(3, np.int32), np.zeros(3, np.float32), np.zeros(3, ">u4"), 1.5, "a"):
        with pytest.raises(TypeError, match="uint32"):
            function(0, 0, wrong, words)
    with pytest.raises(ValueError, match="broadcast"):
        function(0, 0, words, np.zeros(2, np.uint32))
    for out_of_range in (-1, 2**32):
        with pytest.raises(OverflowError):
            function(out_of_range, 0, words, words)


def test_native_checks_its_buffers(core):
    if core.__name__ != "sable._native":
        pytest.skip("NumPy does the checking")
    key, words, out = (
        np.zeros(1, np.uint32),
        np.zeros(4, np.uint32),
        [np.zeros(4, np.uint32) for _ in range(2)],
    )
    call = core.threefry2x32_into
    call(key, key, words, words, *out)
    with pytest.raises(ValueError, match="differ in size"):
        call(key, key, words[:3], words, *out)
    with pytest.raises(ValueError, match="differ in size"):
        call(words[:2], words[:2], words, words, *out)
    with pytest.raises(TypeError, match="k1 must be"):
        call(key, np.zeros(1, np.int32), words, words, *out)
    with pytest.raises((ValueError, BufferError), match="contiguous"):
        call(key, key, np.zeros(8, np.uint32)[::2], words, *out)
    out[1].flags.writeable = False
    with pytest.raises((ValueError, BufferError), match="read-only"):
        call(key, key, words, words, *out)
    with pytest.raises(TypeError):
        call(key, key, 3, words, *out)


def test_threads(api):
    words = _words(0, (100_000,))
    expected = api._threefry.threefry2x32(1, 2, words, words)
    results: list = [None] * 4

    def work(i):
        results[i] = api._threefry.threefry2x32(1, 2, words, words)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        np.testing.assert_array_equal(result, expected)
