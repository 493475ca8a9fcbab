// RUN: %sable-opt %s --inline-calls | filecheck %s
// MLIR's inliner refuses callees with sable operations, this pass does not. The loop's body stays a function.

func.func private @step(%c: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.sine %c : tensor<f32>
  func.return %0 : tensor<f32>
}
func.func private @loop(%c: tensor<f32>) -> tensor<f32> {
  %0 = "sable.scan"(%c) {body = @step, num_consts = 0 : i64, num_carry = 1 : i64, length = 3 : i64, reverse = false} : (tensor<f32>) -> tensor<f32>
  func.return %0 : tensor<f32>
}

func.func @main(%c: tensor<f32>) -> tensor<f32> {
  %0 = func.call @loop(%c) : (tensor<f32>) -> tensor<f32>
  %1 = func.call @step(%0) : (tensor<f32>) -> tensor<f32>
  func.return %1 : tensor<f32>
}

// CHECK-LABEL: func.func private @step(%arg0: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %0 = stablehlo.sine %arg0 : tensor<f32>
// CHECK-NEXT: return %0 : tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @main(%arg0: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %0 = "sable.scan"(%arg0) {body = @step, length = 3 : i64, num_carry = 1 : i64, num_consts = 0 : i64, reverse = false} : (tensor<f32>) -> tensor<f32>
// CHECK-NEXT: %1 = stablehlo.sine %0 : tensor<f32>
// CHECK-NEXT: return %1 : tensor<f32>
// CHECK-NEXT: }
