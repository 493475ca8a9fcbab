// RUN: %sable-opt %s --linearize | filecheck %s
// sin(x)^3: cos x and sin x are residuals, sin x once though used three times; the linear function only multiplies and
// adds.

func.func @main(%x: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.sine %x : tensor<f32>
  %1 = stablehlo.multiply %0, %0 : tensor<f32>
  %2 = stablehlo.multiply %1, %0 : tensor<f32>
  func.return %2 : tensor<f32>
}

// CHECK-LABEL: func.func @main_forward(%arg0: tensor<f32>) -> (tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>) attributes {sable.residuals = 3 : i64} {
// CHECK-NEXT: %0 = stablehlo.sine %arg0 : tensor<f32>
// CHECK-NEXT: %1 = stablehlo.cosine %arg0 : tensor<f32>
// CHECK-NEXT: %2 = stablehlo.multiply %0, %0 : tensor<f32>
// CHECK-NEXT: %3 = stablehlo.multiply %2, %0 : tensor<f32>
// CHECK-NEXT: return %3, %1, %0, %2 : tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @main_linear(%arg0: tensor<f32>, %arg1: tensor<f32>, %arg2: tensor<f32>, %arg3: tensor<f32>) -> tensor<f32> attributes {sable.active_results = array<i1: true>, sable.residuals = 3 : i64} {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg1 : tensor<f32>
// CHECK-NEXT: %1 = stablehlo.multiply %0, %arg2 : tensor<f32>
// CHECK-NEXT: %2 = stablehlo.multiply %arg2, %0 : tensor<f32>
// CHECK-NEXT: %3 = stablehlo.add %1, %2 : tensor<f32>
// CHECK-NEXT: %4 = stablehlo.multiply %3, %arg2 : tensor<f32>
// CHECK-NEXT: %5 = stablehlo.multiply %arg3, %0 : tensor<f32>
// CHECK-NEXT: %6 = stablehlo.add %4, %5 : tensor<f32>
// CHECK-NEXT: return %6 : tensor<f32>
// CHECK-NEXT: }
