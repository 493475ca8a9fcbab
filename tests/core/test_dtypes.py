"""Dtypes: canonical forms, warnings, messages, memos. `tests/oracle/test_promotion.py` compares with JAX."""

import warnings

import numpy as np
import pytest

import sable.dtypes
from sable._config.managers import enable_x64, explicit_x64_dtypes, numpy_dtype_promotion
from sable.core import dtypes, lattice
from sable.core.array import from_numpy
from sable.ir.aval import aval, bfloat16

F32, F64 = np.dtype(np.float32), np.dtype(np.float64)
I8, I32, I64 = np.dtype(np.int8), np.dtype(np.int32), np.dtype(np.int64)


PUBLIC_NAMES = [
    "TypePromotionError",
    "bfloat16",
    "canonicalize_dtype",
    "extended",
    "finfo",
    "float0",
    "iinfo",
    "issubdtype",
    "itemsize_bits",
    "prng_key",
    "result_type",
    "scalar_type_of",
]


def test_public_names():
    assert sorted(sable.dtypes.__all__) == sorted(PUBLIC_NAMES)
    assert all(hasattr(sable.dtypes, name) for name in PUBLIC_NAMES)


def test_explicit_dtype_warns_at_the_users_line():
    with pytest.warns(UserWarning, match="Explicitly requested dtype float64 requested in zeros") as caught:
        assert dtypes.user_dtype("float64", "zeros") == F32
    assert caught[0].filename == __file__


def test_implicit_narrowing_is_silent():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert dtypes.user_dtype(float) == F32
        assert dtypes.dtype(np.zeros(3)) == F32
        assert dtypes.canonicalize_dtype(np.int64) == I32
        assert dtypes.user_dtype(np.complex64) == np.complex64


def test_explicit_dtype_policies():
    with explicit_x64_dtypes("allow"):
        assert dtypes.user_dtype(np.float64) == F64
    with explicit_x64_dtypes("error"), pytest.raises(ValueError, match=r"float64.*jax_enable_x64"):
        dtypes.user_dtype(np.float64)
    with enable_x64(True):
        assert dtypes.user_dtype(np.float64) == F64


def test_unsupported_dtypes_are_named():
    with pytest.raises(TypeError, match="got dtype <class 'object'> in zeros"):
        dtypes.user_dtype(object, "zeros")
    with pytest.raises(TypeError, match="with dtype <U3"):
        dtypes.dtype(np.array("abc"))
    with pytest.raises(TypeError, match="nonsense"):
        dtypes.user_dtype("nonsense")
    with pytest.raises(TypeError, match="Cannot determine dtype"):
        dtypes.dtype(object())
    with pytest.raises(ValueError, match="must be specified"):
        dtypes.user_dtype(None)
    with pytest.raises(ValueError, match=r"dtype=arr\.dtype"):
        dtypes.user_dtype(from_numpy(np.zeros(2, np.float32)))


def test_python_ints_that_do_not_fit():
    with pytest.raises(OverflowError, match="Python int 2147483648 too large to convert to int32"):
        dtypes.python_scalar_dtype(int, 2**31)
    with pytest.raises(OverflowError, match="too large"):
        dtypes.coerce_to_array(-(2**40))
    assert dtypes.coerce_to_array(2**31 - 1).dtype == I32
    with enable_x64(True):
        assert dtypes.coerce_to_array(2**40).dtype == I64


def test_arrays_keep_their_dtype_whatever_the_configuration():
    wide, weak = from_numpy(np.zeros(2)), from_numpy(np.float32(1).reshape(()), weak_type=True)
    assert dtypes.dtype(wide) == F64
    assert dtypes.result_type(wide, wide) == F64
    assert dtypes.promote_avals((wide.aval, wide.aval)) == (F64, False)
    assert dtypes.is_weakly_typed(weak) and not dtypes.is_weakly_typed(wide)
    assert dtypes.lattice_result_type(weak, I32) == (F32, True)
    assert dtypes.lattice_result_type(weak.aval, bfloat16) == (bfloat16, False)


def test_promotion_to_64_bits_warns_every_time():
    operands = (aval((), F64), aval((), F32))
    for _ in range(2):
        with pytest.warns(UserWarning, match="truncated to dtype float32"):
            assert dtypes.promote_avals(operands) == (F32, False)
    with enable_x64(True):
        assert dtypes.promote_avals(operands) == (F64, False)


def test_promotion_does_not_remember_another_configuration():
    operands = (aval((2,), I32), aval((), np.dtype(np.uint32)))
    assert dtypes.promote_avals(operands) == (I32, False)
    with enable_x64(True):
        assert dtypes.promote_avals(operands) == (I64, False)
    with numpy_dtype_promotion("strict"), pytest.raises(dtypes.TypePromotionError):
        dtypes.promote_avals(operands)
    assert dtypes.promote_avals(operands) == (I32, False)


def test_strict_promotion_message():
    with numpy_dtype_promotion("strict"):
        with pytest.raises(sable.dtypes.TypePromotionError) as caught:
            dtypes.result_type(F32, I8)
        assert dtypes.result_type(I8, 1) == I8
    assert str(caught.value).startswith(
        "Input dtypes ('float32', 'int8') have no available implicit dtype promotion path "
        "when jax_numpy_dtype_promotion=strict"
    )
    assert isinstance(caught.value, ValueError)


def test_narrow_floats_do_not_promote():
    with pytest.raises(dtypes.TypePromotionError, match="8-bit floats are never promoted implicitly"):
        dtypes.promote_types("float8_e4m3fn", "float16")
    with pytest.raises(dtypes.TypePromotionError, match="4-bit integers"):
        dtypes.promote_types("int4", "int8")


def test_result_type_needs_arguments():
    with pytest.raises(ValueError, match="at least one"):
        dtypes.result_type()
    assert dtypes.result_type(None) == F32
    assert dtypes.result_type(1, 2.0, return_weak_type_flag=True) == (F32, True)


def test_extended_dtypes_pass_through():
    class KeyDtype(dtypes.ExtendedDType):
        type, name = dtypes.prng_key, "key<fry>"

    class Keys:
        dtype = key = KeyDtype()

    assert dtypes.dtype(Keys()) is Keys.key
    assert dtypes.dtype(Keys.key) is Keys.key
    assert dtypes.user_dtype(Keys.key) is Keys.key
    assert dtypes.lattice_result_type(Keys(), Keys()) == (Keys.key, False)
    assert dtypes.canonicalize_dtype(Keys.key, allow_extended_dtype=True) is Keys.key
    with pytest.raises(ValueError, match="extended dtype"):
        dtypes.canonicalize_dtype(Keys.key)
    with pytest.raises(ValueError, match="not a valid dtype"):
        dtypes.lattice_result_type(Keys(), F32)


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("x64", [False, True])
def test_lattice_has_no_cycles_and_unique_bounds(strict, x64):
    bounds = lattice.upper_bounds(strict, x64)
    for left, left_bounds in bounds.items():
        for right, right_bounds in bounds.items():
            assert left == right or not (left in right_bounds and right in left_bounds)
            common = left_bounds & right_bounds
            lowest = [node for node in common if common <= bounds[node]]
            assert len(lowest) == (1 if common else 0), (left, right)


def test_dtype_without_canonicalization():
    assert dtypes.dtype(1.0, canonicalize=False) == F64
    assert dtypes.dtype("int64", canonicalize=False) == I64
    assert dtypes.dtype(np.zeros(2), canonicalize=False) == F64
