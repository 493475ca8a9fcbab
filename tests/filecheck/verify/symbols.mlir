// RUN: %sable-opt %s --split-input-file --verify-diagnostics

func.func private @declared(tensor<f32>) -> tensor<f32>
func.func private @defined(%x: tensor<f32>) -> tensor<f32> {
  func.return %x : tensor<f32>
}
func.func private @dynamic(%x: tensor<?xf32>) -> tensor<?xf32> {
  func.return %x : tensor<?xf32>
}
func.func @main(%i: tensor<i32>, %x: tensor<f32>) {
  // expected-error@+1 {{sable.case: branches names @nowhere, but the module has no such function}}
  %0 = "sable.case"(%i, %x) {branches = [@defined, @nowhere]} : (tensor<i32>, tensor<f32>) -> tensor<f32>
  // expected-error@+1 {{sable.case: branches @declared is only declared: expected a function with a body}}
  %1 = "sable.case"(%i, %x) {branches = [@declared]} : (tensor<i32>, tensor<f32>) -> tensor<f32>
  // expected-error@+1 {{sable.host_call: callback @defined must be a declaration: the host supplies its body}}
  %2 = "sable.host_call"(%x) {callback = @defined} : (tensor<f32>) -> tensor<f32>
  // expected-error@+1 {{sable.host_call: callback @declared must take (float32[], float32[]), but takes (float32[])}}
  %3 = "sable.host_call"(%x, %x) {callback = @declared} : (tensor<f32>, tensor<f32>) -> tensor<f32>
  // expected-error@+1 {{sable.case: branches @dynamic: expected a static shape, got tensor<?xf32>}}
  %4 = "sable.case"(%i, %x) {branches = [@dynamic]} : (tensor<i32>, tensor<f32>) -> tensor<f32>
  func.return
}
