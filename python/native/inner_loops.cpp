// Inner loops of our own, beside NumPy's: what its ufuncs lack. They have a ufunc's calling convention (pointers, one
// count, strides in bytes), touch no Python object and may run without the GIL.
#include <cmath>
#include <complex>
#include <cstring>
#include <string>
#include <vector>

#include "inner_loops.h"
#include "threefry.h"

namespace sable {

namespace {

// Elements of one width are moved in words, whatever they mean.
template <typename Word>
void copy(char** args, const npy_intp* dims, const npy_intp* steps, void*) {
  npy_intp n = dims[0], in = steps[0], out = steps[1];
  if (in == sizeof(Word) && out == sizeof(Word)) {
    std::memmove(args[1], args[0], static_cast<size_t>(n) * sizeof(Word));
    return;
  }
  for (npy_intp i = 0; i < n; ++i) std::memcpy(args[1] + i * out, args[0] + i * in, sizeof(Word));
}

template <typename Word>
void select(char** args, const npy_intp* dims, const npy_intp* steps, void*) {
  const char *which = args[0], *yes = args[1], *no = args[2];
  char* out = args[3];
  for (npy_intp i = 0; i < dims[0]; ++i) {
    Word a, b;
    std::memcpy(&a, yes, sizeof(Word));
    std::memcpy(&b, no, sizeof(Word));
    Word found = *which ? a : b;
    std::memcpy(out, &found, sizeof(Word));
    which += steps[0], yes += steps[1], no += steps[2], out += steps[3];
  }
}

// Bits beyond the width are zero.
template <typename Unsigned>
void shift_right_logical(char** args, const npy_intp* dims, const npy_intp* steps, void*) {
  const char *x = args[0], *distance = args[1];
  char* out = args[2];
  for (npy_intp i = 0; i < dims[0]; ++i) {
    Unsigned a, d;
    std::memcpy(&a, x, sizeof a);
    std::memcpy(&d, distance, sizeof d);
    Unsigned found = d < 8 * sizeof a ? static_cast<Unsigned>(a >> d) : Unsigned(0);
    std::memcpy(out, &found, sizeof found);
    x += steps[0], distance += steps[1], out += steps[2];
  }
}

template <typename From, typename To>
To as(From x) {
  if constexpr (std::is_same_v<To, bool>) {
    return x != From(0);
  } else if constexpr (!std::is_arithmetic_v<To> && std::is_arithmetic_v<From>) {
    return To(static_cast<typename To::value_type>(x), 0);
  } else {
    return static_cast<To>(x);
  }
}

template <typename From, typename To>
void convert(char** args, const npy_intp* dims, const npy_intp* steps, void*) {
  const char* x = args[0];
  char* out = args[1];
  for (npy_intp i = 0; i < dims[0]; ++i) {
    From a;
    std::memcpy(&a, x, sizeof a);
    To found = as<From, To>(a);
    std::memcpy(out, &found, sizeof found);
    x += steps[0], out += steps[1];
  }
}

// erf_inv(x) of x and w = -log(1 - x**2): M. Giles, Approximating the erfinv function, GPU Computing Gems 2, 2011, table 5.
void erf_inv(char** args, const npy_intp* dims, const npy_intp* steps, void*) {
  constexpr float kCentral[] = {2.81022636e-08f, 3.43273939e-07f,  -3.5233877e-06f,  -4.39150654e-06f, 0.00021858087f,
                                -0.00125372503f, -0.00417768164f, 0.246640727f,     1.50140941f};
  constexpr float kTail[] = {-0.000200214257f, 0.000100950558f, 0.00134934322f, -0.00367342844f, 0.00573950773f,
                             -0.0076224613f,   0.00943887047f,  1.00167406f,    2.83297682f};
  for (npy_intp i = 0; i < dims[0]; ++i) {
    float w, x;
    std::memcpy(&w, args[0] + i * steps[0], sizeof w);
    std::memcpy(&x, args[1] + i * steps[1], sizeof x);
    bool central = w < 5.0f;
    float t = central ? w - 2.5f : std::sqrt(w) - 3.0f;
    const float* coefficients = central ? kCentral : kTail;
    float total = coefficients[0];
    for (int k = 1; k < 9; ++k) {
      float scaled = total * t;
      total = scaled + coefficients[k];
    }
    float found = (std::isinf(w) ? w : total) * x;
    std::memcpy(args[2] + i * steps[2], &found, sizeof found);
  }
}

using InnerLoops = std::vector<InnerLoop>;

template <typename From, typename To>
void add_convert(InnerLoops& loops, const char* from, const char* to) {
  // floats to integers saturate, complex numbers lose a part: not written here
  constexpr bool to_integer = std::is_integral_v<To> && !std::is_same_v<To, bool>;
  if constexpr (std::is_arithmetic_v<From> && !(std::is_floating_point_v<From> && to_integer)) {
    loops.push_back({"convert", std::string(from) + "->" + to, convert<From, To>});
  } else if constexpr (!std::is_arithmetic_v<From> && !std::is_arithmetic_v<To>) {
    loops.push_back({"convert", std::string(from) + "->" + to, convert<From, To>});
  }
}

template <typename From>
void add_converts(InnerLoops& loops, const char* from) {
  add_convert<From, bool>(loops, from, "b1");
  add_convert<From, int8_t>(loops, from, "i1");
  add_convert<From, int16_t>(loops, from, "i2");
  add_convert<From, int32_t>(loops, from, "i4");
  add_convert<From, int64_t>(loops, from, "i8");
  add_convert<From, uint8_t>(loops, from, "u1");
  add_convert<From, uint16_t>(loops, from, "u2");
  add_convert<From, uint32_t>(loops, from, "u4");
  add_convert<From, uint64_t>(loops, from, "u8");
  add_convert<From, float>(loops, from, "f4");
  add_convert<From, double>(loops, from, "f8");
  add_convert<From, std::complex<float>>(loops, from, "c8");
  add_convert<From, std::complex<double>>(loops, from, "c16");
}

template <typename Word>
void add_words(InnerLoops& loops, const char* width) {
  loops.push_back({"copy", width, copy<Word>});
  loops.push_back({"select", width, select<Word>});
}

struct Pair {
  uint64_t words[2];
};

InnerLoops all_loops() {
  InnerLoops loops;
  add_words<uint8_t>(loops, "1");
  add_words<uint16_t>(loops, "2");
  add_words<uint32_t>(loops, "4");
  add_words<uint64_t>(loops, "8");
  add_words<Pair>(loops, "16");
  loops.push_back({"shift_right_logical", "1", shift_right_logical<uint8_t>});
  loops.push_back({"shift_right_logical", "2", shift_right_logical<uint16_t>});
  loops.push_back({"shift_right_logical", "4", shift_right_logical<uint32_t>});
  loops.push_back({"shift_right_logical", "8", shift_right_logical<uint64_t>});
  add_converts<bool>(loops, "b1");
  add_converts<int8_t>(loops, "i1");
  add_converts<int16_t>(loops, "i2");
  add_converts<int32_t>(loops, "i4");
  add_converts<int64_t>(loops, "i8");
  add_converts<uint8_t>(loops, "u1");
  add_converts<uint16_t>(loops, "u2");
  add_converts<uint32_t>(loops, "u4");
  add_converts<uint64_t>(loops, "u8");
  add_converts<float>(loops, "f4");
  add_converts<double>(loops, "f8");
  add_converts<std::complex<float>>(loops, "c8");
  add_converts<std::complex<double>>(loops, "c16");
  loops.push_back({"erf_inv", "f4->f4", erf_inv});
  loops.push_back({"threefry2x32", "u4->u4", threefry_loop});
  return loops;
}

}  // namespace

const InnerLoop* find_inner_loop(const std::string& name, const std::string& types) {
  static const InnerLoops loops = all_loops();
  for (const InnerLoop& loop : loops) {
    if (name == loop.name && types == loop.types) return &loop;
  }
  return nullptr;
}

}  // namespace sable
