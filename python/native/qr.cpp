// Native kernels of factors Q R: LAPACK's Householder reflections over stacks of matrices.
#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <string>
#include <vector>

#include "kernels.h"
#include "lapack.h"

namespace sable {

namespace {

template <typename T>
struct Library {
  void (*geqrf)(const int* m, const int* n, T* a, const int* lda, T* taus, T* work, const int* size, int* info);
  void (*product)(const int* m, const int* n, const int* k, T* a, const int* lda, const T* taus, T* work,
                  const int* size, int* info);
};

template <typename T>
Library<T> library = {};

constexpr int kQuery = -1;

// A workspace of the size that `call(work, size)` answers with, as a number that may have been rounded down.
template <typename T, typename F>
std::vector<T> workspace(F call) {
  T answer(0);
  call(&answer, &kQuery);
  const auto size = std::real(answer);
  using Real = decltype(std::real(T()));
  return std::vector<T>(static_cast<size_t>(std::nextafter(size, std::numeric_limits<Real>::infinity())));
}

// Reflections of matrices of one shape: v below the diagonal (its first element is 1) and tau of each, and R.
template <typename T>
class Reflections {
 public:
  // The product has `columns` columns, as many as the matrices or more.
  Reflections(int rows, int columns, int count)
      : rows_(rows), columns_(columns), count_(count), matrix(rows, columns), taus(static_cast<size_t>(count)) {}

  // Of the first columns, as many as there are.
  void factor(int columns) {
    int info = 0;
    auto call = [&](T* work, const int* size) {
      library<T>.geqrf(&rows_, &columns, matrix.data(), &rows_, taus.data(), work, size, &info);
    };
    run(call, factor_work_);
  }
  // The product's columns in place of the matrix.
  void multiply(int columns) {
    int info = 0;
    auto call = [&](T* work, const int* size) {
      library<T>.product(&rows_, &columns, &count_, matrix.data(), &rows_, taus.data(), work, size, &info);
    };
    run(call, product_work_);
  }

 private:
  template <typename F>
  void run(F call, std::vector<T>& work) {
    if (work.empty()) work = workspace<T>(call);
    const int size = static_cast<int>(work.size());
    call(work.data(), &size);
  }

  int rows_, columns_, count_;
  std::vector<T> factor_work_, product_work_;

 public:
  ColumnMajor<T> matrix;
  std::vector<T> taus;
};

// Operand a; results: R and the reflections below it, their taus.
template <typename T>
void geqrf(const int64_t* words) {
  Matrices<T> a(words, 0, 3), packed(words, 1, 3), taus(words, 2, 3);
  const int rows = static_cast<int>(a.rows()), columns = static_cast<int>(a.columns());
  Reflections<T> reflections(rows, columns, std::min(rows, columns));
  for (int64_t number = 0; number < a.batch(); ++number) {
    reflections.matrix.read(a, number);
    reflections.factor(columns);
    reflections.matrix.write(packed, number);
    for (int64_t i = 0; i < taus.rows(); ++i) taus.at(number, i, 0) = reflections.taus[static_cast<size_t>(i)];
  }
}

// Operands: reflections, taus; result: the first columns of their product.
template <typename T>
void householder_product(const int64_t* words) {
  Matrices<T> a(words, 0, 3), taus(words, 1, 3), result(words, 2, 3);
  const int rows = static_cast<int>(a.rows()), columns = static_cast<int>(a.columns());
  Reflections<T> reflections(rows, columns, static_cast<int>(taus.rows()));
  for (int64_t number = 0; number < a.batch(); ++number) {
    reflections.matrix.read(a, number);
    for (int64_t i = 0; i < taus.rows(); ++i) reflections.taus[static_cast<size_t>(i)] = taus.at(number, i, 0);
    reflections.multiply(columns);
    reflections.matrix.write(result, number);
  }
}

// Operand a; results Q and R, with as many columns and rows as they have.
template <typename T>
void qr(const int64_t* words) {
  Matrices<T> a(words, 0, 3), q(words, 1, 3), r(words, 2, 3);
  const int rows = static_cast<int>(a.rows()), columns = static_cast<int>(a.columns());
  Reflections<T> reflections(rows, std::max(columns, static_cast<int>(q.columns())), std::min(rows, columns));
  for (int64_t number = 0; number < a.batch(); ++number) {
    reflections.matrix.read(a, number);
    reflections.factor(columns);
    for (int64_t i = 0; i < r.rows(); ++i)
      for (int64_t j = 0; j < columns; ++j) r.at(number, i, j) = j < i ? T(0) : reflections.matrix.at(i, j);
    reflections.multiply(static_cast<int>(q.columns()));
    reflections.matrix.write(q, number);
  }
}

template <typename T>
void bind_type(const Addresses& addresses, const std::string& prefix, const std::string& dtype) {
  take(addresses, prefix + "geqrf", library<T>.geqrf);
  take(addresses, prefix + (std::is_floating_point_v<T> ? "orgqr" : "ungqr"), library<T>.product);
  register_kernel("sable_geqrf_" + dtype, geqrf<T>, 3, 0);
  register_kernel("sable_householder_product_" + dtype, householder_product<T>, 3, 0);
  register_kernel("sable_qr_" + dtype, qr<T>, 3, 0);
}

}  // namespace

void bind_qr(const Addresses& addresses) {
  bind_type<float>(addresses, "s", "float32");
  bind_type<double>(addresses, "d", "float64");
  bind_type<std::complex<float>>(addresses, "c", "complex64");
  bind_type<std::complex<double>>(addresses, "z", "complex128");
}

}  // namespace sable
