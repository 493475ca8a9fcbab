// RUN: %sable-opt %s --batch='size=4 in-axes=0' | filecheck %s
// One block is made of the first state; the others stay what they are.

func.func @main(%state: tensor<2xui64>) -> (tensor<2xui64>, tensor<3xui32>) {
  %0:2 = stablehlo.rng_bit_generator %state, algorithm = PHILOX : (tensor<2xui64>) -> (tensor<2xui64>, tensor<3xui32>)
  func.return %0#0, %0#1 : tensor<2xui64>, tensor<3xui32>
}

// CHECK-LABEL: func.func @main_batched(%arg0: tensor<4x2xui64>) -> (tensor<4x2xui64>, tensor<4x3xui32>) {
// CHECK-NEXT: %0 = stablehlo.slice %arg0 [0:1, 0:2] : (tensor<4x2xui64>) -> tensor<1x2xui64>
// CHECK-NEXT: %1 = stablehlo.reshape %0 : (tensor<1x2xui64>) -> tensor<2xui64>
// CHECK-NEXT: %output_state, %output = stablehlo.rng_bit_generator %1, algorithm = PHILOX : (tensor<2xui64>) -> (tensor<2xui64>, tensor<4x3xui32>)
// CHECK-NEXT: %2 = stablehlo.slice %arg0 [1:4, 0:2] : (tensor<4x2xui64>) -> tensor<3x2xui64>
// CHECK-NEXT: %3 = stablehlo.reshape %output_state : (tensor<2xui64>) -> tensor<1x2xui64>
// CHECK-NEXT: %4 = stablehlo.concatenate %3, %2, dim = 0 : (tensor<1x2xui64>, tensor<3x2xui64>) -> tensor<4x2xui64>
// CHECK-NEXT: return %4, %output : tensor<4x2xui64>, tensor<4x3xui32>
// CHECK-NEXT: }
