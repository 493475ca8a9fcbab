// The buffer protocol for arrays: memoryview(x). Python has had `__buffer__` since 3.12; here it works in all versions.
#include "pytree.h"

namespace sable {

namespace {

PyObject* lender = nullptr;

// The memory that the lender's memoryview has: the consumer holds that, not the array.
int lend(PyObject* self, Py_buffer* view, int flags) {
  view->obj = nullptr;
  PyObject* lent = PyObject_CallOneArg(lender, self);
  if (lent == nullptr) return -1;
  const int result = PyObject_GetBuffer(lent, view, flags);
  Py_DECREF(lent);
  return result;
}

void lend_memory(nb::handle type, nb::handle made_by) {
  Py_XSETREF(lender, Py_NewRef(made_by.ptr()));
  auto* heap = reinterpret_cast<PyHeapTypeObject*>(type.ptr());
  heap->as_buffer.bf_getbuffer = lend;
  heap->ht_type.tp_as_buffer = &heap->as_buffer;
  PyType_Modified(&heap->ht_type);
}

}  // namespace

void bind_buffer(nb::module_& module) {
  module.def("lend_memory", lend_memory, nb::arg("type"), nb::arg("made_by"),
             "Gives a class the buffer protocol: `made_by(instance)` returns a memoryview of its memory.");
}

}  // namespace sable
