// RUN: %sable-opt %s --lower='native=true' --lower-loops='route=kernel' | filecheck %s
// In a loop kernel a native function is called from the loop's body.

func.func @main(%l: tensor<3x3xf32>, %b: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %start = stablehlo.constant dense<0> : tensor<i32>
  %0:2 = stablehlo.while(%i = %start, %x = %b) : tensor<i32>, tensor<3x2xf32>
  cond {
    %end = stablehlo.constant dense<10> : tensor<i32>
    %1 = stablehlo.compare LT, %i, %end : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %1 : tensor<i1>
  } do {
    %1 = "stablehlo.triangular_solve"(%l, %x) <{left_side = true, lower = true, unit_diagonal = false, transpose_a = #stablehlo<transpose NO_TRANSPOSE>}> : (tensor<3x3xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
    %one = stablehlo.constant dense<1> : tensor<i32>
    %2 = stablehlo.add %i, %one : tensor<i32>
    stablehlo.return %2, %1 : tensor<i32>, tensor<3x2xf32>
  }
  func.return %0#1 : tensor<3x2xf32>
}

// CHECK: hal.executable.source private @loop_kernel
// CHECK: func.func private @sable_triangular_solve_float32(
// CHECK: scf.while
// CHECK: call @sable_triangular_solve_float32(
// CHECK: scf.yield
