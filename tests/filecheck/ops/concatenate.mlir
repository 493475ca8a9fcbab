// RUN: %sable-opt %s --transpose --batch='size=4 in-axes=0,none' | filecheck %s
// Each part's cotangent is its slice; an unmapped part is repeated for every example.

func.func @main(%x: tensor<2xf32>, %y: tensor<3xf32>) -> tensor<5xf32> {
  %0 = stablehlo.concatenate %x, %y, dim = 0 : (tensor<2xf32>, tensor<3xf32>) -> tensor<5xf32>
  func.return %0 : tensor<5xf32>
}

// CHECK-LABEL: func.func @main_transpose(%arg0: tensor<5xf32>) -> (tensor<2xf32>, tensor<3xf32>) {
// CHECK-NEXT: %0 = stablehlo.slice %arg0 [0:2] : (tensor<5xf32>) -> tensor<2xf32>
// CHECK-NEXT: %1 = stablehlo.slice %arg0 [2:5] : (tensor<5xf32>) -> tensor<3xf32>
// CHECK-NEXT: return %0, %1 : tensor<2xf32>, tensor<3xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @main_batched(%arg0: tensor<4x2xf32>, %arg1: tensor<3xf32>) -> tensor<4x5xf32> {
// CHECK-NEXT: %0 = stablehlo.broadcast_in_dim %arg1, dims = [1] : (tensor<3xf32>) -> tensor<4x3xf32>
// CHECK-NEXT: %1 = stablehlo.concatenate %arg0, %0, dim = 1 : (tensor<4x2xf32>, tensor<4x3xf32>) -> tensor<4x5xf32>
// CHECK-NEXT: return %1 : tensor<4x5xf32>
// CHECK-NEXT: }
