"""Every option acts: what is observed under its default differs from what is observed under another value.

A case is a function that observes something; `act` gives the value to try, and what is seen under the default and under
that value. No option is without a case: the others refuse, with a sentence.
"""

from __future__ import annotations

import logging
import os
import re
import traceback
import warnings
from pathlib import Path

import numpy as np
import pytest

import sable as jax
import sable.numpy as jnp
from sable import lax
from sable._config import OPTIONS, config
from sable._config.managers import Override
from sable.compiler import CacheSettings, configure_cache
from sable.core.array import Array
from sable.core.evaluation import run
from sable.ir.aval import aval
from sable.ir.bindings import UNKNOWN
from sable.ir.function import Function
from sable.ir.op import OPS
from sable.tools import option_table

CASES = {}
ACTED = [option for option in OPTIONS.values() if not option.refusal]
REFUSED = [option for option in OPTIONS.values() if option.refusal]


def act(name, value, *, default, other):
    """Register a case: under the default it sees `default`, under `value` it sees `other`."""
    assert default != other

    def register(observe):
        assert name not in CASES
        CASES[name] = (value, default, other, observe)
        return observe

    return register


class Seen:
    """What cases look with: a folder, log records, fresh functions."""

    def __init__(self, folder: Path, caplog):
        self.folder, self.caplog = folder, caplog

    def error(self, function, *args):
        """The class of the error that a call raises, None if it goes well."""
        try:
            function(*args)
        except Exception as error:
            return type(error).__name__
        return None

    def warning(self, function, *args):
        """The first words of the warning that a call gives, None if there is none."""
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            function(*args)
        return " ".join(str(found[0].message).split()[:3]) if found else None

    def logged(self, function, *args, level=logging.WARNING):
        """First words of the log lines that a call gives."""
        self.caplog.clear()
        function(*args)
        return [" ".join(r.getMessage().split()[:2]) for r in self.caplog.records if r.levelno >= level]

    def files(self):
        """Number of compiled modules kept in the folder."""
        return len(list(self.folder.glob("**/*.vmfb")))

    def compile(self):
        """Compile something that nobody has compiled."""
        number = next(NUMBERS)
        jax.jit(lambda x: x + number)(np.zeros(3, np.float32))


NUMBERS = iter(range(10_000, 20_000))


@pytest.fixture
def seen(tmp_path, caplog):
    configure_cache(CacheSettings(tmp_path / "cache"))
    yield Seen(tmp_path, caplog)
    configure_cache(None)


def test_every_option_has_a_case():
    assert sorted(CASES) == sorted(option.name for option in ACTED)


@pytest.mark.parametrize("name", [option.name for option in ACTED])
def test_option_acts(name, seen):
    value, default, other, observe = CASES[name]
    with Override(name, OPTIONS[name].default):
        assert observe(seen) == default
    with Override(name, value):
        assert observe(seen) == other
    with Override(name, OPTIONS[name].default):
        assert observe(seen) == default


@pytest.mark.parametrize("option", REFUSED, ids=lambda option: option.name)
def test_option_refuses(option):
    config.update(option.name, option.default)
    assert config.read(option.name) == option.default
    with pytest.raises(
        ValueError, match=f"invalid value for {option.name}: only .* is possible here, got 'x'"
    ) as caught:
        config.update(option.name, "x")
    assert option.refusal in str(caught.value) and len(option.refusal.split()) >= 4
    if isinstance(option.default, str) and option.default:
        assert option.parse(option.default) == option.default
    else:
        assert option.parse(str(option.default)) == option.default  # as the environment gives it


def test_documentation_is_up_to_date():
    document = Path(__file__).parents[2] / "docs" / "options.md"
    assert document.read_text() == option_table.table(), "run `make docs`"


# ---- dtypes --------------------------------------------------------------------------------------------------


@act("jax_enable_x64", True, default="float32", other="float64")
def _(seen):
    return jnp.asarray(1.0).dtype.name


@act("jax_default_dtype_bits", "32", default="float64", other="float32")
def _(seen):
    with jax.enable_x64(True):
        assert jnp.zeros(2, "float64").dtype.name == "float64"
        return jnp.asarray(1.0).dtype.name


@act("jax_explicit_x64_dtypes", "error", default=None, other="ValueError")
def _(seen):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return seen.error(lambda: jnp.zeros(2, "float64"))


@act("jax_numpy_rank_promotion", "raise", default=None, other="ValueError")
def _(seen):
    return seen.error(lambda: jnp.ones((2, 3)) + jnp.ones(3))


@act("jax_numpy_dtype_promotion", "strict", default=None, other="TypePromotionError")
def _(seen):
    return seen.error(lambda: jnp.ones(3) + jnp.arange(3))


@act("jax_default_matmul_precision", "highest", default=None, other="HIGHEST")
def _(seen):
    text = jax.jit(lambda x: x @ x).lower(jnp.ones((2, 2))).as_text()
    found = re.search(r"precision = \[(\w+), \w+\]", text)
    return None if found is None or found[1] == "DEFAULT" else found[1]


@act("jax_allow_f16_reductions", False, default=None, other="ValueError")
def _(seen):
    assert float(jnp.sum(jnp.ones(3, jnp.float16))) == 3
    return seen.error(lambda: lax.reduce_sum(jnp.ones(3, jnp.float16), (0,)))


@act("jax_check_static_indices", True, default=[None, None, None], other=["IndexError", "IndexError", None])
def _(seen):
    x = jnp.arange(6).reshape(2, 3)
    return [seen.error(lambda i=i: x[i]) for i in (2, (0, -4), (-2, -3))]


# ---- random numbers ------------------------------------------------------------------------------------------


def _oracle(partitionable):
    oracle = pytest.importorskip("jax")
    with oracle.threefry_partitionable(partitionable):
        return np.asarray(oracle.random.bits(oracle.random.PRNGKey(1), (3,))).tolist()


@act("jax_threefry_partitionable", False, default=True, other=False)
def _(seen):
    return np.asarray(jax.random.bits(jax.random.PRNGKey(1), (3,))).tolist() == _oracle(True)


@act("jax_default_prng_impl", "rbg", default="threefry2x32", other="rbg")
def _(seen):
    return jax.random.key_impl(jax.random.key(0))


@act("jax_enable_custom_prng", True, default="Array", other="KeyArray")
def _(seen):
    return type(jax.random.PRNGKey(0)).__name__


@act("jax_legacy_prng_key", "error", default=None, other="ValueError")
def _(seen):
    return seen.error(lambda: jax.random.normal(jax.random.PRNGKey(0)))


@act("jax_debug_key_reuse", True, default=None, other="KeyReuseError")
def _(seen):
    key = jax.random.key(0)
    jax.random.normal(key)
    return seen.error(lambda: jax.random.normal(key))


@act("jax_random_seed_offset", 3, default=[0, 1], other=[0, 4])
def _(seen):
    traced = jax.jit(lambda s: jax.random.PRNGKey(s))(np.int32(1))
    assert traced.tolist() == jax.random.key_data(jax.random.key(1)).tolist()
    return traced.tolist()


@act("jax_high_dynamic_range_gumbel", True, default="low", other="high")
def _(seen):
    key = jax.random.key(0)
    found = float(jax.random.gumbel(key))
    return next(mode for mode in ("low", "high") if float(jax.random.gumbel(key, mode=mode)) == found)


# ---- devices -------------------------------------------------------------------------------------------------


@act("jax_default_device", "nowhere", default=None, other="RuntimeError")
def _(seen):
    return seen.error(lambda: jnp.ones(2) + 1)


@act("jax_platforms", "vulkan,cpu", default="cpu", other="vulkan")
def _(seen):
    return jax.default_backend()


@act("jax_platform_name", "vulkan", default="cpu", other="vulkan")
def _(seen):
    return jax.default_backend()


@act("jax_transfer_guard", "disallow", default=None, other="JaxRuntimeError")
def _(seen):
    return seen.error(lambda: jnp.sin(np.float32(1)))


@act("jax_transfer_guard_host_to_device", "disallow", default=[None] * 4, other=["JaxRuntimeError"] * 3 + [None])
def _(seen):
    x, given = jax.device_put(np.float32([1, 2])), np.float32([1, 2])
    jitted = jax.jit(lambda x: x + 1)
    jitted(x)
    calls = [lambda: x + 1.5, lambda: jnp.asarray(given), lambda: jitted(given), lambda: jax.device_put(given)]
    return [seen.error(f) for f in calls]


class Elsewhere:
    """A device that is none of ours."""

    platform = "elsewhere"

    def put(self, array):
        return array

    def get(self, buffer, shape, dtype):
        return buffer


@act("jax_transfer_guard_device_to_device", "disallow", default=[None, None], other=["JaxRuntimeError", None])
def _(seen):
    from sable.core import placement

    x = jax.device_put(np.float32([1, 2]))
    return [
        seen.error(lambda: placement.buffer_of(x, Elsewhere())),
        seen.error(lambda: placement.put(x, Elsewhere(), True, explicit=True)),
    ]


@act("jax_transfer_guard_device_to_host", "disallow", default=[None, None], other=["JaxRuntimeError", None])
def _(seen):
    def elsewhere():
        return Array(aval((2,), np.dtype(np.float32)), None, np.ones(2, np.float32), Elsewhere())

    return [seen.error(lambda: np.asarray(elsewhere())), seen.error(lambda: jax.device_get(elsewhere()))]


# ---- debugging -----------------------------------------------------------------------------------------------


@act("jax_disable_jit", True, default=["Tracer"] * 3, other=["Array"] * 3)
def _(seen):
    kinds = []

    def note(x):
        kinds.append(type(x).__name__)
        return x

    jax.jit(lambda x: note(x))(jnp.asarray(1.0))
    lax.scan(lambda c, x: (note(c), x), jnp.asarray(0.0), jnp.arange(1.0))
    lax.cond(jnp.asarray(True), lambda x: note(x), lambda x: x, jnp.asarray(1.0))
    return kinds


@act("jax_debug_nans", True, default=None, other="FloatingPointError")
def _(seen):
    return seen.error(lambda: jnp.log(jnp.asarray(-1.0)))


@act("jax_debug_infs", True, default=None, other="FloatingPointError")
def _(seen):
    return seen.error(lambda: jnp.ones(2) / 0)


@act("jax_check_tracer_leaks", True, default=None, other="UnexpectedTracerError")
def _(seen):
    kept = []
    return seen.error(jax.jit(lambda x: [kept.append(x), x + 1][1]), 1.0)


@act("jax_enable_checks", True, default=False, other=True)
def _(seen):
    broken = Function([aval((2,), np.dtype(np.float32))], "broken")
    wrong = aval((3,), np.dtype(np.float32))
    results = broken.emit(OPS["scan"], broken.arguments, _scan_of_another_type(), [wrong], UNKNOWN)
    broken.finish(results, [wrong])
    try:
        run(broken, [jnp.ones(2)])
    except Exception as error:
        return type(error).__name__ == "PassError"
    return False


def _scan_of_another_type():
    body = Function([aval((), np.dtype(np.float32))], "body")
    body.finish(list(body.arguments), [aval((), np.dtype(np.float32))])
    return {"body": body, "num_consts": 0, "num_carry": 0, "length": 3, "reverse": False}


@act("jax_no_tracing", True, default=None, other="RuntimeError")
def _(seen):
    return seen.error(jax.jit(lambda x: x + 1), 1.0)


@act("jax_no_execution", True, default=[None, None], other=["RuntimeError", "RuntimeError"])
def _(seen):
    x = jax.device_put(np.float32(1))
    return [seen.error(lambda: jnp.sin(x)), seen.error(jax.jit(lambda x: x + 1), x)]


@act("jax_traceback_filtering", "off", default=[], other=["trace_flat"])
def _(seen):
    def fails(x):
        raise KeyError("mine")

    try:
        jax.jit(fails)(1.0)
    except KeyError as error:
        names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
        assert names[0] == "_" and names[-1] == "fails"
        return [name for name in names if name == "trace_flat"]


@act("jax_softmax_custom_jvp", True, default=False, other=True)
def _(seen):
    text = str(jax.make_jaxpr(jax.nn.softmax)(jnp.ones(3)))
    return "custom_jvp_call" in text


BIG = jax.device_put(np.ones(1000, np.float32))


@act("jax_captured_constants_warn_bytes", 1000, default=None, other="A large amount")
def _(seen):
    return seen.warning(lambda: jax.jit(lambda x: x + BIG)(1.0))


@act("jax_captured_constants_report_frames", -1, default=0, other=1)
def _(seen):
    with Override("jax_captured_constants_warn_bytes", 1000), pytest.warns(UserWarning) as found:
        jax.jit(lambda x: x + BIG)(1.0)
    return str(found[0].message).count("test_options.py:")


# ---- logging -------------------------------------------------------------------------------------------------


@act(
    "jax_log_compiles",
    True,
    default=[],
    other=["Finished tracing", "Compiling jit(f)", "Finished lowering", "Finished compilation"],
)
def _(seen):
    def f(x):
        return x + 1

    return seen.logged(jax.jit(f), 1.0)


@act("jax_log_checkpoint_residuals", True, default=[], other=["checkpoint of"])
def _(seen):
    return seen.logged(jax.grad(jax.checkpoint(lambda x: jnp.sin(jnp.sin(x)))), 1.0)


@act("jax_explain_cache_misses", True, default=[], other=["TRACING CACHE"])
def _(seen):
    return seen.logged(jax.jit(lambda x: x + 1), 1.0)


@act("jax_logging_level", "ERROR", default=logging.NOTSET, other=logging.ERROR)
def _(seen):
    config.update("jax_logging_level", config.jax_logging_level)  # context managers tell no logger
    return logging.getLogger("sable").level


@act("jax_debug_log_modules", "jax.api.compilation", default=logging.NOTSET, other=logging.DEBUG)
def _(seen):
    config.update("jax_debug_log_modules", config.jax_debug_log_modules)
    found = logging.getLogger("sable.api.compilation").level
    config.update("jax_debug_log_modules", "")
    return found


def _dumped(seen):
    with Override("jax_dump_ir_to", str(seen.folder / "dump")):
        jax.jit(lambda x: jnp.sin(x) + next(NUMBERS))(1.0)
    files = sorted((seen.folder / "dump").iterdir(), key=lambda f: f.stat().st_mtime_ns)
    return files[-1].name, files[-1].read_text()


@act("jax_dump_ir_to", "somewhere", default=False, other=True)
def _(seen):
    folder = Path(config.jax_dump_ir_to or "somewhere")
    before = Path.cwd()
    os.chdir(seen.folder)
    try:
        jax.jit(lambda x: x * next(NUMBERS))(1.0)
        found = folder.exists() and any("stablehlo.multiply" in f.read_text() for f in folder.iterdir())
        for file in folder.iterdir() if folder.exists() else ():
            file.unlink()
    finally:
        os.chdir(before)
    return found


@act("jax_dump_ir_modes", "jaxpr", default="stablehlo", other="jaxpr")
def _(seen):
    return re.search(r"_(stablehlo|jaxpr)\.mlir$", _dumped(seen)[0])[1]


@act("jax_include_debug_info_in_dumps", False, default=True, other=False)
def _(seen):
    return "loc(" in _dumped(seen)[1]


def _located(function):
    return jax.jit(function).lower(1.0).as_text(debug_info=True)


@act("jax_include_full_tracebacks_in_locations", True, default=False, other=True)
def _(seen):
    return "callsite(" in _located(lambda x: jnp.sin(x))


@act("jax_traceback_in_locations_limit", 1, default=True, other=False)
def _(seen):
    with Override("jax_include_full_tracebacks_in_locations", True):
        return "callsite(" in _located(lambda x: jnp.sin(x))


@act("jax_hlo_source_file_canonicalization_regex", ".*/", default=False, other=True)
def _(seen):
    return 'loc("test_options.py"' in _located(lambda x: jnp.sin(x))


# ---- the cache on disk ---------------------------------------------------------------------------------------


def _files_made(seen):
    before = seen.files()
    seen.compile()
    return seen.files() - before


@act("jax_enable_compilation_cache", False, default=1, other=0)
def _(seen):
    return _files_made(seen)


@act("jax_compilation_cache_dir", "elsewhere", default=0, other=1)
def _(seen):
    folder = seen.folder / "elsewhere"
    before = len(list(folder.glob("**/*.vmfb")))
    with Override("jax_compilation_cache_dir", config.jax_compilation_cache_dir and str(folder)):
        seen.compile()
    return len(list(folder.glob("**/*.vmfb"))) - before


@act("jax_compilation_cache_max_size", 0, default=1, other=0)
def _(seen):
    return _files_made(seen)


@act("jax_persistent_cache_min_compile_time_secs", 1000.0, default=1, other=0)
def _(seen):
    return _files_made(seen)


@act("jax_persistent_cache_min_entry_size_bytes", 1 << 30, default=1, other=0)
def _(seen):
    return _files_made(seen)


@act("jax_raise_persistent_cache_errors", True, default=None, other="NotADirectoryError")
def _(seen):
    file = seen.folder / "no folder"
    file.write_text("")
    with Override("jax_compilation_cache_dir", str(file)), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return seen.error(seen.compile)


@act("jax_compilation_cache_include_metadata_in_key", True, default=1, other=2)
def _(seen):
    before, number = seen.files(), next(NUMBERS)
    jax.jit(lambda x: x - number)(1.0)
    jax.jit(lambda x: x - number)(1.0)
    return seen.files() - before
