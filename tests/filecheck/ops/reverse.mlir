// RUN: %sable-opt %s --transpose --batch='size=4' | filecheck %s

func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = stablehlo.reverse %x, dims = [1] : tensor<2x3xf32>
  func.return %0 : tensor<2x3xf32>
}
