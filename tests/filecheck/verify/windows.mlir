// RUN: %sable-opt %s --split-input-file --verify-diagnostics

func.func @padding(%x: tensor<2x3x9xf32>, %w: tensor<5x3x4xf32>) -> tensor<2x5x4xf32> {
  // expected-error@+1 {{expects the shape of padding-attribute to be {N, 2}, but got {1, 3}}}
  %0 = "stablehlo.convolution"(%x, %w) {
    window_strides = array<i64: 2>, padding = dense<[[1, 0, 0]]> : tensor<1x3xi64>,
    dimension_numbers = #stablehlo.conv<[b, f, 0]x[o, i, 0]->[b, f, 0]>,
    feature_group_count = 1 : i64, batch_group_count = 1 : i64
  } : (tensor<2x3x9xf32>, tensor<5x3x4xf32>) -> tensor<2x5x4xf32>
  func.return %0 : tensor<2x5x4xf32>
}

// -----

func.func @strides(%x: tensor<2x3x9xf32>, %w: tensor<5x3x4xf32>) -> tensor<2x5x4xf32> {
  // expected-error@+1 {{expects window-strides to have same dimension-size as size of window dimensions (1), but got: 2}}
  %0 = "stablehlo.convolution"(%x, %w) {
    window_strides = array<i64: 2, 1>,
    dimension_numbers = #stablehlo.conv<[b, f, 0]x[o, i, 0]->[b, f, 0]>,
    feature_group_count = 1 : i64, batch_group_count = 1 : i64
  } : (tensor<2x3x9xf32>, tensor<5x3x4xf32>) -> tensor<2x5x4xf32>
  func.return %0 : tensor<2x5x4xf32>
}
