// RUN: %sable-opt %s --transpose --batch='size=4' | filecheck %s
// The transpose of a broadcast sums over what was repeated: the new axis 0 and the axis of size 1.

func.func @main(%x: tensor<3x1xf32>) -> tensor<2x3x5xf32> {
  %0 = stablehlo.broadcast_in_dim %x, dims = [1, 2] : (tensor<3x1xf32>) -> tensor<2x3x5xf32>
  func.return %0 : tensor<2x3x5xf32>
}

// CHECK-LABEL: func.func @main_transpose(%arg0: tensor<2x3x5xf32>) -> tensor<3x1xf32> {
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %0 = stablehlo.reduce(%arg0 init: %cst) applies stablehlo.add across dimensions = [0, 2] : (tensor<2x3x5xf32>, tensor<f32>) -> tensor<3xf32>
// CHECK-NEXT: %1 = stablehlo.reshape %0 : (tensor<3xf32>) -> tensor<3x1xf32>
// CHECK-NEXT: return %1 : tensor<3x1xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @main_batched(%arg0: tensor<4x3x1xf32>) -> tensor<4x2x3x5xf32> {
// CHECK-NEXT: %0 = stablehlo.broadcast_in_dim %arg0, dims = [0, 2, 3] : (tensor<4x3x1xf32>) -> tensor<4x2x3x5xf32>
// CHECK-NEXT: return %0 : tensor<4x2x3x5xf32>
// CHECK-NEXT: }
