// RUN: %sable-opt %s --transpose --batch='size=4' | filecheck %s

func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = stablehlo.reverse %x, dims = [1] : tensor<2x3xf32>
  func.return %0 : tensor<2x3xf32>
}

// CHECK-LABEL: func.func @main_transpose(%arg0: tensor<2x3xf32>) -> tensor<2x3xf32> {
// CHECK-NEXT: %0 = stablehlo.reverse %arg0, dims = [1] : tensor<2x3xf32>
// CHECK-NEXT: return %0 : tensor<2x3xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @main_batched(%arg0: tensor<4x2x3xf32>) -> tensor<4x2x3xf32> {
// CHECK-NEXT: %0 = stablehlo.reverse %arg0, dims = [2] : tensor<4x2x3xf32>
// CHECK-NEXT: return %0 : tensor<4x2x3xf32>
// CHECK-NEXT: }
