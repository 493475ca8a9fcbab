#include "pytree.h"

namespace nb = nanobind;

NB_MODULE(_native, m) {
  m.doc() = "Sable's native call path: pytrees, call signatures, random bits, kernels.";
  // Whatever the interpreter leaves alive when it exits (modules, caches of other extensions) would be reported
  // to the user as leaks of ours.
  nb::set_leak_warnings(false);
  sable::bind_pytree(m);
  sable::bind_signature(m);
  sable::bind_threefry(m);
  sable::bind_call(m);
  sable::bind_kernels(m);
  sable::bind_linear_algebra(m);
}
