#include "pytree.h"

// Not self-contained: after the header that includes Python.h.
#include <structmember.h>

namespace sable {

Py_ssize_t slot_offset(PyObject* type, PyObject* name) {
#ifdef Py_T_OBJECT_EX
  constexpr int kObjectSlot = Py_T_OBJECT_EX;
#else
  constexpr int kObjectSlot = T_OBJECT_EX;
#endif
  nb::object descriptor = nb::steal(PyObject_GetAttr(type, name));
  if (!descriptor.is_valid()) {
    if (!PyErr_ExceptionMatches(PyExc_AttributeError)) throw nb::python_error();
    PyErr_Clear();  // an attribute of the instances only
    return -1;
  }
  if (Py_TYPE(descriptor.ptr()) != &PyMemberDescr_Type) return -1;
  auto* member = reinterpret_cast<PyMemberDescrObject*>(descriptor.ptr());
  // A descriptor that was borrowed from another class must not be applied to this one's instances.
  if (!PyType_IsSubtype(reinterpret_cast<PyTypeObject*>(type), PyDescr_TYPE(member))) return -1;
  return member->d_member->type == kObjectSlot ? member->d_member->offset : -1;
}

namespace {

// Reading a slot directly costs a tenth of an attribute access.
class AvalReader {
 public:
  AvalReader(nb::handle array_type, nb::handle scalar_avals, nb::handle fallback)
      : array_type_(array_type), scalar_avals_(scalar_avals), fallback_(fallback) {
    if (!PyType_Check(array_type.ptr())) raise(PyExc_TypeError, "array_type must be a type, got %R", array_type.ptr());
    if (!PyDict_Check(scalar_avals.ptr())) {
      raise(PyExc_TypeError, "scalar_avals must be a dict, got %R", scalar_avals.ptr());
    }
  }

  nb::object read(PyObject* leaf) {
    PyObject* type = reinterpret_cast<PyObject*>(Py_TYPE(leaf));
    if (type == array_type_.ptr()) return read_array(leaf);
    PyObject* aval = PyDict_GetItemWithError(scalar_avals_.ptr(), type);
    if (aval != nullptr) return nb::borrow(aval);
    if (PyErr_Occurred()) throw nb::python_error();
    return checked(PyObject_CallOneArg(fallback_.ptr(), leaf));
  }

 private:
  nb::object read_array(PyObject* leaf) {
    static PyObject* const name = PyUnicode_InternFromString("aval");
    if (!resolved_) {
      offset_ = slot_offset(array_type_.ptr(), name);
      resolved_ = true;
    }
    PyObject* aval = offset_ < 0 ? nullptr : *reinterpret_cast<PyObject**>(reinterpret_cast<char*>(leaf) + offset_);
    return aval != nullptr ? nb::borrow(aval) : checked(PyObject_GetAttr(leaf, name));
  }

  nb::handle array_type_, scalar_avals_, fallback_;
  bool resolved_ = false;
  Py_ssize_t offset_ = -1;
};

nb::object signature(nb::handle leaves, nb::handle array_type, nb::handle scalar_avals, nb::handle fallback) {
  if (!PyList_CheckExact(leaves.ptr())) raise(PyExc_TypeError, "leaves must be a list, got %R", leaves.ptr());
  AvalReader reader(array_type, scalar_avals, fallback);
  Objects avals;
  // The fallback is user-visible code and may change the list.
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(leaves.ptr()); ++i) {
    nb::object leaf = nb::borrow(PyList_GET_ITEM(leaves.ptr(), i));
    avals.emplace_back(reader.read(leaf.ptr()));
  }
  return move_to_tuple(avals.data(), avals.size());
}

}  // namespace

void bind_signature(nb::module_& module) {
  module.def("signature", signature, nb::arg("leaves"), nb::arg("array_type"), nb::arg("scalar_avals"),
             nb::arg("fallback").none(),
             "signature(leaves, array_type, scalar_avals, fallback): the aval of each leaf, as a tuple.");
}

}  // namespace sable
