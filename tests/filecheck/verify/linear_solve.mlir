// RUN: %sable-opt %s --verify-diagnostics

func.func @main(%a: tensor<3xf32>, %x: tensor<3xf32>) {
  // expected-error@+1 {{sable.custom_linear_solve: expected 2 or 4 functions, got 1}}
  %0 = "sable.custom_linear_solve"(%a, %x) {functions = [@f]} : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  // expected-error@+1 {{sable.custom_linear_solve: 1 right-hand sides, but there are only 0 operands}}
  %1 = "sable.custom_linear_solve"() {functions = [@f, @f]} : () -> tensor<3xf32>
  // expected-error@+1 {{sable.custom_linear_solve: function 2 @g must return (float32[3]), but returns (float32[])}}
  %2 = "sable.custom_linear_solve"(%a, %x) {functions = [@f, @f, @g, @f]} : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  func.return
}

func.func private @f(%a: tensor<3xf32>, %x: tensor<3xf32>) -> tensor<3xf32> {
  %0 = stablehlo.multiply %a, %x : tensor<3xf32>
  func.return %0 : tensor<3xf32>
}

func.func private @g(%a: tensor<3xf32>, %x: tensor<3xf32>) -> tensor<f32> {
  %0 = stablehlo.constant dense<0.0> : tensor<f32>
  func.return %0 : tensor<f32>
}
