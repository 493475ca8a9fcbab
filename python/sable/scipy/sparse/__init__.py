"""`jax.scipy.sparse`."""

from sable import _absent

from . import linalg

_absent.explain(__name__)

__all__ = ["linalg"]
