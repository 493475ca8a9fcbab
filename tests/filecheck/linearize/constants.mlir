// RUN: %sable-opt %s --linearize | filecheck %s
// A factor that is one repeated number is written into the linear function; it is no residual.

func.func @main(%x: tensor<3xf32>) -> tensor<3xf32> {
  %c = stablehlo.constant dense<2.5> : tensor<3xf32>
  %0 = stablehlo.multiply %x, %c : tensor<3xf32>
  func.return %0 : tensor<3xf32>
}

// CHECK-LABEL: func.func @main_forward(%arg0: tensor<3xf32>) -> tensor<3xf32> attributes {sable.residuals = 0 : i64} {
// CHECK-NEXT: %cst = stablehlo.constant dense<2.500000e+00> : tensor<3xf32>
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %cst : tensor<3xf32>
// CHECK-NEXT: return %0 : tensor<3xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @main_linear(%arg0: tensor<3xf32>) -> tensor<3xf32> attributes {sable.active_results = array<i1: true>, sable.residuals = 0 : i64} {
// CHECK-NEXT: %cst = stablehlo.constant dense<2.500000e+00> : tensor<3xf32>
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %cst : tensor<3xf32>
// CHECK-NEXT: return %0 : tensor<3xf32>
// CHECK-NEXT: }
