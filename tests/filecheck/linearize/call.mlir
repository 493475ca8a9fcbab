// RUN: %sable-opt %s --linearize | filecheck %s
// The callee's residuals become results of its forward function and arguments of its linear one.

func.func private @f(%x: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.sine %x : tensor<f32>
  func.return %0 : tensor<f32>
}

func.func @main(%x: tensor<f32>) -> tensor<f32> {
  %0 = func.call @f(%x) : (tensor<f32>) -> tensor<f32>
  %1 = func.call @f(%0) : (tensor<f32>) -> tensor<f32>
  func.return %1 : tensor<f32>
}

// CHECK-LABEL: func.func @main_forward(%arg0: tensor<f32>) -> (tensor<f32>, tensor<f32>, tensor<f32>) attributes {sable.residuals = 2 : i64} {
// CHECK-NEXT: %0:2 = call @f_forward(%arg0) : (tensor<f32>) -> (tensor<f32>, tensor<f32>)
// CHECK-NEXT: %1:2 = call @f_forward(%0#0) : (tensor<f32>) -> (tensor<f32>, tensor<f32>)
// CHECK-NEXT: return %1#0, %0#1, %1#1 : tensor<f32>, tensor<f32>, tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @main_linear(%arg0: tensor<f32>, %arg1: tensor<f32>, %arg2: tensor<f32>) -> tensor<f32> attributes {sable.active_results = array<i1: true>, sable.residuals = 2 : i64} {
// CHECK-NEXT: %0 = call @f_linear(%arg0, %arg1) : (tensor<f32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: %1 = call @f_linear(%0, %arg2) : (tensor<f32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: return %1 : tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @f_forward(%arg0: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
// CHECK-NEXT: %0 = stablehlo.sine %arg0 : tensor<f32>
// CHECK-NEXT: %1 = stablehlo.cosine %arg0 : tensor<f32>
// CHECK-NEXT: return %0, %1 : tensor<f32>, tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @f_linear(%arg0: tensor<f32>, %arg1: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg1 : tensor<f32>
// CHECK-NEXT: return %0 : tensor<f32>
// CHECK-NEXT: }
