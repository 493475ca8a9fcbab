#include "pytree.h"

namespace sable {

namespace {

PyObject* treedef_type = nullptr;  // immortal: the module refers to it

bool is_treedef(PyObject* object) {
  return reinterpret_cast<PyObject*>(Py_TYPE(object)) == treedef_type && nb::inst_ready(object);
}

// Runs `body`, which may throw, where CPython wants an error indicator and a value instead.
template <typename Result, typename Body>
Result guarded(Result failure, Body body) noexcept {
  try {
    return body();
  } catch (nb::python_error& error) {
    error.restore();
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return failure;
}

PyObject* treedef_richcompare(PyObject* a, PyObject* b, int operation) {
  return guarded<PyObject*>(nullptr, [&]() -> PyObject* {
    if ((operation != Py_EQ && operation != Py_NE) || !is_treedef(a) || !is_treedef(b)) Py_RETURN_NOTIMPLEMENTED;
    bool equal = unwrap(a).equal(unwrap(b));
    return PyBool_FromLong(equal == (operation == Py_EQ));
  });
}

Py_hash_t treedef_hash(PyObject* self) {
  return guarded<Py_hash_t>(-1, [&] {
    RecursionGuard guard(&self, " while hashing a PyTreeDef");
    return unwrap(self).hash();
  });
}

PyObject* treedef_repr(PyObject* self) {
  return guarded<PyObject*>(nullptr, [&] { return unwrap(self).repr().release().ptr(); });
}

template <typename T>
int traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  return nb::inst_ready(self) ? nb::inst_ptr<T>(self)->traverse(visit, arg) : 0;
}

template <typename T>
int clear(PyObject* self) {
  if (!nb::inst_ready(self)) return 0;
  int status = guarded<int>(-1, [&] { return nb::inst_ptr<T>(self)->clear(), 0; });
  if (status < 0) PyErr_WriteUnraisable(self);
  return 0;
}

PyType_Slot treedef_slots[] = {
    {Py_tp_richcompare, reinterpret_cast<void*>(treedef_richcompare)},
    {Py_tp_hash, reinterpret_cast<void*>(treedef_hash)},
    {Py_tp_repr, reinterpret_cast<void*>(treedef_repr)},
    {Py_tp_traverse, reinterpret_cast<void*>(traverse<PyTreeDef>)},
    {Py_tp_clear, reinterpret_cast<void*>(clear<PyTreeDef>)},
    {0, nullptr},
};

PyType_Slot registry_slots[] = {
    {Py_tp_traverse, reinterpret_cast<void*>(traverse<Registry>)},
    {Py_tp_clear, reinterpret_cast<void*>(clear<Registry>)},
    {0, nullptr},
};

using Self = nb::pointer_and_handle<Registry>;

nb::object finish_flatten(const Self& self, Flattener& flattener) {
  nb::object treedef = wrap(PyTreeDef(nb::borrow(self.h), flattener.nodes()));
  nb::object leaves = move_to_list(flattener.leaves().data(), flattener.leaves().size());
  return checked(PyTuple_Pack(2, leaves.ptr(), treedef.ptr()));
}

nb::object flatten(Self self, nb::handle tree, nb::handle is_leaf) {
  Flattener flattener(*self.p, is_leaf, false);
  flattener.visit(nb::borrow(tree));
  return finish_flatten(self, flattener);
}

nb::object flatten_with_path(Self self, nb::handle tree, nb::handle is_leaf) {
  Flattener flattener(*self.p, is_leaf, true);
  flattener.visit(nb::borrow(tree));
  return finish_flatten(self, flattener);
}

nb::object flatten_call(Self self, nb::handle args, nb::handle kwargs) {
  Flattener flattener(*self.p, nb::none(), false);
  flattener.visit_call(args, kwargs);
  return finish_flatten(self, flattener);
}

nb::object leaves(Self self, nb::handle tree, nb::handle is_leaf) {
  Flattener flattener(*self.p, is_leaf, false);
  flattener.visit(nb::borrow(tree));
  return move_to_list(flattener.leaves().data(), flattener.leaves().size());
}

nb::object structure(Self self, nb::handle tree, nb::handle is_leaf) {
  Flattener flattener(*self.p, is_leaf, false);
  flattener.visit(nb::borrow(tree));
  return wrap(PyTreeDef(nb::borrow(self.h), flattener.nodes()));
}

// Appends the leaves of each further tree of a map; a mismatch is explained by the Python side where it can.
void flatten_rest(const PyTreeDef& treedef, nb::handle tree, nb::handle rest, nb::handle is_leaf, nb::handle explain,
                  Objects& leaves) {
  for (nb::handle other : nb::borrow<nb::tuple>(rest)) {
    try {
      treedef.flatten_up_to(other, leaves);
    } catch (nb::python_error& error) {
      if (!error.matches(PyExc_Exception)) throw;
      nb::object better =
          checked(PyObject_CallFunctionObjArgs(explain.ptr(), tree.ptr(), other.ptr(), is_leaf.ptr(), nullptr));
      if (better.is_none()) throw;
      PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(better.ptr())), better.ptr());
      throw nb::python_error();
    }
  }
}

nb::object map(Self self, nb::handle function, nb::handle tree, nb::handle rest, nb::handle is_leaf,
               nb::handle explain) {
  if (!PyTuple_Check(rest.ptr())) raise(PyExc_TypeError, "rest must be a tuple of trees, got %R", rest.ptr());
  Flattener flattener(*self.p, is_leaf, false);
  flattener.visit(nb::borrow(tree));
  PyTreeDef treedef(nb::borrow(self.h), flattener.nodes());
  Objects& leaves = flattener.leaves();
  size_t size = leaves.size(), trees = 1 + static_cast<size_t>(PyTuple_GET_SIZE(rest.ptr()));
  flatten_rest(treedef, tree, rest, is_leaf, explain, leaves);
  SmallVector<PyObject*, 8> arguments;
  Objects results;
  for (size_t i = 0; i < size; ++i) {
    arguments.truncate(0);
    for (size_t k = 0; k < trees; ++k) arguments.emplace_back(leaves[k * size + i].ptr());
    results.emplace_back(checked(PyObject_Vectorcall(function.ptr(), arguments.data(), trees, nullptr)));
  }
  return treedef.unflatten(results.data());
}

bool all_leaves(Self self, nb::handle iterable) {
  nb::object iterator = checked(PyObject_GetIter(iterable.ptr()));
  const Registration* registration;
  while (PyObject* next = PyIter_Next(iterator.ptr())) {
    nb::object item = nb::steal(next);
    if (self.p->classify(next, registration) != Kind::kLeaf) return false;
  }
  if (PyErr_Occurred()) throw nb::python_error();
  return true;
}

nb::object flatten_up_to(const PyTreeDef& self, nb::handle tree) {
  Objects leaves;
  self.flatten_up_to(tree, leaves);
  return move_to_list(leaves.data(), leaves.size());
}

nb::object children(const PyTreeDef& self) {
  Objects result;
  for (PyTreeDef& child : self.children()) result.emplace_back(wrap(std::move(child)));
  return move_to_list(result.data(), result.size());
}

void bind_registry(nb::module_& module) {
  nb::class_<Registry>(module, "PyTreeRegistry", nb::type_slots(registry_slots), nb::is_final(),
                       "The container types that a family of pytree functions knows.")
      .def(
          "__init__",
          [](Registry* self, bool none_is_leaf, nb::object name) {
            new (self) Registry(none_is_leaf, std::move(name));
          },
          nb::arg("none_is_leaf") = false, nb::arg("name") = nb::none())
      .def("flatten", flatten, nb::arg("tree").none(), nb::arg("is_leaf") = nb::none())
      .def("flatten_with_path", flatten_with_path, nb::arg("tree").none(), nb::arg("is_leaf") = nb::none())
      .def("flatten_call", flatten_call)
      .def("leaves", leaves, nb::arg("tree").none(), nb::arg("is_leaf") = nb::none())
      .def("structure", structure, nb::arg("tree").none(), nb::arg("is_leaf") = nb::none())
      .def("map", map, nb::arg("function"), nb::arg("tree").none(), nb::arg("rest"), nb::arg("is_leaf").none(),
           nb::arg("explain").none())
      .def("all_leaves", all_leaves)
      .def("is_node",
           [](const Registry& self, nb::handle type) {
             if (!PyType_Check(type.ptr())) raise(PyExc_TypeError, "expected a type, got %R", type.ptr());
             return self.is_node(reinterpret_cast<PyTypeObject*>(type.ptr()));
           })
      .def(
          "flatten_one_level",
          [](const Registry& self, nb::handle tree) { return flatten_one_level(self, tree, false); },
          nb::arg("tree").none())
      .def(
          "flatten_one_level_with_keys",
          [](const Registry& self, nb::handle tree) { return flatten_one_level(self, tree, true); },
          nb::arg("tree").none())
      .def("register_node", &Registry::register_node, nb::arg("type"), nb::arg("to_iterable"), nb::arg("from_iterable"),
           nb::arg("to_iterable_with_keys") = nb::none())
      .def("register_dataclass_node", &Registry::register_dataclass, nb::arg("type"), nb::arg("data_fields"),
           nb::arg("meta_fields"))
      .def_prop_ro("name", &Registry::name);
}

void bind_treedef(nb::module_& module) {
  auto treedef =
      nb::class_<PyTreeDef>(module, "PyTreeDef", nb::type_slots(treedef_slots), nb::is_final())
          .def_prop_ro("num_leaves", [](const PyTreeDef& self) { return self.root().num_leaves; })
          .def_prop_ro("num_nodes", [](const PyTreeDef& self) { return self.root().num_nodes; })
          .def_prop_ro("registry", &PyTreeDef::registry)
          .def("unflatten", &PyTreeDef::unflatten_iterable)
          .def("flatten_up_to", flatten_up_to, nb::arg("tree").none())
          .def("children", children)
          .def("node_data", &PyTreeDef::node_data)
          .def("compose", [](const PyTreeDef& self, const PyTreeDef& inner) { return wrap(self.compose(inner)); })
          .def("state", &PyTreeDef::state)
          .def_static("from_state", [](nb::handle registry,
                                       nb::handle state) { return wrap(PyTreeDef::from_state(registry, state)); })
          .def_static(
              "from_node_data_and_children",
              [](nb::handle registry, nb::handle node_data, nb::handle children) {
                return wrap(PyTreeDef::from_children(registry, node_data, children));
              },
              nb::arg("registry"), nb::arg("node_data").none(), nb::arg("children"));
  treedef_type = treedef.ptr();
  for (const char* name : {"PyTreeDef", "PyTreeRegistry"}) module.attr(name).attr("__module__") = "sable.tree_util";
}

}  // namespace

nb::object wrap(PyTreeDef&& definition) {
  nb::object instance = nb::inst_alloc(treedef_type);
  new (nb::inst_ptr<PyTreeDef>(instance)) PyTreeDef(std::move(definition));
  nb::inst_mark_ready(instance);
  return instance;
}

const PyTreeDef& unwrap(nb::handle object) {
  if (reinterpret_cast<PyObject*>(Py_TYPE(object.ptr())) == treedef_type && !nb::inst_ready(object)) {
    raise(PyExc_TypeError, "a PyTreeDef is made by flattening a pytree, not by calling the class");
  }
  if (!is_treedef(object.ptr())) raise(PyExc_TypeError, "expected a PyTreeDef, got %R", object.ptr());
  return *nb::inst_ptr<PyTreeDef>(object);
}

void bind_pytree(nb::module_& module) {
  load_key_classes();
  bind_registry(module);
  bind_treedef(module);
  module.def("treedef_tuple", [](nb::handle registry, nb::handle treedefs) {
    return wrap(PyTreeDef::tuple_of(registry, treedefs));
  });
}

}  // namespace sable
