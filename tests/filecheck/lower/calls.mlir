// RUN: %sable-opt %s --lower='function=main' | filecheck %s
// RUN: %sable-opt %s --lower='function=main platform=any' | filecheck %s
// Calls, custom derivatives and stop_gradient leave only their bodies. @other is not asked for, so @g stays for it.

func.func private @f(%x: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.tanh %x : tensor<f32>
  func.return %0 : tensor<f32>
}
func.func private @f_rule(%x: tensor<f32>, %t: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
  %0 = stablehlo.tanh %x : tensor<f32>
  func.return %0, %t : tensor<f32>, tensor<f32>
}
func.func private @g(%x: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.negate %x : tensor<f32>
  func.return %0 : tensor<f32>
}
func.func @other(%x: tensor<f32>) -> tensor<f32> {
  %0 = func.call @g(%x) : (tensor<f32>) -> tensor<f32>
  func.return %0 : tensor<f32>
}

func.func @main(%x: tensor<f32>) -> tensor<f32> {
  %0 = "sable.custom_jvp_call"(%x) {callee = @f, rule = @f_rule} : (tensor<f32>) -> tensor<f32>
  %1 = func.call @g(%0) : (tensor<f32>) -> tensor<f32>
  %2 = "sable.stop_gradient"(%1) : (tensor<f32>) -> tensor<f32>
  func.return %2 : tensor<f32>
}

// CHECK-LABEL: func.func private @g(%arg0: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %0 = stablehlo.negate %arg0 : tensor<f32>
// CHECK-NEXT: return %0 : tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @other(%arg0: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %0 = call @g(%arg0) : (tensor<f32>) -> tensor<f32>
// CHECK-NEXT: return %0 : tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @main(%arg0: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %0 = stablehlo.tanh %arg0 : tensor<f32>
// CHECK-NEXT: %1 = stablehlo.negate %0 : tensor<f32>
// CHECK-NEXT: return %1 : tensor<f32>
// CHECK-NEXT: }
