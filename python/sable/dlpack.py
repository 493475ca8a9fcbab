"""Exchange of arrays with other libraries without copies (the interface of `jax.dlpack`)."""

from sable import _absent
from sable.core.dlpack import from_dlpack, is_supported_dtype

__all__ = ["from_dlpack", "is_supported_dtype"]

_absent.explain(__name__)
