// RUN: %sable-opt %s --lower='native=true' | filecheck %s --check-prefix=NATIVE
// RUN: %sable-opt %s --lower='platform=any' | filecheck %s --check-prefix=ANY
// RUN: %sable-opt %s --lower | filecheck %s --check-prefix=EXPANDED
// RUN: %sable-opt %s --lower='native=true' --lower-loops | filecheck %s --check-prefix=DISPATCH
// A target that allows native functions gets calls of them, with one batch dimension; others a loop over the columns.

func.func @main(%a: tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xf32> {
  %0 = stablehlo.cholesky %a, lower = true : tensor<2x4x3x3xf32>
  func.return %0 : tensor<2x4x3x3xf32>
}

// NATIVE: %[[STACK:.*]] = stablehlo.reshape %arg0 : (tensor<2x4x3x3xf32>) -> tensor<8x3x3xf32>
// NATIVE-NEXT: %[[L:.*]] = stablehlo.custom_call @sable_cholesky_float32(%[[STACK]]) {api_version = 4 : i32, backend_config = {options = array<i64: 1>, pieces = 1 : i64, work = 216 : i64}} : (tensor<8x3x3xf32>) -> tensor<8x3x3xf32>
// NATIVE-NEXT: stablehlo.reshape %[[L]] : (tensor<8x3x3xf32>) -> tensor<2x4x3x3xf32>

// ANY: stablehlo.cholesky %arg0, lower = true : tensor<2x4x3x3xf32>

// EXPANDED-NOT: cholesky
// EXPANDED: stablehlo.while
// EXPANDED: stablehlo.dot_general
// EXPANDED: stablehlo.sqrt
// EXPANDED: stablehlo.dynamic_update_slice

// The words of the call: address, offset and strides of both, then extents of both, then the option, then which piece.
// DISPATCH: hal.executable.source private @native_call_0
// DISPATCH: func.func private @sable_cholesky_float32(memref<f32>, index, index, index, index, memref<f32>, index, index, index, index, index, index, index, index, index, index, index, index, index) attributes {llvm.bareptr = true}
// DISPATCH: call @sable_cholesky_float32(
// DISPATCH: flow.dispatch @native_call_0::@native_call_0(
