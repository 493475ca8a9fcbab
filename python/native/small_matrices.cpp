// Native kernels for many small matrices of real numbers, of which several are computed at once, side by side. All other
// matrices are LAPACK's.
#include "small_matrices.h"

#include <complex>
#include <string>
#include <vector>

#include "kernels.h"

namespace sable {

namespace {

template <typename T>
const SmallMatrices<T>& code() {
  if constexpr (std::is_same_v<T, float>) {
    static const SmallMatrices<T> chosen = SABLE_OF_THIS_PROCESSOR(small_matrices_float);
    return chosen;
  } else {
    static const SmallMatrices<T> chosen = SABLE_OF_THIS_PROCESSOR(small_matrices_double);
    return chosen;
  }
}

template <typename T>
Stack<T> stack(const Matrices<T>& m) {
  return {m.data, {m.strides[0], m.strides[1], m.strides[2]}};
}

// LAPACK's kernels, by the function here that stands before them.
template <Kernel before>
Kernel lapack = nullptr;

// Whether there are enough of them to fill more than half of the lanes, and all of these are small.
template <typename T>
bool are_small(int64_t batch, std::initializer_list<int64_t> sizes) {
  if (2 * batch <= code<T>().lanes) return false;
  for (int64_t size : sizes)
    if (size > kSmall) return false;
  return true;
}

template <typename T>
void cholesky(const int64_t* words) {
  Matrices<T> a(words, 0, 2), result(words, 1, 2);
  if (!are_small<T>(a.batch(), {a.rows()})) return lapack<cholesky<T>>(words);
  code<T>().cholesky(stack(a), stack(result), a.batch(), static_cast<int>(a.rows()), Matrices<T>::options(words, 2)[0] != 0);
}

template <typename T>
void lu(const int64_t* words) {
  Matrices<T> a(words, 0, 4), factors(words, 1, 4);
  Matrices<int32_t> pivots(words, 2, 4), permutation(words, 3, 4);
  if (!are_small<T>(a.batch(), {a.rows(), a.columns()})) return lapack<lu<T>>(words);
  code<T>().lu(stack(a), stack(factors), stack(pivots), stack(permutation), a.batch(), static_cast<int>(a.rows()),
               static_cast<int>(a.columns()));
}

template <typename T>
void lu_solve(const int64_t* words) {
  Matrices<T> factors(words, 1, 5), b(words, 3, 5), result(words, 4, 5);
  Matrices<int32_t> permutation(words, 2, 5);
  if (!are_small<T>(b.batch(), {b.rows(), b.columns()})) return lapack<lu_solve<T>>(words);
  code<T>().lu_solve(stack(factors), stack(permutation), stack(b), stack(result), b.batch(), static_cast<int>(b.rows()),
                     static_cast<int>(b.columns()), Matrices<T>::options(words, 5)[0] != 0);
}

template <typename T>
void triangular_solve(const int64_t* words) {
  Matrices<T> a(words, 0, 3), b(words, 1, 3), result(words, 2, 3);
  const int64_t* options = Matrices<T>::options(words, 3);
  if (!are_small<T>(b.batch(), {b.rows(), b.columns()})) return lapack<triangular_solve<T>>(words);
  code<T>().triangular_solve(stack(a), stack(b), stack(result), b.batch(), static_cast<int>(b.rows()),
                             static_cast<int>(b.columns()), options[0] != 0, options[1] != 0, options[2] != 0,
                             options[3] != 0);
}

template <typename T>
void qr(const int64_t* words) {
  Matrices<T> a(words, 0, 3), q(words, 1, 3), r(words, 2, 3);
  if (!are_small<T>(a.batch(), {a.rows(), a.columns()})) return lapack<qr<T>>(words);
  code<T>().qr(stack(a), stack(q), stack(r), a.batch(), static_cast<int>(a.rows()), static_cast<int>(a.columns()),
               static_cast<int>(q.columns()));
}

template <typename T>
void eigh(const int64_t* words) {
  Matrices<T> a(words, 0, 3), v(words, 1, 3), w(words, 2, 3);
  if (!are_small<T>(a.batch(), {a.rows()})) return lapack<eigh<T>>(words);
  code<T>().eigh(stack(a), stack(v), stack(w), a.batch(), static_cast<int>(a.rows()), Matrices<T>::options(words, 3)[0] != 0);
}

// A call of LAPACK's kernel on each matrix that is left out.
template <typename T, Kernel kernel, int tensors, int options>
struct Rest {
  const int64_t* words;

  LeftOut left_out() { return {run, this}; }

 private:
  static void run(void* self, int64_t number) {
    constexpr int kPlace = Matrices<T>::kWords, kCount = tensors * (kPlace + Matrices<T>::kRank) + options;
    const int64_t* words = static_cast<Rest*>(self)->words;
    std::vector<int64_t> one(words, words + kCount);
    for (int i = 0; i < tensors; ++i) {
      one[i * kPlace + 1] += number * one[i * kPlace + 2];
      one[tensors * kPlace + i * Matrices<T>::kRank] = 1;
    }
    one.insert(one.end(), {0, 1});
    lapack<kernel>(one.data());
  }
};

// Matrices whose vectors are to be completed are LAPACK's.
template <typename T, bool vectors>
void svd(const int64_t* words) {
  constexpr int kTensors = vectors ? 4 : 2;
  Matrices<T> a(words, 0, kTensors), s(words, 1, kTensors);
  const bool is_full = Matrices<T>::options(words, kTensors)[0] != 0;
  if (!are_small<T>(a.batch(), {a.rows(), a.columns()}) || (vectors && is_full && a.rows() != a.columns()))
    return lapack<svd<T, vectors>>(words);
  Rest<T, svd<T, vectors>, kTensors, 1> rest{words};
  Stack<T> u{}, vt{}, matrices = stack(a);
  if constexpr (vectors) u = stack(Matrices<T>(words, 2, kTensors)), vt = stack(Matrices<T>(words, 3, kTensors));
  int64_t rows = a.rows(), columns = a.columns();
  auto turned = [](Stack<T> m) { return Stack<T>{m.data, {m.strides[0], m.strides[2], m.strides[1]}}; };
  if (rows < columns) {  // the transpose
    std::swap(rows, columns);
    const Stack<T> left = u;
    matrices = turned(matrices), u = turned(vt), vt = turned(left);
  }
  code<T>().svd(matrices, stack(s), u, vt, a.batch(), static_cast<int>(rows), static_cast<int>(columns), rest.left_out());
}

// Without left eigenvectors.
template <typename T, bool vectors>
void eig(const int64_t* words) {
  constexpr int kTensors = vectors ? 3 : 2;
  Matrices<T> a(words, 0, kTensors);
  if (!are_small<T>(a.batch(), {a.rows()})) return lapack<eig<T, vectors>>(words);
  Rest<T, eig<T, vectors>, kTensors, 0> rest{words};
  auto parts = [](const Matrices<std::complex<T>>& m) {
    return Stack<T>{reinterpret_cast<T*>(m.data), {2 * m.strides[0], 2 * m.strides[1], 2 * m.strides[2]}};
  };
  Stack<T> v{};
  if constexpr (vectors) v = parts(Matrices<std::complex<T>>(words, 2, kTensors));
  code<T>().eig(stack(a), parts(Matrices<std::complex<T>>(words, 1, kTensors)), v, a.batch(), static_cast<int>(a.rows()),
                rest.left_out());
}

template <Kernel kernel>
void put_before(const std::string& name) {
  lapack<kernel> = replace_kernel(name, kernel);
}

template <typename T>
void bind_type(const std::string& dtype) {
  put_before<cholesky<T>>("sable_cholesky_" + dtype);
  put_before<lu<T>>("sable_lu_" + dtype);
  put_before<lu_solve<T>>("sable_lu_solve_" + dtype);
  put_before<triangular_solve<T>>("sable_triangular_solve_" + dtype);
  put_before<qr<T>>("sable_qr_false_" + dtype);
  put_before<eigh<T>>("sable_eigh_" + dtype);
  put_before<svd<T, true>>("sable_svd_true_" + dtype);
  put_before<svd<T, false>>("sable_svd_false_" + dtype);
  put_before<eig<T, true>>("sable_eig_false_true_" + dtype);
  put_before<eig<T, false>>("sable_eig_false_false_" + dtype);
}

}  // namespace

void bind_small_matrices() {
  bind_type<float>("float32");
  bind_type<double>("float64");
}

}  // namespace sable
