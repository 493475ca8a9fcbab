"""Arrays, tracing, evaluation; of the names of `jax.core` the class of traced values, by which they are told from arrays."""

from typing import Any


def __getattr__(name: str) -> Any:
    if name == "Tracer":
        from .trace import Tracer

        return Tracer
    raise AttributeError(f"module 'sable.core' has no attribute {name!r}")
