"""`jax.custom_derivatives`: functions that bring their own derivatives."""

import sable.numpy  # noqa: F401  (gives arrays their operators)
from sable import _absent
from sable.api.closures import closure_convert, linear_call
from sable.core.custom_derivatives import custom_gradient, custom_jvp, custom_vjp
from sable.core.symbolic_zeros import SymbolicZero, zero_from_primal

_absent.explain(__name__)

__all__ = [
    "SymbolicZero",
    "closure_convert",
    "custom_gradient",
    "custom_jvp",
    "custom_vjp",
    "linear_call",
    "zero_from_primal",
]
