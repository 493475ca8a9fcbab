"""Attention."""

from __future__ import annotations

from typing import Any

import numpy as np

import sable.numpy as jnp
from sable import lax
from sable.core.dtypes import finfo, promote_types
from sable.library.declare import library

from .normalization import logsumexp, softmax

#: The logit of what is masked, finite in the f32 in which softmax is computed: where all is masked, all weigh the same.
_MASKED = -0.7 * float(finfo(np.float32).max)


def _check(query: Any, key: Any, value: Any, bias: Any, mask: Any, lengths: tuple[Any, Any]) -> None:
    """Shapes (batch, length, heads, size) and dtypes of all; the query's number of heads a multiple of the others'.

    Raises:
      ValueError: what does not fit.
    """
    for name, x in (("query", query), ("key", key), ("value", value), ("bias", bias), ("mask", mask)):
        if x is not None and x.ndim != 4:
            raise ValueError(f"dot_product_attention: {name} must have at most 4 dimensions, got shape {x.shape}")
    for name, x, shape in (
        ("query", query, (key.shape[0], *query.shape[1:3], key.shape[3])),
        ("value", value, key.shape),
    ):
        if x.shape != shape or x.dtype != key.dtype:
            raise ValueError(
                f"dot_product_attention: {name} must have the shape {shape} and the dtype {key.dtype}, those of key {key.shape}; "
                f"got {x.shape} and {x.dtype}"
            )
    if mask is not None and mask.dtype != bool:
        raise ValueError(f"dot_product_attention: mask must be of booleans, got {mask.dtype}; add numbers as `bias`")
    for name, x in zip(("query_seq_lengths", "key_value_seq_lengths"), lengths):
        if x is not None and (x.shape != key.shape[:1] or x.dtype != np.int32):
            raise ValueError(
                f"dot_product_attention: {name} must be one int32 for each of {key.shape[0]} examples, got {x.dtype}{list(x.shape)}"
            )
    if key.shape[2] == 0 or query.shape[2] % key.shape[2]:
        raise ValueError(
            f"the number of query heads ({query.shape[2]}) must be a multiple of that of key heads ({key.shape[2]})"
        )
    for name, x in (("bias", bias), ("mask", mask)):
        if x is not None and x.shape[1] not in (1, query.shape[2]):
            raise ValueError(
                f"dot_product_attention: {name} must be for one head or all {query.shape[2]}, got {x.shape[1]} of shape {x.shape}"
            )


def _with_batch(x: Any) -> Any:
    """An array of four dimensions, the leading ones of size 1."""
    x = jnp.asarray(x)
    return x.reshape((1,) * (4 - x.ndim) + x.shape) if x.ndim < 4 else x


def _allowed(mask: Any, is_causal: bool, lengths: tuple[Any, Any], window: Any, sizes: tuple[int, int]) -> list[Any]:
    """The conditions, of shapes that broadcast to (batch, heads, queries, keys), under which a query sees a key."""
    rows, columns = jnp.arange(sizes[0])[None, None, :, None], jnp.arange(sizes[1])[None, None, None, :]
    found = [] if mask is None else [mask]
    if is_causal:
        found.append(columns <= rows)
    if window is not None:
        before, after = (window, window) if isinstance(window, int) else window
        found.append((columns <= rows + after) & (columns >= rows - before))
    queries, keys = lengths
    if queries is not None:
        found.append(rows < queries[:, None, None, None])
    if keys is not None:
        found.append(columns < keys[:, None, None, None])
    return found


@library
def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    *,
    scale: float | None = None,
    is_causal: bool = False,
    query_seq_lengths: Any = None,
    key_value_seq_lengths: Any = None,
    local_window_size: Any = None,
    implementation: str | None = None,
    return_residual: bool = False,
) -> Any:
    """softmax(query key^T scale + bias) value, for each head (arXiv:1706.03762).

    Args:
      query: (batch, queries, heads, size), or without batch.
      key, value: (batch, keys, key heads, size), of the query's dtype; each key head serves heads / key heads query heads.
      bias: added to the logits (batch, heads, queries, keys), into which it broadcasts.
      mask: booleans that broadcast likewise; a query sees a key where True.
      scale: 1 / sqrt(size) by default.
      is_causal: a query sees no key behind its own position.
      query_seq_lengths, key_value_seq_lengths: (batch,) int32; positions from there on are padding.
      local_window_size: how far a query sees back and ahead: an int or a pair.
      implementation: None or "xla".
      return_residual: also return the logarithm of the sum of the exponentials of the logits.

    Returns:
      An array of the query's shape and dtype; with `return_residual` also one of its shape without the last dimension,
      which is a constant for derivatives.

    Raises:
      ValueError: shapes or dtypes that do not fit; another implementation.

    Example:
      >>> query, key = jnp.ones((1, 2, 1, 4)), jnp.ones((1, 2, 1, 4))
      >>> value = jnp.array([0., 10.]).reshape(1, 2, 1, 1) * jnp.ones(4)
      >>> jax.nn.dot_product_attention(query, key, value)[0, :, 0, 0]
      Array([5., 5.], dtype=float32)
      >>> jax.nn.dot_product_attention(query, key, value, is_causal=True)[0, :, 0, 0]
      Array([0., 5.], dtype=float32)
    """
    if implementation not in (None, "xla"):
        raise ValueError(f"Unsupported implementation option: {implementation}")
    shape = jnp.shape(query)
    query, key, value = map(_with_batch, (query, key, value))
    bias, mask = (None if x is None else _with_batch(x) for x in (bias, mask))
    lengths = tuple(None if x is None else jnp.asarray(x) for x in (query_seq_lengths, key_value_seq_lengths))
    _check(query, key, value, bias, mask, lengths)
    repeats = query.shape[2] // key.shape[2]
    if repeats > 1:
        key, value = (jnp.repeat(x, repeats, axis=2) for x in (key, value))
    factor = 1 / np.sqrt(query.shape[-1]) if scale is None else scale
    dtype = promote_types(query.dtype, np.float32)
    logits = jnp.einsum("btnh,bsnh->bnts", query, key, preferred_element_type=dtype)
    logits = logits * jnp.asarray(factor, dtype)
    if bias is not None:
        logits = (logits + bias).astype(dtype)
    for allowed in _allowed(mask, is_causal, lengths, local_window_size, logits.shape[2:]):
        logits = jnp.where(allowed, logits, jnp.asarray(_MASKED, dtype))
    logits = logits.astype(np.float32)
    weights = softmax(logits, axis=-1).astype(key.dtype)
    found = jnp.einsum("bnts,bsnh->btnh", weights, value)
    if lengths[0] is not None:
        real = jnp.arange(found.shape[1])[None, :] < lengths[0][:, None]
        found = jnp.where(real[:, :, None, None], found, 0)
    found = found.reshape(shape)
    if not return_residual:
        return found
    residual = logsumexp(logits, axis=-1).astype(key.dtype).transpose(0, 2, 1)
    return found, lax.stop_gradient(residual.reshape(shape[:-1]))
