// RUN: %sable-opt %s --batch='size=5 in-axes=none,0' | filecheck %s
// The carry starts unmapped and is added to mapped inputs, so it is repeated before the loop; the loop's axis stays in
// front of the batch axis inside, and behind it outside.

func.func private @step(%c: tensor<f32>, %x: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
  %0 = stablehlo.add %c, %x : tensor<f32>
  func.return %0, %c : tensor<f32>, tensor<f32>
}

func.func @main(%c: tensor<f32>, %xs: tensor<3xf32>) -> (tensor<f32>, tensor<3xf32>) {
  %0:2 = "sable.scan"(%c, %xs) {body = @step, num_consts = 0 : i64, num_carry = 1 : i64, length = 3 : i64, reverse = false} : (tensor<f32>, tensor<3xf32>) -> (tensor<f32>, tensor<3xf32>)
  func.return %0#0, %0#1 : tensor<f32>, tensor<3xf32>
}

// CHECK-LABEL: func.func @main_batched(%arg0: tensor<f32>, %arg1: tensor<5x3xf32>) -> (tensor<5xf32>, tensor<5x3xf32>) {
// CHECK-NEXT: %0 = stablehlo.broadcast_in_dim %arg0, dims = [] : (tensor<f32>) -> tensor<5xf32>
// CHECK-NEXT: %1 = stablehlo.transpose %arg1, dims = [1, 0] : (tensor<5x3xf32>) -> tensor<3x5xf32>
// CHECK-NEXT: %2:2 = "sable.scan"(%0, %1) {body = @step_batched, length = 3 : i64, num_carry = 1 : i64, num_consts = 0 : i64, reverse = false} : (tensor<5xf32>, tensor<3x5xf32>) -> (tensor<5xf32>, tensor<3x5xf32>)
// CHECK-NEXT: %3 = stablehlo.transpose %2#1, dims = [1, 0] : (tensor<3x5xf32>) -> tensor<5x3xf32>
// CHECK-NEXT: return %2#0, %3 : tensor<5xf32>, tensor<5x3xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @step_batched(%arg0: tensor<5xf32>, %arg1: tensor<5xf32>) -> (tensor<5xf32>, tensor<5xf32>) {
// CHECK-NEXT: %0 = stablehlo.add %arg0, %arg1 : tensor<5xf32>
// CHECK-NEXT: return %0, %arg0 : tensor<5xf32>, tensor<5xf32>
// CHECK-NEXT: }
