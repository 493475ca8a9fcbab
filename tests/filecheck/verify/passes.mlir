// RUN: %sable-opt %s --split-input-file --verify-diagnostics --grad='function=main'
// What passes refuse, at the operation that they refuse.

func.func @main(%x: tensor<f32>) -> tensor<f32> {
  // expected-error@+1 {{Reverse-mode differentiation does not work for lax.while_loop}}
  %0 = stablehlo.while(%a = %x) : tensor<f32>
  cond {
    %p = stablehlo.compare LT, %a, %x : (tensor<f32>, tensor<f32>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  } do {
    stablehlo.return %a : tensor<f32>
  }
  func.return %0 : tensor<f32>
}

// -----

func.func @main(%x: tensor<f32>) -> tensor<f32> {
  // expected-error@+1 {{operation math.sin cannot be transformed: the op table has no such op.}}
  %0 = math.sin %x : tensor<f32>
  func.return %0 : tensor<f32>
}

// -----

// expected-error@+1 {{element type !quant.uniform<i8:f32, 5.000000e-01> is not supported}}
func.func @main(%x: tensor<f32>, %q: tensor<!quant.uniform<i8:f32, 0.5>>) -> tensor<f32> {
  %0 = stablehlo.add %q, %q : tensor<!quant.uniform<i8:f32, 0.5>>
  func.return %x : tensor<f32>
}

// -----

// expected-error@+1 {{@main calls itself: recursion cannot be transformed}}
func.func @main(%x: tensor<f32>) -> tensor<f32> {
  %0 = func.call @main(%x) : (tensor<f32>) -> tensor<f32>
  func.return %0 : tensor<f32>
}

// -----

// expected-error@+1 {{@main has several blocks: control flow must be stablehlo.while, if or case}}
func.func @main(%x: tensor<f32>) -> tensor<f32> {
  cf.br ^bb1
^bb1:
  func.return %x : tensor<f32>
}

// -----

// expected-error@+1 {{expected a static shape, got tensor<?xf32>}}
func.func @main(%x: tensor<?xf32>) -> tensor<f32> {
  %0 = stablehlo.constant dense<0.0> : tensor<f32>
  func.return %0 : tensor<f32>
}

// -----

func.func private @host(tensor<f32>) -> tensor<f32>
func.func @main(%x: tensor<f32>) -> tensor<f32> {
  // expected-error@+1 {{Pure callbacks do not support JVP}}
  %0 = func.call @host(%x) : (tensor<f32>) -> tensor<f32>
  func.return %0 : tensor<f32>
}

// -----

func.func private @tangent(%x: tensor<f32>) -> tensor<f32> {
  func.return %x : tensor<f32>
}
func.func @main(%x: tensor<f32>) -> tensor<f32> {
  // expected-error@+1 {{the tangent map of a custom_vjp function cannot be differentiated before it is transposed}}
  %0 = "sable.custom_vjp_linear"(%x) {callee = @tangent, backward = @tangent, num_residuals = 0 : i64} : (tensor<f32>) -> tensor<f32>
  func.return %0 : tensor<f32>
}
