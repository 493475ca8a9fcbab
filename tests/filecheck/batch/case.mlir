// RUN: %sable-opt %s --batch='size=4 in-axes=none,0 name=same_branch' --batch='size=4 in-axes=0,0 name=own_branch' | filecheck %s
// One index for all examples stays a branch. An index for each: all branches are computed and selected from (operands
// too: where another branch is taken they have no derivative); any index
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
// CHECK-NEXT: %c = stablehlo.constant dense<0> : tensor<4xi32>
// CHECK-NEXT: %c_0 = stablehlo.constant dense<1> : tensor<4xi32>
// CHECK-NEXT: %0 = stablehlo.compare EQ, %arg0, %c : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
// CHECK-NEXT: %1 = stablehlo.compare EQ, %arg0, %c_0 : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
// CHECK-NEXT: %2 = stablehlo.compare NE, %arg0, %c : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
// CHECK-NEXT: %3 = stablehlo.compare NE, %arg0, %c_0 : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
// CHECK-NEXT: %4 = stablehlo.and %2, %3 : tensor<4xi1>
// CHECK-NEXT: %5 = "sable.stop_gradient"(%arg1) : (tensor<4x2xf32>) -> tensor<4x2xf32>
// CHECK-NEXT: %6 = stablehlo.broadcast_in_dim %0, dims = [0] : (tensor<4xi1>) -> tensor<4x2xi1>
// CHECK-NEXT: %7 = stablehlo.select %6, %arg1, %5 : tensor<4x2xi1>, tensor<4x2xf32>
// CHECK-NEXT: %8 = call @sin_batched_1(%7) : (tensor<4x2xf32>) -> tensor<4x2xf32>
// CHECK-NEXT: %9 = "sable.stop_gradient"(%arg1) : (tensor<4x2xf32>) -> tensor<4x2xf32>
// CHECK-NEXT: %10 = stablehlo.broadcast_in_dim %1, dims = [0] : (tensor<4xi1>) -> tensor<4x2xi1>
// CHECK-NEXT: %11 = stablehlo.select %10, %arg1, %9 : tensor<4x2xi1>, tensor<4x2xf32>
// CHECK-NEXT: %12 = call @negate_batched_1(%11) : (tensor<4x2xf32>) -> tensor<4x2xf32>
// CHECK-NEXT: %13 = "sable.stop_gradient"(%arg1) : (tensor<4x2xf32>) -> tensor<4x2xf32>
// CHECK-NEXT: %14 = stablehlo.broadcast_in_dim %4, dims = [0] : (tensor<4xi1>) -> tensor<4x2xi1>
// CHECK-NEXT: %15 = stablehlo.select %14, %arg1, %13 : tensor<4x2xi1>, tensor<4x2xf32>
// CHECK-NEXT: %16 = call @identity_batched_1(%15) : (tensor<4x2xf32>) -> tensor<4x2xf32>
// CHECK-NEXT: %17 = stablehlo.broadcast_in_dim %1, dims = [0] : (tensor<4xi1>) -> tensor<4x2xi1>
// CHECK-NEXT: %18 = stablehlo.select %17, %12, %16 : tensor<4x2xi1>, tensor<4x2xf32>
// CHECK-NEXT: %19 = stablehlo.broadcast_in_dim %0, dims = [0] : (tensor<4xi1>) -> tensor<4x2xi1>
// CHECK-NEXT: %20 = stablehlo.select %19, %8, %18 : tensor<4x2xi1>, tensor<4x2xf32>
// CHECK-NEXT: return %20 : tensor<4x2xf32>
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
