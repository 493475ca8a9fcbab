#include "pytree.h"

namespace sable {

namespace {

// JAX's rule: a subclass of tuple with `_fields` is a named tuple, whoever made it.
bool has_fields(PyTypeObject* type) {
  static PyObject* const name = PyUnicode_InternFromString("_fields");
  PyObject* fields = PyObject_GetAttr(reinterpret_cast<PyObject*>(type), name);
  if (fields != nullptr) {
    Py_DECREF(fields);
    return true;
  }
  if (!PyErr_ExceptionMatches(PyExc_AttributeError)) throw nb::python_error();
  PyErr_Clear();
  return false;
}

bool is_built_in(PyTypeObject* type) {
  return type == &PyTuple_Type || type == &PyList_Type || type == &PyDict_Type || type == Py_TYPE(Py_None);
}

void require_type(nb::handle type) {
  if (!PyType_Check(type.ptr())) raise(PyExc_TypeError, "a pytree node type must be a class, got %R", type.ptr());
}

void require_callable(nb::handle function, const char* name) {
  if (!PyCallable_Check(function.ptr())) raise(PyExc_TypeError, "%s must be callable, got %R", name, function.ptr());
}

// A tuple of interned attribute names.
nb::object field_names(nb::handle names, const char* what) {
  nb::object tuple = checked(PySequence_Tuple(names.ptr()));
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple.ptr()); ++i) {
    PyObject* name = PyTuple_GET_ITEM(tuple.ptr(), i);
    if (!PyUnicode_CheckExact(name)) raise(PyExc_TypeError, "%s must be strings, got %R", what, name);
  }
  return tuple;
}

}  // namespace

const Registration* Registry::find(PyTypeObject* type) const {
  auto found = registrations_.find(type);
  return found == registrations_.end() ? nullptr : found->second.get();
}

Kind Registry::classify(PyObject* object, const Registration*& registration) const {
  registration = nullptr;
  PyTypeObject* type = Py_TYPE(object);
  if (type == &PyTuple_Type) return Kind::kTuple;
  if (type == &PyList_Type) return Kind::kList;
  if (type == &PyDict_Type) return Kind::kDict;
  if (object == Py_None) return none_is_leaf_ ? Kind::kLeaf : Kind::kNone;
  registration = find(type);
  if (registration != nullptr) return registration->kind;
  return PyTuple_Check(object) && has_fields(type) ? Kind::kNamedTuple : Kind::kLeaf;
}

bool Registry::is_node(PyTypeObject* type) const {
  if (type == Py_TYPE(Py_None)) return !none_is_leaf_;
  if (is_built_in(type) || find(type) != nullptr) return true;
  return PyType_FastSubclass(type, Py_TPFLAGS_TUPLE_SUBCLASS) && has_fields(type);
}

void Registry::add(std::unique_ptr<Registration> registration) {
  auto* type = reinterpret_cast<PyTypeObject*>(registration->type.ptr());
  if (is_built_in(type) || find(type) != nullptr) {
    const char* what = registration->kind == Kind::kDataclass ? "custom dataclass" : "custom";
    raise(PyExc_ValueError, "Duplicate %s PyTreeDef type registration for %R: a type can be registered once.", what,
          registration->type.ptr());
  }
  registrations_.emplace(type, std::move(registration));
}

void Registry::register_node(nb::handle type, nb::handle to_iterable, nb::handle from_iterable,
                             nb::handle with_keys) {
  require_type(type);
  require_callable(to_iterable, "the flatten function");
  require_callable(from_iterable, "the unflatten function");
  if (!with_keys.is_none()) require_callable(with_keys, "the flatten function with keys");
  auto registration = std::make_unique<Registration>();
  registration->kind = Kind::kCustom;
  registration->type = nb::borrow(type);
  registration->to_iterable = nb::borrow(to_iterable);
  registration->from_iterable = nb::borrow(from_iterable);
  registration->to_iterable_with_keys = nb::borrow(with_keys);
  add(std::move(registration));
}

void Registry::register_dataclass(nb::handle type, nb::handle data_fields, nb::handle meta_fields) {
  require_type(type);
  auto registration = std::make_unique<Registration>();
  registration->kind = Kind::kDataclass;
  registration->type = nb::borrow(type);
  registration->data_fields = field_names(data_fields, "data_fields");
  registration->meta_fields = field_names(meta_fields, "meta_fields");
  registration->keyword_names =
      checked(PySequence_Concat(registration->data_fields.ptr(), registration->meta_fields.ptr()));
  add(std::move(registration));
}

int Registry::traverse(visitproc visit, void* arg) {
  Py_VISIT(name_.ptr());
  for (auto& entry : registrations_) {
    Registration& registration = *entry.second;
    Py_VISIT(registration.type.ptr());
    Py_VISIT(registration.to_iterable.ptr());
    Py_VISIT(registration.from_iterable.ptr());
    Py_VISIT(registration.to_iterable_with_keys.ptr());
    Py_VISIT(registration.data_fields.ptr());
    Py_VISIT(registration.meta_fields.ptr());
    Py_VISIT(registration.keyword_names.ptr());
  }
  return 0;
}

void Registry::clear() {
  // None in place of a function: a treedef that is still used during collection gets "not callable", not a crash.
  std::vector<nb::object> dropped;
  dropped.reserve(3 * registrations_.size());
  for (auto& entry : registrations_) {
    Registration& registration = *entry.second;
    if (registration.kind != Kind::kCustom) continue;
    for (nb::object* function :
         {&registration.to_iterable, &registration.from_iterable, &registration.to_iterable_with_keys}) {
      dropped.push_back(std::move(*function));
      *function = nb::none();
    }
  }
}

}  // namespace sable
