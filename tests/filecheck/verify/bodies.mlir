// RUN: %sable-opt %s --split-input-file --verify-diagnostics

func.func private @unary(%x: tensor<f32>) -> tensor<f32> {
  func.return %x : tensor<f32>
}
func.func private @norm(%x: tensor<f32>, %y: tensor<f32>) -> tensor<f32> {
  func.return %x : tensor<f32>
}
func.func @main(%x: tensor<3x4xf32>, %i: tensor<f32>, %k: tensor<i32>) {
  // expected-error@+1 {{reduce: body @unary must take (float32[], float32[]), but takes (float32[])}}
  %0 = "sable.reduce"(%x, %i) {body = @unary, dimensions = array<i64: 0>} : (tensor<3x4xf32>, tensor<f32>) -> tensor<4xf32>
  // expected-error@+1 {{expected initial values that are scalars of the arrays' dtypes, got (int32[])}}
  %1 = "sable.reduce"(%x, %k) {body = @norm, dimensions = array<i64: 0>} : (tensor<3x4xf32>, tensor<i32>) -> tensor<4xf32>
  // expected-error@+1 {{reduce: dimensions (2,) are not distinct dimensions of float32[3,4]}}
  %2 = "sable.reduce"(%x, %i) {body = @norm, dimensions = array<i64: 2>} : (tensor<3x4xf32>, tensor<f32>) -> tensor<4xf32>
  // expected-error@+1 {{attribute 'padding' is dense<0> : tensor<4xi64>}}
  %3 = "sable.reduce_window"(%x, %i) {body = @norm, window_dimensions = array<i64: 2, 2>, window_strides = array<i64: 1, 1>, padding = dense<0> : tensor<4xi64>, base_dilations = array<i64: 1, 1>, window_dilations = array<i64: 1, 1>} : (tensor<3x4xf32>, tensor<f32>) -> tensor<2x3xf32>
  // expected-error@+1 {{window_strides must have every element be greater than or equal to 1, got (1, 0)}}
  %4 = "sable.reduce_window"(%x, %i) {body = @norm, window_dimensions = array<i64: 2, 2>, window_strides = array<i64: 1, 0>, padding = dense<0> : tensor<2x2xi64>, base_dilations = array<i64: 1, 1>, window_dilations = array<i64: 1, 1>} : (tensor<3x4xf32>, tensor<f32>) -> tensor<2x3xf32>
  // expected-error@+1 {{sort: comparator @norm must return (bool[]), but returns (float32[])}}
  %5 = "sable.sort_by"(%x) {comparator = @norm, dimension = 0 : i64, is_stable = true} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  func.return
}
