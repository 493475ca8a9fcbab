"""Kernels of our own where IREE's code is slow or missing: a loop as one kernel, calls of native functions."""

from .loop_kernel import FLAGS, make_kernel
from .native_calls import create_native_call, dispatch_native_calls, has_native_calls, is_native_call, pieces_of
from .not_a_kernel import NotAKernel
from .outline import kernels_for_loops
from .worth import KernelLimits

__all__ = [
    "FLAGS",
    "KernelLimits",
    "NotAKernel",
    "create_native_call",
    "dispatch_native_calls",
    "has_native_calls",
    "is_native_call",
    "kernels_for_loops",
    "make_kernel",
    "pieces_of",
]
