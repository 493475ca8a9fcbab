// RUN: %sable-opt %s --jvp='active=1,0 name=in_x' --jvp='active=0,1 name=in_y' | filecheck %s
// No op touches the tangent of an inactive argument, and a result that does not depend on the active ones has none.

func.func @main(%x: tensor<f32>, %y: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
  %0 = stablehlo.multiply %x, %y : tensor<f32>
  %1 = stablehlo.sine %y : tensor<f32>
  func.return %0, %1 : tensor<f32>, tensor<f32>
}

// CHECK-LABEL: func.func @in_x(%arg0: tensor<f32>, %arg1: tensor<f32>, %arg2: tensor<f32>) -> (tensor<f32>, tensor<f32>, tensor<f32>) attributes {sable.active_results = array<i1: true, false>} {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg1 : tensor<f32>
// CHECK-NEXT: %1 = stablehlo.multiply %arg2, %arg1 : tensor<f32>
// CHECK-NEXT: %2 = stablehlo.sine %arg1 : tensor<f32>
// CHECK-NEXT: return %0, %2, %1 : tensor<f32>, tensor<f32>, tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @in_y(%arg0: tensor<f32>, %arg1: tensor<f32>, %arg2: tensor<f32>) -> (tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>) attributes {sable.active_results = array<i1: true, true>} {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg1 : tensor<f32>
// CHECK-NEXT: %1 = stablehlo.multiply %arg0, %arg2 : tensor<f32>
// CHECK-NEXT: %2 = stablehlo.sine %arg1 : tensor<f32>
// CHECK-NEXT: %3 = stablehlo.cosine %arg1 : tensor<f32>
// CHECK-NEXT: %4 = stablehlo.multiply %arg2, %3 : tensor<f32>
// CHECK-NEXT: return %0, %2, %1, %4 : tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>
// CHECK-NEXT: }
