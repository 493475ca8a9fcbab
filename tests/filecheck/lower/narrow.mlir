// RUN: %sable-opt %s --lower | filecheck %s
// RUN: %sable-opt %s --lower='platform=any' | filecheck %s --check-prefix=ANY
// Narrow dtypes are bytes on every platform: what moves elements moves bytes, all else is computed in a wider dtype.

// CHECK-LABEL: func.func @moves(%arg0: tensor<4xui8>) -> tensor<4xui8> {
// CHECK: stablehlo.reverse {{.*}} : tensor<4xi8>
// CHECK: return {{.*}} : tensor<4xui8>
// ANY-LABEL: func.func @moves(%arg0: tensor<4xf8E5M2>)
// ANY: stablehlo.reverse %arg0, dims = [0] : tensor<4xf8E5M2>
func.func @moves(%x: tensor<4xf8E5M2>) -> tensor<4xf8E5M2> {
  %0 = stablehlo.reverse %x, dims = [0] : tensor<4xf8E5M2>
  func.return %0 : tensor<4xf8E5M2>
}

// CHECK-LABEL: func.func @floats(%arg0: tensor<4xui8>) -> tensor<4xui8> {
// CHECK: stablehlo.add {{.*}} : tensor<4xf32>
// CHECK: stablehlo.round_nearest_even {{.*}} : tensor<4xf32>
// CHECK: return {{.*}} : tensor<4xui8>
// ANY: stablehlo.add %arg0, %arg0 : tensor<4xf8E5M2>
func.func @floats(%x: tensor<4xf8E5M2>) -> tensor<4xf8E5M2> {
  %0 = stablehlo.add %x, %x : tensor<4xf8E5M2>
  func.return %0 : tensor<4xf8E5M2>
}

// CHECK-LABEL: func.func @integers(%arg0: tensor<4xi8>) -> tensor<4xi8> {
// CHECK: stablehlo.add {{.*}} : tensor<4xi8>
// CHECK: stablehlo.shift_left {{.*}} : tensor<4xi8>
// CHECK-NEXT: stablehlo.shift_right_arithmetic {{.*}} : tensor<4xi8>
// CHECK-NEXT: return {{.*}} : tensor<4xi8>
func.func @integers(%x: tensor<4xi4>) -> tensor<4xi4> {
  %0 = stablehlo.add %x, %x : tensor<4xi4>
  func.return %0 : tensor<4xi4>
}

// CHECK-LABEL: func.func @constants() -> tensor<2xui8> {
// CHECK-NEXT: stablehlo.constant dense<[60, 188]> : tensor<2xui8>
func.func @constants() -> tensor<2xf8E5M2> {
  %0 = stablehlo.constant dense<[1.0, -1.0]> : tensor<2xf8E5M2>
  func.return %0 : tensor<2xf8E5M2>
}
