// Native kernels of spectral decompositions: LAPACK's over stacks of matrices, each of which is copied into LAPACK's
// order of elements (columns are adjacent) and its results back.
#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "kernels.h"
#include "lapack.h"

namespace sable {

namespace {

// Functions of a real T, and of a complex one, which have one workspace of reals more.
template <typename T, bool is_complex = Parts<T>::kComplex>
struct Library {
  void (*eigh)(const char* job, const char* triangle, const int* n, T* a, const int* lda, T* w, T* work,
               const int* size, int* integers, const int* integers_size, int* info);
  void (*gesdd)(const char* job, const int* m, const int* n, T* a, const int* lda, T* s, T* u, const int* ldu, T* vt,
                const int* ldvt, T* work, const int* size, int* integers, int* info);
  void (*geev)(const char* left, const char* right, const int* n, T* a, const int* lda, T* re, T* im, T* vl,
               const int* ldvl, T* vr, const int* ldvr, T* work, const int* size, int* info);
};
template <typename T>
struct Library<T, true> {
  void (*eigh)(const char* job, const char* triangle, const int* n, T* a, const int* lda, Real<T>* w, T* work,
               const int* size, Real<T>* reals, const int* reals_size, int* integers, const int* integers_size,
               int* info);
  void (*gesdd)(const char* job, const int* m, const int* n, T* a, const int* lda, Real<T>* s, T* u, const int* ldu,
                T* vt, const int* ldvt, T* work, const int* size, Real<T>* reals, int* integers, int* info);
  void (*geev)(const char* left, const char* right, const int* n, T* a, const int* lda, T* w, T* vl, const int* ldvl,
               T* vr, const int* ldvr, T* work, const int* size, Real<T>* reals, int* info);
};

// On the calling thread, and with threads of its own.
template <typename T>
Library<T> libraries[2] = {};

// ---- eigh

template <typename T>
class Eigh {
 public:
  Eigh(const Library<T>& library, int n, bool lower) : library_(library), n_(n), triangle_(lower ? 'L' : 'U'), a(n, n), w(static_cast<size_t>(n)) {
    T size;
    Real<T> reals_size;
    int integers_size;
    call(&size, kQuery, &reals_size, kQuery, &integers_size, kQuery);
    work_.resize(static_cast<size_t>(size_of_answer(size)));
    if (Parts<T>::kComplex) reals_.resize(static_cast<size_t>(size_of_answer(reals_size)));
    integers_.resize(static_cast<size_t>(integers_size));
  }
  // The eigenvectors of `a` into it, eigenvalues into `w`; whether that was possible.
  bool run() {
    return call(work_.data(), static_cast<int>(work_.size()), reals_.data(), static_cast<int>(reals_.size()),
                integers_.data(), static_cast<int>(integers_.size())) == 0;
  }

 private:
  int call(T* work, int size, Real<T>* reals, int reals_size, int* integers, int integers_size) {
    const char job = 'V';
    int info = 0;
    if constexpr (Parts<T>::kComplex) {
      library_.eigh(&job, &triangle_, &n_, a.data(), &n_, w.data(), work, &size, reals, &reals_size, integers,
                      &integers_size, &info);
    } else {
      library_.eigh(&job, &triangle_, &n_, a.data(), &n_, w.data(), work, &size, integers, &integers_size, &info);
    }
    return info;
  }

  const Library<T>& library_;
  int n_;
  char triangle_;
  std::vector<T> work_;
  std::vector<Real<T>> reals_;
  std::vector<int> integers_;

 public:
  ColumnMajor<T> a;
  std::vector<Real<T>> w;
};

// Operand a, results v, w; option: lower. The other triangle of a is not read.
template <typename T, bool kLarge>
void eigh(const int64_t* words) {
  Matrices<T> a(words, 0, 3), v(words, 1, 3);
  Matrices<Real<T>> w(words, 2, 3);
  const bool lower = Matrices<T>::options(words, 3)[0] != 0;
  Eigh<T> solver(libraries<T>[kLarge], static_cast<int>(a.rows()), lower);
  for (int64_t number = 0; number < a.batch(); ++number) {
    bool there = solver.a.read_finite(a, number, [&](int64_t i, int64_t j) { return lower ? j <= i : j >= i; });
    there = there && solver.run();
    write(v, number, there, [&](int64_t i, int64_t j) { return solver.a.at(i, j); });
    write(w, number, there, [&](int64_t i, int64_t) { return solver.w[static_cast<size_t>(i)]; });
  }
}

// ---- svd

enum class Vectors { kNone, kReduced, kFull };

template <typename T>
class Svd {
 public:
  Svd(const Library<T>& library, int m, int n, Vectors vectors)
      : library_(library),
        m_(m),
        n_(n),
        rank_(std::min(m, n)),
        u_columns_(vectors == Vectors::kFull ? m : rank_),
        vt_rows_(vectors == Vectors::kFull ? n : rank_),
        job_("NSA"[static_cast<int>(vectors)]),
        integers_(8 * static_cast<size_t>(rank_)),
        a(m, n),
        u(m, vectors == Vectors::kNone ? 0 : u_columns_),
        vt(vt_rows_, vectors == Vectors::kNone ? 0 : n),
        s(static_cast<size_t>(rank_)) {
    if (Parts<T>::kComplex) {
      // as the documentation of zgesdd has it
      size_t least = static_cast<size_t>(rank_), most = static_cast<size_t>(std::max(m, n));
      reals_.resize(least * std::max(5 * least + 7, 2 * most + 2 * least + 1));
    }
    T size;
    call(&size, kQuery);
    work_.resize(static_cast<size_t>(size_of_answer(size)));
  }
  // Whether there is a decomposition of `a`, which is lost.
  bool run() { return call(work_.data(), static_cast<int>(work_.size())) == 0; }

 private:
  int call(T* work, int size) {
    int info = 0;
    if constexpr (Parts<T>::kComplex) {
      library_.gesdd(&job_, &m_, &n_, a.data(), &m_, s.data(), u.data(), &m_, vt.data(), &vt_rows_, work, &size,
                       reals_.data(), integers_.data(), &info);
    } else {
      library_.gesdd(&job_, &m_, &n_, a.data(), &m_, s.data(), u.data(), &m_, vt.data(), &vt_rows_, work, &size,
                       integers_.data(), &info);
    }
    return info;
  }

  const Library<T>& library_;
  int m_, n_, rank_, u_columns_, vt_rows_;
  char job_;
  std::vector<int> integers_;
  std::vector<Real<T>> reals_;
  std::vector<T> work_;

 public:
  ColumnMajor<T> a, u, vt;
  std::vector<Real<T>> s;
};

template <typename T>
bool run_svd(Svd<T>& solver, const Matrices<T>& a, const Matrices<Real<T>>& s, int64_t number) {
  bool there = solver.a.read_finite(a, number) && solver.run();
  write(s, number, there, [&](int64_t i, int64_t) { return solver.s[static_cast<size_t>(i)]; });
  return there;
}

// Operand a, results s, u, vt; option: whether u and vt are square.
template <typename T, bool kLarge>
void svd(const int64_t* words) {
  Matrices<T> a(words, 0, 4), u(words, 2, 4), vt(words, 3, 4);
  Matrices<Real<T>> s(words, 1, 4);
  const Vectors vectors = Matrices<T>::options(words, 4)[0] != 0 ? Vectors::kFull : Vectors::kReduced;
  Svd<T> solver(libraries<T>[kLarge], static_cast<int>(a.rows()), static_cast<int>(a.columns()), vectors);
  for (int64_t number = 0; number < a.batch(); ++number) {
    bool there = run_svd(solver, a, s, number);
    write(u, number, there, [&](int64_t i, int64_t j) { return solver.u.at(i, j); });
    write(vt, number, there, [&](int64_t i, int64_t j) { return solver.vt.at(i, j); });
  }
}

// Operand a, result s.
template <typename T, bool kLarge>
void singular_values(const int64_t* words) {
  Matrices<T> a(words, 0, 2);
  Matrices<Real<T>> s(words, 1, 2);
  Svd<T> solver(libraries<T>[kLarge], static_cast<int>(a.rows()), static_cast<int>(a.columns()), Vectors::kNone);
  for (int64_t number = 0; number < a.batch(); ++number) run_svd(solver, a, s, number);
}

// ---- eig

template <typename T>
class Eig {
 public:
  Eig(int n, bool left, bool right)
      : n_(n),
        left_(left ? 'V' : 'N'),
        right_(right ? 'V' : 'N'),
        reals_(2 * static_cast<size_t>(n)),
        a(n, n),
        vl(n, left ? n : 0),
        vr(n, right ? n : 0),
        w(static_cast<size_t>(n)) {
    T size;
    call(&size, kQuery);
    work_.resize(static_cast<size_t>(size_of_answer(size)));
  }
  // Whether there are eigenvalues of `a`, which is lost.
  bool run() { return call(work_.data(), static_cast<int>(work_.size())) == 0; }
  // Element i of eigenvector j: of a real matrix those of conjugate eigenvalues are the two parts of one.
  Complex<T> element(ColumnMajor<T>& vectors, int64_t i, int64_t j) {
    if constexpr (Parts<T>::kComplex) {
      return vectors.at(i, j);
    } else {
      T imaginary = w[static_cast<size_t>(j)].imag();
      if (imaginary == 0) return vectors.at(i, j);
      int64_t first = imaginary > 0 ? j : j - 1;
      Complex<T> x(vectors.at(i, first), vectors.at(i, first + 1));
      return imaginary > 0 ? x : std::conj(x);
    }
  }

 private:
  int call(T* work, int size) {
    int info = 0;
    if constexpr (Parts<T>::kComplex) {
      libraries<T>[false].geev(&left_, &right_, &n_, a.data(), &n_, w.data(), vl.data(), &n_, vr.data(), &n_, work, &size,
                      reals_.data(), &info);
    } else {
      T *re = reals_.data(), *im = re + n_;
      libraries<T>[false].geev(&left_, &right_, &n_, a.data(), &n_, re, im, vl.data(), &n_, vr.data(), &n_, work, &size, &info);
      for (int i = 0; i < n_; ++i) w[static_cast<size_t>(i)] = Complex<T>(re[i], im[i]);
    }
    return info;
  }

  int n_;
  char left_, right_;
  std::vector<Real<T>> reals_;
  std::vector<T> work_;

 public:
  ColumnMajor<T> a, vl, vr;
  std::vector<Complex<T>> w;
};

// Operand a, results w, left eigenvectors, right eigenvectors, each of these if it is wanted.
template <typename T, bool left, bool right>
void eig(const int64_t* words) {
  constexpr int count = 2 + left + right;
  Matrices<T> a(words, 0, count);
  Matrices<Complex<T>> w(words, 1, count);
  Eig<T> solver(static_cast<int>(a.rows()), left, right);
  for (int64_t number = 0; number < a.batch(); ++number) {
    bool there = solver.a.read_finite(a, number) && solver.run();
    write(w, number, there, [&](int64_t i, int64_t) { return solver.w[static_cast<size_t>(i)]; });
    auto write_vectors = [&](ColumnMajor<T>& vectors, int index) {
      Matrices<Complex<T>> result(words, index, count);
      write(result, number, there, [&](int64_t i, int64_t j) { return solver.element(vectors, i, j); });
    };
    if constexpr (left) write_vectors(solver.vl, 2);
    if constexpr (right) write_vectors(solver.vr, left ? 3 : 2);
  }
}

template <typename T, bool kLarge>
void bind_type(const Addresses& addresses, const std::string& prefix, const std::string& dtype) {
  Library<T>& library = libraries<T>[kLarge];
  take(addresses, prefix + (Parts<T>::kComplex ? "heevd" : "syevd"), library.eigh);
  take(addresses, prefix + "gesdd", library.gesdd);
  const std::string ending = dtype + (kLarge ? "_large" : "");
  register_kernel("sable_eigh_" + ending, eigh<T, kLarge>, 3, 1);
  register_kernel("sable_svd_true_" + ending, svd<T, kLarge>, 4, 1);
  register_kernel("sable_svd_false_" + ending, singular_values<T, kLarge>, 2, 1);
  if constexpr (!kLarge) {
    take(addresses, prefix + "geev", library.geev);
    register_kernel("sable_eig_false_false_" + dtype, eig<T, false, false>, 2, 0);
    register_kernel("sable_eig_false_true_" + dtype, eig<T, false, true>, 3, 0);
    register_kernel("sable_eig_true_false_" + dtype, eig<T, true, false>, 3, 0);
    register_kernel("sable_eig_true_true_" + dtype, eig<T, true, true>, 4, 0);
  }
}

template <bool kLarge>
void bind(const Addresses& addresses) {
  bind_type<float, kLarge>(addresses, "s", "float32");
  bind_type<double, kLarge>(addresses, "d", "float64");
  bind_type<std::complex<float>, kLarge>(addresses, "c", "complex64");
  bind_type<std::complex<double>, kLarge>(addresses, "z", "complex128");
}

}  // namespace

void bind_spectral(const Addresses& addresses) { bind<false>(addresses); }
void bind_large_spectral(const Addresses& addresses) { bind<true>(addresses); }

}  // namespace sable
