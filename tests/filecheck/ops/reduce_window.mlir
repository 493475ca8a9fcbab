// RUN: %sable-opt %s --batch=size=5 --linearize --transpose='function=windows_linear' | filecheck %s
// A sum of windows is a row of its own, linear; a product is any function, the windows of a batch are one thick.

func.func @windows(%x: tensor<3x4xf32>) -> (tensor<2x4xf32>, tensor<2x2xf32>) {
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %one = stablehlo.constant dense<1.0> : tensor<f32>
  %0 = "stablehlo.reduce_window"(%x, %zero) ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %s = stablehlo.add %a, %b : tensor<f32>
    stablehlo.return %s : tensor<f32>
  }) {window_dimensions = array<i64: 2, 1>} : (tensor<3x4xf32>, tensor<f32>) -> tensor<2x4xf32>
  %1 = "stablehlo.reduce_window"(%x, %one) ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %s = stablehlo.multiply %a, %b : tensor<f32>
    stablehlo.return %s : tensor<f32>
  }) {window_dimensions = array<i64: 2, 2>, window_strides = array<i64: 1, 2>} : (tensor<3x4xf32>, tensor<f32>) -> tensor<2x2xf32>
  func.return %0, %1 : tensor<2x4xf32>, tensor<2x2xf32>
}

// CHECK-LABEL: func.func @windows_batched(%arg0: tensor<5x3x4xf32>) -> (tensor<5x2x4xf32>, tensor<5x2x2xf32>) {
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %cst_0 = stablehlo.constant dense<1.000000e+00> : tensor<f32>
// CHECK-NEXT: %cst_1 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %0 = "stablehlo.reduce_window"(%arg0, %cst_1) <{base_dilations = array<i64: 1, 1, 1>, padding = dense<0> : tensor<3x2xi64>, window_dilations = array<i64: 1, 1, 1>, window_dimensions = array<i64: 1, 2, 1>, window_strides = array<i64: 1, 1, 1>}> ({
// CHECK-NEXT: ^bb0(%arg1: tensor<f32>, %arg2: tensor<f32>):
// CHECK-NEXT: %2 = stablehlo.add %arg1, %arg2 : tensor<f32>
// CHECK-NEXT: stablehlo.return %2 : tensor<f32>
// CHECK-NEXT: }) : (tensor<5x3x4xf32>, tensor<f32>) -> tensor<5x2x4xf32>
// CHECK-NEXT: %1 = "sable.reduce_window"(%arg0, %cst_0) {base_dilations = array<i64: 1, 1, 1>, body = @windows_body, padding = dense<0> : tensor<3x2xi64>, window_dilations = array<i64: 1, 1, 1>, window_dimensions = array<i64: 1, 2, 2>, window_strides = array<i64: 1, 1, 2>} : (tensor<5x3x4xf32>, tensor<f32>) -> tensor<5x2x2xf32>
// CHECK-NEXT: return %0, %1 : tensor<5x2x4xf32>, tensor<5x2x2xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @windows_body(%arg0: tensor<f32>, %arg1: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg1 : tensor<f32>
// CHECK-NEXT: return %0 : tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @windows_forward(%arg0: tensor<3x4xf32>) -> (tensor<2x4xf32>, tensor<2x2xf32>, tensor<9xf32>, tensor<9xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) attributes {sable.residuals = 5 : i64} {
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %cst_0 = stablehlo.constant dense<1.000000e+00> : tensor<f32>
// CHECK-NEXT: %cst_1 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %0 = "stablehlo.reduce_window"(%arg0, %cst_1) <{base_dilations = array<i64: 1, 1>, padding = dense<0> : tensor<2x2xi64>, window_dilations = array<i64: 1, 1>, window_dimensions = array<i64: 2, 1>, window_strides = array<i64: 1, 1>}> ({
// CHECK-NEXT: ^bb0(%arg1: tensor<f32>, %arg2: tensor<f32>):
// CHECK-NEXT: %2 = stablehlo.add %arg1, %arg2 : tensor<f32>
// CHECK-NEXT: stablehlo.return %2 : tensor<f32>
// CHECK-NEXT: }) : (tensor<3x4xf32>, tensor<f32>) -> tensor<2x4xf32>
// CHECK-NEXT: %1:6 = call @reduce_window_forward(%arg0, %cst_0) : (tensor<3x4xf32>, tensor<f32>) -> (tensor<2x2xf32>, tensor<9xf32>, tensor<9xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>)
// CHECK-NEXT: return %0, %1#0, %1#1, %1#2, %1#3, %1#4, %1#5 : tensor<2x4xf32>, tensor<2x2xf32>, tensor<9xf32>, tensor<9xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @windows_linear(%arg0: tensor<3x4xf32>, %arg1: tensor<9xf32>, %arg2: tensor<9xf32>, %arg3: tensor<4xf32>, %arg4: tensor<4xf32>, %arg5: tensor<4xf32>) -> (tensor<2x4xf32>, tensor<2x2xf32>) attributes {sable.active_results = array<i1: true, true>, sable.residuals = 5 : i64} {
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %0 = "stablehlo.reduce_window"(%arg0, %cst) <{base_dilations = array<i64: 1, 1>, padding = dense<0> : tensor<2x2xi64>, window_dilations = array<i64: 1, 1>, window_dimensions = array<i64: 2, 1>, window_strides = array<i64: 1, 1>}> ({
// CHECK-NEXT: ^bb0(%arg6: tensor<f32>, %arg7: tensor<f32>):
// CHECK-NEXT: %2 = stablehlo.add %arg6, %arg7 : tensor<f32>
// CHECK-NEXT: stablehlo.return %2 : tensor<f32>
// CHECK-NEXT: }) : (tensor<3x4xf32>, tensor<f32>) -> tensor<2x4xf32>
// CHECK-NEXT: %1 = call @reduce_window_linear(%arg0, %arg1, %arg2, %arg3, %arg4, %arg5) : (tensor<3x4xf32>, tensor<9xf32>, tensor<9xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<2x2xf32>
// CHECK-NEXT: return %0, %1 : tensor<2x4xf32>, tensor<2x2xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @reduce_window_forward(%arg0: tensor<3x4xf32>, %arg1: tensor<f32>) -> (tensor<2x2xf32>, tensor<9xf32>, tensor<9xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT: %0 = stablehlo.broadcast_in_dim %arg1, dims = [] : (tensor<f32>) -> tensor<2x2xf32>
// CHECK-NEXT: %1 = stablehlo.slice %arg0 [0:3, 0:3] : (tensor<3x4xf32>) -> tensor<3x3xf32>
// CHECK-NEXT: %2 = stablehlo.slice %arg0 [0:3, 1:4] : (tensor<3x4xf32>) -> tensor<3x3xf32>
// CHECK-NEXT: %3 = stablehlo.reshape %1 : (tensor<3x3xf32>) -> tensor<9xf32>
// CHECK-NEXT: %4 = stablehlo.reshape %2 : (tensor<3x3xf32>) -> tensor<9xf32>
// CHECK-NEXT: %5:3 = call @windows_body_batched_forward(%3, %4) : (tensor<9xf32>, tensor<9xf32>) -> (tensor<9xf32>, tensor<9xf32>, tensor<9xf32>)
// CHECK-NEXT: %6 = stablehlo.reshape %5#0 : (tensor<9xf32>) -> tensor<3x3xf32>
// CHECK-NEXT: %7 = stablehlo.slice %6 [0:3, 0:3:2] : (tensor<3x3xf32>) -> tensor<3x2xf32>
// CHECK-NEXT: %8 = stablehlo.slice %7 [0:2, 0:2] : (tensor<3x2xf32>) -> tensor<2x2xf32>
// CHECK-NEXT: %9 = stablehlo.slice %7 [1:3, 0:2] : (tensor<3x2xf32>) -> tensor<2x2xf32>
// CHECK-NEXT: %10 = stablehlo.reshape %8 : (tensor<2x2xf32>) -> tensor<4xf32>
// CHECK-NEXT: %11 = stablehlo.reshape %9 : (tensor<2x2xf32>) -> tensor<4xf32>
// CHECK-NEXT: %12:3 = call @windows_body_batched_forward_1(%10, %11) : (tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>)
// CHECK-NEXT: %13 = stablehlo.reshape %12#0 : (tensor<4xf32>) -> tensor<2x2xf32>
// CHECK-NEXT: %14 = stablehlo.reshape %0 : (tensor<2x2xf32>) -> tensor<4xf32>
// CHECK-NEXT: %15 = stablehlo.reshape %13 : (tensor<2x2xf32>) -> tensor<4xf32>
// CHECK-NEXT: %16:2 = call @windows_body_batched_forward_2(%14, %15) : (tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
// CHECK-NEXT: %17 = stablehlo.reshape %16#0 : (tensor<4xf32>) -> tensor<2x2xf32>
// CHECK-NEXT: return %17, %5#1, %5#2, %12#1, %12#2, %16#1 : tensor<2x2xf32>, tensor<9xf32>, tensor<9xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @reduce_window_linear(%arg0: tensor<3x4xf32>, %arg1: tensor<9xf32>, %arg2: tensor<9xf32>, %arg3: tensor<4xf32>, %arg4: tensor<4xf32>, %arg5: tensor<4xf32>) -> tensor<2x2xf32> {
// CHECK-NEXT: %0 = stablehlo.slice %arg0 [0:3, 0:3] : (tensor<3x4xf32>) -> tensor<3x3xf32>
// CHECK-NEXT: %1 = stablehlo.slice %arg0 [0:3, 1:4] : (tensor<3x4xf32>) -> tensor<3x3xf32>
// CHECK-NEXT: %2 = stablehlo.reshape %0 : (tensor<3x3xf32>) -> tensor<9xf32>
// CHECK-NEXT: %3 = stablehlo.reshape %1 : (tensor<3x3xf32>) -> tensor<9xf32>
// CHECK-NEXT: %4 = call @windows_body_batched_linear(%2, %3, %arg1, %arg2) : (tensor<9xf32>, tensor<9xf32>, tensor<9xf32>, tensor<9xf32>) -> tensor<9xf32>
// CHECK-NEXT: %5 = stablehlo.reshape %4 : (tensor<9xf32>) -> tensor<3x3xf32>
// CHECK-NEXT: %6 = stablehlo.slice %5 [0:3, 0:3:2] : (tensor<3x3xf32>) -> tensor<3x2xf32>
// CHECK-NEXT: %7 = stablehlo.slice %6 [0:2, 0:2] : (tensor<3x2xf32>) -> tensor<2x2xf32>
// CHECK-NEXT: %8 = stablehlo.slice %6 [1:3, 0:2] : (tensor<3x2xf32>) -> tensor<2x2xf32>
// CHECK-NEXT: %9 = stablehlo.reshape %7 : (tensor<2x2xf32>) -> tensor<4xf32>
// CHECK-NEXT: %10 = stablehlo.reshape %8 : (tensor<2x2xf32>) -> tensor<4xf32>
// CHECK-NEXT: %11 = call @windows_body_batched_linear_1(%9, %10, %arg3, %arg4) : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
// CHECK-NEXT: %12 = stablehlo.reshape %11 : (tensor<4xf32>) -> tensor<2x2xf32>
// CHECK-NEXT: %13 = stablehlo.reshape %12 : (tensor<2x2xf32>) -> tensor<4xf32>
// CHECK-NEXT: %14 = call @windows_body_batched_linear_2(%13, %arg5) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
// CHECK-NEXT: %15 = stablehlo.reshape %14 : (tensor<4xf32>) -> tensor<2x2xf32>
// CHECK-NEXT: return %15 : tensor<2x2xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @windows_body_batched_forward(%arg0: tensor<9xf32>, %arg1: tensor<9xf32>) -> (tensor<9xf32>, tensor<9xf32>, tensor<9xf32>) {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg1 : tensor<9xf32>
// CHECK-NEXT: return %0, %arg1, %arg0 : tensor<9xf32>, tensor<9xf32>, tensor<9xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @windows_body_batched_forward_1(%arg0: tensor<4xf32>, %arg1: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg1 : tensor<4xf32>
// CHECK-NEXT: return %0, %arg1, %arg0 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @windows_body_batched_forward_2(%arg0: tensor<4xf32>, %arg1: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg1 : tensor<4xf32>
// CHECK-NEXT: return %0, %arg0 : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @windows_body_batched_linear(%arg0: tensor<9xf32>, %arg1: tensor<9xf32>, %arg2: tensor<9xf32>, %arg3: tensor<9xf32>) -> tensor<9xf32> {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg2 : tensor<9xf32>
// CHECK-NEXT: %1 = stablehlo.multiply %arg3, %arg1 : tensor<9xf32>
// CHECK-NEXT: %2 = stablehlo.add %0, %1 : tensor<9xf32>
// CHECK-NEXT: return %2 : tensor<9xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @windows_body_batched_linear_1(%arg0: tensor<4xf32>, %arg1: tensor<4xf32>, %arg2: tensor<4xf32>, %arg3: tensor<4xf32>) -> tensor<4xf32> {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg2 : tensor<4xf32>
// CHECK-NEXT: %1 = stablehlo.multiply %arg3, %arg1 : tensor<4xf32>
// CHECK-NEXT: %2 = stablehlo.add %0, %1 : tensor<4xf32>
// CHECK-NEXT: return %2 : tensor<4xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @windows_body_batched_linear_2(%arg0: tensor<4xf32>, %arg1: tensor<4xf32>) -> tensor<4xf32> {
// CHECK-NEXT: %0 = stablehlo.multiply %arg1, %arg0 : tensor<4xf32>
// CHECK-NEXT: return %0 : tensor<4xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @windows_linear_transpose(%arg0: tensor<9xf32>, %arg1: tensor<9xf32>, %arg2: tensor<4xf32>, %arg3: tensor<4xf32>, %arg4: tensor<4xf32>, %arg5: tensor<2x4xf32>, %arg6: tensor<2x2xf32>) -> tensor<3x4xf32> {
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %0 = call @reduce_window_linear_transpose(%arg0, %arg1, %arg2, %arg3, %arg4, %arg6) : (tensor<9xf32>, tensor<9xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<2x2xf32>) -> tensor<3x4xf32>
// CHECK-NEXT: %cst_0 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %1 = "stablehlo.reduce_window"(%arg5, %cst_0) <{base_dilations = array<i64: 1, 1>, padding = dense<{{\[\[}}1, 1], [0, 0]]> : tensor<2x2xi64>, window_dilations = array<i64: 1, 1>, window_dimensions = array<i64: 2, 1>, window_strides = array<i64: 1, 1>}> ({
// CHECK-NEXT: ^bb0(%arg7: tensor<f32>, %arg8: tensor<f32>):
// CHECK-NEXT: %3 = stablehlo.add %arg7, %arg8 : tensor<f32>
// CHECK-NEXT: stablehlo.return %3 : tensor<f32>
// CHECK-NEXT: }) : (tensor<2x4xf32>, tensor<f32>) -> tensor<3x4xf32>
// CHECK-NEXT: %2 = stablehlo.add %0, %1 : tensor<3x4xf32>
// CHECK-NEXT: return %2 : tensor<3x4xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @reduce_window_linear_transpose(%arg0: tensor<9xf32>, %arg1: tensor<9xf32>, %arg2: tensor<4xf32>, %arg3: tensor<4xf32>, %arg4: tensor<4xf32>, %arg5: tensor<2x2xf32>) -> tensor<3x4xf32> {
// CHECK-NEXT: %0 = stablehlo.reshape %arg5 : (tensor<2x2xf32>) -> tensor<4xf32>
// CHECK-NEXT: %1 = call @windows_body_batched_linear_2_transpose(%arg4, %0) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
// CHECK-NEXT: %2 = stablehlo.reshape %1 : (tensor<4xf32>) -> tensor<2x2xf32>
// CHECK-NEXT: %3 = stablehlo.reshape %2 : (tensor<2x2xf32>) -> tensor<4xf32>
// CHECK-NEXT: %4:2 = call @windows_body_batched_linear_1_transpose(%arg2, %arg3, %3) : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
// CHECK-NEXT: %5 = stablehlo.reshape %4#1 : (tensor<4xf32>) -> tensor<2x2xf32>
// CHECK-NEXT: %6 = stablehlo.reshape %4#0 : (tensor<4xf32>) -> tensor<2x2xf32>
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %7 = stablehlo.pad %5, %cst, low = [1, 0], high = [0, 0], interior = [0, 0] : (tensor<2x2xf32>, tensor<f32>) -> tensor<3x2xf32>
// CHECK-NEXT: %cst_0 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %8 = stablehlo.pad %6, %cst_0, low = [0, 0], high = [1, 0], interior = [0, 0] : (tensor<2x2xf32>, tensor<f32>) -> tensor<3x2xf32>
// CHECK-NEXT: %9 = stablehlo.add %7, %8 : tensor<3x2xf32>
// CHECK-NEXT: %cst_1 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %10 = stablehlo.pad %9, %cst_1, low = [0, 0], high = [0, 0], interior = [0, 1] : (tensor<3x2xf32>, tensor<f32>) -> tensor<3x3xf32>
// CHECK-NEXT: %11 = stablehlo.reshape %10 : (tensor<3x3xf32>) -> tensor<9xf32>
// CHECK-NEXT: %12:2 = call @windows_body_batched_linear_transpose(%arg0, %arg1, %11) : (tensor<9xf32>, tensor<9xf32>, tensor<9xf32>) -> (tensor<9xf32>, tensor<9xf32>)
// CHECK-NEXT: %13 = stablehlo.reshape %12#1 : (tensor<9xf32>) -> tensor<3x3xf32>
// CHECK-NEXT: %14 = stablehlo.reshape %12#0 : (tensor<9xf32>) -> tensor<3x3xf32>
// CHECK-NEXT: %cst_2 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %15 = stablehlo.pad %13, %cst_2, low = [0, 1], high = [0, 0], interior = [0, 0] : (tensor<3x3xf32>, tensor<f32>) -> tensor<3x4xf32>
// CHECK-NEXT: %cst_3 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %16 = stablehlo.pad %14, %cst_3, low = [0, 0], high = [0, 1], interior = [0, 0] : (tensor<3x3xf32>, tensor<f32>) -> tensor<3x4xf32>
// CHECK-NEXT: %17 = stablehlo.add %15, %16 : tensor<3x4xf32>
// CHECK-NEXT: return %17 : tensor<3x4xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @windows_body_batched_linear_2_transpose(%arg0: tensor<4xf32>, %arg1: tensor<4xf32>) -> tensor<4xf32> {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg1 : tensor<4xf32>
// CHECK-NEXT: return %0 : tensor<4xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @windows_body_batched_linear_1_transpose(%arg0: tensor<4xf32>, %arg1: tensor<4xf32>, %arg2: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT: %0 = stablehlo.multiply %arg1, %arg2 : tensor<4xf32>
// CHECK-NEXT: %1 = stablehlo.multiply %arg2, %arg0 : tensor<4xf32>
// CHECK-NEXT: return %1, %0 : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @windows_body_batched_linear_transpose(%arg0: tensor<9xf32>, %arg1: tensor<9xf32>, %arg2: tensor<9xf32>) -> (tensor<9xf32>, tensor<9xf32>) {
// CHECK-NEXT: %0 = stablehlo.multiply %arg1, %arg2 : tensor<9xf32>
// CHECK-NEXT: %1 = stablehlo.multiply %arg2, %arg0 : tensor<9xf32>
// CHECK-NEXT: return %1, %0 : tensor<9xf32>, tensor<9xf32>
// CHECK-NEXT: }
