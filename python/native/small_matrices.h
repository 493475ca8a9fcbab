// Linear algebra on many small matrices: the code in vector lanes (small_matrices_lanes.cpp) that stands in for LAPACK there.
#pragma once

#include <cstdint>

#include "processors.h"

namespace sable {

// The most rows and columns of a small matrix.
constexpr int kSmall = 16;

// A stack of matrices, as in kernels.h. Strides in elements: from matrix to matrix, row to row, column to column.
template <typename T>
struct Stack {
  T* data;
  int64_t strides[3];
};

// Who is told the number of each matrix that is left to LAPACK, its results not to be relied on.
struct LeftOut {
  void (*tell)(void* self, int64_t number);
  void* self;

  void operator()(int64_t number) const { tell(self, number); }
};

// The code of a kind of processor. A matrix is (rows, columns), or (n, n).
template <typename T>
struct SmallMatrices {
  int lanes;
  void (*cholesky)(Stack<T> a, Stack<T> factor, int64_t batch, int n, bool lower);
  void (*lu)(Stack<T> a, Stack<T> factors, Stack<int32_t> pivots, Stack<int32_t> permutation, int64_t batch, int rows,
             int columns);
  void (*lu_solve)(Stack<T> factors, Stack<int32_t> permutation, Stack<T> b, Stack<T> x, int64_t batch, int n, int columns,
                   bool transposed);
  // b is (rows, columns), and a as many square as b has rows (`left`) or columns.
  void (*triangular_solve)(Stack<T> a, Stack<T> b, Stack<T> x, int64_t batch, int rows, int columns, bool left, bool lower,
                           bool unit, bool transposed);
  // q has rows or min(rows, columns) columns.
  void (*qr)(Stack<T> a, Stack<T> q, Stack<T> r, int64_t batch, int rows, int columns, int q_columns);
  // w is (n, 1).
  void (*eigh)(Stack<T> a, Stack<T> v, Stack<T> w, int64_t batch, int n, bool lower);
  // Of rows >= columns: u is as a, s (columns, 1), vt (columns, columns). Matrices whose vectors are not determined by their
  // columns are left out. Without u no vectors are wanted.
  void (*svd)(Stack<T> a, Stack<T> s, Stack<T> u, Stack<T> vt, int64_t batch, int rows, int columns, LeftOut left_out);
  // w is (n, 1), the right eigenvectors v are as a; both are of complex numbers, with strides in real ones. Matrices that
  // rows and columns exchanged alone would split, and those whose eigenvalues are not found, are left out. Without v no vectors
  // are wanted.
  void (*eig)(Stack<T> a, Stack<T> w, Stack<T> v, int64_t batch, int n, LeftOut left_out);
};

#define SABLE_DECLARE(name)         \
  namespace name {                  \
  SmallMatrices<float> small_matrices_float();   \
  SmallMatrices<double> small_matrices_double(); \
  }
SABLE_FOR_EACH_PROCESSOR(SABLE_DECLARE)
#undef SABLE_DECLARE

}  // namespace sable
