// RUN: %sable-opt %s --batch='size=4 axis-name=i' | filecheck %s
// x / psum(x, i) - pmax(x, i) + axis_index(i): reductions along the batch axis, an iota for the index.

func.func @main(%x: tensor<f32>) -> (tensor<f32>, tensor<i32>) {
  %0 = "sable.psum"(%x) {axes = ["i"]} : (tensor<f32>) -> tensor<f32>
  %1 = stablehlo.divide %x, %0 : tensor<f32>
  %2 = "sable.pmax"(%x) {axes = ["i"]} : (tensor<f32>) -> tensor<f32>
  %3 = stablehlo.subtract %1, %2 : tensor<f32>
  %4 = "sable.axis_index"() {axes = ["i"]} : () -> tensor<i32>
  func.return %3, %4 : tensor<f32>, tensor<i32>
}

// CHECK-LABEL: func.func @main_batched(%arg0: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xi32>) {
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %0 = stablehlo.reduce(%arg0 init: %cst) applies stablehlo.add across dimensions = [0] : (tensor<4xf32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: %1 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: %2 = stablehlo.divide %arg0, %1 : tensor<4xf32>
// CHECK-NEXT: %cst_0 = stablehlo.constant dense<0xFF800000> : tensor<f32>
// CHECK-NEXT: %3 = stablehlo.reduce(%arg0 init: %cst_0) applies stablehlo.maximum across dimensions = [0] : (tensor<4xf32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: %4 = stablehlo.broadcast_in_dim %3, dims = [] : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: %5 = stablehlo.subtract %2, %4 : tensor<4xf32>
// CHECK-NEXT: %6 = stablehlo.iota dim = 0 : tensor<4xi32>
// CHECK-NEXT: return %5, %6 : tensor<4xf32>, tensor<4xi32>
// CHECK-NEXT: }
