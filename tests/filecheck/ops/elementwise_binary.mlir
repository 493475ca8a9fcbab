// RUN: %sable-opt %s --jvp --split-input-file | filecheck %s
// d(x - y) = dx - dy; d(x y) = dx y + x dy; d(x / y) = dx / y - (x / y) dy / y.

func.func @subtract(%x: tensor<3xf32>, %y: tensor<3xf32>) -> tensor<3xf32> {
  %0 = stablehlo.subtract %x, %y : tensor<3xf32>
  func.return %0 : tensor<3xf32>
}

// -----

func.func @multiply(%x: tensor<3xf32>, %y: tensor<3xf32>) -> tensor<3xf32> {
  %0 = stablehlo.multiply %x, %y : tensor<3xf32>
  func.return %0 : tensor<3xf32>
}

// -----

func.func @divide(%x: tensor<3xf32>, %y: tensor<3xf32>) -> tensor<3xf32> {
  %0 = stablehlo.divide %x, %y : tensor<3xf32>
  func.return %0 : tensor<3xf32>
}
