"""Configuration: one object, `config`, and a context manager for each option that may differ for a while.

A value comes from, first match wins: the context managers active in this thread, `config.update`, the
environment (`SABLE_ENABLE_X64`, else `JAX_ENABLE_X64`, for `jax_enable_x64`; the same pattern for every
option), the default. docs/options.md lists the options.

`config` is a `threading.local` whose *class* attributes hold the values that all threads share and whose
instance attributes hold what a thread has overridden: a read is then one attribute look-up in C (some 35 ns),
whether or not a context manager is active, and needs no lock.
"""

from .managers import (
    Override,
    allow_f16_reductions,
    array_garbage_collection_guard,
    auto_pcast,
    check_static_indices,
    check_tracer_leaks,
    checking_leaks,
    debug_infs,
    debug_key_reuse,
    debug_nans,
    default_device,
    default_matmul_precision,
    default_prng_impl,
    disable_jit,
    enable_checks,
    enable_custom_prng,
    enable_x64,
    explain_cache_misses,
    explicit_x64_dtypes,
    legacy_prng_key,
    log_compiles,
    no_execution,
    no_tracing,
    numpy_dtype_promotion,
    numpy_rank_promotion,
    remove_size_one_mesh_axis_from_type,
    softmax_custom_jvp,
    thread_guard,
    threefry_partitionable,
    transfer_guard,
    transfer_guard_device_to_device,
    transfer_guard_device_to_host,
    transfer_guard_host_to_device,
)
from .options import OPTIONS
from .state import Config, config

__all__ = [
    "OPTIONS",
    "Config",
    "Override",
    "allow_f16_reductions",
    "array_garbage_collection_guard",
    "auto_pcast",
    "check_static_indices",
    "check_tracer_leaks",
    "checking_leaks",
    "config",
    "debug_infs",
    "debug_key_reuse",
    "debug_nans",
    "default_device",
    "default_matmul_precision",
    "default_prng_impl",
    "disable_jit",
    "enable_checks",
    "enable_custom_prng",
    "enable_x64",
    "explain_cache_misses",
    "explicit_x64_dtypes",
    "legacy_prng_key",
    "log_compiles",
    "no_execution",
    "no_tracing",
    "numpy_dtype_promotion",
    "numpy_rank_promotion",
    "remove_size_one_mesh_axis_from_type",
    "softmax_custom_jvp",
    "thread_guard",
    "threefry_partitionable",
    "transfer_guard",
    "transfer_guard_device_to_device",
    "transfer_guard_device_to_host",
    "transfer_guard_host_to_device",
]
