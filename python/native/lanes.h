// Vectors of numbers, each lane of which belongs to another problem. Files that include this are compiled once for each kind
// of processor, into a namespace of its name (SABLE_LANES), with vectors of SABLE_LANE_BYTES; they take no inline code of the
// standard library, of which the linker would keep one copy for all processors.
#pragma once

#include <cstdint>

namespace sable {
namespace SABLE_LANES {
namespace {

template <typename T>
struct Vector {
  typedef T type __attribute__((vector_size(SABLE_LANE_BYTES)));
  typedef T loose __attribute__((vector_size(SABLE_LANE_BYTES), aligned(sizeof(T)), may_alias));
};
template <typename T>
using Lanes = typename Vector<T>::type;
template <typename T>
constexpr int kLanes = SABLE_LANE_BYTES / static_cast<int>(sizeof(T));

template <typename T>
inline Lanes<T> load(const T* x) { return *reinterpret_cast<const typename Vector<T>::loose*>(x); }
template <typename T>
inline void store(T* x, Lanes<T> a) { *reinterpret_cast<typename Vector<T>::loose*>(x) = a; }

// The elements at these places of two vectors, one behind the other.
#if defined(__clang__) || __GNUC__ >= 12
#define SABLE_PICK(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SABLE_PICK(a, b, ...) __builtin_shuffle(a, b, decltype(a < b){__VA_ARGS__})
#endif
#if SABLE_LANE_BYTES == 64
inline Lanes<float> evens(Lanes<float> a, Lanes<float> b) {
  return SABLE_PICK(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
}
inline Lanes<float> odds(Lanes<float> a, Lanes<float> b) {
  return SABLE_PICK(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}
inline Lanes<float> firsts(Lanes<float> a, Lanes<float> b) {
  return SABLE_PICK(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
inline Lanes<float> lasts(Lanes<float> a, Lanes<float> b) {
  return SABLE_PICK(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
inline Lanes<double> evens(Lanes<double> a, Lanes<double> b) { return SABLE_PICK(a, b, 0, 2, 4, 6, 8, 10, 12, 14); }
inline Lanes<double> odds(Lanes<double> a, Lanes<double> b) { return SABLE_PICK(a, b, 1, 3, 5, 7, 9, 11, 13, 15); }
inline Lanes<double> firsts(Lanes<double> a, Lanes<double> b) { return SABLE_PICK(a, b, 0, 8, 1, 9, 2, 10, 3, 11); }
inline Lanes<double> lasts(Lanes<double> a, Lanes<double> b) { return SABLE_PICK(a, b, 4, 12, 5, 13, 6, 14, 7, 15); }
#elif SABLE_LANE_BYTES == 32
inline Lanes<float> evens(Lanes<float> a, Lanes<float> b) { return SABLE_PICK(a, b, 0, 2, 4, 6, 8, 10, 12, 14); }
inline Lanes<float> odds(Lanes<float> a, Lanes<float> b) { return SABLE_PICK(a, b, 1, 3, 5, 7, 9, 11, 13, 15); }
inline Lanes<float> firsts(Lanes<float> a, Lanes<float> b) { return SABLE_PICK(a, b, 0, 8, 1, 9, 2, 10, 3, 11); }
inline Lanes<float> lasts(Lanes<float> a, Lanes<float> b) { return SABLE_PICK(a, b, 4, 12, 5, 13, 6, 14, 7, 15); }
inline Lanes<double> evens(Lanes<double> a, Lanes<double> b) { return SABLE_PICK(a, b, 0, 2, 4, 6); }
inline Lanes<double> odds(Lanes<double> a, Lanes<double> b) { return SABLE_PICK(a, b, 1, 3, 5, 7); }
inline Lanes<double> firsts(Lanes<double> a, Lanes<double> b) { return SABLE_PICK(a, b, 0, 4, 1, 5); }
inline Lanes<double> lasts(Lanes<double> a, Lanes<double> b) { return SABLE_PICK(a, b, 2, 6, 3, 7); }
#else
inline Lanes<float> evens(Lanes<float> a, Lanes<float> b) { return SABLE_PICK(a, b, 0, 2, 4, 6); }
inline Lanes<float> odds(Lanes<float> a, Lanes<float> b) { return SABLE_PICK(a, b, 1, 3, 5, 7); }
inline Lanes<float> firsts(Lanes<float> a, Lanes<float> b) { return SABLE_PICK(a, b, 0, 4, 1, 5); }
inline Lanes<float> lasts(Lanes<float> a, Lanes<float> b) { return SABLE_PICK(a, b, 2, 6, 3, 7); }
inline Lanes<double> evens(Lanes<double> a, Lanes<double> b) { return SABLE_PICK(a, b, 0, 2); }
inline Lanes<double> odds(Lanes<double> a, Lanes<double> b) { return SABLE_PICK(a, b, 1, 3); }
inline Lanes<double> firsts(Lanes<double> a, Lanes<double> b) { return SABLE_PICK(a, b, 0, 2); }
inline Lanes<double> lasts(Lanes<double> a, Lanes<double> b) { return SABLE_PICK(a, b, 1, 3); }
#endif
#undef SABLE_PICK

template <typename T>
inline Lanes<T> all(T x) { return x - Lanes<T>{}; }
template <typename T>
inline Lanes<T> root(Lanes<T> x) {
  Lanes<T> y;
  for (int l = 0; l < kLanes<T>; ++l) y[l] = sizeof(T) == 4 ? __builtin_sqrtf(x[l]) : __builtin_sqrt(x[l]);
  return y;
}
template <typename T>
inline Lanes<T> absolute(Lanes<T> x) { return x < 0 ? -x : x; }
template <typename T>
inline Lanes<T> larger(Lanes<T> x, Lanes<T> y) { return x < y ? y : x; }

// What a comparison gives: all bits set where it holds.
template <typename T>
using Mask = decltype(Lanes<T>{} < Lanes<T>{});
template <typename M>
inline bool any(M mask) {
  auto found = mask[0];
  for (unsigned l = 1; l < sizeof(M) / sizeof(mask[0]); ++l) found |= mask[l];
  return found != 0;
}

// A square of numbers transposed: kLanes rows of as many real numbers.
template <typename T>
inline void transpose(Lanes<T>* x) {
  constexpr int kHalf = kLanes<T> / 2;
  for (int stage = 1; stage < kLanes<T>; stage *= 2) {
    Lanes<T> y[kLanes<T>];
    for (int i = 0; i < kHalf; ++i) y[2 * i] = firsts(x[i], x[i + kHalf]), y[2 * i + 1] = lasts(x[i], x[i + kHalf]);
    for (int i = 0; i < kLanes<T>; ++i) x[i] = y[i];
  }
}

}  // namespace
}  // namespace SABLE_LANES
}  // namespace sable
