// RUN: %sable-opt %s --raise | filecheck %s
// What the regions use from outside becomes constants of the loop: the condition's first, then the body's.

func.func public @main(%x: tensor<f32>, %limit: tensor<f32>, %y: tensor<f32>) -> (tensor<f32> {jax.result_info = "r"}) {
  %0 = stablehlo.while(%a = %x) : tensor<f32>
  cond {
    %p = stablehlo.compare LT, %a, %limit : (tensor<f32>, tensor<f32>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  } do {
    %b = stablehlo.add %a, %y : tensor<f32>
    %c = stablehlo.multiply %b, %limit : tensor<f32>
    stablehlo.return %c : tensor<f32>
  }
  func.return %0 : tensor<f32>
}

// CHECK-LABEL: func.func public @main(%arg0: tensor<f32>, %arg1: tensor<f32>, %arg2: tensor<f32>) -> (tensor<f32> {jax.result_info = "r"}) {
// CHECK-NEXT: %0 = "sable.while"(%arg1, %arg2, %arg1, %arg0) {body = @main_while_body, body_consts = 2 : i64, cond = @main_while_cond, cond_consts = 1 : i64} : (tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: return %0 : tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @main_while_cond(%arg0: tensor<f32>, %arg1: tensor<f32>) -> tensor<i1> {
// CHECK-NEXT: %0 = stablehlo.compare LT, %arg1, %arg0 : (tensor<f32>, tensor<f32>) -> tensor<i1>
// CHECK-NEXT: return %0 : tensor<i1>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @main_while_body(%arg0: tensor<f32>, %arg1: tensor<f32>, %arg2: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %0 = stablehlo.add %arg2, %arg0 : tensor<f32>
// CHECK-NEXT: %1 = stablehlo.multiply %0, %arg1 : tensor<f32>
// CHECK-NEXT: return %1 : tensor<f32>
// CHECK-NEXT: }
