"""The old name of `jit` (the interface of `jax.experimental.pjit`)."""

import warnings
from typing import Any

from sable import _absent
from sable.api.compilation import jit


def __getattr__(name: str) -> Any:
    if name != "pjit":
        raise _absent.missing(__name__, name)
    warnings.warn(
        "jax.experimental.pjit.pjit has been deprecated. Please use `jax.jit` instead.",
        DeprecationWarning,
        stacklevel=2,
    )
    return jit
