"""Recurrent networks of long short-term memory (the interface of `jax.experimental.rnn`), in terms of `lax.scan`.

Source: S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation 9, 1997; F. Gers et al., "Learning to
forget", Neural Computation 12, 2000.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

import sable.numpy as jnp
from sable import _absent, lax, nn, random

_absent.explain(__name__)

#: input, forget, cell and output gate
_GATES = 4


def _shapes(input_size: int, hidden_size: int, num_layers: int, directions: int) -> Iterator[tuple[int, int]]:
    """Sizes of the input and of the state of each cell, by layer and direction."""
    for layer, _ in itertools.product(range(num_layers), range(directions)):
        yield (input_size if layer == 0 else hidden_size * directions), hidden_size


def get_num_params_in_lstm(input_size: int, hidden_size: int, num_layers: int, bidirectional: bool) -> int:
    """How many weights a network has.

    Args:
      input_size: of each element of a sequence.
      hidden_size: of the state of a cell.
      num_layers: each takes the outputs of the one below.
      bidirectional: whether each layer has a second cell that reads the sequence backwards.

    Example:
      >>> get_num_params_in_lstm(3, 2, 1, False)  # (2, 3) and (2, 2) matrices, two vectors, for each of four gates
      56
    """
    directions = 2 if bidirectional else 1
    return sum(_GATES * h * (n + h + 2) for n, h in _shapes(input_size, hidden_size, num_layers, directions))


def init_lstm_weight(rng: Any, input_size: int, hidden_size: int, num_layers: int, bidirectional: bool) -> Any:
    """Weights of a network, uniformly distributed between -k and k, k = 1 / sqrt(hidden_size).

    Args:
      rng: a random key.
      input_size, hidden_size, num_layers, bidirectional: as of `get_num_params_in_lstm`.

    Returns:
      A vector of float32, as `lstm` takes it.

    Example:
      >>> init_lstm_weight(jax.random.key(0), 3, 2, 1, False).shape
      (56,)
    """
    count = get_num_params_in_lstm(input_size, hidden_size, num_layers, bidirectional)
    k = jnp.sqrt(1.0 / hidden_size)
    return random.uniform(rng, (count,), np.float32, minval=-k, maxval=k)


def unpack_lstm_weights(
    weights: Any, input_size: int, hidden_size: int, num_layers: int, bidirectional: bool
) -> tuple[dict[int, Any], dict[int, Any], dict[int, Any], dict[int, Any]]:
    """The matrices and biases of each cell.

    Args:
      weights: a vector: the matrices of all cells, then their biases; of each cell those for the input first.
      input_size, hidden_size, num_layers, bidirectional: as of `get_num_params_in_lstm`.

    Returns:
      `W_ih, W_hh, b_ih, b_hh`, each by the number of the cell (layer by layer, the backward cell behind the forward one):
      the matrix for the input (4 hidden_size, its size), for the state, and the biases, gate below gate: input, forget,
      cell, output.

    Raises:
      TypeError: a vector of another size.

    Example:
      >>> W_ih, W_hh, b_ih, b_hh = unpack_lstm_weights(jnp.arange(56.0), 3, 2, 1, False)
      >>> W_ih[0].shape, W_hh[0].shape, b_hh[0]
      ((8, 3), (8, 2), Array([48., 49., 50., 51., 52., 53., 54., 55.], dtype=float32))
    """
    directions = 2 if bidirectional else 1
    count = get_num_params_in_lstm(input_size, hidden_size, num_layers, bidirectional)
    if jnp.shape(weights) != (count,):
        raise TypeError(f"expected a vector of {count} weights, got shape {jnp.shape(weights)}")
    cells = list(_shapes(input_size, hidden_size, num_layers, directions))
    place = 0

    def take(*shape: int) -> Any:
        nonlocal place
        start, place = place, place + int(np.prod(shape))
        return weights[start:place].reshape(shape)

    matrices = [(take(_GATES * h, n), take(_GATES * h, h)) for n, h in cells]
    biases = [(take(_GATES * h), take(_GATES * h)) for _, h in cells]
    columns = (*zip(*matrices), *zip(*biases))
    first, second, third, fourth = (dict(enumerate(column)) for column in columns)
    return first, second, third, fourth


def lstm(
    x: Any,
    h_0: Any,
    c_0: Any,
    weights: Any,
    seq_lengths: Any,
    input_size: int,
    hidden_size: int,
    num_layers: int,
    dropout: float,
    bidirectional: bool,
    precision: Any = None,
) -> tuple[Any, Any, Any]:
    """What a network makes of a batch of sequences.

    Args:
      x: (batch, length, input_size).
      h_0, c_0: (layers * directions, batch, hidden_size): outputs and states of the cells to begin with.
      weights: as of `unpack_lstm_weights`.
      seq_lengths: (batch,): how many elements of each sequence count.
      input_size, hidden_size, num_layers, bidirectional: as of `get_num_params_in_lstm`.
      dropout: must be 0.
      precision: of the products.

    Returns:
      The outputs of the last layer (batch, length, hidden_size * directions), which are 0 behind a sequence's end, and the
      last outputs and states of the cells, of the shape of h_0.

    Raises:
      NotImplementedError: dropout.
      TypeError: a wrong number of weights.

    Example:
      >>> weights = init_lstm_weight(jax.random.key(0), 3, 2, 1, False)
      >>> state = jnp.zeros((1, 4, 2))
      >>> y, h, c = lstm(jnp.ones((4, 5, 3)), state, state, weights, jnp.full(4, 5), 3, 2, 1, 0.0, False)
      >>> y.shape, bool((y[:, -1] == h[0]).all())
      ((4, 5, 2), True)
    """
    unpacked = unpack_lstm_weights(weights, input_size, hidden_size, num_layers, bidirectional)
    return _network(x, h_0, c_0, unpacked, seq_lengths, num_layers, dropout, bidirectional, precision)


def lstm_ref(
    x: Any,
    h_0: Any,
    c_0: Any,
    W_ih: dict[int, Any],
    W_hh: dict[int, Any],
    b_ih: dict[int, Any],
    b_hh: dict[int, Any],
    seq_lengths: Any,
    input_size: int,
    hidden_size: int,
    num_layers: int,
    dropout: float,
    bidirectional: bool,
) -> tuple[Any, Any, Any]:
    """`lstm`, of matrices and biases.

    Args:
      W_ih, W_hh, b_ih, b_hh: as `unpack_lstm_weights` returns them.
      x, h_0, c_0, seq_lengths, input_size, hidden_size, num_layers, dropout, bidirectional: as of `lstm`.

    Example:
      >>> unpacked = unpack_lstm_weights(jnp.ones(56), 3, 2, 1, False)
      >>> state = jnp.zeros((1, 4, 2))
      >>> lstm_ref(jnp.ones((4, 5, 3)), state, state, *unpacked, jnp.full(4, 5), 3, 2, 1, 0.0, False)[0].shape
      (4, 5, 2)
    """
    weights = W_ih, W_hh, b_ih, b_hh
    return _network(x, h_0, c_0, weights, seq_lengths, num_layers, dropout, bidirectional, None)


def _network(
    x: Any,
    h_0: Any,
    c_0: Any,
    weights: Sequence[dict[int, Any]],
    seq_lengths: Any,
    num_layers: int,
    dropout: float,
    bidirectional: bool,
    precision: Any,
) -> tuple[Any, Any, Any]:
    if dropout:
        raise NotImplementedError("dropout between the layers: apply it to the outputs of networks of one layer")
    directions = 2 if bidirectional else 1
    values = jnp.swapaxes(x, 0, 1)  # the steps first
    lengths = jnp.asarray(seq_lengths)
    last: list[tuple[Any, Any]] = []
    for layer in range(num_layers):
        found = []
        for direction in range(directions):
            k = layer * directions + direction
            cell = [each[k] for each in weights]
            state, made = _cell(values, (h_0[k], c_0[k]), cell, lengths, direction == 1, precision)
            last.append(state)
            found.append(made)
        values = jnp.concatenate(found, axis=-1)
    h, c = (jnp.stack(each) for each in zip(*last))
    return jnp.swapaxes(values, 0, 1), h, c


def _cell(
    values: Any, state: tuple, cell: Sequence[Any], lengths: Any, reverse: bool, precision: Any
) -> tuple[tuple, Any]:
    """The last output and state of a cell, and its outputs; elements behind a sequence's end change nothing."""
    input_matrix, state_matrix, input_bias, state_bias = cell
    times = functools.partial(jnp.matmul, precision=precision)
    driven = times(values, input_matrix.T) + (input_bias + state_bias)  # all steps at once

    def step(carry: tuple, at: tuple) -> tuple[tuple, Any]:
        h, c = carry
        t, drive = at
        i, f, g, o = jnp.split(drive + times(h, state_matrix.T), _GATES, axis=-1)
        c_next = nn.sigmoid(f) * c + nn.sigmoid(i) * jnp.tanh(g)
        h_next = nn.sigmoid(o) * jnp.tanh(c_next)
        counts = (t < lengths)[:, None]
        kept = jnp.where(counts, h_next, h), jnp.where(counts, c_next, c)
        return kept, jnp.where(counts, h_next, 0)

    return lax.scan(step, state, (jnp.arange(values.shape[0]), driven), reverse=reverse)


__all__ = ["get_num_params_in_lstm", "init_lstm_weight", "lstm", "lstm_ref", "unpack_lstm_weights"]
