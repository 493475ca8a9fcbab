// RUN: %sable-opt %s --raise | filecheck %s
// A branch in a loop: the loop's body captures %y for the branch, and the branch gets it from the body.

func.func @main(%x: tensor<f32>, %y: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.while(%a = %x) : tensor<f32>
  cond {
    %p = stablehlo.compare LT, %a, %y : (tensor<f32>, tensor<f32>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  } do {
    %q = stablehlo.compare GT, %a, %x : (tensor<f32>, tensor<f32>) -> tensor<i1>
    %b = "stablehlo.if"(%q) ({
      %1 = stablehlo.multiply %a, %y : tensor<f32>
      stablehlo.return %1 : tensor<f32>
    }, {
      stablehlo.return %a : tensor<f32>
    }) : (tensor<i1>) -> tensor<f32>
    stablehlo.return %b : tensor<f32>
  }
  func.return %0 : tensor<f32>
}

// CHECK-LABEL: func.func @main(%arg0: tensor<f32>, %arg1: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %0 = "sable.while"(%arg1, %arg0, %arg1, %arg0) {body = @main_while_body, body_consts = 2 : i64, cond = @main_while_cond, cond_consts = 1 : i64} : (tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: return %0 : tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @main_while_cond(%arg0: tensor<f32>, %arg1: tensor<f32>) -> tensor<i1> {
// CHECK-NEXT: %0 = stablehlo.compare LT, %arg1, %arg0 : (tensor<f32>, tensor<f32>) -> tensor<i1>
// CHECK-NEXT: return %0 : tensor<i1>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @main_while_body(%arg0: tensor<f32>, %arg1: tensor<f32>, %arg2: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %0 = stablehlo.compare GT, %arg2, %arg0 : (tensor<f32>, tensor<f32>) -> tensor<i1>
// CHECK-NEXT: %1 = stablehlo.convert %0 : (tensor<i1>) -> tensor<i32>
// CHECK-NEXT: %2 = "sable.case"(%1, %arg2, %arg1) {branches = [@main_while_body_branch0, @main_while_body_branch1]} : (tensor<i32>, tensor<f32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: return %2 : tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @main_while_body_branch0(%arg0: tensor<f32>, %arg1: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: return %arg0 : tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @main_while_body_branch1(%arg0: tensor<f32>, %arg1: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg1 : tensor<f32>
// CHECK-NEXT: return %0 : tensor<f32>
// CHECK-NEXT: }
