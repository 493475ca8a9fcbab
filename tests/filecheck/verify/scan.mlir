// RUN: %sable-opt %s --split-input-file --verify-diagnostics

func.func private @step(%c: tensor<f32>, %x: tensor<2xf32>) -> (tensor<f32>, tensor<2xf32>) {
  func.return %c, %x : tensor<f32>, tensor<2xf32>
}
func.func @good(%c: tensor<f32>, %xs: tensor<3x2xf32>) -> (tensor<f32>, tensor<3x2xf32>) {
  %0:2 = "sable.scan"(%c, %xs) {body = @step, num_consts = 0 : i64, num_carry = 1 : i64, length = 3 : i64, reverse = false} : (tensor<f32>, tensor<3x2xf32>) -> (tensor<f32>, tensor<3x2xf32>)
  func.return %0#0, %0#1 : tensor<f32>, tensor<3x2xf32>
}

// -----

func.func private @step(%c: tensor<f32>, %x: tensor<2xf32>) -> (tensor<f32>, tensor<2xf32>) {
  func.return %c, %x : tensor<f32>, tensor<2xf32>
}
func.func @wrong_length(%c: tensor<f32>, %xs: tensor<3x2xf32>) {
  // expected-error@+1 {{sable.scan: operand 1 is scanned over and must have leading size 4, got float32[3,2]}}
  %0:2 = "sable.scan"(%c, %xs) {body = @step, num_consts = 0 : i64, num_carry = 1 : i64, length = 4 : i64, reverse = false} : (tensor<f32>, tensor<3x2xf32>) -> (tensor<f32>, tensor<4x2xf32>)
  func.return
}

// -----

func.func private @step(%c: tensor<f32>, %x: tensor<f32>) -> (tensor<f32>, tensor<2xf32>) {
  %0 = stablehlo.broadcast_in_dim %x, dims = [] : (tensor<f32>) -> tensor<2xf32>
  func.return %c, %0 : tensor<f32>, tensor<2xf32>
}
func.func @wrong_body(%c: tensor<f32>, %xs: tensor<3x2xf32>) {
  // expected-error@+1 {{sable.scan: body @step must take (float32[], float32[2]), but takes (float32[], float32[])}}
  %0:2 = "sable.scan"(%c, %xs) {body = @step, num_consts = 0 : i64, num_carry = 1 : i64, length = 3 : i64, reverse = false} : (tensor<f32>, tensor<3x2xf32>) -> (tensor<f32>, tensor<3x2xf32>)
  func.return
}

// -----

func.func private @step(%c: tensor<f32>) -> tensor<2xf32> {
  %0 = stablehlo.broadcast_in_dim %c, dims = [] : (tensor<f32>) -> tensor<2xf32>
  func.return %0 : tensor<2xf32>
}
func.func @wrong_carry(%c: tensor<f32>) {
  // expected-error@+1 {{body @step must first return the carry (float32[]), but returns (float32[2])}}
  %0 = "sable.scan"(%c) {body = @step, num_consts = 0 : i64, num_carry = 1 : i64, length = 3 : i64, reverse = false} : (tensor<f32>) -> tensor<2xf32>
  func.return
}

// -----

func.func private @step(%c: tensor<f32>) -> tensor<f32> {
  func.return %c : tensor<f32>
}
func.func @too_many(%c: tensor<f32>) {
  // expected-error@+1 {{sable.scan: num_consts + num_carry is 2, but there are only 1 operands}}
  %0 = "sable.scan"(%c) {body = @step, num_consts = 1 : i64, num_carry = 1 : i64, length = 3 : i64, reverse = false} : (tensor<f32>) -> tensor<f32>
  // expected-error@+1 {{sable.scan: expected results (float32[]), got (float64[])}}
  %1 = "sable.scan"(%c) {body = @step, num_consts = 0 : i64, num_carry = 1 : i64, length = 3 : i64, reverse = false} : (tensor<f32>) -> tensor<f64>
  // expected-error@+1 {{sable.scan: length must not be negative, got -1}}
  %2 = "sable.scan"(%c) {body = @step, num_consts = 0 : i64, num_carry = 1 : i64, length = -1 : i64, reverse = false} : (tensor<f32>) -> tensor<f32>
  func.return
}
