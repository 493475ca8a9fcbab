// RUN: %sable-opt %s --jvp='active=0,1' | filecheck %s
// The carry starts without a tangent and gets one from the inputs, so the loop starts it with zero.

func.func private @step(%c: tensor<f32>, %x: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
  %0 = stablehlo.multiply %c, %x : tensor<f32>
  func.return %0, %x : tensor<f32>, tensor<f32>
}

func.func @main(%c: tensor<f32>, %xs: tensor<3xf32>) -> (tensor<f32>, tensor<3xf32>) {
  %0:2 = "sable.scan"(%c, %xs) {body = @step, num_consts = 0 : i64, num_carry = 1 : i64, length = 3 : i64, reverse = false} : (tensor<f32>, tensor<3xf32>) -> (tensor<f32>, tensor<3xf32>)
  func.return %0#0, %0#1 : tensor<f32>, tensor<3xf32>
}

// CHECK-LABEL: func.func @main_jvp(%arg0: tensor<f32>, %arg1: tensor<3xf32>, %arg2: tensor<3xf32>) -> (tensor<f32>, tensor<3xf32>, tensor<f32>, tensor<3xf32>) attributes {sable.active_results = array<i1: true, true>} {
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %0:4 = "sable.scan"(%arg0, %cst, %arg1, %arg2) {body = @step_jvp, length = 3 : i64, num_carry = 2 : i64, num_consts = 0 : i64, reverse = false} : (tensor<f32>, tensor<f32>, tensor<3xf32>, tensor<3xf32>) -> (tensor<f32>, tensor<f32>, tensor<3xf32>, tensor<3xf32>)
// CHECK-NEXT: return %0#0, %0#2, %0#1, %0#3 : tensor<f32>, tensor<3xf32>, tensor<f32>, tensor<3xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @step_jvp(%arg0: tensor<f32>, %arg1: tensor<f32>, %arg2: tensor<f32>, %arg3: tensor<f32>) -> (tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>) {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg2 : tensor<f32>
// CHECK-NEXT: %1 = stablehlo.multiply %arg1, %arg2 : tensor<f32>
// CHECK-NEXT: %2 = stablehlo.multiply %arg0, %arg3 : tensor<f32>
// CHECK-NEXT: %3 = stablehlo.add %1, %2 : tensor<f32>
// CHECK-NEXT: return %0, %3, %arg2, %arg3 : tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>
// CHECK-NEXT: }
