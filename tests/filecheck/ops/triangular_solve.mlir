// RUN: %sable-opt %s --linearize --transpose='function=solve_linear' --batch='function=solve size=4' --batch='function=solve size=4 in-axes=none,0 name=many' | filecheck %s
// L x = b: dx = L^-1 (db - dL x), and the cotangent of b is L^-T ct. Right-hand sides of one matrix are columns of one.

func.func @solve(%l: tensor<3x3xf32>, %b: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %0 = "stablehlo.triangular_solve"(%l, %b) <{left_side = true, lower = true, unit_diagonal = false, transpose_a = #stablehlo<transpose NO_TRANSPOSE>}> : (tensor<3x3xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
  func.return %0 : tensor<3x2xf32>
}

// CHECK-LABEL: func.func @solve_forward(%arg0: tensor<3x3xf32>, %arg1: tensor<3x2xf32>) -> (tensor<3x2xf32>, tensor<3x3xi1>, tensor<3x2xf32>, tensor<3x3xf32>) attributes {sable.residuals = 3 : i64} {
// CHECK-NEXT: %0 = "stablehlo.triangular_solve"(%arg0, %arg1) <{left_side = true, lower = true, transpose_a = #stablehlo<transpose NO_TRANSPOSE>, unit_diagonal = false}> : (tensor<3x3xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<3x3xf32>
// CHECK-NEXT: %1 = stablehlo.iota dim = 0 : tensor<3x3xi32>
// CHECK-NEXT: %2 = stablehlo.iota dim = 1 : tensor<3x3xi32>
// CHECK-NEXT: %3 = stablehlo.compare GE, %1, %2 : (tensor<3x3xi32>, tensor<3x3xi32>) -> tensor<3x3xi1>
// CHECK-NEXT: return %0, %3, %0, %arg0 : tensor<3x2xf32>, tensor<3x3xi1>, tensor<3x2xf32>, tensor<3x3xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @solve_linear(%arg0: tensor<3x3xf32>, %arg1: tensor<3x2xf32>, %arg2: tensor<3x3xi1>, %arg3: tensor<3x2xf32>, %arg4: tensor<3x3xf32>) -> tensor<3x2xf32> attributes {sable.active_results = array<i1: true>, sable.residuals = 3 : i64} {
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<3x3xf32>
// CHECK-NEXT: %0 = stablehlo.select %arg2, %arg0, %cst : tensor<3x3xi1>, tensor<3x3xf32>
// CHECK-NEXT: %1 = stablehlo.dot_general %0, %arg3, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x3xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
// CHECK-NEXT: %2 = stablehlo.negate %1 : tensor<3x2xf32>
// CHECK-NEXT: %3 = "stablehlo.triangular_solve"(%arg4, %2) <{left_side = true, lower = true, transpose_a = #stablehlo<transpose NO_TRANSPOSE>, unit_diagonal = false}> : (tensor<3x3xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
// CHECK-NEXT: %4 = "stablehlo.triangular_solve"(%arg4, %arg1) <{left_side = true, lower = true, transpose_a = #stablehlo<transpose NO_TRANSPOSE>, unit_diagonal = false}> : (tensor<3x3xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
// CHECK-NEXT: %5 = stablehlo.add %3, %4 : tensor<3x2xf32>
// CHECK-NEXT: return %5 : tensor<3x2xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @solve_linear_transpose(%arg0: tensor<3x3xi1>, %arg1: tensor<3x2xf32>, %arg2: tensor<3x3xf32>, %arg3: tensor<3x2xf32>) -> (tensor<3x3xf32>, tensor<3x2xf32>) {
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<3x3xf32>
// CHECK-NEXT: %0 = "stablehlo.triangular_solve"(%arg2, %arg3) <{left_side = true, lower = true, transpose_a = #stablehlo<transpose TRANSPOSE>, unit_diagonal = false}> : (tensor<3x3xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
// CHECK-NEXT: %1 = "stablehlo.triangular_solve"(%arg2, %arg3) <{left_side = true, lower = true, transpose_a = #stablehlo<transpose TRANSPOSE>, unit_diagonal = false}> : (tensor<3x3xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
// CHECK-NEXT: %2 = stablehlo.negate %1 : tensor<3x2xf32>
// CHECK-NEXT: %3 = stablehlo.dot_general %2, %arg1, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<3x3xf32>
// CHECK-NEXT: %cst_0 = stablehlo.constant dense<0.000000e+00> : tensor<3x3xf32>
// CHECK-NEXT: %4 = stablehlo.select %arg0, %3, %cst_0 : tensor<3x3xi1>, tensor<3x3xf32>
// CHECK-NEXT: return %4, %0 : tensor<3x3xf32>, tensor<3x2xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @solve_batched(%arg0: tensor<4x3x3xf32>, %arg1: tensor<4x3x2xf32>) -> tensor<4x3x2xf32> {
// CHECK-NEXT: %0 = "stablehlo.triangular_solve"(%arg0, %arg1) <{left_side = true, lower = true, transpose_a = #stablehlo<transpose NO_TRANSPOSE>, unit_diagonal = false}> : (tensor<4x3x3xf32>, tensor<4x3x2xf32>) -> tensor<4x3x2xf32>
// CHECK-NEXT: return %0 : tensor<4x3x2xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @many(%arg0: tensor<3x3xf32>, %arg1: tensor<4x3x2xf32>) -> tensor<4x3x2xf32> {
// CHECK-NEXT: %0 = stablehlo.transpose %arg1, dims = [1, 0, 2] : (tensor<4x3x2xf32>) -> tensor<3x4x2xf32>
// CHECK-NEXT: %1 = stablehlo.reshape %0 : (tensor<3x4x2xf32>) -> tensor<3x8xf32>
// CHECK-NEXT: %2 = "stablehlo.triangular_solve"(%arg0, %1) <{left_side = true, lower = true, transpose_a = #stablehlo<transpose NO_TRANSPOSE>, unit_diagonal = false}> : (tensor<3x3xf32>, tensor<3x8xf32>) -> tensor<3x8xf32>
// CHECK-NEXT: %3 = stablehlo.reshape %2 : (tensor<3x8xf32>) -> tensor<3x4x2xf32>
// CHECK-NEXT: %4 = stablehlo.transpose %3, dims = [1, 0, 2] : (tensor<3x4x2xf32>) -> tensor<4x3x2xf32>
// CHECK-NEXT: return %4 : tensor<4x3x2xf32>
// CHECK-NEXT: }
