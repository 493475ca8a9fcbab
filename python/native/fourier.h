// Fourier transforms: plans (made once for each length) and the code in vector lanes that follows them, which is compiled
// for several kinds of processors (fourier_lanes.cpp). Complex numbers are pairs of adjacent T.
#pragma once

#include <cstdint>

#include "processors.h"

namespace sable {

// Stages of Stockham's algorithm for a length without large prime factors: n = r m, then m in turn.
template <typename T>
struct Stages {
  static constexpr int kMost = 40;
  int64_t length = 0;
  int count = 0;
  int radix[kMost];
  const T* turns[kMost];  // w_n^(p k) at (p, k - 1), p < m, 1 <= k < r
  const T* roots[kMost];  // w_r^j, j < r
};

// How a transform of one length is done. Side by side in the lanes: by stages, or by Bluestein's chirps where a prime factor
// is large. A long one by itself: as a matrix of `rows.length` columns, whose columns are transformed, turned, and then the
// rows; or by chirps, which are such a matrix.
template <typename T>
struct FourierPlan {
  int64_t length = 0;
  Stages<T> whole;
  Stages<T> columns, rows;
  // w_n^e for e = fine_count c + f is coarse[c] fine[f]
  const double *coarse = nullptr, *fine = nullptr;
  int64_t fine_count = 1;
  // c_j = exp(-pi i j^2 / n), and the transform of its conjugate, of the length of `longer`
  const T *chirp = nullptr, *kernel = nullptr;
  const FourierPlan* longer = nullptr;
};

// Where transforms are read from and written to. Strides in complex numbers.
template <typename T>
struct Place {
  T* data;
  int64_t stride;
};

// The code of a kind of processor. Inverse transforms are divided by the length. `work` holds as many numbers of T as is
// said, at a boundary of kAlignment bytes.
template <typename T>
struct FourierCode {
  int lanes;
  // Of adjacent columns, elements a stride apart.
  void (*columns)(const FourierPlan<T>& plan, Place<const T> in, Place<T> out, int64_t count, bool inverse, T* work);
  // Of rows of adjacent elements, rows a stride apart.
  void (*rows)(const FourierPlan<T>& plan, Place<const T> in, Place<T> out, int64_t count, bool inverse, T* work);
  int64_t (*work)(const FourierPlan<T>& plan);
  // A long one by itself, of adjacent elements.
  void (*row)(const FourierPlan<T>& plan, const T* in, T* out, bool inverse, T* work);
  int64_t (*row_work)(const FourierPlan<T>& plan);
};

constexpr int64_t kAlignment = 64;

#define SABLE_DECLARE(name)         \
  namespace name {                  \
  FourierCode<float> fourier_code_float();   \
  FourierCode<double> fourier_code_double(); \
  }
SABLE_FOR_EACH_PROCESSOR(SABLE_DECLARE)
#undef SABLE_DECLARE

}  // namespace sable
