// RUN: %sable-opt %s --lower | filecheck %s
// Host functions become imports of the module `host`, numbered in order of first use over all functions.

func.func private @norm(tensor<3xf32>) -> tensor<f32>
func.func private @print(tensor<f32>)

func.func @main(%x: tensor<3xf32>) -> tensor<f32> {
  %0 = "sable.host_call"(%x) {callback = @norm} : (tensor<3xf32>) -> tensor<f32>
  "sable.host_effect"(%0) {callback = @print} : (tensor<f32>) -> ()
  func.return %0 : tensor<f32>
}

func.func @again(%x: tensor<f32>) {
  "sable.host_effect"(%x) {callback = @print} : (tensor<f32>) -> ()
  func.return
}

// CHECK-LABEL: func.func private @host.f0(tensor<3xf32>) -> tensor<f32>

// CHECK-LABEL: func.func private @host.f1(tensor<f32>)

// CHECK-LABEL: func.func @main(%arg0: tensor<3xf32>) -> tensor<f32> {
// CHECK-NEXT: %0 = call @host.f0(%arg0) : (tensor<3xf32>) -> tensor<f32>
// CHECK-NEXT: call @host.f1(%0) : (tensor<f32>) -> ()
// CHECK-NEXT: return %0 : tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @again(%arg0: tensor<f32>) {
// CHECK-NEXT: call @host.f1(%arg0) : (tensor<f32>) -> ()
// CHECK-NEXT: return
// CHECK-NEXT: }
