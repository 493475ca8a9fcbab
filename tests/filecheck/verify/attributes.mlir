// RUN: %sable-opt %s --split-input-file --verify-diagnostics

func.func private @a(%x: tensor<f32>) -> tensor<f32> {
  func.return %x : tensor<f32>
}
func.func @main(%x: tensor<f32>, %v: tensor<3xf32>) {
  // expected-error@+1 {{sable.scan: attribute 'length' is missing, expected an i64}}
  %0 = "sable.scan"(%x) {body = @a, num_consts = 0 : i64, num_carry = 1 : i64, reverse = false} : (tensor<f32>) -> tensor<f32>
  // expected-error@+1 {{sable.scan: attribute 'body' is "a", expected a symbol}}
  %1 = "sable.scan"(%x) {body = "a", num_consts = 0 : i64, num_carry = 1 : i64, length = 1 : i64, reverse = false} : (tensor<f32>) -> tensor<f32>
  // expected-error@+1 {{sable.cumsum: unknown attribute 'axes'; it takes: axis, reverse}}
  %2 = "sable.cumsum"(%v) {axis = 0 : i64, reverse = false, axes = 1 : i64} : (tensor<3xf32>) -> tensor<3xf32>
  // expected-error@+1 {{sable.stop_gradient: expected 1 operands (x), got 2}}
  %3 = "sable.stop_gradient"(%x, %x) : (tensor<f32>, tensor<f32>) -> tensor<f32>
  // expected-error@+1 {{unknown operation sable.cumsun: the op table has none of that name; did you mean sable.cumsum?}}
  %4 = "sable.cumsun"(%v) : (tensor<3xf32>) -> tensor<3xf32>
  // An attribute with a dialect's name in front is anybody's.
  %5 = "sable.stop_gradient"(%x) {other.note = "fine"} : (tensor<f32>) -> tensor<f32>
  func.return
}
