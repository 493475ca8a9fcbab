"""Traits by the names of operations."""

from __future__ import annotations

from collections import defaultdict

from sable.ir.bindings import CONTEXT, ir
from sable.ir.op import OPS, Traits
from sable.passes.module_traits import WITHOUT_ROW, traits_of, work_of


def test_rows_of_one_operation_agree() -> None:
    found = defaultdict(set)
    for op in OPS.values():
        found[op.mlir_name].add(op.traits)
    assert [name for name, traits in found.items() if len(traits) > 1] == []


def test_the_list_is_of_what_has_no_row() -> None:
    rows = {op.mlir_name for op in OPS.values()} - {"func.call"}
    assert sorted(rows & set(WITHOUT_ROW)) == []


def test_one_table_of_costs() -> None:
    assert traits_of("stablehlo.power").cost == 20
    assert traits_of("stablehlo.exponential").cost == 10
    assert traits_of("stablehlo.reshape").cost == 0
    assert traits_of("stablehlo.scatter").in_place
    assert traits_of("tensor.empty") == Traits()


WORK = """
func.func @main(%a: tensor<2x3x4xf32>, %b: tensor<2x4x5xf32>, %x: tensor<1x6x6x3xf32>, %k: tensor<2x2x3x7xf32>, %i: tensor<2x1xi32>,
                %u: tensor<2xf32>, %v: tensor<100xf32>, %n: tensor<i32>, %z: tensor<f32>) {
  %0 = stablehlo.dot_general %a, %b, batching_dims = [0] x [0], contracting_dims = [2] x [1] : (tensor<2x3x4xf32>, tensor<2x4x5xf32>) -> tensor<2x3x5xf32>
  %1 = stablehlo.convolution(%x, %k) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {stride = [2, 2]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<1x6x6x3xf32>, tensor<2x2x3x7xf32>) -> tensor<1x3x3x7xf32>
  %2 = stablehlo.dynamic_update_slice %v, %u, %n : (tensor<100xf32>, tensor<2xf32>, tensor<i32>) -> tensor<100xf32>
  %3 = stablehlo.reduce(%a init: %z) applies stablehlo.add across dimensions = [1, 2] : (tensor<2x3x4xf32>, tensor<f32>) -> tensor<2xf32>
  %4 = "stablehlo.reduce_window"(%v, %z) <{window_dimensions = array<i64: 10>}> ({
  ^bb0(%p: tensor<f32>, %q: tensor<f32>):
    %s = stablehlo.add %p, %q : tensor<f32>
    stablehlo.return %s : tensor<f32>
  }) : (tensor<100xf32>, tensor<f32>) -> tensor<91xf32>
  %5 = "stablehlo.scatter"(%v, %i, %u) <{scatter_dimension_numbers = #stablehlo.scatter<inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = 1>}> ({
  ^bb0(%p: tensor<f32>, %q: tensor<f32>):
    stablehlo.return %q : tensor<f32>
  }) : (tensor<100xf32>, tensor<2x1xi32>, tensor<2xf32>) -> tensor<100xf32>
  %6 = stablehlo.sine %v : tensor<100xf32>
  %7 = stablehlo.add %v, %v : tensor<100xf32>
  %8 = stablehlo.broadcast_in_dim %z, dims = [] : (tensor<f32>) -> tensor<100xf32>
  func.return
}
"""


def test_work_by_shapes() -> None:
    module = ir.Module.parse(WORK, CONTEXT)
    found = [work_of(view.operation) for view in module.body.operations[0].regions[0].blocks[0].operations]
    dot, convolution = 2 * 3 * 5 * 4, (3 * 3 * 7) * (2 * 2 * 3)
    assert found[:9] == [2 * dot, 2 * convolution, 2, 25, 910, 2, 1000, 100, 0]
