"""Elementwise rows against JAX: messages, weak types, conventions for derivatives at kinks, views."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import sable.dialects.ops  # noqa: F401  (defines the table)
from sable.ir.aval import aval
from sable.ir.bindings import CONTEXT, ir
from sable.ir.op import OPS, NumpyBuilder
from sable.passes.linearize import tangent

jax = pytest.importorskip("jax")
lax = jax.lax


@pytest.fixture(autouse=True)
def sixty_four_bits():
    """JAX with 64-bit dtypes, for these tests alone."""
    with jax.enable_x64(True):
        yield


B = NumpyBuilder()
F32, I32, U32, BOOL, C64 = map(np.dtype, (np.float32, np.int32, np.uint32, np.bool_, np.complex64))

#: (op, what lax calls it, operand shapes and dtypes, params)
REFUSED: list[tuple[str, Callable, list, dict]] = [
    ("add", lax.add, [((), F32), ((), I32)], {}),
    ("add", lax.add, [((2,), F32), ((3,), F32)], {}),
    ("add", lax.add, [((), BOOL), ((), BOOL)], {}),
    ("add", lax.add, [((2, 1), F32), ((3,), F32)], {}),
    ("subtract", lax.sub, [((), F32), ((), I32)], {}),
    ("multiply", lax.mul, [((), I32), ((), U32)], {}),
    ("divide", lax.div, [((), F32), ((), C64)], {}),
    ("remainder", lax.rem, [((), C64), ((), C64)], {}),
    ("maximum", lax.max, [((), F32), ((), I32)], {}),
    ("atan2", lax.atan2, [((), I32), ((), I32)], {}),
    ("negate", lax.neg, [((), BOOL)], {}),
    ("abs", lax.abs, [((), U32)], {}),
    ("sine", lax.sin, [((), I32)], {}),
    ("floor", lax.floor, [((), C64)], {}),
    ("lgamma", lax.lgamma, [((), C64)], {}),
    ("real", lax.real, [((), F32)], {}),
    ("complex", lax.complex, [((), np.dtype(np.float16))] * 2, {}),
    ("and", lax.bitwise_and, [((), F32), ((), F32)], {}),
    ("shift_left", lax.shift_left, [((), BOOL), ((), BOOL)], {}),
    ("popcnt", lax.population_count, [((), BOOL)], {}),
    ("compare", lax.lt, [((), C64), ((), C64)], {"comparison_direction": "LT"}),
    ("clamp", lax.clamp, [((), F32), ((), I32), ((), F32)], {}),
    ("clamp", lax.clamp, [((2,), F32), ((3,), F32), ((), F32)], {}),
    ("bitcast_convert", lambda x: lax.bitcast_convert_type(x, I32), [((), C64)], {"dtype": I32}),
    (
        "bitcast_convert",
        lambda x: lax.bitcast_convert_type(x, F32),
        [((3,), np.dtype(np.int16))],
        {"dtype": F32},
    ),
]


@pytest.mark.parametrize(("name", "function", "operands", "params"), REFUSED)
def test_refusals_read_as_in_jax(name: str, function: Callable, operands: list, params: dict) -> None:
    with pytest.raises((TypeError, ValueError)) as theirs:
        function(*[np.zeros(shape, dtype) for shape, dtype in operands])
    with pytest.raises(theirs.type) as ours:
        OPS[name].type(*[aval(shape, dtype) for shape, dtype in operands], **params)
    # JAX lists accepted dtypes in the order of a set
    assert str(ours.value).split("Accepted")[0] == str(theirs.value).split("Accepted")[0]


def jax_jvp(function: Callable, operands: list[float], tangents: list[float]) -> Any:
    arrays = [np.asarray(x, np.float64) for x in operands]
    return jax.jvp(function, arrays, [np.asarray(t, np.float64) for t in tangents])[1]


#: (op, what lax calls it, operands at a kink)
KINKS: list[tuple[str, Callable, list[float]]] = [
    ("maximum", lax.max, [1.0, 1.0]),
    ("minimum", lax.min, [1.0, 1.0]),
    ("maximum", lax.max, [np.nan, 1.0]),
    ("abs", lax.abs, [0.0]),
    ("abs", lax.abs, [-0.0]),
    ("clamp", lax.clamp, [0.0, 0.0, 1.0]),
    ("clamp", lax.clamp, [0.0, 1.0, 1.0]),
    ("clamp", lax.clamp, [2.0, 1.5, 1.0]),
    ("clamp", lax.clamp, [0.0, 2.0, 1.0]),
    ("clamp", lax.clamp, [0.0, -2.0, 1.0]),
    ("power", lax.pow, [0.0, 2.0]),
    ("power", lax.pow, [0.0, 1.0]),
    ("power", lax.pow, [2.0, 0.0]),
    ("sign", lax.sign, [0.0]),
    ("floor", lax.floor, [1.0]),
    ("remainder", lax.rem, [6.0, 3.0]),
    ("remainder", lax.rem, [-7.5, 2.0]),
    ("atan2", lax.atan2, [0.0, -1.0]),
    ("sqrt", lax.sqrt, [0.0]),
    ("cbrt", lax.cbrt, [0.0]),
]


@pytest.mark.parametrize(("name", "function", "operands"), KINKS)
def test_derivative_at_kinks_as_in_jax(name: str, function: Callable, operands: list[float]) -> None:
    op, values = OPS[name], [np.asarray(x, np.float64) for x in operands]
    for k in range(len(operands)):
        ts = [np.asarray(1.0) if j == k else None for j in range(len(operands))]
        with np.errstate(all="ignore"):
            got = tangent(B, op, ts, B.bind(op, *values), values, {})
        want = jax_jvp(function, operands, [float(j == k) for j in range(len(operands))])
        np.testing.assert_allclose(0.0 if got is None else got, want, rtol=1e-12)


def test_power_with_zero_exponent_has_zero_slope() -> None:
    # and NaN at 0**0., as in JAX: the library's powers with integer exponents look after those
    op = OPS["power"]
    for base, slope in ((0.0, np.nan), (-2.0, 0), (np.inf, 0)):
        values = [np.asarray(base), np.asarray(0.0)]
        found = tangent(B, op, [np.asarray(1.0), None], np.asarray(1.0), values, {})
        np.testing.assert_array_equal(found, slope)


def test_complex_abs_has_zero_slope_at_zero() -> None:
    zero = np.zeros((), np.complex128)
    assert tangent(B, OPS["abs"], [np.asarray(1 + 1j)], np.asarray(0.0), [zero], {}) == 0


@pytest.mark.parametrize("name", ["add", "maximum", "compare", "select", "clamp"])
def test_weak_only_if_all_operands_are(name: str) -> None:
    params = {"comparison_direction": "LT"} if name == "compare" else {}
    strong, weak = aval((), F32), aval((), F32, True)
    lead = [aval((), BOOL)] if name == "select" else []
    count = 3 if name == "clamp" else 2
    assert OPS[name].type(*lead, *[weak] * count, **params).weak_type
    assert not OPS[name].type(*lead, *[weak] * (count - 1), strong, **params).weak_type


def test_total_order_is_not_compare() -> None:
    text = """func.func @f(%a: tensor<f32>) -> tensor<i1> {
      %0 = stablehlo.compare EQ, %a, %a, TOTALORDER : (tensor<f32>, tensor<f32>) -> tensor<i1>
      return %0 : tensor<i1>
    }"""
    with CONTEXT:
        module = ir.Module.parse(text)
    operation = module.body.operations[0].regions[0].blocks[0].operations[0].operation
    assert not OPS["compare"].form.accepts(operation)


def test_views_name_their_operands() -> None:
    text = """func.func @f(%a: tensor<f32>, %p: tensor<i1>) -> tensor<f32> {
      %0 = stablehlo.select %p, %a, %a : tensor<i1>, tensor<f32>
      %1 = chlo.erf %0 : tensor<f32> -> tensor<f32>
      return %1 : tensor<f32>
    }"""
    with CONTEXT:
        module = ir.Module.parse(text)
    function = module.body.operations[0]
    select, erf = list(function.regions[0].blocks[0].operations)[:2]
    assert type(select).__name__ == "SelectOp"
    assert select.pred == function.regions[0].blocks[0].arguments[1]
    assert erf.operand == select.result
