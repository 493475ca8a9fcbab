// RUN: %sable-opt %s --batch='size=4 in-axes=0,none' | filecheck %s

func.func @main(%key: tensor<ui32>, %x: tensor<2xui32>) -> tensor<2xui32> {
  %k = stablehlo.broadcast_in_dim %key, dims = [] : (tensor<ui32>) -> tensor<2xui32>
  %0:2 = "sable.threefry2x32"(%k, %k, %x, %x) : (tensor<2xui32>, tensor<2xui32>, tensor<2xui32>, tensor<2xui32>) -> (tensor<2xui32>, tensor<2xui32>)
  func.return %0#0 : tensor<2xui32>
}

// CHECK-LABEL: func.func @main_batched(%arg0: tensor<4xui32>, %arg1: tensor<2xui32>) -> tensor<4x2xui32> {
// CHECK-NEXT: %0 = stablehlo.broadcast_in_dim %arg0, dims = [0] : (tensor<4xui32>) -> tensor<4x2xui32>
// CHECK-NEXT: %1 = stablehlo.broadcast_in_dim %arg1, dims = [1] : (tensor<2xui32>) -> tensor<4x2xui32>
// CHECK-NEXT: %2 = stablehlo.broadcast_in_dim %arg1, dims = [1] : (tensor<2xui32>) -> tensor<4x2xui32>
// CHECK-NEXT: %3:2 = "sable.threefry2x32"(%0, %0, %1, %2) : (tensor<4x2xui32>, tensor<4x2xui32>, tensor<4x2xui32>, tensor<4x2xui32>) -> (tensor<4x2xui32>, tensor<4x2xui32>)
// CHECK-NEXT: return %3#0 : tensor<4x2xui32>
// CHECK-NEXT: }
