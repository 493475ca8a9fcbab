// RUN: %sable-opt %s --batch='size=5 in-axes=0,0,none' --batch='function=pool_gradient size=5 in-axes=none,0,none name=sources' | filecheck %s
// Two regions, two functions; a batch has windows that are one thick.

func.func @pool_gradient(%x: tensor<4x4xf32>, %ct: tensor<2x2xf32>, %init: tensor<f32>) -> tensor<4x4xf32> {
  %0 = "stablehlo.select_and_scatter"(%x, %ct, %init) ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %p = stablehlo.compare GE, %a, %b : (tensor<f32>, tensor<f32>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  }, {
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %s = stablehlo.add %a, %b : tensor<f32>
    stablehlo.return %s : tensor<f32>
  }) {window_dimensions = array<i64: 2, 2>, window_strides = array<i64: 2, 2>} : (tensor<4x4xf32>, tensor<2x2xf32>, tensor<f32>) -> tensor<4x4xf32>
  func.return %0 : tensor<4x4xf32>
}

// CHECK-LABEL: func.func @pool_gradient_batched(%arg0: tensor<5x4x4xf32>, %arg1: tensor<5x2x2xf32>, %arg2: tensor<f32>) -> tensor<5x4x4xf32> {
// CHECK-NEXT: %0 = "sable.select_and_scatter"(%arg0, %arg1, %arg2) {padding = dense<0> : tensor<3x2xi64>, scatter = @pool_gradient_scatter, select = @pool_gradient_select, window_dimensions = array<i64: 1, 2, 2>, window_strides = array<i64: 1, 2, 2>} : (tensor<5x4x4xf32>, tensor<5x2x2xf32>, tensor<f32>) -> tensor<5x4x4xf32>
// CHECK-NEXT: return %0 : tensor<5x4x4xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @pool_gradient_select(%arg0: tensor<f32>, %arg1: tensor<f32>) -> tensor<i1> {
// CHECK-NEXT: %0 = stablehlo.compare GE, %arg0, %arg1 : (tensor<f32>, tensor<f32>) -> tensor<i1>
// CHECK-NEXT: return %0 : tensor<i1>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @pool_gradient_scatter(%arg0: tensor<f32>, %arg1: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %0 = stablehlo.add %arg0, %arg1 : tensor<f32>
// CHECK-NEXT: return %0 : tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @sources(%arg0: tensor<4x4xf32>, %arg1: tensor<5x2x2xf32>, %arg2: tensor<f32>) -> tensor<5x4x4xf32> {
// CHECK-NEXT: %0 = stablehlo.broadcast_in_dim %arg0, dims = [1, 2] : (tensor<4x4xf32>) -> tensor<5x4x4xf32>
// CHECK-NEXT: %1 = "sable.select_and_scatter"(%0, %arg1, %arg2) {padding = dense<0> : tensor<3x2xi64>, scatter = @pool_gradient_scatter_1, select = @pool_gradient_select_1, window_dimensions = array<i64: 1, 2, 2>, window_strides = array<i64: 1, 2, 2>} : (tensor<5x4x4xf32>, tensor<5x2x2xf32>, tensor<f32>) -> tensor<5x4x4xf32>
// CHECK-NEXT: return %1 : tensor<5x4x4xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @pool_gradient_select_1(%arg0: tensor<f32>, %arg1: tensor<f32>) -> tensor<i1> {
// CHECK-NEXT: %0 = stablehlo.compare GE, %arg0, %arg1 : (tensor<f32>, tensor<f32>) -> tensor<i1>
// CHECK-NEXT: return %0 : tensor<i1>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @pool_gradient_scatter_1(%arg0: tensor<f32>, %arg1: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %0 = stablehlo.add %arg0, %arg1 : tensor<f32>
// CHECK-NEXT: return %0 : tensor<f32>
// CHECK-NEXT: }
