"""stop_gradient."""

from __future__ import annotations

from typing import Any

from sable.core.bind import BIND
from sable.core.dtypes import kind_of
from sable.core.values import as_value
from sable.library.declare import library
from sable.pytree import arrays


def _stop(x: Any) -> Any:
    value = as_value(x)
    return BIND.stop_gradient(value) if kind_of(value.aval.dtype) in "fc" else value


@library
def stop_gradient(x: Any) -> Any:
    """The identity, whose derivative is zero; for a pytree, of every leaf.

    Example:
      >>> import sable as jax
      >>> jax.grad(lambda x: x * jax.lax.stop_gradient(x))(3.0)
      Array(3., dtype=float32, weak_type=True)
    """
    return arrays.map(_stop, x)
