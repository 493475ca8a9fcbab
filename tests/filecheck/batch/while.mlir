// RUN: %sable-opt %s --batch='size=4 in-axes=0,none' | filecheck %s
// Every example stops on its own: the loop goes on while any does, and the body leaves those alone that are done.

func.func private @cond(%limit: tensor<f32>, %x: tensor<f32>) -> tensor<i1> {
  %0 = stablehlo.compare LT, %x, %limit : (tensor<f32>, tensor<f32>) -> tensor<i1>
  func.return %0 : tensor<i1>
}
func.func private @body(%x: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.add %x, %x : tensor<f32>
  func.return %0 : tensor<f32>
}

func.func @main(%x: tensor<f32>, %limit: tensor<f32>) -> tensor<f32> {
  %0 = "sable.while"(%limit, %x) {cond = @cond, body = @body, cond_consts = 1 : i64, body_consts = 0 : i64} : (tensor<f32>, tensor<f32>) -> tensor<f32>
  func.return %0 : tensor<f32>
}

// CHECK-LABEL: func.func @main_batched(%arg0: tensor<4xf32>, %arg1: tensor<f32>) -> tensor<4xf32> {
// CHECK-NEXT: %0 = "sable.while"(%arg1, %arg1, %arg0) {body = @body_batched, body_consts = 1 : i64, cond = @cond_batched, cond_consts = 1 : i64} : (tensor<f32>, tensor<f32>, tensor<4xf32>) -> tensor<4xf32>
// CHECK-NEXT: return %0 : tensor<4xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @cond_batched(%arg0: tensor<f32>, %arg1: tensor<4xf32>) -> tensor<i1> {
// CHECK-NEXT: %0 = stablehlo.broadcast_in_dim %arg0, dims = [] : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: %1 = stablehlo.compare LT, %arg1, %0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xi1>
// CHECK-NEXT: %c = stablehlo.constant dense<false> : tensor<i1>
// CHECK-NEXT: %2 = stablehlo.reduce(%1 init: %c) applies stablehlo.or across dimensions = [0] : (tensor<4xi1>, tensor<i1>) -> tensor<i1>
// CHECK-NEXT: return %2 : tensor<i1>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @body_batched(%arg0: tensor<f32>, %arg1: tensor<4xf32>) -> tensor<4xf32> {
// CHECK-NEXT: %0 = stablehlo.broadcast_in_dim %arg0, dims = [] : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: %1 = stablehlo.compare LT, %arg1, %0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xi1>
// CHECK-NEXT: %2 = stablehlo.add %arg1, %arg1 : tensor<4xf32>
// CHECK-NEXT: %3 = stablehlo.select %1, %2, %arg1 : tensor<4xi1>, tensor<4xf32>
// CHECK-NEXT: return %3 : tensor<4xf32>
// CHECK-NEXT: }
