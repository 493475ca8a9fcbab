// RUN: %sable-opt %s --raise | filecheck %s
// From 2 to 7 by one: five steps. Steps of two are not counted, that loop stays a while. Constants are copied into the
// functions.

func.func @main(%x: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
  %two = stablehlo.constant dense<2> : tensor<i32>
  %seven = stablehlo.constant dense<7> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %0:2 = stablehlo.while(%i = %two, %a = %x) : tensor<i32>, tensor<f32>
  cond {
    %p = stablehlo.compare LT, %i, %seven, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  } do {
    %j = stablehlo.add %one, %i : tensor<i32>
    %b = stablehlo.sine %a : tensor<f32>
    stablehlo.return %j, %b : tensor<i32>, tensor<f32>
  }
  %1:2 = stablehlo.while(%i = %two, %a = %x) : tensor<i32>, tensor<f32>
  cond {
    %p = stablehlo.compare LT, %i, %seven, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  } do {
    %j = stablehlo.add %i, %two : tensor<i32>
    %b = stablehlo.cosine %a : tensor<f32>
    stablehlo.return %j, %b : tensor<i32>, tensor<f32>
  }
  func.return %0#1, %1#1 : tensor<f32>, tensor<f32>
}

// CHECK-LABEL: func.func @main(%arg0: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
// CHECK-NEXT: %c = stablehlo.constant dense<2> : tensor<i32>
// CHECK-NEXT: %c_0 = stablehlo.constant dense<7> : tensor<i32>
// CHECK-NEXT: %c_1 = stablehlo.constant dense<1> : tensor<i32>
// CHECK-NEXT: %0:2 = "sable.scan"(%c, %arg0) {body = @main_scan_body, length = 5 : i64, num_carry = 2 : i64, num_consts = 0 : i64, reverse = false} : (tensor<i32>, tensor<f32>) -> (tensor<i32>, tensor<f32>)
// CHECK-NEXT: %1:2 = "sable.while"(%c, %arg0) {body = @main_while_body, body_consts = 0 : i64, cond = @main_while_cond, cond_consts = 0 : i64} : (tensor<i32>, tensor<f32>) -> (tensor<i32>, tensor<f32>)
// CHECK-NEXT: return %0#1, %1#1 : tensor<f32>, tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @main_scan_body(%arg0: tensor<i32>, %arg1: tensor<f32>) -> (tensor<i32>, tensor<f32>) {
// CHECK-NEXT: %c = stablehlo.constant dense<1> : tensor<i32>
// CHECK-NEXT: %0 = stablehlo.add %c, %arg0 : tensor<i32>
// CHECK-NEXT: %1 = stablehlo.sine %arg1 : tensor<f32>
// CHECK-NEXT: return %0, %1 : tensor<i32>, tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @main_while_cond(%arg0: tensor<i32>, %arg1: tensor<f32>) -> tensor<i1> {
// CHECK-NEXT: %c = stablehlo.constant dense<7> : tensor<i32>
// CHECK-NEXT: %0 = stablehlo.compare LT, %arg0, %c, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
// CHECK-NEXT: return %0 : tensor<i1>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @main_while_body(%arg0: tensor<i32>, %arg1: tensor<f32>) -> (tensor<i32>, tensor<f32>) {
// CHECK-NEXT: %c = stablehlo.constant dense<2> : tensor<i32>
// CHECK-NEXT: %0 = stablehlo.add %arg0, %c : tensor<i32>
// CHECK-NEXT: %1 = stablehlo.cosine %arg1 : tensor<f32>
// CHECK-NEXT: return %0, %1 : tensor<i32>, tensor<f32>
// CHECK-NEXT: }
