// RUN: %sable-opt %s --split-input-file --verify-diagnostics

func.func private @number(%x: tensor<f32>) -> tensor<f32> {
  func.return %x : tensor<f32>
}
func.func private @always(%x: tensor<f32>) -> tensor<i1> {
  %0 = stablehlo.constant dense<true> : tensor<i1>
  func.return %0 : tensor<i1>
}
func.func private @pair(%x: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
  func.return %x, %x : tensor<f32>, tensor<f32>
}
func.func @main(%x: tensor<f32>) {
  // expected-error@+1 {{sable.while: cond @number must return (bool[]), but returns (float32[])}}
  %0 = "sable.while"(%x) {cond = @number, body = @number, cond_consts = 0 : i64, body_consts = 0 : i64} : (tensor<f32>) -> tensor<f32>
  // expected-error@+1 {{sable.while: body @pair must return (float32[]), but returns (float32[], float32[])}}
  %1 = "sable.while"(%x) {cond = @always, body = @pair, cond_consts = 0 : i64, body_consts = 0 : i64} : (tensor<f32>) -> tensor<f32>
  // expected-error@+1 {{sable.while: cond @always must take (float32[], float32[]), but takes (float32[])}}
  %2 = "sable.while"(%x, %x) {cond = @always, body = @number, cond_consts = 1 : i64, body_consts = 0 : i64} : (tensor<f32>, tensor<f32>) -> tensor<f32>
  func.return
}
