// RUN: %sable-opt %s --mlir-print-op-generic | filecheck %s
// RUN: %sable-opt %s --emit-bytecode | %sable-opt - | filecheck %s --check-prefix=TEXT

func.func @main(%x: tensor<3xf32>) -> tensor<3xf32> {
  %0 = stablehlo.sine %x : tensor<3xf32>
  func.return %0 : tensor<3xf32>
}

// CHECK: "stablehlo.sine"(%arg0)
// TEXT: %0 = stablehlo.sine %arg0 : tensor<3xf32>
