// RUN: %sable-opt %s --lower='native=true' | filecheck %s --check-prefix=NATIVE
// RUN: %sable-opt %s --lower | filecheck %s --check-prefix=EXPANDED
// A call of LAPACK for the values alone, or rotations of the columns in a loop.

func.func @main(%a: tensor<4x3xf32>) -> tensor<3xf32> {
  %0 = "sable.svd"(%a) {full_matrices = false, compute_uv = false} : (tensor<4x3xf32>) -> tensor<3xf32>
  func.return %0 : tensor<3xf32>
}

// NATIVE: stablehlo.custom_call @sable_svd_false_float32({{.*}}) {{.*}} : (tensor<1x4x3xf32>) -> tensor<1x3x1xf32>

// EXPANDED-NOT: svd
// EXPANDED: stablehlo.is_finite
// EXPANDED: stablehlo.while
// EXPANDED: stablehlo.sqrt
// EXPANDED: stablehlo.concatenate
