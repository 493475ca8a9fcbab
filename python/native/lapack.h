// What the files with kernels of linear algebra share: how LAPACK's functions come in, the sign of failure,
// matrices in LAPACK's order.
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels.h"
#include "pytree.h"

namespace sable {

using Addresses = nb::dict;

template <typename F>
void take(const Addresses& addresses, const std::string& name, F& function) {
  function = reinterpret_cast<F>(nb::cast<uintptr_t>(addresses[name.c_str()]));
}

template <typename T>
struct Parts {
  using Real = T;
  static constexpr bool kComplex = false;
};
template <typename R>
struct Parts<std::complex<R>> {
  using Real = R;
  static constexpr bool kComplex = true;
};
template <typename T>
using Real = typename Parts<T>::Real;
template <typename T>
using Complex = std::complex<Real<T>>;

constexpr int kQuery = -1;

// A workspace of the size that LAPACK answered with as a number of type T, which may have been rounded down.
template <typename T>
int size_of_answer(T answer) {
  Real<T> size = std::real(answer);
  return static_cast<int>(std::nextafter(size, std::numeric_limits<Real<T>>::infinity()));
}

// A workspace of the size that `call(work, size)` answers with.
template <typename T, typename F>
std::vector<T> workspace(F call) {
  T answer(0);
  call(&answer, &kQuery);
  return std::vector<T>(static_cast<size_t>(size_of_answer(answer)));
}

// Calls with a workspace that is made when it is first needed.
template <typename T, typename F>
void call_with(std::vector<T>& work, F call) {
  if (work.empty()) work = workspace<T>(call);
  const int size = static_cast<int>(work.size());
  call(work.data(), &size);
}

template <typename T>
T not_a_number() {
  if constexpr (std::is_floating_point_v<T>) {
    return std::numeric_limits<T>::quiet_NaN();
  } else {
    auto nan = std::numeric_limits<typename T::value_type>::quiet_NaN();
    return T(nan, nan);
  }
}

// f(i, j) for the elements of a matrix, by tiles that the cache holds both by rows and by columns.
template <typename F>
void each_by_tiles(int64_t rows, int64_t columns, F f) {
  constexpr int64_t kTile = 16;
  for (int64_t row = 0; row < rows; row += kTile)
    for (int64_t column = 0; column < columns; column += kTile)
      for (int64_t j = column; j < std::min(columns, column + kTile); ++j)
        for (int64_t i = row; i < std::min(rows, row + kTile); ++i) f(i, j);
}

// A matrix as LAPACK has it: columns of adjacent elements. Stacks it is read from or written to may have fewer columns.
template <typename T>
class ColumnMajor {
 public:
  ColumnMajor(int64_t rows, int64_t columns) : rows_(rows), data_(static_cast<size_t>(rows * columns)) {}
  T* data() { return data_.data(); }
  T& at(int64_t row, int64_t column) { return data_[static_cast<size_t>(column * rows_ + row)]; }
  void read(const Matrices<T>& stack, int64_t number) {
    each(stack, [&](int64_t i, int64_t j) { at(i, j) = stack.at(number, i, j); });
  }
  // The elements for which `wanted(i, j)`; whether all of them are finite.
  template <typename F>
  bool read_finite(const Matrices<T>& stack, int64_t number, F wanted) {
    bool finite = true;
    each(stack, [&](int64_t i, int64_t j) {
      if (!wanted(i, j)) return;
      T x = at(i, j) = stack.at(number, i, j);
      finite = finite && std::isfinite(std::real(x)) && std::isfinite(std::imag(x));
    });
    return finite;
  }
  bool read_finite(const Matrices<T>& stack, int64_t number) {
    return read_finite(stack, number, [](int64_t, int64_t) { return true; });
  }
  void write(const Matrices<T>& stack, int64_t number) {
    each(stack, [&](int64_t i, int64_t j) { stack.at(number, i, j) = at(i, j); });
  }

 private:
  template <typename F>
  void each(const Matrices<T>& stack, F f) {
    each_by_tiles(rows_, stack.columns(), f);
  }

  int64_t rows_;
  std::vector<T> data_;
};

// Writes `value(i, j)`, or NaN where there is no result.
template <typename T, typename F>
void write(const Matrices<T>& stack, int64_t number, bool there, F value) {
  each_by_tiles(stack.rows(), stack.columns(), [&](int64_t i, int64_t j) {
    stack.at(number, i, j) = there ? static_cast<T>(value(i, j)) : not_a_number<T>();
  });
}

// Vectors reach kernels as matrices of one column.
template <typename T>
void read_vector(const Matrices<T>& stack, int64_t number, std::vector<T>& vector) {
  for (int64_t i = 0; i < stack.rows(); ++i) vector[static_cast<size_t>(i)] = stack.at(number, i, 0);
}
template <typename T>
void write_vector(const Matrices<T>& stack, int64_t number, const std::vector<T>& vector) {
  for (int64_t i = 0; i < stack.rows(); ++i) stack.at(number, i, 0) = vector[static_cast<size_t>(i)];
}

// Takes the functions of LAPACK for factors Q R, and makes their kernels known.
void bind_qr(const Addresses& addresses);

// Takes the functions of LAPACK that reduce matrices to few diagonals or to Schur's form, and makes their kernels known.
void bind_reductions(const Addresses& addresses);

// Takes the functions of LAPACK that decompose by eigenvalues and singular values, and makes their kernels known.
void bind_spectral(const Addresses& addresses);

// Takes those of a LAPACK with threads of its own, for the kernels of large matrices.
void bind_large_spectral(const Addresses& addresses);

}  // namespace sable
