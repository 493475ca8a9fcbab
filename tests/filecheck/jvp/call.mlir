// RUN: %sable-opt %s --jvp='active=1,0' | filecheck %s
// The callee is differentiated for the activity of this call, once for both calls of the same kind, and the call of
// which nothing is active stays a call of the function itself.

func.func private @product(%x: tensor<f32>, %y: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.multiply %x, %y : tensor<f32>
  func.return %0 : tensor<f32>
}

func.func @main(%x: tensor<f32>, %y: tensor<f32>) -> tensor<f32> {
  %0 = func.call @product(%x, %y) : (tensor<f32>, tensor<f32>) -> tensor<f32>
  %1 = func.call @product(%y, %y) : (tensor<f32>, tensor<f32>) -> tensor<f32>
  %2 = func.call @product(%0, %1) : (tensor<f32>, tensor<f32>) -> tensor<f32>
  func.return %2 : tensor<f32>
}

// CHECK-LABEL: func.func @main_jvp(%arg0: tensor<f32>, %arg1: tensor<f32>, %arg2: tensor<f32>) -> (tensor<f32>, tensor<f32>) attributes {sable.active_results = array<i1: true>} {
// CHECK-NEXT: %0:2 = call @product_jvp(%arg0, %arg1, %arg2) : (tensor<f32>, tensor<f32>, tensor<f32>) -> (tensor<f32>, tensor<f32>)
// CHECK-NEXT: %1 = call @product(%arg1, %arg1) : (tensor<f32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: %2:2 = call @product_jvp(%0#0, %1, %0#1) : (tensor<f32>, tensor<f32>, tensor<f32>) -> (tensor<f32>, tensor<f32>)
// CHECK-NEXT: return %2#0, %2#1 : tensor<f32>, tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @product_jvp(%arg0: tensor<f32>, %arg1: tensor<f32>, %arg2: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg1 : tensor<f32>
// CHECK-NEXT: %1 = stablehlo.multiply %arg2, %arg1 : tensor<f32>
// CHECK-NEXT: return %0, %1 : tensor<f32>, tensor<f32>
// CHECK-NEXT: }
