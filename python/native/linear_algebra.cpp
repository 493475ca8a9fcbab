// Native kernels of linear algebra: LAPACK and BLAS over stacks of matrices.
//
// The functions come from an instance of OpenBLAS of our own, whose addresses Python hands over. Rows are adjacent in
// our matrices, columns in LAPACK's: what it sees is the transpose.
#include <algorithm>
#include <complex>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "kernels.h"
#include "lapack.h"

namespace sable {

namespace {

template <typename T>
struct Library {
  void (*potrf)(const char* triangle, const int* n, T* a, const int* lda, int* info);
  void (*trsm)(const char* side, const char* triangle, const char* transpose, const char* diagonal, const int* m,
               const int* n, const T* alpha, const T* a, const int* lda, T* b, const int* ldb);
  void (*gemm)(const char* transpose_a, const char* transpose_b, const int* m, const int* n, const int* k, const T* alpha,
               const T* a, const int* lda, const T* b, const int* ldb, const T* beta, T* c, const int* ldc);
  void (*getrf)(const int* m, const int* n, T* a, const int* lda, int* pivots, int* info);
};

template <typename T>
Library<T> library = {};

// A matrix with dense rows: the one in the stack, or a copy of it.
template <typename T>
class Dense {
 public:
  explicit Dense(const Matrices<T>& stack) : stack_(stack), in_place_(stack.has_dense_rows()) {
    if (!in_place_) copy_.resize(static_cast<size_t>(stack.rows() * stack.columns()));
  }
  T* data(int64_t number) { return in_place_ ? stack_.matrix(number) : copy_.data(); }
  int leading() const { return in_place_ ? stack_.leading() : static_cast<int>(stack_.columns()); }
  void read(int64_t number) {
    if (!in_place_) each(number, [](T& copy, T& original) { copy = original; });
  }
  void write(int64_t number) {
    if (!in_place_) each(number, [](T& copy, T& original) { original = copy; });
  }

 private:
  template <typename F>
  void each(int64_t number, F f) {
    size_t place = 0;
    for (int64_t i = 0; i < stack_.rows(); ++i)
      for (int64_t j = 0; j < stack_.columns(); ++j) f(copy_[place++], stack_.at(number, i, j));
  }

  const Matrices<T>& stack_;
  bool in_place_;
  std::vector<T> copy_;
};

// Operand a, result; option: lower. The other triangle of a is not read, that of the result is zero. A factor that does
// not exist is NaN in its triangle.
template <typename T>
void cholesky(const int64_t* words) {
  Matrices<T> a(words, 0, 2), result(words, 1, 2);
  bool lower = Matrices<T>::options(words, 2)[0] != 0;
  const int n = static_cast<int>(a.rows());
  const char triangle = lower ? 'U' : 'L';  // of the transpose
  Dense<T> factor(result);
  const int leading = factor.leading();
  for (int64_t number = 0; number < a.batch(); ++number) {
    T* matrix = factor.data(number);
    auto fill = [&](auto value) {
      for (int64_t i = 0; i < n; ++i) {
        T* row = matrix + i * leading;
        for (int64_t j = 0; j < n; ++j) row[j] = (lower ? j <= i : j >= i) ? value(i, j) : T(0);
      }
    };
    fill([&](int64_t i, int64_t j) { return a.at(number, i, j); });
    int info = 0;
    library<T>.potrf(&triangle, &n, matrix, &leading, &info);
    if (info != 0) fill([](int64_t, int64_t) { return not_a_number<T>(); });
    factor.write(number);
  }
}

// Operands a, b, result x of op(a) x = b or x op(a) = b; options: left, lower, unit diagonal, op (0: a, 1: transpose,
// 2: conjugate transpose).
template <typename T>
void triangular_solve(const int64_t* words) {
  Matrices<T> a(words, 0, 3), b(words, 1, 3), result(words, 2, 3);
  const int64_t* options = Matrices<T>::options(words, 3);
  // x op(a) = b is, transposed, op(a)' x' = b', and a' is what BLAS sees: side and triangle change, op stays
  const char side = options[0] ? 'R' : 'L', triangle = options[1] ? 'U' : 'L', diagonal = options[2] ? 'U' : 'N';
  const char transpose = "NTC"[options[3]];
  const int rows = static_cast<int>(b.rows()), columns = static_cast<int>(b.columns());
  const T one(1);
  Dense<T> matrix(a), solution(result);
  const int lda = matrix.leading(), ldb = solution.leading();
  for (int64_t number = 0; number < b.batch(); ++number) {
    T* x = solution.data(number);
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < columns; ++j) x[i * ldb + j] = b.at(number, i, j);
    matrix.read(number);
    library<T>.trsm(&side, &triangle, &transpose, &diagonal, &columns, &rows, &one, matrix.data(number), &lda, x, &ldb);
    solution.write(number);
  }
}

// Columns of b, or rows where x stands at the left.
int sides_of_solve(const int64_t* options) { return options[0] ? 2 : 1; }

// The order in which rows are after each was exchanged with its pivot, one after the other.
void exchange_rows(const Matrices<int32_t>& pivots, const Matrices<int32_t>& permutation, int64_t number) {
  for (int64_t i = 0; i < permutation.rows(); ++i) permutation.at(number, i, 0) = static_cast<int32_t>(i);
  for (int64_t i = 0; i < pivots.rows(); ++i) {
    const int64_t other = std::clamp<int64_t>(pivots.at(number, i, 0), 0, permutation.rows() - 1);
    std::swap(permutation.at(number, i, 0), permutation.at(number, other, 0));
  }
}

// Operand: pivots; result: the permutation.
void lu_pivots_to_permutation(const int64_t* words) {
  Matrices<int32_t> pivots(words, 0, 2), permutation(words, 1, 2);
  for (int64_t number = 0; number < pivots.batch(); ++number) exchange_rows(pivots, permutation, number);
}

// Operand a; results: L (unit diagonal, not stored) and U in one matrix, the row that each row was exchanged with, and
// the rows of a in the order of those of L U.
template <typename T>
void lu(const int64_t* words) {
  Matrices<T> a(words, 0, 4), factors(words, 1, 4);
  Matrices<int32_t> pivots(words, 2, 4), permutation(words, 3, 4);
  const int rows = static_cast<int>(a.rows()), columns = static_cast<int>(a.columns());
  ColumnMajor<T> matrix(rows, columns);
  std::vector<int> exchanged(static_cast<size_t>(std::min(rows, columns)));
  for (int64_t number = 0; number < a.batch(); ++number) {
    matrix.read(a, number);
    int info = 0;  // a pivot that is zero is no failure
    library<T>.getrf(&rows, &columns, matrix.data(), &rows, exchanged.data(), &info);
    matrix.write(factors, number);
    for (int64_t i = 0; i < pivots.rows(); ++i) pivots.at(number, i, 0) = exchanged[static_cast<size_t>(i)] - 1;
    exchange_rows(pivots, permutation, number);
  }
}

// Operands a (not read), its factors and permutation, b; result x of a x = b; option: the transpose of a.
template <typename T>
void lu_solve(const int64_t* words) {
  Matrices<T> factors(words, 1, 5), b(words, 3, 5), result(words, 4, 5);
  Matrices<int32_t> permutation(words, 2, 5);
  const bool transposed = Matrices<T>::options(words, 5)[0] != 0;
  const int rows = static_cast<int>(b.rows()), columns = static_cast<int>(b.columns());
  const T one(1);
  Dense<T> matrix(factors);
  const int leading = matrix.leading();
  std::vector<T> x(static_cast<size_t>(rows) * static_cast<size_t>(columns));
  for (int64_t number = 0; number < b.batch(); ++number) {
    matrix.read(number);
    auto row_of = [&](int64_t i, bool permuted) {
      return permuted ? std::clamp<int64_t>(permutation.at(number, i, 0), 0, rows - 1) : i;
    };
    // what BLAS sees of the factors is the transpose, and so it is of x
    auto divide = [&](char triangle, char diagonal) {
      library<T>.trsm("R", &triangle, transposed ? "T" : "N", &diagonal, &columns, &rows, &one, matrix.data(number),
                      &leading, x.data(), &columns);
    };
    size_t place = 0;
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0, from = row_of(i, !transposed); j < columns; ++j) x[place++] = b.at(number, from, j);
    divide(transposed ? 'L' : 'U', transposed ? 'N' : 'U');
    divide(transposed ? 'U' : 'L', transposed ? 'U' : 'N');
    place = 0;
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0, to = row_of(i, transposed); j < columns; ++j) result.at(number, to, j) = x[place++];
  }
}

// What a piece of n things consists of.
struct Range {
  int64_t first, last;

  Range(int64_t n, int64_t piece, int64_t pieces) : first(n * piece / pieces), last(n * (piece + 1) / pieces) {}
  int size() const { return static_cast<int>(last - first); }
};

// Products that BLAS adds at once, since in small matrices it adds one after the other however many there are.
constexpr int kProducts = 256;

// Operands a, b, result a b; options: a is given transposed, b is. A piece has some matrices of the batch, or some rows or
// columns of every result.
template <typename T>
void matmul(const int64_t* words) {
  Matrices<T> a(words, 0, 3), b(words, 1, 3), result(words, 2, 3);
  const int64_t* options = Matrices<T>::options(words, 3);
  const bool a_is_transposed = options[0] != 0, b_is_transposed = options[1] != 0;
  const int64_t piece = options[2], pieces = options[3];
  const int inner = static_cast<int>(a_is_transposed ? a.rows() : a.columns());
  const bool by_batch = result.batch() >= pieces, by_rows = !by_batch && result.rows() >= result.columns();
  const Range batch(result.batch(), by_batch ? piece : 0, by_batch ? pieces : 1);
  const Range rows(result.rows(), by_rows ? piece : 0, by_rows ? pieces : 1);
  const bool by_columns = !by_batch && !by_rows;
  const Range columns(result.columns(), by_columns ? piece : 0, by_columns ? pieces : 1);
  if (rows.size() == 0 || columns.size() == 0) return;
  Dense<T> left(a), right(b), product(result);
  const int lda = left.leading(), ldb = right.leading(), ldc = product.leading();
  const int m = columns.size(), n = rows.size();
  const T one(1), zero(0);
  const int most = sizeof(T) > (std::is_floating_point_v<T> ? 4 : 8) ? inner : kProducts;
  const int64_t step_a = a_is_transposed ? lda : 1, step_b = b_is_transposed ? 1 : ldb;
  for (int64_t number = batch.first; number < batch.last; ++number) {
    left.read(number);
    right.read(number);
    const T* x = left.data(number) + rows.first * (a_is_transposed ? 1 : lda);
    const T* y = right.data(number) + columns.first * (b_is_transposed ? ldb : 1);
    T* z = product.data(number) + rows.first * ldc + columns.first;
    for (int first = 0; first < inner; first += most) {
      const int count = std::min(most, inner - first);
      library<T>.gemm(b_is_transposed ? "T" : "N", a_is_transposed ? "T" : "N", &m, &n, &count, &one, y + first * step_b,
                      &ldb, x + first * step_a, &lda, first ? &one : &zero, z, &ldc);
    }
    product.write(number);
  }
}

template <typename T>
void bind_type(Addresses addresses, const char* prefix, const std::string& dtype) {
  take(addresses, prefix + std::string("potrf"), library<T>.potrf);
  take(addresses, prefix + std::string("trsm"), library<T>.trsm);
  take(addresses, prefix + std::string("gemm"), library<T>.gemm);
  take(addresses, prefix + std::string("getrf"), library<T>.getrf);
  register_kernel("sable_cholesky_" + dtype, cholesky<T>, 2, 1);
  register_kernel("sable_triangular_solve_" + dtype, triangular_solve<T>, 3, 4, sides_of_solve);
  register_kernel(("sable_matmul_" + dtype).c_str(), matmul<T>);
  register_kernel("sable_lu_" + dtype, lu<T>, 4, 0);
  register_kernel("sable_lu_solve_" + dtype, lu_solve<T>, 5, 1, [](const int64_t*) { return 2; });
}

}  // namespace

void bind_linear_algebra(nb::module_& module) {
  module.def(
      "bind_lapack",
      [](Addresses addresses) {
        bind_type<float>(addresses, "s", "float32");
        bind_type<double>(addresses, "d", "float64");
        bind_type<std::complex<float>>(addresses, "c", "complex64");
        bind_type<std::complex<double>>(addresses, "z", "complex128");
        bind_qr(addresses);
        bind_reductions(addresses);
        bind_spectral(addresses);
        register_kernel("sable_lu_pivots_to_permutation_int32", lu_pivots_to_permutation);
        bind_small_matrices();
      },
      "bind_lapack(addresses): takes LAPACK's and BLAS's functions ('spotrf', 'ztrsm' ...) by their addresses and makes "
      "the kernels of linear algebra known.");
  module.def("bind_threaded_lapack", bind_large_spectral,
             "bind_threaded_lapack(addresses): takes functions of a LAPACK with threads of its own ('ssyevd', 'zgesdd' ...) "
             "and makes the kernels of large matrices known, whose names end in '_large'.");
}

}  // namespace sable
