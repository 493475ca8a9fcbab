// RUN: %sable-opt %s --jvp | filecheck %s
// d P(a, x) = P_a da + x^(a - 1) e^-x / gamma(a) dx.

func.func @main(%a: tensor<f32>, %x: tensor<f32>) -> tensor<f32> {
  %0 = "sable.igamma"(%a, %x) : (tensor<f32>, tensor<f32>) -> tensor<f32>
  func.return %0 : tensor<f32>
}

// CHECK-LABEL: func.func @main_jvp(%arg0: tensor<f32>, %arg1: tensor<f32>, %arg2: tensor<f32>, %arg3: tensor<f32>) -> (tensor<f32>, tensor<f32>) attributes {sable.active_results = array<i1: true>} {
// CHECK-NEXT: %0 = "sable.igamma"(%arg0, %arg1) : (tensor<f32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: %1 = "sable.igamma_grad_a"(%arg0, %arg1) : (tensor<f32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: %2 = stablehlo.multiply %arg2, %1 : tensor<f32>
// CHECK-NEXT: %cst = stablehlo.constant dense<1.000000e+00> : tensor<f32>
// CHECK-NEXT: %3 = stablehlo.subtract %arg0, %cst : tensor<f32>
// CHECK-NEXT: %4 = stablehlo.log %arg1 : tensor<f32>
// CHECK-NEXT: %5 = stablehlo.multiply %3, %4 : tensor<f32>
// CHECK-NEXT: %6 = stablehlo.subtract %5, %arg1 : tensor<f32>
// CHECK-NEXT: %7 = chlo.lgamma %arg0 : tensor<f32> -> tensor<f32>
// CHECK-NEXT: %8 = stablehlo.subtract %6, %7 : tensor<f32>
// CHECK-NEXT: %9 = stablehlo.exponential %8 : tensor<f32>
// CHECK-NEXT: %10 = stablehlo.multiply %arg3, %9 : tensor<f32>
// CHECK-NEXT: %11 = stablehlo.add %2, %10 : tensor<f32>
// CHECK-NEXT: return %0, %11 : tensor<f32>, tensor<f32>
// CHECK-NEXT: }
