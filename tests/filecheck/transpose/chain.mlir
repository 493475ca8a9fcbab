// RUN: %sable-opt %s --transpose='linear=1,0' | filecheck %s
// y = -(a x) + x: ct x = a (-ct) + ct.

func.func @main(%x: tensor<f32>, %a: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.multiply %a, %x : tensor<f32>
  %1 = stablehlo.negate %0 : tensor<f32>
  %2 = stablehlo.add %1, %x : tensor<f32>
  func.return %2 : tensor<f32>
}

// CHECK-LABEL: func.func @main_transpose(%arg0: tensor<f32>, %arg1: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %0 = stablehlo.negate %arg1 : tensor<f32>
// CHECK-NEXT: %1 = stablehlo.multiply %arg0, %0 : tensor<f32>
// CHECK-NEXT: %2 = stablehlo.add %arg1, %1 : tensor<f32>
// CHECK-NEXT: return %2 : tensor<f32>
// CHECK-NEXT: }
