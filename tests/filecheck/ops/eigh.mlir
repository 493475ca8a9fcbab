// RUN: %sable-opt %s --lower='native=true' | filecheck %s --check-prefix=NATIVE
// RUN: %sable-opt %s --lower | filecheck %s --check-prefix=EXPANDED
// RUN: %sable-opt %s --batch='function=main size=2' | filecheck %s --check-prefix=BATCH
// A call of LAPACK, or rotations in a loop: of columns, of rows, of the eigenvectors.

func.func @main(%a: tensor<5x3x3xf32>) -> (tensor<5x3x3xf32>, tensor<5x3xf32>) {
  %0:2 = "sable.eigh"(%a) {lower = true} : (tensor<5x3x3xf32>) -> (tensor<5x3x3xf32>, tensor<5x3xf32>)
  func.return %0#0, %0#1 : tensor<5x3x3xf32>, tensor<5x3xf32>
}

// NATIVE: %[[MADE:.*]]:2 = stablehlo.custom_call @sable_eigh_float32(%arg0) {{.*}}options = array<i64: 1>{{.*}} : (tensor<5x3x3xf32>) -> (tensor<5x3x3xf32>, tensor<5x3x1xf32>)
// NATIVE-NEXT: stablehlo.reshape %[[MADE]]#1 : (tensor<5x3x1xf32>) -> tensor<5x3xf32>

// EXPANDED-NOT: eigh
// EXPANDED: stablehlo.is_finite
// EXPANDED: stablehlo.while
// EXPANDED: stablehlo.sqrt
// EXPANDED: stablehlo.concatenate
// EXPANDED: stablehlo.dot_general

// BATCH-LABEL: func.func @main_batched(%arg0: tensor<2x5x3x3xf32>)
// BATCH: "sable.eigh"(%arg0) {lower = true} : (tensor<2x5x3x3xf32>) -> (tensor<2x5x3x3xf32>, tensor<2x5x3xf32>)
