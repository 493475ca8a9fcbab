// RUN: %sable-opt %s --split-input-file --verify-diagnostics

func.func private @f(%x: tensor<f32>, %n: tensor<i32>) -> tensor<f32> {
  func.return %x : tensor<f32>
}
func.func private @forward(%x: tensor<f32>, %n: tensor<i32>) -> (tensor<f32>, tensor<i32>) {
  func.return %x, %n : tensor<f32>, tensor<i32>
}
// Takes the residual and the cotangent, returns the cotangent of the floating-point argument only.
func.func private @backward(%r: tensor<i32>, %ct: tensor<f32>) -> tensor<f32> {
  func.return %ct : tensor<f32>
}
func.func private @backward_of_all(%r: tensor<i32>, %ct: tensor<f32>) -> (tensor<f32>, tensor<i32>) {
  func.return %ct, %r : tensor<f32>, tensor<i32>
}
func.func private @rule(%x: tensor<f32>, %n: tensor<i32>, %t: tensor<f32>, %u: tensor<i32>) -> (tensor<f32>, tensor<f32>) {
  func.return %x, %t : tensor<f32>, tensor<f32>
}
func.func @main(%x: tensor<f32>, %n: tensor<i32>) {
  %0 = "sable.custom_jvp_call"(%x, %n) {callee = @f, rule = @rule} : (tensor<f32>, tensor<i32>) -> tensor<f32>
  %1 = "sable.custom_vjp_call"(%x, %n) {callee = @f, forward = @forward, backward = @backward, optimize_remat = false} : (tensor<f32>, tensor<i32>) -> tensor<f32>
  %2 = "sable.custom_vjp_linear"(%n, %x) {callee = @f, backward = @backward, num_residuals = 1 : i64} : (tensor<i32>, tensor<f32>) -> tensor<f32>
  // expected-error@+1 {{rule @f must take (float32[], int32[], float32[], int32[]), but takes (float32[], int32[])}}
  %3 = "sable.custom_jvp_call"(%x, %n) {callee = @f, rule = @f} : (tensor<f32>, tensor<i32>) -> tensor<f32>
  // expected-error@+1 {{backward @backward_of_all must return (float32[]), but returns (float32[], int32[])}}
  %4 = "sable.custom_vjp_call"(%x, %n) {callee = @f, forward = @forward, backward = @backward_of_all, optimize_remat = false} : (tensor<f32>, tensor<i32>) -> tensor<f32>
  // expected-error@+1 {{expected tangents (float32[]) behind the residuals, got (int32[], float32[])}}
  %5 = "sable.custom_vjp_linear"(%n, %x) {callee = @f, backward = @backward, num_residuals = 0 : i64} : (tensor<i32>, tensor<f32>) -> tensor<f32>
  func.return
}
