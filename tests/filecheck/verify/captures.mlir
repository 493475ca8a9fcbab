// RUN: not %sable-opt %s --jvp 2>&1 | filecheck %s
// A region that uses a value from outside has no operand for it: an error at the operation, with file and line.

func.func @main(%x: tensor<3xf32>, %scale: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.reduce(%x init: %scale) across dimensions = [0] : (tensor<3xf32>, tensor<f32>) -> tensor<f32>
    reducer(%a: tensor<f32>, %b: tensor<f32>) {
      %1 = stablehlo.multiply %b, %scale : tensor<f32>
      %2 = stablehlo.add %a, %1 : tensor<f32>
      stablehlo.return %2 : tensor<f32>
    }
  func.return %0 : tensor<f32>
}

// CHECK: captures.mlir:5:24: error: stablehlo.reduce: its body uses a value from outside, of type tensor<f32>
