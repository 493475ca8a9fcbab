#include <algorithm>
#include <iterator>

#include "pytree.h"

namespace sable {

namespace {

uint64_t mix(uint64_t seed, uint64_t value) {
  // splitmix64's finaliser: cheap, and every input bit reaches every output bit.
  uint64_t z = seed * 0x9e3779b97f4a7c15ull + value;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

// Auxiliary data need not be hashable (JAX never hashes it); it is then told apart by comparison alone.
uint64_t data_hash(const Node& node) {
  if (!node.data.is_valid()) return 0;
  Py_hash_t hash = PyObject_Hash(node.data.ptr());
  if (hash != -1) return static_cast<uint64_t>(hash);
  if (!PyErr_ExceptionMatches(PyExc_TypeError)) throw nb::python_error();
  PyErr_Clear();
  return 0;
}

PyObject* registered_type(const Node& node) {
  return node.registration == nullptr ? nullptr : node.registration->type.ptr();
}

nb::object make_dict(PyObject* keys, nb::object* children) {
  nb::object dict = checked(PyDict_New());
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(keys); ++i) {
    check(PyDict_SetItem(dict.ptr(), PyTuple_GET_ITEM(keys, i), children[i].ptr()));
  }
  return dict;
}

nb::object make_dataclass(const Node& node, nb::object* children) {
  const Registration& registration = *node.registration;
  Objects arguments;
  for (uint32_t i = 0; i < node.arity; ++i) arguments.emplace_back(std::move(children[i]));
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(node.data.ptr()); ++i) {
    arguments.emplace_back(nb::borrow(PyTuple_GET_ITEM(node.data.ptr(), i)));
  }
  static_assert(sizeof(nb::object) == sizeof(PyObject*), "an owned reference is a pointer");
  auto* pointers = reinterpret_cast<PyObject* const*>(arguments.data());
  return checked(PyObject_Vectorcall(registration.type.ptr(), pointers, 0, registration.keyword_names.ptr()));
}

// The container of a node; its children are moved out of `children`.
nb::object make_container(const Node& node, nb::object* children) {
  switch (node.kind) {
    case Kind::kTuple:
      return move_to_tuple(children, node.arity);
    case Kind::kList:
      return move_to_list(children, node.arity);
    case Kind::kDict:
      return make_dict(node.data.ptr(), children);
    case Kind::kNamedTuple:
      return checked(PyObject_CallObject(node.data.ptr(), move_to_tuple(children, node.arity).ptr()));
    case Kind::kCustom:
      return checked(PyObject_CallFunctionObjArgs(node.registration->from_iterable.ptr(), node.data.ptr(),
                                                  move_to_tuple(children, node.arity).ptr(), nullptr));
    case Kind::kDataclass:
      return make_dataclass(node, children);
    default:
      return nb::none();
  }
}

[[noreturn]] void raise_too_few(uint32_t expected, Py_ssize_t got) {
  raise(PyExc_ValueError, "Too few leaves for PyTreeDef; expected %u, got %zd", expected, got);
}

nb::object joined(nb::object* pieces, uint32_t count) {
  static PyObject* const comma = PyUnicode_InternFromString(", ");
  return checked(PyUnicode_Join(comma, move_to_list(pieces, count).ptr()));
}

nb::object dict_repr(const Node& node, nb::object* children) {
  Objects items;
  for (uint32_t i = 0; i < node.arity; ++i) {
    items.emplace_back(
        checked(PyUnicode_FromFormat("%R: %U", PyTuple_GET_ITEM(node.data.ptr(), i), children[i].ptr())));
  }
  return checked(PyUnicode_FromFormat("{%U}", joined(items.data(), node.arity).ptr()));
}

nb::object node_repr(const Node& node, nb::object* children) {
  if (node.kind == Kind::kLeaf) return checked(PyUnicode_FromString("*"));
  if (node.kind == Kind::kNone) return checked(PyUnicode_FromString("None"));
  if (node.kind == Kind::kDict) return dict_repr(node, children);
  nb::object inner = joined(children, node.arity);
  if (node.kind == Kind::kTuple) return checked(PyUnicode_FromFormat(node.arity == 1 ? "(%U,)" : "(%U)", inner.ptr()));
  if (node.kind == Kind::kList) return checked(PyUnicode_FromFormat("[%U]", inner.ptr()));
  bool named = node.kind == Kind::kNamedTuple;
  nb::object type_name =
      checked(PyObject_GetAttrString(named ? node.data.ptr() : registered_type(node), "__name__"));
  if (named) {
    return checked(PyUnicode_FromFormat("CustomNode(namedtuple[%S], [%U])", type_name.ptr(), inner.ptr()));
  }
  return checked(
      PyUnicode_FromFormat("CustomNode(%S[%S], [%U])", type_name.ptr(), node.data.ptr(), inner.ptr()));
}

}  // namespace

PyTreeDef::PyTreeDef(nb::object registry, Nodes& nodes)
    : registry_(std::move(registry)),
      nodes_(std::make_move_iterator(nodes.begin()), std::make_move_iterator(nodes.end())) {}

nb::object PyTreeDef::unflatten(const nb::object* leaves) const {
  Objects agenda;
  for (const Node& node : nodes_) {
    if (node.kind == Kind::kLeaf) {
      agenda.emplace_back(*leaves++);
      continue;
    }
    size_t first_child = agenda.size() - node.arity;
    nb::object container = make_container(node, agenda.data() + first_child);
    agenda.truncate(first_child);
    agenda.emplace_back(std::move(container));
  }
  return agenda.take_back();
}

nb::object PyTreeDef::unflatten_iterable(nb::handle leaves) const {
  // A tuple cannot change under the functions that unflattening calls.
  nb::object sequence = checked(PySequence_Tuple(leaves.ptr()));
  Py_ssize_t size = PyTuple_GET_SIZE(sequence.ptr());
  uint32_t expected = root().num_leaves;
  if (size < expected) raise_too_few(expected, size);
  if (size > expected) raise(PyExc_ValueError, "Too many leaves for PyTreeDef; expected %u, got %zd", expected, size);
  auto* tuple = reinterpret_cast<PyTupleObject*>(sequence.ptr());
  return unflatten(reinterpret_cast<const nb::object*>(tuple->ob_item));
}

bool PyTreeDef::equal(const PyTreeDef& other) const {
  if (this == &other) return true;
  if (nodes_.size() != other.nodes_.size() || root().num_leaves != other.root().num_leaves) return false;
  if (hash_ != -1 && other.hash_ != -1 && hash_ != other.hash_) return false;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const Node &a = nodes_[i], &b = other.nodes_[i];
    if (a.kind != b.kind || a.arity != b.arity || registered_type(a) != registered_type(b)) return false;
    if (a.data.ptr() == b.data.ptr()) continue;
    int equal = PyObject_RichCompareBool(a.data.ptr(), b.data.ptr(), Py_EQ);
    if (equal < 0 && PyErr_ExceptionMatches(PyExc_Exception)) {
      nb::python_error cause;
      nb::raise_from(cause, PyExc_ValueError,
                     "Exception raised while checking equality of metadata fields of pytree. These must be hashable and "
                     "compare to True or False: arrays cannot be metadata.");
    }
    check(equal);
    if (!equal) return false;
  }
  return true;
}

Py_hash_t PyTreeDef::hash() const {
  if (hash_ != -1) return hash_;
  uint64_t hash = nodes_.size();
  for (const Node& node : nodes_) {
    hash = mix(hash, (static_cast<uint64_t>(node.arity) << 8) | static_cast<uint64_t>(node.kind));
    if (node.kind < Kind::kDict) continue;
    hash = mix(hash, reinterpret_cast<uintptr_t>(registered_type(node)));
    hash = mix(hash, data_hash(node));
  }
  hash_ = static_cast<Py_hash_t>(hash);
  if (hash_ == -1) hash_ = -2;
  return hash_;
}

nb::object PyTreeDef::repr() const {
  Objects agenda;
  for (const Node& node : nodes_) {
    size_t first_child = agenda.size() - node.arity;
    nb::object text = node_repr(node, agenda.data() + first_child);
    agenda.truncate(first_child);
    agenda.emplace_back(std::move(text));
  }
  return checked(PyUnicode_FromFormat("PyTreeDef(%U)", agenda.back().ptr()));
}

nb::object PyTreeDef::node_data() const {
  const Node& node = root();
  nb::object none = nb::none();
  switch (node.kind) {
    case Kind::kLeaf:
      return none;
    case Kind::kNone:
      return checked(PyTuple_Pack(2, Py_TYPE(Py_None), Py_None));
    case Kind::kTuple:
      return checked(PyTuple_Pack(2, &PyTuple_Type, Py_None));
    case Kind::kList:
      return checked(PyTuple_Pack(2, &PyList_Type, Py_None));
    case Kind::kDict:
      return checked(PyTuple_Pack(2, &PyDict_Type, checked(PySequence_List(node.data.ptr())).ptr()));
    case Kind::kNamedTuple:
      return checked(PyTuple_Pack(2, node.data.ptr(), Py_None));
    default:
      return checked(PyTuple_Pack(2, registered_type(node), node.data.ptr()));
  }
}

std::vector<PyTreeDef> PyTreeDef::children() const {
  std::vector<PyTreeDef> result;
  result.reserve(root().arity);
  // In post-order the subtrees of the children lie one after another in front of the root.
  size_t end = nodes_.size() - 1;
  for (uint32_t i = 0; i < root().arity; ++i) {
    size_t start = end - nodes_[end - 1].num_nodes;
    result.emplace_back(registry_, std::vector<Node>(nodes_.begin() + start, nodes_.begin() + end));
    end = start;
  }
  std::reverse(result.begin(), result.end());
  return result;
}

}  // namespace sable
