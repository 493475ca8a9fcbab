// Native kernels that reduce matrices: to Hessenberg's, tridiagonal and Schur's form; and tridiagonal systems, the update of
// a Cholesky factor.
#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "kernels.h"
#include "lapack.h"

namespace sable {

namespace {

// Functions of a real T, and of a complex one, which have one workspace of reals more.
template <typename T, bool is_complex = Parts<T>::kComplex>
struct Schur {
  void (*gees)(const char* vectors, const char* sort, const void* select, const int* n, T* a, const int* lda, int* count,
               T* re, T* im, T* vs, const int* ldvs, T* work, const int* size, int* booleans, int* info);
};
template <typename T>
struct Schur<T, true> {
  void (*gees)(const char* vectors, const char* sort, const void* select, const int* n, T* a, const int* lda, int* count,
               T* w, T* vs, const int* ldvs, T* work, const int* size, Real<T>* reals, int* booleans, int* info);
};

template <typename T>
struct Library : Schur<T> {
  void (*gehrd)(const int* n, const int* first, const int* last, T* a, const int* lda, T* taus, T* work, const int* size,
                int* info);
  void (*trd)(const char* triangle, const int* n, T* a, const int* lda, Real<T>* d, Real<T>* e, T* taus, T* work,
              const int* size, int* info);
  void (*gtsv)(const int* n, const int* columns, T* dl, T* d, T* du, T* b, const int* ldb, int* info);
};

template <typename T>
Library<T> library = {};

// Operand a; results: its Hessenberg form with the reflections below it, their taus.
template <typename T>
void hessenberg(const int64_t* words) {
  Matrices<T> a(words, 0, 3), packed(words, 1, 3), taus(words, 2, 3);
  const int n = static_cast<int>(a.rows()), first = 1;
  ColumnMajor<T> matrix(n, n);
  std::vector<T> factors(static_cast<size_t>(n)), buffer;
  for (int64_t number = 0; number < a.batch(); ++number) {
    matrix.read(a, number);
    int info = 0;
    call_with(buffer, [&](T* work, const int* size) {
      library<T>.gehrd(&n, &first, &n, matrix.data(), &n, factors.data(), work, size, &info);
    });
    matrix.write(packed, number);
    write_vector(taus, number, factors);
  }
}

// Operand a, of which one triangle is read; results: the tridiagonal matrix with the reflections in that triangle, its
// diagonal, that beside it, taus; option: whether it is the lower triangle.
template <typename T>
void tridiagonal(const int64_t* words) {
  Matrices<T> a(words, 0, 5), packed(words, 1, 5), taus(words, 4, 5);
  Matrices<Real<T>> diagonal(words, 2, 5), beside(words, 3, 5);
  const char triangle = Matrices<T>::options(words, 5)[0] != 0 ? 'L' : 'U';
  const int n = static_cast<int>(a.rows());
  ColumnMajor<T> matrix(n, n);
  std::vector<T> factors(static_cast<size_t>(n)), buffer;
  std::vector<Real<T>> d(static_cast<size_t>(n)), e(static_cast<size_t>(n));
  for (int64_t number = 0; number < a.batch(); ++number) {
    matrix.read(a, number);
    int info = 0;
    call_with(buffer, [&](T* work, const int* size) {
      library<T>.trd(&triangle, &n, matrix.data(), &n, d.data(), e.data(), factors.data(), work, size, &info);
    });
    matrix.write(packed, number);
    write_vector(diagonal, number, d);
    write_vector(beside, number, e);
    write_vector(taus, number, factors);
  }
}

// Operand a; results: Schur's form t and the vectors z of a = z t z^H, if they are wanted.
template <typename T, bool vectors>
void schur(const int64_t* words) {
  constexpr int count = 2 + vectors;
  Matrices<T> a(words, 0, count), form(words, 1, count);
  const int n = static_cast<int>(a.rows()), rows = vectors ? n : 1;
  const size_t length = static_cast<size_t>(n);
  ColumnMajor<T> t(n, n), z(rows, rows);
  std::vector<T> values(2 * length), buffer;
  std::vector<Real<T>> reals(length);
  std::vector<int> booleans(length);
  for (int64_t number = 0; number < a.batch(); ++number) {
    bool there = t.read_finite(a, number);
    int info = 0, sorted = 0;
    auto call = [&](T* work, const int* size) {
      const char job = vectors ? 'V' : 'N';
      if constexpr (Parts<T>::kComplex) {
        library<T>.gees(&job, "N", nullptr, &n, t.data(), &n, &sorted, values.data(), z.data(), &rows, work, size,
                        reals.data(), booleans.data(), &info);
      } else {
        library<T>.gees(&job, "N", nullptr, &n, t.data(), &n, &sorted, values.data(), values.data() + n, z.data(), &rows,
                        work, size, booleans.data(), &info);
      }
    };
    if (there) call_with(buffer, call);
    there = there && info == 0;
    write(form, number, there, [&](int64_t i, int64_t j) { return t.at(i, j); });
    if constexpr (vectors) {
      Matrices<T> result(words, 2, count);
      write(result, number, there, [&](int64_t i, int64_t j) { return z.at(i, j); });
    }
  }
}

// ---- tridiagonal systems

template <typename T>
Real<T> magnitude(T x) {
  return std::abs(std::real(x)) + std::abs(std::imag(x));
}

// x of a tridiagonal matrix with diagonals dl (its first element is not read), d, du (its last one is not) in place of b, by
// elimination with exchanges of neighbouring rows. Pivots that are tiny beside the largest number of U stand for that many
// units of rounding of it: the matrix is then changed by no more than rounding errors, and x is finite.
template <typename T>
class Perturbed {
 public:
  explicit Perturbed(size_t n) : first_(n), second_(n), third_(n) {}

  void solve(const std::vector<T>& dl, const std::vector<T>& d, const std::vector<T>& du, ColumnMajor<T>& b,
             int64_t columns) {
    const size_t n = d.size();
    eliminate(dl, d, du, b, columns);
    Real<T> largest = 0;
    for (size_t i = 0; i < n; ++i)
      largest = std::max({largest, magnitude(first_[i]), magnitude(second_[i]), magnitude(third_[i])});
    const Real<T> least =
        std::max(std::numeric_limits<Real<T>>::epsilon() * largest, std::numeric_limits<Real<T>>::min());
    for (T& pivot : first_)
      if (magnitude(pivot) < least) pivot = std::real(pivot) < 0 ? -least : least;
    for (int64_t j = 0; j < columns; ++j) {
      for (size_t k = n; k-- > 0;) {
        const int64_t i = static_cast<int64_t>(k);
        T x = b.at(i, j);
        if (k + 1 < n) x -= second_[k] * b.at(i + 1, j);
        if (k + 2 < n) x -= third_[k] * b.at(i + 2, j);
        b.at(i, j) = x / first_[k];
      }
    }
  }

 private:
  void eliminate(const std::vector<T>& dl, const std::vector<T>& d, const std::vector<T>& du, ColumnMajor<T>& b,
                 int64_t columns) {
    const size_t n = d.size();
    T diagonal = d[0], beside = n > 1 ? du[0] : T(0);
    for (size_t k = 0; k + 1 < n; ++k) {
      const int64_t i = static_cast<int64_t>(k);
      T other = dl[k + 1], other_beside = d[k + 1], fill = k + 2 < n ? du[k + 1] : T(0), behind(0);
      if (magnitude(other) > magnitude(diagonal)) {
        std::swap(diagonal, other);
        std::swap(beside, other_beside);
        std::swap(behind, fill);
        for (int64_t j = 0; j < columns; ++j) std::swap(b.at(i, j), b.at(i + 1, j));
      }
      first_[k] = diagonal, second_[k] = beside, third_[k] = behind;
      const T factor = magnitude(diagonal) == 0 ? T(0) : other / diagonal;
      for (int64_t j = 0; j < columns; ++j) b.at(i + 1, j) -= factor * b.at(i, j);
      diagonal = other_beside - factor * beside;
      beside = fill - factor * behind;
    }
    first_[n - 1] = diagonal, second_[n - 1] = third_[n - 1] = T(0);
  }

  std::vector<T> first_, second_, third_;
};

// Operands: the diagonals, b; result x; option: whether tiny pivots are replaced. NaN where the matrix is singular.
template <typename T>
void tridiagonal_solve(const int64_t* words) {
  Matrices<T> below(words, 0, 5), diagonal(words, 1, 5), above(words, 2, 5), b(words, 3, 5), result(words, 4, 5);
  const bool perturb = Matrices<T>::options(words, 5)[0] != 0;
  const int n = static_cast<int>(b.rows()), columns = static_cast<int>(b.columns());
  const size_t length = static_cast<size_t>(n);
  ColumnMajor<T> x(n, columns);
  std::vector<T> dl(length), d(length), du(length);
  Perturbed<T> perturbed(perturb ? length : 0);
  for (int64_t number = 0; number < b.batch(); ++number) {
    x.read(b, number);
    read_vector(below, number, dl);
    read_vector(diagonal, number, d);
    read_vector(above, number, du);
    int info = 0;
    if (perturb) {
      perturbed.solve(dl, d, du, x, columns);
    } else {
      library<T>.gtsv(&n, &columns, dl.data() + 1, d.data(), du.data(), x.data(), &n, &info);
    }
    write(result, number, info == 0, [&](int64_t i, int64_t j) { return x.at(i, j); });
  }
}

// ---- the update of a factor

// Operands r, w; result: the upper triangular factor of r^T r + w w^T, by a rotation of each row with w. Where w is 0 a row
// stays as it is.
template <typename T>
void cholesky_update(const int64_t* words) {
  Matrices<T> r(words, 0, 3), w(words, 1, 3), result(words, 2, 3);
  const int64_t n = r.rows();
  std::vector<T> rest(static_cast<size_t>(n));
  for (int64_t number = 0; number < r.batch(); ++number) {
    read_vector(w, number, rest);
    for (int64_t k = 0; k < n; ++k) {
      const T x = r.at(number, k, k), y = rest[static_cast<size_t>(k)];
      const T scale = std::max(std::abs(x), std::abs(y)), length = std::hypot(x / scale, y / scale);
      const T cosine = y == 0 ? T(1) : x / scale / length, sine = y == 0 ? T(0) : y / scale / length;
      for (int64_t j = 0; j < n; ++j) {
        const T above = r.at(number, k, j);
        T& below = rest[static_cast<size_t>(j)];
        result.at(number, k, j) = cosine * above + sine * below;
        below = cosine * below - sine * above;
      }
    }
  }
}

template <typename T>
void bind_type(const Addresses& addresses, const std::string& prefix, const std::string& dtype) {
  take(addresses, prefix + "gehrd", library<T>.gehrd);
  take(addresses, prefix + (Parts<T>::kComplex ? "hetrd" : "sytrd"), library<T>.trd);
  take(addresses, prefix + "gees", library<T>.gees);
  take(addresses, prefix + "gtsv", library<T>.gtsv);
  register_kernel("sable_hessenberg_" + dtype, hessenberg<T>, 3, 0);
  register_kernel("sable_tridiagonal_" + dtype, tridiagonal<T>, 5, 1);
  register_kernel("sable_schur_false_" + dtype, schur<T, false>, 2, 0);
  register_kernel("sable_schur_true_" + dtype, schur<T, true>, 3, 0);
  register_kernel("sable_tridiagonal_solve_" + dtype, tridiagonal_solve<T>, 5, 1);
  if constexpr (!Parts<T>::kComplex) register_kernel("sable_cholesky_update_" + dtype, cholesky_update<T>, 3, 0);
}

}  // namespace

void bind_reductions(const Addresses& addresses) {
  bind_type<float>(addresses, "s", "float32");
  bind_type<double>(addresses, "d", "float64");
  bind_type<std::complex<float>>(addresses, "c", "complex64");
  bind_type<std::complex<double>>(addresses, "z", "complex128");
}

}  // namespace sable
