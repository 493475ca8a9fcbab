// RUN: %sable-opt %s --jvp --grad | filecheck %s
// x used twice: d(x x) = dx x + x dx, and the gradient of x^2 adds both cotangents.

func.func @main(%x: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.multiply %x, %x : tensor<f32>
  func.return %0 : tensor<f32>
}

// CHECK-LABEL: func.func @main_jvp(%arg0: tensor<f32>, %arg1: tensor<f32>) -> (tensor<f32>, tensor<f32>) attributes {sable.active_results = array<i1: true>} {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg0 : tensor<f32>
// CHECK-NEXT: %1 = stablehlo.multiply %arg1, %arg0 : tensor<f32>
// CHECK-NEXT: %2 = stablehlo.multiply %arg0, %arg1 : tensor<f32>
// CHECK-NEXT: %3 = stablehlo.add %1, %2 : tensor<f32>
// CHECK-NEXT: return %0, %3 : tensor<f32>, tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @main_grad(%arg0: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg0 : tensor<f32>
// CHECK-NEXT: %cst = stablehlo.constant dense<1.000000e+00> : tensor<f32>
// CHECK-NEXT: %1 = stablehlo.multiply %arg0, %cst : tensor<f32>
// CHECK-NEXT: %2 = stablehlo.multiply %cst, %arg0 : tensor<f32>
// CHECK-NEXT: %3 = stablehlo.add %1, %2 : tensor<f32>
// CHECK-NEXT: return %3 : tensor<f32>
// CHECK-NEXT: }
