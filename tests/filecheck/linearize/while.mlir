// RUN: %sable-opt %s --linearize='active=1,0' | filecheck %s
// The number of steps is unknown, so nothing can be saved for each: the linear function runs the loop again.

func.func private @cond(%n: tensor<i32>, %i: tensor<i32>, %x: tensor<f32>) -> tensor<i1> {
  %0 = stablehlo.compare LT, %i, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
  func.return %0 : tensor<i1>
}
func.func private @body(%i: tensor<i32>, %x: tensor<f32>) -> (tensor<i32>, tensor<f32>) {
  %one = stablehlo.constant dense<1> : tensor<i32>
  %0 = stablehlo.add %i, %one : tensor<i32>
  %1 = stablehlo.sine %x : tensor<f32>
  func.return %0, %1 : tensor<i32>, tensor<f32>
}

func.func @main(%x: tensor<f32>, %n: tensor<i32>) -> tensor<f32> {
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %0:2 = "sable.while"(%n, %zero, %x) {cond = @cond, body = @body, cond_consts = 1 : i64, body_consts = 0 : i64} : (tensor<i32>, tensor<i32>, tensor<f32>) -> (tensor<i32>, tensor<f32>)
  func.return %0#1 : tensor<f32>
}

// CHECK-LABEL: func.func @main_forward(%arg0: tensor<f32>, %arg1: tensor<i32>) -> (tensor<f32>, tensor<i32>, tensor<f32>) attributes {sable.residuals = 2 : i64} {
// CHECK-NEXT: %c = stablehlo.constant dense<0> : tensor<i32>
// CHECK-NEXT: %0:2 = "sable.while"(%arg1, %c, %arg0) {body = @body, body_consts = 0 : i64, cond = @cond, cond_consts = 1 : i64} : (tensor<i32>, tensor<i32>, tensor<f32>) -> (tensor<i32>, tensor<f32>)
// CHECK-NEXT: return %0#1, %arg1, %arg0 : tensor<f32>, tensor<i32>, tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @main_linear(%arg0: tensor<f32>, %arg1: tensor<i32>, %arg2: tensor<f32>) -> tensor<f32> attributes {sable.active_results = array<i1: true>, sable.residuals = 2 : i64} {
// CHECK-NEXT: %c = stablehlo.constant dense<0> : tensor<i32>
// CHECK-NEXT: %0:3 = "sable.while"(%arg1, %c, %arg2, %arg0) {body = @body_jvp, body_consts = 0 : i64, cond = @cond_1, cond_consts = 1 : i64} : (tensor<i32>, tensor<i32>, tensor<f32>, tensor<f32>) -> (tensor<i32>, tensor<f32>, tensor<f32>)
// CHECK-NEXT: return %0#2 : tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @cond_1(%arg0: tensor<i32>, %arg1: tensor<i32>, %arg2: tensor<f32>, %arg3: tensor<f32>) -> tensor<i1> {
// CHECK-NEXT: %0 = stablehlo.compare LT, %arg1, %arg0 : (tensor<i32>, tensor<i32>) -> tensor<i1>
// CHECK-NEXT: return %0 : tensor<i1>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @body_jvp(%arg0: tensor<i32>, %arg1: tensor<f32>, %arg2: tensor<f32>) -> (tensor<i32>, tensor<f32>, tensor<f32>) {
// CHECK-NEXT: %c = stablehlo.constant dense<1> : tensor<i32>
// CHECK-NEXT: %0 = stablehlo.add %arg0, %c : tensor<i32>
// CHECK-NEXT: %1 = stablehlo.sine %arg1 : tensor<f32>
// CHECK-NEXT: %2 = stablehlo.cosine %arg1 : tensor<f32>
// CHECK-NEXT: %3 = stablehlo.multiply %arg2, %2 : tensor<f32>
// CHECK-NEXT: return %0, %1, %3 : tensor<i32>, tensor<f32>, tensor<f32>
// CHECK-NEXT: }
