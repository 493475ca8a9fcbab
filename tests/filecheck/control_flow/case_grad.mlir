// RUN: %sable-opt %s --grad='argnums=1' | filecheck %s
// One branch is x^2, the other does not depend on x: its cotangent is zero.

func.func @main(%p: tensor<i1>, %x: tensor<f32>, %y: tensor<f32>) -> tensor<f32> {
  %0 = "stablehlo.if"(%p) ({
    %1 = stablehlo.multiply %x, %x : tensor<f32>
    stablehlo.return %1 : tensor<f32>
  }, {
    stablehlo.return %y : tensor<f32>
  }) : (tensor<i1>) -> tensor<f32>
  func.return %0 : tensor<f32>
}

// CHECK-LABEL: func.func @main_grad(%arg0: tensor<i1>, %arg1: tensor<f32>, %arg2: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %0 = stablehlo.convert %arg0 : (tensor<i1>) -> tensor<i32>
// CHECK-NEXT: %1:2 = "sable.case"(%0, %arg2, %arg1) {branches = [@main_branch0_forward, @main_branch1_forward]} : (tensor<i32>, tensor<f32>, tensor<f32>) -> (tensor<f32>, tensor<f32>)
// CHECK-NEXT: %cst = stablehlo.constant dense<1.000000e+00> : tensor<f32>
// CHECK-NEXT: %2 = "sable.case"(%0, %1#1, %cst) {branches = [@main_branch0_linear_transpose, @main_branch1_linear_transpose]} : (tensor<i32>, tensor<f32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: return %2 : tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @main_branch0_forward(%arg0: tensor<f32>, %arg1: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: return %arg0, %cst : tensor<f32>, tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @main_branch1_forward(%arg0: tensor<f32>, %arg1: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
// CHECK-NEXT: %0 = stablehlo.multiply %arg1, %arg1 : tensor<f32>
// CHECK-NEXT: return %0, %arg1 : tensor<f32>, tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @main_branch0_linear_transpose(%arg0: tensor<f32>, %arg1: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %cst_0 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: return %cst_0 : tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @main_branch1_linear_transpose(%arg0: tensor<f32>, %arg1: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg1 : tensor<f32>
// CHECK-NEXT: %1 = stablehlo.multiply %arg1, %arg0 : tensor<f32>
// CHECK-NEXT: %2 = stablehlo.add %0, %1 : tensor<f32>
// CHECK-NEXT: return %2 : tensor<f32>
// CHECK-NEXT: }
