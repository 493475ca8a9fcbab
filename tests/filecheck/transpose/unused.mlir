// RUN: %sable-opt %s --transpose | filecheck %s
// Nothing depends on the second argument: its cotangent is zero, and only the function's edge writes that zero.

func.func @main(%x: tensor<3xf32>, %y: tensor<2xf32>) -> tensor<3xf32> {
  %0 = stablehlo.negate %x : tensor<3xf32>
  func.return %0 : tensor<3xf32>
}

// CHECK-LABEL: func.func @main_transpose(%arg0: tensor<3xf32>) -> (tensor<3xf32>, tensor<2xf32>) {
// CHECK-NEXT: %0 = stablehlo.negate %arg0 : tensor<3xf32>
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<2xf32>
// CHECK-NEXT: return %0, %cst : tensor<3xf32>, tensor<2xf32>
// CHECK-NEXT: }
