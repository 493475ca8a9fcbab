// RUN: %sable-opt %s --linearize --transpose='function=factor_linear' --batch='function=factor size=4' | filecheck %s
// A = L L^T: dL = L phi(L^-1 dA L^-T), where phi halves the diagonal and drops what is above it.

func.func @factor(%a: tensor<3x3xf32>) -> tensor<3x3xf32> {
  %0 = stablehlo.cholesky %a, lower = true : tensor<3x3xf32>
  func.return %0 : tensor<3x3xf32>
}

// CHECK-LABEL: func.func @factor_forward(%arg0: tensor<3x3xf32>) -> (tensor<3x3xf32>, tensor<3x3xf32>, tensor<3x3xi1>, tensor<3x3xi1>) attributes {sable.residuals = 3 : i64} {
// CHECK-NEXT: %0 = stablehlo.cholesky %arg0, lower = true : tensor<3x3xf32>
// CHECK-NEXT: %cst = stablehlo.constant dense<5.000000e-01> : tensor<3x3xf32>
// CHECK-NEXT: %cst_0 = stablehlo.constant dense<0.000000e+00> : tensor<3x3xf32>
// CHECK-NEXT: %1 = stablehlo.iota dim = 0 : tensor<3x3xi32>
// CHECK-NEXT: %2 = stablehlo.iota dim = 1 : tensor<3x3xi32>
// CHECK-NEXT: %3 = stablehlo.compare GE, %1, %2 : (tensor<3x3xi32>, tensor<3x3xi32>) -> tensor<3x3xi1>
// CHECK-NEXT: %4 = stablehlo.iota dim = 0 : tensor<3x3xi32>
// CHECK-NEXT: %5 = stablehlo.iota dim = 1 : tensor<3x3xi32>
// CHECK-NEXT: %6 = stablehlo.compare EQ, %4, %5 : (tensor<3x3xi32>, tensor<3x3xi32>) -> tensor<3x3xi1>
// CHECK-NEXT: return %0, %0, %3, %6 : tensor<3x3xf32>, tensor<3x3xf32>, tensor<3x3xi1>, tensor<3x3xi1>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @factor_linear(%arg0: tensor<3x3xf32>, %arg1: tensor<3x3xf32>, %arg2: tensor<3x3xi1>, %arg3: tensor<3x3xi1>) -> tensor<3x3xf32> attributes {sable.active_results = array<i1: true>, sable.residuals = 3 : i64} {
// CHECK-NEXT: %0 = "stablehlo.triangular_solve"(%arg1, %arg0) <{left_side = false, lower = true, transpose_a = #stablehlo<transpose ADJOINT>, unit_diagonal = false}> : (tensor<3x3xf32>, tensor<3x3xf32>) -> tensor<3x3xf32>
// CHECK-NEXT: %1 = "stablehlo.triangular_solve"(%arg1, %0) <{left_side = true, lower = true, transpose_a = #stablehlo<transpose NO_TRANSPOSE>, unit_diagonal = false}> : (tensor<3x3xf32>, tensor<3x3xf32>) -> tensor<3x3xf32>
// CHECK-NEXT: %cst = stablehlo.constant dense<5.000000e-01> : tensor<3x3xf32>
// CHECK-NEXT: %2 = stablehlo.multiply %1, %cst : tensor<3x3xf32>
// CHECK-NEXT: %cst_0 = stablehlo.constant dense<0.000000e+00> : tensor<3x3xf32>
// CHECK-NEXT: %3 = stablehlo.select %arg2, %1, %cst_0 : tensor<3x3xi1>, tensor<3x3xf32>
// CHECK-NEXT: %4 = stablehlo.select %arg3, %2, %3 : tensor<3x3xi1>, tensor<3x3xf32>
// CHECK-NEXT: %5 = stablehlo.dot_general %arg1, %4, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x3xf32>, tensor<3x3xf32>) -> tensor<3x3xf32>
// CHECK-NEXT: return %5 : tensor<3x3xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @factor_linear_transpose(%arg0: tensor<3x3xf32>, %arg1: tensor<3x3xi1>, %arg2: tensor<3x3xi1>, %arg3: tensor<3x3xf32>) -> tensor<3x3xf32> {
// CHECK-NEXT: %cst = stablehlo.constant dense<5.000000e-01> : tensor<3x3xf32>
// CHECK-NEXT: %cst_0 = stablehlo.constant dense<0.000000e+00> : tensor<3x3xf32>
// CHECK-NEXT: %0 = stablehlo.dot_general %arg3, %arg0, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x3xf32>, tensor<3x3xf32>) -> tensor<3x3xf32>
// CHECK-NEXT: %1 = stablehlo.transpose %0, dims = [1, 0] : (tensor<3x3xf32>) -> tensor<3x3xf32>
// CHECK-NEXT: %cst_1 = stablehlo.constant dense<0.000000e+00> : tensor<3x3xf32>
// CHECK-NEXT: %2 = stablehlo.select %arg2, %1, %cst_1 : tensor<3x3xi1>, tensor<3x3xf32>
// CHECK-NEXT: %cst_2 = stablehlo.constant dense<0.000000e+00> : tensor<3x3xf32>
// CHECK-NEXT: %3 = stablehlo.select %arg2, %cst_2, %1 : tensor<3x3xi1>, tensor<3x3xf32>
// CHECK-NEXT: %cst_3 = stablehlo.constant dense<0.000000e+00> : tensor<3x3xf32>
// CHECK-NEXT: %4 = stablehlo.select %arg1, %3, %cst_3 : tensor<3x3xi1>, tensor<3x3xf32>
// CHECK-NEXT: %5 = stablehlo.multiply %2, %cst : tensor<3x3xf32>
// CHECK-NEXT: %6 = stablehlo.add %4, %5 : tensor<3x3xf32>
// CHECK-NEXT: %7 = "stablehlo.triangular_solve"(%arg0, %6) <{left_side = true, lower = true, transpose_a = #stablehlo<transpose TRANSPOSE>, unit_diagonal = false}> : (tensor<3x3xf32>, tensor<3x3xf32>) -> tensor<3x3xf32>
// CHECK-NEXT: %8 = "stablehlo.triangular_solve"(%arg0, %7) <{left_side = false, lower = true, transpose_a = #stablehlo<transpose NO_TRANSPOSE>, unit_diagonal = false}> : (tensor<3x3xf32>, tensor<3x3xf32>) -> tensor<3x3xf32>
// CHECK-NEXT: return %8 : tensor<3x3xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @factor_batched(%arg0: tensor<4x3x3xf32>) -> tensor<4x3x3xf32> {
// CHECK-NEXT: %0 = stablehlo.cholesky %arg0, lower = true : tensor<4x3x3xf32>
// CHECK-NEXT: return %0 : tensor<4x3x3xf32>
// CHECK-NEXT: }
