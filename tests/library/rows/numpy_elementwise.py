"""sable.numpy: functions that work element by element."""

from __future__ import annotations

from ..table import add, call
from .operands import BF, BM, C2, I8, IM, KINK, SCALAR, SPECIAL, U8, U32, B, C, E, H, I, J, M, P, U, V, W

_ANYWHERE = [
    "sin",
    "cos",
    "tanh",
    "sinh",
    "cosh",
    "arctan",
    "arcsinh",
    "atan",
    "asinh",
    "exp",
    "exp2",
    "expm1",
    "square",
    "negative",
    "positive",
    "cbrt",
]
_POSITIVE = ["log", "log2", "log10", "log1p", "sqrt", "reciprocal"]
_INSIDE = ["arcsin", "arccos", "arctanh", "asin", "acos", "atanh", "tan", "sinc"]
_STEPS = [
    "floor",
    "ceil",
    "trunc",
    "rint",
    "sign",
]
_PLAIN = ["abs", "absolute", "fabs", "deg2rad", "radians", "rad2deg", "degrees"]

for _name in _ANYWHERE:
    add(f"numpy.{_name}", call(V), call(M), call(H), call(E), call(I), call(0.5), rtol=3e-5)
for _name in _POSITIVE:
    add(f"numpy.{_name}", call(P), call(J), call(BF), call(SCALAR), call("no array"))
for _name in _INSIDE:
    add(f"numpy.{_name}", call(U), call(SCALAR), call(0.25), rtol=3e-5)
for _name in _STEPS:
    add(f"numpy.{_name}", call(M), call(SPECIAL), call(BF), without=("grad",), why=KINK)
for _name in _PLAIN:
    add(f"numpy.{_name}", call(V), call(BF), call(M))
add("numpy.arccosh", call(P + 1), call(2.5))
add("numpy.acosh", call(P + 1))
for _name in [
    "sin",
    "cos",
    "exp",
    "tanh",
    "square",
    "sqrt",
    "log",
    "negative",
    "conj",
    "conjugate",
    "real",
    "imag",
    "abs",
    "angle",
]:
    add(f"numpy.{_name}", call(C), call(SCALAR))
for _name in [
    "negative",
    "abs",
    "absolute",
    "square",
    "sign",
    "bitwise_count",
    "invert",
    "bitwise_not",
    "bitwise_invert",
    "positive",
]:
    add(f"numpy.{_name}", call(I), call(U8), call(I8), call(IM))
for _name in ["isnan", "isinf", "isfinite", "isneginf", "isposinf", "signbit"]:
    add(f"numpy.{_name}", call(SPECIAL), call(H), call(SCALAR), call(1.0))
for _name in ["isnan", "isinf", "isfinite"]:
    add(f"numpy.{_name}", call(C), call(I))
for _name in ["iscomplexobj", "isrealobj", "isscalar"]:
    add(f"numpy.{_name}", call(C), call(V), call(3))
add("numpy.iscomplexobj", call(2j))
for _name in ["logical_not"]:
    add(f"numpy.{_name}", call(B), call(V), call(IM), call(True))

# ---- two operands
for _name in [
    "add",
    "subtract",
    "multiply",
    "maximum",
    "minimum",
    "logaddexp",
    "logaddexp2",
    "hypot",
    "arctan2",
    "atan2",
    "fmax",
    "fmin",
]:
    add(f"numpy.{_name}", call(V, W), call(M, M[0]), call(V, 1.5), call(2, V), call(H, V[:1]), call(V, E))
for _name in ["add", "subtract", "multiply", "maximum", "minimum", "fmax", "fmin"]:
    add(f"numpy.{_name}", call(I, J), call(I, V), call(U8, I8), call(I, 2), call(B, 1), call(1, 2.5), call(C, V))
for _name in ["true_divide", "divide", "power", "float_power", "copysign"]:
    add(f"numpy.{_name}", call(P, W), call(M**2 + 1, V[:4]), call(P, 2.0), call(2.0, V), call(BF, BF))
add("numpy.power", call(J, 3), call(V, 3), call(V, -2), call(J, J % 4), call(C, 2), call(2, J % 3), call(I, -1))
add("numpy.pow", call(P, W), call(V, 2))
for _name in ["floor_divide", "remainder", "mod", "fmod"]:
    add(f"numpy.{_name}", call(V, W), call(I, J), call(J, I), call(V, 0.7), call(U8, 3), without=("grad",), why=KINK)
add("numpy.divmod", call(V, W), call(I, J), call(7, 2.5), without=("grad",), why=KINK)
add("numpy.modf", call(V), call(P), without=("grad",), why=KINK)
add("numpy.frexp", call(V), call(P), call(BF), without=("grad",), why="integer part")
add("numpy.ldexp", call(V, I), call(P, 3))
add("numpy.nextafter", call(V, W), call(SPECIAL, 0.0), without=("grad",), why="not differentiable")
add("numpy.heaviside", call(V, W), call(SPECIAL, 0.5), without=("grad",), why=KINK)
for _name in ["bitwise_and", "bitwise_or", "bitwise_xor"]:
    add(f"numpy.{_name}", call(I, J), call(U8, U8[::-1].copy()), call(B, B[::-1].copy()), call(I, 3), call(V, I))
for _name in ["left_shift", "right_shift", "bitwise_left_shift", "bitwise_right_shift"]:
    add(f"numpy.{_name}", call(J, J % 4), call(U32, 3), call(I, 1), call(V, 1))
for _name in [
    "equal",
    "not_equal",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "logical_and",
    "logical_or",
    "logical_xor",
]:
    add(f"numpy.{_name}", call(V, W), call(I, J), call(V, 0), call(B, IM[0, :1]), call(SPECIAL, SPECIAL), call(U8, I8))
for _name in ["equal", "not_equal"]:
    add(f"numpy.{_name}", call(C, C2), call(C, C))
add(
    "numpy.isclose",
    call(V, V + 1e-6),
    call(SPECIAL, SPECIAL),
    call(SPECIAL, SPECIAL, equal_nan=True),
    call(V, W, rtol=0.5),
)
add("numpy.allclose", call(V, V + 1e-6), call(V, W))
add("numpy.array_equal", call(V, V), call(V, W), call(V, M), call(SPECIAL, SPECIAL, equal_nan=True))
add("numpy.array_equiv", call(V, V), call(M, M[0]))
add("numpy.clip", call(M, -0.5, 0.5), call(IM, 1, 3), call(V, None, 0.3), call(V, W - 1, W + 1), call(V, min=0.1))
add(
    "numpy.where",
    call(BM, M, 0.0),
    call(BM, M, -M),
    call(B, 1, V),
    call(V > 0, I, J),
    call(B),
    without=("grad",),
    why=KINK,
)
add("numpy.nan_to_num", call(SPECIAL), call(SPECIAL, nan=1.0, posinf=2.0), call(C), call(I))
add("numpy.round", call(V), call(V, 1), call(I), call(BF), call(V * 100, -1), without=("grad",), why=KINK)
add("numpy.around", call(V, 1), without=("grad",), why=KINK)
