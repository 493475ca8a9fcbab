"""The rows, by library."""

from . import (
    initializers,
    lax_control,
    lax_elementwise,
    lax_shapes,
    linalg,
    nn,
    numpy_choices,
    numpy_creation,
    numpy_elementwise,
    numpy_indexing,
    numpy_polynomials,
    numpy_reductions,
    numpy_shapes,
    random,
    scipy,
)

__all__ = [
    "initializers",
    "lax_control",
    "lax_elementwise",
    "lax_shapes",
    "linalg",
    "nn",
    "numpy_choices",
    "numpy_creation",
    "numpy_elementwise",
    "numpy_indexing",
    "numpy_polynomials",
    "numpy_reductions",
    "numpy_shapes",
    "random",
    "scipy",
]
