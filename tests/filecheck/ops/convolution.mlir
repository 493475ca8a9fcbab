// RUN: %sable-opt %s --linearize --transpose='function=conv_linear' --batch='function=conv size=4' --batch='function=conv size=4 in-axes=0,none name=inputs' --batch='function=conv size=4 in-axes=none,0 name=kernels' --transpose='function=grouped linear=true,false name=grouped_lhs' --transpose='function=grouped linear=false,true name=grouped_rhs' | filecheck %s
// With m batch, j input and k output features, [m, j] [j, k] -> [m, k]: the input's cotangent is [m, k] [k, j], the
// kernel's [j, m] [m, k]. Strides and dilations change places. Feature groups become batch groups for the kernel.

func.func @conv(%x: tensor<2x3x9xf32>, %w: tensor<5x3x4xf32>) -> tensor<2x5x4xf32> {
  %0 = "stablehlo.convolution"(%x, %w) {
    window_strides = array<i64: 2>, padding = dense<[[1, 0]]> : tensor<1x2xi64>,
    dimension_numbers = #stablehlo.conv<[b, f, 0]x[o, i, 0]->[b, f, 0]>,
    feature_group_count = 1 : i64, batch_group_count = 1 : i64
  } : (tensor<2x3x9xf32>, tensor<5x3x4xf32>) -> tensor<2x5x4xf32>
  func.return %0 : tensor<2x5x4xf32>
}

func.func @grouped(%x: tensor<2x8x4xf32>, %w: tensor<3x2x6xf32>) -> tensor<2x6x6xf32> {
  %0 = stablehlo.convolution(%x, %w) dim_numbers = [b, 0, f]x[0, i, o]->[b, 0, f], window = {rhs_dilate = [1], reverse = [true]} {batch_group_count = 1 : i64, feature_group_count = 2 : i64} : (tensor<2x8x4xf32>, tensor<3x2x6xf32>) -> tensor<2x6x6xf32>
  func.return %0 : tensor<2x6x6xf32>
}

// CHECK-LABEL: func.func @conv_forward(%arg0: tensor<2x3x9xf32>, %arg1: tensor<5x3x4xf32>) -> (tensor<2x5x4xf32>, tensor<5x3x4xf32>, tensor<2x3x9xf32>) attributes {sable.residuals = 2 : i64} {
// CHECK-NEXT: %0 = stablehlo.convolution(%arg0, %arg1) dim_numbers = [b, f, 0]x[o, i, 0]->[b, f, 0], window = {stride = [2], pad = {{\[\[}}1, 0]], lhs_dilate = [1], rhs_dilate = [1], reverse = [false]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<2x3x9xf32>, tensor<5x3x4xf32>) -> tensor<2x5x4xf32>
// CHECK-NEXT: return %0, %arg1, %arg0 : tensor<2x5x4xf32>, tensor<5x3x4xf32>, tensor<2x3x9xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @conv_linear(%arg0: tensor<2x3x9xf32>, %arg1: tensor<5x3x4xf32>, %arg2: tensor<5x3x4xf32>, %arg3: tensor<2x3x9xf32>) -> tensor<2x5x4xf32> attributes {sable.active_results = array<i1: true>, sable.residuals = 2 : i64} {
// CHECK-NEXT: %0 = stablehlo.convolution(%arg0, %arg2) dim_numbers = [b, f, 0]x[o, i, 0]->[b, f, 0], window = {stride = [2], pad = {{\[\[}}1, 0]], lhs_dilate = [1], rhs_dilate = [1], reverse = [false]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<2x3x9xf32>, tensor<5x3x4xf32>) -> tensor<2x5x4xf32>
// CHECK-NEXT: %1 = stablehlo.convolution(%arg3, %arg1) dim_numbers = [b, f, 0]x[o, i, 0]->[b, f, 0], window = {stride = [2], pad = {{\[\[}}1, 0]], lhs_dilate = [1], rhs_dilate = [1], reverse = [false]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<2x3x9xf32>, tensor<5x3x4xf32>) -> tensor<2x5x4xf32>
// CHECK-NEXT: %2 = stablehlo.add %0, %1 : tensor<2x5x4xf32>
// CHECK-NEXT: return %2 : tensor<2x5x4xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @conv_linear_transpose(%arg0: tensor<5x3x4xf32>, %arg1: tensor<2x3x9xf32>, %arg2: tensor<2x5x4xf32>) -> (tensor<2x3x9xf32>, tensor<5x3x4xf32>) {
// CHECK-NEXT: %0 = stablehlo.convolution(%arg1, %arg2) dim_numbers = [f, b, 0]x[i, o, 0]->[f, b, 0], window = {stride = [1], pad = {{\[\[}}1, 0]], lhs_dilate = [1], rhs_dilate = [2], reverse = [false]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<2x3x9xf32>, tensor<2x5x4xf32>) -> tensor<5x3x4xf32>
// CHECK-NEXT: %1 = stablehlo.convolution(%arg2, %arg0) dim_numbers = [b, f, 0]x[i, o, 0]->[b, f, 0], window = {stride = [1], pad = {{\[\[}}2, 3]], lhs_dilate = [2], rhs_dilate = [1], reverse = [true]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<2x5x4xf32>, tensor<5x3x4xf32>) -> tensor<2x3x9xf32>
// CHECK-NEXT: return %1, %0 : tensor<2x3x9xf32>, tensor<5x3x4xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @conv_batched(%arg0: tensor<4x2x3x9xf32>, %arg1: tensor<4x5x3x4xf32>) -> tensor<4x2x5x4xf32> {
// CHECK-NEXT: %0 = stablehlo.transpose %arg0, dims = [1, 0, 2, 3] : (tensor<4x2x3x9xf32>) -> tensor<2x4x3x9xf32>
// CHECK-NEXT: %1 = stablehlo.reshape %0 : (tensor<2x4x3x9xf32>) -> tensor<2x12x9xf32>
// CHECK-NEXT: %2 = stablehlo.reshape %arg1 : (tensor<4x5x3x4xf32>) -> tensor<20x3x4xf32>
// CHECK-NEXT: %3 = stablehlo.convolution(%1, %2) dim_numbers = [b, f, 0]x[o, i, 0]->[b, f, 0], window = {stride = [2], pad = {{\[\[}}1, 0]], lhs_dilate = [1], rhs_dilate = [1], reverse = [false]} {batch_group_count = 1 : i64, feature_group_count = 4 : i64} : (tensor<2x12x9xf32>, tensor<20x3x4xf32>) -> tensor<2x20x4xf32>
// CHECK-NEXT: %4 = stablehlo.reshape %3 : (tensor<2x20x4xf32>) -> tensor<2x4x5x4xf32>
// CHECK-NEXT: %5 = stablehlo.transpose %4, dims = [1, 0, 2, 3] : (tensor<2x4x5x4xf32>) -> tensor<4x2x5x4xf32>
// CHECK-NEXT: return %5 : tensor<4x2x5x4xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @inputs(%arg0: tensor<4x2x3x9xf32>, %arg1: tensor<5x3x4xf32>) -> tensor<4x2x5x4xf32> {
// CHECK-NEXT: %0 = stablehlo.reshape %arg0 : (tensor<4x2x3x9xf32>) -> tensor<8x3x9xf32>
// CHECK-NEXT: %1 = stablehlo.convolution(%0, %arg1) dim_numbers = [b, f, 0]x[o, i, 0]->[b, f, 0], window = {stride = [2], pad = {{\[\[}}1, 0]], lhs_dilate = [1], rhs_dilate = [1], reverse = [false]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<8x3x9xf32>, tensor<5x3x4xf32>) -> tensor<8x5x4xf32>
// CHECK-NEXT: %2 = stablehlo.reshape %1 : (tensor<8x5x4xf32>) -> tensor<4x2x5x4xf32>
// CHECK-NEXT: return %2 : tensor<4x2x5x4xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @kernels(%arg0: tensor<2x3x9xf32>, %arg1: tensor<4x5x3x4xf32>) -> tensor<4x2x5x4xf32> {
// CHECK-NEXT: %0 = stablehlo.reshape %arg1 : (tensor<4x5x3x4xf32>) -> tensor<20x3x4xf32>
// CHECK-NEXT: %1 = stablehlo.convolution(%arg0, %0) dim_numbers = [b, f, 0]x[o, i, 0]->[b, f, 0], window = {stride = [2], pad = {{\[\[}}1, 0]], lhs_dilate = [1], rhs_dilate = [1], reverse = [false]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<2x3x9xf32>, tensor<20x3x4xf32>) -> tensor<2x20x4xf32>
// CHECK-NEXT: %2 = stablehlo.reshape %1 : (tensor<2x20x4xf32>) -> tensor<2x4x5x4xf32>
// CHECK-NEXT: %3 = stablehlo.transpose %2, dims = [1, 0, 2, 3] : (tensor<2x4x5x4xf32>) -> tensor<4x2x5x4xf32>
// CHECK-NEXT: return %3 : tensor<4x2x5x4xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @grouped_lhs(%arg0: tensor<3x2x6xf32>, %arg1: tensor<2x6x6xf32>) -> tensor<2x8x4xf32> {
// CHECK-NEXT: %0 = stablehlo.reshape %arg0 : (tensor<3x2x6xf32>) -> tensor<3x2x2x3xf32>
// CHECK-NEXT: %1 = stablehlo.transpose %0, dims = [0, 2, 1, 3] : (tensor<3x2x2x3xf32>) -> tensor<3x2x2x3xf32>
// CHECK-NEXT: %2 = stablehlo.reshape %1 : (tensor<3x2x2x3xf32>) -> tensor<3x4x3xf32>
// CHECK-NEXT: %3 = stablehlo.convolution(%arg1, %2) dim_numbers = [b, 0, f]x[0, o, i]->[b, 0, f], window = {stride = [1], pad = {{\[\[}}2, 2]], lhs_dilate = [1], rhs_dilate = [1], reverse = [false]} {batch_group_count = 1 : i64, feature_group_count = 2 : i64} : (tensor<2x6x6xf32>, tensor<3x4x3xf32>) -> tensor<2x8x4xf32>
// CHECK-NEXT: return %3 : tensor<2x8x4xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @grouped_rhs(%arg0: tensor<2x8x4xf32>, %arg1: tensor<2x6x6xf32>) -> tensor<3x2x6xf32> {
// CHECK-NEXT: %0 = stablehlo.convolution(%arg0, %arg1) dim_numbers = [f, 0, b]x[i, 0, o]->[0, b, f], window = {stride = [1], pad = {{\[\[}}0, 0]], lhs_dilate = [1], rhs_dilate = [1], reverse = [false]} {batch_group_count = 2 : i64, feature_group_count = 1 : i64} : (tensor<2x8x4xf32>, tensor<2x6x6xf32>) -> tensor<3x2x6xf32>
// CHECK-NEXT: %1 = stablehlo.reverse %0, dims = [0] : tensor<3x2x6xf32>
// CHECK-NEXT: return %1 : tensor<3x2x6xf32>
// CHECK-NEXT: }
