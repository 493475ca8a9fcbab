// RUN: %sable-opt %s --raise | filecheck %s
// Branch 0 is what runs for false, so it is the second region.

func.func @main(%p: tensor<i1>, %x: tensor<f32>, %y: tensor<f32>) -> tensor<f32> {
  %0 = "stablehlo.if"(%p) ({
    stablehlo.return %x : tensor<f32>
  }, {
    %1 = stablehlo.negate %y : tensor<f32>
    stablehlo.return %1 : tensor<f32>
  }) : (tensor<i1>) -> tensor<f32>
  func.return %0 : tensor<f32>
}

// CHECK-LABEL: func.func @main(%arg0: tensor<i1>, %arg1: tensor<f32>, %arg2: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %0 = stablehlo.convert %arg0 : (tensor<i1>) -> tensor<i32>
// CHECK-NEXT: %1 = "sable.case"(%0, %arg2, %arg1) {branches = [@main_branch0, @main_branch1]} : (tensor<i32>, tensor<f32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: return %1 : tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @main_branch0(%arg0: tensor<f32>, %arg1: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %0 = stablehlo.negate %arg0 : tensor<f32>
// CHECK-NEXT: return %0 : tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @main_branch1(%arg0: tensor<f32>, %arg1: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: return %arg1 : tensor<f32>
// CHECK-NEXT: }
