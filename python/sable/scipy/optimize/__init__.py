"""`jax.scipy.optimize`: minima of functions."""

from sable import _absent

from ._minimize import OptimizeResults, minimize

_absent.explain(__name__)

__all__ = ["OptimizeResults", "minimize"]
