// RUN: %sable-opt %s --lower-loops=route=kernel | filecheck %s
// RUN: %sable-opt %s --lower-loops=route=blocks | filecheck %s --check-prefix=BLOCKS
// RUN: not %sable-opt %s --lower-loops=route=straight 2>&1 | filecheck %s --check-prefix=ERROR
// The loop becomes one executable, which @main dispatches; or blocks.

func.func @main(%x: tensor<f32>) -> tensor<f32> {
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %three = stablehlo.constant dense<3> : tensor<i32>
  %0:2 = stablehlo.while(%i = %zero, %a = %x) : tensor<i32>, tensor<f32>
  cond {
    %p = stablehlo.compare LT, %i, %three : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  } do {
    %j = stablehlo.add %i, %one : tensor<i32>
    %b = stablehlo.sine %a : tensor<f32>
    stablehlo.return %j, %b : tensor<i32>, tensor<f32>
  }
  func.return %0#1 : tensor<f32>
}

// CHECK: hal.executable.source private @loop_kernel
// CHECK: scf.while
// CHECK: memref.store
// CHECK-LABEL: func.func @main
// CHECK-NOT: stablehlo
// CHECK: flow.dispatch @loop_kernel
// CHECK-NOT: stablehlo

// BLOCKS-LABEL: func.func @main
// BLOCKS-NOT: stablehlo.while
// BLOCKS: cf.cond_br

// ERROR: error: lower-loops: route: expected one of auto, blocks, kernel, got 'straight'
