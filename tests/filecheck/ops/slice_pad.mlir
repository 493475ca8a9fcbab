// RUN: %sable-opt %s --transpose --batch='size=4' --split-input-file | filecheck %s
// A slice with start 1, limit 8, stride 3 of 10 (elements 1, 4, 7) is undone by padding 1 below, 2 above, 2 between.
// Padding is undone by padding as much less than nothing.

func.func @slice(%x: tensor<10xf32>) -> tensor<3xf32> {
  %0 = stablehlo.slice %x [1:8:3] : (tensor<10xf32>) -> tensor<3xf32>
  func.return %0 : tensor<3xf32>
}

// CHECK-LABEL: func.func @slice_transpose(%arg0: tensor<3xf32>) -> tensor<10xf32> {
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %0 = stablehlo.pad %arg0, %cst, low = [1], high = [2], interior = [2] : (tensor<3xf32>, tensor<f32>) -> tensor<10xf32>
// CHECK-NEXT: return %0 : tensor<10xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @slice_batched(%arg0: tensor<4x10xf32>) -> tensor<4x3xf32> {
// CHECK-NEXT: %0 = stablehlo.slice %arg0 [0:4, 1:8:3] : (tensor<4x10xf32>) -> tensor<4x3xf32>
// CHECK-NEXT: return %0 : tensor<4x3xf32>
// CHECK-NEXT: }
// -----

func.func @pad(%x: tensor<3xf32>) -> tensor<6xf32> {
  %z = stablehlo.constant dense<0.0> : tensor<f32>
  %0 = stablehlo.pad %x, %z, low = [2], high = [1], interior = [0] : (tensor<3xf32>, tensor<f32>) -> tensor<6xf32>
  func.return %0 : tensor<6xf32>
}

// CHECK-LABEL: func.func @pad_transpose(%arg0: tensor<6xf32>) -> tensor<3xf32> {
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %cst_0 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %0 = stablehlo.pad %arg0, %cst_0, low = [-2], high = [-1], interior = [0] : (tensor<6xf32>, tensor<f32>) -> tensor<3xf32>
// CHECK-NEXT: return %0 : tensor<3xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @pad_batched(%arg0: tensor<4x3xf32>) -> tensor<4x6xf32> {
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %0 = stablehlo.pad %arg0, %cst, low = [0, 2], high = [0, 1], interior = [0, 0] : (tensor<4x3xf32>, tensor<f32>) -> tensor<4x6xf32>
// CHECK-NEXT: return %0 : tensor<4x6xf32>
// CHECK-NEXT: }
