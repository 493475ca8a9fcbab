// RUN: %sable-opt %s --jvp | filecheck %s
// d erf x = 2 / sqrt(pi) exp(-x^2) dx.

func.func @main(%x: tensor<f32>) -> tensor<f32> {
  %0 = chlo.erf %x : tensor<f32> -> tensor<f32>
  func.return %0 : tensor<f32>
}

// CHECK-LABEL: func.func @main_jvp(%arg0: tensor<f32>, %arg1: tensor<f32>) -> (tensor<f32>, tensor<f32>) attributes {sable.active_results = array<i1: true>} {
// CHECK-NEXT: %0 = chlo.erf %arg0 : tensor<f32> -> tensor<f32>
// CHECK-NEXT: %cst = stablehlo.constant dense<1.12837923> : tensor<f32>
// CHECK-NEXT: %1 = stablehlo.multiply %arg0, %arg0 : tensor<f32>
// CHECK-NEXT: %2 = stablehlo.negate %1 : tensor<f32>
// CHECK-NEXT: %3 = stablehlo.exponential %2 : tensor<f32>
// CHECK-NEXT: %4 = stablehlo.multiply %cst, %3 : tensor<f32>
// CHECK-NEXT: %5 = stablehlo.multiply %arg1, %4 : tensor<f32>
// CHECK-NEXT: return %0, %5 : tensor<f32>, tensor<f32>
// CHECK-NEXT: }
