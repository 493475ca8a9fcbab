// RUN: %sable-opt %s --batch=size=5 --jvp=active=0,1 --transpose='function=added linear=true,false' | filecheck %s
// A body that no row knows is a function of scalars, applied to whole arrays for derivatives; its calls combine halves.

func.func @norm(%x: tensor<3x4xf32>, %init: tensor<f32>) -> tensor<3xf32> {
  %0 = stablehlo.reduce(%x init: %init) across dimensions = [1] : (tensor<3x4xf32>, tensor<f32>) -> tensor<3xf32>
    reducer(%a: tensor<f32>, %b: tensor<f32>) {
      %1 = stablehlo.multiply %a, %a : tensor<f32>
      %2 = stablehlo.multiply %b, %b : tensor<f32>
      %3 = stablehlo.add %1, %2 : tensor<f32>
      %4 = stablehlo.sqrt %3 : tensor<f32>
      stablehlo.return %4 : tensor<f32>
    }
  func.return %0 : tensor<3xf32>
}

func.func @added(%x: tensor<3xf32>, %init: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.reduce(%x init: %init) across dimensions = [0] : (tensor<3xf32>, tensor<f32>) -> tensor<f32>
    reducer(%a: tensor<f32>, %b: tensor<f32>) {
      %1 = stablehlo.negate %a : tensor<f32>
      %2 = stablehlo.subtract %b, %1 : tensor<f32>
      stablehlo.return %2 : tensor<f32>
    }
  func.return %0 : tensor<f32>
}

// CHECK-LABEL: func.func @norm_batched(%arg0: tensor<5x3x4xf32>, %arg1: tensor<5xf32>) -> tensor<5x3xf32> {
// CHECK-NEXT: %0 = call @reduce_batched(%arg0, %arg1) : (tensor<5x3x4xf32>, tensor<5xf32>) -> tensor<5x3xf32>
// CHECK-NEXT: return %0 : tensor<5x3xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @reduce_batched(%arg0: tensor<5x3x4xf32>, %arg1: tensor<5xf32>) -> tensor<5x3xf32> {
// CHECK-NEXT: %0 = stablehlo.transpose %arg0, dims = [0, 2, 1] : (tensor<5x3x4xf32>) -> tensor<5x4x3xf32>
// CHECK-NEXT: %1 = stablehlo.reshape %0 : (tensor<5x4x3xf32>) -> tensor<5x4x3xf32>
// CHECK-NEXT: %2 = stablehlo.broadcast_in_dim %arg1, dims = [0] : (tensor<5xf32>) -> tensor<5x3xf32>
// CHECK-NEXT: %3 = stablehlo.slice %1 [0:5, 0:4:2, 0:3] : (tensor<5x4x3xf32>) -> tensor<5x2x3xf32>
// CHECK-NEXT: %4 = stablehlo.slice %1 [0:5, 1:4:2, 0:3] : (tensor<5x4x3xf32>) -> tensor<5x2x3xf32>
// CHECK-NEXT: %5 = stablehlo.reshape %3 : (tensor<5x2x3xf32>) -> tensor<5x6xf32>
// CHECK-NEXT: %6 = stablehlo.reshape %4 : (tensor<5x2x3xf32>) -> tensor<5x6xf32>
// CHECK-NEXT: %7 = call @norm_body_batched_batched(%5, %6) : (tensor<5x6xf32>, tensor<5x6xf32>) -> tensor<5x6xf32>
// CHECK-NEXT: %8 = stablehlo.reshape %7 : (tensor<5x6xf32>) -> tensor<5x2x3xf32>
// CHECK-NEXT: %9 = stablehlo.slice %8 [0:5, 0:2:2, 0:3] : (tensor<5x2x3xf32>) -> tensor<5x1x3xf32>
// CHECK-NEXT: %10 = stablehlo.slice %8 [0:5, 1:2:2, 0:3] : (tensor<5x2x3xf32>) -> tensor<5x1x3xf32>
// CHECK-NEXT: %11 = stablehlo.reshape %9 : (tensor<5x1x3xf32>) -> tensor<5x3xf32>
// CHECK-NEXT: %12 = stablehlo.reshape %10 : (tensor<5x1x3xf32>) -> tensor<5x3xf32>
// CHECK-NEXT: %13 = call @norm_body_batched_batched_1(%11, %12) : (tensor<5x3xf32>, tensor<5x3xf32>) -> tensor<5x3xf32>
// CHECK-NEXT: %14 = stablehlo.reshape %13 : (tensor<5x3xf32>) -> tensor<5x1x3xf32>
// CHECK-NEXT: %15 = stablehlo.reshape %14 : (tensor<5x1x3xf32>) -> tensor<5x3xf32>
// CHECK-NEXT: %16 = stablehlo.reshape %2 : (tensor<5x3xf32>) -> tensor<5x3xf32>
// CHECK-NEXT: %17 = stablehlo.reshape %15 : (tensor<5x3xf32>) -> tensor<5x3xf32>
// CHECK-NEXT: %18 = call @norm_body_batched_batched_1(%16, %17) : (tensor<5x3xf32>, tensor<5x3xf32>) -> tensor<5x3xf32>
// CHECK-NEXT: %19 = stablehlo.reshape %18 : (tensor<5x3xf32>) -> tensor<5x3xf32>
// CHECK-NEXT: return %19 : tensor<5x3xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @norm_body_batched_batched(%arg0: tensor<5x6xf32>, %arg1: tensor<5x6xf32>) -> tensor<5x6xf32> {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg0 : tensor<5x6xf32>
// CHECK-NEXT: %1 = stablehlo.multiply %arg1, %arg1 : tensor<5x6xf32>
// CHECK-NEXT: %2 = stablehlo.add %0, %1 : tensor<5x6xf32>
// CHECK-NEXT: %3 = stablehlo.sqrt %2 : tensor<5x6xf32>
// CHECK-NEXT: return %3 : tensor<5x6xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @norm_body_batched_batched_1(%arg0: tensor<5x3xf32>, %arg1: tensor<5x3xf32>) -> tensor<5x3xf32> {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg0 : tensor<5x3xf32>
// CHECK-NEXT: %1 = stablehlo.multiply %arg1, %arg1 : tensor<5x3xf32>
// CHECK-NEXT: %2 = stablehlo.add %0, %1 : tensor<5x3xf32>
// CHECK-NEXT: %3 = stablehlo.sqrt %2 : tensor<5x3xf32>
// CHECK-NEXT: return %3 : tensor<5x3xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @norm_jvp(%arg0: tensor<3x4xf32>, %arg1: tensor<f32>, %arg2: tensor<f32>) -> (tensor<3xf32>, tensor<3xf32>) attributes {sable.active_results = array<i1: true>} {
// CHECK-NEXT: %0:2 = call @reduce_jvp(%arg0, %arg1, %arg2) : (tensor<3x4xf32>, tensor<f32>, tensor<f32>) -> (tensor<3xf32>, tensor<3xf32>)
// CHECK-NEXT: return %0#0, %0#1 : tensor<3xf32>, tensor<3xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @reduce_jvp(%arg0: tensor<3x4xf32>, %arg1: tensor<f32>, %arg2: tensor<f32>) -> (tensor<3xf32>, tensor<3xf32>) {
// CHECK-NEXT: %0 = stablehlo.transpose %arg0, dims = [1, 0] : (tensor<3x4xf32>) -> tensor<4x3xf32>
// CHECK-NEXT: %1 = stablehlo.reshape %0 : (tensor<4x3xf32>) -> tensor<4x3xf32>
// CHECK-NEXT: %2 = stablehlo.broadcast_in_dim %arg1, dims = [] : (tensor<f32>) -> tensor<3xf32>
// CHECK-NEXT: %3 = stablehlo.broadcast_in_dim %arg2, dims = [] : (tensor<f32>) -> tensor<3xf32>
// CHECK-NEXT: %4 = stablehlo.slice %1 [0:4:2, 0:3] : (tensor<4x3xf32>) -> tensor<2x3xf32>
// CHECK-NEXT: %5 = stablehlo.slice %1 [1:4:2, 0:3] : (tensor<4x3xf32>) -> tensor<2x3xf32>
// CHECK-NEXT: %6 = stablehlo.reshape %4 : (tensor<2x3xf32>) -> tensor<6xf32>
// CHECK-NEXT: %7 = stablehlo.reshape %5 : (tensor<2x3xf32>) -> tensor<6xf32>
// CHECK-NEXT: %8 = call @norm_body_batched(%6, %7) : (tensor<6xf32>, tensor<6xf32>) -> tensor<6xf32>
// CHECK-NEXT: %9 = stablehlo.reshape %8 : (tensor<6xf32>) -> tensor<2x3xf32>
// CHECK-NEXT: %10 = stablehlo.slice %9 [0:2:2, 0:3] : (tensor<2x3xf32>) -> tensor<1x3xf32>
// CHECK-NEXT: %11 = stablehlo.slice %9 [1:2:2, 0:3] : (tensor<2x3xf32>) -> tensor<1x3xf32>
// CHECK-NEXT: %12 = stablehlo.reshape %10 : (tensor<1x3xf32>) -> tensor<3xf32>
// CHECK-NEXT: %13 = stablehlo.reshape %11 : (tensor<1x3xf32>) -> tensor<3xf32>
// CHECK-NEXT: %14 = call @norm_body_batched_1(%12, %13) : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
// CHECK-NEXT: %15 = stablehlo.reshape %14 : (tensor<3xf32>) -> tensor<1x3xf32>
// CHECK-NEXT: %16 = stablehlo.reshape %15 : (tensor<1x3xf32>) -> tensor<3xf32>
// CHECK-NEXT: %17 = stablehlo.reshape %2 : (tensor<3xf32>) -> tensor<3xf32>
// CHECK-NEXT: %18 = stablehlo.reshape %3 : (tensor<3xf32>) -> tensor<3xf32>
// CHECK-NEXT: %19 = stablehlo.reshape %16 : (tensor<3xf32>) -> tensor<3xf32>
// CHECK-NEXT: %20:2 = call @norm_body_batched_jvp(%17, %19, %18) : (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>)
// CHECK-NEXT: %21 = stablehlo.reshape %20#0 : (tensor<3xf32>) -> tensor<3xf32>
// CHECK-NEXT: %22 = stablehlo.reshape %20#1 : (tensor<3xf32>) -> tensor<3xf32>
// CHECK-NEXT: return %21, %22 : tensor<3xf32>, tensor<3xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @norm_body_batched(%arg0: tensor<6xf32>, %arg1: tensor<6xf32>) -> tensor<6xf32> {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg0 : tensor<6xf32>
// CHECK-NEXT: %1 = stablehlo.multiply %arg1, %arg1 : tensor<6xf32>
// CHECK-NEXT: %2 = stablehlo.add %0, %1 : tensor<6xf32>
// CHECK-NEXT: %3 = stablehlo.sqrt %2 : tensor<6xf32>
// CHECK-NEXT: return %3 : tensor<6xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @norm_body_batched_1(%arg0: tensor<3xf32>, %arg1: tensor<3xf32>) -> tensor<3xf32> {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg0 : tensor<3xf32>
// CHECK-NEXT: %1 = stablehlo.multiply %arg1, %arg1 : tensor<3xf32>
// CHECK-NEXT: %2 = stablehlo.add %0, %1 : tensor<3xf32>
// CHECK-NEXT: %3 = stablehlo.sqrt %2 : tensor<3xf32>
// CHECK-NEXT: return %3 : tensor<3xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @norm_body_batched_jvp(%arg0: tensor<3xf32>, %arg1: tensor<3xf32>, %arg2: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>) {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg0 : tensor<3xf32>
// CHECK-NEXT: %1 = stablehlo.multiply %arg2, %arg0 : tensor<3xf32>
// CHECK-NEXT: %2 = stablehlo.multiply %arg0, %arg2 : tensor<3xf32>
// CHECK-NEXT: %3 = stablehlo.add %1, %2 : tensor<3xf32>
// CHECK-NEXT: %4 = stablehlo.multiply %arg1, %arg1 : tensor<3xf32>
// CHECK-NEXT: %5 = stablehlo.add %0, %4 : tensor<3xf32>
// CHECK-NEXT: %6 = stablehlo.sqrt %5 : tensor<3xf32>
// CHECK-NEXT: %cst = stablehlo.constant dense<5.000000e-01> : tensor<3xf32>
// CHECK-NEXT: %7 = stablehlo.divide %cst, %6 : tensor<3xf32>
// CHECK-NEXT: %8 = stablehlo.multiply %3, %7 : tensor<3xf32>
// CHECK-NEXT: return %6, %8 : tensor<3xf32>, tensor<3xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @added_transpose(%arg0: tensor<f32>, %arg1: tensor<f32>) -> tensor<3xf32> {
// CHECK-NEXT: %0 = call @reduce_transpose(%arg0, %arg1) : (tensor<f32>, tensor<f32>) -> tensor<3xf32>
// CHECK-NEXT: return %0 : tensor<3xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @reduce_transpose(%arg0: tensor<f32>, %arg1: tensor<f32>) -> tensor<3xf32> {
// CHECK-NEXT: %0 = call @added_body_transpose(%arg0, %arg1) : (tensor<f32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: %1 = stablehlo.reshape %0 : (tensor<f32>) -> tensor<1xf32>
// CHECK-NEXT: %2 = stablehlo.reshape %1 : (tensor<1xf32>) -> tensor<1xf32>
// CHECK-NEXT: %3:2 = call @added_body_batched_transpose(%2) : (tensor<1xf32>) -> (tensor<1xf32>, tensor<1xf32>)
// CHECK-NEXT: %4 = stablehlo.reshape %3#1 : (tensor<1xf32>) -> tensor<1xf32>
// CHECK-NEXT: %5 = stablehlo.reshape %3#0 : (tensor<1xf32>) -> tensor<1xf32>
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %6 = stablehlo.pad %4, %cst, low = [1], high = [0], interior = [1] : (tensor<1xf32>, tensor<f32>) -> tensor<2xf32>
// CHECK-NEXT: %cst_0 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %7 = stablehlo.pad %5, %cst_0, low = [0], high = [1], interior = [1] : (tensor<1xf32>, tensor<f32>) -> tensor<2xf32>
// CHECK-NEXT: %8 = stablehlo.add %6, %7 : tensor<2xf32>
// CHECK-NEXT: %9 = stablehlo.slice %8 [0:1] : (tensor<2xf32>) -> tensor<1xf32>
// CHECK-NEXT: %10 = stablehlo.slice %8 [1:2] : (tensor<2xf32>) -> tensor<1xf32>
// CHECK-NEXT: %cst_1 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %11 = stablehlo.pad %10, %cst_1, low = [2], high = [0], interior = [0] : (tensor<1xf32>, tensor<f32>) -> tensor<3xf32>
// CHECK-NEXT: %12 = stablehlo.reshape %9 : (tensor<1xf32>) -> tensor<1xf32>
// CHECK-NEXT: %13:2 = call @added_body_batched_transpose(%12) : (tensor<1xf32>) -> (tensor<1xf32>, tensor<1xf32>)
// CHECK-NEXT: %14 = stablehlo.reshape %13#1 : (tensor<1xf32>) -> tensor<1xf32>
// CHECK-NEXT: %15 = stablehlo.reshape %13#0 : (tensor<1xf32>) -> tensor<1xf32>
// CHECK-NEXT: %cst_2 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %16 = stablehlo.pad %14, %cst_2, low = [1], high = [1], interior = [1] : (tensor<1xf32>, tensor<f32>) -> tensor<3xf32>
// CHECK-NEXT: %17 = stablehlo.add %11, %16 : tensor<3xf32>
// CHECK-NEXT: %cst_3 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %18 = stablehlo.pad %15, %cst_3, low = [0], high = [2], interior = [1] : (tensor<1xf32>, tensor<f32>) -> tensor<3xf32>
// CHECK-NEXT: %19 = stablehlo.add %17, %18 : tensor<3xf32>
// CHECK-NEXT: %20 = stablehlo.reshape %19 : (tensor<3xf32>) -> tensor<3xf32>
// CHECK-NEXT: %21 = stablehlo.transpose %20, dims = [0] : (tensor<3xf32>) -> tensor<3xf32>
// CHECK-NEXT: return %21 : tensor<3xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @added_body_transpose(%arg0: tensor<f32>, %arg1: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %0 = stablehlo.negate %arg0 : tensor<f32>
// CHECK-NEXT: return %arg1 : tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @added_body_batched_transpose(%arg0: tensor<1xf32>) -> (tensor<1xf32>, tensor<1xf32>) {
// CHECK-NEXT: %0 = stablehlo.negate %arg0 : tensor<1xf32>
// CHECK-NEXT: %1 = stablehlo.negate %0 : tensor<1xf32>
// CHECK-NEXT: return %1, %arg0 : tensor<1xf32>, tensor<1xf32>
// CHECK-NEXT: }
