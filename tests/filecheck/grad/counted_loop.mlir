// RUN: %sable-opt %s --grad | filecheck %s
// A stablehlo.while that counts to a constant is a scan: x <- sin x, three times; the reverse loop multiplies by the
// stacked cosines, last one first.

func.func @main(%x: tensor<f32>) -> tensor<f32> {
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %0:2 = stablehlo.while(%i = %zero, %a = %x) : tensor<i32>, tensor<f32>
  cond {
    %n = stablehlo.constant dense<3> : tensor<i32>
    %p = stablehlo.compare LT, %i, %n, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  } do {
    %one = stablehlo.constant dense<1> : tensor<i32>
    %j = stablehlo.add %i, %one : tensor<i32>
    %b = stablehlo.sine %a : tensor<f32>
    stablehlo.return %j, %b : tensor<i32>, tensor<f32>
  }
  func.return %0#1 : tensor<f32>
}

// CHECK-LABEL: func.func @main_grad(%arg0: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %c = stablehlo.constant dense<0> : tensor<i32>
// CHECK-NEXT: %0:3 = "sable.scan"(%c, %arg0) {body = @main_scan_body_forward, length = 3 : i64, num_carry = 2 : i64, num_consts = 0 : i64, reverse = false} : (tensor<i32>, tensor<f32>) -> (tensor<i32>, tensor<f32>, tensor<3xf32>)
// CHECK-NEXT: %cst = stablehlo.constant dense<1.000000e+00> : tensor<f32>
// CHECK-NEXT: %1 = "sable.scan"(%cst, %0#2) {body = @main_scan_body_linear_transpose, length = 3 : i64, num_carry = 1 : i64, num_consts = 0 : i64, reverse = true} : (tensor<f32>, tensor<3xf32>) -> tensor<f32>
// CHECK-NEXT: return %1 : tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @main_scan_body_forward(%arg0: tensor<i32>, %arg1: tensor<f32>) -> (tensor<i32>, tensor<f32>, tensor<f32>) {
// CHECK-NEXT: %c = stablehlo.constant dense<1> : tensor<i32>
// CHECK-NEXT: %0 = stablehlo.add %arg0, %c : tensor<i32>
// CHECK-NEXT: %1 = stablehlo.sine %arg1 : tensor<f32>
// CHECK-NEXT: %2 = stablehlo.cosine %arg1 : tensor<f32>
// CHECK-NEXT: return %0, %1, %2 : tensor<i32>, tensor<f32>, tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @main_scan_body_linear_transpose(%arg0: tensor<f32>, %arg1: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg1 : tensor<f32>
// CHECK-NEXT: return %0 : tensor<f32>
// CHECK-NEXT: }
