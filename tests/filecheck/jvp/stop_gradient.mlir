// RUN: %sable-opt %s --jvp | filecheck %s
// x * stop_gradient(x): only the first factor moves.

func.func @main(%x: tensor<f32>) -> tensor<f32> {
  %0 = "sable.stop_gradient"(%x) : (tensor<f32>) -> tensor<f32>
  %1 = stablehlo.multiply %x, %0 : tensor<f32>
  func.return %1 : tensor<f32>
}

// CHECK-LABEL: func.func @main_jvp(%arg0: tensor<f32>, %arg1: tensor<f32>) -> (tensor<f32>, tensor<f32>) attributes {sable.active_results = array<i1: true>} {
// CHECK-NEXT: %0 = "sable.stop_gradient"(%arg0) : (tensor<f32>) -> tensor<f32>
// CHECK-NEXT: %1 = stablehlo.multiply %arg0, %0 : tensor<f32>
// CHECK-NEXT: %2 = stablehlo.multiply %arg1, %0 : tensor<f32>
// CHECK-NEXT: return %1, %2 : tensor<f32>, tensor<f32>
// CHECK-NEXT: }
