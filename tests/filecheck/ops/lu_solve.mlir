// RUN: %sable-opt %s --batch='function=main size=4' --batch='function=main size=4 in-axes=none,none,none,0 name=many' | filecheck %s
// Right-hand sides of one matrix are columns of one.

func.func @main(%a: tensor<3x3xf32>, %f: tensor<3x3xf32>, %p: tensor<3xi32>, %b: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %0 = "sable.lu_solve"(%a, %f, %p, %b) {transpose_a = false} : (tensor<3x3xf32>, tensor<3x3xf32>, tensor<3xi32>, tensor<3x2xf32>) -> tensor<3x2xf32>
  func.return %0 : tensor<3x2xf32>
}

// CHECK-LABEL: func.func @main_batched(%arg0: tensor<4x3x3xf32>, %arg1: tensor<4x3x3xf32>, %arg2: tensor<4x3xi32>, %arg3: tensor<4x3x2xf32>) -> tensor<4x3x2xf32> {
// CHECK-NEXT: %0 = "sable.lu_solve"(%arg0, %arg1, %arg2, %arg3) {transpose_a = false} : (tensor<4x3x3xf32>, tensor<4x3x3xf32>, tensor<4x3xi32>, tensor<4x3x2xf32>) -> tensor<4x3x2xf32>
// CHECK-NEXT: return %0 : tensor<4x3x2xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @many(%arg0: tensor<3x3xf32>, %arg1: tensor<3x3xf32>, %arg2: tensor<3xi32>, %arg3: tensor<4x3x2xf32>) -> tensor<4x3x2xf32> {
// CHECK-NEXT: %0 = stablehlo.transpose %arg3, dims = [1, 0, 2] : (tensor<4x3x2xf32>) -> tensor<3x4x2xf32>
// CHECK-NEXT: %1 = stablehlo.reshape %0 : (tensor<3x4x2xf32>) -> tensor<3x8xf32>
// CHECK-NEXT: %2 = "sable.lu_solve"(%arg0, %arg1, %arg2, %1) {transpose_a = false} : (tensor<3x3xf32>, tensor<3x3xf32>, tensor<3xi32>, tensor<3x8xf32>) -> tensor<3x8xf32>
// CHECK-NEXT: %3 = stablehlo.reshape %2 : (tensor<3x8xf32>) -> tensor<3x4x2xf32>
// CHECK-NEXT: %4 = stablehlo.transpose %3, dims = [1, 0, 2] : (tensor<3x4x2xf32>) -> tensor<4x3x2xf32>
// CHECK-NEXT: return %4 : tensor<4x3x2xf32>
// CHECK-NEXT: }
