// RUN: %sable-opt %s --jvp | filecheck %s
// d exp(x y) = exp(x y) (dx y + x dy); the exponential is computed once.

func.func @main(%x: tensor<f32>, %y: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.multiply %x, %y : tensor<f32>
  %1 = stablehlo.exponential %0 : tensor<f32>
  func.return %1 : tensor<f32>
}

// CHECK-LABEL: func.func @main_jvp(%arg0: tensor<f32>, %arg1: tensor<f32>, %arg2: tensor<f32>, %arg3: tensor<f32>) -> (tensor<f32>, tensor<f32>) attributes {sable.active_results = array<i1: true>} {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg1 : tensor<f32>
// CHECK-NEXT: %1 = stablehlo.multiply %arg2, %arg1 : tensor<f32>
// CHECK-NEXT: %2 = stablehlo.multiply %arg0, %arg3 : tensor<f32>
// CHECK-NEXT: %3 = stablehlo.add %1, %2 : tensor<f32>
// CHECK-NEXT: %4 = stablehlo.exponential %0 : tensor<f32>
// CHECK-NEXT: %5 = stablehlo.multiply %3, %4 : tensor<f32>
// CHECK-NEXT: return %4, %5 : tensor<f32>, tensor<f32>
// CHECK-NEXT: }
