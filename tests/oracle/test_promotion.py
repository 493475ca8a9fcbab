"""Promotion under JAX and Sable: all pairs of dtypes, Python scalars and weak types, in 32 and 64 bits."""

import itertools
import types
import warnings

import ml_dtypes
import numpy as np
import pytest

jax = pytest.importorskip("jax")
jax_dtypes = pytest.importorskip("jax._src.dtypes")

from sable._config import managers  # noqa: E402
from sable._pages import WithPage  # noqa: E402
from sable.core import dtypes  # noqa: E402
from sable.ir.aval import ELEMENT_TYPES, NARROW_TYPES, aval  # noqa: E402

DTYPES = [d for d in ELEMENT_TYPES if d not in NARROW_TYPES]
NARROW = [np.dtype(getattr(ml_dtypes, name)) for name in ("int4", "uint2", "float8_e4m3fn", "float4_e2m1fn")]
SCALAR_TYPES = [bool, int, float, complex]
SCALARS = [True, 3, 2.5, 1j]
NUMPY_VALUES = [np.float64(1), np.int64(1), np.zeros(2, np.float16), np.zeros(2, np.uint64), np.float32]
INVALID = ["O", "M8[s]", np.longdouble, object(), "U3", [1, 2], np.array(["a"])]


class Boxed:
    """What arrays are to JAX's promotion: a dtype, and an aval with a weak type."""

    def __init__(self, dtype, weak_type):
        self.dtype = dtype
        self.aval = types.SimpleNamespace(weak_type=weak_type)

    def __repr__(self):
        return f"{self.dtype.name}{'*' if self.aval.weak_type else ''}"


jax_dtypes.register_type_whose_dtype_should_not_be_canonicalized(Boxed)
BOXES = [Boxed(d, weak) for d in DTYPES for weak in (False, True) if not (weak and d.kind == "b")]


def outcome(function, *args, **kwargs):
    """What a call gives, or the classes of its error, and the categories of its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = function(*args, **kwargs)
        except Exception as error:
            # our classes bring their page with them
            result = [c.__name__ for c in type(error).__mro__ if c is not WithPage]
    return result, [warning.category.__name__ for warning in caught]


@pytest.fixture(params=[False, True], ids=["x32", "x64"])
def x64(request):
    with jax.enable_x64(request.param), managers.enable_x64(request.param):
        yield request.param


@pytest.fixture(params=["standard", "strict"])
def mode(request):
    with jax.numpy_dtype_promotion(request.param), managers.numpy_dtype_promotion(request.param):
        yield request.param


def assert_same(ours, theirs, argument_lists):
    """Both functions do the same for every list of arguments."""
    different = []
    for arguments in argument_lists:
        expected, found = outcome(theirs, *arguments), outcome(ours, *arguments)
        if expected != found:
            different.append(f"{arguments}: JAX {expected}, Sable {found}")
    assert not different, "\n".join([f"{len(different)} differ", *different[:20]])


def test_promote_types(x64, mode):
    specs = DTYPES + NARROW + SCALAR_TYPES + ["float32", np.int8, None, "O", dtypes.float0, "nonsense"]
    assert_same(dtypes.promote_types, jax_dtypes.promote_types, itertools.product(specs, specs))


def test_avals_with_avals(x64, mode):
    def ours(*boxes):
        return dtypes.promote_avals(tuple(aval((), box.dtype, box.aval.weak_type) for box in boxes))

    pairs = [*itertools.product(BOXES, BOXES), *((box,) for box in BOXES)]
    assert_same(ours, jax_dtypes.lattice_result_type, pairs)


def test_three_avals(x64, mode):
    def ours(*boxes):
        return dtypes.promote_avals(tuple(aval((), box.dtype, box.aval.weak_type) for box in boxes))

    chosen = BOXES[::3]
    assert_same(ours, jax_dtypes.lattice_result_type, itertools.product(chosen, chosen, chosen))


def test_values_with_dtypes(x64, mode):
    values = DTYPES + NARROW + SCALARS + SCALAR_TYPES + NUMPY_VALUES
    assert_same(dtypes.lattice_result_type, jax_dtypes.lattice_result_type, itertools.product(values, values))


def test_result_type(x64, mode):
    def flagged(function):
        return lambda *args: function(*args, return_weak_type_flag=True)

    values = DTYPES + SCALARS + SCALAR_TYPES + NUMPY_VALUES + [None]
    pairs = [*itertools.product(values, values), *((value,) for value in values), ()]
    assert_same(flagged(dtypes.result_type), flagged(jax.dtypes.result_type), pairs)


def test_arrays_meet_as_in_programs(x64):
    """The same through JAX's front door: tracing an addition."""
    with_dtypes = [d for d in DTYPES if x64 or d.itemsize < 8 or d.name == "complex64"]
    arguments = [(d, weak) for d in with_dtypes for weak in (False, True) if not (weak and d.kind == "b")]
    for left, right in itertools.product(arguments, arguments[::4]):
        structs = [jax.ShapeDtypeStruct((), d, weak_type=weak) for d, weak in (left, right)]
        expected = jax.eval_shape(jax.numpy.add, *structs)
        found = dtypes.promote_avals((aval((), *left), aval((), *right)))
        assert found == (expected.dtype, expected.weak_type), (left, right)


def test_dtype_of_values(x64):
    values = DTYPES + NARROW + SCALARS + SCALAR_TYPES + NUMPY_VALUES + [None, "float64", dtypes.float0]
    # JAX lets this one pass here, though no array can have it.
    values += [value for value in INVALID if value is not np.longdouble]
    assert_same(dtypes.dtype, jax_dtypes.dtype, ((value,) for value in values))
    assert_same(dtypes.scalar_type_of, jax.dtypes.scalar_type_of, ((value,) for value in values))


def test_user_dtype(x64):
    specs = DTYPES + SCALAR_TYPES + NUMPY_VALUES[-1:] + INVALID[:3] + [None, "float64", "nonsense", object]
    theirs = jax_dtypes.check_and_canonicalize_user_dtype
    assert_same(dtypes.user_dtype, theirs, ((spec, "zeros") for spec in specs))


def test_canonicalize_dtype(x64):
    specs = DTYPES + NARROW + SCALAR_TYPES + ["float64", "nonsense", None, object, np.longdouble]
    assert_same(dtypes.canonicalize_dtype, jax.dtypes.canonicalize_dtype, ((spec,) for spec in specs))


def test_python_scalar_dtype(x64):
    ints = [0, 2**31 - 1, -(2**31), 2**31, -(2**31) - 1, 2**40, 2**63 - 1, 2**63, -(2**63), 2**70]
    cases = [(int, value) for value in ints] + [(t, None) for t in SCALAR_TYPES]
    assert_same(dtypes.python_scalar_dtype, jax_dtypes.scalar_type_to_dtype, cases)
    assert_same(dtypes.coerce_to_array, jax_dtypes.coerce_to_array, ((value,) for value in ints[3:] if value > 2**62))


def test_issubdtype():
    abstract = [
        np.generic,
        np.number,
        np.integer,
        np.signedinteger,
        np.unsignedinteger,
        np.inexact,
        np.floating,
    ]
    abstract += [
        np.complexfloating,
        np.bool_,
        np.character,
        object,
        None,
        int,
        float,
        "float32",
        jax.numpy.float32,
    ]
    specs = DTYPES + NARROW + abstract + [jax.numpy.bfloat16]
    assert_same(dtypes.issubdtype, jax.numpy.issubdtype, itertools.product(specs, specs))


def test_issubdtype_of_extended_dtypes():
    class KeyDtype(dtypes.ExtendedDType):
        type = dtypes.prng_key
        name = "key<fry>"

    key = KeyDtype()
    theirs = jax.random.key(0).dtype
    pairs = [(np.generic, np.generic), (np.number, np.number), (np.float32, np.float32), (int, int)]
    pairs += [(dtypes.extended, jax.dtypes.extended), (dtypes.prng_key, jax.dtypes.prng_key), (key, theirs)]
    for (ours_left, left), (ours_right, right) in itertools.product(pairs, pairs):
        expected = jax.numpy.issubdtype(left, right)
        assert dtypes.issubdtype(ours_left, ours_right) == expected, (left, right)


def test_isdtype():
    kinds = [
        "bool",
        "signed integer",
        "unsigned integer",
        "integral",
        "real floating",
        "complex floating",
        "numeric",
    ]
    kinds += [
        ("bool", "integral"),
        (np.float32, "bool"),
        np.int8,
        "int16",
        "nonsense",
        ("bool", "nonsense"),
        3,
        (),
    ]
    assert_same(dtypes.isdtype, jax.numpy.isdtype, itertools.product(DTYPES + NARROW, kinds))


@pytest.mark.parametrize(
    "name", ["to_numeric_dtype", "to_inexact_dtype", "to_floating_dtype", "to_complex_dtype", "itemsize_bits"]
)
def test_conversions(name):
    assert_same(getattr(dtypes, name), getattr(jax_dtypes, name), ((dtype,) for dtype in DTYPES))


def test_supports_inf():
    floats = [dtype for dtype in jax_dtypes._custom_float_dtypes if dtype.name.startswith(("float8", "bfloat"))]
    assert_same(dtypes.supports_inf, jax_dtypes.supports_inf, ((dtype,) for dtype in DTYPES + floats))


def test_safe_to_cast(x64):
    assert_same(dtypes.safe_to_cast, jax_dtypes.safe_to_cast, itertools.product(DTYPES + SCALARS, DTYPES))


@pytest.mark.parametrize("policy", ["warn", "error", "allow"])
def test_explicit_x64_policy(policy):
    with jax._src.config.explicit_x64_dtypes(policy), managers.explicit_x64_dtypes(policy):
        theirs = jax_dtypes.check_and_canonicalize_user_dtype
        assert_same(dtypes.user_dtype, theirs, ((dtype, "zeros") for dtype in DTYPES))
