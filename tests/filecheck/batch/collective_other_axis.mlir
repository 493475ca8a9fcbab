// RUN: %sable-opt %s --batch='size=4 axis-name=j' | filecheck %s
// An axis of another name stays to be mapped by somebody else; of two axes one remains.

func.func @main(%x: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
  %0 = "sable.psum"(%x) {axes = ["i"]} : (tensor<f32>) -> tensor<f32>
  %1 = "sable.psum"(%x) {axes = ["i", "j"]} : (tensor<f32>) -> tensor<f32>
  func.return %0, %1 : tensor<f32>, tensor<f32>
}

// CHECK-LABEL: func.func @main_batched(%arg0: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT: %0 = "sable.psum"(%arg0) {axes = ["i"]} : (tensor<4xf32>) -> tensor<4xf32>
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %1 = stablehlo.reduce(%arg0 init: %cst) applies stablehlo.add across dimensions = [0] : (tensor<4xf32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: %2 = "sable.psum"(%1) {axes = ["i"]} : (tensor<f32>) -> tensor<f32>
// CHECK-NEXT: %3 = stablehlo.broadcast_in_dim %2, dims = [] : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: return %0, %3 : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT: }
