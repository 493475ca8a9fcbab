// RUN: %sable-opt %s --linearize='active=0,1' | filecheck %s
// Residuals of equal type share a slot: sin needs cos x, the square needs x. A branch that needs none returns zeros.

func.func private @sin(%x: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.sine %x : tensor<f32>
  func.return %0 : tensor<f32>
}
func.func private @square(%x: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.multiply %x, %x : tensor<f32>
  func.return %0 : tensor<f32>
}
func.func private @negate(%x: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.negate %x : tensor<f32>
  func.return %0 : tensor<f32>
}

func.func @main(%i: tensor<i32>, %x: tensor<f32>) -> tensor<f32> {
  %0 = "sable.case"(%i, %x) {branches = [@sin, @square, @negate]} : (tensor<i32>, tensor<f32>) -> tensor<f32>
  func.return %0 : tensor<f32>
}

// CHECK-LABEL: func.func @main_forward(%arg0: tensor<i32>, %arg1: tensor<f32>) -> (tensor<f32>, tensor<f32>, tensor<i32>) attributes {sable.residuals = 2 : i64} {
// CHECK-NEXT: %0:2 = "sable.case"(%arg0, %arg1) {branches = [@sin_forward, @square_forward, @negate_forward]} : (tensor<i32>, tensor<f32>) -> (tensor<f32>, tensor<f32>)
// CHECK-NEXT: return %0#0, %0#1, %arg0 : tensor<f32>, tensor<f32>, tensor<i32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @main_linear(%arg0: tensor<f32>, %arg1: tensor<f32>, %arg2: tensor<i32>) -> tensor<f32> attributes {sable.active_results = array<i1: true>, sable.residuals = 2 : i64} {
// CHECK-NEXT: %0 = "sable.case"(%arg2, %arg0, %arg1) {branches = [@sin_linear, @square_linear, @negate_linear]} : (tensor<i32>, tensor<f32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: return %0 : tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @sin_forward(%arg0: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
// CHECK-NEXT: %0 = stablehlo.sine %arg0 : tensor<f32>
// CHECK-NEXT: %1 = stablehlo.cosine %arg0 : tensor<f32>
// CHECK-NEXT: return %0, %1 : tensor<f32>, tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @square_forward(%arg0: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg0 : tensor<f32>
// CHECK-NEXT: return %0, %arg0 : tensor<f32>, tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @negate_forward(%arg0: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
// CHECK-NEXT: %0 = stablehlo.negate %arg0 : tensor<f32>
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: return %0, %cst : tensor<f32>, tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @sin_linear(%arg0: tensor<f32>, %arg1: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg1 : tensor<f32>
// CHECK-NEXT: return %0 : tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @square_linear(%arg0: tensor<f32>, %arg1: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg1 : tensor<f32>
// CHECK-NEXT: %1 = stablehlo.multiply %arg1, %arg0 : tensor<f32>
// CHECK-NEXT: %2 = stablehlo.add %0, %1 : tensor<f32>
// CHECK-NEXT: return %2 : tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @negate_linear(%arg0: tensor<f32>, %arg1: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %0 = stablehlo.negate %arg0 : tensor<f32>
// CHECK-NEXT: return %0 : tensor<f32>
// CHECK-NEXT: }
