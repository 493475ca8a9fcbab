// RUN: %sable-opt %s --grad --grad='function=main_grad' --cse | filecheck %s
// x^3: first 3 x^2, then 6 x, as sums of products.

func.func @main(%x: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.multiply %x, %x : tensor<f32>
  %1 = stablehlo.multiply %0, %x : tensor<f32>
  func.return %1 : tensor<f32>
}

// CHECK-LABEL: func.func @main_grad(%arg0: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg0 : tensor<f32>
// CHECK-NEXT: %cst = stablehlo.constant dense<1.000000e+00> : tensor<f32>
// CHECK-NEXT: %1 = stablehlo.multiply %0, %cst : tensor<f32>
// CHECK-NEXT: %2 = stablehlo.multiply %cst, %arg0 : tensor<f32>
// CHECK-NEXT: %3 = stablehlo.multiply %arg0, %2 : tensor<f32>
// CHECK-NEXT: %4 = stablehlo.add %1, %3 : tensor<f32>
// CHECK-NEXT: %5 = stablehlo.multiply %2, %arg0 : tensor<f32>
// CHECK-NEXT: %6 = stablehlo.add %4, %5 : tensor<f32>
// CHECK-NEXT: return %6 : tensor<f32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func @main_grad_grad(%arg0: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg0 : tensor<f32>
// CHECK-NEXT: %cst = stablehlo.constant dense<1.000000e+00> : tensor<f32>
// CHECK-NEXT: %1 = stablehlo.multiply %0, %cst : tensor<f32>
// CHECK-NEXT: %2 = stablehlo.multiply %cst, %arg0 : tensor<f32>
// CHECK-NEXT: %3 = stablehlo.multiply %arg0, %2 : tensor<f32>
// CHECK-NEXT: %4 = stablehlo.add %1, %3 : tensor<f32>
// CHECK-NEXT: %5 = stablehlo.multiply %2, %arg0 : tensor<f32>
// CHECK-NEXT: %6 = stablehlo.multiply %2, %cst : tensor<f32>
// CHECK-NEXT: %7 = stablehlo.multiply %arg0, %cst : tensor<f32>
// CHECK-NEXT: %8 = stablehlo.add %2, %7 : tensor<f32>
// CHECK-NEXT: %9 = stablehlo.multiply %cst, %2 : tensor<f32>
// CHECK-NEXT: %10 = stablehlo.add %6, %9 : tensor<f32>
// CHECK-NEXT: %11 = stablehlo.multiply %cst, %8 : tensor<f32>
// CHECK-NEXT: %12 = stablehlo.add %10, %11 : tensor<f32>
// CHECK-NEXT: %13 = stablehlo.multiply %cst, %cst : tensor<f32>
// CHECK-NEXT: %14 = stablehlo.multiply %arg0, %13 : tensor<f32>
// CHECK-NEXT: %15 = stablehlo.add %12, %14 : tensor<f32>
// CHECK-NEXT: %16 = stablehlo.multiply %13, %arg0 : tensor<f32>
// CHECK-NEXT: %17 = stablehlo.add %15, %16 : tensor<f32>
// CHECK-NEXT: return %17 : tensor<f32>
// CHECK-NEXT: }
