// RUN: %sable-opt %s --raise --allow-unregistered-dialect | filecheck %s
// Bodies of reductions are no control flow and stay; so do attributes and operations that nobody knows.

func.func @main(%p: tensor<i1>, %x: tensor<3xf32>) -> tensor<f32> {
  %z = stablehlo.constant dense<0.0> : tensor<f32>
  %0 = "stablehlo.if"(%p) ({
    %1 = stablehlo.reduce(%x init: %z) applies stablehlo.maximum across dimensions = [0] {mhlo.note = "kept"} : (tensor<3xf32>, tensor<f32>) -> tensor<f32>
    stablehlo.return %1 : tensor<f32>
  }, {
    %1 = "foreign.mystery"(%x) {level = 3 : i8} : (tensor<3xf32>) -> tensor<f32>
    stablehlo.return %1 : tensor<f32>
  }) : (tensor<i1>) -> tensor<f32>
  func.return %0 : tensor<f32>
}

// CHECK-LABEL: func.func @main(%arg0: tensor<i1>, %arg1: tensor<3xf32>) -> tensor<f32> {
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %0 = stablehlo.convert %arg0 : (tensor<i1>) -> tensor<i32>
// CHECK-NEXT: %1 = "sable.case"(%0, %arg1) {branches = [@main_branch0, @main_branch1]} : (tensor<i32>, tensor<3xf32>) -> tensor<f32>
// CHECK-NEXT: return %1 : tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @main_branch0(%arg0: tensor<3xf32>) -> tensor<f32> {
// CHECK-NEXT: %0 = "foreign.mystery"(%arg0) {level = 3 : i8} : (tensor<3xf32>) -> tensor<f32>
// CHECK-NEXT: return %0 : tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @main_branch1(%arg0: tensor<3xf32>) -> tensor<f32> {
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %0 = stablehlo.reduce(%arg0 init: %cst) applies stablehlo.maximum across dimensions = [0] {mhlo.note = "kept"} : (tensor<3xf32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: return %0 : tensor<f32>
// CHECK-NEXT: }
