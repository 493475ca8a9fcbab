// RUN: %sable-opt %s --jvp --mlir-print-debuginfo --mlir-print-local-scope | filecheck %s
// What a rule emits is at the operation that it differentiates.

func.func @main(%x: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.sine %x : tensor<f32> loc("user.py":12:3)
  %1 = stablehlo.exponential %0 : tensor<f32> loc("user.py":13:5)
  func.return %1 : tensor<f32>
}

// CHECK-LABEL: func.func @main_jvp
// CHECK: stablehlo.sine {{.*}} loc("user.py":12:3)
// CHECK-NEXT: stablehlo.cosine {{.*}} loc("user.py":12:3)
// CHECK-NEXT: stablehlo.multiply {{.*}} loc("user.py":12:3)
// CHECK-NEXT: stablehlo.exponential {{.*}} loc("user.py":13:5)
// CHECK-NEXT: stablehlo.multiply {{.*}} loc("user.py":13:5)
