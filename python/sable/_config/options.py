"""The options that do something, by what they are about; `OPTIONS` has the refused ones too."""

from __future__ import annotations

from collections.abc import Mapping

from .option import Option, boolean, choice, device, integer, number, text, words
from .refused import REFUSED

_MATMUL_PRECISIONS = (
    "default",
    "high",
    "highest",
    "bfloat16",
    "tensorfloat32",
    "float32",
    "ANY_F8_ANY_F8_F32",
    "ANY_F8_ANY_F8_F32_FAST_ACCUM",
    "ANY_F8_ANY_F8_ANY",
    "ANY_F8_ANY_F8_ANY_FAST_ACCUM",
    "F16_F16_F16",
    "F16_F16_F32",
    "BF16_BF16_BF16",
    "BF16_BF16_F32",
    "BF16_BF16_F32_X3",
    "BF16_BF16_F32_X6",
    "BF16_BF16_F32_X9",
    "TF32_TF32_F32",
    "TF32_TF32_F32_X3",
    "F32_F32_F32",
    "F64_F64_F64",
)
_PRNG_IMPLEMENTATIONS = ("threefry2x32", "threefry4x32", "rbg", "unsafe_rbg", "philox2x32", "philox4x32")
_LOGGING_LEVELS = ("NOTSET", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_DIRECTIONS = ("host_to_device", "device_to_device", "device_to_host")
_TRANSFER_GUARD = choice("allow", "log", "disallow", "log_explicit", "disallow_explicit", optional=True)

_DTYPES = (
    Option("jax_enable_x64", False, boolean, "Allow 64-bit dtypes; without it they become 32-bit.", traced=True),
    Option(
        "jax_default_dtype_bits",
        "64",
        choice("32", "64"),
        "With '32', Python scalars and default dtypes are 32-bit even where 64-bit dtypes are allowed. An option of "
        "earlier versions of JAX.",
        traced=True,
    ),
    Option(
        "jax_explicit_x64_dtypes",
        "warn",
        choice("warn", "error", "allow"),
        "What happens to a 64-bit dtype that is asked for by name while jax_enable_x64 is off: it becomes 32-bit with a "
        "warning, is an error, or is respected.",
        traced=True,
    ),
    Option(
        "jax_numpy_rank_promotion",
        "allow",
        choice("allow", "warn", "raise"),
        "What happens when operands of different rank are broadcast together.",
        traced=True,
        watched=True,
    ),
    Option(
        "jax_numpy_dtype_promotion",
        "standard",
        choice("standard", "strict"),
        "With 'strict', operands of different dtypes are an error, Python scalars apart.",
        traced=True,
    ),
    Option(
        "jax_default_matmul_precision",
        None,
        choice(*_MATMUL_PRECISIONS, optional=True),
        "The precision that contractions have which name none; it is written into programs. IREE computes contractions of "
        "floats in their own precision or a higher one.",
        traced=True,
    ),
    Option(
        "jax_allow_f16_reductions",
        True,
        boolean,
        "If False, lax.reduce_sum of float16 and bfloat16 arrays is an error (jax.numpy.sum adds in float32).",
        traced=True,
    ),
    Option(
        "jax_check_static_indices",
        False,
        boolean,
        "Python integers as indices are checked against the array's shape: IndexError where they are out of bounds.",
        traced=True,
    ),
)

_RANDOM = (
    Option(
        "jax_threefry_partitionable",
        True,
        boolean,
        "Random bits which do not depend on how an array is cut into parts; False gives the bits of older programs.",
        traced=True,
    ),
    Option(
        "jax_default_prng_impl",
        "threefry2x32",
        choice(*_PRNG_IMPLEMENTATIONS),
        "The generator of raw keys and of keys made without naming one. Sable has threefry2x32, rbg and unsafe_rbg.",
        traced=True,
    ),
    Option("jax_enable_custom_prng", False, boolean, "PRNGKey returns typed keys, as key does.", traced=True),
    Option(
        "jax_legacy_prng_key",
        "allow",
        choice("allow", "warn", "error"),
        "What raw uint32 keys bring about when they are used.",
        watched=True,
    ),
    Option(
        "jax_debug_key_reuse",
        False,
        boolean,
        "KeyReuseError where a typed key is used twice, in eager code and in and by jitted functions.",
        traced=True,
        watched=True,
    ),
    Option("jax_random_seed_offset", 0, integer, "Added to the seeds of all keys.", traced=True),
)

_DEVICES = (
    Option(
        "jax_default_device",
        None,
        device,
        "Where computations run that name no device: a device or the name of a platform.",
        traced=True,
        watched=True,
    ),
    Option("jax_platforms", None, text, "Comma-separated platforms to use; the first is the default."),
    Option("jax_platform_name", "", text, "The platform to use (older form of jax_platforms)."),
    Option(
        "jax_transfer_guard",
        None,
        _TRANSFER_GUARD,
        "The guard of transfers in all directions: sets the three options below.",
        implies=tuple(f"jax_transfer_guard_{d}" for d in _DIRECTIONS),
    ),
    Option(
        "jax_transfer_guard_host_to_device",
        None,
        _TRANSFER_GUARD,
        "What happens when Python scalars and NumPy arrays become arrays outside of jitted functions: 'log' and 'disallow' "
        "concern implicit transfers, 'log_explicit' and 'disallow_explicit' those by device_put too.",
        watched=True,
        harmless=("allow",),
    ),
    Option(
        "jax_transfer_guard_device_to_device",
        None,
        _TRANSFER_GUARD,
        "The same for arrays that a computation on another device needs, and for device_put to it.",
        watched=True,
        harmless=("allow",),
    ),
    Option(
        "jax_transfer_guard_device_to_host",
        None,
        _TRANSFER_GUARD,
        "The same for values which Python asks of arrays on other devices than the CPU (on the CPU nothing is "
        "transferred); explicit is device_get.",
        watched=True,
        harmless=("allow",),
    ),
)

_DEBUGGING = (
    Option("jax_disable_jit", False, boolean, "Jitted functions, scan, cond and while run in Python.", traced=True),
    Option(
        "jax_debug_nans",
        False,
        boolean,
        "FloatingPointError at the first op that gives a NaN, with the user's line; programs that return one are run again "
        "op by op to find it.",
        traced=True,
        watched=True,
    ),
    Option("jax_debug_infs", False, boolean, "The same as jax_debug_nans for infinities.", traced=True, watched=True),
    Option(
        "jax_check_tracer_leaks",
        False,
        boolean,
        "An error where a traced value outlives its trace, which says who holds it.",
        traced=True,
    ),
    Option(
        "jax_enable_checks",
        False,
        boolean,
        "Traced functions and the modules that passes make are verified.",
        traced=True,
    ),
    Option("jax_no_tracing", False, boolean, "An error in place of tracing a function for jit."),
    Option(
        "jax_no_execution",
        False,
        boolean,
        "An error in place of running an op or a program.",
        traced=True,
        watched=True,
    ),
    Option(
        "jax_traceback_filtering",
        "auto",
        choice("off", "tracebackhide", "remove_frames", "quiet_remove_frames", "auto"),
        "How frames inside of Sable are taken out of the tracebacks of errors that leave jit, grad, vmap and the like: not "
        "at all; marked with __tracebackhide__; removed, with the whole traceback as the cause; removed, with a note. "
        "'auto' is 'tracebackhide' in IPython and 'quiet_remove_frames' elsewhere.",
    ),
    Option(
        "jax_softmax_custom_jvp",
        False,
        boolean,
        "The derivative of jax.nn.softmax is its closed form, y (t - sum(y t)).",
        traced=True,
    ),
    Option(
        "jax_high_dynamic_range_gumbel",
        False,
        boolean,
        "jax.random.gumbel and categorical draw in mode 'high' where none is named.",
        traced=True,
    ),
    Option(
        "jax_captured_constants_warn_bytes",
        2_000_000_000,
        integer,
        "A warning where a jitted function closes over arrays of this many bytes or more in all; -1: never.",
    ),
    Option(
        "jax_captured_constants_report_frames",
        0,
        integer,
        "How many frames that warning names for each array, 0: none, -1: all (one, the user's line, unless "
        "jax_include_full_tracebacks_in_locations is on).",
    ),
)

_LOGGING = (
    Option(
        "jax_log_compiles",
        False,
        boolean,
        "Tracing, lowering and compiling are logged at level WARNING (else DEBUG), with the time each took.",
    ),
    Option(
        "jax_log_checkpoint_residuals",
        False,
        boolean,
        "Each derivative of a jax.checkpoint logs what it keeps at level WARNING (else DEBUG): inputs and intermediates, "
        "with the operations and lines that make them.",
    ),
    Option(
        "jax_explain_cache_misses",
        False,
        boolean,
        "What differs from earlier calls is logged where a call of a jitted function has to be traced.",
    ),
    Option(
        "jax_logging_level",
        "NOTSET",
        choice(*_LOGGING_LEVELS, optional=True),
        "The level of the logger 'sable', which then writes to stderr; 'NOTSET' and None leave it to the program.",
    ),
    Option(
        "jax_debug_log_modules",
        "",
        text,
        "Comma-separated modules, such as 'sable.api.compilation' or 'sable', which log at level DEBUG to stderr.",
    ),
    Option("jax_dump_ir_to", "", text, "A folder to which the programs that are compiled are written, '' for none."),
    Option(
        "jax_dump_ir_modes",
        "stablehlo",
        words("stablehlo", "jaxpr"),
        "What is written there, comma-separated: 'stablehlo' is the lowered module, 'jaxpr' the traced function.",
    ),
    Option("jax_include_debug_info_in_dumps", True, boolean, "Programs are written there with locations."),
    Option(
        "jax_include_full_tracebacks_in_locations",
        False,
        boolean,
        "Locations in MLIR hold all frames of the user's that lead to an op, not only the innermost. Off by default, unlike "
        "in JAX, since it makes tracing slower.",
        traced=True,
    ),
    Option(
        "jax_traceback_in_locations_limit",
        100,
        integer,
        "How many frames such a location holds at most; a negative number means all.",
        traced=True,
    ),
    Option(
        "jax_hlo_source_file_canonicalization_regex",
        None,
        text,
        "What this regular expression matches is cut out of the file names in locations.",
        traced=True,
    ),
)

_CACHE = (
    Option("jax_enable_compilation_cache", True, boolean, "Keep executables on disk."),
    Option(
        "jax_compilation_cache_dir",
        None,
        text,
        "Where they are kept; None: the folder that SABLE_CACHE_DIR names, else ~/.cache/sable.",
    ),
    Option(
        "jax_compilation_cache_max_size",
        -1,
        integer,
        "Bound of the files' sizes in bytes, 0 for no files; -1: what SABLE_CACHE_SIZE says, else 2 GiB.",
    ),
    Option(
        "jax_persistent_cache_min_compile_time_secs",
        0.0,
        number,
        "Shortest compilation worth keeping (s). All by default, unlike in JAX (1 s), since the folder is bounded.",
    ),
    Option("jax_persistent_cache_min_entry_size_bytes", 0, integer, "Smallest executable worth keeping (bytes)."),
    Option(
        "jax_raise_persistent_cache_errors",
        False,
        boolean,
        "What goes wrong when files of the cache are read and written is an error; else a warning.",
    ),
    Option(
        "jax_compilation_cache_include_metadata_in_key",
        False,
        boolean,
        "Locations are part of a program's key, so that moving a function in its file compiles it again.",
    ),
)

OPTIONS: Mapping[str, Option] = {
    option.name: option for option in _DTYPES + _RANDOM + _DEVICES + _DEBUGGING + _LOGGING + _CACHE + REFUSED
}
