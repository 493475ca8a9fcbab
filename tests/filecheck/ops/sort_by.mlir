// RUN: %sable-opt %s --batch='size=5 in-axes=0,none' --jvp=active=0,0 | filecheck %s
// A comparator that is no order of ours is a function; without floats among what is returned nothing has a tangent.

func.func @descending(%x: tensor<3x4xf32>, %y: tensor<3x4xi32>) -> tensor<3x4xi32> {
  %0:2 = "stablehlo.sort"(%x, %y) ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>, %i: tensor<i32>, %j: tensor<i32>):
    %p = stablehlo.compare GT, %a, %b : (tensor<f32>, tensor<f32>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  }) {dimension = 0 : i64} : (tensor<3x4xf32>, tensor<3x4xi32>) -> (tensor<3x4xf32>, tensor<3x4xi32>)
  func.return %0#1 : tensor<3x4xi32>
}

// CHECK-LABEL: func.func @descending_batched(%arg0: tensor<5x3x4xf32>, %arg1: tensor<3x4xi32>) -> tensor<5x3x4xi32> {
// CHECK-NEXT: %0 = stablehlo.broadcast_in_dim %arg1, dims = [1, 2] : (tensor<3x4xi32>) -> tensor<5x3x4xi32>
// CHECK-NEXT: %1:2 = "sable.sort_by"(%arg0, %0) {comparator = @descending_comparator, dimension = 1 : i64, is_stable = false} : (tensor<5x3x4xf32>, tensor<5x3x4xi32>) -> (tensor<5x3x4xf32>, tensor<5x3x4xi32>)
// CHECK-NEXT: return %1#1 : tensor<5x3x4xi32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @descending_comparator(%arg0: tensor<f32>, %arg1: tensor<f32>, %arg2: tensor<i32>, %arg3: tensor<i32>) -> tensor<i1> {
// CHECK-NEXT: %0 = stablehlo.compare GT, %arg0, %arg1 : (tensor<f32>, tensor<f32>) -> tensor<i1>
// CHECK-NEXT: return %0 : tensor<i1>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @descending_jvp(%arg0: tensor<3x4xf32>, %arg1: tensor<3x4xi32>) -> tensor<3x4xi32> attributes {sable.active_results = array<i1: false>} {
// CHECK-NEXT: %0:2 = "sable.sort_by"(%arg0, %arg1) {comparator = @descending_comparator_1, dimension = 0 : i64, is_stable = false} : (tensor<3x4xf32>, tensor<3x4xi32>) -> (tensor<3x4xf32>, tensor<3x4xi32>)
// CHECK-NEXT: return %0#1 : tensor<3x4xi32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @descending_comparator_1(%arg0: tensor<f32>, %arg1: tensor<f32>, %arg2: tensor<i32>, %arg3: tensor<i32>) -> tensor<i1> {
// CHECK-NEXT: %0 = stablehlo.compare GT, %arg0, %arg1 : (tensor<f32>, tensor<f32>) -> tensor<i1>
// CHECK-NEXT: return %0 : tensor<i1>
// CHECK-NEXT: }
