// RUN: %sable-opt %s --lower='native=true' | filecheck %s
// Large contractions are calls of BLAS's matmul, which takes either operand transposed; others stay.

func.func @main(%a: tensor<7x300x100xf32>, %b: tensor<7x300x200xf32>, %c: tensor<400x600xf32>, %d: tensor<600x50xf32>,
                %e: tensor<40x40xf32>) -> (tensor<7x100x200xf32>, tensor<400x50xf32>, tensor<40x40xf32>) {
  %0 = stablehlo.dot_general %a, %b, batching_dims = [0] x [0], contracting_dims = [1] x [1] : (tensor<7x300x100xf32>, tensor<7x300x200xf32>) -> tensor<7x100x200xf32>
  // a transpose of a whole operand is the kernel's business
  %t = stablehlo.transpose %d, dims = [1, 0] : (tensor<600x50xf32>) -> tensor<50x600xf32>
  %1 = stablehlo.dot_general %c, %t, contracting_dims = [1] x [1] : (tensor<400x600xf32>, tensor<50x600xf32>) -> tensor<400x50xf32>
  %2 = stablehlo.dot_general %e, %e, contracting_dims = [1] x [0] : (tensor<40x40xf32>, tensor<40x40xf32>) -> tensor<40x40xf32>
  func.return %0, %1, %2 : tensor<7x100x200xf32>, tensor<400x50xf32>, tensor<40x40xf32>
}

// CHECK: %[[A:.*]] = stablehlo.custom_call @sable_matmul_float32(%arg0, %arg1) {{.*}}options = array<i64: 1, 0>, pieces = {{[0-9]+}} : i64, work = 84000000 : i64}} : (tensor<7x300x100xf32>, tensor<7x300x200xf32>) -> tensor<7x100x200xf32>
// CHECK-DAG: %[[C:.*]] = stablehlo.reshape %arg2 : (tensor<400x600xf32>) -> tensor<1x400x600xf32>
// CHECK-DAG: %[[D:.*]] = stablehlo.reshape %arg3 : (tensor<600x50xf32>) -> tensor<1x600x50xf32>
// CHECK: %[[B:.*]] = stablehlo.custom_call @sable_matmul_float32(%[[C]], %[[D]]) {{.*}}options = array<i64: 0, 0>, pieces = 1 : i64
// CHECK: stablehlo.reshape %[[B]] : (tensor<1x400x50xf32>) -> tensor<400x50xf32>
// CHECK: stablehlo.dot_general %arg4, %arg4
