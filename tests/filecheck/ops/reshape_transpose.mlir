// RUN: %sable-opt %s --transpose --batch='size=4' | filecheck %s
// A permutation is undone by its inverse: (2, 0, 1) by (1, 2, 0).

func.func @main(%x: tensor<2x3x5xf32>) -> tensor<30xf32> {
  %0 = stablehlo.transpose %x, dims = [2, 0, 1] : (tensor<2x3x5xf32>) -> tensor<5x2x3xf32>
  %1 = stablehlo.reshape %0 : (tensor<5x2x3xf32>) -> tensor<30xf32>
  func.return %1 : tensor<30xf32>
}

// CHECK-LABEL: func.func @main_transpose(%arg0: tensor<30xf32>) -> tensor<2x3x5xf32> {
// CHECK-NEXT: %0 = stablehlo.reshape %arg0 : (tensor<30xf32>) -> tensor<5x2x3xf32>
// CHECK-NEXT: %1 = stablehlo.transpose %0, dims = [1, 2, 0] : (tensor<5x2x3xf32>) -> tensor<2x3x5xf32>
// CHECK-NEXT: return %1 : tensor<2x3x5xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @main_batched(%arg0: tensor<4x2x3x5xf32>) -> tensor<4x30xf32> {
// CHECK-NEXT: %0 = stablehlo.transpose %arg0, dims = [0, 3, 1, 2] : (tensor<4x2x3x5xf32>) -> tensor<4x5x2x3xf32>
// CHECK-NEXT: %1 = stablehlo.reshape %0 : (tensor<4x5x2x3xf32>) -> tensor<4x30xf32>
// CHECK-NEXT: return %1 : tensor<4x30xf32>
// CHECK-NEXT: }
