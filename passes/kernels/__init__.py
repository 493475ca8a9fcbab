"""Kernels of our own where IREE's code is slow: a loop as one kernel."""

from .loop_kernel import FLAGS, make_kernel
from .not_a_kernel import NotAKernel
from .outline import kernels_for_loops
from .worth import KernelLimits

__all__ = ["FLAGS", "KernelLimits", "NotAKernel", "kernels_for_loops", "make_kernel"]
