// RUN: %sable-opt %s --linearize='active=1,1' | filecheck %s
// c' = w c: w is a constant of the loop and so is that residual; every step's c is stacked (4 of them).

func.func private @step(%w: tensor<f32>, %c: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.multiply %w, %c : tensor<f32>
  func.return %0 : tensor<f32>
}

func.func @main(%w: tensor<f32>, %c: tensor<f32>) -> tensor<f32> {
  %0 = "sable.scan"(%w, %c) {body = @step, num_consts = 1 : i64, num_carry = 1 : i64, length = 4 : i64, reverse = false} : (tensor<f32>, tensor<f32>) -> tensor<f32>
  func.return %0 : tensor<f32>
}

// CHECK-LABEL: func.func @main_forward(%arg0: tensor<f32>, %arg1: tensor<f32>) -> (tensor<f32>, tensor<f32>, tensor<4xf32>) attributes {sable.residuals = 2 : i64} {
// CHECK-NEXT: %0:2 = "sable.scan"(%arg0, %arg1) {body = @step_forward, length = 4 : i64, num_carry = 1 : i64, num_consts = 1 : i64, reverse = false} : (tensor<f32>, tensor<f32>) -> (tensor<f32>, tensor<4xf32>)
// CHECK-NEXT: return %0#0, %arg0, %0#1 : tensor<f32>, tensor<f32>, tensor<4xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @main_linear(%arg0: tensor<f32>, %arg1: tensor<f32>, %arg2: tensor<f32>, %arg3: tensor<4xf32>) -> tensor<f32> attributes {sable.active_results = array<i1: true>, sable.residuals = 2 : i64} {
// CHECK-NEXT: %0 = "sable.scan"(%arg0, %arg2, %arg1, %arg3) {body = @step_linear, length = 4 : i64, num_carry = 1 : i64, num_consts = 2 : i64, reverse = false} : (tensor<f32>, tensor<f32>, tensor<f32>, tensor<4xf32>) -> tensor<f32>
// CHECK-NEXT: return %0 : tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @step_forward(%arg0: tensor<f32>, %arg1: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg1 : tensor<f32>
// CHECK-NEXT: return %0, %arg1 : tensor<f32>, tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @step_linear(%arg0: tensor<f32>, %arg1: tensor<f32>, %arg2: tensor<f32>, %arg3: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg3 : tensor<f32>
// CHECK-NEXT: %1 = stablehlo.multiply %arg1, %arg2 : tensor<f32>
// CHECK-NEXT: %2 = stablehlo.add %0, %1 : tensor<f32>
// CHECK-NEXT: return %2 : tensor<f32>
// CHECK-NEXT: }
