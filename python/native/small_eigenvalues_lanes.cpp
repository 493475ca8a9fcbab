// Eigenvalues and right eigenvectors of small matrices in vector lanes: each lane of a vector belongs to another matrix, and all
// lanes go through the same steps, which change nothing in those that have no need of them. G. Golub, C. Van Loan, Matrix
// Computations, section 7.5.
#include "matrix_lanes.h"

namespace sable {
namespace SABLE_LANES {
namespace {

// ---- powers of two

template <typename T>
constexpr int kFraction = sizeof(T) == 4 ? 23 : 52;
template <typename T>
constexpr int kBias = sizeof(T) == 4 ? 127 : 1023;

template <typename T>
inline Mask<T> whole(int x) { return Mask<T>{} + x; }

// 2^-e of x = m 2^e, 1 <= m < 2, as far as there is that power; of zero a large one.
template <typename T>
inline Lanes<T> inverse_power(Lanes<T> x) {
  const Mask<T> exponent = 2 * kBias<T> - (reinterpret_cast<Mask<T>>(x) >> kFraction<T>);
  return reinterpret_cast<Lanes<T>>((exponent < 1 ? whole<T>(1) : exponent) << kFraction<T>);
}

// The power of two nearest to sqrt(x / y) of positive numbers, whose bits are nearly their logarithms.
template <typename T>
inline Lanes<T> power_of_quotient_root(Lanes<T> x, Lanes<T> y) {
  const Mask<T> half = (reinterpret_cast<Mask<T>>(x) - reinterpret_cast<Mask<T>>(y)) >> 1;
  constexpr auto kHalf = decltype(half[0] + 0){1} << (kFraction<T> - 1);
  return reinterpret_cast<Lanes<T>>((((half + kHalf) >> kFraction<T>) + kBias<T>) << kFraction<T>);
}

template <typename T>
inline Lanes<T> smaller(Lanes<T> x, Lanes<T> y) { return x < y ? x : y; }
template <typename T>
inline Lanes<T> signed_as(Lanes<T> size, Lanes<T> x) { return x < 0 ? -size : size; }

// ---- one matrix a lane

constexpr int kMostSweeps = 30;         // for each row
constexpr int kPatience = 10;           // sweeps without an eigenvalue before shifts of another kind
constexpr int kMostBalancing = 16;      // passes over rows and columns
template <typename T>
constexpr int kRoom = sizeof(T) == 4 ? 40 : 200;  // exponent of what numbers may grow to, so that their squares are far from overflow
template <typename T>
constexpr T kUnit = 2 * Limits<T>::kEpsilon;
template <typename T>
constexpr T kSmallest = Limits<T>::kTiny / kUnit<T> * kSmall;

template <typename T>
constexpr T power(int exponent) { return exponent == 0 ? T(1) : 2 * power<T>(exponent - 1); }

template <typename T>
class Eigenvalues {
 public:
  Eigenvalues(int n, bool wanted)
      : n(n), wanted(wanted), h(n, n), z(n, n), imaginary(n, n), v_re(n, n), v_im(n, n) {}

  int n;
  bool wanted;
  Matrix<T> h, z;  // a = z h z^T
  Matrix<T> imaginary;  // of h
  Matrix<T> v_re, v_im;
  Lanes<T> re[kSmall], im[kSmall];
  Mask<T> undone;  // lanes without a result

  // Of what is in h. Lanes with numbers that are not finite become zero, and have NaN for the result, which is zero otherwise.
  Lanes<T> run() {
    Lanes<T> most = {}, doubt = {};
    for (int i = 0; i < n * n; ++i) {
      most = larger<T>(most, absolute<T>(h.elements[i]));
      doubt += h.elements[i] * T(0);
    }
    const Mask<T> good = doubt == 0;
    const Lanes<T> first = inverse_power<T>(good ? most : Lanes<T>{});
    for (int i = 0; i < n * n; ++i) h.elements[i] = good ? h.elements[i] * first * power<T>(kRoom<T>) : Lanes<T>{};
    undone = n > 2 ? isolated() : Mask<T>{};
    balance();
    most = Lanes<T>{};
    for (int i = 0; i < n * n; ++i) most = larger<T>(most, absolute<T>(h.elements[i]));
    const Lanes<T> second = inverse_power<T>(most);
    for (int i = 0; i < n * n; ++i) h.elements[i] *= second;
    reduce();
    undone |= iterate();
    split();
    if (wanted) {
      make_triangular();
      for (int k = 0; k < n; ++k) find_vector(k);
    }
    for (int i = 0; i < n; ++i) {
      re[i] = re[i] / second / power<T>(kRoom<T>) / first;
      im[i] = im[i] / second / power<T>(kRoom<T>) / first;
    }
    return good ? Lanes<T>{} : not_a_number<T>();
  }

 private:
  Lanes<T> scales[kSmall];                            // what balancing has multiplied columns and divided rows by
  Lanes<T> cosines_re[kSmall], cosines_im[kSmall], sines[kSmall];  // of the rotations that make h triangular

  // Which matrices are not triangular, but have an eigenvalue alone in its row or column.
  Mask<T> isolated() const {
    Mask<T> found = {}, is_lower = {};
    for (int i = 0; i < n; ++i) {
      Lanes<T> row = {}, column = {};
      for (int j = 0; j < n; ++j) {
        if (j == i) continue;
        row += absolute<T>(h[i][j]);
        column += absolute<T>(h[j][i]);
        if (j < i) is_lower |= h[i][j] != 0;
      }
      found |= (row == 0) | (column == 0);
    }
    return found & is_lower;
  }

  // Rows and columns of sums that are alike (B. Parlett, C. Reinsch, "Balancing a matrix for calculation of eigenvalues and
  // eigenvectors", 1969).
  void balance() {
    for (int i = 0; i < n; ++i) scales[i] = all(T(1));
    constexpr T kMost = power<T>(kRoom<T> * 3 / 2);
    for (int pass = 0; pass < kMostBalancing; ++pass) {
      Mask<T> changed = {};
      for (int i = 0; i < n; ++i) {
        Lanes<T> row = {}, column = {};
        for (int j = 0; j < n; ++j) {
          if (j == i) continue;
          row += absolute<T>(h[i][j]);
          column += absolute<T>(h[j][i]);
        }
        const Lanes<T> factor = power_of_quotient_root<T>(row, column), inverse = inverse_power<T>(factor);
        const Lanes<T> scale = scales[i] * factor;
        const Mask<T> here = (row > 0) & (column > 0) & (scale < kMost) & (scale > 1 / kMost) &
                             (column * factor + row * inverse < T(0.95) * (row + column));
        if (!any(here)) continue;
        changed |= here;
        const Lanes<T> up = here ? factor : all(T(1)), down = here ? inverse : all(T(1));
        scales[i] *= up;
        for (int j = 0; j < n; ++j)
          if (j != i) h[j][i] *= up, h[i][j] *= down;
      }
      if (!any(changed)) break;
    }
  }

  // Hessenberg's form by Householder's reflections 1 - tau v v^T with v_{k+1} = 1.
  void reduce() {
    Lanes<T> taus[kSmall];
    for (int k = 0; k + 2 < n; ++k) {
      Lanes<T> most = {}, below = {};
      for (int i = k + 1; i < n; ++i) most = larger<T>(most, absolute<T>(h[i][k]));
      const Lanes<T> inverse = inverse_power<T>(most), alpha = h[k + 1][k] * inverse;
      for (int i = k + 2; i < n; ++i) {
        h[i][k] *= inverse;
        below += h[i][k] * h[i][k];
      }
      const Mask<T> none = below == 0;
      const Lanes<T> norm = signed_as<T>(root<T>(alpha * alpha + below), alpha), sum = alpha + norm;
      const Lanes<T> factor = none ? Lanes<T>{} : T(1) / sum;
      taus[k] = none ? Lanes<T>{} : sum / norm;
      h[k + 1][k] = none ? h[k + 1][k] : -norm / inverse;
      for (int i = k + 2; i < n; ++i) h[i][k] *= factor;
      reflect_rows(h, k, taus[k], k + 1);
      for (int i = 0; i < n; ++i) {
        Lanes<T> x = h[i][k + 1];
        for (int j = k + 2; j < n; ++j) x += h[i][j] * h[j][k];
        x *= taus[k];
        h[i][k + 1] -= x;
        for (int j = k + 2; j < n; ++j) h[i][j] -= x * h[j][k];
      }
    }
    if (wanted) {
      for (int i = 0; i < n; ++i)
        for (int j = 0; j < n; ++j) z[i][j] = all(T(i == j));
      for (int k = n - 3; k >= 0; --k) reflect_rows(z, k, taus[k], k + 1);
    }
    for (int i = 2; i < n; ++i)
      for (int j = 0; j + 1 < i; ++j) h[i][j] = Lanes<T>{};
  }
  // Reflection k, which lies in h, of the rows of x.
  void reflect_rows(Matrix<T>& x, int k, Lanes<T> tau, int from) {
    for (int j = from; j < n; ++j) {
      Lanes<T> sum = x[k + 1][j];
      for (int i = k + 2; i < n; ++i) sum += h[i][k] * x[i][j];
      sum *= tau;
      x[k + 1][j] -= sum;
      for (int i = k + 2; i < n; ++i) x[i][j] -= sum * h[i][k];
    }
  }

  // ---- Francis' double shifts

  // The unreduced block that a sweep goes over, and the shifts, which are the eigenvalues of a matrix of two rows.
  struct Window {
    Mask<T> low, high, stalled;
    Lanes<T> a, b, c, d;
    int least, most;   // of the lanes
    unsigned starts;  // bit k: a block starts at k
  };

  // Schur's form, and the lanes that have not come to it.
  Mask<T> iterate() {
    Window at;
    at.high = whole<T>(n - 1);
    at.stalled = Mask<T>{};
    at.most = n - 1;
    for (int sweep = 0;; ++sweep) {
      deflate(at.most);
      const Mask<T> before = at.high;
      find_block(at);
      const Mask<T> active = at.high > 0;
      if (at.most < 2 || sweep == kMostSweeps * n) return active;
      at.stalled = at.high == before ? at.stalled + 1 : Mask<T>{};
      find_shifts(at);
      for (int k = at.least; k < at.most; ++k) k + 1 == at.most ? chase<2>(at, k) : chase<3>(at, k);
    }
  }

  // Elements below the diagonal that are nothing beside their neighbours become zero (M. Ahues, F. Tisseur, "A new deflation
  // criterion for the QR algorithm", LAPACK Working Note 122, 1997).
  void deflate(int last) {
    for (int k = 1; k <= last; ++k) {
      const Lanes<T> below = absolute<T>(h[k][k - 1]), above = absolute<T>(h[k - 1][k]);
      const Lanes<T> x = absolute<T>(h[k][k]), y = absolute<T>(h[k - 1][k - 1] - h[k][k]);
      Lanes<T> beside = x + absolute<T>(h[k - 1][k - 1]);
      beside = beside == 0 ? all(T(1)) : beside;
      const Lanes<T> product = kUnit<T> * larger<T>(x, y) * smaller<T>(x, y);
      const Lanes<T> limit = larger<T>(product, all(kSmallest<T>) * (larger<T>(x, y) + above));
      const Mask<T> small = (below <= kSmallest<T>) | ((below <= kUnit<T> * beside) & (below * above <= limit));
      h[k][k - 1] = small ? Lanes<T>{} : h[k][k - 1];
    }
  }

  void find_block(Window& at) {
    const Mask<T> none = Lanes<T>{} == 0;
    for (int k = at.most; k >= 0; --k) {
      const Mask<T> here = at.high == k;
      const Mask<T> one = k > 0 ? h[k][k - 1] == 0 : none, two = k > 1 ? h[k - 1][k - 2] == 0 : none;
      at.high = here & one ? whole<T>(k - 1) : here & two ? whole<T>(k - 2) : at.high;
    }
    at.low = at.high;
    for (int k = at.most; k > 0; --k) at.low = (at.low == k) & (h[k][k - 1] != 0) ? whole<T>(k - 1) : at.low;
    at.least = n, at.most = -1, at.starts = 0;
    for (int l = 0; l < kLanes<T>; ++l) {
      const int low = static_cast<int>(at.low[l]), high = static_cast<int>(at.high[l]);
      if (high <= 0) continue;
      at.least = low < at.least ? low : at.least;
      at.most = high > at.most ? high : at.most;
      at.starts |= 1u << low;
    }
  }

  void find_shifts(Window& at) {
    at.a = at.b = at.c = at.d = Lanes<T>{};
    Lanes<T> before = {};
    for (int k = 2; k <= at.most; ++k) {
      const Mask<T> here = at.high == k;
      at.a = here ? h[k - 1][k - 1] : at.a;
      at.b = here ? h[k - 1][k] : at.b;
      at.c = here ? h[k][k - 1] : at.c;
      at.d = here ? h[k][k] : at.d;
      before = here ? h[k - 1][k - 2] : before;
    }
    const Mask<T> other = at.stalled >= kPatience;
    if (!any(other)) return;
    const Lanes<T> size = absolute<T>(at.c) + absolute<T>(before), middle = at.d + T(0.75) * size;
    at.a = other ? middle : at.a;
    at.b = other ? T(-0.4375) * size : at.b;
    at.c = other ? size : at.c;
    at.d = other ? middle : at.d;
    at.stalled = other ? Mask<T>{} : at.stalled;
  }

  // A reflection of rows and columns k .. k + size - 1: of size 2 at the end of the longest block, where the third row is not
  // one of any.
  template <int size>
  void chase(const Window& at, int k) {
    Lanes<T> x = {}, y = {}, w = {};
    if (k > at.least) {
      x = h[k][k - 1], y = h[k + 1][k - 1];
      if constexpr (size == 3) w = h[k + 2][k - 1];
    }
    if constexpr (size == 3) {
      if (at.starts >> k & 1) {
        // the first column of (h - shift)(h - other shift), but for a factor
        const Mask<T> start = at.low == k;
        const Lanes<T> r = at.a - h[k][k], s = at.d - h[k][k], below = h[k + 1][k];
        const Lanes<T> scale =
            inverse_power<T>(absolute<T>(r) + absolute<T>(s) + absolute<T>(at.c) + absolute<T>(below));
        const Lanes<T> factor = below * scale;
        x = start ? (r * scale) * s - (at.c * scale) * at.b + factor * h[k][k + 1] : x;
        y = start ? factor * (h[k + 1][k + 1] - h[k][k] - r - s) : y;
        w = start ? factor * h[k + 2][k + 1] : w;
      }
    }
    const Lanes<T> inverse = inverse_power<T>(absolute<T>(x) + absolute<T>(y) + absolute<T>(w));
    x *= inverse, y *= inverse, w *= inverse;
    const Lanes<T> rest = y * y + w * w;
    const Mask<T> here = (at.low <= k) & (at.high > k) & (rest != 0);
    const Lanes<T> norm = signed_as<T>(root<T>(x * x + rest), x), sum = x + norm;
    const Lanes<T> quotient = here ? T(1) / (sum * norm) : Lanes<T>{};
    const Lanes<T> by_norm = sum * quotient, by_sum = norm * quotient;
    // (1, v, u) and tau (1, v, u)
    const Lanes<T> v = y * by_sum, u = w * by_sum, tau = sum * by_norm, tau_v = y * by_norm, tau_u = w * by_norm;
    if (k > at.least) {
      const Mask<T> inside = here & (at.low < k);
      h[k][k - 1] = inside ? -norm / inverse : h[k][k - 1];
      h[k + 1][k - 1] = Lanes<T>{};
      if constexpr (size == 3) h[k + 2][k - 1] = Lanes<T>{};
    }
    const int last = wanted ? n - 1 : at.most;
    Lanes<T>*one = h[k], *two = h[k + 1], *three = size == 3 ? h[k + 2] : two;
    for (int j = k; j <= last; ++j) {
      Lanes<T> x = one[j] + v * two[j];
      if constexpr (size == 3) x += u * three[j];
      one[j] -= x * tau;
      two[j] -= x * tau_v;
      if constexpr (size == 3) three[j] -= x * tau_u;
    }
    auto reflect = [&](Lanes<T>* row) {
      Lanes<T> x = row[0] + v * row[1];
      if constexpr (size == 3) x += u * row[2];
      row[0] -= x * tau;
      row[1] -= x * tau_v;
      if constexpr (size == 3) row[2] -= x * tau_u;
    };
    const int lowest = k + 3 < at.most ? k + 3 : at.most;
    for (int i = wanted ? 0 : at.least; i <= lowest; ++i) reflect(h[i] + k);
    if (wanted)
      for (int i = 0; i < n; ++i) reflect(z[i] + k);
  }

  // ---- what Schur's form holds

  // The eigenvalues; blocks of two rows whose eigenvalues are real become triangular.
  void split() {
    for (int k = 0; k < n; ++k) im[k] = Lanes<T>{};
    for (int k = 1; k < n; ++k) {
      const Lanes<T> a = h[k - 1][k - 1], b = h[k - 1][k], c = h[k][k - 1], d = h[k][k];
      const Mask<T> block = c != 0;
      if (!any(block)) continue;
      // ((a - d) / 2)^2 + b c
      const Lanes<T> p = (a - d) * T(0.5), most = larger<T>(absolute<T>(b), absolute<T>(c));
      const Lanes<T> least = signed_as<T>(signed_as<T>(smaller<T>(absolute<T>(b), absolute<T>(c)), b), c);
      const Lanes<T> inverse = inverse_power<T>(larger<T>(absolute<T>(p), most));
      const Lanes<T> square = (p * inverse) * p + (most * inverse) * least;
      const Lanes<T> half = root<T>(absolute<T>(square)) / root<T>(inverse);
      const Mask<T> pair = block & (square < 0) & (half > 0), real = block & ~pair;
      im[k - 1] = pair ? half : im[k - 1];
      im[k] = pair ? -half : im[k];
      if (!any(real)) continue;
      const Lanes<T> q = p + signed_as<T>(half, p);  // (q, c) is an eigenvector
      const Lanes<T> shift = real & (q != 0) ? most / q * least : Lanes<T>{};
      h[k - 1][k - 1] = a + shift;
      h[k][k] = d - shift;
      h[k - 1][k] = real ? b - c : b;
      h[k][k - 1] = real ? Lanes<T>{} : c;
      if (!wanted) continue;
      const Lanes<T> shrink = inverse_power<T>(larger<T>(absolute<T>(q), absolute<T>(c))), x = q * shrink, y = c * shrink;
      const Lanes<T> length = root<T>(x * x + y * y);
      const Lanes<T> cosine = real ? x / length : all(T(1)), sine = real ? y / length : Lanes<T>{};
      auto rotate = [&](Lanes<T>& x, Lanes<T>& y) {
        const Lanes<T> old = x;
        x = cosine * old + sine * y;
        y = cosine * y - sine * old;
      };
      for (int j = k + 1; j < n; ++j) rotate(h[k - 1][j], h[k][j]);
      for (int i = 0; i < k - 1; ++i) rotate(h[i][k - 1], h[i][k]);
      for (int i = 0; i < n; ++i) rotate(z[i][k - 1], z[i][k]);
    }
    for (int k = 0; k < n; ++k) re[k] = h[k][k];
    for (int k = 1; k < n; ++k) {
      const Lanes<T> middle = h[k][k] + (h[k - 1][k - 1] - h[k][k]) * T(0.5);
      re[k - 1] = im[k] < 0 ? middle : re[k - 1];
      re[k] = im[k] < 0 ? middle : re[k];
    }
  }

  // Blocks of two rows with complex eigenvalues become triangular by g^H h g, where g = (c, -s; s, conj c).
  void make_triangular() {
    for (int i = 0; i < n * n; ++i) imaginary.elements[i] = Lanes<T>{};
    for (int k = 1; k < n; ++k) {
      const Mask<T> pair = im[k] < 0;
      cosines_re[k] = all(T(1)), cosines_im[k] = sines[k] = Lanes<T>{};
      if (!any(pair)) continue;
      Lanes<T> x = (h[k - 1][k - 1] - h[k][k]) * T(0.5), y = im[k - 1], w = h[k][k - 1];
      const Lanes<T> inverse = inverse_power<T>(larger<T>(absolute<T>(x), larger<T>(y, absolute<T>(w))));
      x *= inverse, y *= inverse, w *= inverse;
      const Lanes<T> length = root<T>(x * x + y * y + w * w);
      const Lanes<T> c = cosines_re[k] = pair ? x / length : all(T(1)), d = cosines_im[k] = pair ? y / length : Lanes<T>{};
      const Lanes<T> s = sines[k] = pair ? w / length : Lanes<T>{};
      for (int i = 0; i <= k; ++i) {
        const Lanes<T> a_re = h[i][k - 1], a_im = imaginary[i][k - 1], b_re = h[i][k], b_im = imaginary[i][k];
        h[i][k - 1] = c * a_re - d * a_im + s * b_re;
        imaginary[i][k - 1] = c * a_im + d * a_re + s * b_im;
        h[i][k] = c * b_re + d * b_im - s * a_re;
        imaginary[i][k] = c * b_im - d * b_re - s * a_im;
      }
      for (int j = k; j < n; ++j) {
        const Lanes<T> a_re = h[k - 1][j], a_im = imaginary[k - 1][j], b_re = h[k][j], b_im = imaginary[k][j];
        h[k - 1][j] = c * a_re + d * a_im + s * b_re;
        imaginary[k - 1][j] = c * a_im - d * a_re + s * b_im;
        h[k][j] = c * b_re - d * b_im - s * a_re;
        imaginary[k][j] = c * b_im + d * b_re - s * a_im;
      }
    }
  }

  // (h - eigenvalue k) x = 0 from below; numbers that grow too much are made smaller, with all that were before.
  void substitute(int k, Lanes<T>* x, Lanes<T>* y) const {
    for (int j = 0; j < k; ++j) x[j] = -h[j][k], y[j] = -imaginary[j][k];
    x[k] = all(T(1)), y[k] = Lanes<T>{};
    const Lanes<T> least = larger<T>(kUnit<T> * (absolute<T>(re[k]) + absolute<T>(im[k])), all(kSmallest<T>));
    for (int i = k - 1; i >= 0; --i) {
      Lanes<T> p = re[i] - re[k], q = im[i] - im[k], size = absolute<T>(p) + absolute<T>(q);
      const Mask<T> equal = size < least;
      p = equal ? least : p, q = equal ? Lanes<T>{} : q, size = equal ? least : size;
      const Lanes<T> growth = absolute<T>(x[i]) + absolute<T>(y[i]), limit = size * power<T>(kRoom<T>);
      const Mask<T> large = growth > limit;
      if (any(large)) {
        const Lanes<T> factor = large ? T(0.5) * inverse_power<T>(growth) / inverse_power<T>(limit) : all(T(1));
        for (int j = 0; j <= k; ++j) x[j] *= factor, y[j] *= factor;
      }
      const Lanes<T> inverse = inverse_power<T>(size);
      p *= inverse, q *= inverse;
      const Lanes<T> quotient = inverse / (p * p + q * q);
      const Lanes<T> a = (x[i] * p + y[i] * q) * quotient, b = (y[i] * p - x[i] * q) * quotient;
      x[i] = a, y[i] = b;
      for (int j = 0; j < i; ++j) {
        x[j] -= h[j][i] * a - imaginary[j][i] * b;
        y[j] -= h[j][i] * b + imaginary[j][i] * a;
      }
    }
  }

  // Column k of v, of length 1; the largest element of a complex one is real.
  void find_vector(int k) {
    Lanes<T> x[kSmall + 1], y[kSmall + 1];
    substitute(k, x, y);
    const int last = k + 1 < n ? k + 1 : k;
    x[k + 1] = y[k + 1] = Lanes<T>{};
    for (int j = 1; j <= last; ++j) {
      const Lanes<T> c = cosines_re[j], d = cosines_im[j], s = sines[j];
      const Lanes<T> a_re = x[j - 1], a_im = y[j - 1], b_re = x[j], b_im = y[j];
      x[j - 1] = c * a_re - d * a_im - s * b_re;
      y[j - 1] = c * a_im + d * a_re - s * b_im;
      x[j] = s * a_re + c * b_re + d * b_im;
      y[j] = s * a_im + c * b_im - d * b_re;
    }
    const Mask<T> real = im[k] == 0;
    Lanes<T> size = {};
    for (int i = 0; i < n; ++i) {
      Lanes<T> a = {}, b = {};
      for (int j = 0; j <= last; ++j) a += z[i][j] * x[j], b += z[i][j] * y[j];
      v_re[i][k] = a *= scales[i];
      v_im[i][k] = b = real ? Lanes<T>{} : b * scales[i];
      size = larger<T>(size, larger<T>(absolute<T>(a), absolute<T>(b)));
    }
    const Lanes<T> inverse = inverse_power<T>(size);
    Lanes<T> sum = {}, most = {}, c = {}, s = {};
    Mask<T> place = {};
    for (int i = 0; i < n; ++i) {
      const Lanes<T> a = v_re[i][k] *= inverse, b = v_im[i][k] *= inverse, square = a * a + b * b;
      const Mask<T> more = square > most;
      sum += square;
      most = more ? square : most;
      place = more ? whole<T>(i) : place;
      c = more ? a : c;
      s = more ? b : s;
    }
    const Lanes<T> length = T(1) / root<T>(sum), turn = length / signed_as<T>(root<T>(most), c);
    c = real ? length : c * turn;
    s = real ? Lanes<T>{} : s * turn;
    const Mask<T> second = im[k] < 0;
    for (int i = 0; i < n; ++i) {
      const Lanes<T> a = v_re[i][k], b = v_im[i][k];
      v_re[i][k] = a * c + b * s;
      v_im[i][k] = place == i ? Lanes<T>{} : b * c - a * s;
      if (k == 0) continue;
      v_re[i][k] = second ? v_re[i][k - 1] : v_re[i][k];
      v_im[i][k] = second ? -v_im[i][k - 1] : v_im[i][k];
    }
  }
};

// A row of complex numbers, from the places of two rows of their parts.
template <typename T>
void write_row(const Stack<T>& stack, int64_t first, int count, int n, const Lanes<T>* re, const Lanes<T>* im,
               Lanes<T> addend) {
  Matrix<T> row(1, 2 * n);
  for (int j = 0; j < n; ++j) row[0][2 * j] = re[j] + addend, row[0][2 * j + 1] = im[j] + addend;
  if (stack.strides[2] == 2 || n == 1) return row.write({stack.data, {stack.strides[0], 0, 1}}, first, count);
  for (int j = 0; j < 2 * n; ++j)
    for (int l = 0; l < count; ++l)
      stack.data[(first + l) * stack.strides[0] + j / 2 * stack.strides[2] + j % 2] = row[0][j][l];
}

template <typename T>
void eigenvalues(Stack<T> a, Stack<T> w, Stack<T> v, int64_t batch, int n, LeftOut left_out) {
  Eigenvalues<T> lanes(n, v.data != nullptr);
  by_lanes<T>(batch, [&](int64_t first, int count) {
    lanes.h.read(a, first, count);
    const Lanes<T> addend = lanes.run();
    write_row(turned(w), first, count, n, lanes.re, lanes.im, addend);
    if (lanes.wanted)
      for (int i = 0; i < n; ++i)
        write_row<T>({v.data + i * v.strides[1], {v.strides[0], 0, v.strides[2]}}, first, count, n, lanes.v_re[i],
                     lanes.v_im[i], addend);
    if (!any(lanes.undone)) return;
    for (int l = 0; l < count; ++l)
      if (lanes.undone[l] != 0) left_out(first + l);
  });
}

}  // namespace

void eig(Stack<float> a, Stack<float> w, Stack<float> v, int64_t batch, int n, LeftOut left_out) {
  eigenvalues(a, w, v, batch, n, left_out);
}
void eig(Stack<double> a, Stack<double> w, Stack<double> v, int64_t batch, int n, LeftOut left_out) {
  eigenvalues(a, w, v, batch, n, left_out);
}

}  // namespace SABLE_LANES
}  // namespace sable
