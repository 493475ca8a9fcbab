// RUN: %sable-opt %s --jvp | filecheck %s
// A = Q R: dR = Q^H dA - S R, dQ = Q (S - m) + dA R^-1 for m = Q^H dA R^-1, S = tril(m, -1) - tril(m, -1)^H.

func.func @main(%a: tensor<3x2xf32>) -> (tensor<3x2xf32>, tensor<2x2xf32>) {
  %0, %1 = "sable.qr"(%a) {full_matrices = false, pivoting = false} : (tensor<3x2xf32>) -> (tensor<3x2xf32>, tensor<2x2xf32>)
  func.return %0, %1 : tensor<3x2xf32>, tensor<2x2xf32>
}

// CHECK-LABEL: func.func @main_jvp(%arg0: tensor<3x2xf32>, %arg1: tensor<3x2xf32>) -> (tensor<3x2xf32>, tensor<2x2xf32>, tensor<3x2xf32>, tensor<2x2xf32>) attributes {sable.active_results = array<i1: true, true>} {
// CHECK-NEXT: %0:2 = "sable.qr"(%arg0) {full_matrices = false, pivoting = false} : (tensor<3x2xf32>) -> (tensor<3x2xf32>, tensor<2x2xf32>)
// CHECK-NEXT: %1 = stablehlo.slice %0#0 [0:3, 0:2] : (tensor<3x2xf32>) -> tensor<3x2xf32>
// CHECK-NEXT: %2 = stablehlo.slice %0#1 [0:2, 0:2] : (tensor<2x2xf32>) -> tensor<2x2xf32>
// CHECK-NEXT: %3 = stablehlo.slice %0#1 [0:2, 0:2] : (tensor<2x2xf32>) -> tensor<2x2xf32>
// CHECK-NEXT: %4 = stablehlo.slice %arg1 [0:3, 0:2] : (tensor<3x2xf32>) -> tensor<3x2xf32>
// CHECK-NEXT: %5 = "stablehlo.triangular_solve"(%3, %4) <{left_side = false, lower = false, transpose_a = #stablehlo<transpose NO_TRANSPOSE>, unit_diagonal = false}> : (tensor<2x2xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
// CHECK-NEXT: %6 = stablehlo.transpose %1, dims = [1, 0] : (tensor<3x2xf32>) -> tensor<2x3xf32>
// CHECK-NEXT: %7 = stablehlo.dot_general %6, %5, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<2x3xf32>, tensor<3x2xf32>) -> tensor<2x2xf32>
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<2x2xf32>
// CHECK-NEXT: %8 = stablehlo.iota dim = 0 : tensor<2x2xi32>
// CHECK-NEXT: %9 = stablehlo.iota dim = 1 : tensor<2x2xi32>
// CHECK-NEXT: %10 = stablehlo.compare GT, %8, %9 : (tensor<2x2xi32>, tensor<2x2xi32>) -> tensor<2x2xi1>
// CHECK-NEXT: %11 = stablehlo.select %10, %7, %cst : tensor<2x2xi1>, tensor<2x2xf32>
// CHECK-NEXT: %12 = stablehlo.transpose %11, dims = [1, 0] : (tensor<2x2xf32>) -> tensor<2x2xf32>
// CHECK-NEXT: %13 = stablehlo.subtract %11, %12 : tensor<2x2xf32>
// CHECK-NEXT: %14 = stablehlo.subtract %13, %7 : tensor<2x2xf32>
// CHECK-NEXT: %15 = stablehlo.dot_general %1, %14, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
// CHECK-NEXT: %16 = stablehlo.add %15, %5 : tensor<3x2xf32>
// CHECK-NEXT: %17 = stablehlo.dot_general %6, %arg1, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<2x3xf32>, tensor<3x2xf32>) -> tensor<2x2xf32>
// CHECK-NEXT: %18 = stablehlo.dot_general %13, %2, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
// CHECK-NEXT: %19 = stablehlo.subtract %17, %18 : tensor<2x2xf32>
// CHECK-NEXT: %cst_0 = stablehlo.constant dense<0.000000e+00> : tensor<2x2xf32>
// CHECK-NEXT: %20 = stablehlo.iota dim = 0 : tensor<2x2xi32>
// CHECK-NEXT: %21 = stablehlo.iota dim = 1 : tensor<2x2xi32>
// CHECK-NEXT: %22 = stablehlo.compare LE, %20, %21 : (tensor<2x2xi32>, tensor<2x2xi32>) -> tensor<2x2xi1>
// CHECK-NEXT: %23 = stablehlo.select %22, %19, %cst_0 : tensor<2x2xi1>, tensor<2x2xf32>
// CHECK-NEXT: return %0#0, %0#1, %16, %23 : tensor<3x2xf32>, tensor<2x2xf32>, tensor<3x2xf32>, tensor<2x2xf32>
// CHECK-NEXT: }
