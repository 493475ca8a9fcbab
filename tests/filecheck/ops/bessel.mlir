// RUN: %sable-opt %s --jvp | filecheck %s
// d I_0(x) e^-|x| = (I_1(x) e^-|x| - sign(x) I_0(x) e^-|x|) dx.

func.func @main(%x: tensor<f32>) -> tensor<f32> {
  %0 = "sable.bessel_i0e"(%x) : (tensor<f32>) -> tensor<f32>
  func.return %0 : tensor<f32>
}

// CHECK-LABEL: func.func @main_jvp(%arg0: tensor<f32>, %arg1: tensor<f32>) -> (tensor<f32>, tensor<f32>) attributes {sable.active_results = array<i1: true>} {
// CHECK-NEXT: %0 = "sable.bessel_i0e"(%arg0) : (tensor<f32>) -> tensor<f32>
// CHECK-NEXT: %1 = chlo.bessel_i1e %arg0 : tensor<f32> -> tensor<f32>
// CHECK-NEXT: %2 = stablehlo.sign %arg0 : tensor<f32>
// CHECK-NEXT: %3 = stablehlo.multiply %2, %0 : tensor<f32>
// CHECK-NEXT: %4 = stablehlo.subtract %1, %3 : tensor<f32>
// CHECK-NEXT: %5 = stablehlo.multiply %arg1, %4 : tensor<f32>
// CHECK-NEXT: return %0, %5 : tensor<f32>, tensor<f32>
// CHECK-NEXT: }
