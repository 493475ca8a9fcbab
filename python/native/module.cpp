#define SABLE_IMPORTS_NUMPY
#include "numpy_api.h"

#include "kernels.h"
#include "pytree.h"

namespace nb = nanobind;

NB_MODULE(_native, m) {
  m.doc() = "Sable's native call path: pytrees, call signatures, library functions, random bits, kernels.";
  // Whatever the interpreter leaves alive when it exits (modules, caches of other extensions) would be reported
  // to the user as leaks of ours.
  nb::set_leak_warnings(false);
  if (PyArray_ImportNumPyAPI() < 0 || PyUFunc_ImportUFuncAPI() < 0) throw nb::python_error();
  sable::bind_pytree(m);
  sable::bind_signature(m);
  sable::bind_threefry(m);
  sable::bind_call(m);
  sable::bind_location(m);
  sable::bind_buffer(m);
  sable::bind_kernels(m);
  sable::bind_linear_algebra(m);
  sable::bind_fourier();
  sable::bind_plan(m);
  sable::bind_library(m);
}
