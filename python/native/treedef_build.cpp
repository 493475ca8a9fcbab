// Tree definitions against values (flatten_up_to), from parts, and to and from the pickle format.
#include <algorithm>
#include <tuple>

#include "pytree.h"

namespace sable {

namespace {

nb::object key_list(PyObject* dict_or_keys) {
  nb::object keys = checked(PySequence_List(dict_or_keys));
  // The order only serves the message; keys that do not compare are listed as they come.
  if (PyList_Sort(keys.ptr()) < 0) {
    if (!PyErr_ExceptionMatches(PyExc_TypeError)) throw nb::python_error();
    PyErr_Clear();
  }
  return keys;
}

[[noreturn]] void raise_keys_differ(const Node& node, PyObject* dict) {
  raise(PyExc_ValueError, "Dict key mismatch; expected keys: %R; present keys: %R.", key_list(node.data.ptr()).ptr(),
        key_list(dict).ptr());
}

void check_sequence(const Node& node, PyObject* object) {
  bool tuple = node.kind == Kind::kTuple;
  if (tuple ? !PyTuple_CheckExact(object) : !PyList_CheckExact(object)) {
    raise(PyExc_ValueError, "Expected %s, got %R.", tuple ? "tuple" : "list", object);
  }
  Py_ssize_t size = Py_SIZE(object);
  if (size == node.arity) return;
  raise(PyExc_ValueError, "%s arity mismatch: %zd != %u; %s: %R.", tuple ? "Tuple" : "List", size, node.arity,
        tuple ? "tuple" : "list", object);
}

void check_named_tuple(const Node& node, PyObject* object) {
  bool named = PyTuple_Check(object) && PyObject_HasAttrString(object, "_fields");
  if (!named) raise(PyExc_ValueError, "Expected named tuple, got %R.", object);
  if (reinterpret_cast<PyObject*>(Py_TYPE(object)) != node.data.ptr()) {
    raise(PyExc_ValueError, "Named tuple type mismatch: expected type: %R, tuple: %R.", node.data.ptr(), object);
  }
  if (Py_SIZE(object) == node.arity) return;
  raise(PyExc_ValueError, "Named tuple arity mismatch: expected %u elements, got %zd: %R", node.arity,
        Py_SIZE(object), object);
}

void push_elements(const Node& node, PyObject* object, Objects& agenda) {
  PyObject** elements = PySequence_Fast_ITEMS(object);
  for (uint32_t i = 0; i < node.arity; ++i) agenda.emplace_back(nb::borrow(elements[i]));
}

void push_values(const Node& node, PyObject* object, Objects& agenda) {
  if (!PyDict_CheckExact(object)) raise(PyExc_ValueError, "Expected dict, got %R.", object);
  if (PyDict_GET_SIZE(object) != node.arity) raise_keys_differ(node, object);
  for (uint32_t i = 0; i < node.arity; ++i) {
    PyObject* value = PyDict_GetItemWithError(object, PyTuple_GET_ITEM(node.data.ptr(), i));
    if (value == nullptr && PyErr_Occurred()) throw nb::python_error();
    if (value == nullptr) raise_keys_differ(node, object);
    agenda.emplace_back(nb::borrow(value));
  }
}

void push_registered(const Node& node, PyObject* object, Objects& agenda) {
  const Registration& registration = *node.registration;
  bool dataclass = node.kind == Kind::kDataclass;
  const char* what = dataclass ? "dataclass " : "";
  if (reinterpret_cast<PyObject*>(Py_TYPE(object)) != registration.type.ptr()) {
    raise(PyExc_ValueError, "Custom %snode type mismatch: expected %R, got %R", what, registration.type.ptr(), object);
  }
  nb::object children, data;
  if (dataclass) {
    children = attributes(object, registration.data_fields);
    data = attributes(object, registration.meta_fields);
  } else {
    std::tie(children, data) = call_to_iterable(registration, object, false);
  }
  int equal = PyObject_RichCompareBool(node.data.ptr(), data.ptr(), Py_EQ);
  check(equal);
  if (!equal) {
    raise(PyExc_ValueError, "Mismatch custom %snode data: expected %R, got %R; value: %R", what, node.data.ptr(),
          data.ptr(), object);
  }
  Py_ssize_t size = PyTuple_GET_SIZE(children.ptr());
  if (size != node.arity) {
    raise(PyExc_ValueError, "Custom type arity mismatch: expected %u children, got %zd; value: %R", node.arity, size,
          object);
  }
  push_elements(node, children.ptr(), agenda);
}

void push_children(const Node& node, PyObject* object, Objects& agenda) {
  switch (node.kind) {
    case Kind::kNone:
      if (object == Py_None) return;
      raise(PyExc_ValueError,
            "Expected None, got %R. None is a pytree node without children and a prefix of nothing but None; to "
            "treat it as a leaf, pass is_leaf=lambda x: x is None.",
            object);
    case Kind::kTuple:
    case Kind::kList:
      check_sequence(node, object);
      return push_elements(node, object, agenda);
    case Kind::kNamedTuple:
      check_named_tuple(node, object);
      return push_elements(node, object, agenda);
    case Kind::kDict:
      return push_values(node, object, agenda);
    default:
      return push_registered(node, object, agenda);
  }
}

uint64_t natural_number(PyObject* number, const char* what) {
  size_t value = PyLong_Check(number) ? PyLong_AsSize_t(number) : 0;
  if (PyLong_Check(number) && !PyErr_Occurred()) return value;
  PyErr_Clear();  // of an int out of range
  raise(PyExc_ValueError, "the %s of a pytree node is a natural number, got %R", what, number);
}

// Appends nodes given in post-order and works out the sizes of their subtrees.
class TreeBuilder {
 public:
  explicit TreeBuilder(nb::handle registry) : registry_(nb::borrow(registry)) {
    native_ = &nb::cast<Registry&>(registry);
  }

  const Registry& native() const { return *native_; }

  void append_tree(const PyTreeDef& tree) {
    if (!tree.registry().is(registry_)) raise(PyExc_ValueError, "the pytrees belong to different registries");
    nodes_.insert(nodes_.end(), tree.nodes().begin(), tree.nodes().end());
    roots_.push_back(nodes_.size() - 1);
  }

  void append(Kind kind, uint64_t arity, const Registration* registration, nb::object data) {
    if (arity > roots_.size()) raise(PyExc_ValueError, "a pytree node lacks children");
    uint64_t num_leaves = kind == Kind::kLeaf ? 1 : 0, num_nodes = 1;
    for (size_t i = roots_.size() - arity; i < roots_.size(); ++i) {
      num_leaves += nodes_[roots_[i]].num_leaves;
      num_nodes += nodes_[roots_[i]].num_nodes;
    }
    if (num_nodes > UINT32_MAX) raise(PyExc_OverflowError, "a pytree of more than 4294967295 nodes");
    roots_.resize(roots_.size() - arity);
    nodes_.push_back(Node{kind, static_cast<uint32_t>(arity), static_cast<uint32_t>(num_leaves),
                          static_cast<uint32_t>(num_nodes), registration, std::move(data)});
    roots_.push_back(nodes_.size() - 1);
  }

  // A node of a kind that may come from outside: everything that later code relies on is checked.
  void append_checked(Kind kind, uint64_t arity, nb::object data, nb::handle type) {
    const Registration* registration = nullptr;
    bool childless = kind == Kind::kLeaf || kind == Kind::kNone;
    bool keyed = kind == Kind::kDict || kind == Kind::kDataclass;
    if (childless && arity != 0) raise(PyExc_ValueError, "a pytree leaf or None has no children");
    if (keyed && !PyTuple_CheckExact(data.ptr())) raise(PyExc_ValueError, "expected a tuple, got %R", data.ptr());
    if (kind == Kind::kDict && PyTuple_GET_SIZE(data.ptr()) != static_cast<Py_ssize_t>(arity)) {
      raise(PyExc_ValueError, "a dict node needs as many keys as children, got %R", data.ptr());
    }
    if (kind == Kind::kNamedTuple &&
        !(PyType_Check(data.ptr()) &&
          PyType_IsSubtype(reinterpret_cast<PyTypeObject*>(data.ptr()), &PyTuple_Type))) {
      raise(PyExc_ValueError, "expected a named tuple type, got %R", data.ptr());
    }
    if (kind == Kind::kCustom || kind == Kind::kDataclass) {
      registration = native_->find(reinterpret_cast<PyTypeObject*>(type.ptr()));
      if (registration == nullptr || registration->kind != kind) {
        raise(PyExc_ValueError, "%R is not registered as such a pytree node", type.ptr());
      }
    }
    if (kind == Kind::kDataclass) {
      Py_ssize_t data_fields = PyTuple_GET_SIZE(registration->data_fields.ptr());
      Py_ssize_t meta_fields = PyTuple_GET_SIZE(registration->meta_fields.ptr());
      if (data_fields != static_cast<Py_ssize_t>(arity) || meta_fields != PyTuple_GET_SIZE(data.ptr())) {
        raise(PyExc_ValueError, "the number of fields of %R has changed", type.ptr());
      }
    }
    append(kind, arity, registration, kind < Kind::kDict ? nb::object() : std::move(data));
  }

  PyTreeDef finish() {
    if (roots_.size() != 1) raise(PyExc_ValueError, "the nodes do not make one pytree");
    return PyTreeDef(std::move(registry_), std::move(nodes_));
  }

 private:
  nb::object registry_;
  const Registry* native_;
  std::vector<Node> nodes_;
  std::vector<size_t> roots_;  // indices of the nodes that have no parent yet
};

}  // namespace

void PyTreeDef::flatten_up_to(nb::handle tree, Objects& leaves) const {
  size_t first = leaves.size();
  Objects agenda;
  agenda.emplace_back(nb::borrow(tree));
  for (size_t i = nodes_.size(); i-- > 0;) {
    nb::object object = agenda.take_back();
    if (nodes_[i].kind == Kind::kLeaf) {
      leaves.emplace_back(std::move(object));
    } else {
      push_children(nodes_[i], object.ptr(), agenda);
    }
  }
  std::reverse(leaves.begin() + first, leaves.end());
}

PyTreeDef PyTreeDef::compose(const PyTreeDef& inner) const {
  TreeBuilder builder(registry_);
  for (const Node& node : nodes_) {
    if (node.kind == Kind::kLeaf) {
      builder.append_tree(inner);
    } else {
      builder.append(node.kind, node.arity, node.registration, node.data);
    }
  }
  return builder.finish();
}

PyTreeDef PyTreeDef::tuple_of(nb::handle registry, nb::handle children) {
  TreeBuilder builder(registry);
  nb::object sequence = checked(PySequence_Tuple(children.ptr()));
  for (nb::handle child : nb::borrow<nb::tuple>(sequence)) builder.append_tree(unwrap(child));
  builder.append(Kind::kTuple, static_cast<uint64_t>(PyTuple_GET_SIZE(sequence.ptr())), nullptr, nb::object());
  return builder.finish();
}

PyTreeDef PyTreeDef::from_children(nb::handle registry, nb::handle node_data, nb::handle children) {
  TreeBuilder builder(registry);
  nb::object sequence = checked(PySequence_Tuple(children.ptr()));
  for (nb::handle child : nb::borrow<nb::tuple>(sequence)) builder.append_tree(unwrap(child));
  auto arity = static_cast<uint64_t>(PyTuple_GET_SIZE(sequence.ptr()));
  if (node_data.is_none()) {
    builder.append_checked(Kind::kLeaf, arity, nb::object(), nb::handle());
    return builder.finish();
  }
  if (!PyTuple_CheckExact(node_data.ptr()) || PyTuple_GET_SIZE(node_data.ptr()) != 2 ||
      !PyType_Check(PyTuple_GET_ITEM(node_data.ptr(), 0))) {
    raise(PyExc_TypeError, "node_data must be None or a tuple (type, data), got %R", node_data.ptr());
  }
  PyObject* type = PyTuple_GET_ITEM(node_data.ptr(), 0);
  nb::object data = nb::borrow(PyTuple_GET_ITEM(node_data.ptr(), 1));
  auto* as_type = reinterpret_cast<PyTypeObject*>(type);
  const Registration* registration = builder.native().find(as_type);
  Kind kind = Kind::kNamedTuple;
  if (as_type == Py_TYPE(Py_None)) kind = Kind::kNone;
  if (as_type == &PyTuple_Type) kind = Kind::kTuple;
  if (as_type == &PyList_Type) kind = Kind::kList;
  if (as_type == &PyDict_Type) kind = Kind::kDict;
  if (registration != nullptr) kind = registration->kind;
  if (kind == Kind::kDict) data = checked(PySequence_Tuple(data.ptr()));
  if (kind == Kind::kNamedTuple) data = nb::borrow(type);
  builder.append_checked(kind, arity, std::move(data), type);
  return builder.finish();
}

nb::object PyTreeDef::state() const {
  Objects entries;
  for (const Node& node : nodes_) {
    PyObject* data = node.data.is_valid() ? node.data.ptr() : Py_None;
    PyObject* type = node.registration != nullptr ? node.registration->type.ptr() : Py_None;
    nb::object kind = checked(PyLong_FromLong(static_cast<long>(node.kind)));
    nb::object arity = checked(PyLong_FromUnsignedLong(node.arity));
    entries.emplace_back(checked(PyTuple_Pack(4, kind.ptr(), arity.ptr(), data, type)));
  }
  return move_to_tuple(entries.data(), entries.size());
}

PyTreeDef PyTreeDef::from_state(nb::handle registry, nb::handle state) {
  TreeBuilder builder(registry);
  nb::object entries = checked(PySequence_Tuple(state.ptr()));
  for (nb::handle entry : nb::borrow<nb::tuple>(entries)) {
    if (!PyTuple_CheckExact(entry.ptr()) || PyTuple_GET_SIZE(entry.ptr()) != 4) {
      raise(PyExc_ValueError, "expected (kind, arity, data, type) of a pytree node, got %R", entry.ptr());
    }
    uint64_t kind = natural_number(PyTuple_GET_ITEM(entry.ptr(), 0), "kind");
    uint64_t arity = natural_number(PyTuple_GET_ITEM(entry.ptr(), 1), "arity");
    if (kind > static_cast<uint64_t>(Kind::kDataclass)) {
      raise(PyExc_ValueError, "unknown kind of pytree node: %R", PyTuple_GET_ITEM(entry.ptr(), 0));
    }
    builder.append_checked(static_cast<Kind>(kind), arity, nb::borrow(PyTuple_GET_ITEM(entry.ptr(), 2)),
                           PyTuple_GET_ITEM(entry.ptr(), 3));
  }
  return builder.finish();
}

int PyTreeDef::traverse(visitproc visit, void* arg) {
  Py_VISIT(registry_.ptr());
  for (const Node& node : nodes_) Py_VISIT(node.data.ptr());
  return 0;
}

void PyTreeDef::clear() {
  // The registry stays (its own clear breaks cycles through it) and so does a valid tree, a leaf.
  std::vector<Node> nodes;
  nodes.push_back(Node{Kind::kLeaf, 0, 1, 1, nullptr, nb::object()});
  nodes_.swap(nodes);
  hash_ = -1;
}

}  // namespace sable
