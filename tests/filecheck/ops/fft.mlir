// RUN: %sable-opt %s --linearize='function=spectrum' --transpose='function=spectrum_linear' --linearize='function=signal' --transpose='function=signal_linear' --batch='function=spectrum size=4' | filecheck %s
// Half spectra stand for whole ones: the transposes weigh by how often a number occurs there.

func.func @spectrum(%x: tensor<4xf32>) -> tensor<3xcomplex<f32>> {
  %0 = stablehlo.fft %x, type = RFFT, length = [4] : (tensor<4xf32>) -> tensor<3xcomplex<f32>>
  func.return %0 : tensor<3xcomplex<f32>>
}

func.func @signal(%x: tensor<2xcomplex<f32>>) -> tensor<3xf32> {
  %0 = stablehlo.fft %x, type = IRFFT, length = [3] : (tensor<2xcomplex<f32>>) -> tensor<3xf32>
  func.return %0 : tensor<3xf32>
}

// CHECK-LABEL: func.func @spectrum_forward(%arg0: tensor<4xf32>) -> tensor<3xcomplex<f32>> attributes {sable.residuals = 0 : i64} {
// CHECK-NEXT: %0 = stablehlo.fft %arg0, type = RFFT, length = [4] : (tensor<4xf32>) -> tensor<3xcomplex<f32>>
// CHECK-NEXT: return %0 : tensor<3xcomplex<f32>>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @spectrum_linear(%arg0: tensor<4xf32>) -> tensor<3xcomplex<f32>> attributes {sable.active_results = array<i1: true>, sable.residuals = 0 : i64} {
// CHECK-NEXT: %0 = stablehlo.fft %arg0, type = RFFT, length = [4] : (tensor<4xf32>) -> tensor<3xcomplex<f32>>
// CHECK-NEXT: return %0 : tensor<3xcomplex<f32>>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @spectrum_linear_transpose(%arg0: tensor<3xcomplex<f32>>) -> tensor<4xf32> {
// CHECK-NEXT: %0 = stablehlo.real %arg0 : (tensor<3xcomplex<f32>>) -> tensor<3xf32>
// CHECK-NEXT: %1 = stablehlo.imag %arg0 : (tensor<3xcomplex<f32>>) -> tensor<3xf32>
// CHECK-NEXT: %2 = stablehlo.negate %1 : tensor<3xf32>
// CHECK-NEXT: %3 = stablehlo.complex %0, %2 : tensor<3xcomplex<f32>>
// CHECK-NEXT: %cst = stablehlo.constant dense<[4.000000e+00, 2.000000e+00, 4.000000e+00]> : tensor<3xf32>
// CHECK-NEXT: %4 = stablehlo.broadcast_in_dim %cst, dims = [0] : (tensor<3xf32>) -> tensor<3xf32>
// CHECK-NEXT: %5 = stablehlo.real %3 : (tensor<3xcomplex<f32>>) -> tensor<3xf32>
// CHECK-NEXT: %6 = stablehlo.multiply %5, %4 : tensor<3xf32>
// CHECK-NEXT: %7 = stablehlo.imag %3 : (tensor<3xcomplex<f32>>) -> tensor<3xf32>
// CHECK-NEXT: %8 = stablehlo.multiply %7, %4 : tensor<3xf32>
// CHECK-NEXT: %9 = stablehlo.complex %6, %8 : tensor<3xcomplex<f32>>
// CHECK-NEXT: %10 = stablehlo.fft %9, type = IRFFT, length = [4] : (tensor<3xcomplex<f32>>) -> tensor<4xf32>
// CHECK-NEXT: return %10 : tensor<4xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @signal_forward(%arg0: tensor<2xcomplex<f32>>) -> tensor<3xf32> attributes {sable.residuals = 0 : i64} {
// CHECK-NEXT: %0 = stablehlo.fft %arg0, type = IRFFT, length = [3] : (tensor<2xcomplex<f32>>) -> tensor<3xf32>
// CHECK-NEXT: return %0 : tensor<3xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @signal_linear(%arg0: tensor<2xcomplex<f32>>) -> tensor<3xf32> attributes {sable.active_results = array<i1: true>, sable.residuals = 0 : i64} {
// CHECK-NEXT: %0 = stablehlo.fft %arg0, type = IRFFT, length = [3] : (tensor<2xcomplex<f32>>) -> tensor<3xf32>
// CHECK-NEXT: return %0 : tensor<3xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @signal_linear_transpose(%arg0: tensor<3xf32>) -> tensor<2xcomplex<f32>> {
// CHECK-NEXT: %0 = stablehlo.fft %arg0, type = RFFT, length = [3] : (tensor<3xf32>) -> tensor<2xcomplex<f32>>
// CHECK-NEXT: %cst = stablehlo.constant dense<[0.333333343, 0.666666686]> : tensor<2xf32>
// CHECK-NEXT: %1 = stablehlo.broadcast_in_dim %cst, dims = [0] : (tensor<2xf32>) -> tensor<2xf32>
// CHECK-NEXT: %2 = stablehlo.real %0 : (tensor<2xcomplex<f32>>) -> tensor<2xf32>
// CHECK-NEXT: %3 = stablehlo.multiply %2, %1 : tensor<2xf32>
// CHECK-NEXT: %4 = stablehlo.imag %0 : (tensor<2xcomplex<f32>>) -> tensor<2xf32>
// CHECK-NEXT: %5 = stablehlo.multiply %4, %1 : tensor<2xf32>
// CHECK-NEXT: %6 = stablehlo.complex %3, %5 : tensor<2xcomplex<f32>>
// CHECK-NEXT: %7 = stablehlo.real %6 : (tensor<2xcomplex<f32>>) -> tensor<2xf32>
// CHECK-NEXT: %8 = stablehlo.imag %6 : (tensor<2xcomplex<f32>>) -> tensor<2xf32>
// CHECK-NEXT: %9 = stablehlo.negate %8 : tensor<2xf32>
// CHECK-NEXT: %10 = stablehlo.complex %7, %9 : tensor<2xcomplex<f32>>
// CHECK-NEXT: return %10 : tensor<2xcomplex<f32>>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @spectrum_batched(%arg0: tensor<4x4xf32>) -> tensor<4x3xcomplex<f32>> {
// CHECK-NEXT: %0 = stablehlo.fft %arg0, type = RFFT, length = [4] : (tensor<4x4xf32>) -> tensor<4x3xcomplex<f32>>
// CHECK-NEXT: return %0 : tensor<4x3xcomplex<f32>>
// CHECK-NEXT: }
