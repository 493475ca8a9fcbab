// RUN: %sable-opt %s --split-input-file --verify-diagnostics

func.func private @a(%x: tensor<f32>) -> tensor<f32> {
  func.return %x : tensor<f32>
}
func.func private @b(%x: tensor<f32>) -> tensor<1xf32> {
  %0 = stablehlo.reshape %x : (tensor<f32>) -> tensor<1xf32>
  func.return %0 : tensor<1xf32>
}
func.func @main(%i: tensor<i32>, %x: tensor<f32>) {
  // expected-error@+1 {{sable.case: branch 1 @b must return (float32[]), but returns (float32[1])}}
  %0 = "sable.case"(%i, %x) {branches = [@a, @b]} : (tensor<i32>, tensor<f32>) -> tensor<f32>
  // expected-error@+1 {{sable.case: expected at least one branch}}
  %1 = "sable.case"(%i, %x) {branches = []} : (tensor<i32>, tensor<f32>) -> tensor<f32>
  // expected-error@+1 {{sable.case: the index must be int32[], got float32[]}}
  %2 = "sable.case"(%x, %x) {branches = [@a]} : (tensor<f32>, tensor<f32>) -> tensor<f32>
  // expected-error@+1 {{sable.case: branch 0 @a must take (), but takes (float32[])}}
  %3 = "sable.case"(%i) {branches = [@a]} : (tensor<i32>) -> tensor<f32>
  func.return
}
