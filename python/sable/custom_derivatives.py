"""`jax.custom_derivatives`: functions that bring their own derivatives."""

import sable.numpy  # noqa: F401  (gives arrays their operators)
from sable import _absent
from sable.api.closures import closure_convert, linear_call
from sable.core.custom_derivatives import custom_gradient, custom_jvp, custom_vjp

_absent.explain(__name__)

__all__ = ["closure_convert", "custom_gradient", "custom_jvp", "custom_vjp", "linear_call"]
