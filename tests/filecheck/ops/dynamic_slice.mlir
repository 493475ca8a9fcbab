// RUN: %sable-opt %s --transpose='linear=1,0' --split-input-file | filecheck %s
// Reading at i is undone by adding at i to zeros; writing at i by reading at i (the update) and by zeros at i (the rest).

func.func @read(%x: tensor<5xf32>, %i: tensor<i32>) -> tensor<2xf32> {
  %0 = stablehlo.dynamic_slice %x, %i, sizes = [2] : (tensor<5xf32>, tensor<i32>) -> tensor<2xf32>
  func.return %0 : tensor<2xf32>
}

// CHECK-LABEL: func.func @read_transpose(%arg0: tensor<i32>, %arg1: tensor<2xf32>) -> tensor<5xf32> {
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<5xf32>
// CHECK-NEXT: %0 = stablehlo.dynamic_update_slice %cst, %arg1, %arg0 : (tensor<5xf32>, tensor<2xf32>, tensor<i32>) -> tensor<5xf32>
// CHECK-NEXT: return %0 : tensor<5xf32>
// CHECK-NEXT: }
