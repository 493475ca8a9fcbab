// RUN: %sable-opt %s --jvp --split-input-file | filecheck %s
// d sin x = cos x dx; d exp x = exp x dx; d tanh x = (1 - tanh^2 x) dx; d log x = dx / x; d sqrt x = dx / (2 sqrt x).
// floor has no derivative, so its result has no tangent.

func.func @sine(%x: tensor<3xf32>) -> tensor<3xf32> {
  %0 = stablehlo.sine %x : tensor<3xf32>
  func.return %0 : tensor<3xf32>
}

// -----

func.func @exponential(%x: tensor<3xf32>) -> tensor<3xf32> {
  %0 = stablehlo.exponential %x : tensor<3xf32>
  func.return %0 : tensor<3xf32>
}

// -----

func.func @tanh(%x: tensor<3xf32>) -> tensor<3xf32> {
  %0 = stablehlo.tanh %x : tensor<3xf32>
  func.return %0 : tensor<3xf32>
}

// -----

func.func @log(%x: tensor<f64>) -> tensor<f64> {
  %0 = stablehlo.log %x : tensor<f64>
  func.return %0 : tensor<f64>
}

// -----

func.func @sqrt(%x: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.sqrt %x : tensor<f32>
  func.return %0 : tensor<f32>
}

// -----

func.func @negate_floor(%x: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
  %0 = stablehlo.negate %x : tensor<f32>
  %1 = stablehlo.floor %x : tensor<f32>
  func.return %0, %1 : tensor<f32>, tensor<f32>
}
