// The sable dialect: what StableHLO and CHLO lack. Written by `python -m sable.tools.irdl --write` from the op table
// (dialects/ops/), never by hand; tests/dialects/test_irdl.py holds the two together.
//
// An operation refers to functions by symbol and has no region. Integer attributes are i64.
//
// IRDL gives a constraint variable one value for the whole of an operation, so one variable for several things says
// that they are equal (%x below: a result of the operand's type). It says so of variadic operands too, for which it has
// no other word: loops, branches and calls are accepted here with operands of one type and results of one type.
// sable-opt (sable.passes.verify) takes operands of different types, and checks the symbols, which IRDL cannot.

irdl.dialect @sable {
  irdl.operation @all_gather {
    %x = irdl.base "!builtin.tensor"
    %result = irdl.base "!builtin.tensor"
    %axes = irdl.base "#builtin.array"
    %axis_size = irdl.base "#builtin.integer"
    irdl.operands(x: %x)
    irdl.results(result: %result)
    irdl.attributes {"axes" = %axes, "axis_size" = %axis_size}
  }

  irdl.operation @argmax {
    %operand = irdl.base "!builtin.tensor"
    %result = irdl.base "!builtin.tensor"
    %axis = irdl.base "#builtin.integer"
    irdl.operands(operand: %operand)
    irdl.results(result: %result)
    irdl.attributes {"axis" = %axis}
  }

  irdl.operation @argmin {
    %operand = irdl.base "!builtin.tensor"
    %result = irdl.base "!builtin.tensor"
    %axis = irdl.base "#builtin.integer"
    irdl.operands(operand: %operand)
    irdl.results(result: %result)
    irdl.attributes {"axis" = %axis}
  }

  irdl.operation @axis_index {
    %result = irdl.is tensor<i32>
    %axes = irdl.base "#builtin.array"
    irdl.results(result: %result)
    irdl.attributes {"axes" = %axes}
  }

  irdl.operation @bessel_i0e {
    %x = irdl.base "!builtin.tensor"
    irdl.operands(x: %x)
    irdl.results(result: %x)
  }

  irdl.operation @betainc {
    %a = irdl.base "!builtin.tensor"
    %b = irdl.base "!builtin.tensor"
    %x = irdl.base "!builtin.tensor"
    %result = irdl.base "!builtin.tensor"
    irdl.operands(a: %a, b: %b, x: %x)
    irdl.results(result: %result)
  }

  irdl.operation @case {
    %index = irdl.is tensor<i32>
    %operands = irdl.base "!builtin.tensor"
    %results = irdl.base "!builtin.tensor"
    %branches = irdl.base "#builtin.array"
    irdl.operands(index: %index, operands: variadic %operands)
    irdl.results(results: variadic %results)
    irdl.attributes {"branches" = %branches}
  }

  irdl.operation @check {
    %operands = irdl.base "!builtin.tensor"
    %results = irdl.base "!builtin.tensor"
    %checks = irdl.base "#builtin.symbol_ref"
    irdl.operands(operands: variadic %operands)
    irdl.results(results: variadic %results)
    irdl.attributes {"checks" = %checks}
  }

  irdl.operation @checkpoint {
    %operands = irdl.base "!builtin.tensor"
    %results = irdl.base "!builtin.tensor"
    %callee = irdl.base "#builtin.symbol_ref"
    %policy = irdl.any
    %prevent_cse_true = irdl.is true
    %prevent_cse_false = irdl.is false
    %prevent_cse = irdl.any_of(%prevent_cse_true, %prevent_cse_false)
    %differentiated_true = irdl.is true
    %differentiated_false = irdl.is false
    %differentiated = irdl.any_of(%differentiated_true, %differentiated_false)
    irdl.operands(operands: variadic %operands)
    irdl.results(results: variadic %results)
    irdl.attributes {"callee" = %callee, "policy" = %policy, "prevent_cse" = %prevent_cse, "differentiated" = %differentiated}
  }

  irdl.operation @cholesky_update {
    %r = irdl.base "!builtin.tensor"
    %w = irdl.base "!builtin.tensor"
    %result = irdl.base "!builtin.tensor"
    irdl.operands(r: %r, w: %w)
    irdl.results(result: %result)
  }

  irdl.operation @composite {
    %operands = irdl.base "!builtin.tensor"
    %results = irdl.base "!builtin.tensor"
    %callee = irdl.base "#builtin.symbol_ref"
    %name = irdl.base "#builtin.string"
    %version = irdl.base "#builtin.integer"
    irdl.operands(operands: variadic %operands)
    irdl.results(results: variadic %results)
    irdl.attributes {"callee" = %callee, "name" = %name, "version" = %version}
  }

  irdl.operation @cumlogsumexp {
    %operand = irdl.base "!builtin.tensor"
    %axis = irdl.base "#builtin.integer"
    %reverse_true = irdl.is true
    %reverse_false = irdl.is false
    %reverse = irdl.any_of(%reverse_true, %reverse_false)
    irdl.operands(operand: %operand)
    irdl.results(result: %operand)
    irdl.attributes {"axis" = %axis, "reverse" = %reverse}
  }

  irdl.operation @cummax {
    %operand = irdl.base "!builtin.tensor"
    %axis = irdl.base "#builtin.integer"
    %reverse_true = irdl.is true
    %reverse_false = irdl.is false
    %reverse = irdl.any_of(%reverse_true, %reverse_false)
    irdl.operands(operand: %operand)
    irdl.results(result: %operand)
    irdl.attributes {"axis" = %axis, "reverse" = %reverse}
  }

  irdl.operation @cummin {
    %operand = irdl.base "!builtin.tensor"
    %axis = irdl.base "#builtin.integer"
    %reverse_true = irdl.is true
    %reverse_false = irdl.is false
    %reverse = irdl.any_of(%reverse_true, %reverse_false)
    irdl.operands(operand: %operand)
    irdl.results(result: %operand)
    irdl.attributes {"axis" = %axis, "reverse" = %reverse}
  }

  irdl.operation @cumprod {
    %operand = irdl.base "!builtin.tensor"
    %axis = irdl.base "#builtin.integer"
    %reverse_true = irdl.is true
    %reverse_false = irdl.is false
    %reverse = irdl.any_of(%reverse_true, %reverse_false)
    irdl.operands(operand: %operand)
    irdl.results(result: %operand)
    irdl.attributes {"axis" = %axis, "reverse" = %reverse}
  }

  irdl.operation @cumsum {
    %operand = irdl.base "!builtin.tensor"
    %axis = irdl.base "#builtin.integer"
    %reverse_true = irdl.is true
    %reverse_false = irdl.is false
    %reverse = irdl.any_of(%reverse_true, %reverse_false)
    irdl.operands(operand: %operand)
    irdl.results(result: %operand)
    irdl.attributes {"axis" = %axis, "reverse" = %reverse}
  }

  irdl.operation @custom_jvp_call {
    %operands = irdl.base "!builtin.tensor"
    %results = irdl.base "!builtin.tensor"
    %callee = irdl.base "#builtin.symbol_ref"
    %rule = irdl.base "#builtin.symbol_ref"
    irdl.operands(operands: variadic %operands)
    irdl.results(results: variadic %results)
    irdl.attributes {"callee" = %callee, "rule" = %rule}
  }

  irdl.operation @custom_linear_solve {
    %operands = irdl.base "!builtin.tensor"
    %results = irdl.base "!builtin.tensor"
    %functions = irdl.base "#builtin.array"
    irdl.operands(operands: variadic %operands)
    irdl.results(results: variadic %results)
    irdl.attributes {"functions" = %functions}
  }

  irdl.operation @custom_vjp_call {
    %operands = irdl.base "!builtin.tensor"
    %results = irdl.base "!builtin.tensor"
    %callee = irdl.base "#builtin.symbol_ref"
    %forward = irdl.base "#builtin.symbol_ref"
    %backward = irdl.base "#builtin.symbol_ref"
    %optimize_remat_true = irdl.is true
    %optimize_remat_false = irdl.is false
    %optimize_remat = irdl.any_of(%optimize_remat_true, %optimize_remat_false)
    irdl.operands(operands: variadic %operands)
    irdl.results(results: variadic %results)
    irdl.attributes {"callee" = %callee, "forward" = %forward, "backward" = %backward, "optimize_remat" = %optimize_remat}
  }

  irdl.operation @custom_vjp_linear {
    %operands = irdl.base "!builtin.tensor"
    %results = irdl.base "!builtin.tensor"
    %callee = irdl.base "#builtin.symbol_ref"
    %backward = irdl.base "#builtin.symbol_ref"
    %num_residuals = irdl.base "#builtin.integer"
    irdl.operands(operands: variadic %operands)
    irdl.results(results: variadic %results)
    irdl.attributes {"callee" = %callee, "backward" = %backward, "num_residuals" = %num_residuals}
  }

  irdl.operation @custom_vmap_call {
    %operands = irdl.base "!builtin.tensor"
    %results = irdl.base "!builtin.tensor"
    %callee = irdl.base "#builtin.symbol_ref"
    %rule = irdl.any
    irdl.operands(operands: variadic %operands)
    irdl.results(results: variadic %results)
    irdl.attributes {"callee" = %callee, "rule" = %rule}
  }

  irdl.operation @eig {
    %a = irdl.base "!builtin.tensor"
    %results = irdl.base "!builtin.tensor"
    %compute_left_eigenvectors_true = irdl.is true
    %compute_left_eigenvectors_false = irdl.is false
    %compute_left_eigenvectors = irdl.any_of(%compute_left_eigenvectors_true, %compute_left_eigenvectors_false)
    %compute_right_eigenvectors_true = irdl.is true
    %compute_right_eigenvectors_false = irdl.is false
    %compute_right_eigenvectors = irdl.any_of(%compute_right_eigenvectors_true, %compute_right_eigenvectors_false)
    %enable_eigvec_derivs_true = irdl.is true
    %enable_eigvec_derivs_false = irdl.is false
    %enable_eigvec_derivs = irdl.any_of(%enable_eigvec_derivs_true, %enable_eigvec_derivs_false)
    irdl.operands(a: %a)
    irdl.results(results: variadic %results)
    irdl.attributes {"compute_left_eigenvectors" = %compute_left_eigenvectors, "compute_right_eigenvectors" = %compute_right_eigenvectors, "enable_eigvec_derivs" = %enable_eigvec_derivs}
  }

  irdl.operation @eigh {
    %a = irdl.base "!builtin.tensor"
    %result0 = irdl.base "!builtin.tensor"
    %result1 = irdl.base "!builtin.tensor"
    %lower_true = irdl.is true
    %lower_false = irdl.is false
    %lower = irdl.any_of(%lower_true, %lower_false)
    irdl.operands(a: %a)
    irdl.results(result0: %result0, result1: %result1)
    irdl.attributes {"lower" = %lower}
  }

  irdl.operation @geqp3 {
    %a = irdl.base "!builtin.tensor"
    %result0 = irdl.base "!builtin.tensor"
    %result1 = irdl.base "!builtin.tensor"
    %result2 = irdl.base "!builtin.tensor"
    irdl.operands(a: %a)
    irdl.results(result0: %result0, result1: %result1, result2: %result2)
  }

  irdl.operation @geqrf {
    %a = irdl.base "!builtin.tensor"
    %result0 = irdl.base "!builtin.tensor"
    %result1 = irdl.base "!builtin.tensor"
    irdl.operands(a: %a)
    irdl.results(result0: %result0, result1: %result1)
  }

  irdl.operation @hessenberg {
    %a = irdl.base "!builtin.tensor"
    %result0 = irdl.base "!builtin.tensor"
    %result1 = irdl.base "!builtin.tensor"
    irdl.operands(a: %a)
    irdl.results(result0: %result0, result1: %result1)
  }

  irdl.operation @host_call {
    %operands = irdl.base "!builtin.tensor"
    %results = irdl.base "!builtin.tensor"
    %callback = irdl.base "#builtin.symbol_ref"
    irdl.operands(operands: variadic %operands)
    irdl.results(results: variadic %results)
    irdl.attributes {"callback" = %callback}
  }

  irdl.operation @host_effect {
    %operands = irdl.base "!builtin.tensor"
    %results = irdl.base "!builtin.tensor"
    %callback = irdl.base "#builtin.symbol_ref"
    irdl.operands(operands: variadic %operands)
    irdl.results(results: variadic %results)
    irdl.attributes {"callback" = %callback}
  }

  irdl.operation @householder_product {
    %a = irdl.base "!builtin.tensor"
    %taus = irdl.base "!builtin.tensor"
    %result = irdl.base "!builtin.tensor"
    irdl.operands(a: %a, taus: %taus)
    irdl.results(result: %result)
  }

  irdl.operation @igamma {
    %a = irdl.base "!builtin.tensor"
    %x = irdl.base "!builtin.tensor"
    %result = irdl.base "!builtin.tensor"
    irdl.operands(a: %a, x: %x)
    irdl.results(result: %result)
  }

  irdl.operation @igamma_grad_a {
    %a = irdl.base "!builtin.tensor"
    %x = irdl.base "!builtin.tensor"
    %result = irdl.base "!builtin.tensor"
    irdl.operands(a: %a, x: %x)
    irdl.results(result: %result)
  }

  irdl.operation @igammac {
    %a = irdl.base "!builtin.tensor"
    %x = irdl.base "!builtin.tensor"
    %result = irdl.base "!builtin.tensor"
    irdl.operands(a: %a, x: %x)
    irdl.results(result: %result)
  }

  irdl.operation @integer_pow {
    %operand = irdl.base "!builtin.tensor"
    %y = irdl.base "#builtin.integer"
    irdl.operands(operand: %operand)
    irdl.results(result: %operand)
    irdl.attributes {"y" = %y}
  }

  irdl.operation @io_call {
    %operands = irdl.base "!builtin.tensor"
    %results = irdl.base "!builtin.tensor"
    %callback = irdl.base "#builtin.symbol_ref"
    irdl.operands(operands: variadic %operands)
    irdl.results(results: variadic %results)
    irdl.attributes {"callback" = %callback}
  }

  irdl.operation @linear_call {
    %operands = irdl.base "!builtin.tensor"
    %results = irdl.base "!builtin.tensor"
    %functions = irdl.base "#builtin.array"
    %num_residuals = irdl.base "#builtin.integer"
    irdl.operands(operands: variadic %operands)
    irdl.results(results: variadic %results)
    irdl.attributes {"functions" = %functions, "num_residuals" = %num_residuals}
  }

  irdl.operation @lu {
    %a = irdl.base "!builtin.tensor"
    %result0 = irdl.base "!builtin.tensor"
    %result1 = irdl.base "!builtin.tensor"
    %result2 = irdl.base "!builtin.tensor"
    irdl.operands(a: %a)
    irdl.results(result0: %result0, result1: %result1, result2: %result2)
  }

  irdl.operation @lu_pivots_to_permutation {
    %pivots = irdl.base "!builtin.tensor"
    %result = irdl.base "!builtin.tensor"
    %permutation_size = irdl.base "#builtin.integer"
    irdl.operands(pivots: %pivots)
    irdl.results(result: %result)
    irdl.attributes {"permutation_size" = %permutation_size}
  }

  irdl.operation @lu_solve {
    %a = irdl.base "!builtin.tensor"
    %factors = irdl.base "!builtin.tensor"
    %permutation = irdl.base "!builtin.tensor"
    %b = irdl.base "!builtin.tensor"
    %result = irdl.base "!builtin.tensor"
    %transpose_a_true = irdl.is true
    %transpose_a_false = irdl.is false
    %transpose_a = irdl.any_of(%transpose_a_true, %transpose_a_false)
    irdl.operands(a: %a, factors: %factors, permutation: %permutation, b: %b)
    irdl.results(result: %result)
    irdl.attributes {"transpose_a" = %transpose_a}
  }

  irdl.operation @name {
    %x = irdl.base "!builtin.tensor"
    %name = irdl.base "#builtin.string"
    irdl.operands(x: %x)
    irdl.results(result: %x)
    irdl.attributes {"name" = %name}
  }

  irdl.operation @ormqr {
    %a = irdl.base "!builtin.tensor"
    %taus = irdl.base "!builtin.tensor"
    %c = irdl.base "!builtin.tensor"
    %result = irdl.base "!builtin.tensor"
    %left_true = irdl.is true
    %left_false = irdl.is false
    %left = irdl.any_of(%left_true, %left_false)
    %transpose_true = irdl.is true
    %transpose_false = irdl.is false
    %transpose = irdl.any_of(%transpose_true, %transpose_false)
    irdl.operands(a: %a, taus: %taus, c: %c)
    irdl.results(result: %result)
    irdl.attributes {"left" = %left, "transpose" = %transpose}
  }

  irdl.operation @philox4x32 {
    %k1 = irdl.base "!builtin.tensor"
    %k2 = irdl.base "!builtin.tensor"
    %x1 = irdl.base "!builtin.tensor"
    %x2 = irdl.base "!builtin.tensor"
    %x3 = irdl.base "!builtin.tensor"
    %x4 = irdl.base "!builtin.tensor"
    %result0 = irdl.base "!builtin.tensor"
    %result1 = irdl.base "!builtin.tensor"
    %result2 = irdl.base "!builtin.tensor"
    %result3 = irdl.base "!builtin.tensor"
    irdl.operands(k1: %k1, k2: %k2, x1: %x1, x2: %x2, x3: %x3, x4: %x4)
    irdl.results(result0: %result0, result1: %result1, result2: %result2, result3: %result3)
  }

  irdl.operation @platform_index {
    %result = irdl.is tensor<i32>
    %platforms = irdl.base "#builtin.array"
    irdl.results(result: %result)
    irdl.attributes {"platforms" = %platforms}
  }

  irdl.operation @pmax {
    %x = irdl.base "!builtin.tensor"
    %axes = irdl.base "#builtin.array"
    irdl.operands(x: %x)
    irdl.results(result: %x)
    irdl.attributes {"axes" = %axes}
  }

  irdl.operation @pmin {
    %x = irdl.base "!builtin.tensor"
    %axes = irdl.base "#builtin.array"
    irdl.operands(x: %x)
    irdl.results(result: %x)
    irdl.attributes {"axes" = %axes}
  }

  irdl.operation @psum {
    %x = irdl.base "!builtin.tensor"
    %axes = irdl.base "#builtin.array"
    irdl.operands(x: %x)
    irdl.results(result: %x)
    irdl.attributes {"axes" = %axes}
  }

  irdl.operation @qr {
    %a = irdl.base "!builtin.tensor"
    %results = irdl.base "!builtin.tensor"
    %full_matrices_true = irdl.is true
    %full_matrices_false = irdl.is false
    %full_matrices = irdl.any_of(%full_matrices_true, %full_matrices_false)
    %pivoting_true = irdl.is true
    %pivoting_false = irdl.is false
    %pivoting = irdl.any_of(%pivoting_true, %pivoting_false)
    irdl.operands(a: %a)
    irdl.results(results: variadic %results)
    irdl.attributes {"full_matrices" = %full_matrices, "pivoting" = %pivoting}
  }

  irdl.operation @random_gamma_grad {
    %a = irdl.base "!builtin.tensor"
    %x = irdl.base "!builtin.tensor"
    %result = irdl.base "!builtin.tensor"
    irdl.operands(a: %a, x: %x)
    irdl.results(result: %result)
  }

  irdl.operation @reduce {
    %operands = irdl.base "!builtin.tensor"
    %results = irdl.base "!builtin.tensor"
    %body = irdl.base "#builtin.symbol_ref"
    %dimensions = irdl.base "#builtin.dense_array"
    irdl.operands(operands: variadic %operands)
    irdl.results(results: variadic %results)
    irdl.attributes {"body" = %body, "dimensions" = %dimensions}
  }

  irdl.operation @reduce_window {
    %operands = irdl.base "!builtin.tensor"
    %results = irdl.base "!builtin.tensor"
    %body = irdl.base "#builtin.symbol_ref"
    %window_dimensions = irdl.base "#builtin.dense_array"
    %window_strides = irdl.base "#builtin.dense_array"
    %padding = irdl.any
    %base_dilations = irdl.base "#builtin.dense_array"
    %window_dilations = irdl.base "#builtin.dense_array"
    irdl.operands(operands: variadic %operands)
    irdl.results(results: variadic %results)
    irdl.attributes {"body" = %body, "window_dimensions" = %window_dimensions, "window_strides" = %window_strides, "padding" = %padding, "base_dilations" = %base_dilations, "window_dilations" = %window_dilations}
  }

  irdl.operation @scan {
    %operands = irdl.base "!builtin.tensor"
    %results = irdl.base "!builtin.tensor"
    %body = irdl.base "#builtin.symbol_ref"
    %num_consts = irdl.base "#builtin.integer"
    %num_carry = irdl.base "#builtin.integer"
    %length = irdl.base "#builtin.integer"
    %reverse_true = irdl.is true
    %reverse_false = irdl.is false
    %reverse = irdl.any_of(%reverse_true, %reverse_false)
    irdl.operands(operands: variadic %operands)
    irdl.results(results: variadic %results)
    irdl.attributes {"body" = %body, "num_consts" = %num_consts, "num_carry" = %num_carry, "length" = %length, "reverse" = %reverse}
  }

  irdl.operation @schur {
    %a = irdl.base "!builtin.tensor"
    %results = irdl.base "!builtin.tensor"
    %compute_schur_vectors_true = irdl.is true
    %compute_schur_vectors_false = irdl.is false
    %compute_schur_vectors = irdl.any_of(%compute_schur_vectors_true, %compute_schur_vectors_false)
    irdl.operands(a: %a)
    irdl.results(results: variadic %results)
    irdl.attributes {"compute_schur_vectors" = %compute_schur_vectors}
  }

  irdl.operation @select_and_scatter {
    %operand = irdl.base "!builtin.tensor"
    %source = irdl.base "!builtin.tensor"
    %init_value = irdl.base "!builtin.tensor"
    %result = irdl.base "!builtin.tensor"
    %select = irdl.base "#builtin.symbol_ref"
    %scatter = irdl.base "#builtin.symbol_ref"
    %window_dimensions = irdl.base "#builtin.dense_array"
    %window_strides = irdl.base "#builtin.dense_array"
    %padding = irdl.any
    irdl.operands(operand: %operand, source: %source, init_value: %init_value)
    irdl.results(result: %result)
    irdl.attributes {"select" = %select, "scatter" = %scatter, "window_dimensions" = %window_dimensions, "window_strides" = %window_strides, "padding" = %padding}
  }

  irdl.operation @sort_by {
    %operands = irdl.base "!builtin.tensor"
    %results = irdl.base "!builtin.tensor"
    %comparator = irdl.base "#builtin.symbol_ref"
    %dimension = irdl.base "#builtin.integer"
    %is_stable_true = irdl.is true
    %is_stable_false = irdl.is false
    %is_stable = irdl.any_of(%is_stable_true, %is_stable_false)
    irdl.operands(operands: variadic %operands)
    irdl.results(results: variadic %results)
    irdl.attributes {"comparator" = %comparator, "dimension" = %dimension, "is_stable" = %is_stable}
  }

  irdl.operation @stop_gradient {
    %x = irdl.base "!builtin.tensor"
    irdl.operands(x: %x)
    irdl.results(result: %x)
  }

  irdl.operation @svd {
    %a = irdl.base "!builtin.tensor"
    %results = irdl.base "!builtin.tensor"
    %full_matrices_true = irdl.is true
    %full_matrices_false = irdl.is false
    %full_matrices = irdl.any_of(%full_matrices_true, %full_matrices_false)
    %compute_uv_true = irdl.is true
    %compute_uv_false = irdl.is false
    %compute_uv = irdl.any_of(%compute_uv_true, %compute_uv_false)
    irdl.operands(a: %a)
    irdl.results(results: variadic %results)
    irdl.attributes {"full_matrices" = %full_matrices, "compute_uv" = %compute_uv}
  }

  irdl.operation @symmetric_product {
    %a = irdl.base "!builtin.tensor"
    %c = irdl.base "!builtin.tensor"
    %result = irdl.base "!builtin.tensor"
    %alpha = irdl.base "#builtin.float"
    %beta = irdl.base "#builtin.float"
    irdl.operands(a: %a, c: %c)
    irdl.results(result: %result)
    irdl.attributes {"alpha" = %alpha, "beta" = %beta}
  }

  irdl.operation @threefry2x32 {
    %k1 = irdl.base "!builtin.tensor"
    %k2 = irdl.base "!builtin.tensor"
    %x1 = irdl.base "!builtin.tensor"
    %x2 = irdl.base "!builtin.tensor"
    %result0 = irdl.base "!builtin.tensor"
    %result1 = irdl.base "!builtin.tensor"
    irdl.operands(k1: %k1, k2: %k2, x1: %x1, x2: %x2)
    irdl.results(result0: %result0, result1: %result1)
  }

  irdl.operation @tridiagonal {
    %a = irdl.base "!builtin.tensor"
    %result0 = irdl.base "!builtin.tensor"
    %result1 = irdl.base "!builtin.tensor"
    %result2 = irdl.base "!builtin.tensor"
    %result3 = irdl.base "!builtin.tensor"
    %lower_true = irdl.is true
    %lower_false = irdl.is false
    %lower = irdl.any_of(%lower_true, %lower_false)
    irdl.operands(a: %a)
    irdl.results(result0: %result0, result1: %result1, result2: %result2, result3: %result3)
    irdl.attributes {"lower" = %lower}
  }

  irdl.operation @tridiagonal_solve {
    %dl = irdl.base "!builtin.tensor"
    %d = irdl.base "!builtin.tensor"
    %du = irdl.base "!builtin.tensor"
    %b = irdl.base "!builtin.tensor"
    %result = irdl.base "!builtin.tensor"
    %perturb_singular_true = irdl.is true
    %perturb_singular_false = irdl.is false
    %perturb_singular = irdl.any_of(%perturb_singular_true, %perturb_singular_false)
    irdl.operands(dl: %dl, d: %d, du: %du, b: %b)
    irdl.results(result: %result)
    irdl.attributes {"perturb_singular" = %perturb_singular}
  }

  irdl.operation @while {
    %operands = irdl.base "!builtin.tensor"
    %results = irdl.base "!builtin.tensor"
    %cond = irdl.base "#builtin.symbol_ref"
    %body = irdl.base "#builtin.symbol_ref"
    %cond_consts = irdl.base "#builtin.integer"
    %body_consts = irdl.base "#builtin.integer"
    irdl.operands(operands: variadic %operands)
    irdl.results(results: variadic %results)
    irdl.attributes {"cond" = %cond, "body" = %body, "cond_consts" = %cond_consts, "body_consts" = %body_consts}
  }
}
