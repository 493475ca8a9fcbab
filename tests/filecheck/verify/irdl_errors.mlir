// RUN: %iree-opt --irdl-file=%irdl %s --split-input-file --verify-diagnostics

func.func @missing_attribute(%v: tensor<4xf32>) {
  // expected-error@+1 {{attribute "reverse" is expected but not provided}}
  %0 = "sable.cumsum"(%v) {axis = 0 : i64} : (tensor<4xf32>) -> tensor<4xf32>
  func.return
}

// -----

func.func @wrong_attribute(%v: tensor<4xf32>) {
  // expected-error@+1 {{expected base attribute 'builtin.array'}}
  %0 = "sable.psum"(%v) {axes = "i"} : (tensor<4xf32>) -> tensor<4xf32>
  func.return
}

// -----

func.func @wrong_flag(%v: tensor<4xf32>) {
  // expected-error@+1 {{does not satisfy the constraint}}
  %0 = "sable.cumsum"(%v) {axis = 0 : i64, reverse = 3 : i64} : (tensor<4xf32>) -> tensor<4xf32>
  func.return
}

// -----

func.func @operands(%v: tensor<4xf32>) {
  // expected-error@+1 {{op expects exactly 1 operands, but got 2}}
  %0 = "sable.stop_gradient"(%v, %v) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  func.return
}

// -----

func.func @result_type(%v: tensor<4xf32>) {
  // expected-error@+1 {{expected 'tensor<4xf32>' but got 'tensor<4xf64>'}}
  %0 = "sable.psum"(%v) {axes = ["i"]} : (tensor<4xf32>) -> tensor<4xf64>
  func.return
}

// -----

func.func @index(%x: tensor<f32>) {
  // expected-error@+1 {{expected 'tensor<i32>' but got 'tensor<f32>'}}
  %0 = "sable.case"(%x) {branches = [@a]} : (tensor<f32>) -> tensor<f32>
  func.return
}

// -----

func.func @no_tensor(%x: f32) {
  // expected-error@+1 {{expected base type 'builtin.tensor' but got 'builtin.f32'}}
  %0 = "sable.stop_gradient"(%x) : (f32) -> f32
  func.return
}

// -----

func.func @unknown(%v: tensor<4xf32>) {
  // expected-error@+1 {{unregistered operation 'sable.nothing' found in dialect ('sable')}}
  %0 = "sable.nothing"(%v) : (tensor<4xf32>) -> tensor<4xf32>
  func.return
}
