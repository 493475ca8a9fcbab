// Where the slots of the Python class Array are, and how one is made without Python.
#pragma once

#include "pytree.h"

namespace sable {

struct ArrayLayout {
  PyTypeObject* type = nullptr;
  Py_ssize_t aval, value, buffer, device, constant, committed, deleted;

  explicit ArrayLayout(nb::handle array_type) : type(reinterpret_cast<PyTypeObject*>(array_type.ptr())) {
    aval = offset("aval");
    value = offset("_value");
    buffer = offset("_buffer");
    device = offset("_device");
    constant = offset("constant");
    committed = offset("committed");
    deleted = offset("deleted");
  }

  static PyObject*& at(PyObject* array, Py_ssize_t offset) {
    return *reinterpret_cast<PyObject**>(reinterpret_cast<char*>(array) + offset);
  }

  // A new array on the default device, of a device buffer or of a NumPy array (the other one is empty); takes over
  // both. NULL with a Python error where there is no memory.
  PyObject* make(PyObject* array_aval, PyObject* numpy, PyObject* device_buffer, bool is_committed) const {
    PyObject* self = type->tp_alloc(type, 0);
    if (self == nullptr) {
      Py_XDECREF(numpy);
      Py_XDECREF(device_buffer);
      return nullptr;
    }
    Py_INCREF(array_aval);
    at(self, aval) = array_aval;
    set(self, value, numpy);
    set(self, buffer, device_buffer);
    set(self, device, nullptr);
    share(self, constant, Py_False);
    share(self, committed, is_committed ? Py_True : Py_False);
    share(self, deleted, Py_False);
    return self;
  }

 private:
  static void share(PyObject* self, Py_ssize_t offset, PyObject* object) {
    Py_INCREF(object);
    at(self, offset) = object;
  }

  static void set(PyObject* self, Py_ssize_t offset, PyObject* object) {
    if (object == nullptr) return share(self, offset, Py_None);
    at(self, offset) = object;
  }

  Py_ssize_t offset(const char* name) const {
    nb::object text = checked(PyUnicode_InternFromString(name));
    Py_ssize_t found = slot_offset(reinterpret_cast<PyObject*>(type), text.ptr());
    if (found < 0) raise(PyExc_TypeError, "the array type has no slot %s", name);
    return found;
  }
};

}  // namespace sable
