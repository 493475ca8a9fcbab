"""Everything that `import sable as jax` shows; `sable/__init__.py` loads it when first asked for something."""

import sable.dialects.ops  # noqa: F401  (defines every op)
from sable import aot, debug, dtypes, errors, lax, nn, numpy, random, scipy, tree, tree_util, typing
from sable._config import (
    checking_leaks,
    config,
    debug_infs,
    debug_nans,
    default_device,
    default_matmul_precision,
    disable_jit,
    enable_x64,
    log_compiles,
    numpy_dtype_promotion,
    numpy_rank_promotion,
)
from sable.api.autodiff import grad, jvp, linear_transpose, linearize, value_and_grad, vjp
from sable.api.batching import vmap
from sable.api.callback import pure_callback
from sable.api.compilation import ShapeDtypeStruct, eval_shape, jit, make_jaxpr
from sable.api.custom import custom_gradient, custom_jvp, custom_vjp
from sable.api.devices import (
    block_until_ready,
    default_backend,
    device_count,
    device_get,
    device_put,
    devices,
    local_devices,
)
from sable.api.jacobian import hessian, jacfwd, jacobian, jacrev
from sable.core.array import Array

__all__ = [
    "Array",
    "ShapeDtypeStruct",
    "aot",
    "block_until_ready",
    "checking_leaks",
    "config",
    "custom_gradient",
    "custom_jvp",
    "custom_vjp",
    "debug",
    "debug_infs",
    "debug_nans",
    "default_backend",
    "default_device",
    "default_matmul_precision",
    "device_count",
    "device_get",
    "device_put",
    "devices",
    "disable_jit",
    "dtypes",
    "enable_x64",
    "errors",
    "eval_shape",
    "grad",
    "hessian",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jit",
    "jvp",
    "lax",
    "linear_transpose",
    "linearize",
    "local_devices",
    "log_compiles",
    "make_jaxpr",
    "nn",
    "numpy",
    "numpy_dtype_promotion",
    "numpy_rank_promotion",
    "pure_callback",
    "random",
    "scipy",
    "tree",
    "tree_util",
    "typing",
    "value_and_grad",
    "vjp",
    "vmap",
]
