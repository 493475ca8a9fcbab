// RUN: %sable-opt %s --batch='size=4' | filecheck %s
// The host gets a function of the whole batch to supply.

func.func private @norm(tensor<3xf32>) -> tensor<f32>

func.func @main(%x: tensor<3xf32>) -> tensor<f32> {
  %0 = "sable.host_call"(%x) {callback = @norm} : (tensor<3xf32>) -> tensor<f32>
  func.return %0 : tensor<f32>
}

// CHECK-LABEL: func.func private @norm_batched(tensor<4x3xf32>) -> tensor<4xf32>

// CHECK-LABEL: func.func @main_batched(%arg0: tensor<4x3xf32>) -> tensor<4xf32> {
// CHECK-NEXT: %0 = "sable.host_call"(%arg0) {callback = @norm_batched} : (tensor<4x3xf32>) -> tensor<4xf32>
// CHECK-NEXT: return %0 : tensor<4xf32>
// CHECK-NEXT: }
