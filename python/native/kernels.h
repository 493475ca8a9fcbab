// Native kernels: C functions that compute an op, called eagerly and from inside compiled CPU programs.
//
// A kernel gets words of 64 bits. For each operand and then each result: the address of its buffer, the offset of its
// first element, the stride of every dimension (both in elements); then, for each again, the extents; then the op's
// options; then which piece of the work it is to do, and how many pieces there are: several only of kernels that say how
// they cut it. The first dimension of every tensor is the batch, over which the kernel loops itself. Compiled programs
// fill the words as IREE lowers `iree_codegen.ukernel.generic`: addresses, offsets and strides, then scalars.
//
// A kernel runs without the GIL on any thread, keeps no state, and says by values (NaN) what went wrong.
#pragma once

#include <cstdint>
#include <string>

namespace sable {

using Kernel = void (*)(const int64_t* words);

// Of a kernel whose last two tensors, an operand and the result, may be cut along a dimension other than the batch, which
// depends on the options: 1 or 2.
using Side = int (*)(const int64_t* options);

// Makes a kernel known by name; compiled programs import it under that name. With the number of its tensors and of its
// options, it is one that works on any matrices of its stacks: where it is called in pieces, each is a call of some of them,
// or, if there are more pieces than matrices, of some rows or columns of the last two tensors.
void register_kernel(const std::string& name, Kernel kernel, int tensors = 0, int options = 0, Side side = nullptr);

// Puts a kernel in the place of the one of that name, which is returned.
Kernel replace_kernel(const std::string& name, Kernel kernel);

// The kernel of a name, or nullptr.
Kernel find_kernel(const std::string& name);

// Makes the kernels of Fourier transforms known.
void bind_fourier();

// Puts kernels for many small matrices before those of LAPACK, which are known.
void bind_small_matrices();

// A stack of matrices among a kernel's tensors, all of which are such stacks.
template <typename T>
struct Matrices {
  static constexpr int kRank = 3;
  static constexpr int kWords = 2 + kRank;

  T* data;
  int64_t strides[kRank], extents[kRank];

  // Tensor number `index` of `count`.
  Matrices(const int64_t* words, int index, int count) {
    const int64_t* tensor = words + index * kWords;
    data = reinterpret_cast<T*>(tensor[0]) + tensor[1];
    const int64_t* sizes = words + count * kWords + index * kRank;
    for (int i = 0; i < kRank; ++i) strides[i] = tensor[2 + i], extents[i] = sizes[i];
  }
  // The options behind the words of `count` tensors.
  static const int64_t* options(const int64_t* words, int count) { return words + count * (kWords + kRank); }

  int64_t batch() const { return extents[0]; }
  int64_t rows() const { return extents[1]; }
  int64_t columns() const { return extents[2]; }
  T* matrix(int64_t number) const { return data + number * strides[0]; }
  T& at(int64_t number, int64_t row, int64_t column) const {
    return data[number * strides[0] + row * strides[1] + column * strides[2]];
  }
  // Whether a matrix is one for BLAS: rows of adjacent elements that do not overlap.
  bool has_dense_rows() const {
    return (strides[2] == 1 || columns() == 1) && (strides[1] >= columns() || rows() == 1);
  }
  // The distance of rows, as BLAS wants it.
  int leading() const { return static_cast<int>(strides[1] > columns() ? strides[1] : columns()); }
};

}  // namespace sable
