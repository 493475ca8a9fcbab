// RUN: %sable-opt %s --transpose --batch='size=4' --split-input-file | filecheck %s
// A slice with start 1, limit 8, stride 3 of 10 (elements 1, 4, 7) is undone by padding 1 below, 2 above, 2 between.
// Padding is undone by the slice that leaves its padding out.

func.func @slice(%x: tensor<10xf32>) -> tensor<3xf32> {
  %0 = stablehlo.slice %x [1:8:3] : (tensor<10xf32>) -> tensor<3xf32>
  func.return %0 : tensor<3xf32>
}

// -----

func.func @pad(%x: tensor<3xf32>) -> tensor<6xf32> {
  %z = stablehlo.constant dense<0.0> : tensor<f32>
  %0 = stablehlo.pad %x, %z, low = [2], high = [1], interior = [0] : (tensor<3xf32>, tensor<f32>) -> tensor<6xf32>
  func.return %0 : tensor<6xf32>
}
