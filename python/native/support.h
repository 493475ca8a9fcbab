// Small helpers over the CPython API shared by the native sources.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>

#include "small_vector.h"

namespace sable {

namespace nb = nanobind;

using Objects = SmallVector<nb::object, 16>;

// Sets a Python error as PyErr_Format does and throws it.
template <typename... Args>
[[noreturn]] void raise(PyObject* type, const char* format, Args... args) {
  PyErr_Format(type, format, args...);
  throw nb::python_error();
}

// A new reference out of a C API call that gives NULL on failure.
inline nb::object checked(PyObject* result) {
  if (result == nullptr) throw nb::python_error();
  return nb::steal(result);
}

inline void check(int status) {
  if (status < 0) throw nb::python_error();
}

// Counts a level of recursion for as long as it lives. The interpreter's own limit can be raised by the user
// beyond what the C stack holds, hence the second one, on the stack used since `base`, an object on the stack.
class RecursionGuard {
 public:
  RecursionGuard(const void* base, const char* doing) {
    constexpr uintptr_t kStackLimit = 768 << 10;  // bytes: below the smallest stack that CPython gives a thread
    auto here = reinterpret_cast<uintptr_t>(this), start = reinterpret_cast<uintptr_t>(base);
    uintptr_t used = here < start ? start - here : here - start;
    if (used > kStackLimit) raise(PyExc_RecursionError, "maximum recursion depth exceeded%s", doing);
    if (Py_EnterRecursiveCall(doing)) throw nb::python_error();
  }
  RecursionGuard(const RecursionGuard&) = delete;
  ~RecursionGuard() { Py_LeaveRecursiveCall(); }
};

// A tuple or list of the elements, which are moved out. Runs no Python code while the result is incomplete.
inline nb::object move_to_list(nb::object* elements, size_t size) {
  nb::object list = checked(PyList_New(static_cast<Py_ssize_t>(size)));
  for (size_t i = 0; i < size; ++i) PyList_SET_ITEM(list.ptr(), i, elements[i].release().ptr());
  return list;
}

inline nb::object move_to_tuple(nb::object* elements, size_t size) {
  nb::object tuple = checked(PyTuple_New(static_cast<Py_ssize_t>(size)));
  for (size_t i = 0; i < size; ++i) PyTuple_SET_ITEM(tuple.ptr(), i, elements[i].release().ptr());
  return tuple;
}

}  // namespace sable
