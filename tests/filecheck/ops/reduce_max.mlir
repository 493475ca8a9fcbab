// RUN: %sable-opt %s --jvp | filecheck %s
// The tangent of a maximum is shared equally among the elements that attain it.

func.func @main(%x: tensor<3xf32>) -> tensor<f32> {
  %low = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %0 = stablehlo.reduce(%x init: %low) applies stablehlo.maximum across dimensions = [0] : (tensor<3xf32>, tensor<f32>) -> tensor<f32>
  func.return %0 : tensor<f32>
}
