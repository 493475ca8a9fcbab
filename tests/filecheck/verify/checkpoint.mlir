// RUN: %sable-opt %s --split-input-file --verify-diagnostics

func.func private @f(%x: tensor<f32>) -> tensor<f32> {
  func.return %x : tensor<f32>
}
func.func @good(%x: tensor<f32>) -> tensor<f32> {
  %0 = "sable.checkpoint"(%x) {callee = @f, policy = ["save_from_both_policies", ["dots_saveable"], ["save_only_these_names", "a"]], prevent_cse = true, differentiated = false} : (tensor<f32>) -> tensor<f32>
  func.return %0 : tensor<f32>
}

// -----

func.func private @f(%x: tensor<f32>) -> tensor<f32> {
  func.return %x : tensor<f32>
}
func.func @no_such_policy(%x: tensor<f32>) -> tensor<f32> {
  // expected-error@+1 {{sable.checkpoint: attribute 'policy' is ["dots"], expected a checkpoint policy}}
  %0 = "sable.checkpoint"(%x) {callee = @f, policy = ["dots"], prevent_cse = true, differentiated = false} : (tensor<f32>) -> tensor<f32>
  func.return %0 : tensor<f32>
}

// -----

func.func private @f(%x: tensor<f32>) -> tensor<f32> {
  func.return %x : tensor<f32>
}
func.func @another_process(%x: tensor<f32>) -> tensor<f32> {
  // expected-error@+1 {{attribute 'policy' is ["python", "mine", "7"], expected a checkpoint policy}}
  %0 = "sable.checkpoint"(%x) {callee = @f, policy = ["python", "mine", "7"], prevent_cse = true, differentiated = false} : (tensor<f32>) -> tensor<f32>
  func.return %0 : tensor<f32>
}
