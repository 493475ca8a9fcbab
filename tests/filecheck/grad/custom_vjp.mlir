// RUN: %sable-opt %s --grad | filecheck %s
// The forward function is called for value and residual, the backward function for the cotangent.

func.func private @f(%x: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.sine %x : tensor<f32>
  func.return %0 : tensor<f32>
}
func.func private @forward(%x: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
  %0 = stablehlo.sine %x : tensor<f32>
  func.return %0, %x : tensor<f32>, tensor<f32>
}
func.func private @backward(%r: tensor<f32>, %ct: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.multiply %r, %ct : tensor<f32>
  func.return %0 : tensor<f32>
}

func.func @main(%x: tensor<f32>) -> tensor<f32> {
  %0 = "sable.custom_vjp_call"(%x) {callee = @f, forward = @forward, backward = @backward, optimize_remat = false} : (tensor<f32>) -> tensor<f32>
  func.return %0 : tensor<f32>
}

// CHECK-LABEL: func.func @main_grad(%arg0: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %0:2 = call @forward(%arg0) : (tensor<f32>) -> (tensor<f32>, tensor<f32>)
// CHECK-NEXT: %cst = stablehlo.constant dense<1.000000e+00> : tensor<f32>
// CHECK-NEXT: %1 = call @backward(%0#1, %cst) : (tensor<f32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: return %1 : tensor<f32>
// CHECK-NEXT: }
