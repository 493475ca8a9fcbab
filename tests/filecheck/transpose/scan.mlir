// RUN: %sable-opt %s --transpose='linear=1,1,0' | filecheck %s
// c' = a c + x, y = c, linear in c and the x, runs backwards: ct c = a ct c' + ct y, ct x = ct c'.

func.func private @step(%a: tensor<f32>, %c: tensor<f32>, %x: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
  %0 = stablehlo.multiply %a, %c : tensor<f32>
  %1 = stablehlo.add %0, %x : tensor<f32>
  func.return %1, %c : tensor<f32>, tensor<f32>
}

func.func @main(%c: tensor<f32>, %xs: tensor<4xf32>, %a: tensor<f32>) -> (tensor<f32>, tensor<4xf32>) {
  %0:2 = "sable.scan"(%a, %c, %xs) {body = @step, num_consts = 1 : i64, num_carry = 1 : i64, length = 4 : i64, reverse = false} : (tensor<f32>, tensor<f32>, tensor<4xf32>) -> (tensor<f32>, tensor<4xf32>)
  func.return %0#0, %0#1 : tensor<f32>, tensor<4xf32>
}

// CHECK-LABEL: func.func @main_transpose(%arg0: tensor<f32>, %arg1: tensor<f32>, %arg2: tensor<4xf32>) -> (tensor<f32>, tensor<4xf32>) {
// CHECK-NEXT: %0:2 = "sable.scan"(%arg0, %arg1, %arg2) {body = @step_transpose, length = 4 : i64, num_carry = 1 : i64, num_consts = 1 : i64, reverse = true} : (tensor<f32>, tensor<f32>, tensor<4xf32>) -> (tensor<f32>, tensor<4xf32>)
// CHECK-NEXT: return %0#0, %0#1 : tensor<f32>, tensor<4xf32>
// CHECK-NEXT: }

// CHECK-LABEL: func.func private @step_transpose(%arg0: tensor<f32>, %arg1: tensor<f32>, %arg2: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
// CHECK-NEXT: %0 = stablehlo.multiply %arg0, %arg1 : tensor<f32>
// CHECK-NEXT: %1 = stablehlo.add %arg2, %0 : tensor<f32>
// CHECK-NEXT: return %1, %arg1 : tensor<f32>, tensor<f32>
// CHECK-NEXT: }
