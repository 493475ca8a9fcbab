// RUN: %sable-opt %s --loops-to-blocks | filecheck %s
// The counter is an SSA integer, the branch target blocks are condition, body and what follows.

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

// CHECK-LABEL: func.func @main(%arg0: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %c = stablehlo.constant dense<0> : tensor<i32>
// CHECK-NEXT: %c_0 = stablehlo.constant dense<1> : tensor<i32>
// CHECK-NEXT: %c_1 = stablehlo.constant dense<3> : tensor<i32>
// CHECK-NEXT: %c0_i32 = arith.constant 0 : i32
// CHECK-NEXT: %0 = arith.extsi %c0_i32 : i32 to i64
// CHECK-NEXT: cf.br ^bb1(%0, %arg0 : i64, tensor<f32>)
// CHECK-NEXT: ^bb1(%1: i64, %2: tensor<f32>):  // 2 preds: ^bb0, ^bb2
// CHECK-NEXT: %3 = arith.trunci %1 : i64 to i32
// CHECK-NEXT: %4 = flow.tensor.splat %3 : tensor<i32>
// CHECK-NEXT: %5 = stablehlo.compare LT, %4, %c_1 : (tensor<i32>, tensor<i32>) -> tensor<i1>
// CHECK-NEXT: %c3_i32 = arith.constant 3 : i32
// CHECK-NEXT: %6 = arith.cmpi slt, %3, %c3_i32 : i32
// CHECK-NEXT: cf.cond_br %6, ^bb2, ^bb3
// CHECK-NEXT: ^bb2:  // pred: ^bb1
// CHECK-NEXT: %7 = stablehlo.add %4, %c_0 : tensor<i32>
// CHECK-NEXT: %8 = stablehlo.sine %2 : tensor<f32>
// CHECK-NEXT: %c1_i32 = arith.constant 1 : i32
// CHECK-NEXT: %9 = arith.addi %3, %c1_i32 : i32
// CHECK-NEXT: %10 = arith.extsi %9 : i32 to i64
// CHECK-NEXT: cf.br ^bb1(%10, %8 : i64, tensor<f32>)
// CHECK-NEXT: ^bb3:  // pred: ^bb1
// CHECK-NEXT: return %2 : tensor<f32>
// CHECK-NEXT: }
