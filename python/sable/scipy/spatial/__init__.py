"""`jax.scipy.spatial`."""

from sable import _absent

from . import transform

_absent.explain(__name__)

__all__ = ["transform"]
