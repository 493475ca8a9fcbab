"""Arrays with NumPy's functions: what programs import as `jnp`.

A function without more said about it is the one of that name in NumPy; arrays, its results, never change. What lists would
be in NumPy must be arrays here, since reading lists is slow. Arguments that many functions share:

Args:
  `where`: which elements count; of ufuncs such as `add` it must be None.
  `out`: must be None, since no array can be written into (else NotImplementedError).
  `device`: where the result shall be; None: on the default device, or where the argument is.
  `out_sharding`: accepted and without effect.
"""

# One line an export would make 700 lines.
# ruff: noqa: I001, RUF022
# fmt: off
from sable import _absent
import numpy as _np
from numpy import (
    character, complexfloating, e, euler_gamma, flexible, floating, generic, get_printoptions, inexact, inf, integer,
    iterable, nan,
    newaxis, number, object_, pi, printoptions, set_printoptions, signedinteger, unsignedinteger,
)
from numpy.exceptions import ComplexWarning

from sable.core.array import Value as ndarray
from sable.core.dtypes import can_cast, finfo, iinfo, isdtype, issubdtype, promote_types, result_type

from . import methods as _methods
from .array_api import VERSION as _array_api_version, __array_namespace_info__ as __array_namespace_info__
from .arrays import (
    array, array_repr, array_str, asarray, astype, copy, iscomplexobj, isrealobj, isscalar, ndim, shape, size,
)
from .choices import choose, piecewise, select
from .closeness import allclose, array_equal, array_equiv, isclose, nan_to_num
from .creation import (
    arange, empty, empty_like, full, full_like, geomspace, linspace, logspace, ones, ones_like, zeros, zeros_like,
)
from .cumulative import cumprod, cumsum, cumulative_prod, cumulative_sum, diff, ediff1d, gradient, trapezoid
from .einsum import einsum, einsum_path
from .files import from_dlpack, frombuffer, fromfile, fromfunction, fromiter, fromstring, load, save, savez
from .index_tricks import (
    c_, diag_indices, diag_indices_from, index_exp, indices, ix_, mask_indices, mgrid, ogrid, r_, s_, tril_indices,
    tril_indices_from, triu_indices, triu_indices_from,
)
from .indexing.positions import argwhere, flatnonzero, nonzero, ravel_multi_index, unravel_index
from .indexing.selection import compress, extract, take, take_along_axis
from .inspection import iscomplex, isreal, spacing
from .insertion import delete, insert, trim_zeros
from .integers import gcd, lcm, packbits, unpackbits
from .joining import (
    append, array_split, block, column_stack, concat, concatenate, dsplit, dstack, hsplit, hstack, split, stack,
    unstack, vsplit, vstack,
)
from .matrices import diag, diagflat, diagonal, eye, identity, meshgrid, tri, tril, triu, vander
from .manipulation import (
    atleast_1d, atleast_2d, atleast_3d, broadcast_arrays, broadcast_shapes, broadcast_to, expand_dims,
    matrix_transpose, moveaxis, permute_dims, ravel, reshape, rollaxis, squeeze, swapaxes, transpose,
)
from .nan_reductions import (
    nanargmax, nanargmin, nancumprod, nancumsum, nanmax, nanmean, nanmin, nanprod, nanstd, nansum, nanvar,
)
from .ordering import (
    argpartition, argsort, digitize, lexsort, median, nanmedian, nanpercentile, nanquantile, partition, percentile,
    quantile, searchsorted, sort, sort_complex,
)
from .padding import pad
from .polynomials import poly, polyadd, polyder, polydiv, polyfit, polyint, polymul, polysub, polyval, roots
from .products import cross, dot, inner, kron, matmul, matvec, outer, tensordot, trace, vdot, vecdot, vecmat
from .rearrangement import flip, fliplr, flipud, repeat, resize, roll, rot90, tile
from .reductions import (
    all, amax, amin, any, argmax, argmin, average, count_nonzero, max, mean, min, prod, ptp, std, sum, var,
)
from .rounding import around, ceil, floor, frexp, ldexp, modf, rint, round, trunc
from .scalar_types import (
    bfloat16, bool_, cdouble, complex128, complex64, complex_, csingle, double, float16, float32, float4_e2m1fn, float64,
    float6_e2m3fn, float6_e3m2fn, float8_e3m4, float8_e4m3, float8_e4m3b11fnuz, float8_e4m3fn, float8_e4m3fnuz, float8_e5m2,
    float8_e5m2fnuz, float8_e8m0fnu, float_, int16, int2, int32, int4, int64, int8, int_, single, uint, uint16, uint2, uint32,
    uint4, uint64, uint8,
)
from .sets import (
    intersect1d, isin, setdiff1d, setxor1d, union1d, unique, unique_all, unique_counts, unique_inverse, unique_values,
)
from .signals import convolve, correlate, interp, unwrap
from .statistics import bincount, corrcoef, cov, histogram, histogram2d, histogram_bin_edges, histogramdd
from .ufunc_objects import frompyfunc, ufunc
from .ufuncs import (
    abs, absolute, add, arctan2, atan2, clip, divide, divmod, float_power, floor_divide, fmax, fmin, fmod,
    maximum, minimum, mod, multiply, negative, nextafter, positive, pow, power, reciprocal, remainder, sign,
    square, subtract, true_divide,
)
from .ufuncs_logic import (
    bitwise_and, bitwise_count, bitwise_invert, bitwise_left_shift, bitwise_not, bitwise_or,
    bitwise_right_shift, bitwise_xor, equal, greater, greater_equal, invert, isfinite, isinf, isnan, isneginf,
    isposinf, left_shift, less, less_equal, logical_and, logical_not, logical_or, logical_xor, not_equal,
    right_shift, signbit, where,
)
from .ufuncs_float import (
    acos, acosh, angle, arccos, arccosh, arcsin, arcsinh, arctan, arctanh, asin, asinh, atan, atanh, cbrt, conj,
    conjugate, copysign, cos, cosh, deg2rad, degrees, exp, exp2, expm1, fabs, heaviside, hypot, i0, imag, log,
    log10, log1p, log2, logaddexp, logaddexp2, rad2deg, radians, real, sin, sinc, sinh, sqrt, tan, tanh,
)
from .updates import fill_diagonal, place, put, put_along_axis
from .vectorization import apply_along_axis, apply_over_axes, vectorize
from .windows import bartlett, blackman, hamming, hanning, kaiser

_absent.explain(__name__)

__array_api_version__ = _array_api_version
bool = bool_
dtype = _np.dtype

_methods.install()

from . import fft, linalg  # noqa: E402

__all__ = [
    "ComplexWarning", "abs", "absolute", "acos", "acosh", "add", "all", "allclose", "amax", "amin", "angle", "any",
    "append", "apply_along_axis", "apply_over_axes", "arange", "arccos", "arccosh", "arcsin", "arcsinh", "arctan",
    "arctan2", "arctanh", "argmax", "argmin", "argpartition", "argsort", "argwhere", "around", "array",
    "array_equal", "array_equiv", "array_repr", "array_split", "array_str", "asarray", "asin", "asinh", "astype",
    "atan", "atan2", "atanh", "atleast_1d", "atleast_2d", "atleast_3d", "average", "bartlett", "bfloat16",
    "bincount", "bitwise_and", "bitwise_count", "bitwise_invert", "bitwise_left_shift", "bitwise_not", "bitwise_or",
    "bitwise_right_shift", "bitwise_xor", "blackman", "block", "bool", "bool_", "broadcast_arrays",
    "broadcast_shapes", "broadcast_to", "c_", "can_cast", "cbrt", "cdouble", "ceil", "character", "choose", "clip",
    "column_stack", "complex128", "complex64", "complex_", "complexfloating", "compress", "concat", "concatenate",
    "conj", "conjugate", "convolve", "copy", "copysign", "corrcoef", "correlate", "cos", "cosh", "count_nonzero",
    "cov", "cross", "csingle", "cumprod", "cumsum", "cumulative_prod", "cumulative_sum", "deg2rad", "degrees",
    "delete", "diag", "diag_indices", "diag_indices_from", "diagflat", "diagonal", "diff", "digitize", "divide",
    "divmod", "dot", "double", "dsplit", "dstack", "dtype", "e", "ediff1d", "einsum", "einsum_path", "empty",
    "empty_like", "equal", "euler_gamma", "exp", "exp2", "expand_dims", "expm1", "extract", "eye", "fabs", "fft",
    "fill_diagonal", "finfo", "flatnonzero", "flexible", "flip", "fliplr", "flipud", "float16", "float32",
    "float4_e2m1fn", "float64", "float6_e2m3fn", "float6_e3m2fn", "float8_e3m4", "float8_e4m3", "float8_e4m3b11fnuz",
    "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu", "float_", "float_power",
    "floating", "floor", "floor_divide", "fmax", "fmin", "fmod", "frexp", "from_dlpack", "frombuffer", "fromfile",
    "fromfunction", "fromiter", "frompyfunc", "fromstring", "full", "full_like", "gcd", "generic", "geomspace",
    "get_printoptions", "gradient", "greater", "greater_equal", "hamming", "hanning", "heaviside", "histogram",
    "histogram2d", "histogram_bin_edges", "histogramdd", "hsplit", "hstack", "hypot", "i0", "identity", "iinfo", "imag",
    "index_exp", "indices", "inexact", "inf", "inner", "insert", "int16", "int2", "int32", "int4", "int64", "int8", "int_",
    "integer", "interp", "intersect1d", "invert", "isclose", "iscomplex", "iscomplexobj", "isdtype", "isfinite", "isin",
    "isinf", "isnan", "isneginf", "isposinf", "isreal", "isrealobj", "isscalar", "issubdtype", "iterable", "ix_",
    "kaiser", "kron", "lcm", "ldexp", "left_shift", "less", "less_equal", "lexsort", "linalg", "linspace", "load",
    "log", "log10", "log1p", "log2", "logaddexp", "logaddexp2", "logical_and", "logical_not", "logical_or",
    "logical_xor", "logspace", "mask_indices", "matmul", "matrix_transpose", "matvec", "max", "maximum", "mean",
    "median", "meshgrid", "mgrid", "min", "minimum", "mod", "modf", "moveaxis", "multiply", "nan", "nan_to_num",
    "nanargmax", "nanargmin", "nancumprod", "nancumsum", "nanmax", "nanmean", "nanmedian", "nanmin", "nanpercentile",
    "nanprod", "nanquantile", "nanstd", "nansum", "nanvar", "ndarray", "ndim", "negative", "newaxis", "nextafter",
    "nonzero", "not_equal", "number", "object_", "ogrid", "ones", "ones_like", "outer", "packbits", "pad", "partition",
    "percentile", "permute_dims", "pi", "piecewise", "place", "poly", "polyadd", "polyder", "polydiv", "polyfit", "polyint",
    "polymul", "polysub", "polyval", "positive", "pow", "power", "printoptions", "prod", "promote_types", "ptp", "put",
    "put_along_axis", "quantile", "r_", "rad2deg", "radians", "ravel", "ravel_multi_index", "real", "reciprocal",
    "remainder", "repeat", "reshape", "resize", "result_type", "right_shift", "rint", "roll", "roots", "rollaxis", "rot90",
    "round", "s_", "save", "savez", "searchsorted", "select", "set_printoptions", "setdiff1d", "setxor1d", "shape",
    "sign", "signbit", "signedinteger", "sin", "sinc", "single", "sinh", "size", "sort", "sort_complex", "spacing",
    "split", "sqrt", "square", "squeeze", "stack", "std", "subtract", "sum", "swapaxes", "take", "take_along_axis",
    "tan", "tanh", "tensordot", "tile", "trace", "transpose", "trapezoid", "tri", "tril", "tril_indices",
    "tril_indices_from", "trim_zeros", "triu", "triu_indices", "triu_indices_from", "true_divide", "trunc", "ufunc",
    "uint", "uint16", "uint2", "uint32", "uint4", "uint64", "uint8", "union1d", "unique", "unique_all", "unique_counts",
    "unique_inverse", "unique_values", "unpackbits", "unravel_index", "unsignedinteger", "unstack", "unwrap", "vander",
    "var", "vdot", "vecdot", "vecmat", "vectorize", "vsplit", "vstack", "where", "zeros", "zeros_like",
]
