"""Every public function is declared, and calls as the rows have them are planned, or say why not."""

from __future__ import annotations

import ast
import collections
from pathlib import Path
from typing import Any

import sable
from sable.library.declare import explain

from . import rows  # noqa: F401  (they fill the table)
from .table import CALLS, arguments, find, operands
from .test_signatures import FUNCTIONS

_TAKES_FUNCTIONS = "it takes functions, which are traced"
_NO_ARRAYS = "it computes no array"
_FROM_OUTSIDE = "it reads or writes what is no array"
_AXIS_NAME = "it is about an axis that vmap has named"

#: Public functions that are not declared, and why.
UNDECLARED = {
    **dict.fromkeys(
        ["lax.cond", "lax.fori_loop", "lax.map", "lax.scan", "lax.switch", "lax.while_loop"], _TAKES_FUNCTIONS
    ),
    "lax.rng_uniform": "each call draws other numbers",
    **dict.fromkeys(["numpy.apply_along_axis", "numpy.apply_over_axes", "numpy.mask_indices"], _TAKES_FUNCTIONS),
    **dict.fromkeys(["numpy.frompyfunc", "numpy.piecewise", "numpy.vectorize"], _TAKES_FUNCTIONS),
    **dict.fromkeys(["lax.composite", "lax.custom_linear_solve", "lax.custom_root"], _TAKES_FUNCTIONS),
    **dict.fromkeys(["lax.platform_dependent"], _TAKES_FUNCTIONS),
    **dict.fromkeys(["lax.associative_scan", "lax.reduce", "lax.reduce_window", "lax.scatter_apply"], _TAKES_FUNCTIONS),
    **dict.fromkeys(
        ["numpy.array_repr", "numpy.array_str", "numpy.can_cast", "numpy.isdtype", "numpy.issubdtype"], _NO_ARRAYS
    ),
    **dict.fromkeys(["numpy.ndim", "numpy.shape", "numpy.size", "numpy.isscalar", "numpy.iscomplexobj"], _NO_ARRAYS),
    **dict.fromkeys(["numpy.isrealobj", "numpy.promote_types", "numpy.result_type", "numpy.einsum_path"], _NO_ARRAYS),
    **dict.fromkeys(["numpy.get_printoptions", "numpy.printoptions", "numpy.set_printoptions"], _NO_ARRAYS),
    **dict.fromkeys(["numpy.broadcast_shapes", "lax.broadcast_shapes", "lax.conv_dimension_numbers"], _NO_ARRAYS),
    **dict.fromkeys(["lax.padtype_to_pads", "lax.dtype", "random.key_dtype", "random.key_impl"], _NO_ARRAYS),
    **dict.fromkeys(
        ["numpy.from_dlpack", "numpy.frombuffer", "numpy.fromfile", "numpy.fromiter", "numpy.fromstring"], _FROM_OUTSIDE
    ),
    **dict.fromkeys(["numpy.iterable", "numpy.load", "numpy.save", "numpy.savez"], _FROM_OUTSIDE),
    "numpy.fromfunction": _TAKES_FUNCTIONS,
    "scipy.optimize.minimize": _TAKES_FUNCTIONS,
    **dict.fromkeys([f"scipy.sparse.linalg.{n}" for n in ("bicgstab", "cg", "gmres")], _TAKES_FUNCTIONS),
    **dict.fromkeys(["lax.DotDimensionNumbers", "nn.initializers.Initializer"], "a type"),
    **dict.fromkeys(["lax.all_gather", "lax.axis_index", "lax.axis_size", "lax.pmax"], _AXIS_NAME),
    **dict.fromkeys(["lax.pmean", "lax.pmin", "lax.psum", "lax.all_to_all", "lax.pbroadcast"], _AXIS_NAME),
    **dict.fromkeys(["lax.ppermute", "lax.pshuffle", "lax.psum_scatter", "lax.pswapaxes", "lax.pcast"], _AXIS_NAME),
    "lax.with_sharding_constraint": "it computes nothing",
    **dict.fromkeys(["nn.get_scaled_dot_general_config", "nn.scaled_dot_general"], "it takes or makes configurations"),
    **dict.fromkeys(["lax.conv_general_permutations", "lax.conv_general_shape_tuple"], _NO_ARRAYS),
    **dict.fromkeys(["lax.conv_shape_tuple", "lax.conv_transpose_shape_tuple"], _NO_ARRAYS),
    **dict.fromkeys(["lax.reduce_window_shape_tuple", "lax.create_token"], _NO_ARRAYS),
    **dict.fromkeys(["lax.after_all", "lax.dce_sink"], _NO_ARRAYS),
    **{
        path: "it makes an initializer"
        for path in FUNCTIONS
        if path.startswith("nn.initializers.") and not path.endswith((".zeros", ".ones", ".Initializer"))
    },
}

_SCALARS_ONLY = "no array is among the arguments"
_VALUES = "it looks at values: ConcretizationTypeError"
_TRUTH = "it looks at values: TracerBoolConversionError"

#: Declared functions of whose samples none has a plan, and why.
UNPLANNED = {
    **dict.fromkeys(["lax.broadcasted_iota", "lax.empty", "lax.full", "lax.iota", "lax.shape_as_value"], _SCALARS_ONLY),
    **dict.fromkeys(["numpy.arange", "numpy.empty", "numpy.eye", "numpy.identity"], _SCALARS_ONLY),
    **dict.fromkeys(["numpy.bartlett", "numpy.blackman", "numpy.hamming", "numpy.hanning"], _SCALARS_ONLY),
    **dict.fromkeys(["numpy.diag_indices", "numpy.indices", "numpy.tril_indices", "numpy.triu_indices"], _SCALARS_ONLY),
    **dict.fromkeys(
        ["numpy.logspace", "numpy.ones", "numpy.tri", "numpy.zeros", "random.PRNGKey", "random.key"], _SCALARS_ONLY
    ),
    **dict.fromkeys(["numpy.argwhere", "numpy.trim_zeros"], _VALUES),
    **dict.fromkeys(["numpy.compress", "numpy.extract"], _TRUTH),
    **dict.fromkeys(
        (f"lax.scatter{way}" for way in ("", "_add", "_max", "_min", "_mul", "_sub")),
        "an argument of type ScatterDimensionNumbers is neither an array nor static",
    ),
    "lax.gather": "an argument of type GatherDimensionNumbers is neither an array nor static",
    **dict.fromkeys(["numpy.gcd", "numpy.lcm"], "it calls functions: while"),
    **dict.fromkeys(["numpy.histogram2d", "numpy.histogramdd", "numpy.kaiser"], "it is long"),
    "lax.ragged_dot_general": "an argument of type RaggedDotDimensionNumbers is neither an array nor static",
    **dict.fromkeys(["numpy.copy", "scipy.ndimage.map_coordinates"], "it asks whether a value is known"),
    **dict.fromkeys(
        [f"scipy.special.{n}" for n in ("entr", "kl_div", "log_ndtr", "logit", "poch", "rel_entr", "xlog1py", "xlogy")],
        "custom_jvp_call",
    ),
    "scipy.special.beta": "it is long",
    **dict.fromkeys(
        [f"scipy.linalg.{n}" for n in ("dft", "hadamard", "helmert", "hilbert", "invhilbert", "invpascal", "pascal")],
        _SCALARS_ONLY,
    ),
    **dict.fromkeys(["lax.linalg.qdwh", "scipy.linalg.rsf2csf", "scipy.linalg.sqrtm"], "it calls functions: scan"),
    **dict.fromkeys(["scipy.linalg.expm", "scipy.linalg.expm_frechet"], "it calls functions: scan"),
    "scipy.linalg.funm": "an argument of type LibraryFunction is neither an array nor static",
    **dict.fromkeys(
        [
            f"random.{n}"
            for n in ("ball", "beta", "chisquare", "dirichlet", "f", "gamma", "generalized_normal", "loggamma", "t")
        ],
        "custom_jvp_call",
    ),
    **dict.fromkeys(["random.binomial", "random.poisson"], "while"),
    "random.multinomial": "scan",
    **dict.fromkeys(
        (
            f"scipy.special.{n}"
            for n in (
                "dawsn",
                "erfcx",
                "exp1",
                "expi",
                "expn",
                "fresnel",
                "hyp1f1",
                "hyp2f1",
                "ndtri",
                "owens_t",
                "sici",
                "spence",
            )
        ),
        "custom_jvp_call",
    ),
    **dict.fromkeys(["scipy.special.wofz", "scipy.special.zeta", "scipy.stats.poisson.entropy"], "custom_jvp_call"),
    "scipy.special.bernoulli": _SCALARS_ONLY,
    "scipy.special.bessel_jn": "scan",
    "scipy.special.sph_harm_y": "it is long",
    **dict.fromkeys(
        (
            f"scipy.stats.{distribution}.{log}{density}"
            for density, distributions in {
                "pdf": ("beta", "dirichlet", "gamma", "truncnorm"),
                "pmf": ("bernoulli", "binom", "geom", "multinomial", "nbinom", "poisson"),
            }.items()
            for distribution in distributions
            for log in ("", "log")
        ),
        "custom_jvp_call",
    ),
    **dict.fromkeys((f"scipy.stats.{d}.{f}" for d in ("logistic", "norm") for f in ("isf", "ppf")), "custom_jvp_call"),
    **dict.fromkeys(["scipy.stats.norm.logcdf", "scipy.stats.norm.logsf"], "custom_jvp_call"),
    # with and without a custom_jvp_call, long in any case
    **dict.fromkeys((f"scipy.stats.truncnorm.{f}" for f in ("cdf", "logcdf", "sf", "logsf")), "it "),
    "scipy.special.gamma": "it ",
    "scipy.special.comb": "it is long",
    **dict.fromkeys(["scipy.special.factorial", "scipy.special.ndtr"], "custom_jvp_call"),
    **dict.fromkeys(["scipy.stats.norm.cdf", "scipy.stats.norm.sf"], "custom_jvp_call"),
    **dict.fromkeys(["scipy.stats.betabinom.pmf", "scipy.stats.betabinom.logpmf"], "it is long"),
    "scipy.linalg.cho_factor": "it returns bool and not only arrays",
    **dict.fromkeys(["numpy.linalg.slogdet", "scipy.linalg.det"], "custom_jvp_call"),
}


def test_every_function_is_declared() -> None:
    declared = {path for path, function in FUNCTIONS.items() if hasattr(function, "__operands__")}
    assert set(FUNCTIONS) - declared == set(UNDECLARED)


def test_calls_are_planned_or_say_why_not() -> None:
    """The first sample of each function that has a plan counts; where there is none, the reasons of all."""
    reasons: dict[str, set[str]] = collections.defaultdict(set)
    planned: set[str] = set()
    for sample in CALLS:
        function = find(sable, sample.function)
        if sample.function in planned or not hasattr(function, "__operands__"):
            continue
        args, kwargs = arguments(sample, sable, operands(sample, sable))
        try:
            function(*args, **kwargs)
        except Exception:
            continue  # a sample of an error: test_library.py compares its class
        why = explain(function, *args, **kwargs)
        if why is None:
            planned.add(sample.function)
        else:
            reasons[sample.function].add(why)
    found = {path: why - {_SCALARS_ONLY} or why for path, why in reasons.items() if path not in planned}
    wrong = {p: w for p, w in found.items() if not all(UNPLANNED.get(p, "?") in text for text in w)}
    assert not wrong and set(found) == set(UNPLANNED), (wrong, set(UNPLANNED) - set(found))


# ---- values that are asked for ---------------------------------------------------------------------------------------

#: Where a library tests for arrays by itself: what it does then has the same result as with a tracer, by a shorter way.
SAME_RESULT = {
    ("lax/bodies.py", "_closed"): "captures of a function that was given, which are no arguments",
    ("lax/gathering.py", "all_inside"): "indices known to lie inside need no clamping",
    ("lax/gathering.py", "scatter_apply"): "the steps of a loop whose number is known, one by one",
    ("numpy/creation.py", "_place"): "where an array is, which tracers do not say",
    ("numpy/indexing/parse.py", "_array_of"): "positions are computed with NumPy",
    ("numpy/indexing/parse.py", "_part"): "positions are computed with NumPy",
    ("numpy/indexing/read.py", "getitem"): "NumPy's own indexing, where everything is known",
    ("numpy/indexing/update.py", "_is_free"): "NumPy's own assignment, where everything is known",
    ("random/_generators.py", "key_words"): "the words of a key that is known",
}


class _Tests(ast.NodeVisitor):
    """Functions in which something is compared with the class `Array`."""

    def __init__(self) -> None:
        self.function = ""
        self.found: set[str] = set()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        outer, self.function = self.function, node.name
        for part in node.body:
            self.visit(part)
        self.function = outer

    def visit_Compare(self, node: ast.Compare) -> None:
        self._look([node.left, *node.comparators])
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name) and node.func.id == "isinstance":
            self._look(node.args)
        self.generic_visit(node)

    def _look(self, parts: list[Any]) -> None:
        names = {n.id for p in parts for n in ast.walk(p) if isinstance(n, ast.Name)}
        if "Array" in names:
            self.found.add(self.function)


def test_libraries_ask_for_values_in_one_way() -> None:
    """By `concrete`, which keeps a call from being planned: what is done with a known value holds for that one only."""
    root = Path(sable.__file__).parent
    found = set()
    for library in ("numpy", "lax", "nn", "random", "scipy"):
        for path in sorted((root / library).rglob("*.py")):
            tests = _Tests()
            tests.visit(ast.parse(path.read_text()))
            found |= {(path.relative_to(root).as_posix(), name) for name in tests.found}
    assert found == set(SAME_RESULT)
