// RUN: %sable-opt %s --pass-pipeline='builtin.module(sable-grad{argnums=0},func.func(cse),canonicalize,sable-batch{function=main_grad size=4},symbol-dce)' | filecheck %s
// Ours and MLIR's in one pipeline, in its order: the product x x is found once by cse, and the batch comes after.

func.func @main(%x: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.multiply %x, %x : tensor<f32>
  %1 = stablehlo.multiply %x, %x : tensor<f32>
  %2 = stablehlo.add %0, %1 : tensor<f32>
  func.return %2 : tensor<f32>
}

// CHECK-LABEL: func.func @main(
// CHECK: [[X2:%.+]] = stablehlo.multiply %arg0, %arg0
// CHECK-NEXT: stablehlo.add [[X2]], [[X2]]
// CHECK-LABEL: func.func @main_grad(
// CHECK-LABEL: func.func @main_grad_batched(%arg0: tensor<4xf32>) -> tensor<4xf32>
