// RUN: %sable-opt %s --grad='argnums=1,0 value=true' --cse --canonicalize | filecheck %s
// f = x^2 y: df/dy = x^2, df/dx = 2 x y (as x y + x y), after the value and in the order that was asked for.

func.func @main(%x: tensor<f32>, %y: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.multiply %x, %x : tensor<f32>
  %1 = stablehlo.multiply %0, %y : tensor<f32>
  func.return %1 : tensor<f32>
}

// CHECK-LABEL: func.func @main_grad(%arg0: tensor<f32>, %arg1: tensor<f32>) -> (tensor<f32>, tensor<f32>, tensor<f32>) {
// CHECK-NEXT: %cst = stablehlo.constant dense<1.000000e+00> : tensor<f32>
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg0 : tensor<f32>
// CHECK-NEXT: %1 = stablehlo.multiply %0, %arg1 : tensor<f32>
// CHECK-NEXT: %2 = stablehlo.multiply %0, %cst : tensor<f32>
// CHECK-NEXT: %3 = stablehlo.multiply %cst, %arg1 : tensor<f32>
// CHECK-NEXT: %4 = stablehlo.multiply %arg0, %3 : tensor<f32>
// CHECK-NEXT: %5 = stablehlo.multiply %3, %arg0 : tensor<f32>
// CHECK-NEXT: %6 = stablehlo.add %4, %5 : tensor<f32>
// CHECK-NEXT: return %1, %2, %6 : tensor<f32>, tensor<f32>, tensor<f32>
// CHECK-NEXT: }
