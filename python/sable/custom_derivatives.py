"""`jax.custom_derivatives`: functions that bring their own derivatives."""

import sable.numpy  # noqa: F401  (gives arrays their operators)
from sable import _absent
from sable.api.closures import closure_convert, linear_call
from sable.core.custom_derivatives import custom_gradient, custom_jvp, custom_vjp
from sable.core.primitives import primitives as _primitives
from sable.core.symbolic_zeros import CustomVJPPrimal, SymbolicZero, custom_vjp_primal_tree_values, zero_from_primal

custom_jvp_call_p = _primitives()["custom_jvp_call"]
custom_vjp_call_p = _primitives()["custom_vjp_call"]

_absent.explain(__name__)

__all__ = [
    "CustomVJPPrimal",
    "SymbolicZero",
    "closure_convert",
    "custom_gradient",
    "custom_jvp",
    "custom_jvp_call_p",
    "custom_vjp",
    "custom_vjp_call_p",
    "custom_vjp_primal_tree_values",
    "linear_call",
    "zero_from_primal",
]
