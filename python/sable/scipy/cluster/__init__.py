"""`jax.scipy.cluster`."""

from sable import _absent

from . import vq

_absent.explain(__name__)

__all__ = ["vq"]
