"""sable.lax: elementwise functions."""

from __future__ import annotations

import numpy as np

from ..table import add, call
from .operands import BF, C2, I8, KINK, SPECIAL, U8, U32, B, C, H, I, J, M, P, U, V, W

for _name in [
    "sin",
    "cos",
    "tanh",
    "sinh",
    "cosh",
    "atan",
    "asinh",
    "exp",
    "exp2",
    "expm1",
    "square",
    "neg",
    "cbrt",
    "logistic",
    "erf",
    "erfc",
]:
    add(f"lax.{_name}", call(V), call(H), call(0.5), call(I), call([1.0]), rtol=3e-5)
for _name in ["log", "log1p", "sqrt", "rsqrt", "lgamma", "digamma", "reciprocal"]:
    add(f"lax.{_name}", call(P), call(BF), call(2.0), call(I), rtol=3e-5)
for _name in ["asin", "acos", "atanh", "tan", "erf_inv"]:
    add(f"lax.{_name}", call(U), call(0.25), call(I), rtol=3e-5)
add("lax.acosh", call(P + 1))
for _name in ["floor", "ceil", "round", "sign", "is_finite", "abs"]:
    add(f"lax.{_name}", call(M), call(BF), call(SPECIAL), without=("grad",), why=KINK)
add("lax.round", call(M, 1), call(V, 0), without=("grad",), why=KINK)
for _name in ["abs", "neg", "sign", "square", "bitwise_not", "population_count", "clz"]:
    add(f"lax.{_name}", call(I), call(U8), call(I8))
for _name in ["sin", "cos", "exp", "tanh", "log", "sqrt", "neg", "square", "abs", "real", "imag", "conj"]:
    add(f"lax.{_name}", call(C))
add("lax.real", call(V))
add("lax.complex", call(V, W), call(1.0, 2.0), call(I, J))
for _name in ["add", "sub", "mul", "max", "min", "atan2", "div"]:
    add(f"lax.{_name}", call(V, W), call(V, 2.0), call(M, M), call(V, M), call(V, I), call(H, H), call(1.0, V))
for _name in ["add", "sub", "mul", "max", "min", "div", "rem"]:
    add(f"lax.{_name}", call(I, J), call(U8, U8[::-1].copy()), call(I, 2), call(I, 2.5))
for _name in ["add", "sub", "mul", "div"]:
    add(f"lax.{_name}", call(C, C2))
add("lax.rem", call(V, W), without=("grad",), why=KINK)
add("lax.pow", call(P, W), call(P, 2.0), call(P, I), call(C, C2), rtol=1e-4)
add("lax.integer_pow", call(V, 3), call(V, -2), call(I, 2), call(V, 0), rtol=1e-4)
add("lax.nextafter", call(V, W), without=("grad",), why="not differentiable")
for _name in ["bitwise_and", "bitwise_or", "bitwise_xor"]:
    add(f"lax.{_name}", call(I, J), call(B, B), call(U8, U8), call(V, W))
for _name in ["shift_left", "shift_right_arithmetic", "shift_right_logical"]:
    add(f"lax.{_name}", call(J, J % 4), call(U32, np.uint32([1, 2, 3, 31])), call(I, 1))
for _name in ["eq", "ne", "ge", "gt", "le", "lt"]:
    add(f"lax.{_name}", call(V, W), call(I, J), call(V, 0.0), call(SPECIAL, SPECIAL), call(V, I))
add("lax.clamp", call(-0.5, V, 0.5), call(W - 1, V, W + 1), call(0, I, 3), call(np.float32(0).reshape(()), V, W))
add("lax.select", call(B, V, W), call(B, I, J), call(B, V, I))
add("lax.select_n", call(B, V, W), call(np.array([0, 1, 2, 0, 1], "i4"), V, W, V * 2))
add("lax.select_n", call(B, V), without=("grad",), why="an index error of JAX's own there")
add(
    "lax.polygamma",
    call(np.float32([1, 2, 1, 2, 3]), P),
    without=("grad",),
    why="no derivative in the order",
    rtol=1e-3,
)
for _name in ["igamma", "igammac"]:
    add(f"lax.{_name}", call(P, P[::-1].copy()), call(2.5, np.float16([2, 3])), call(I, P), rtol=1e-4)
for _name in ["igamma_grad_a", "random_gamma_grad"]:
    add(f"lax.{_name}", call(P, P[::-1].copy()), without=("grad",), why="no derivative", rtol=1e-4)
add(
    "lax.betainc", call(P, P[::-1].copy(), P / 4), without=("grad",), why="a derivative in the last one only", rtol=1e-4
)
for _name in ["bessel_i0e", "bessel_i1e"]:
    add(f"lax.{_name}", call(5 * V), call(BF), call(0.5), call(I), rtol=3e-5)
add("lax.zeta", call(P + 1.5, P), without=("grad",), why="no derivative in the order", rtol=1e-4)
add(
    "lax.convert_element_type",
    call(V, np.int32),
    call(I, np.float32),
    call(1.5, np.float16),
    call(C, np.float32),
    call(V, bool),
)
add(
    "lax.bitcast_convert_type",
    call(V, np.int32),
    call(I, np.float32),
    call(H, np.uint16),
    call(V, np.int16),
    call(U8, np.uint32),
    without=("grad",),
    why="bits",
)
add("lax.reduce_precision", call(V, 5, 10), call(H, 5, 3))
add("lax.stop_gradient", call(V), call([V, I]))
add("lax.optimization_barrier", call(V), call((V, I)))
add("lax.shape_as_value", call((2, 3)))
add("lax.dtype", call(V), call(1.5))
add(
    "lax.mulhi",
    call(I * 2**29, J * 2**28),
    call(U32, U32[::-1] * 3),
    call(I8, I8[::-1]),
    call(U8, np.uint8(77)),
    call(7, 2),
    call(V, V),
    call(I, J[:2]),
    call(I8, U8),
)
