// RUN: %sable-opt %s --transpose --batch='size=4' | filecheck %s
// The transpose of a running sum is the running sum from the other end.

func.func @main(%x: tensor<5xf32>) -> tensor<5xf32> {
  %0 = "sable.cumsum"(%x) {axis = 0 : i64, reverse = false} : (tensor<5xf32>) -> tensor<5xf32>
  func.return %0 : tensor<5xf32>
}

// CHECK-LABEL: func.func @main_transpose(%arg0: tensor<5xf32>) -> tensor<5xf32> {
// CHECK-NEXT: %0 = "sable.cumsum"(%arg0) {axis = 0 : i64, reverse = true} : (tensor<5xf32>) -> tensor<5xf32>
// CHECK-NEXT: return %0 : tensor<5xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @main_batched(%arg0: tensor<4x5xf32>) -> tensor<4x5xf32> {
// CHECK-NEXT: %0 = "sable.cumsum"(%arg0) {axis = 1 : i64, reverse = false} : (tensor<4x5xf32>) -> tensor<4x5xf32>
// CHECK-NEXT: return %0 : tensor<4x5xf32>
// CHECK-NEXT: }
