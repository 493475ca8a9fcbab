"""Names that JAX has and this library has not: who asks for one is told so, and why.

`_names_of_jax.txt` holds the public names of JAX 0.10.2, a module a line.
"""

from __future__ import annotations

import functools
import re
import sys
from importlib import resources
from typing import Any

#: Why names are left out for good: of module and name, a pattern and what to say. All others are not there yet.
_REASONS = (
    (r"jax\.profiler\.(Profile\w+|\w+_server|register_subprocess)", "it is about XLA's profiler"),
    (r"jax\.Array\.device_buffers?", "it is gone from JAX: addressable_data(0) and addressable_shards are there"),
    (r"jax\.numpy\.u?int1", "it counts as a truth value in JAX on CPUs"),
    (r"jax\.custom_derivatives\.remat_opt_p", "it is composed of other operations here"),
    (r"jax\.(ad|api_util)", "it is about JAX's inside"),
    (r"jax\.(ffi|interpreters|lib|jax2tf.*)", "it is about XLA's inside"),
    (r"jax\.lax\.(ragged_all_to_all|psend|precv)(_p)?", "it is about networks of TPUs"),
    (r"jax\.experimental\.(pallas|mosaic|fused|hijax|EArray|cur_qdd)", "it is about kernels and types of XLA's inside"),
    (
        r"jax\.experimental\.(buffer_callback|custom_partitioning|jax2tf|roofline|xla_metadata)",
        "it is about XLA's inside",
    ),
    (r"jax\.experimental\.(compute_on|control_deps|layout|profiler|scheduling_groups)", "it is about XLA's inside"),
    (r"jax\.experimental\.(topologies|transfer|colocated_python|shard_alike)", "it is about networks of devices"),
    (r"jax\.experimental\.(primal_tangent_dtype|source_mapper)", "it is about JAX's inside"),
    (r"jax\.experimental\.array_serialization", "it is about arrays over many devices"),
    (r"jax\.experimental\.multihost_utils\.live_devices", "it is about processes on several machines"),
    (r"jax\.experimental\.sparse\.\w+_p", "it is composed of other operations here"),
    (r"jax\.debug\.\w+Effect", "it is about XLA's inside"),
    (r"jax\.lax\.(approx_top_k|create_token|after_all|dce_sink|copy|select_and_gather_add|stage)_p", "it is XLA's own"),
)
#: Names that JAX had: what to say.
_REMOVED = {
    "jax.experimental.host_callback": "JAX has removed it; use jax.pure_callback, jax.experimental.io_callback, jax.debug.callback",
    "jax.experimental.maps": "JAX has removed it; use jax.vmap",
}
_NOT_YET = "it is not there yet"


@functools.cache
def names_of_jax() -> dict[str, tuple[str, ...]]:
    """Module -> its public names: `jax.numpy` -> `abs` ..."""
    text = resources.files("sable").joinpath("_names_of_jax.txt").read_text()
    return {module: tuple(names) for module, *names in (line.split() for line in text.splitlines())}


def reason(module: str, name: str) -> str:
    """Why a name of JAX is not there."""
    full = f"{module}.{name}"
    return next((why for pattern, why in _REASONS if re.fullmatch(pattern, full)), _NOT_YET)


def why(module: str, name: str) -> str | None:
    """What to say of a name that a module of ours does not have: nothing, unless JAX has or had it."""
    theirs = module.replace("sable", "jax", 1)
    if name in names_of_jax().get(theirs, ()):
        return f"{theirs}.{name} is a part of JAX that is left out, since {reason(theirs, name)}"
    return _REMOVED.get(f"{theirs}.{name}")


def missing(module: str, name: str) -> AttributeError:
    """The error for an attribute that a module of ours does not have."""
    text = f"module {module!r} has no attribute {name!r}"
    known = why(module, name)
    return AttributeError(text if known is None else f"{text}: {known}", name=name)


def explain(module: str) -> None:
    """Have a module that is being imported say why a name of JAX is not there."""

    def __getattr__(name: str) -> Any:
        raise missing(module, name)

    vars(sys.modules[module])["__getattr__"] = __getattr__
