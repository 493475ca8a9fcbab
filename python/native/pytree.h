// Pytrees: a registry of container types, and tree definitions made by flattening.
//
// A PyTreeDef is a vector of nodes in post-order (children before their parent, the root last). Each node knows the
// size of its subtree, so the children of a node are found by stepping backwards, and nothing but flattening
// itself needs recursion.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "support.h"

namespace sable {

// The numbers are part of the pickle format.
enum class Kind : uint8_t {
  kLeaf = 0,
  kNone = 1,
  kTuple = 2,
  kList = 3,
  kDict = 4,
  kNamedTuple = 5,
  kCustom = 6,
  kDataclass = 7,
};

// How a registered type is taken apart and put together.
struct Registration {
  Kind kind;
  nb::object type;
  nb::object to_iterable;            // kCustom: object -> (children, auxiliary data)
  nb::object from_iterable;          // kCustom: (auxiliary data, children) -> object
  nb::object to_iterable_with_keys;  // kCustom: object -> ((key, child) pairs, auxiliary data); or None
  nb::object data_fields;            // kDataclass: tuple of attribute names that are children
  nb::object meta_fields;            // kDataclass: tuple of attribute names that are auxiliary data
  nb::object keyword_names;          // kDataclass: both, in the order in which the constructor gets them
};

class Registry {
 public:
  Registry(bool none_is_leaf, nb::object name) : none_is_leaf_(none_is_leaf), name_(std::move(name)) {}

  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // What kind of node the object is; `registration` is set for kCustom and kDataclass.
  Kind classify(PyObject* object, const Registration*& registration) const;
  bool is_node(PyTypeObject* type) const;
  const Registration* find(PyTypeObject* type) const;
  void register_node(nb::handle type, nb::handle to_iterable, nb::handle from_iterable, nb::handle with_keys);
  void register_dataclass(nb::handle type, nb::handle data_fields, nb::handle meta_fields);

  const nb::object& name() const { return name_; }
  int traverse(visitproc visit, void* arg);
  // Drops the functions, which may refer back to the registry; the types stay, for treedefs that name them.
  void clear();

 private:
  void add(std::unique_ptr<Registration> registration);

  bool none_is_leaf_;
  nb::object name_;
  std::unordered_map<PyTypeObject*, std::unique_ptr<Registration>> registrations_;
};

struct Node {
  Kind kind;
  uint32_t arity;
  uint32_t num_leaves;  // of the subtree
  uint32_t num_nodes;   // of the subtree, itself included
  const Registration* registration;
  // kDict: tuple of sorted keys; kNamedTuple: the type; kCustom: auxiliary data; kDataclass: tuple of meta values.
  nb::object data;
};

using Nodes = SmallVector<Node, 16>;

class PyTreeDef {
 public:
  PyTreeDef(nb::object registry, Nodes& nodes);  // moves the nodes out
  PyTreeDef(nb::object registry, std::vector<Node> nodes) : registry_(std::move(registry)), nodes_(std::move(nodes)) {}

  const nb::object& registry() const { return registry_; }
  const std::vector<Node>& nodes() const { return nodes_; }
  const Node& root() const { return nodes_.back(); }

  nb::object unflatten(const nb::object* leaves) const;
  nb::object unflatten_iterable(nb::handle leaves) const;
  // Fills `leaves` (num_leaves of them) with the subtrees of `tree` at this definition's leaves.
  void flatten_up_to(nb::handle tree, Objects& leaves) const;
  bool equal(const PyTreeDef& other) const;
  Py_hash_t hash() const;
  nb::object repr() const;
  nb::object node_data() const;
  std::vector<PyTreeDef> children() const;
  PyTreeDef compose(const PyTreeDef& inner) const;
  nb::object state() const;
  static PyTreeDef from_state(nb::handle registry, nb::handle state);
  static PyTreeDef from_children(nb::handle registry, nb::handle node_data, nb::handle children);
  static PyTreeDef tuple_of(nb::handle registry, nb::handle children);

  int traverse(visitproc visit, void* arg);
  void clear();

 private:
  nb::object registry_;
  std::vector<Node> nodes_;
  mutable Py_hash_t hash_ = -1;  // -1, which no hash is, until it is asked for
};

// The Python object of a tree definition, and back; the latter raises TypeError for anything else.
nb::object wrap(PyTreeDef&& definition);
const PyTreeDef& unwrap(nb::handle object);

// Builds nodes in post-order. Lives on the stack, and measures it.
class Flattener {
 public:
  Flattener(const Registry& registry, nb::handle is_leaf, bool with_path);
  void visit(nb::object object);
  void visit_call(nb::handle args, nb::handle kwargs);
  Objects& leaves() { return leaves_; }
  Nodes& nodes() { return nodes_; }

 private:
  bool accepted_as_leaf(const nb::object& object);
  void add_leaf(nb::object object);
  void visit_node(Kind kind, const Registration* registration, const nb::object& object);
  void visit_child(nb::object child, nb::object (*key)(PyObject*, Py_ssize_t), PyObject* keys, Py_ssize_t index);
  uint32_t visit_sequence(PyObject* object, nb::object (*key)(PyObject*, Py_ssize_t), PyObject* keys);
  uint32_t visit_dict(PyObject* object, PyObject* keys);
  uint32_t visit_custom(const Registration& registration, PyObject* object, nb::object& data);
  uint32_t visit_dataclass(const Registration& registration, PyObject* object, nb::object& data);
  void close_node(Kind kind, uint32_t arity, const Registration* registration, nb::object data, size_t first_leaf,
                  size_t first_node);

  const Registry& registry_;
  nb::handle is_leaf_;  // null without a predicate
  const bool with_path_;
  PyTypeObject* last_leaf_type_ = nullptr;
  Objects leaves_;
  Nodes nodes_;
  Objects path_;
};

// The keys of a dict as a sorted tuple; ValueError where they cannot be compared.
nb::object sorted_keys(PyObject* dict);
// (children, auxiliary data) as a registered function gave them, checked; both new references.
std::pair<nb::object, nb::object> call_to_iterable(const Registration& registration, nb::handle object, bool with_keys);
// The values of a tuple of attributes, as a tuple.
nb::object attributes(PyObject* object, const nb::object& names);
// (children, auxiliary data) of one node, or None for a leaf.
nb::object flatten_one_level(const Registry& registry, nb::handle object, bool with_keys);

// Where instances of a type keep a `__slots__` attribute, or -1 if it is anything but a slot.
Py_ssize_t slot_offset(PyObject* type, PyObject* name);

// To be called once, when the module is loaded: importing later could wait for another thread.
void load_key_classes();

void bind_pytree(nb::module_& module);
void bind_signature(nb::module_& module);
void bind_threefry(nb::module_& module);
void bind_call(nb::module_& module);
void bind_location(nb::module_& module);
void bind_buffer(nb::module_& module);
void bind_kernels(nb::module_& module);
void bind_linear_algebra(nb::module_& module);
void bind_plan(nb::module_& module);
void bind_library(nb::module_& module);

}  // namespace sable
