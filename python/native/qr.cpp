// Native kernels of factors Q R: LAPACK's Householder reflections over stacks of matrices.
#include <algorithm>
#include <complex>
#include <string>
#include <vector>

#include "kernels.h"
#include "lapack.h"

namespace sable {

namespace {

// Workspaces of reals that functions of complex numbers take besides.
template <typename T, bool is_complex = Parts<T>::kComplex>
struct Pivoted {
  void (*geqp3)(const int* m, const int* n, T* a, const int* lda, int* order, T* taus, T* work, const int* size,
                int* info);
};
template <typename T>
struct Pivoted<T, true> {
  void (*geqp3)(const int* m, const int* n, T* a, const int* lda, int* order, T* taus, T* work, const int* size,
                Real<T>* reals, int* info);
};

template <typename T>
struct Library : Pivoted<T> {
  void (*geqrf)(const int* m, const int* n, T* a, const int* lda, T* taus, T* work, const int* size, int* info);
  void (*product)(const int* m, const int* n, const int* k, T* a, const int* lda, const T* taus, T* work,
                  const int* size, int* info);
  void (*apply)(const char* side, const char* transpose, const int* m, const int* n, const int* k, const T* a,
                const int* lda, const T* taus, T* c, const int* ldc, T* work, const int* size, int* info);
};

template <typename T>
Library<T> library = {};

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
    call_with(factor_work_, call);
  }
  // The same with the columns in an order by what is left of them: `order` has the column that each one was.
  void factor_pivoted(int columns) {
    int info = 0;
    order.assign(static_cast<size_t>(columns), 0);
    auto call = [&](T* work, const int* size) {
      if constexpr (Parts<T>::kComplex) {
        reals_.resize(2 * static_cast<size_t>(columns));
        library<T>.geqp3(&rows_, &columns, matrix.data(), &rows_, order.data(), taus.data(), work, size, reals_.data(),
                         &info);
      } else {
        library<T>.geqp3(&rows_, &columns, matrix.data(), &rows_, order.data(), taus.data(), work, size, &info);
      }
    };
    call_with(factor_work_, call);
    for (int& column : order) --column;
  }
  // The product's columns in place of the matrix.
  void multiply(int columns) {
    int info = 0;
    auto call = [&](T* work, const int* size) {
      library<T>.product(&rows_, &columns, &count_, matrix.data(), &rows_, taus.data(), work, size, &info);
    };
    call_with(product_work_, call);
  }

 private:
  int rows_, columns_, count_;
  std::vector<T> factor_work_, product_work_;
  std::vector<Real<T>> reals_;

 public:
  ColumnMajor<T> matrix;
  std::vector<T> taus;
  std::vector<int> order;
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
    write_vector(taus, number, reflections.taus);
  }
}

// Operand a; results: R and the reflections below it, the columns' order, taus.
template <typename T>
void geqp3(const int64_t* words) {
  Matrices<T> a(words, 0, 4), packed(words, 1, 4), taus(words, 3, 4);
  Matrices<int32_t> order(words, 2, 4);
  const int rows = static_cast<int>(a.rows()), columns = static_cast<int>(a.columns());
  Reflections<T> reflections(rows, columns, std::min(rows, columns));
  for (int64_t number = 0; number < a.batch(); ++number) {
    reflections.matrix.read(a, number);
    reflections.factor_pivoted(columns);
    reflections.matrix.write(packed, number);
    write_vector(order, number, reflections.order);
    write_vector(taus, number, reflections.taus);
  }
}

// Operands: reflections, taus, c; result Q c, Q^H c, c Q or c Q^H; options: whether Q stands on the left, whether it is its
// adjoint.
template <typename T>
void ormqr(const int64_t* words) {
  Matrices<T> a(words, 0, 4), taus(words, 1, 4), c(words, 2, 4), result(words, 3, 4);
  const int64_t* options = Matrices<T>::options(words, 4);
  const char side = options[0] ? 'L' : 'R', transpose = !options[1] ? 'N' : Parts<T>::kComplex ? 'C' : 'T';
  const int rows = static_cast<int>(c.rows()), columns = static_cast<int>(c.columns());
  const int length = static_cast<int>(a.rows()), count = static_cast<int>(taus.rows());
  ColumnMajor<T> reflections(length, a.columns()), matrix(rows, columns);
  std::vector<T> factors(static_cast<size_t>(count)), buffer;
  for (int64_t number = 0; number < c.batch(); ++number) {
    reflections.read(a, number);
    read_vector(taus, number, factors);
    matrix.read(c, number);
    int info = 0;
    call_with(buffer, [&](T* work, const int* size) {
      library<T>.apply(&side, &transpose, &rows, &columns, &count, reflections.data(), &length, factors.data(),
                       matrix.data(), &rows, work, size, &info);
    });
    matrix.write(result, number);
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
    read_vector(taus, number, reflections.taus);
    reflections.multiply(columns);
    reflections.matrix.write(result, number);
  }
}

// Operand a; results Q and R, with as many columns and rows as they have, and the columns' order where they have one.
template <typename T, bool pivoting>
void qr(const int64_t* words) {
  constexpr int count = 3 + pivoting;
  Matrices<T> a(words, 0, count), q(words, 1, count), r(words, 2, count);
  const int rows = static_cast<int>(a.rows()), columns = static_cast<int>(a.columns());
  Reflections<T> reflections(rows, std::max(columns, static_cast<int>(q.columns())), std::min(rows, columns));
  for (int64_t number = 0; number < a.batch(); ++number) {
    reflections.matrix.read(a, number);
    if constexpr (pivoting) {
      Matrices<int32_t> order(words, 3, count);
      reflections.factor_pivoted(columns);
      write_vector(order, number, reflections.order);
    } else {
      reflections.factor(columns);
    }
    for (int64_t i = 0; i < r.rows(); ++i)
      for (int64_t j = 0; j < columns; ++j) r.at(number, i, j) = j < i ? T(0) : reflections.matrix.at(i, j);
    reflections.multiply(static_cast<int>(q.columns()));
    reflections.matrix.write(q, number);
  }
}

template <typename T>
void bind_type(const Addresses& addresses, const std::string& prefix, const std::string& dtype) {
  take(addresses, prefix + "geqrf", library<T>.geqrf);
  take(addresses, prefix + "geqp3", library<T>.geqp3);
  take(addresses, prefix + (Parts<T>::kComplex ? "ungqr" : "orgqr"), library<T>.product);
  take(addresses, prefix + (Parts<T>::kComplex ? "unmqr" : "ormqr"), library<T>.apply);
  register_kernel("sable_geqrf_" + dtype, geqrf<T>, 3, 0);
  register_kernel("sable_householder_product_" + dtype, householder_product<T>, 3, 0);
  register_kernel("sable_geqp3_" + dtype, geqp3<T>, 4, 0);
  register_kernel("sable_ormqr_" + dtype, ormqr<T>, 4, 2);
  register_kernel("sable_qr_false_" + dtype, qr<T, false>, 3, 0);
  register_kernel("sable_qr_true_" + dtype, qr<T, true>, 4, 0);
}

}  // namespace

void bind_qr(const Addresses& addresses) {
  bind_type<float>(addresses, "s", "float32");
  bind_type<double>(addresses, "d", "float64");
  bind_type<std::complex<float>>(addresses, "c", "complex64");
  bind_type<std::complex<double>>(addresses, "z", "complex128");
}

}  // namespace sable
