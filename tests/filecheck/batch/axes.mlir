// RUN: %sable-opt %s --batch='size=4 in-axes=2,none out-axes=1' | filecheck %s
// The batch axis comes in as the last one, goes to the front, and the result's is put at 1.

func.func @main(%x: tensor<2x3xf32>, %y: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = stablehlo.add %x, %y : tensor<2x3xf32>
  func.return %0 : tensor<2x3xf32>
}

// CHECK-LABEL: func.func @main_batched(%arg0: tensor<2x3x4xf32>, %arg1: tensor<2x3xf32>) -> tensor<2x4x3xf32> {
// CHECK-NEXT: %0 = stablehlo.transpose %arg0, dims = [2, 0, 1] : (tensor<2x3x4xf32>) -> tensor<4x2x3xf32>
// CHECK-NEXT: %1 = stablehlo.broadcast_in_dim %arg1, dims = [1, 2] : (tensor<2x3xf32>) -> tensor<4x2x3xf32>
// CHECK-NEXT: %2 = stablehlo.add %0, %1 : tensor<4x2x3xf32>
// CHECK-NEXT: %3 = stablehlo.transpose %2, dims = [1, 0, 2] : (tensor<4x2x3xf32>) -> tensor<2x4x3xf32>
// CHECK-NEXT: return %3 : tensor<2x4x3xf32>
// CHECK-NEXT: }
