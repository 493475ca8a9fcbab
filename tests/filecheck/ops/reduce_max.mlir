// RUN: %sable-opt %s --jvp | filecheck %s
// The tangent of a maximum is shared equally among the elements that attain it.

func.func @main(%x: tensor<3xf32>) -> tensor<f32> {
  %low = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %0 = stablehlo.reduce(%x init: %low) applies stablehlo.maximum across dimensions = [0] : (tensor<3xf32>, tensor<f32>) -> tensor<f32>
  func.return %0 : tensor<f32>
}

// CHECK-LABEL: func.func @main_jvp(%arg0: tensor<3xf32>, %arg1: tensor<3xf32>) -> (tensor<f32>, tensor<f32>) attributes {sable.active_results = array<i1: true>} {
// CHECK-NEXT: %cst = stablehlo.constant dense<0xFF800000> : tensor<f32>
// CHECK-NEXT: %cst_0 = stablehlo.constant dense<0xFF800000> : tensor<f32>
// CHECK-NEXT: %0 = stablehlo.reduce(%arg0 init: %cst_0) applies stablehlo.maximum across dimensions = [0] : (tensor<3xf32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: %1 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<f32>) -> tensor<3xf32>
// CHECK-NEXT: %2 = stablehlo.compare EQ, %arg0, %1 : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xi1>
// CHECK-NEXT: %cst_1 = stablehlo.constant dense<1.000000e+00> : tensor<3xf32>
// CHECK-NEXT: %cst_2 = stablehlo.constant dense<0.000000e+00> : tensor<3xf32>
// CHECK-NEXT: %3 = stablehlo.select %2, %cst_1, %cst_2 : tensor<3xi1>, tensor<3xf32>
// CHECK-NEXT: %cst_3 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %4 = stablehlo.reduce(%3 init: %cst_3) applies stablehlo.add across dimensions = [0] : (tensor<3xf32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: %5 = stablehlo.multiply %arg1, %3 : tensor<3xf32>
// CHECK-NEXT: %cst_4 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %6 = stablehlo.reduce(%5 init: %cst_4) applies stablehlo.add across dimensions = [0] : (tensor<3xf32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: %7 = stablehlo.divide %6, %4 : tensor<f32>
// CHECK-NEXT: return %0, %7 : tensor<f32>, tensor<f32>
// CHECK-NEXT: }
