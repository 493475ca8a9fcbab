// RUN: %sable-opt %s --grad='argnums=0' | filecheck %s
// RUN: %sable-opt %s --grad='argnums=0' --lower='function=main_grad platform=any' | filecheck %s --check-prefix=LOWERED
// The sine that is named is kept; its cosine is computed again from the argument, behind the barrier.

func.func private @f(%x: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.sine %x : tensor<f32>
  %1 = "sable.name"(%0) {name = "sine"} : (tensor<f32>) -> tensor<f32>
  %2 = stablehlo.sine %1 : tensor<f32>
  func.return %2 : tensor<f32>
}

func.func @main(%x: tensor<f32>) -> tensor<f32> {
  %0 = "sable.checkpoint"(%x) {callee = @f, policy = ["save_only_these_names", "sine"], prevent_cse = true, differentiated = false} : (tensor<f32>) -> tensor<f32>
  func.return %0 : tensor<f32>
}

// CHECK-LABEL: func.func @main_grad(
// CHECK-NEXT: %0:2 = "sable.checkpoint"(%arg0) {callee = @f_forward, differentiated = false, policy = ["save_only_these_names", "sine"], prevent_cse = true}
// CHECK-NEXT: %cst = stablehlo.constant dense<1.000000e+00> : tensor<f32>
// CHECK-NEXT: %1 = "sable.checkpoint"(%arg0, %0#1, %cst) {callee = @f_linear_transpose, differentiated = true, policy = ["save_only_these_names", "sine"], prevent_cse = true}
// CHECK-NEXT: return %1 : tensor<f32>

// CHECK-LABEL: func.func private @f_forward(
// CHECK: return %3, %2 : tensor<f32>, tensor<f32>

// CHECK-LABEL: func.func private @f_linear_transpose(
// CHECK-NEXT: %0 = stablehlo.cosine %arg0 : tensor<f32>
// CHECK-NEXT: %1 = stablehlo.cosine %arg1 : tensor<f32>

// LOWERED-LABEL: func.func @main_grad(
// LOWERED: %4:3 = stablehlo.optimization_barrier %arg0, %0, %cst : tensor<f32>, tensor<f32>, tensor<f32>
// LOWERED-NEXT: %5 = stablehlo.cosine %4#0 : tensor<f32>
// LOWERED-NEXT: %6 = stablehlo.cosine %4#1 : tensor<f32>
