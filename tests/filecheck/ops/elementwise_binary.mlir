// RUN: %sable-opt %s --jvp --split-input-file | filecheck %s
// d(x - y) = dx - dy; d(x y) = dx y + x dy; d(x / y) = dx / y - (x / y) dy / y.

func.func @subtract(%x: tensor<3xf32>, %y: tensor<3xf32>) -> tensor<3xf32> {
  %0 = stablehlo.subtract %x, %y : tensor<3xf32>
  func.return %0 : tensor<3xf32>
}

// CHECK-LABEL: func.func @subtract_jvp(%arg0: tensor<3xf32>, %arg1: tensor<3xf32>, %arg2: tensor<3xf32>, %arg3: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>) attributes {sable.active_results = array<i1: true>} {
// CHECK-NEXT: %0 = stablehlo.subtract %arg0, %arg1 : tensor<3xf32>
// CHECK-NEXT: %1 = stablehlo.negate %arg3 : tensor<3xf32>
// CHECK-NEXT: %2 = stablehlo.add %arg2, %1 : tensor<3xf32>
// CHECK-NEXT: return %0, %2 : tensor<3xf32>, tensor<3xf32>
// CHECK-NEXT: }
// -----

func.func @multiply(%x: tensor<3xf32>, %y: tensor<3xf32>) -> tensor<3xf32> {
  %0 = stablehlo.multiply %x, %y : tensor<3xf32>
  func.return %0 : tensor<3xf32>
}

// CHECK-LABEL: func.func @multiply_jvp(%arg0: tensor<3xf32>, %arg1: tensor<3xf32>, %arg2: tensor<3xf32>, %arg3: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>) attributes {sable.active_results = array<i1: true>} {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg1 : tensor<3xf32>
// CHECK-NEXT: %1 = stablehlo.multiply %arg2, %arg1 : tensor<3xf32>
// CHECK-NEXT: %2 = stablehlo.multiply %arg0, %arg3 : tensor<3xf32>
// CHECK-NEXT: %3 = stablehlo.add %1, %2 : tensor<3xf32>
// CHECK-NEXT: return %0, %3 : tensor<3xf32>, tensor<3xf32>
// CHECK-NEXT: }
// -----

func.func @divide(%x: tensor<3xf32>, %y: tensor<3xf32>) -> tensor<3xf32> {
  %0 = stablehlo.divide %x, %y : tensor<3xf32>
  func.return %0 : tensor<3xf32>
}

// CHECK-LABEL: func.func @divide_jvp(%arg0: tensor<3xf32>, %arg1: tensor<3xf32>, %arg2: tensor<3xf32>, %arg3: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>) attributes {sable.active_results = array<i1: true>} {
// CHECK-NEXT: %0 = stablehlo.divide %arg0, %arg1 : tensor<3xf32>
// CHECK-NEXT: %1 = stablehlo.divide %arg2, %arg1 : tensor<3xf32>
// CHECK-NEXT: %2 = stablehlo.divide %0, %arg1 : tensor<3xf32>
// CHECK-NEXT: %3 = stablehlo.negate %2 : tensor<3xf32>
// CHECK-NEXT: %4 = stablehlo.multiply %arg3, %3 : tensor<3xf32>
// CHECK-NEXT: %5 = stablehlo.add %1, %4 : tensor<3xf32>
// CHECK-NEXT: return %0, %5 : tensor<3xf32>, tensor<3xf32>
// CHECK-NEXT: }
