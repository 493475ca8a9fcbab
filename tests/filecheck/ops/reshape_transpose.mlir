// RUN: %sable-opt %s --transpose --batch='size=4' | filecheck %s
// A permutation is undone by its inverse: (2, 0, 1) by (1, 2, 0).

func.func @main(%x: tensor<2x3x5xf32>) -> tensor<30xf32> {
  %0 = stablehlo.transpose %x, dims = [2, 0, 1] : (tensor<2x3x5xf32>) -> tensor<5x2x3xf32>
  %1 = stablehlo.reshape %0 : (tensor<5x2x3xf32>) -> tensor<30xf32>
  func.return %1 : tensor<30xf32>
}
