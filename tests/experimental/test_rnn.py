"""`jax.experimental.rnn` against JAX's reference."""

from __future__ import annotations

import numpy as np
import pytest

import sable
from sable.experimental import rnn

jax = pytest.importorskip("jax")
theirs = pytest.importorskip("jax.experimental.rnn")

INPUT, HIDDEN, BATCH, LENGTH = 3, 2, 4, 5
SIZES = {"one cell": (1, False), "two layers both ways": (2, True)}


@pytest.mark.parametrize("name", SIZES)
def test_outputs_states_and_gradients_are_jaxs(name: str) -> None:
    layers, both = SIZES[name]
    sizes = INPUT, HIDDEN, layers, both
    weights = np.asarray(rnn.init_lstm_weight(sable.random.key(1), *sizes))
    np.testing.assert_allclose(weights, theirs.init_lstm_weight(jax.random.key(1), *sizes), rtol=1e-6)
    assert weights.size == theirs.get_num_params_in_lstm(*sizes) == rnn.get_num_params_in_lstm(*sizes)
    for got, want in zip(rnn.unpack_lstm_weights(weights, *sizes), theirs.unpack_lstm_weights(weights, *sizes)):
        assert got.keys() == want.keys()
        for k, each in got.items():
            np.testing.assert_array_equal(each, want[k])
    generator = np.random.default_rng(0)
    cells = layers * (2 if both else 1)
    x, h, c = (
        generator.normal(size=shape).astype(np.float32)
        for shape in ((BATCH, LENGTH, INPUT), *2 * [(cells, BATCH, HIDDEN)])
    )
    lengths = np.int32([5, 3, 1, 4])
    rest = (lengths, INPUT, HIDDEN, layers, 0.0, both)
    found = sable.jit(lambda w, x: rnn.lstm(x, h, c, w, *rest, precision="highest"))(weights, x)
    wanted = theirs.lstm_ref(x, h, c, *theirs.unpack_lstm_weights(weights, *sizes), *rest)
    for got, want in zip(found, wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
    slope = sable.grad(lambda w: rnn.lstm(x, h, c, w, *rest)[0].sum())(weights)
    expected = jax.grad(lambda w: theirs.lstm_ref(x, h, c, *theirs.unpack_lstm_weights(w, *sizes), *rest)[0].sum())(
        weights
    )
    np.testing.assert_allclose(slope, expected, rtol=1e-4, atol=1e-5)


def test_what_is_refused() -> None:
    state = np.zeros((1, BATCH, HIDDEN), np.float32)
    x = np.zeros((BATCH, LENGTH, INPUT), np.float32)
    with pytest.raises(TypeError, match="a vector of 56 weights"):
        rnn.lstm(x, state, state, np.zeros(55, np.float32), np.full(BATCH, LENGTH), INPUT, HIDDEN, 1, 0.0, False)
    with pytest.raises(NotImplementedError, match="dropout"):
        rnn.lstm(x, state, state, np.zeros(56, np.float32), np.full(BATCH, LENGTH), INPUT, HIDDEN, 1, 0.5, False)
