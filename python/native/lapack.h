// What the files with kernels of linear algebra share: how LAPACK's functions come in, the sign of failure,
// matrices in LAPACK's order.
#pragma once

#include <algorithm>
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
T not_a_number() {
  if constexpr (std::is_floating_point_v<T>) {
    return std::numeric_limits<T>::quiet_NaN();
  } else {
    auto nan = std::numeric_limits<typename T::value_type>::quiet_NaN();
    return T(nan, nan);
  }
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
  void write(const Matrices<T>& stack, int64_t number) {
    each(stack, [&](int64_t i, int64_t j) { stack.at(number, i, j) = at(i, j); });
  }

 private:
  // By tiles, which the cache holds both ways.
  template <typename F>
  void each(const Matrices<T>& stack, F f) {
    constexpr int64_t kTile = 16;
    for (int64_t row = 0; row < rows_; row += kTile)
      for (int64_t column = 0; column < stack.columns(); column += kTile)
        for (int64_t j = column; j < std::min(stack.columns(), column + kTile); ++j)
          for (int64_t i = row; i < std::min(rows_, row + kTile); ++i) f(i, j);
  }

  int64_t rows_;
  std::vector<T> data_;
};

// Takes the functions of LAPACK for factors Q R, and makes their kernels known.
void bind_qr(const Addresses& addresses);

// Takes the functions of LAPACK that decompose by eigenvalues and singular values, and makes their kernels known.
void bind_spectral(const Addresses& addresses);

}  // namespace sable
