// RUN: %sable-opt %s --verify-diagnostics
// RUN: %sable-opt %s --allow-unregistered-dialect | filecheck %s

func.func @main(%x: tensor<f32>) -> tensor<f32> {
  // expected-error@+1 {{unknown operation foreign.op: no dialect defines it}}
  %0 = "foreign.op"(%x) : (tensor<f32>) -> tensor<f32>
  func.return %0 : tensor<f32>
}

// CHECK: %0 = "foreign.op"(%arg0) : (tensor<f32>) -> tensor<f32>
