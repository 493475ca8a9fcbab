// RUN: %sable-opt %s --lower | filecheck %s
// A counted while: row i is read by dynamic_slice and written by dynamic_update_slice; backwards i is 2 - counter.

func.func private @step(%w: tensor<f32>, %c: tensor<f32>, %x: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
  %0 = stablehlo.multiply %w, %c : tensor<f32>
  %1 = stablehlo.add %0, %x : tensor<f32>
  func.return %1, %c : tensor<f32>, tensor<f32>
}

func.func @main(%w: tensor<f32>, %c: tensor<f32>, %xs: tensor<3xf32>) -> (tensor<f32>, tensor<3xf32>) {
  %0:2 = "sable.scan"(%w, %c, %xs) {body = @step, num_consts = 1 : i64, num_carry = 1 : i64, length = 3 : i64, reverse = true} : (tensor<f32>, tensor<f32>, tensor<3xf32>) -> (tensor<f32>, tensor<3xf32>)
  func.return %0#0, %0#1 : tensor<f32>, tensor<3xf32>
}

// CHECK-LABEL: func.func @main(%arg0: tensor<f32>, %arg1: tensor<f32>, %arg2: tensor<3xf32>) -> (tensor<f32>, tensor<3xf32>) {
// CHECK-NEXT: %c = stablehlo.constant dense<0> : tensor<i32>
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<3xf32>
// CHECK-NEXT: %0:3 = stablehlo.while(%iterArg = %c, %iterArg_0 = %arg1, %iterArg_1 = %cst) : tensor<i32>, tensor<f32>, tensor<3xf32>
// CHECK-NEXT: cond {
// CHECK-NEXT: %c_2 = stablehlo.constant dense<3> : tensor<i32>
// CHECK-NEXT: %1 = stablehlo.compare LT, %iterArg, %c_2 : (tensor<i32>, tensor<i32>) -> tensor<i1>
// CHECK-NEXT: stablehlo.return %1 : tensor<i1>
// CHECK-NEXT: } do {
// CHECK-NEXT: %c_2 = stablehlo.constant dense<2> : tensor<i32>
// CHECK-NEXT: %1 = stablehlo.subtract %c_2, %iterArg : tensor<i32>
// CHECK-NEXT: %2 = stablehlo.dynamic_slice %arg2, %1, sizes = [1] : (tensor<3xf32>, tensor<i32>) -> tensor<1xf32>
// CHECK-NEXT: %3 = stablehlo.reshape %2 : (tensor<1xf32>) -> tensor<f32>
// CHECK-NEXT: %4 = stablehlo.multiply %arg0, %iterArg_0 : tensor<f32>
// CHECK-NEXT: %5 = stablehlo.add %4, %3 : tensor<f32>
// CHECK-NEXT: %6 = stablehlo.reshape %iterArg_0 : (tensor<f32>) -> tensor<1xf32>
// CHECK-NEXT: %7 = stablehlo.dynamic_update_slice %iterArg_1, %6, %1 : (tensor<3xf32>, tensor<1xf32>, tensor<i32>) -> tensor<3xf32>
// CHECK-NEXT: %c_3 = stablehlo.constant dense<1> : tensor<i32>
// CHECK-NEXT: %8 = stablehlo.add %iterArg, %c_3 : tensor<i32>
// CHECK-NEXT: stablehlo.return %8, %5, %7 : tensor<i32>, tensor<f32>, tensor<3xf32>
// CHECK-NEXT: }
// CHECK-NEXT: return %0#1, %0#2 : tensor<f32>, tensor<3xf32>
// CHECK-NEXT: }
