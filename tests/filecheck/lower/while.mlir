// RUN: %sable-opt %s --lower | filecheck %s
// Constants of the loop are used from outside; both functions are written into the regions and then gone.

func.func private @cond(%limit: tensor<f32>, %x: tensor<f32>) -> tensor<i1> {
  %0 = stablehlo.compare LT, %x, %limit : (tensor<f32>, tensor<f32>) -> tensor<i1>
  func.return %0 : tensor<i1>
}
func.func private @body(%y: tensor<f32>, %x: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.add %x, %y : tensor<f32>
  func.return %0 : tensor<f32>
}

func.func @main(%x: tensor<f32>, %limit: tensor<f32>, %y: tensor<f32>) -> tensor<f32> {
  %0 = "sable.while"(%limit, %y, %x) {cond = @cond, body = @body, cond_consts = 1 : i64, body_consts = 1 : i64} : (tensor<f32>, tensor<f32>, tensor<f32>) -> tensor<f32>
  func.return %0 : tensor<f32>
}

// CHECK-LABEL: func.func @main(%arg0: tensor<f32>, %arg1: tensor<f32>, %arg2: tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: %0 = stablehlo.while(%iterArg = %arg0) : tensor<f32>
// CHECK-NEXT: cond {
// CHECK-NEXT: %1 = stablehlo.compare LT, %iterArg, %arg1 : (tensor<f32>, tensor<f32>) -> tensor<i1>
// CHECK-NEXT: stablehlo.return %1 : tensor<i1>
// CHECK-NEXT: } do {
// CHECK-NEXT: %1 = stablehlo.add %iterArg, %arg2 : tensor<f32>
// CHECK-NEXT: stablehlo.return %1 : tensor<f32>
// CHECK-NEXT: }
// CHECK-NEXT: return %0 : tensor<f32>
// CHECK-NEXT: }
