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

// CHECK-LABEL: func.func @main
// CHECK-NOT: stablehlo.while
// CHECK: cf.br ^bb1(
// CHECK: ^bb1([[COUNTER:%.+]]: i{{[0-9]+}}, [[CARRY:%.+]]: tensor<f32>):
// CHECK: arith.cmpi slt
// CHECK: cf.cond_br {{%.+}}, ^bb2, ^bb3
// CHECK: ^bb2:
// CHECK: [[NEXT:%.+]] = stablehlo.sine [[CARRY]] : tensor<f32>
// CHECK: cf.br ^bb1({{%.+}}, [[NEXT]] :
// CHECK: ^bb3:
// CHECK-NEXT: return [[CARRY]] : tensor<f32>
