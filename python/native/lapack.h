// What the files with kernels of linear algebra share: how LAPACK's functions come in, the sign of failure.
#pragma once

#include <limits>
#include <string>
#include <type_traits>

#include "pytree.h"

namespace sable {

using Addresses = nb::dict;

template <typename F>
void take(const Addresses& addresses, const std::string& name, F& function) {
  function = reinterpret_cast<F>(nb::cast<uintptr_t>(addresses[name.c_str()]));
}

template <typename T>
T not_a_number() {
  if constexpr (std::is_floating_point_v<T>) {
    return std::numeric_limits<T>::quiet_NaN();
  } else {
    auto nan = std::numeric_limits<typename T::value_type>::quiet_NaN();
    return T(nan, nan);
  }
}

// Takes the functions of LAPACK that decompose by eigenvalues and singular values, and makes their kernels known.
void bind_spectral(const Addresses& addresses);

}  // namespace sable
