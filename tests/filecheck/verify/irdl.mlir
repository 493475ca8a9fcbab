// RUN: %iree-opt --irdl-file=%irdl %s | filecheck %s
// The formal definition alone, without any of our code: operations of the dialect parse and verify.

func.func private @step(%c: tensor<f32>) -> tensor<f32> {
  func.return %c : tensor<f32>
}
func.func private @cond(%c: tensor<f32>) -> tensor<i1> {
  %0 = stablehlo.constant dense<false> : tensor<i1>
  func.return %0 : tensor<i1>
}
func.func private @rule(%c: tensor<f32>, %t: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
  func.return %c, %t : tensor<f32>, tensor<f32>
}
func.func private @host(tensor<f32>) -> tensor<f32>

// CHECK-LABEL: func.func @main
func.func @main(%i: tensor<i32>, %x: tensor<f32>, %v: tensor<4xf32>, %k: tensor<2xui32>) {
  // CHECK: "sable.scan"(%arg1)
  %0 = "sable.scan"(%x) {body = @step, num_consts = 0 : i64, num_carry = 1 : i64, length = 3 : i64, reverse = false} : (tensor<f32>) -> tensor<f32>
  // CHECK: "sable.while"(%arg1, %arg1)
  %1 = "sable.while"(%x, %x) {cond = @cond, body = @step, cond_consts = 1 : i64, body_consts = 0 : i64} : (tensor<f32>, tensor<f32>) -> tensor<f32>
  // CHECK: "sable.case"(%arg0, %arg1)
  %2 = "sable.case"(%i, %x) {branches = [@step, @step]} : (tensor<i32>, tensor<f32>) -> tensor<f32>
  // CHECK: "sable.custom_jvp_call"(%arg1)
  %3 = "sable.custom_jvp_call"(%x) {callee = @step, rule = @rule} : (tensor<f32>) -> tensor<f32>
  // CHECK: "sable.custom_vjp_call"(%arg1)
  %4 = "sable.custom_vjp_call"(%x) {callee = @step, forward = @step, backward = @step, optimize_remat = false} : (tensor<f32>) -> tensor<f32>
  // CHECK: "sable.host_call"(%arg1)
  %5 = "sable.host_call"(%x) {callback = @host} : (tensor<f32>) -> tensor<f32>
  // CHECK: "sable.host_effect"(%arg1)
  "sable.host_effect"(%x) {callback = @host} : (tensor<f32>) -> ()
  // CHECK: "sable.psum"(%arg2)
  %6 = "sable.psum"(%v) {axes = ["i"]} : (tensor<4xf32>) -> tensor<4xf32>
  // CHECK: "sable.axis_index"()
  %7 = "sable.axis_index"() {axes = ["i"]} : () -> tensor<i32>
  // CHECK: "sable.all_gather"(%arg2)
  %8 = "sable.all_gather"(%v) {axes = ["i"], axis_size = 2 : i64} : (tensor<4xf32>) -> tensor<2x4xf32>
  // CHECK: "sable.cumsum"(%arg2)
  %9 = "sable.cumsum"(%v) {axis = 0 : i64, reverse = true} : (tensor<4xf32>) -> tensor<4xf32>
  // CHECK: "sable.threefry2x32"(%arg3, %arg3, %arg3, %arg3)
  %10:2 = "sable.threefry2x32"(%k, %k, %k, %k) : (tensor<2xui32>, tensor<2xui32>, tensor<2xui32>, tensor<2xui32>) -> (tensor<2xui32>, tensor<2xui32>)
  // CHECK: "sable.stop_gradient"(%arg2)
  %11 = "sable.stop_gradient"(%v) : (tensor<4xf32>) -> tensor<4xf32>
  func.return
}
