"""Sable: `import sable as jax`.

A numerical compiler: Python functions are traced into StableHLO, differentiated and batched by passes on it, compiled
by IREE and run on a CPU, a Vulkan or a CUDA device.
"""

from pathlib import Path as _Path

from sable.ir import location as _location

for _folder in ("dialects", "passes", "tools"):
    _package = __import__(f"sable.{_folder}", fromlist=["__file__"])
    if _package.__file__ is not None:
        _location.internal_folder(str(_Path(_package.__file__).resolve().parent))

import sable.dialects.ops  # noqa: E402, F401, I001  (defines every op)
from sable import debug, dtypes, errors, lax, nn, numpy, random, scipy, tree, tree_util, typing  # noqa: E402
from sable import aot  # noqa: E402
from sable._config import (  # noqa: E402
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
from sable.api.autodiff import grad, jvp, linear_transpose, linearize, value_and_grad, vjp  # noqa: E402
from sable.api.batching import vmap  # noqa: E402
from sable.api.callback import pure_callback  # noqa: E402
from sable.api.compilation import ShapeDtypeStruct, eval_shape, jit, make_jaxpr  # noqa: E402
from sable.api.custom import custom_gradient, custom_jvp, custom_vjp  # noqa: E402
from sable.api.jacobian import hessian, jacfwd, jacobian, jacrev  # noqa: E402
from sable.api.placement import (  # noqa: E402
    block_until_ready,
    default_backend,
    device_count,
    device_get,
    device_put,
    devices,
    local_devices,
)
from sable.core.array import Array  # noqa: E402

__version__ = "0.1.0"

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
