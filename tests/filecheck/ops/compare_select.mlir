// RUN: %sable-opt %s --jvp --grad='function=leaky argnums=0' --batch='function=leaky size=4' | filecheck %s
// leaky(x) = sum(x > 0 ? x : 0.1 x). A comparison has no derivative; select takes the tangent of what it takes.

func.func @leaky(%x: tensor<3xf32>) -> tensor<f32> {
  %zero = stablehlo.constant dense<0.0> : tensor<3xf32>
  %slope = stablehlo.constant dense<0.1> : tensor<3xf32>
  %z = stablehlo.constant dense<0.0> : tensor<f32>
  %p = stablehlo.compare GT, %x, %zero : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xi1>
  %s = stablehlo.multiply %x, %slope : tensor<3xf32>
  %y = stablehlo.select %p, %x, %s : tensor<3xi1>, tensor<3xf32>
  %r = stablehlo.reduce(%y init: %z) applies stablehlo.add across dimensions = [0] : (tensor<3xf32>, tensor<f32>) -> tensor<f32>
  func.return %r : tensor<f32>
}

// CHECK-LABEL: func.func @leaky_jvp(%arg0: tensor<3xf32>, %arg1: tensor<3xf32>) -> (tensor<f32>, tensor<f32>) attributes {sable.active_results = array<i1: true>} {
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<3xf32>
// CHECK-NEXT: %cst_0 = stablehlo.constant dense<1.000000e-01> : tensor<3xf32>
// CHECK-NEXT: %cst_1 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %0 = stablehlo.compare GT, %arg0, %cst : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xi1>
// CHECK-NEXT: %1 = stablehlo.multiply %arg0, %cst_0 : tensor<3xf32>
// CHECK-NEXT: %2 = stablehlo.multiply %arg1, %cst_0 : tensor<3xf32>
// CHECK-NEXT: %3 = stablehlo.select %0, %arg0, %1 : tensor<3xi1>, tensor<3xf32>
// CHECK-NEXT: %4 = stablehlo.select %0, %arg1, %2 : tensor<3xi1>, tensor<3xf32>
// CHECK-NEXT: %cst_2 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %5 = stablehlo.reduce(%3 init: %cst_2) applies stablehlo.add across dimensions = [0] : (tensor<3xf32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: %cst_3 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %6 = stablehlo.reduce(%4 init: %cst_3) applies stablehlo.add across dimensions = [0] : (tensor<3xf32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: return %5, %6 : tensor<f32>, tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @leaky_grad(%arg0: tensor<3xf32>) -> tensor<3xf32> {
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<3xf32>
// CHECK-NEXT: %cst_0 = stablehlo.constant dense<1.000000e-01> : tensor<3xf32>
// CHECK-NEXT: %cst_1 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %0 = stablehlo.compare GT, %arg0, %cst : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xi1>
// CHECK-NEXT: %1 = stablehlo.multiply %arg0, %cst_0 : tensor<3xf32>
// CHECK-NEXT: %2 = stablehlo.select %0, %arg0, %1 : tensor<3xi1>, tensor<3xf32>
// CHECK-NEXT: %cst_2 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %3 = stablehlo.reduce(%2 init: %cst_2) applies stablehlo.add across dimensions = [0] : (tensor<3xf32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: %cst_3 = stablehlo.constant dense<1.000000e+00> : tensor<f32>
// CHECK-NEXT: %cst_4 = stablehlo.constant dense<1.000000e-01> : tensor<3xf32>
// CHECK-NEXT: %4 = stablehlo.broadcast_in_dim %cst_3, dims = [] : (tensor<f32>) -> tensor<3xf32>
// CHECK-NEXT: %cst_5 = stablehlo.constant dense<0.000000e+00> : tensor<3xf32>
// CHECK-NEXT: %5 = stablehlo.select %0, %4, %cst_5 : tensor<3xi1>, tensor<3xf32>
// CHECK-NEXT: %cst_6 = stablehlo.constant dense<0.000000e+00> : tensor<3xf32>
// CHECK-NEXT: %6 = stablehlo.select %0, %cst_6, %4 : tensor<3xi1>, tensor<3xf32>
// CHECK-NEXT: %7 = stablehlo.multiply %6, %cst_4 : tensor<3xf32>
// CHECK-NEXT: %8 = stablehlo.add %5, %7 : tensor<3xf32>
// CHECK-NEXT: return %8 : tensor<3xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @leaky_batched(%arg0: tensor<4x3xf32>) -> tensor<4xf32> {
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<3xf32>
// CHECK-NEXT: %cst_0 = stablehlo.constant dense<1.000000e-01> : tensor<3xf32>
// CHECK-NEXT: %cst_1 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %0 = stablehlo.broadcast_in_dim %cst, dims = [1] : (tensor<3xf32>) -> tensor<4x3xf32>
// CHECK-NEXT: %1 = stablehlo.compare GT, %arg0, %0 : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<4x3xi1>
// CHECK-NEXT: %2 = stablehlo.broadcast_in_dim %cst_0, dims = [1] : (tensor<3xf32>) -> tensor<4x3xf32>
// CHECK-NEXT: %3 = stablehlo.multiply %arg0, %2 : tensor<4x3xf32>
// CHECK-NEXT: %4 = stablehlo.select %1, %arg0, %3 : tensor<4x3xi1>, tensor<4x3xf32>
// CHECK-NEXT: %cst_2 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %5 = stablehlo.reduce(%4 init: %cst_2) applies stablehlo.add across dimensions = [1] : (tensor<4x3xf32>, tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: return %5 : tensor<4xf32>
// CHECK-NEXT: }
