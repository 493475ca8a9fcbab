// RUN: %sable-opt %s --batch='size=4 in-axes=none,0 name=same_branch' --batch='size=4 in-axes=0,0 name=own_branch' | filecheck %s
// One index for all examples stays a branch. An index for each: all branches are computed and selected from; any index
// that is not 0 or 1 is the last branch.

func.func private @sin(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = stablehlo.sine %x : tensor<2xf32>
  func.return %0 : tensor<2xf32>
}
func.func private @negate(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = stablehlo.negate %x : tensor<2xf32>
  func.return %0 : tensor<2xf32>
}
func.func private @identity(%x: tensor<2xf32>) -> tensor<2xf32> {
  func.return %x : tensor<2xf32>
}

func.func @main(%i: tensor<i32>, %x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = "sable.case"(%i, %x) {branches = [@sin, @negate, @identity]} : (tensor<i32>, tensor<2xf32>) -> tensor<2xf32>
  func.return %0 : tensor<2xf32>
}

// CHECK-LABEL: func.func @same_branch(%arg0: tensor<i32>, %arg1: tensor<4x2xf32>) -> tensor<4x2xf32> {
// CHECK-NEXT: %0 = "sable.case"(%arg0, %arg1) {branches = [@sin_batched, @negate_batched, @identity_batched]} : (tensor<i32>, tensor<4x2xf32>) -> tensor<4x2xf32>
// CHECK-NEXT: return %0 : tensor<4x2xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @sin_batched(%arg0: tensor<4x2xf32>) -> tensor<4x2xf32> {
// CHECK-NEXT: %0 = stablehlo.sine %arg0 : tensor<4x2xf32>
// CHECK-NEXT: return %0 : tensor<4x2xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @negate_batched(%arg0: tensor<4x2xf32>) -> tensor<4x2xf32> {
// CHECK-NEXT: %0 = stablehlo.negate %arg0 : tensor<4x2xf32>
// CHECK-NEXT: return %0 : tensor<4x2xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @identity_batched(%arg0: tensor<4x2xf32>) -> tensor<4x2xf32> {
// CHECK-NEXT: return %arg0 : tensor<4x2xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @own_branch(%arg0: tensor<4xi32>, %arg1: tensor<4x2xf32>) -> tensor<4x2xf32> {
// CHECK-NEXT: %0 = call @sin_batched_1(%arg1) : (tensor<4x2xf32>) -> tensor<4x2xf32>
// CHECK-NEXT: %1 = call @negate_batched_1(%arg1) : (tensor<4x2xf32>) -> tensor<4x2xf32>
// CHECK-NEXT: %2 = call @identity_batched_1(%arg1) : (tensor<4x2xf32>) -> tensor<4x2xf32>
// CHECK-NEXT: %c = stablehlo.constant dense<1> : tensor<4xi32>
// CHECK-NEXT: %3 = stablehlo.compare EQ, %arg0, %c : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
// CHECK-NEXT: %4 = stablehlo.broadcast_in_dim %3, dims = [0] : (tensor<4xi1>) -> tensor<4x2xi1>
// CHECK-NEXT: %5 = stablehlo.select %4, %1, %2 : tensor<4x2xi1>, tensor<4x2xf32>
// CHECK-NEXT: %c_0 = stablehlo.constant dense<0> : tensor<4xi32>
// CHECK-NEXT: %6 = stablehlo.compare EQ, %arg0, %c_0 : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
// CHECK-NEXT: %7 = stablehlo.broadcast_in_dim %6, dims = [0] : (tensor<4xi1>) -> tensor<4x2xi1>
// CHECK-NEXT: %8 = stablehlo.select %7, %0, %5 : tensor<4x2xi1>, tensor<4x2xf32>
// CHECK-NEXT: return %8 : tensor<4x2xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @sin_batched_1(%arg0: tensor<4x2xf32>) -> tensor<4x2xf32> {
// CHECK-NEXT: %0 = stablehlo.sine %arg0 : tensor<4x2xf32>
// CHECK-NEXT: return %0 : tensor<4x2xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @negate_batched_1(%arg0: tensor<4x2xf32>) -> tensor<4x2xf32> {
// CHECK-NEXT: %0 = stablehlo.negate %arg0 : tensor<4x2xf32>
// CHECK-NEXT: return %0 : tensor<4x2xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @identity_batched_1(%arg0: tensor<4x2xf32>) -> tensor<4x2xf32> {
// CHECK-NEXT: return %arg0 : tensor<4x2xf32>
// CHECK-NEXT: }
