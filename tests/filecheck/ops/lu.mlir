// RUN: %sable-opt %s --jvp --batch='function=main_jvp size=4' | filecheck %s
// P a = L U: dL = L tril(m, -1) and dU = triu(m) U for m = L^-1 P da U^-1.

func.func @main(%a: tensor<3x3xf32>) -> (tensor<3x3xf32>, tensor<3xi32>, tensor<3xi32>) {
  %0, %1, %2 = "sable.lu"(%a) : (tensor<3x3xf32>) -> (tensor<3x3xf32>, tensor<3xi32>, tensor<3xi32>)
  func.return %0, %1, %2 : tensor<3x3xf32>, tensor<3xi32>, tensor<3xi32>
}

// CHECK-LABEL: func.func @main_jvp(%arg0: tensor<3x3xf32>, %arg1: tensor<3x3xf32>) -> (tensor<3x3xf32>, tensor<3xi32>, tensor<3xi32>, tensor<3x3xf32>) attributes {sable.active_results = array<i1: true, false, false>} {
// CHECK-NEXT: %0:3 = "sable.lu"(%arg0) : (tensor<3x3xf32>) -> (tensor<3x3xf32>, tensor<3xi32>, tensor<3xi32>)
// CHECK-NEXT: %1 = stablehlo.reshape %0#2 : (tensor<3xi32>) -> tensor<3x1xi32>
// CHECK-NEXT: %2 = "stablehlo.gather"(%arg1, %1) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1, 3>}> : (tensor<3x3xf32>, tensor<3x1xi32>) -> tensor<3x3xf32>
// CHECK-NEXT: %3 = "stablehlo.triangular_solve"(%0#0, %2) <{left_side = true, lower = true, transpose_a = #stablehlo<transpose NO_TRANSPOSE>, unit_diagonal = true}> : (tensor<3x3xf32>, tensor<3x3xf32>) -> tensor<3x3xf32>
// CHECK-NEXT: %4 = "stablehlo.triangular_solve"(%0#0, %3) <{left_side = false, lower = false, transpose_a = #stablehlo<transpose NO_TRANSPOSE>, unit_diagonal = false}> : (tensor<3x3xf32>, tensor<3x3xf32>) -> tensor<3x3xf32>
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<3x3xf32>
// CHECK-NEXT: %5 = stablehlo.iota dim = 0 : tensor<3x3xi32>
// CHECK-NEXT: %6 = stablehlo.iota dim = 1 : tensor<3x3xi32>
// CHECK-NEXT: %7 = stablehlo.compare GT, %5, %6 : (tensor<3x3xi32>, tensor<3x3xi32>) -> tensor<3x3xi1>
// CHECK-NEXT: %8 = stablehlo.select %7, %4, %cst : tensor<3x3xi1>, tensor<3x3xf32>
// CHECK-NEXT: %cst_0 = stablehlo.constant dense<0.000000e+00> : tensor<3x3xf32>
// CHECK-NEXT: %9 = stablehlo.iota dim = 0 : tensor<3x3xi32>
// CHECK-NEXT: %10 = stablehlo.iota dim = 1 : tensor<3x3xi32>
// CHECK-NEXT: %11 = stablehlo.compare GT, %9, %10 : (tensor<3x3xi32>, tensor<3x3xi32>) -> tensor<3x3xi1>
// CHECK-NEXT: %12 = stablehlo.select %11, %0#0, %cst_0 : tensor<3x3xi1>, tensor<3x3xf32>
// CHECK-NEXT: %13 = stablehlo.dot_general %12, %8, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x3xf32>, tensor<3x3xf32>) -> tensor<3x3xf32>
// CHECK-NEXT: %14 = stablehlo.add %13, %8 : tensor<3x3xf32>
// CHECK-NEXT: %cst_1 = stablehlo.constant dense<0.000000e+00> : tensor<3x3xf32>
// CHECK-NEXT: %15 = stablehlo.iota dim = 0 : tensor<3x3xi32>
// CHECK-NEXT: %16 = stablehlo.iota dim = 1 : tensor<3x3xi32>
// CHECK-NEXT: %17 = stablehlo.compare LE, %15, %16 : (tensor<3x3xi32>, tensor<3x3xi32>) -> tensor<3x3xi1>
// CHECK-NEXT: %18 = stablehlo.select %17, %4, %cst_1 : tensor<3x3xi1>, tensor<3x3xf32>
// CHECK-NEXT: %cst_2 = stablehlo.constant dense<0.000000e+00> : tensor<3x3xf32>
// CHECK-NEXT: %19 = stablehlo.iota dim = 0 : tensor<3x3xi32>
// CHECK-NEXT: %20 = stablehlo.iota dim = 1 : tensor<3x3xi32>
// CHECK-NEXT: %21 = stablehlo.compare LE, %19, %20 : (tensor<3x3xi32>, tensor<3x3xi32>) -> tensor<3x3xi1>
// CHECK-NEXT: %22 = stablehlo.select %21, %0#0, %cst_2 : tensor<3x3xi1>, tensor<3x3xf32>
// CHECK-NEXT: %23 = stablehlo.dot_general %18, %22, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x3xf32>, tensor<3x3xf32>) -> tensor<3x3xf32>
// CHECK-NEXT: %24 = stablehlo.add %14, %23 : tensor<3x3xf32>
// CHECK-NEXT: return %0#0, %0#1, %0#2, %24 : tensor<3x3xf32>, tensor<3xi32>, tensor<3xi32>, tensor<3x3xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @main_jvp_batched(%arg0: tensor<4x3x3xf32>, %arg1: tensor<4x3x3xf32>) -> (tensor<4x3x3xf32>, tensor<4x3xi32>, tensor<4x3xi32>, tensor<4x3x3xf32>) {
// CHECK-NEXT: %0:3 = "sable.lu"(%arg0) : (tensor<4x3x3xf32>) -> (tensor<4x3x3xf32>, tensor<4x3xi32>, tensor<4x3xi32>)
// CHECK-NEXT: %1 = stablehlo.reshape %0#2 : (tensor<4x3xi32>) -> tensor<4x3x1xi32>
// CHECK-NEXT: %2 = "stablehlo.gather"(%arg1, %1) <{dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [1], operand_batching_dims = [0], start_indices_batching_dims = [0], start_index_map = [1], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 1, 3>}> : (tensor<4x3x3xf32>, tensor<4x3x1xi32>) -> tensor<4x3x3xf32>
// CHECK-NEXT: %3 = "stablehlo.triangular_solve"(%0#0, %2) <{left_side = true, lower = true, transpose_a = #stablehlo<transpose NO_TRANSPOSE>, unit_diagonal = true}> : (tensor<4x3x3xf32>, tensor<4x3x3xf32>) -> tensor<4x3x3xf32>
// CHECK-NEXT: %4 = "stablehlo.triangular_solve"(%0#0, %3) <{left_side = false, lower = false, transpose_a = #stablehlo<transpose NO_TRANSPOSE>, unit_diagonal = false}> : (tensor<4x3x3xf32>, tensor<4x3x3xf32>) -> tensor<4x3x3xf32>
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<3x3xf32>
// CHECK-NEXT: %5 = stablehlo.iota dim = 0 : tensor<3x3xi32>
// CHECK-NEXT: %6 = stablehlo.iota dim = 1 : tensor<3x3xi32>
// CHECK-NEXT: %7 = stablehlo.compare GT, %5, %6 : (tensor<3x3xi32>, tensor<3x3xi32>) -> tensor<3x3xi1>
// CHECK-NEXT: %8 = stablehlo.broadcast_in_dim %7, dims = [1, 2] : (tensor<3x3xi1>) -> tensor<4x3x3xi1>
// CHECK-NEXT: %9 = stablehlo.broadcast_in_dim %cst, dims = [1, 2] : (tensor<3x3xf32>) -> tensor<4x3x3xf32>
// CHECK-NEXT: %10 = stablehlo.select %8, %4, %9 : tensor<4x3x3xi1>, tensor<4x3x3xf32>
// CHECK-NEXT: %cst_0 = stablehlo.constant dense<0.000000e+00> : tensor<3x3xf32>
// CHECK-NEXT: %11 = stablehlo.iota dim = 0 : tensor<3x3xi32>
// CHECK-NEXT: %12 = stablehlo.iota dim = 1 : tensor<3x3xi32>
// CHECK-NEXT: %13 = stablehlo.compare GT, %11, %12 : (tensor<3x3xi32>, tensor<3x3xi32>) -> tensor<3x3xi1>
// CHECK-NEXT: %14 = stablehlo.broadcast_in_dim %13, dims = [1, 2] : (tensor<3x3xi1>) -> tensor<4x3x3xi1>
// CHECK-NEXT: %15 = stablehlo.broadcast_in_dim %cst_0, dims = [1, 2] : (tensor<3x3xf32>) -> tensor<4x3x3xf32>
// CHECK-NEXT: %16 = stablehlo.select %14, %0#0, %15 : tensor<4x3x3xi1>, tensor<4x3x3xf32>
// CHECK-NEXT: %17 = stablehlo.dot_general %16, %10, batching_dims = [0] x [0], contracting_dims = [2] x [1], precision = [HIGHEST, HIGHEST] : (tensor<4x3x3xf32>, tensor<4x3x3xf32>) -> tensor<4x3x3xf32>
// CHECK-NEXT: %18 = stablehlo.add %17, %10 : tensor<4x3x3xf32>
// CHECK-NEXT: %cst_1 = stablehlo.constant dense<0.000000e+00> : tensor<3x3xf32>
// CHECK-NEXT: %19 = stablehlo.iota dim = 0 : tensor<3x3xi32>
// CHECK-NEXT: %20 = stablehlo.iota dim = 1 : tensor<3x3xi32>
// CHECK-NEXT: %21 = stablehlo.compare LE, %19, %20 : (tensor<3x3xi32>, tensor<3x3xi32>) -> tensor<3x3xi1>
// CHECK-NEXT: %22 = stablehlo.broadcast_in_dim %21, dims = [1, 2] : (tensor<3x3xi1>) -> tensor<4x3x3xi1>
// CHECK-NEXT: %23 = stablehlo.broadcast_in_dim %cst_1, dims = [1, 2] : (tensor<3x3xf32>) -> tensor<4x3x3xf32>
// CHECK-NEXT: %24 = stablehlo.select %22, %4, %23 : tensor<4x3x3xi1>, tensor<4x3x3xf32>
// CHECK-NEXT: %cst_2 = stablehlo.constant dense<0.000000e+00> : tensor<3x3xf32>
// CHECK-NEXT: %25 = stablehlo.iota dim = 0 : tensor<3x3xi32>
// CHECK-NEXT: %26 = stablehlo.iota dim = 1 : tensor<3x3xi32>
// CHECK-NEXT: %27 = stablehlo.compare LE, %25, %26 : (tensor<3x3xi32>, tensor<3x3xi32>) -> tensor<3x3xi1>
// CHECK-NEXT: %28 = stablehlo.broadcast_in_dim %27, dims = [1, 2] : (tensor<3x3xi1>) -> tensor<4x3x3xi1>
// CHECK-NEXT: %29 = stablehlo.broadcast_in_dim %cst_2, dims = [1, 2] : (tensor<3x3xf32>) -> tensor<4x3x3xf32>
// CHECK-NEXT: %30 = stablehlo.select %28, %0#0, %29 : tensor<4x3x3xi1>, tensor<4x3x3xf32>
// CHECK-NEXT: %31 = stablehlo.dot_general %24, %30, batching_dims = [0] x [0], contracting_dims = [2] x [1], precision = [HIGHEST, HIGHEST] : (tensor<4x3x3xf32>, tensor<4x3x3xf32>) -> tensor<4x3x3xf32>
// CHECK-NEXT: %32 = stablehlo.add %18, %31 : tensor<4x3x3xf32>
// CHECK-NEXT: return %0#0, %0#1, %0#2, %32 : tensor<4x3x3xf32>, tensor<4x3xi32>, tensor<4x3xi32>, tensor<4x3x3xf32>
// CHECK-NEXT: }
