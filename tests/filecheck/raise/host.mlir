// RUN: %sable-opt %s --raise | filecheck %s
// A call of a declared function is one of the host.

func.func private @host.f0(tensor<f32>) -> tensor<f32>
func.func private @host.f1(tensor<f32>)

func.func @main(%p: tensor<i1>, %x: tensor<f32>) -> tensor<f32> {
  %0 = "stablehlo.if"(%p) ({
    %1 = func.call @host.f0(%x) : (tensor<f32>) -> tensor<f32>
    stablehlo.return %1 : tensor<f32>
  }, {
    func.call @host.f1(%x) : (tensor<f32>) -> ()
    stablehlo.return %x : tensor<f32>
  }) : (tensor<i1>) -> tensor<f32>
  func.return %0 : tensor<f32>
}

// CHECK-LABEL: func.func private @host.f0(tensor<f32>) -> tensor<f32>

// CHECK-LABEL: func.func private @host.f1(tensor<f32>)

// CHECK-LABEL: func.func @main(%arg0: tensor<i1>, %arg1: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %0 = stablehlo.convert %arg0 : (tensor<i1>) -> tensor<i32>
// CHECK-NEXT: %1 = "sable.case"(%0, %arg1) {branches = [@main_branch0, @main_branch1]} : (tensor<i32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: return %1 : tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @main_branch0(%arg0: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: "sable.host_effect"(%arg0) {callback = @host.f1} : (tensor<f32>) -> ()
// CHECK-NEXT: return %arg0 : tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @main_branch1(%arg0: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %0 = "sable.host_call"(%arg0) {callback = @host.f0} : (tensor<f32>) -> tensor<f32>
// CHECK-NEXT: return %0 : tensor<f32>
// CHECK-NEXT: }
