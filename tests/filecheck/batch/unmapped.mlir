// RUN: %sable-opt %s --batch='size=4 in-axes=0,none out-axes=0,none' | filecheck %s
// What does not depend on the mapped argument is computed once.

func.func @main(%x: tensor<3xf32>, %y: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>) {
  %0 = stablehlo.sine %y : tensor<3xf32>
  %1 = stablehlo.multiply %x, %0 : tensor<3xf32>
  func.return %1, %0 : tensor<3xf32>, tensor<3xf32>
}

// CHECK-LABEL: func.func @main_batched(%arg0: tensor<4x3xf32>, %arg1: tensor<3xf32>) -> (tensor<4x3xf32>, tensor<3xf32>) {
// CHECK-NEXT: %0 = stablehlo.sine %arg1 : tensor<3xf32>
// CHECK-NEXT: %1 = stablehlo.broadcast_in_dim %0, dims = [1] : (tensor<3xf32>) -> tensor<4x3xf32>
// CHECK-NEXT: %2 = stablehlo.multiply %arg0, %1 : tensor<4x3xf32>
// CHECK-NEXT: return %2, %0 : tensor<4x3xf32>, tensor<3xf32>
// CHECK-NEXT: }
