// RUN: %sable-opt %s --convert-elementwise-to-linalg --cse --linalg-fold-unit-extent-dims='use-rank-reducing-slices=true' | filecheck %s
// Passes of MLIR by name with options; one that runs on functions is nested by itself.

func.func @main(%x: tensor<3xf32>) -> tensor<3xf32> {
  %0 = arith.addf %x, %x : tensor<3xf32>
  func.return %0 : tensor<3xf32>
}

// CHECK: linalg.generic
// CHECK: arith.addf
