// RUN: %sable-opt %s --jvp --transpose | filecheck %s
// <ct, x + i y> without conjugation is Re(ct) x - Im(ct) y in its real part.

func.func @main(%x: tensor<f32>, %y: tensor<f32>) -> tensor<complex<f32>> {
  %0 = stablehlo.complex %x, %y : tensor<complex<f32>>
  func.return %0 : tensor<complex<f32>>
}

// CHECK-LABEL: func.func @main_jvp(%arg0: tensor<f32>, %arg1: tensor<f32>, %arg2: tensor<f32>, %arg3: tensor<f32>) -> (tensor<complex<f32>>, tensor<complex<f32>>) attributes {sable.active_results = array<i1: true>} {
// CHECK-NEXT: %0 = stablehlo.complex %arg0, %arg1 : tensor<complex<f32>>
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %1 = stablehlo.complex %arg2, %cst : tensor<complex<f32>>
// CHECK-NEXT: %cst_0 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %2 = stablehlo.complex %cst_0, %arg3 : tensor<complex<f32>>
// CHECK-NEXT: %3 = stablehlo.add %1, %2 : tensor<complex<f32>>
// CHECK-NEXT: return %0, %3 : tensor<complex<f32>>, tensor<complex<f32>>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @main_transpose(%arg0: tensor<complex<f32>>) -> (tensor<f32>, tensor<f32>) {
// CHECK-NEXT: %0 = stablehlo.real %arg0 : (tensor<complex<f32>>) -> tensor<f32>
// CHECK-NEXT: %1 = stablehlo.imag %arg0 : (tensor<complex<f32>>) -> tensor<f32>
// CHECK-NEXT: %2 = stablehlo.negate %1 : tensor<f32>
// CHECK-NEXT: return %0, %2 : tensor<f32>, tensor<f32>
// CHECK-NEXT: }
