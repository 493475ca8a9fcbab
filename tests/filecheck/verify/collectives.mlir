// RUN: %sable-opt %s --verify-diagnostics

func.func @main(%x: tensor<3xf32>) {
  %0 = "sable.all_gather"(%x) {axes = ["i"], axis_size = 4 : i64} : (tensor<3xf32>) -> tensor<4x3xf32>
  // expected-error@+1 {{sable.psum: axes must name at least one axis}}
  %1 = "sable.psum"(%x) {axes = []} : (tensor<3xf32>) -> tensor<3xf32>
  // expected-error@+1 {{sable.all_gather: expected results (float32[4,3]), got (float32[3,4])}}
  %2 = "sable.all_gather"(%x) {axes = ["i"], axis_size = 4 : i64} : (tensor<3xf32>) -> tensor<3x4xf32>
  // expected-error@+1 {{sable.axis_index: attribute 'axes' is "i", expected an array of strings}}
  %3 = "sable.axis_index"() {axes = "i"} : () -> tensor<i32>
  func.return
}
