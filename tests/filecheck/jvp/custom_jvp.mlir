// RUN: %sable-opt %s --jvp --linearize | filecheck %s
// The rule (d f = 3 dx) is used instead of the derivative of the function (cos x dx).

func.func private @f(%x: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.sine %x : tensor<f32>
  func.return %0 : tensor<f32>
}

func.func private @f_rule(%x: tensor<f32>, %t: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
  %c = stablehlo.constant dense<3.0> : tensor<f32>
  %0 = stablehlo.sine %x : tensor<f32>
  %1 = stablehlo.multiply %c, %t : tensor<f32>
  func.return %0, %1 : tensor<f32>, tensor<f32>
}

func.func @main(%x: tensor<f32>) -> tensor<f32> {
  %0 = "sable.custom_jvp_call"(%x) {callee = @f, rule = @f_rule} : (tensor<f32>) -> tensor<f32>
  func.return %0 : tensor<f32>
}

// CHECK-LABEL: func.func @main_jvp(%arg0: tensor<f32>, %arg1: tensor<f32>) -> (tensor<f32>, tensor<f32>) attributes {sable.active_results = array<i1: true>} {
// CHECK-NEXT: %cst = stablehlo.constant dense<3.000000e+00> : tensor<f32>
// CHECK-NEXT: %0 = stablehlo.sine %arg0 : tensor<f32>
// CHECK-NEXT: %1 = stablehlo.multiply %cst, %arg1 : tensor<f32>
// CHECK-NEXT: return %0, %1 : tensor<f32>, tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @main_forward(%arg0: tensor<f32>) -> tensor<f32> attributes {sable.residuals = 0 : i64} {
// CHECK-NEXT: %cst = stablehlo.constant dense<3.000000e+00> : tensor<f32>
// CHECK-NEXT: %0 = stablehlo.sine %arg0 : tensor<f32>
// CHECK-NEXT: return %0 : tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @main_linear(%arg0: tensor<f32>) -> tensor<f32> attributes {sable.active_results = array<i1: true>, sable.residuals = 0 : i64} {
// CHECK-NEXT: %cst = stablehlo.constant dense<3.000000e+00> : tensor<f32>
// CHECK-NEXT: %0 = stablehlo.multiply %cst, %arg0 : tensor<f32>
// CHECK-NEXT: return %0 : tensor<f32>
// CHECK-NEXT: }
