// RUN: %sable-opt %s --jvp --grad | filecheck %s
// x used twice: d(x x) = dx x + x dx, and the gradient of x^2 adds both cotangents.

func.func @main(%x: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.multiply %x, %x : tensor<f32>
  func.return %0 : tensor<f32>
}
