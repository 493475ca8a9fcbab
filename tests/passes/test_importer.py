"""Modules to functions and back: what `importer` takes over and what `assemble` writes."""

from __future__ import annotations

import numpy as np
import pytest

import sable.dialects.ops  # noqa: F401  (fills the op table)
from sable.ir.aval import ELEMENT_TYPES
from sable.ir.bindings import CONTEXT, ir
from sable.ir.function import Function, FunctionBuilder, interpret
from sable.ir.literal import Literal
from sable.ir.op import OPS, NumpyBuilder
from sable.passes.assemble import append, assemble, assemble_all, drop_unused, symbol_uses, symbols
from sable.passes.importer import HostDeclaration, Importer, ModuleImportError
from sable.passes.verify import verify

CALLS = """
func.func private @inner(%x: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.sine %x : tensor<f32>
  func.return %0 : tensor<f32>
}
func.func private @outer(%x: tensor<f32>) -> tensor<f32> {
  %0 = func.call @inner(%x) : (tensor<f32>) -> tensor<f32>
  %1 = func.call @inner(%0) : (tensor<f32>) -> tensor<f32>
  func.return %1 : tensor<f32>
}
func.func @main(%x: tensor<f32>) -> tensor<f32> {
  %0 = func.call @outer(%x) : (tensor<f32>) -> tensor<f32>
  func.return %0 : tensor<f32>
}
"""

CASE = """
func.func @main(%i: tensor<i32>, %x: tensor<f32>) -> tensor<f32> {
  %0 = "stablehlo.case"(%i) ({
    %1 = stablehlo.add %x, %x : tensor<f32>
    stablehlo.return %1 : tensor<f32>
  }, {
    %1 = stablehlo.negate %x : tensor<f32>
    stablehlo.return %1 : tensor<f32>
  }, {
    stablehlo.return %x : tensor<f32>
  }) : (tensor<i32>) -> tensor<f32>
  func.return %0 : tensor<f32>
}
"""


def load(text: str, name: str = "main", **options: bool) -> Function:
    return Importer(ir.Module.parse(text, CONTEXT), **options).function(name)


def evaluate(function: Function, *arguments: object) -> list:
    return interpret(function, list(arguments), NumpyBuilder())


def test_a_callee_is_imported_once():
    outer = load(CALLS).callees[0]
    assert outer.name == "outer"
    assert [f.name for f in outer.callees] == ["inner"]


def test_round_trip_prints_the_same_program():
    module = assemble(load(CALLS))
    verify(module)
    once = str(module)
    assert str(assemble(load(once))) == once
    assert once.index("@main") < once.index("@outer(%") < once.index("@inner(%")


def test_importing_keeps_attributes_and_locations():
    text = CALLS.replace(
        "stablehlo.sine %x : tensor<f32>", 'stablehlo.sine %x {a.note = "kept"} : tensor<f32> loc("user.py":7:1)'
    )
    printed = assemble(load(text)).operation.get_asm(enable_debug_info=True)
    assert 'a.note = "kept"' in printed
    assert '"user.py":7:1' in printed


def test_a_module_may_go_before_its_functions():
    functions = [load(CALLS) for _ in range(50)]
    assert all(evaluate(f, np.float32(0.5))[0] == np.sin(np.sin(np.float32(0.5))) for f in functions)


@pytest.mark.parametrize("index", [-(2**31), -1, 0, 1, 2, 3, 2**31 - 1])
def test_branch_indices_out_of_range_are_the_last_branch(index):
    wanted = {0: 6.0, 1: -3.0}.get(index, 3.0)
    assert evaluate(load(CASE), np.int32(index), np.float32(3))[0] == wanted


def test_branch_indices_out_of_range_under_batch():
    from sable.passes.batch import batch_function

    indices = np.int32([-5, 0, 1, 2, 9])
    batched, _ = batch_function(load(CASE), (True, False), 5)
    np.testing.assert_array_equal(evaluate(batched, indices, np.float32(3))[0], [3, 6, -3, 3, 3])


@pytest.mark.parametrize("start, stop, length", [(0, 4, 4), (3, 5, 2), (5, 5, 0), (7, 2, 0), (-3, 0, 3)])
def test_counted_loops_are_scans(start, stop, length):
    text = f"""
func.func @main(%x: tensor<f32>) -> (tensor<i64>, tensor<f32>) {{
  %start = stablehlo.constant dense<{start}> : tensor<i64>
  %0:2 = stablehlo.while(%i = %start, %a = %x) : tensor<i64>, tensor<f32>
  cond {{
    %stop = stablehlo.constant dense<{stop}> : tensor<i64>
    %p = stablehlo.compare LT, %i, %stop : (tensor<i64>, tensor<i64>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  }} do {{
    %one = stablehlo.constant dense<1> : tensor<i64>
    %j = stablehlo.add %i, %one : tensor<i64>
    %b = stablehlo.add %a, %a : tensor<f32>
    stablehlo.return %j, %b : tensor<i64>, tensor<f32>
  }}
  func.return %0#0, %0#1 : tensor<i64>, tensor<f32>
}}"""
    function = load(text)
    (loop,) = [n for n in function.nodes() if n.op.name == "scan"]
    assert loop.params["length"] == length
    assert evaluate(function, np.float32(1)) == [max(start, stop), 2.0**length]


@pytest.mark.parametrize(
    "change",
    [
        ("compare LT", "compare LE"),
        ("%j = stablehlo.add %i, %one", "%j = stablehlo.subtract %i, %one"),
        ("dense<1> : tensor<i32>", "dense<2> : tensor<i32>"),
        ("stablehlo.return %j, %i", "stablehlo.return %i, %j"),
        ("%i = %zero", "%i = %x"),
        ("%i, %stop :", "%a, %stop :"),
    ],
)
def test_other_loops_are_not_counted(change):
    text = """
func.func @main(%x: tensor<i32>) -> tensor<i32> {
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %stop = stablehlo.constant dense<9> : tensor<i32>
  %0:2 = stablehlo.while(%i = %zero, %a = %x) : tensor<i32>, tensor<i32>
  cond {
    %p = stablehlo.compare LT, %i, %stop : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  } do {
    %one = stablehlo.constant dense<1> : tensor<i32>
    %j = stablehlo.add %i, %one : tensor<i32>
    stablehlo.return %j, %i : tensor<i32>, tensor<i32>
  }
  func.return %0#0 : tensor<i32>
}"""
    assert [n.op.name for n in load(text).nodes()][-1] == "scan"
    assert change[0] in text
    assert [n.op.name for n in load(text.replace(*change)).nodes()][-1] == "while"


def test_constants_outside_of_a_body_are_found():
    """A canonicaliser moves the constants of a sort's body out of it."""
    text = """
func.func @main(%x: tensor<3xf32>) -> tensor<3xf32> {
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %nan = stablehlo.constant dense<0x7FC00000> : tensor<f32>
  %0 = "stablehlo.sort"(%x) <{dimension = 0 : i64, is_stable = true}> ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %1 = stablehlo.compare EQ, %a, %zero, FLOAT : (tensor<f32>, tensor<f32>) -> tensor<i1>
    %2 = stablehlo.select %1, %zero, %a : tensor<i1>, tensor<f32>
    %3 = stablehlo.compare NE, %a, %a, FLOAT : (tensor<f32>, tensor<f32>) -> tensor<i1>
    %4 = stablehlo.select %3, %nan, %2 : tensor<i1>, tensor<f32>
    %5 = stablehlo.compare EQ, %b, %zero, FLOAT : (tensor<f32>, tensor<f32>) -> tensor<i1>
    %6 = stablehlo.select %5, %zero, %b : tensor<i1>, tensor<f32>
    %7 = stablehlo.compare NE, %b, %b, FLOAT : (tensor<f32>, tensor<f32>) -> tensor<i1>
    %8 = stablehlo.select %7, %nan, %6 : tensor<i1>, tensor<f32>
    %9 = stablehlo.compare LT, %4, %8, TOTALORDER : (tensor<f32>, tensor<f32>) -> tensor<i1>
    stablehlo.return %9 : tensor<i1>
  }) : (tensor<3xf32>) -> tensor<3xf32>
  func.return %0 : tensor<3xf32>
}"""
    np.testing.assert_array_equal(evaluate(load(text), np.float32([2, -1, 1]))[0], [-1, 1, 2])


@pytest.mark.parametrize(
    "text, message",
    [
        ("func.func @f() { func.return }", "the module has no function @main; it has @f"),
        ("module {}", "it has none at all"),
        ("func.func private @main(tensor<f32>)", "@main is only declared"),
        (CALLS.replace("stablehlo.sine %x", "math.sin %x"), "operation math.sin cannot be transformed"),
        (CALLS.replace("call @inner(%x)", "call @outer(%x)"), "@outer calls itself"),
    ],
)
def test_errors(text, message):
    with pytest.raises(ModuleImportError, match=message):
        load(text)


def test_unchecked_import_leaves_unknown_operations_to_the_passes():
    function = load(CALLS.replace("stablehlo.sine %x", "math.sin %x"), check=False)
    assert "math.sin" in str(assemble(function))
    with pytest.raises(NotImplementedError, match="cannot be transformed"):
        evaluate(function, np.float32(1))


def test_host_functions():
    text = """
func.func private @norm(tensor<3xf32>) -> tensor<f32>
func.func @main(%x: tensor<3xf32>) -> tensor<f32> {
  %0 = func.call @norm(%x) : (tensor<3xf32>) -> tensor<f32>
  func.return %0 : tensor<f32>
}"""
    function = load(text)
    (norm,) = function.callees
    assert isinstance(norm, HostDeclaration)
    with pytest.raises(TypeError, match="@norm is only declared"):
        evaluate(function, np.zeros(3, np.float32))
    module = assemble(function)
    verify(module)
    assert "func.func private @norm(tensor<3xf32>) -> tensor<f32>" in str(module)
    assert norm.batched(2, (True,), [(2, 3)]) is norm.batched(2, (True,), [(2, 3)])


def test_assemble_all_shares_callees_and_names_apart():
    inner, main = load(CALLS, "inner"), load(CALLS)
    other = Function(inner.in_avals, "inner")
    b = FunctionBuilder(other)
    (x,) = other.arguments
    other.finish(list(b.call(x, callee=inner)) + list(b.call(x, callee=inner)))
    module = assemble_all({"first": main, "second": other})
    verify(module)
    assert list(symbols(module)) == ["first", "second", "outer", "inner", "inner_1"]


def test_append_keeps_what_is_there():
    module = ir.Module.parse(CALLS, CONTEXT)
    importer = Importer(module)
    inner = importer.function("inner")
    made = Function(inner.in_avals, "twice")
    b = FunctionBuilder(made)
    (y,) = b.call(made.arguments[0], callee=inner)
    made.finish(b.call(y, callee=inner))
    before = str(module)
    append(module, {"twice": made}, importer.known)
    verify(module)
    assert str(module).startswith(before.rstrip("}\n"))
    assert list(symbols(module)) == ["inner", "outer", "main", "twice"]
    with pytest.raises(ValueError, match="already has a symbol @twice"):
        append(module, {"twice": made}, importer.known)


def test_drop_unused():
    module = ir.Module.parse(CALLS, CONTEXT)
    assert symbol_uses(symbols(module)["outer"]) == {"inner"}
    drop_unused(module, ["inner", "outer"])
    assert list(symbols(module)) == ["inner", "outer", "main"]
    symbols(module)["main"].erase()
    drop_unused(module, ["inner", "outer"])
    assert not symbols(module)


@pytest.mark.parametrize("dtype", sorted(ELEMENT_TYPES, key=str), ids=str)
@pytest.mark.parametrize("count", [0, 1, 5, 500])
def test_constants_of_every_dtype(dtype: np.dtype, count: int) -> None:
    values = (np.arange(count) % 7).astype(dtype)
    for given in (values, np.repeat(values[-1:], count)):
        function = Function([])
        made = FunctionBuilder(function).bind(OPS["constant"], value=Literal.of(given))
        text = str(assemble(function.finish([made])))
        [found] = evaluate(load(text))
        assert found.dtype == dtype and found.tobytes() == given.tobytes()


FORMS = {
    "composite": (
        'stablehlo.composite "some.name" %x {decomposition = @other} : (tensor<2x3xf32>) -> tensor<2x3xf32>',
        lambda x: x + x,
    ),
    "map": (
        """"stablehlo.map"(%x, %x) ({
          ^bb0(%a: tensor<f32>, %b: tensor<f32>):
            %1 = stablehlo.multiply %a, %b : tensor<f32>
            stablehlo.return %1 : tensor<f32>
        }) {dimensions = array<i64: 0, 1>} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>""",
        lambda x: x * x,
    ),
    "map of nothing": (
        """"stablehlo.map"(%x) ({
          ^bb0(%a: tensor<f32>):
            %1 = stablehlo.constant dense<7.0> : tensor<f32>
            stablehlo.return %1 : tensor<f32>
        }) {dimensions = array<i64: 0, 1>} : (tensor<2x3xf32>) -> tensor<2x3xf32>""",
        lambda x: np.full_like(x, 7),
    ),
    "tan": ("chlo.tan %x : tensor<2x3xf32> -> tensor<2x3xf32>", np.tan),
    "conj": ("chlo.conj %x : tensor<2x3xf32> -> tensor<2x3xf32>", np.conj),
    "is_pos_inf": ("chlo.is_pos_inf %x : tensor<2x3xf32> -> tensor<2x3xi1>", np.isposinf),
    "is_neg_inf": ("chlo.is_neg_inf %x : tensor<2x3xf32> -> tensor<2x3xi1>", np.isneginf),
    "dynamic_iota": (
        "stablehlo.dynamic_iota %sizes, dim = 1 : (tensor<2xi64>) -> tensor<2x3xi32>",
        lambda x: np.indices(x.shape, np.int32)[1],
    ),
    "dynamic_reshape": (
        "stablehlo.dynamic_reshape %x, %sizes : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<3x2xf32>",
        lambda x: x.reshape(3, 2),
    ),
    "dynamic_broadcast_in_dim": (
        "stablehlo.dynamic_broadcast_in_dim %x, %sizes, dims = [0, 2] : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<2x5x3xf32>",
        lambda x: np.broadcast_to(x[:, None], (2, 5, 3)),
    ),
    "get_dimension_size": (
        "stablehlo.get_dimension_size %x, dim = 1 : (tensor<2x3xf32>) -> tensor<i32>",
        lambda x: np.int32(3),
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_operations_that_others_say(name: str) -> None:
    text, meaning = FORMS[name]
    result = text.rsplit("-> ", 1)[1]
    function = load(f"""
        func.func private @other(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {{
          %0 = stablehlo.add %x, %x : tensor<2x3xf32>
          func.return %0 : tensor<2x3xf32>
        }}
        func.func @main(%x: tensor<2x3xf32>, %sizes: tensor<2xi64>) -> {result} {{
          %0 = {text}
          func.return %0 : {result}
        }}""")
    x = np.float32([[1, np.inf, -2], [-np.inf, 0.5, 0]])
    with np.errstate(invalid="ignore"):
        want = meaning(x)
    (got,) = evaluate(function, x, np.int64([3, 2]))
    assert got.dtype == want.dtype
    np.testing.assert_allclose(got, want, rtol=1e-6)


def test_tuples_are_taken_apart() -> None:
    function = load("""
        func.func @main(%x: tensor<f32>, %i: tensor<i32>) -> (tensor<i32>, tensor<f32>) {
          %0 = stablehlo.tuple %i : tuple<tensor<i32>>
          %1 = stablehlo.tuple %x, %0 : tuple<tensor<f32>, tuple<tensor<i32>>>
          %2 = stablehlo.get_tuple_element %1[1] : (tuple<tensor<f32>, tuple<tensor<i32>>>) -> tuple<tensor<i32>>
          %3 = stablehlo.get_tuple_element %2[0] : (tuple<tensor<i32>>) -> tensor<i32>
          %4 = stablehlo.get_tuple_element %1[0] : (tuple<tensor<f32>, tuple<tensor<i32>>>) -> tensor<f32>
          func.return %3, %4 : tensor<i32>, tensor<f32>
        }""")
    assert evaluate(function, np.float32(2.5), np.int32(7)) == [7, 2.5]
