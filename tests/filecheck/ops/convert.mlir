// RUN: %sable-opt %s --jvp --transpose | filecheck %s
// Between floating-point types a conversion is linear; its transpose converts back.

func.func @main(%x: tensor<3xf32>) -> tensor<3xf64> {
  %0 = stablehlo.convert %x : (tensor<3xf32>) -> tensor<3xf64>
  func.return %0 : tensor<3xf64>
}

// CHECK-LABEL: func.func @main_jvp(%arg0: tensor<3xf32>, %arg1: tensor<3xf32>) -> (tensor<3xf64>, tensor<3xf64>) attributes {sable.active_results = array<i1: true>} {
// CHECK-NEXT: %0 = stablehlo.convert %arg0 : (tensor<3xf32>) -> tensor<3xf64>
// CHECK-NEXT: %1 = stablehlo.convert %arg1 : (tensor<3xf32>) -> tensor<3xf64>
// CHECK-NEXT: return %0, %1 : tensor<3xf64>, tensor<3xf64>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @main_transpose(%arg0: tensor<3xf64>) -> tensor<3xf32> {
// CHECK-NEXT: %0 = stablehlo.convert %arg0 : (tensor<3xf64>) -> tensor<3xf32>
// CHECK-NEXT: return %0 : tensor<3xf32>
// CHECK-NEXT: }
