// RUN: %sable-opt %s --jvp --split-input-file | filecheck %s
// d sin x = cos x dx; d exp x = exp x dx; d tanh x = (1 - tanh^2 x) dx; d log x = dx / x; d sqrt x = dx / (2 sqrt x).
// floor has no derivative, so its result has no tangent.

func.func @sine(%x: tensor<3xf32>) -> tensor<3xf32> {
  %0 = stablehlo.sine %x : tensor<3xf32>
  func.return %0 : tensor<3xf32>
}

// CHECK-LABEL: func.func @sine_jvp(%arg0: tensor<3xf32>, %arg1: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>) attributes {sable.active_results = array<i1: true>} {
// CHECK-NEXT: %0 = stablehlo.sine %arg0 : tensor<3xf32>
// CHECK-NEXT: %1 = stablehlo.cosine %arg0 : tensor<3xf32>
// CHECK-NEXT: %2 = stablehlo.multiply %arg1, %1 : tensor<3xf32>
// CHECK-NEXT: return %0, %2 : tensor<3xf32>, tensor<3xf32>
// CHECK-NEXT: }
// -----

func.func @exponential(%x: tensor<3xf32>) -> tensor<3xf32> {
  %0 = stablehlo.exponential %x : tensor<3xf32>
  func.return %0 : tensor<3xf32>
}

// CHECK-LABEL: func.func @exponential_jvp(%arg0: tensor<3xf32>, %arg1: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>) attributes {sable.active_results = array<i1: true>} {
// CHECK-NEXT: %0 = stablehlo.exponential %arg0 : tensor<3xf32>
// CHECK-NEXT: %1 = stablehlo.multiply %arg1, %0 : tensor<3xf32>
// CHECK-NEXT: return %0, %1 : tensor<3xf32>, tensor<3xf32>
// CHECK-NEXT: }
// -----

func.func @tanh(%x: tensor<3xf32>) -> tensor<3xf32> {
  %0 = stablehlo.tanh %x : tensor<3xf32>
  func.return %0 : tensor<3xf32>
}

// CHECK-LABEL: func.func @tanh_jvp(%arg0: tensor<3xf32>, %arg1: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>) attributes {sable.active_results = array<i1: true>} {
// CHECK-NEXT: %0 = stablehlo.tanh %arg0 : tensor<3xf32>
// CHECK-NEXT: %cst = stablehlo.constant dense<1.000000e+00> : tensor<3xf32>
// CHECK-NEXT: %1 = stablehlo.subtract %cst, %0 : tensor<3xf32>
// CHECK-NEXT: %2 = stablehlo.add %cst, %0 : tensor<3xf32>
// CHECK-NEXT: %3 = stablehlo.multiply %1, %2 : tensor<3xf32>
// CHECK-NEXT: %4 = stablehlo.multiply %arg1, %3 : tensor<3xf32>
// CHECK-NEXT: return %0, %4 : tensor<3xf32>, tensor<3xf32>
// CHECK-NEXT: }
// -----

func.func @log(%x: tensor<f64>) -> tensor<f64> {
  %0 = stablehlo.log %x : tensor<f64>
  func.return %0 : tensor<f64>
}

// CHECK-LABEL: func.func @log_jvp(%arg0: tensor<f64>, %arg1: tensor<f64>) -> (tensor<f64>, tensor<f64>) attributes {sable.active_results = array<i1: true>} {
// CHECK-NEXT: %0 = stablehlo.log %arg0 : tensor<f64>
// CHECK-NEXT: %cst = stablehlo.constant dense<1.000000e+00> : tensor<f64>
// CHECK-NEXT: %1 = stablehlo.divide %cst, %arg0 : tensor<f64>
// CHECK-NEXT: %2 = stablehlo.multiply %arg1, %1 : tensor<f64>
// CHECK-NEXT: return %0, %2 : tensor<f64>, tensor<f64>
// CHECK-NEXT: }
// -----

func.func @sqrt(%x: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.sqrt %x : tensor<f32>
  func.return %0 : tensor<f32>
}

// CHECK-LABEL: func.func @sqrt_jvp(%arg0: tensor<f32>, %arg1: tensor<f32>) -> (tensor<f32>, tensor<f32>) attributes {sable.active_results = array<i1: true>} {
// CHECK-NEXT: %0 = stablehlo.sqrt %arg0 : tensor<f32>
// CHECK-NEXT: %cst = stablehlo.constant dense<5.000000e-01> : tensor<f32>
// CHECK-NEXT: %1 = stablehlo.divide %cst, %0 : tensor<f32>
// CHECK-NEXT: %2 = stablehlo.multiply %arg1, %1 : tensor<f32>
// CHECK-NEXT: return %0, %2 : tensor<f32>, tensor<f32>
// CHECK-NEXT: }
// -----

func.func @negate_floor(%x: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
  %0 = stablehlo.negate %x : tensor<f32>
  %1 = stablehlo.floor %x : tensor<f32>
  func.return %0, %1 : tensor<f32>, tensor<f32>
}

// CHECK-LABEL: func.func @negate_floor_jvp(%arg0: tensor<f32>, %arg1: tensor<f32>) -> (tensor<f32>, tensor<f32>, tensor<f32>) attributes {sable.active_results = array<i1: true, false>} {
// CHECK-NEXT: %0 = stablehlo.negate %arg0 : tensor<f32>
// CHECK-NEXT: %1 = stablehlo.negate %arg1 : tensor<f32>
// CHECK-NEXT: %2 = stablehlo.floor %arg0 : tensor<f32>
// CHECK-NEXT: return %0, %2, %1 : tensor<f32>, tensor<f32>, tensor<f32>
// CHECK-NEXT: }
