// RUN: %sable-opt %s --transpose='linear=1,0,1' | filecheck %s
// x.at[i].add(u): the operand's cotangent is the result's, the updates' is gathered from it.

func.func @add_at(%x: tensor<5xf32>, %i: tensor<2x1xi32>, %u: tensor<2xf32>) -> tensor<5xf32> {
  %0 = "stablehlo.scatter"(%x, %i, %u) <{scatter_dimension_numbers = #stablehlo.scatter<inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = 1>}> ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %s = stablehlo.add %a, %b : tensor<f32>
    stablehlo.return %s : tensor<f32>
  }) : (tensor<5xf32>, tensor<2x1xi32>, tensor<2xf32>) -> tensor<5xf32>
  func.return %0 : tensor<5xf32>
}

// CHECK-LABEL: func.func @add_at_transpose(%arg0: tensor<2x1xi32>, %arg1: tensor<5xf32>) -> (tensor<5xf32>, tensor<2xf32>) {
// CHECK-NEXT: %c = stablehlo.constant dense<4> : tensor<2x1xi32>
// CHECK-NEXT: %0 = stablehlo.compare LE, %arg0, %c : (tensor<2x1xi32>, tensor<2x1xi32>) -> tensor<2x1xi1>
// CHECK-NEXT: %c_0 = stablehlo.constant dense<0> : tensor<2x1xi32>
// CHECK-NEXT: %1 = stablehlo.compare GE, %arg0, %c_0 : (tensor<2x1xi32>, tensor<2x1xi32>) -> tensor<2x1xi1>
// CHECK-NEXT: %2 = stablehlo.and %0, %1 : tensor<2x1xi1>
// CHECK-NEXT: %c_1 = stablehlo.constant dense<true> : tensor<i1>
// CHECK-NEXT: %3 = stablehlo.reduce(%2 init: %c_1) applies stablehlo.and across dimensions = [1] : (tensor<2x1xi1>, tensor<i1>) -> tensor<2xi1>
// CHECK-NEXT: %4 = stablehlo.broadcast_in_dim %3, dims = [0] : (tensor<2xi1>) -> tensor<2xi1>
// CHECK-NEXT: %5 = "stablehlo.gather"(%arg1, %arg0) <{dimension_numbers = #stablehlo.gather<collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1>}> : (tensor<5xf32>, tensor<2x1xi32>) -> tensor<2xf32>
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<2xf32>
// CHECK-NEXT: %6 = stablehlo.select %4, %5, %cst : tensor<2xi1>, tensor<2xf32>
// CHECK-NEXT: return %arg1, %6 : tensor<5xf32>, tensor<2xf32>
// CHECK-NEXT: }
