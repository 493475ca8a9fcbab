// Fourier transforms in vector lanes: each lane of a vector belongs to another transform.
#include "fourier.h"
#include "lanes.h"

namespace sable {
namespace SABLE_LANES {
namespace {

// The same number of each of several transforms.
template <typename T>
struct Complex {
  Lanes<T> re, im;
};
template <typename T>
inline Complex<T> operator+(Complex<T> a, Complex<T> b) { return {a.re + b.re, a.im + b.im}; }
template <typename T>
inline Complex<T> operator-(Complex<T> a, Complex<T> b) { return {a.re - b.re, a.im - b.im}; }
template <typename T>
inline Complex<T> times(Complex<T> a, T re, T im) { return {a.re * re - a.im * im, a.re * im + a.im * re}; }
template <typename T>
inline Complex<T> operator*(Complex<T> a, Complex<T> b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
template <typename T>
inline Complex<T> times_minus_i(Complex<T> a) { return {a.im, -a.re}; }

// ---- between memory and lanes

// Numbers that lie side by side in memory, one for each lane. An inverse transform is the transform of numbers whose parts
// are exchanged, exchanged again.
template <typename T>
inline Complex<T> load_pairs(const T* x, bool exchanged) {
  Lanes<T> a = load(x), b = load(x + kLanes<T>);
  Complex<T> z = {evens(a, b), odds(a, b)};
  return exchanged ? Complex<T>{z.im, z.re} : z;
}

template <typename T>
inline void store_pairs(T* x, Complex<T> z, bool exchanged) {
  if (exchanged) z = {z.im, z.re};
  store(x, firsts(z.re, z.im));
  store(x + kLanes<T>, lasts(z.re, z.im));
}

// The same of the first few lanes.
template <typename T>
inline Complex<T> load_some(const T* x, int64_t lanes, bool exchanged) {
  T all[2 * kLanes<T>] = {};
  for (int64_t i = 0; i < 2 * lanes; ++i) all[i] = x[i];
  return load_pairs(all, exchanged);
}

template <typename T>
inline void store_some(T* x, Complex<T> z, int64_t lanes, bool exchanged) {
  T all[2 * kLanes<T>];
  store_pairs(all, z, exchanged);
  for (int64_t i = 0; i < 2 * lanes; ++i) x[i] = all[i];
}

// Rows of memory, one for each lane; rows that are not there are read as the first one, and not written.
template <typename T>
void load_rows(Place<const T> in, int64_t lanes, int64_t count, bool exchanged, Complex<T>* z) {
  constexpr int kW = kLanes<T>, kAtOnce = kW / 2;
  const T* row[kW];
  for (int l = 0; l < kW; ++l) row[l] = in.data + 2 * in.stride * (l < lanes ? l : 0);
  int64_t j = 0;
  for (; j + kAtOnce <= count; j += kAtOnce) {
    Lanes<T> x[kW];
    for (int l = 0; l < kW; ++l) x[l] = load(row[l] + 2 * j);
    transpose<T>(x);
    for (int i = 0; i < kAtOnce; ++i)
      z[j + i] = exchanged ? Complex<T>{x[2 * i + 1], x[2 * i]} : Complex<T>{x[2 * i], x[2 * i + 1]};
  }
  for (; j < count; ++j)
    for (int l = 0; l < kW; ++l) {
      z[j].re[l] = row[l][2 * j + exchanged];
      z[j].im[l] = row[l][2 * j + !exchanged];
    }
}

template <typename T>
void store_rows(Place<T> out, int64_t lanes, int64_t count, bool exchanged, T scale, const Complex<T>* z) {
  constexpr int kW = kLanes<T>, kAtOnce = kW / 2;
  int64_t j = 0;
  for (; j + kAtOnce <= count; j += kAtOnce) {
    Lanes<T> x[kW];
    for (int i = 0; i < kAtOnce; ++i) {
      x[2 * i + exchanged] = z[j + i].re * scale;
      x[2 * i + !exchanged] = z[j + i].im * scale;
    }
    transpose<T>(x);
    for (int64_t l = 0; l < lanes; ++l) store(out.data + 2 * (out.stride * l + j), x[l]);
  }
  for (; j < count; ++j)
    for (int64_t l = 0; l < lanes; ++l) {
      T* x = out.data + 2 * (out.stride * l + j);
      x[exchanged] = z[j].re[l] * scale;
      x[!exchanged] = z[j].im[l] * scale;
    }
}

// ---- stages

template <int R>
struct Radix {};

template <typename T>
inline void butterfly(Complex<T>* a, const T*, Radix<2>) {
  Complex<T> b = a[1];
  a[1] = a[0] - b;
  a[0] = a[0] + b;
}

template <typename T>
inline void butterfly(Complex<T>* a, const T* roots, Radix<3>) {
  Complex<T> sum = a[1] + a[2], difference = a[1] - a[2];
  Complex<T> middle = {a[0].re + sum.re * roots[2], a[0].im + sum.im * roots[2]};
  Complex<T> turned = {difference.im * roots[3], difference.re * roots[3]};
  a[0] = a[0] + sum;
  a[1] = {middle.re - turned.re, middle.im + turned.im};
  a[2] = {middle.re + turned.re, middle.im - turned.im};
}

template <typename T>
inline void butterfly(Complex<T>* a, const T*, Radix<4>) {
  Complex<T> b = a[0] + a[2], c = a[0] - a[2], d = a[1] + a[3], e = times_minus_i(a[1] - a[3]);
  a[0] = b + d;
  a[1] = c + e;
  a[2] = b - d;
  a[3] = c - e;
}

template <typename T>
inline void butterfly(Complex<T>* a, const T* roots, Radix<5>) {
  Complex<T> p = a[1] + a[4], q = a[2] + a[3], r = a[1] - a[4], s = a[2] - a[3];
  T c1 = roots[2], s1 = roots[3], c2 = roots[4], s2 = roots[5];
  Complex<T> m = {a[0].re + p.re * c1 + q.re * c2, a[0].im + p.im * c1 + q.im * c2};
  Complex<T> n = {a[0].re + p.re * c2 + q.re * c1, a[0].im + p.im * c2 + q.im * c1};
  Complex<T> u = {r.re * s1 + s.re * s2, r.im * s1 + s.im * s2};
  Complex<T> v = {r.re * s2 - s.re * s1, r.im * s2 - s.im * s1};
  a[0] = a[0] + p + q;
  a[1] = {m.re - u.im, m.im + u.re};
  a[4] = {m.re + u.im, m.im - u.re};
  a[2] = {n.re - v.im, n.im + v.re};
  a[3] = {n.re + v.im, n.im - v.re};
}

// With n = r m and s the product of the radices before: y[q + s (r p + k)] = w_n^(p k) sum_j w_r^(j k) x[q + s (p + j m)].
template <int R, typename T>
void stage(const Complex<T>* x, Complex<T>* y, int64_t m, int64_t s, const T* turns, const T* roots) {
  for (int64_t p = 0; p < m; ++p, turns += 2 * (R - 1))
    for (int64_t q = 0; q < s; ++q) {
      Complex<T> a[R];
      for (int j = 0; j < R; ++j) a[j] = x[q + s * (p + j * m)];
      butterfly<T>(a, roots, Radix<R>());
      Complex<T>* to = y + q + s * R * p;
      to[0] = a[0];
      for (int k = 1; k < R; ++k) to[s * k] = p == 0 ? a[k] : times(a[k], turns[2 * k - 2], turns[2 * k - 1]);
    }
}

template <typename T>
void stage_of_any(int r, const Complex<T>* x, Complex<T>* y, int64_t m, int64_t s, const T* turns, const T* roots) {
  for (int64_t p = 0; p < m; ++p, turns += 2 * (r - 1))
    for (int64_t q = 0; q < s; ++q)
      for (int k = 0; k < r; ++k) {
        Complex<T> sum = x[q + s * p];
        for (int j = 1, e = k; j < r; ++j, e = e + k < r ? e + k : e + k - r)
          sum = sum + times(x[q + s * (p + j * m)], roots[2 * e], roots[2 * e + 1]);
        y[q + s * (r * p + k)] = k == 0 ? sum : times(sum, turns[2 * k - 2], turns[2 * k - 1]);
      }
}

// The transform of what is in x, which is then in the buffer that is returned.
template <typename T>
Complex<T>* run(const Stages<T>& stages, Complex<T>* x, Complex<T>* y) {
  int64_t m = stages.length, s = 1;
  for (int i = 0; i < stages.count; ++i) {
    int r = stages.radix[i];
    m /= r;
    switch (r) {
      case 2: stage<2>(x, y, m, s, stages.turns[i], stages.roots[i]); break;
      case 3: stage<3>(x, y, m, s, stages.turns[i], stages.roots[i]); break;
      case 4: stage<4>(x, y, m, s, stages.turns[i], stages.roots[i]); break;
      case 5: stage<5>(x, y, m, s, stages.turns[i], stages.roots[i]); break;
      default: stage_of_any(r, x, y, m, s, stages.turns[i], stages.roots[i]);
    }
    s *= r;
    Complex<T>* other = x;
    x = y;
    y = other;
  }
  return x;
}

// ---- whole transforms

// The transform, not divided, of what is in x, by stages or chirps; both buffers hold what `plan` needs.
template <typename T>
Complex<T>* run(const FourierPlan<T>& plan, Complex<T>* x, Complex<T>* y) {
  if (plan.longer == nullptr) return run(plan.whole, x, y);
  const int64_t n = plan.length, size = plan.longer->length;
  for (int64_t j = 0; j < n; ++j) x[j] = times(x[j], plan.chirp[2 * j], plan.chirp[2 * j + 1]);
  for (int64_t j = n; j < size; ++j) x[j] = {Lanes<T>{}, Lanes<T>{}};
  Complex<T>* z = run(plan.longer->whole, x, y);
  // exchanged, for the way back
  for (int64_t j = 0; j < size; ++j) {
    Complex<T> found = times(z[j], plan.kernel[2 * j], plan.kernel[2 * j + 1]);
    z[j] = {found.im, found.re};
  }
  z = run(plan.longer->whole, z, z == x ? y : x);
  for (int64_t j = 0; j < n; ++j) z[j] = times(Complex<T>{z[j].im, z[j].re}, plan.chirp[2 * j], plan.chirp[2 * j + 1]);
  return z;
}

template <typename T>
int64_t buffer_size(const FourierPlan<T>& plan) {
  return plan.longer == nullptr ? plan.length : plan.longer->length;
}

template <typename T>
T scale_of(const FourierPlan<T>& plan, bool inverse) {
  return inverse ? T(1) / static_cast<T>(plan.length) : T(1);
}

template <typename T>
void transform_columns(const FourierPlan<T>& plan, Place<const T> in, Place<T> out, int64_t count, bool inverse, T* work) {
  auto* x = reinterpret_cast<Complex<T>*>(work);
  auto* y = x + buffer_size(plan);
  const T scale = scale_of(plan, inverse);
  for (int64_t column = 0; column < count; column += kLanes<T>) {
    const int64_t lanes = count - column;
    const T* from = in.data + 2 * column;
    T* to = out.data + 2 * column;
    for (int64_t j = 0; j < plan.length; ++j, from += 2 * in.stride)
      x[j] = lanes >= kLanes<T> ? load_pairs(from, inverse) : load_some(from, lanes, inverse);
    const Complex<T>* z = run(plan, x, y);
    for (int64_t j = 0; j < plan.length; ++j, to += 2 * out.stride) {
      Complex<T> found = {z[j].re * scale, z[j].im * scale};
      if (lanes >= kLanes<T>) {
        store_pairs(to, found, inverse);
      } else {
        store_some(to, found, lanes, inverse);
      }
    }
  }
}

// A whole number of vectors that holds so many complex numbers.
template <typename T>
int64_t in_vectors(int64_t numbers) {
  return (2 * numbers + kLanes<T> - 1) / kLanes<T> * kLanes<T>;
}

// w_n^(k j) for the numbers j of the lanes, from `first` on, for all k = kFine a + b: as products of two.
template <typename T>
class Turns {
 public:
  static constexpr int64_t kFine = 32;
  Turns(const FourierPlan<T>& plan, Complex<T>* coarse) : plan_(plan), coarse_(coarse) {}
  void begin(int64_t first, int64_t count) {
    for (int64_t b = 0; b < kFine; ++b) fine_[b] = at(first, b);
    for (int64_t a = 0; a * kFine < count; ++a) coarse_[a] = at(first, a * kFine);
  }
  Complex<T> operator()(int64_t k) const { return coarse_[k / kFine] * fine_[k % kFine]; }
  static int64_t size(int64_t count) { return (count + kFine - 1) / kFine; }

 private:
  Complex<T> at(int64_t first, int64_t k) const {
    Complex<T> found;
    for (int l = 0; l < kLanes<T>; ++l) {
      const int64_t e = (first + l) * k % plan_.length;
      const double* c = plan_.coarse + 2 * (e / plan_.fine_count);
      const double* f = plan_.fine + 2 * (e % plan_.fine_count);
      found.re[l] = static_cast<T>(c[0] * f[0] - c[1] * f[1]);
      found.im[l] = static_cast<T>(c[0] * f[1] + c[1] * f[0]);
    }
    return found;
  }

  const FourierPlan<T>& plan_;
  Complex<T>* coarse_;
  Complex<T> fine_[kFine];
};

// One long transform, not divided: with n = r c, j = c j1 + j2 and k = k1 + r k2,
// X[k] = sum_j2 w_c^(j2 k2) w_n^(j2 k1) sum_j1 w_r^(j1 k1) x[j]. `work` begins with room for n numbers.
template <typename T>
void transform_matrix(const FourierPlan<T>& plan, const T* in, T* out, bool inverse, T scale, T* work) {
  const int64_t r = plan.columns.length, c = plan.rows.length;
  T* between = work;
  auto* x = reinterpret_cast<Complex<T>*>(work + in_vectors<T>(plan.length));
  auto* y = x + (r > c ? r : c);
  Turns<T> turns(plan, y + (r > c ? r : c));
  for (int64_t column = 0; column < c; column += kLanes<T>) {
    const int64_t lanes = c - column;
    const bool full = lanes >= kLanes<T>;
    const T* from = in + 2 * column;
    for (int64_t j = 0; j < r; ++j, from += 2 * c) x[j] = full ? load_pairs(from, inverse) : load_some(from, lanes, inverse);
    const Complex<T>* z = run(plan.columns, x, y);
    turns.begin(column, r);
    T* to = between + 2 * column;
    for (int64_t k = 0; k < r; ++k, to += 2 * c) {
      Complex<T> found = z[k] * turns(k);
      if (full) {
        store_pairs(to, found, false);
      } else {
        store_some(to, found, lanes, false);
      }
    }
  }
  for (int64_t row = 0; row < r; row += kLanes<T>) {
    const int64_t lanes = r - row < kLanes<T> ? r - row : kLanes<T>;
    load_rows<T>({between + 2 * row * c, c}, lanes, c, false, x);
    const Complex<T>* z = run(plan.rows, x, y);
    T* to = out + 2 * row;
    for (int64_t k = 0; k < c; ++k, to += 2 * r) {
      Complex<T> found = {z[k].re * scale, z[k].im * scale};
      if (lanes == kLanes<T>) {
        store_pairs(to, found, inverse);
      } else {
        store_some(to, found, lanes, inverse);
      }
    }
  }
}

template <typename T>
int64_t matrix_work(const FourierPlan<T>& plan) {
  const int64_t r = plan.columns.length, c = plan.rows.length, longest = r > c ? r : c;
  return in_vectors<T>(plan.length) + 2 * kLanes<T> * (2 * longest + Turns<T>::size(r));
}

template <typename T>
void multiply(T* x, const T* by, int64_t count) {
  for (int64_t j = 0; j < count; ++j) {
    const T re = x[2 * j], im = x[2 * j + 1], c = by[2 * j], s = by[2 * j + 1];
    x[2 * j] = re * c - im * s;
    x[2 * j + 1] = re * s + im * c;
  }
}

// One long transform.
template <typename T>
void transform_row(const FourierPlan<T>& plan, const T* in, T* out, bool inverse, T* work) {
  const T scale = scale_of(plan, inverse);
  if (plan.longer == nullptr) return transform_matrix<T>(plan, in, out, inverse, scale, work);
  const int64_t n = plan.length, size = plan.longer->length;
  T* x = work;
  T* rest = work + in_vectors<T>(size);
  for (int64_t j = 0; j < n; ++j) x[2 * j] = in[2 * j + inverse] * scale, x[2 * j + 1] = in[2 * j + !inverse] * scale;
  for (int64_t j = 2 * n; j < 2 * size; ++j) x[j] = 0;
  multiply(x, plan.chirp, n);
  transform_matrix<T>(*plan.longer, x, x, false, T(1), rest);
  multiply(x, plan.kernel, size);
  transform_matrix<T>(*plan.longer, x, x, true, T(1), rest);
  multiply(x, plan.chirp, n);
  for (int64_t j = 0; j < n; ++j) out[2 * j + inverse] = x[2 * j], out[2 * j + !inverse] = x[2 * j + 1];
}

template <typename T>
int64_t row_work(const FourierPlan<T>& plan) {
  if (plan.longer == nullptr) return matrix_work(plan);
  return in_vectors<T>(plan.longer->length) + matrix_work(*plan.longer);
}

template <typename T>
void transform_rows(const FourierPlan<T>& plan, Place<const T> in, Place<T> out, int64_t count, bool inverse, T* work) {
  const T scale = scale_of(plan, inverse);
  auto* x = reinterpret_cast<Complex<T>*>(work);
  for (int64_t row = 0; row < count; row += kLanes<T>) {
    const int64_t lanes = count - row < kLanes<T> ? count - row : kLanes<T>;
    load_rows<T>({in.data + 2 * row * in.stride, in.stride}, lanes, plan.length, inverse, x);
    const Complex<T>* z = run(plan, x, x + buffer_size(plan));
    store_rows<T>({out.data + 2 * row * out.stride, out.stride}, lanes, plan.length, inverse, scale, z);
  }
}

template <typename T>
int64_t work_of(const FourierPlan<T>& plan) {
  return 2 * 2 * kLanes<T> * buffer_size(plan);
}

template <typename T>
FourierCode<T> code() {
  return {kLanes<T>, transform_columns<T>, transform_rows<T>, work_of<T>, transform_row<T>, row_work<T>};
}

}  // namespace

FourierCode<float> fourier_code_float() { return code<float>(); }
FourierCode<double> fourier_code_double() { return code<double>(); }

}  // namespace SABLE_LANES
}  // namespace sable
