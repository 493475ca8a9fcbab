// RUN: %sable-opt %s --raise | filecheck %s

func.func @main(%i: tensor<i32>, %x: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
  %0:2 = "stablehlo.case"(%i) ({
    stablehlo.return %x, %x : tensor<f32>, tensor<f32>
  }, {
    %1 = stablehlo.negate %x : tensor<f32>
    stablehlo.return %1, %x : tensor<f32>, tensor<f32>
  }, {
    %1 = stablehlo.sine %x : tensor<f32>
    stablehlo.return %x, %1 : tensor<f32>, tensor<f32>
  }) : (tensor<i32>) -> (tensor<f32>, tensor<f32>)
  func.return %0#0, %0#1 : tensor<f32>, tensor<f32>
}

// CHECK-LABEL: func.func @main(%arg0: tensor<i32>, %arg1: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
// CHECK-NEXT: %0:2 = "sable.case"(%arg0, %arg1) {branches = [@main_branch0, @main_branch1, @main_branch2]} : (tensor<i32>, tensor<f32>) -> (tensor<f32>, tensor<f32>)
// CHECK-NEXT: return %0#0, %0#1 : tensor<f32>, tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @main_branch0(%arg0: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
// CHECK-NEXT: return %arg0, %arg0 : tensor<f32>, tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @main_branch1(%arg0: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
// CHECK-NEXT: %0 = stablehlo.negate %arg0 : tensor<f32>
// CHECK-NEXT: return %0, %arg0 : tensor<f32>, tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @main_branch2(%arg0: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
// CHECK-NEXT: %0 = stablehlo.sine %arg0 : tensor<f32>
// CHECK-NEXT: return %arg0, %0 : tensor<f32>, tensor<f32>
// CHECK-NEXT: }
