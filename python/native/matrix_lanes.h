// Stacks of small matrices in vector lanes: each lane of a vector belongs to another matrix.
#pragma once

#include "lanes.h"
#include "small_matrices.h"

namespace sable {
namespace SABLE_LANES {
namespace {

// Of a vector's numbers.
template <typename T>
struct Limits;
template <>
struct Limits<float> {
  static constexpr float kTiny = 1.17549435e-38f, kEpsilon = 5.9604645e-8f;
};
template <>
struct Limits<double> {
  static constexpr double kTiny = 2.2250738585072014e-308, kEpsilon = 1.1102230246251565e-16;
};

template <typename T>
Lanes<T> not_a_number() { return all<T>(static_cast<T>(__builtin_nan(""))); }

// The same matrix of each of several stacks' places; rows are adjacent.
template <typename T>
struct Matrix {
  int rows, columns;
  Lanes<T> elements[kSmall * kSmall];

  Matrix(int rows, int columns) : rows(rows), columns(columns) {}
  Lanes<T>* operator[](int row) { return elements + row * columns; }
  const Lanes<T>* operator[](int row) const { return elements + row * columns; }

  static bool is_dense(const Stack<T>& stack, int rows, int columns) {
    return (stack.strides[2] == 1 || columns == 1) && (stack.strides[1] == columns || rows == 1);
  }
  // Matrices from number `first` on; lanes beyond `count` get the first one.
  void read(const Stack<T>& stack, int64_t first, int count) {
    const T* from[kLanes<T>];
    for (int l = 0; l < kLanes<T>; ++l) from[l] = stack.data + (first + (l < count ? l : 0)) * stack.strides[0];
    int done = 0;
    if (is_dense(stack, rows, columns))
      for (; done + kLanes<T> <= rows * columns; done += kLanes<T>) {
        for (int l = 0; l < kLanes<T>; ++l) elements[done + l] = load(from[l] + done);
        transpose<T>(elements + done);
      }
    for (; done < rows * columns; ++done)
      for (int l = 0; l < kLanes<T>; ++l)
        elements[done][l] = from[l][done / columns * stack.strides[1] + done % columns * stack.strides[2]];
  }
  void write(const Stack<T>& stack, int64_t first, int count) const {
    int done = 0;
    if (is_dense(stack, rows, columns))
      for (; done + kLanes<T> <= rows * columns; done += kLanes<T>) {
        Lanes<T> x[kLanes<T>];
        for (int l = 0; l < kLanes<T>; ++l) x[l] = elements[done + l];
        transpose<T>(x);
        for (int l = 0; l < count; ++l) store(stack.data + (first + l) * stack.strides[0] + done, x[l]);
      }
    for (; done < rows * columns; ++done)
      for (int l = 0; l < count; ++l) place(stack, first + l, done / columns, done % columns) = elements[done][l];
  }
  static T& place(const Stack<T>& stack, int64_t number, int i, int j) {
    return stack.data[number * stack.strides[0] + i * stack.strides[1] + j * stack.strides[2]];
  }
  void fill(Lanes<T> x) {
    for (int i = 0; i < rows * columns; ++i) elements[i] = x;
  }
  // Divides by the largest element of each matrix, so that squares neither overflow nor vanish, and gives what it divided by.
  // Matrices with elements that are not finite become zero, and have NaN for it.
  Lanes<T> scale() {
    Lanes<T> most = all(Limits<T>::kTiny), doubt = {};
    for (int i = 0; i < rows * columns; ++i) {
      most = larger<T>(most, absolute<T>(elements[i]));
      doubt += elements[i] * T(0);
    }
    const Mask<T> good = doubt == 0;
    for (int i = 0; i < rows * columns; ++i) elements[i] = good ? elements[i] / most : Lanes<T>{};
    return good ? most : not_a_number<T>();
  }
};

// `f(first, count)` of as many matrices as there are lanes.
template <typename T, typename F>
void by_lanes(int64_t batch, F f) {
  for (int64_t first = 0; first < batch; first += kLanes<T>)
    f(first, static_cast<int>(batch - first < kLanes<T> ? batch - first : kLanes<T>));
}

// Rows and columns exchanged.
template <typename T>
Stack<T> turned(Stack<T> stack) { return {stack.data, {stack.strides[0], stack.strides[2], stack.strides[1]}}; }

}  // namespace
}  // namespace SABLE_LANES
}  // namespace sable
