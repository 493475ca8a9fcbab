// RUN: %sable-opt %s --jvp='active=1,0' | filecheck %s
// x <- x + w: w has no tangent; x's tangent is carried along and not looked at by the condition.

func.func @main(%x: tensor<f32>, %w: tensor<f32>) -> tensor<f32> {
  %limit = stablehlo.constant dense<10.0> : tensor<f32>
  %0 = stablehlo.while(%a = %x) : tensor<f32>
  cond {
    %p = stablehlo.compare LT, %a, %limit : (tensor<f32>, tensor<f32>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  } do {
    %b = stablehlo.multiply %a, %w : tensor<f32>
    stablehlo.return %b : tensor<f32>
  }
  func.return %0 : tensor<f32>
}

// CHECK-LABEL: func.func @main_jvp(%arg0: tensor<f32>, %arg1: tensor<f32>, %arg2: tensor<f32>) -> (tensor<f32>, tensor<f32>) attributes {sable.active_results = array<i1: true>} {
// CHECK-NEXT: %cst = stablehlo.constant dense<1.000000e+01> : tensor<f32>
// CHECK-NEXT: %0:2 = "sable.while"(%arg1, %arg0, %arg2) {body = @main_while_body_jvp, body_consts = 1 : i64, cond = @main_while_cond, cond_consts = 0 : i64} : (tensor<f32>, tensor<f32>, tensor<f32>) -> (tensor<f32>, tensor<f32>)
// CHECK-NEXT: return %0#0, %0#1 : tensor<f32>, tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @main_while_cond(%arg0: tensor<f32>, %arg1: tensor<f32>) -> tensor<i1> {
// CHECK-NEXT: %cst = stablehlo.constant dense<1.000000e+01> : tensor<f32>
// CHECK-NEXT: %0 = stablehlo.compare LT, %arg0, %cst : (tensor<f32>, tensor<f32>) -> tensor<i1>
// CHECK-NEXT: return %0 : tensor<i1>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @main_while_body_jvp(%arg0: tensor<f32>, %arg1: tensor<f32>, %arg2: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
// CHECK-NEXT: %0 = stablehlo.multiply %arg1, %arg0 : tensor<f32>
// CHECK-NEXT: %1 = stablehlo.multiply %arg2, %arg0 : tensor<f32>
// CHECK-NEXT: return %0, %1 : tensor<f32>, tensor<f32>
// CHECK-NEXT: }
