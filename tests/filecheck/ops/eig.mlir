// RUN: %sable-opt %s --lower='native=true' | filecheck %s
// A call of LAPACK; the results are complex.

func.func @main(%a: tensor<3x3xf32>) -> (tensor<3xcomplex<f32>>, tensor<3x3xcomplex<f32>>) {
  %0:2 = "sable.eig"(%a) {compute_left_eigenvectors = false, compute_right_eigenvectors = true, enable_eigvec_derivs = false} : (tensor<3x3xf32>) -> (tensor<3xcomplex<f32>>, tensor<3x3xcomplex<f32>>)
  func.return %0#0, %0#1 : tensor<3xcomplex<f32>>, tensor<3x3xcomplex<f32>>
}

// CHECK: stablehlo.custom_call @sable_eig_false_true_float32({{.*}}) {{.*}} : (tensor<1x3x3xf32>) -> (tensor<1x3x1xcomplex<f32>>, tensor<1x3x3xcomplex<f32>>)
