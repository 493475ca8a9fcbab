// RUN: %sable-opt %s --linearize --transpose='function=matmul_linear' --batch='function=matmul size=4' --batch='function=matmul size=4 in-axes=0,none name=one_sided' | filecheck %s
// C = A B: dC = dA B + A dB; dA = ct B^T and dB = A^T ct.

func.func @matmul(%a: tensor<2x3xf32>, %b: tensor<3x5xf32>) -> tensor<2x5xf32> {
  %0 = stablehlo.dot_general %a, %b, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x5xf32>
  func.return %0 : tensor<2x5xf32>
}

// CHECK-LABEL: func.func @matmul_forward(%arg0: tensor<2x3xf32>, %arg1: tensor<3x5xf32>) -> (tensor<2x5xf32>, tensor<3x5xf32>, tensor<2x3xf32>) attributes {sable.residuals = 2 : i64} {
// CHECK-NEXT: %0 = stablehlo.dot_general %arg0, %arg1, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x5xf32>
// CHECK-NEXT: return %0, %arg1, %arg0 : tensor<2x5xf32>, tensor<3x5xf32>, tensor<2x3xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @matmul_linear(%arg0: tensor<2x3xf32>, %arg1: tensor<3x5xf32>, %arg2: tensor<3x5xf32>, %arg3: tensor<2x3xf32>) -> tensor<2x5xf32> attributes {sable.active_results = array<i1: true>, sable.residuals = 2 : i64} {
// CHECK-NEXT: %0 = stablehlo.dot_general %arg0, %arg2, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x5xf32>
// CHECK-NEXT: %1 = stablehlo.dot_general %arg3, %arg1, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x5xf32>
// CHECK-NEXT: %2 = stablehlo.add %0, %1 : tensor<2x5xf32>
// CHECK-NEXT: return %2 : tensor<2x5xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @matmul_linear_transpose(%arg0: tensor<3x5xf32>, %arg1: tensor<2x3xf32>, %arg2: tensor<2x5xf32>) -> (tensor<2x3xf32>, tensor<3x5xf32>) {
// CHECK-NEXT: %0 = stablehlo.dot_general %arg2, %arg1, contracting_dims = [0] x [0] : (tensor<2x5xf32>, tensor<2x3xf32>) -> tensor<5x3xf32>
// CHECK-NEXT: %1 = stablehlo.transpose %0, dims = [1, 0] : (tensor<5x3xf32>) -> tensor<3x5xf32>
// CHECK-NEXT: %2 = stablehlo.dot_general %arg2, %arg0, contracting_dims = [1] x [1] : (tensor<2x5xf32>, tensor<3x5xf32>) -> tensor<2x3xf32>
// CHECK-NEXT: return %2, %1 : tensor<2x3xf32>, tensor<3x5xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @matmul_batched(%arg0: tensor<4x2x3xf32>, %arg1: tensor<4x3x5xf32>) -> tensor<4x2x5xf32> {
// CHECK-NEXT: %0 = stablehlo.dot_general %arg0, %arg1, batching_dims = [0] x [0], contracting_dims = [2] x [1] : (tensor<4x2x3xf32>, tensor<4x3x5xf32>) -> tensor<4x2x5xf32>
// CHECK-NEXT: return %0 : tensor<4x2x5xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @one_sided(%arg0: tensor<4x2x3xf32>, %arg1: tensor<3x5xf32>) -> tensor<4x2x5xf32> {
// CHECK-NEXT: %0 = stablehlo.dot_general %arg0, %arg1, contracting_dims = [2] x [0] : (tensor<4x2x3xf32>, tensor<3x5xf32>) -> tensor<4x2x5xf32>
// CHECK-NEXT: return %0 : tensor<4x2x5xf32>
// CHECK-NEXT: }
