// Threefry-2x32 with 20 rounds: J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "pytree.h"
#include "threefry.h"

// The loops vectorise; vectors wider than the baseline's make them up to four times as fast. The choice at load
// time needs glibc (ifunc).
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define SABLE_WIDE_VECTORS __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define SABLE_WIDE_VECTORS
#endif

namespace sable {

namespace {

constexpr uint32_t kKeyParity = 0x1BD11BDA;  // makes a key of zeros harmless

inline uint32_t rotate_left(uint32_t value, int distance) { return (value << distance) | (value >> (32 - distance)); }

template <int A, int B, int C, int D>
inline void four_rounds(uint32_t& x0, uint32_t& x1) {
  x0 += x1, x1 = rotate_left(x1, A) ^ x0;
  x0 += x1, x1 = rotate_left(x1, B) ^ x0;
  x0 += x1, x1 = rotate_left(x1, C) ^ x0;
  x0 += x1, x1 = rotate_left(x1, D) ^ x0;
}

inline void threefry(uint32_t k0, uint32_t k1, uint32_t& x0, uint32_t& x1) {
  uint32_t k2 = k0 ^ k1 ^ kKeyParity;
  x0 += k0, x1 += k1;
  four_rounds<13, 15, 26, 6>(x0, x1);
  x0 += k1, x1 += k2 + 1;
  four_rounds<17, 29, 16, 24>(x0, x1);
  x0 += k2, x1 += k0 + 2;
  four_rounds<13, 15, 26, 6>(x0, x1);
  x0 += k0, x1 += k1 + 3;
  four_rounds<17, 29, 16, 24>(x0, x1);
  x0 += k1, x1 += k2 + 4;
  four_rounds<13, 15, 26, 6>(x0, x1);
  x0 += k2, x1 += k0 + 5;
}

SABLE_WIDE_VECTORS
void threefry_one_key(uint32_t k0, uint32_t k1, const uint32_t* x0, const uint32_t* x1, uint32_t* y0, uint32_t* y1,
                      size_t size) {
  for (size_t i = 0; i < size; ++i) {
    uint32_t a = x0[i], b = x1[i];
    threefry(k0, k1, a, b);
    y0[i] = a, y1[i] = b;
  }
}

SABLE_WIDE_VECTORS
void threefry_many_keys(const uint32_t* k0, const uint32_t* k1, const uint32_t* x0, const uint32_t* x1, uint32_t* y0,
                        uint32_t* y1, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    uint32_t a = x0[i], b = x1[i];
    threefry(k0[i], k1[i], a, b);
    y0[i] = a, y1[i] = b;
  }
}

// A C-contiguous buffer of uint32, held for as long as this lives.
class WordBuffer {
 public:
  WordBuffer(nb::handle array, const char* name, bool writable) {
    int flags = PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (writable ? PyBUF_WRITABLE : 0);
    check(PyObject_GetBuffer(array.ptr(), &view_, flags));
    char format = view_.format == nullptr || view_.format[0] == '\0' || view_.format[1] != '\0' ? '?' : view_.format[0];
    if (view_.itemsize == sizeof(uint32_t) && (format == 'I' || format == 'L')) return;
    PyBuffer_Release(&view_);
    raise(PyExc_TypeError, "threefry2x32: %s must be a contiguous uint32 array", name);
  }
  WordBuffer(const WordBuffer&) = delete;
  ~WordBuffer() { PyBuffer_Release(&view_); }

  uint32_t* data() const { return static_cast<uint32_t*>(view_.buf); }
  size_t size() const { return static_cast<size_t>(view_.len) / sizeof(uint32_t); }

 private:
  Py_buffer view_;
};

void threefry2x32_into(nb::handle key0, nb::handle key1, nb::handle word0, nb::handle word1, nb::handle result0,
                       nb::handle result1) {
  WordBuffer k0(key0, "k0", false), k1(key1, "k1", false), x0(word0, "x0", false), x1(word1, "x1", false);
  WordBuffer y0(result0, "y0", true), y1(result1, "y1", true);
  size_t size = y0.size();
  bool one_key = k0.size() == 1 && k1.size() == 1;
  bool keys_fit = one_key || (k0.size() == size && k1.size() == size);
  if (!keys_fit || x0.size() != size || x1.size() != size || y1.size() != size) {
    raise(PyExc_ValueError, "threefry2x32: the arrays differ in size: keys %zu and %zu, words %zu and %zu, results "
          "%zu and %zu", k0.size(), k1.size(), x0.size(), x1.size(), size, y1.size());
  }
  nb::gil_scoped_release release;
  if (one_key) {
    threefry_one_key(*k0.data(), *k1.data(), x0.data(), x1.data(), y0.data(), y1.data(), size);
  } else {
    threefry_many_keys(k0.data(), k1.data(), x0.data(), x1.data(), y0.data(), y1.data(), size);
  }
}

inline uint32_t word_at(const char* base, npy_intp step, npy_intp i) {
  uint32_t word;
  std::memcpy(&word, base + i * step, sizeof word);
  return word;
}

}  // namespace

void threefry_loop(char** args, const npy_intp* dims, const npy_intp* steps, void*) {
  constexpr npy_intp kWord = sizeof(uint32_t), kBlock = 512;
  bool one_key = steps[0] == 0 && steps[1] == 0, dense = steps[4] == kWord && steps[5] == kWord;
  uint32_t x0[kBlock], x1[kBlock], y0[kBlock], y1[kBlock];
  for (npy_intp start = 0; start < dims[0]; start += kBlock) {
    npy_intp size = std::min(kBlock, dims[0] - start);
    for (npy_intp i = 0; i < size; ++i) {
      x0[i] = word_at(args[2], steps[2], start + i), x1[i] = word_at(args[3], steps[3], start + i);
    }
    if (one_key && dense) {
      threefry_one_key(word_at(args[0], 0, 0), word_at(args[1], 0, 0), x0, x1,
                       reinterpret_cast<uint32_t*>(args[4]) + start, reinterpret_cast<uint32_t*>(args[5]) + start,
                       static_cast<size_t>(size));
      continue;
    }
    for (npy_intp i = 0; i < size; ++i) {
      y0[i] = x0[i], y1[i] = x1[i];
      threefry(word_at(args[0], steps[0], start + i), word_at(args[1], steps[1], start + i), y0[i], y1[i]);
      std::memcpy(args[4] + (start + i) * steps[4], &y0[i], kWord);
      std::memcpy(args[5] + (start + i) * steps[5], &y1[i], kWord);
    }
  }
}

void bind_threefry(nb::module_& module) {
  module.def("threefry2x32_into", threefry2x32_into,
             "threefry2x32_into(k0, k1, x0, x1, y0, y1): hashes the words x under the keys k into y. All are "
             "contiguous uint32 arrays of one size; the keys may also be of size 1.");
}

}  // namespace sable
