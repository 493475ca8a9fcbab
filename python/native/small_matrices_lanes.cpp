// Linear algebra on small matrices in vector lanes: each lane of a vector belongs to another matrix.
#include "matrix_lanes.h"

namespace sable {
namespace SABLE_LANES {

// small_eigenvalues_lanes.cpp
void eig(Stack<float> a, Stack<float> w, Stack<float> v, int64_t batch, int n, LeftOut left_out);
void eig(Stack<double> a, Stack<double> w, Stack<double> v, int64_t batch, int n, LeftOut left_out);

namespace {

inline int32_t& place(const Stack<int32_t>& stack, int64_t number, int i) {
  return stack.data[number * stack.strides[0] + i * stack.strides[1]];
}

// ---- factors

// A factor that does not exist is NaN in its triangle.
template <typename T>
void cholesky(Stack<T> a, Stack<T> factor, int64_t batch, int n, bool lower) {
  if (!lower) a = turned(a), factor = turned(factor);
  Matrix<T> m(n, n);
  by_lanes<T>(batch, [&](int64_t first, int count) {
    m.read(a, first, count);
    Mask<T> good = Lanes<T>{} == 0;
    for (int j = 0; j < n; ++j) {
      Lanes<T> square = m[j][j];
      for (int k = 0; k < j; ++k) square -= m[j][k] * m[j][k];
      good &= square > 0;
      const Lanes<T> diagonal = root<T>(square), inverse = T(1) / diagonal;
      m[j][j] = diagonal;
      for (int i = j + 1; i < n; ++i) {
        Lanes<T> x = m[i][j];
        for (int k = 0; k < j; ++k) x -= m[i][k] * m[j][k];
        m[i][j] = x * inverse;
      }
    }
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j) m[i][j] = j > i ? Lanes<T>{} : good ? m[i][j] : not_a_number<T>();
    m.write(factor, first, count);
  });
}

template <typename T>
void lu(Stack<T> a, Stack<T> factors, Stack<int32_t> pivots, Stack<int32_t> permutation, int64_t batch, int rows,
        int columns) {
  Matrix<T> m(rows, columns);
  by_lanes<T>(batch, [&](int64_t first, int count) {
    m.read(a, first, count);
    Mask<T> order[kSmall];
    for (int i = 0; i < rows; ++i) order[i] = Mask<T>{} + i;
    for (int k = 0; k < rows && k < columns; ++k) {
      Lanes<T> most = absolute<T>(m[k][k]);
      Mask<T> pivot = Mask<T>{} + k;
      for (int i = k + 1; i < rows; ++i) {
        const Lanes<T> x = absolute<T>(m[i][k]);
        pivot = x > most ? Mask<T>{} + i : pivot;
        most = larger<T>(most, x);
      }
      for (int i = k + 1; i < rows; ++i) {
        const Mask<T> here = pivot == i;
        if (!any(here)) continue;
        auto exchange = [&](auto& x, auto& y) {
          const auto old = x;
          x = here ? y : x;
          y = here ? old : y;
        };
        for (int j = 0; j < columns; ++j) exchange(m[k][j], m[i][j]);
        exchange(order[k], order[i]);
      }
      for (int l = 0; l < count; ++l) place(pivots, first + l, k) = static_cast<int32_t>(pivot[l]);
      // below a pivot that is zero all is zero
      const Lanes<T> divisor = m[k][k] == 0 ? all(T(1)) : m[k][k];
      for (int i = k + 1; i < rows; ++i) {
        const Lanes<T> factor = m[i][k] /= divisor;
        for (int j = k + 1; j < columns; ++j) m[i][j] -= factor * m[k][j];
      }
    }
    m.write(factors, first, count);
    for (int i = 0; i < rows; ++i)
      for (int l = 0; l < count; ++l) place(permutation, first + l, i) = static_cast<int32_t>(order[i][l]);
  });
}

// x of op(a) x = b, in place of b.
template <typename T>
void solve(const Matrix<T>& a, Matrix<T>& b, bool lower, bool unit, bool transposed) {
  const int n = a.rows;
  const bool forwards = lower != transposed;
  for (int step = 0; step < n; ++step) {
    const int i = forwards ? step : n - 1 - step;
    for (int before = 0; before < step; ++before) {
      const int k = forwards ? before : n - 1 - before;
      const Lanes<T> factor = transposed ? a[k][i] : a[i][k];
      for (int j = 0; j < b.columns; ++j) b[i][j] -= factor * b[k][j];
    }
    if (!unit)
      for (int j = 0; j < b.columns; ++j) b[i][j] /= a[i][i];
  }
}

template <typename T>
void triangular_solve(Stack<T> a, Stack<T> b, Stack<T> x, int64_t batch, int rows, int columns, bool left, bool lower,
                      bool unit, bool transposed) {
  if (!left) {
    b = turned(b), x = turned(x), transposed = !transposed;
    const int other = rows;
    rows = columns, columns = other;
  }
  Matrix<T> matrix(rows, rows), sides(rows, columns);
  by_lanes<T>(batch, [&](int64_t first, int count) {
    matrix.read(a, first, count);
    sides.read(b, first, count);
    solve(matrix, sides, lower, unit, transposed);
    sides.write(x, first, count);
  });
}

template <typename T>
void lu_solve(Stack<T> factors, Stack<int32_t> permutation, Stack<T> b, Stack<T> x, int64_t batch, int n, int columns,
              bool transposed) {
  Matrix<T> matrix(n, n), sides(n, columns), permuted(n, columns);
  by_lanes<T>(batch, [&](int64_t first, int count) {
    matrix.read(factors, first, count);
    sides.read(b, first, count);
    auto permute = [&](bool back) {
      for (int l = 0; l < kLanes<T>; ++l)
        for (int i = 0; i < n; ++i) {
          int other = place(permutation, first + (l < count ? l : 0), i);
          other = other < 0 ? 0 : other >= n ? n - 1 : other;
          for (int j = 0; j < columns; ++j) permuted[back ? other : i][j][l] = sides[back ? i : other][j][l];
        }
      sides = permuted;
    };
    if (!transposed) permute(false);
    solve(matrix, sides, !transposed, !transposed, transposed);
    solve(matrix, sides, transposed, transposed, transposed);
    if (transposed) permute(true);
    sides.write(x, first, count);
  });
}

// Householder's reflections 1 - tau v v^T with v_k = 1, of LAPACK's signs.
template <typename T>
void qr(Stack<T> a, Stack<T> q, Stack<T> r, int64_t batch, int rows, int columns, int q_columns) {
  Matrix<T> m(rows, columns), product(rows, q_columns), upper(q_columns, columns);
  by_lanes<T>(batch, [&](int64_t first, int count) {
    m.read(a, first, count);
    const Lanes<T> scale = m.scale();
    Lanes<T> taus[kSmall];
    const int reflections = rows < columns ? rows : columns;
    auto reflect = [&](Matrix<T>& x, int k, int from) {
      for (int j = from; j < x.columns; ++j) {
        Lanes<T> sum = x[k][j];
        for (int i = k + 1; i < rows; ++i) sum += m[i][k] * x[i][j];
        sum *= taus[k];
        x[k][j] -= sum;
        for (int i = k + 1; i < rows; ++i) x[i][j] -= sum * m[i][k];
      }
    };
    for (int k = 0; k < reflections; ++k) {
      Lanes<T> below = {};
      for (int i = k + 1; i < rows; ++i) below += m[i][k] * m[i][k];
      const Lanes<T> alpha = m[k][k], norm = root<T>(alpha * alpha + below);
      const Mask<T> none = below == 0;
      const Lanes<T> beta = none ? alpha : alpha < 0 ? norm : -norm;
      taus[k] = none ? Lanes<T>{} : (beta - alpha) / beta;
      const Lanes<T> inverse = none ? Lanes<T>{} : T(1) / (alpha - beta);
      for (int i = k + 1; i < rows; ++i) m[i][k] *= inverse;
      m[k][k] = beta;
      reflect(m, k, k + 1);
    }
    for (int i = 0; i < q_columns; ++i)
      for (int j = 0; j < columns; ++j) upper[i][j] = j < i ? Lanes<T>{} : m[i][j] * scale;
    upper.write(r, first, count);
    for (int i = 0; i < rows; ++i)
      for (int j = 0; j < q_columns; ++j) product[i][j] = all(T(i == j));
    for (int k = reflections - 1; k >= 0; --k) reflect(product, k, k);
    for (int i = 0; i < rows * q_columns; ++i) product.elements[i] += scale * T(0);
    product.write(q, first, count);
  });
}

// ---- decompositions by Jacobi's rotations

constexpr int kMostSweeps = 30;

// Cosine and sine of the rotation of (x, y) to (c x - s y, s x + c y) that makes `product` vanish, where `difference` is that
// of the squares (G. Golub, C. Van Loan, Matrix Computations, section 8.5.2).
template <typename T>
inline void rotation(Lanes<T> product, Lanes<T> difference, Lanes<T>& t, Lanes<T>& c, Lanes<T>& s) {
  const Lanes<T> twice = product + product;
  const Lanes<T> below = absolute<T>(difference) + root<T>(difference * difference + twice * twice);
  t = below == 0 ? Lanes<T>{} : twice / below;
  t = difference < 0 ? -t : t;
  c = T(1) / root<T>(t * t + T(1));
  s = c * t;
}

// The numbers of a lane in ascending or descending order.
template <typename T>
void sort(const Lanes<T>* x, int n, int lane, bool descending, int* order) {
  for (int i = 0; i < n; ++i) {
    int j = i;
    for (; j > 0 && (descending ? x[order[j - 1]][lane] < x[i][lane] : x[order[j - 1]][lane] > x[i][lane]); --j)
      order[j] = order[j - 1];
    order[j] = i;
  }
}

template <typename T>
void eigh(Stack<T> a, Stack<T> v, Stack<T> w, int64_t batch, int n, bool lower) {
  if (!lower) a = turned(a);
  Matrix<T> m(n, n), vectors(n, n);  // vectors in rows
  by_lanes<T>(batch, [&](int64_t first, int count) {
    m.read(a, first, count);
    for (int i = 0; i < n; ++i)
      for (int j = i + 1; j < n; ++j) m[i][j] = m[j][i];
    const Lanes<T> scale = m.scale();
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j) vectors[i][j] = all(T(i == j));
    for (int sweep = 0; sweep < kMostSweeps; ++sweep) {
      Lanes<T> outside = {}, inside = {};
      for (int p = 0; p < n; ++p) {
        inside += m[p][p] * m[p][p];
        for (int q = p + 1; q < n; ++q) outside += m[p][q] * m[p][q];
      }
      constexpr T kSmallest = Limits<T>::kEpsilon * Limits<T>::kEpsilon / 16;
      if (!any(outside > (inside + outside) * kSmallest)) break;
      for (int p = 0; p < n - 1; ++p)
        for (int q = p + 1; q < n; ++q) {
          Lanes<T> t, c, s;
          const Lanes<T> x = m[p][q];
          rotation<T>(x, m[q][q] - m[p][p], t, c, s);
          m[p][p] -= t * x;
          m[q][q] += t * x;
          m[p][q] = Lanes<T>{};
          auto rotate = [&](Lanes<T>& x, Lanes<T>& y) {
            const Lanes<T> old = x;
            x = c * old - s * y;
            y = s * old + c * y;
          };
          for (int k = 0; k < p; ++k) rotate(m[k][p], m[k][q]);
          for (int k = p + 1; k < q; ++k) rotate(m[p][k], m[k][q]);
          for (int k = q + 1; k < n; ++k) rotate(m[p][k], m[q][k]);
          for (int k = 0; k < n; ++k) rotate(vectors[p][k], vectors[q][k]);
        }
    }
    Lanes<T> values[kSmall];
    for (int i = 0; i < n; ++i) values[i] = m[i][i];
    for (int l = 0; l < count; ++l) {
      int order[kSmall];
      sort<T>(values, n, l, false, order);
      for (int j = 0; j < n; ++j) {
        Matrix<T>::place(w, first + l, j, 0) = values[order[j]][l] * scale[l];
        for (int i = 0; i < n; ++i) Matrix<T>::place(v, first + l, i, j) = vectors[order[j]][i][l] + scale[l] * 0;
      }
    }
  });
}

// M. Hestenes, "Inversion of matrices by biorthogonalization and related results", 1958: the columns of a are rotated until
// they are orthogonal.
template <typename T>
void svd(Stack<T> a, Stack<T> s, Stack<T> u, Stack<T> vt, int64_t batch, int rows, int columns, LeftOut left_out) {
  const bool wanted = u.data != nullptr;
  Matrix<T> m(columns, rows), vectors(columns, columns);  // columns of a, and vectors, in rows
  by_lanes<T>(batch, [&](int64_t first, int count) {
    m.read(turned(a), first, count);
    const Lanes<T> scale = m.scale();
    for (int i = 0; i < columns; ++i)
      for (int j = 0; j < columns; ++j) vectors[i][j] = all(T(i == j));
    const T limit = Limits<T>::kEpsilon * static_cast<T>(rows);
    Mask<T> turning = Lanes<T>{} == 0;
    for (int sweep = 0; sweep < kMostSweeps && any(turning); ++sweep) {
      turning = Mask<T>{};
      for (int p = 0; p < columns - 1; ++p)
        for (int q = p + 1; q < columns; ++q) {
          Lanes<T> x = {}, y = {}, z = {};
          for (int k = 0; k < rows; ++k) {
            x += m[p][k] * m[p][k];
            y += m[q][k] * m[q][k];
            z += m[p][k] * m[q][k];
          }
          const Mask<T> far = absolute<T>(z) > limit * root<T>(x * y);
          if (!any(far)) continue;
          turning |= far;
          Lanes<T> t, c, sine;
          rotation<T>(far ? z : Lanes<T>{}, y - x, t, c, sine);
          auto rotate = [&](Lanes<T>& x, Lanes<T>& y) {
            const Lanes<T> old = x;
            x = c * old - sine * y;
            y = sine * old + c * y;
          };
          for (int k = 0; k < rows; ++k) rotate(m[p][k], m[q][k]);
          if (wanted)
            for (int k = 0; k < columns; ++k) rotate(vectors[p][k], vectors[q][k]);
        }
    }
    Lanes<T> values[kSmall];
    for (int j = 0; j < columns; ++j) {
      Lanes<T> square = {};
      for (int k = 0; k < rows; ++k) square += m[j][k] * m[j][k];
      values[j] = root<T>(square);
    }
    for (int l = 0; l < count; ++l) {
      int order[kSmall];
      sort<T>(values, columns, l, true, order);
      // squares that vanish have lost what they were made of
      const T least = values[order[columns - 1]][l];
      const bool good = scale[l] == scale[l];
      if (turning[l] != 0 || (good && least * least < Limits<T>::kTiny / Limits<T>::kEpsilon)) {
        left_out(first + l);
        continue;
      }
      for (int j = 0; j < columns; ++j) {
        const T value = values[order[j]][l], nothing = scale[l] * 0;
        Matrix<T>::place(s, first + l, j, 0) = value * scale[l];
        if (!wanted) continue;
        for (int i = 0; i < rows; ++i) Matrix<T>::place(u, first + l, i, j) = m[order[j]][i][l] / value + nothing;
        for (int i = 0; i < columns; ++i) Matrix<T>::place(vt, first + l, j, i) = vectors[order[j]][i][l] + nothing;
      }
    }
  });
}

template <typename T>
SmallMatrices<T> code() {
  return {kLanes<T>, cholesky<T>, lu<T>, lu_solve<T>, triangular_solve<T>, qr<T>, eigh<T>, svd<T>, eig};
}

}  // namespace

SmallMatrices<float> small_matrices_float() { return code<float>(); }
SmallMatrices<double> small_matrices_double() { return code<double>(); }

}  // namespace SABLE_LANES
}  // namespace sable
