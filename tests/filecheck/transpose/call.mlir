// RUN: %sable-opt %s --transpose='linear=1,0' | filecheck %s
// A call's transpose calls the callee's.

func.func private @scale(%a: tensor<f32>, %x: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.multiply %a, %x : tensor<f32>
  func.return %0 : tensor<f32>
}

func.func @main(%x: tensor<f32>, %a: tensor<f32>) -> tensor<f32> {
  %0 = func.call @scale(%a, %x) : (tensor<f32>, tensor<f32>) -> tensor<f32>
  func.return %0 : tensor<f32>
}

// CHECK-LABEL: func.func @main_transpose(%arg0: tensor<f32>, %arg1: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %0 = call @scale_transpose(%arg0, %arg1) : (tensor<f32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: return %0 : tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @scale_transpose(%arg0: tensor<f32>, %arg1: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg1 : tensor<f32>
// CHECK-NEXT: return %0 : tensor<f32>
// CHECK-NEXT: }
