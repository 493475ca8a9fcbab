// The native kernel of Fourier transforms: plans, several axes, real numbers. Its inner code stands in fourier_lanes.cpp.
#include "fourier.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "kernels.h"
#include "lapack.h"

namespace sable {

namespace {

// Larger prime factors go by chirps.
constexpr int kLargestRadix = 13;
// Transforms from this length on are done as a matrix where there are few of them, and from kLongest on in any case, since
// their lanes leave the cache.
constexpr int64_t kShortest = 64, kLongest = 1 << 13;
constexpr size_t kMostPlans = 512;

template <typename T>
const FourierCode<T>& code() {
  if constexpr (std::is_same_v<T, float>) {
    static const FourierCode<T> chosen = SABLE_OF_THIS_PROCESSOR(fourier_code_float);
    return chosen;
  } else {
    static const FourierCode<T> chosen = SABLE_OF_THIS_PROCESSOR(fourier_code_double);
    return chosen;
  }
}

// exp(-2 pi i e / n), of an angle of at most an eighth of a turn.
template <typename T>
std::complex<T> root(int64_t e, int64_t n) {
  e %= n;
  const int64_t eighths = 8 * e / n, rest = 8 * e - eighths * n;  // of n
  const long double quarter = 1.570796326794896619231321691639751442L;
  const bool mirrored = eighths % 2 == 1;
  const long double angle = quarter / 2 * static_cast<long double>(mirrored ? n - rest : rest) / static_cast<long double>(n);
  std::complex<long double> z(std::cos(angle), std::sin(angle));
  if (mirrored) z = {z.imag(), z.real()};
  for (int64_t i = 0; i < eighths / 2; ++i) z = {-z.imag(), z.real()};
  return {static_cast<T>(z.real()), static_cast<T>(-z.imag())};
}

std::vector<int> radices(int64_t n) {
  std::vector<int> found;
  for (int r : {4, 2, 3, 5, 7, 11, kLargestRadix})
    for (; n % r == 0; n /= r) found.push_back(r);
  if (n != 1) found.clear();
  return found;
}

bool is_smooth(int64_t n) { return n == 1 || !radices(n).empty(); }

// A plan with its tables.
template <typename T>
class Plan {
 public:
  // Side by side with others, or by itself.
  Plan(int64_t n, bool alone) {
    plan.length = n;
    if (!is_smooth(n)) {
      chirp(n, alone);
    } else if (alone) {
      matrix(n);
    } else {
      stages(plan.whole, n);
    }
  }
  FourierPlan<T> plan;

 private:
  template <typename U>
  U* table(std::vector<std::vector<U>>& tables, int64_t numbers) {
    tables.emplace_back(static_cast<size_t>(2 * numbers));
    return tables.back().data();
  }
  template <typename U, typename F>
  const U* roots(std::vector<std::vector<U>>& tables, int64_t count, F number) {
    U* found = table(tables, count);
    for (int64_t i = 0; i < count; ++i) {
      const std::complex<U> z = number(i);
      found[2 * i] = z.real(), found[2 * i + 1] = z.imag();
    }
    return found;
  }
  void stages(Stages<T>& made, int64_t n) {
    made.length = n;
    for (int r : radices(n)) {
      const int64_t m = n / r;
      made.radix[made.count] = r;
      made.turns[made.count] =
          roots(tables_, m * (r - 1), [&](int64_t i) { return root<T>(i / (r - 1) * (i % (r - 1) + 1), n); });
      made.roots[made.count++] = roots(tables_, r, [&](int64_t j) { return root<T>(j, r); });
      n = m;
    }
  }
  // The two factors that differ least.
  void matrix(int64_t n) {
    int64_t r = static_cast<int64_t>(std::sqrt(static_cast<double>(n)));
    while (n % r != 0) --r;
    stages(plan.columns, r);
    stages(plan.rows, n / r);
    plan.fine_count = n / r;
    plan.coarse = roots(fine_tables_, r, [&](int64_t c) { return root<double>(c, r); });
    plan.fine = roots(fine_tables_, n / r, [&](int64_t f) { return root<double>(f, n); });
  }
  // L. Bluestein, "A linear filtering approach to the computation of discrete Fourier transform", 1970.
  void chirp(int64_t n, bool alone) {
    int64_t size = 2 * n - 1;
    while (!is_good(size)) ++size;
    longer_ = std::make_unique<Plan>(size, alone);
    plan.longer = &longer_->plan;
    auto turn = [&](int64_t j) { return root<T>(static_cast<int64_t>(static_cast<__int128>(j) * j % (2 * n)), 2 * n); };
    plan.chirp = roots(tables_, n, turn);
    T* kernel = table(tables_, size);
    for (int64_t j = 0; j < n; ++j)
      for (int64_t place : {j, (size - j) % size}) {
        kernel[2 * place] = plan.chirp[2 * j];
        kernel[2 * place + 1] = -plan.chirp[2 * j + 1];
      }
    transform_one(*plan.longer, alone, kernel);
    // the transform back is not divided
    for (int64_t i = 0; i < 2 * size; ++i) kernel[i] /= static_cast<T>(size);
    plan.kernel = kernel;
  }
  static bool is_good(int64_t n) {
    for (int r : {2, 3, 5})
      while (n % r == 0) n /= r;
    return n == 1;
  }
  static void transform_one(const FourierPlan<T>& plan, bool alone, T* x);

  std::vector<std::vector<T>> tables_;
  std::vector<std::vector<double>> fine_tables_;
  std::unique_ptr<Plan> longer_;
};

// Room for kernels, at a boundary that vectors want.
template <typename T>
class Workspace {
 public:
  explicit Workspace(int64_t numbers)
      : data_(static_cast<T*>(::operator new(static_cast<size_t>(numbers) * sizeof(T), std::align_val_t(kAlignment)))) {}
  Workspace(const Workspace&) = delete;
  ~Workspace() { ::operator delete(data_, std::align_val_t(kAlignment)); }
  T* data() { return data_; }

 private:
  T* data_;
};

template <typename T>
void Plan<T>::transform_one(const FourierPlan<T>& plan, bool alone, T* x) {
  Workspace<T> work(alone ? code<T>().row_work(plan) : code<T>().work(plan));
  if (alone) {
    code<T>().row(plan, x, x, false, work.data());
  } else {
    code<T>().rows(plan, {x, plan.length}, {x, plan.length}, 1, false, work.data());
  }
}

// What is made of a key when it is first wanted. There are never more than some of them.
template <typename Made, typename... Key>
std::shared_ptr<const Made> find(Key... key) {
  static std::mutex lock;
  static std::map<std::tuple<Key...>, std::shared_ptr<const Made>> made;
  std::lock_guard<std::mutex> guard(lock);
  const auto found = made.find(std::tuple(key...));
  if (found != made.end()) return found->second;
  if (made.size() >= kMostPlans) made.clear();
  return made[std::tuple(key...)] = std::make_shared<const Made>(key...);
}

// exp(-2 pi i k / n) for k up to a quarter of n.
template <typename T>
class QuarterTurn {
 public:
  explicit QuarterTurn(int64_t n) {
    for (int64_t k = 0; k <= n / 4; ++k) roots_.push_back(root<T>(k, n));
  }
  T re(int64_t k) const { return roots_[static_cast<size_t>(k)].real(); }
  T im(int64_t k) const { return roots_[static_cast<size_t>(k)].imag(); }

 private:
  std::vector<std::complex<T>> roots_;
};

// Numbers of a vector from `first` on, one behind the other: in their place, or in a copy where they lie apart.
template <typename T>
class Adjacent {
 public:
  Adjacent(const Matrices<T>& vector, int64_t first, int64_t count)
      : place_(vector.data + first * vector.strides[0]), stride_(vector.strides[0]) {
    if (stride_ != 1 && count > 1) copy_.resize(static_cast<size_t>(count));
  }
  T* data() { return copy_.empty() ? place_ : copy_.data(); }
  void read() {
    for (size_t i = 0; i < copy_.size(); ++i) copy_[i] = place_[static_cast<int64_t>(i) * stride_];
  }
  // Those for whose number `wanted`.
  template <typename F>
  void write(F wanted) {
    for (int64_t i = 0; i < static_cast<int64_t>(copy_.size()); ++i)
      if (wanted(i)) place_[i * stride_] = copy_[static_cast<size_t>(i)];
  }

 private:
  T* place_;
  int64_t stride_;
  std::vector<T> copy_;
};

// ---- along one axis

template <typename T>
void along_rows(int64_t n, Place<const T> in, Place<T> out, int64_t count, bool inverse) {
  const int64_t stages = is_smooth(n) ? n : 2 * n;
  const bool alone = stages > kLongest || (stages >= kShortest && 2 * count < code<T>().lanes);
  const auto plan = find<Plan<T>>(n, alone);
  if (alone) {
    Workspace<T> work(code<T>().row_work(plan->plan));
    for (int64_t i = 0; i < count; ++i)
      code<T>().row(plan->plan, in.data + 2 * i * in.stride, out.data + 2 * i * out.stride, inverse, work.data());
  } else {
    Workspace<T> work(code<T>().work(plan->plan));
    code<T>().rows(plan->plan, in, out, count, inverse, work.data());
  }
}

// Along the middle one of three axes, (count, n, inner), of the columns from `first` on and before `last`; in place, too.
template <typename T>
void along_columns(int64_t n, const T* in, T* out, int64_t count, int64_t inner, int64_t first, int64_t last, bool inverse) {
  const auto plan = find<Plan<T>>(n, false);
  Workspace<T> work(code<T>().work(plan->plan));
  for (int64_t i = 0; i < count; ++i) {
    const int64_t begin = 2 * (i * n * inner + first);
    code<T>().columns(plan->plan, {in + begin, inner}, {out + begin, inner}, last - first, inverse, work.data());
  }
}

// Transforms of real numbers of even length n are complex ones of half the length: z_j = x_2j + i x_(2j+1), and with h = n / 2,
// X_k = (Z_k + conj Z_(h-k)) / 2 - i w_n^k (Z_k - conj Z_(h-k)) / 2.
template <typename T>
void real_rows(int64_t n, const T* in, T* out, int64_t count) {
  const int64_t h = n / 2, size = h + 1;
  if (n % 2 != 0) {
    Workspace<T> work(2 * n);
    for (int64_t i = 0; i < count; ++i, in += n, out += 2 * size) {
      for (int64_t j = 0; j < n; ++j) work.data()[2 * j] = in[j], work.data()[2 * j + 1] = 0;
      along_rows<T>(n, {work.data(), n}, {work.data(), n}, 1, false);
      std::copy_n(work.data(), 2 * size, out);
    }
    return;
  }
  along_rows<T>(h, {in, h}, {out, size}, count, false);
  const auto turns = find<QuarterTurn<T>>(n);
  for (int64_t i = 0; i < count; ++i, out += 2 * size) {
    const T first = out[0], second = out[1];
    for (int64_t k = 1; 2 * k <= h; ++k) {
      T *z = out + 2 * k, *y = out + 2 * (h - k);
      const T c = turns->re(k), s = turns->im(k);
      const T even_re = (z[0] + y[0]) / 2, even_im = (z[1] - y[1]) / 2, odd_re = (z[1] + y[1]) / 2, odd_im = (y[0] - z[0]) / 2;
      const T re = odd_re * c - odd_im * s, im = odd_re * s + odd_im * c;
      z[0] = even_re + re, z[1] = even_im + im;
      y[0] = even_re - re, y[1] = im - even_im;
    }
    out[0] = first + second, out[1] = 0;
    out[2 * h] = first - second, out[2 * h + 1] = 0;
  }
}

// The way back; of the numbers that are their own conjugates the imaginary parts are not read.
template <typename T>
void real_rows_back(int64_t n, const T* in, T* out, int64_t count) {
  const int64_t h = n / 2, size = h + 1;
  if (n % 2 != 0) {
    Workspace<T> work(2 * n);
    T* z = work.data();
    for (int64_t i = 0; i < count; ++i, in += 2 * size, out += n) {
      std::copy_n(in, 2 * size, z);
      z[1] = 0;
      for (int64_t k = 1; k < size; ++k) z[2 * (n - k)] = in[2 * k], z[2 * (n - k) + 1] = -in[2 * k + 1];
      along_rows<T>(n, {z, n}, {z, n}, 1, true);
      for (int64_t j = 0; j < n; ++j) out[j] = z[2 * j];
    }
    return;
  }
  const auto turns = find<QuarterTurn<T>>(n);
  T* begin = out;
  for (int64_t i = 0; i < count; ++i, in += 2 * size, out += n) {
    out[0] = (in[0] + in[2 * h]) / 2, out[1] = (in[0] - in[2 * h]) / 2;
    for (int64_t k = 1; 2 * k <= h; ++k) {
      const T *x = in + 2 * k, *y = in + 2 * (h - k);
      T *z = out + 2 * k, *v = out + 2 * (h - k);
      const T c = turns->re(k), s = -turns->im(k);
      const T even_re = (x[0] + y[0]) / 2, even_im = (x[1] - y[1]) / 2, re = (x[0] - y[0]) / 2, im = (x[1] + y[1]) / 2;
      const T odd_re = re * c - im * s, odd_im = re * s + im * c;
      z[0] = even_re - odd_im, z[1] = even_im + odd_re;
      v[0] = even_re + odd_im, v[1] = odd_re - even_im;
    }
  }
  along_rows<T>(h, {begin, h}, {begin, h}, count, true);
}

// ---- the kernels: operand and result are vectors of all their numbers; the options are the three lengths, of which
// leading ones are 1, of the signal

enum class Kind { kForward, kInverse, kReal, kRealBack };

template <typename T, Kind kKind>
void fourier(const int64_t* words) {
  constexpr bool kInverse = kKind == Kind::kInverse || kKind == Kind::kRealBack;
  using In = std::conditional_t<kKind == Kind::kReal, T, std::complex<T>>;
  using Out = std::conditional_t<kKind == Kind::kRealBack, T, std::complex<T>>;
  Matrices<In> in(words, 0, 2);
  Matrices<Out> out(words, 1, 2);
  const int64_t* options = Matrices<In>::options(words, 2);
  const int64_t *n = options, piece = options[3], pieces = options[4];
  const int64_t half = n[2] / 2 + 1, others = n[0] * n[1];
  const int64_t last_in = kKind == Kind::kRealBack ? half : n[2], last_out = kKind == Kind::kReal ? half : n[2];
  const int64_t batch = in.batch() / (others * last_in);
  const int64_t first = batch * piece / pieces, count = batch * (piece + 1) / pieces - first;
  const int64_t rows = count * others;
  if (rows == 0) return;
  Adjacent<In> operand(in, first * others * last_in, rows * last_in);
  Adjacent<Out> result(out, first * others * last_out, rows * last_out);
  operand.read();
  const T* from = reinterpret_cast<const T*>(operand.data());
  T* to = reinterpret_cast<T*>(result.data());

  auto along_others = [&](const T* x, T* y, int64_t last) {
    if (n[1] > 1) along_columns<T>(n[1], x, y, count * n[0], last, 0, last, kInverse), x = y;
    if (n[0] > 1) along_columns<T>(n[0], x, y, count, n[1] * last, 0, n[1] * last, kInverse);
  };
  if constexpr (kKind == Kind::kRealBack) {
    if (others == 1) {
      real_rows_back(n[2], from, to, rows);
    } else {
      Workspace<T> spectrum(2 * rows * half);
      along_others(from, spectrum.data(), half);
      real_rows_back<T>(n[2], spectrum.data(), to, rows);
    }
  } else {
    if constexpr (kKind == Kind::kReal) {
      real_rows(n[2], from, to, rows);
    } else {
      along_rows<T>(n[2], {from, n[2]}, {to, n[2]}, rows, kInverse);
    }
    along_others(to, to, last_out);
  }
  result.write([](int64_t) { return true; });
}

// Along the middle one of three axes; the options are its length and that of the last one, whose columns the pieces share.
template <typename T, bool kInverse>
void fourier_columns(const int64_t* words) {
  Matrices<std::complex<T>> in(words, 0, 2), out(words, 1, 2);
  const int64_t* options = Matrices<T>::options(words, 2);
  const int64_t n = options[0], inner = options[1], piece = options[2], pieces = options[3];
  constexpr int64_t kLine = kAlignment / static_cast<int64_t>(2 * sizeof(T));  // numbers in a cache line
  auto begin = [&](int64_t number) { return number == pieces ? inner : inner * number / pieces / kLine * kLine; };
  const int64_t first = begin(piece), last = begin(piece + 1);
  Adjacent<std::complex<T>> operand(in, 0, in.batch()), result(out, 0, out.batch());
  operand.read();
  along_columns<T>(n, reinterpret_cast<const T*>(operand.data()), reinterpret_cast<T*>(result.data()), in.batch() / (n * inner),
                   inner, first, last, kInverse);
  result.write([&](int64_t i) { return i % inner >= first && i % inner < last; });
}

template <typename T>
void bind_type(const std::string& real, const std::string& complex) {
  register_kernel("sable_fft_fft_" + complex, fourier<T, Kind::kForward>);
  register_kernel("sable_fft_ifft_" + complex, fourier<T, Kind::kInverse>);
  register_kernel("sable_fft_rfft_" + real, fourier<T, Kind::kReal>);
  register_kernel("sable_fft_irfft_" + complex, fourier<T, Kind::kRealBack>);
  register_kernel("sable_fft_columns_fft_" + complex, fourier_columns<T, false>);
  register_kernel("sable_fft_columns_ifft_" + complex, fourier_columns<T, true>);
}

}  // namespace

void bind_fourier() {
  bind_type<float>("float32", "complex64");
  bind_type<double>("float64", "complex128");
}

}  // namespace sable
