// RUN: %sable-opt %s --lower-loops | filecheck %s
// What is made of more arrays than a dispatch takes is divided; other functions stay as they are.

func.func public @main(%a0: tensor<4xf32>, %a1: tensor<4xf32>, %a2: tensor<4xf32>, %a3: tensor<4xf32>, %a4: tensor<4xf32>, %a5: tensor<4xf32>, %a6: tensor<4xf32>, %a7: tensor<4xf32>, %a8: tensor<4xf32>, %a9: tensor<4xf32>, %a10: tensor<4xf32>, %a11: tensor<4xf32>, %a12: tensor<4xf32>, %a13: tensor<4xf32>, %a14: tensor<4xf32>, %a15: tensor<4xf32>, %a16: tensor<4xf32>, %a17: tensor<4xf32>, %a18: tensor<4xf32>, %a19: tensor<4xf32>, %a20: tensor<4xf32>, %a21: tensor<4xf32>, %a22: tensor<4xf32>, %a23: tensor<4xf32>, %a24: tensor<4xf32>, %a25: tensor<4xf32>, %a26: tensor<4xf32>, %a27: tensor<4xf32>, %a28: tensor<4xf32>, %a29: tensor<4xf32>) -> tensor<4xf32> {
  %1 = stablehlo.add %a0, %a1 : tensor<4xf32>
  %2 = stablehlo.add %1, %a2 : tensor<4xf32>
  %3 = stablehlo.add %2, %a3 : tensor<4xf32>
  %4 = stablehlo.add %3, %a4 : tensor<4xf32>
  %5 = stablehlo.add %4, %a5 : tensor<4xf32>
  %6 = stablehlo.add %5, %a6 : tensor<4xf32>
  %7 = stablehlo.add %6, %a7 : tensor<4xf32>
  %8 = stablehlo.add %7, %a8 : tensor<4xf32>
  %9 = stablehlo.add %8, %a9 : tensor<4xf32>
  %10 = stablehlo.add %9, %a10 : tensor<4xf32>
  %11 = stablehlo.add %10, %a11 : tensor<4xf32>
  %12 = stablehlo.add %11, %a12 : tensor<4xf32>
  %13 = stablehlo.add %12, %a13 : tensor<4xf32>
  %14 = stablehlo.add %13, %a14 : tensor<4xf32>
  %15 = stablehlo.add %14, %a15 : tensor<4xf32>
  %16 = stablehlo.add %15, %a16 : tensor<4xf32>
  %17 = stablehlo.add %16, %a17 : tensor<4xf32>
  %18 = stablehlo.add %17, %a18 : tensor<4xf32>
  %19 = stablehlo.add %18, %a19 : tensor<4xf32>
  %20 = stablehlo.add %19, %a20 : tensor<4xf32>
  %21 = stablehlo.add %20, %a21 : tensor<4xf32>
  %22 = stablehlo.add %21, %a22 : tensor<4xf32>
  %23 = stablehlo.add %22, %a23 : tensor<4xf32>
  %24 = stablehlo.add %23, %a24 : tensor<4xf32>
  %25 = stablehlo.add %24, %a25 : tensor<4xf32>
  %26 = stablehlo.add %25, %a26 : tensor<4xf32>
  %27 = stablehlo.add %26, %a27 : tensor<4xf32>
  %28 = stablehlo.add %27, %a28 : tensor<4xf32>
  %29 = stablehlo.add %28, %a29 : tensor<4xf32>
  return %29 : tensor<4xf32>
}

// CHECK-LABEL: func.func public @main
// CHECK: %[[FIRST:.*]] = stablehlo.add %{{.*}}, %arg26 : tensor<4xf32>
// CHECK-NEXT: %[[BEHIND:.*]] = iree_tensor_ext.compute_barrier.start %[[FIRST]] : tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT: stablehlo.add %[[BEHIND]], %arg27 : tensor<4xf32>
// CHECK-NOT: barrier
// CHECK: return
