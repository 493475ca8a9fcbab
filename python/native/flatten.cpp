#include <tuple>

#include "pytree.h"

namespace sable {

namespace {

// The key classes are written in Python (sable/_tree_keys.py), once for both implementations. Their instances
// are made here without `__init__`, which takes longer than all the rest: `_value` is a slot.
enum KeyClass { kSequenceKey, kDictKey, kGetAttrKey, kFlattenedIndexKey, kKeyClasses };

struct KeyClasses {
  PyTypeObject* types[kKeyClasses];  // never released
  Py_ssize_t value_offset;
};

KeyClasses key_classes;

nb::object make_key(KeyClass which, PyObject* value) {
  PyTypeObject* type = key_classes.types[which];
  nb::object key = checked(type->tp_alloc(type, 0));
  Py_INCREF(value);
  *reinterpret_cast<PyObject**>(reinterpret_cast<char*>(key.ptr()) + key_classes.value_offset) = value;
  return key;
}

nb::object sequence_key(PyObject*, Py_ssize_t index) {
  return make_key(kSequenceKey, checked(PyLong_FromSsize_t(index)).ptr());
}

nb::object flattened_index_key(PyObject*, Py_ssize_t index) {
  return make_key(kFlattenedIndexKey, checked(PyLong_FromSsize_t(index)).ptr());
}

nb::object dict_key(PyObject* keys, Py_ssize_t index) { return make_key(kDictKey, PyTuple_GET_ITEM(keys, index)); }

nb::object attribute_key(PyObject* names, Py_ssize_t index) {
  return make_key(kGetAttrKey, PyTuple_GET_ITEM(names, index));
}

nb::object given_key(PyObject* pairs, Py_ssize_t index) {
  return nb::borrow(PyTuple_GET_ITEM(PyTuple_GET_ITEM(pairs, index), 0));
}

bool is_pair(PyObject* object) { return PyTuple_CheckExact(object) && PyTuple_GET_SIZE(object) == 2; }

nb::object named_tuple_fields(PyObject* object) {
  nb::object fields = checked(PyObject_GetAttrString(reinterpret_cast<PyObject*>(Py_TYPE(object)), "_fields"));
  fields = checked(PySequence_Tuple(fields.ptr()));
  for (nb::handle field : nb::borrow<nb::tuple>(fields)) {
    if (!PyUnicode_Check(field.ptr())) raise(PyExc_TypeError, "`_fields` must be strings, got %R", fields.ptr());
  }
  if (PyTuple_GET_SIZE(fields.ptr()) < PyTuple_GET_SIZE(object)) {
    raise(PyExc_ValueError, "a named tuple has more elements than `_fields`: %R, %R", fields.ptr(), object);
  }
  return fields;
}

[[noreturn]] void raise_unsortable(nb::python_error& error) {
  if (!error.matches(PyExc_Exception)) throw nb::python_error(std::move(error));
  nb::object cause = checked(PyObject_Str(error.value().ptr()));
  const char* text = PyUnicode_AsUTF8(cause.ptr());
  if (text == nullptr) throw nb::python_error();
  nb::raise_from(error, PyExc_ValueError,
                 "Comparator raised exception while sorting the keys of a dict in a pytree: %s. "
                 "Keys must be comparable with each other, so that the order of leaves is defined.",
                 text);
  throw nb::python_error();
}

void sort_strings(PyObject** items, Py_ssize_t size) {
  for (Py_ssize_t i = 1; i < size; ++i) {
    PyObject* item = items[i];
    Py_ssize_t place = i;
    for (; place > 0 && PyUnicode_Compare(items[place - 1], item) > 0; --place) items[place] = items[place - 1];
    items[place] = item;
  }
}

// The parts of a node, before keys are paired with children.
struct Level {
  nb::object children, data;
  nb::object (*key)(PyObject*, Py_ssize_t) = sequence_key;
  nb::object keys = nb::object();  // what `key` picks from
};

Level dict_level(PyObject* dict) {
  nb::object keys = sorted_keys(dict);
  Objects values;
  for (nb::handle key : nb::borrow<nb::tuple>(keys)) values.emplace_back(checked(PyObject_GetItem(dict, key.ptr())));
  return {move_to_tuple(values.data(), values.size()), keys, dict_key, keys};
}

Level named_tuple_level(PyObject* object, bool with_keys) {
  return {checked(PySequence_List(object)), nb::borrow(reinterpret_cast<PyObject*>(Py_TYPE(object))), attribute_key,
          with_keys ? named_tuple_fields(object) : nb::object()};
}

Level custom_level(const Registration& registration, PyObject* object, bool with_keys) {
  auto [children, data] = call_to_iterable(registration, object, with_keys);
  if (!with_keys) return {std::move(children), std::move(data), flattened_index_key};
  Objects plain;
  for (nb::handle pair : nb::borrow<nb::tuple>(children)) {
    plain.emplace_back(nb::borrow(PyTuple_GET_ITEM(pair.ptr(), 1)));
  }
  return {move_to_tuple(plain.data(), plain.size()), std::move(data), given_key, children};
}

Level split_node(Kind kind, const Registration* registration, PyObject* object, bool with_keys) {
  switch (kind) {
    case Kind::kNone:
      return {checked(PyTuple_New(0)), nb::none()};
    case Kind::kDict:
      return dict_level(object);
    case Kind::kNamedTuple:
      return named_tuple_level(object, with_keys);
    case Kind::kCustom:
      return custom_level(*registration, object, with_keys && !registration->to_iterable_with_keys.is_none());
    case Kind::kDataclass:
      return {attributes(object, registration->data_fields), attributes(object, registration->meta_fields),
              attribute_key, registration->data_fields};
    default:
      return {nb::borrow(object), nb::none()};
  }
}

}  // namespace

void load_key_classes() {
  nb::object module = checked(PyImport_ImportModule("sable.pytree.keys"));
  const char* names[] = {"SequenceKey", "DictKey", "GetAttrKey", "FlattenedIndexKey"};
  for (int i = 0; i < kKeyClasses; ++i) {
    nb::object type = checked(PyObject_GetAttrString(module.ptr(), names[i]));
    nb::object name = checked(PyUnicode_InternFromString("_value"));
    key_classes.value_offset = slot_offset(type.ptr(), name.ptr());
    if (key_classes.value_offset < 0) raise(PyExc_SystemError, "%R has no slot _value", type.ptr());
    key_classes.types[i] = reinterpret_cast<PyTypeObject*>(type.release().ptr());
  }
}

nb::object sorted_keys(PyObject* dict) {
  Py_ssize_t size = PyDict_GET_SIZE(dict);
  nb::object keys = checked(PyTuple_New(size));
  PyObject** items = PySequence_Fast_ITEMS(keys.ptr());
  bool strings = true;
  Py_ssize_t position = 0, count = 0;
  PyObject *key, *value;
  // No Python code runs in this loop: the tuple is filled before anybody can see it.
  while (count < size && PyDict_Next(dict, &position, &key, &value)) {
    strings = strings && PyUnicode_CheckExact(key);
    Py_INCREF(key);
    items[count++] = key;
  }
  if (count != size) raise(PyExc_RuntimeError, "a dict changed its size while it was flattened");
  if (size < 2) return keys;
  constexpr Py_ssize_t kInsertionSortLimit = 16;  // beyond it the general sort is quicker
  if (strings && size <= kInsertionSortLimit) {
    sort_strings(items, size);
    return keys;
  }
  nb::object list = checked(PySequence_List(keys.ptr()));
  if (PyList_Sort(list.ptr()) < 0) {
    nb::python_error error;
    raise_unsortable(error);
  }
  return checked(PyList_AsTuple(list.ptr()));
}

std::pair<nb::object, nb::object> call_to_iterable(const Registration& registration, nb::handle object,
                                                   bool with_keys) {
  const nb::object& function = with_keys ? registration.to_iterable_with_keys : registration.to_iterable;
  nb::object result = checked(PyObject_CallOneArg(function.ptr(), object.ptr()));
  if (!is_pair(result.ptr())) {
    raise(PyExc_ValueError,
          "The to_iterable function for a custom PyTree node should return a (children, aux_data) tuple, got %R; "
          "%R was flattened",
          result.ptr(), registration.type.ptr());
  }
  nb::object iterator = nb::steal(PyObject_GetIter(PyTuple_GET_ITEM(result.ptr(), 0)));
  if (!iterator.is_valid()) {
    if (!PyErr_ExceptionMatches(PyExc_TypeError)) throw nb::python_error();
    PyErr_Clear();
    raise(PyExc_ValueError,
          "The to_iterable function for a custom PyTree node should return a (children, aux_data) tuple "
          "where 'children' is iterable, got %R; %R was flattened",
          result.ptr(), registration.type.ptr());
  }
  nb::object children = PyTuple_CheckExact(PyTuple_GET_ITEM(result.ptr(), 0))
                            ? nb::borrow(PyTuple_GET_ITEM(result.ptr(), 0))
                            : checked(PySequence_Tuple(iterator.ptr()));
  for (Py_ssize_t i = 0; with_keys && i < PyTuple_GET_SIZE(children.ptr()); ++i) {
    PyObject* pair = PyTuple_GET_ITEM(children.ptr(), i);
    if (is_pair(pair)) continue;
    raise(PyExc_ValueError,
          "The to_iterable_with_keys function for a custom PyTree node should return tuples (key, child) as "
          "children; that of %R returned %R",
          registration.type.ptr(), pair);
  }
  return {std::move(children), nb::borrow(PyTuple_GET_ITEM(result.ptr(), 1))};
}

nb::object attributes(PyObject* object, const nb::object& names) {
  Objects values;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names.ptr()); ++i) {
    values.emplace_back(checked(PyObject_GetAttr(object, PyTuple_GET_ITEM(names.ptr(), i))));
  }
  return move_to_tuple(values.data(), values.size());
}

Flattener::Flattener(const Registry& registry, nb::handle is_leaf, bool with_path)
    : registry_(registry), is_leaf_(is_leaf.is_none() ? nb::handle() : is_leaf), with_path_(with_path) {
  if (is_leaf_.is_valid() && !PyCallable_Check(is_leaf_.ptr())) {
    raise(PyExc_TypeError, "is_leaf must be a function or None, got %R", is_leaf_.ptr());
  }
}

bool Flattener::accepted_as_leaf(const nb::object& object) {
  nb::object result;
  if (with_path_) {
    nb::object path = checked(PyTuple_New(static_cast<Py_ssize_t>(path_.size())));
    for (size_t i = 0; i < path_.size(); ++i) PyTuple_SET_ITEM(path.ptr(), i, nb::object(path_[i]).release().ptr());
    result = checked(PyObject_CallFunctionObjArgs(is_leaf_.ptr(), path.ptr(), object.ptr(), nullptr));
  } else {
    result = checked(PyObject_CallOneArg(is_leaf_.ptr(), object.ptr()));
  }
  if (result.ptr() == Py_True) return true;
  if (result.ptr() == Py_False || result.ptr() == Py_None) return false;
  raise(PyExc_ValueError, "is_leaf predicate returned a non-boolean value %R; expected True or False", result.ptr());
}

void Flattener::add_leaf(nb::object object) {
  if (with_path_) {
    nb::object path = checked(PyTuple_New(static_cast<Py_ssize_t>(path_.size())));
    for (size_t i = 0; i < path_.size(); ++i) PyTuple_SET_ITEM(path.ptr(), i, nb::object(path_[i]).release().ptr());
    object = checked(PyTuple_Pack(2, path.ptr(), object.ptr()));
  }
  leaves_.emplace_back(std::move(object));
  nodes_.emplace_back(Node{Kind::kLeaf, 0, 1, 1, nullptr, nb::object()});
}

void Flattener::visit(nb::object object) {
  if (is_leaf_.is_valid() && accepted_as_leaf(object)) return add_leaf(std::move(object));
  PyTypeObject* type = Py_TYPE(object.ptr());
  if (type == last_leaf_type_) return add_leaf(std::move(object));
  const Registration* registration;
  Kind kind = registry_.classify(object.ptr(), registration);
  if (kind != Kind::kLeaf) return visit_node(kind, registration, object);
  last_leaf_type_ = type;  // leaves_ keeps it alive
  add_leaf(std::move(object));
}

void Flattener::visit_node(Kind kind, const Registration* registration, const nb::object& object) {
  RecursionGuard guard(this, " while flattening a pytree: does it contain itself?");
  size_t first_leaf = leaves_.size(), first_node = nodes_.size();
  nb::object data;
  uint32_t arity = 0;
  switch (kind) {
    case Kind::kTuple:
    case Kind::kList:
      arity = visit_sequence(object.ptr(), sequence_key, nullptr);
      break;
    case Kind::kDict:
      data = sorted_keys(object.ptr());
      arity = visit_dict(object.ptr(), data.ptr());
      break;
    case Kind::kNamedTuple: {
      data = nb::borrow(reinterpret_cast<PyObject*>(Py_TYPE(object.ptr())));
      nb::object fields = with_path_ ? named_tuple_fields(object.ptr()) : nb::object();
      arity = visit_sequence(object.ptr(), attribute_key, fields.ptr());
      break;
    }
    case Kind::kCustom:
      arity = visit_custom(*registration, object.ptr(), data);
      break;
    case Kind::kDataclass:
      arity = visit_dataclass(*registration, object.ptr(), data);
      break;
    default:
      break;
  }
  close_node(kind, arity, registration, std::move(data), first_leaf, first_node);
}

void Flattener::close_node(Kind kind, uint32_t arity, const Registration* registration, nb::object data,
                           size_t first_leaf, size_t first_node) {
  if (nodes_.size() >= UINT32_MAX) raise(PyExc_OverflowError, "a pytree of more than 4294967295 nodes");
  auto num_leaves = static_cast<uint32_t>(leaves_.size() - first_leaf);
  auto num_nodes = static_cast<uint32_t>(nodes_.size() - first_node + 1);
  nodes_.emplace_back(Node{kind, arity, num_leaves, num_nodes, registration, std::move(data)});
}

void Flattener::visit_child(nb::object child, nb::object (*key)(PyObject*, Py_ssize_t), PyObject* keys,
                            Py_ssize_t index) {
  if (!with_path_) return visit(std::move(child));
  path_.emplace_back(key(keys, index));
  visit(std::move(child));
  path_.take_back();
}

// `object` is a tuple or a list. A list may change while its elements are flattened, by user code: its size is
// read anew for each, and the node has as many children as were seen.
uint32_t Flattener::visit_sequence(PyObject* object, nb::object (*key)(PyObject*, Py_ssize_t), PyObject* keys) {
  Py_ssize_t i = 0;
  if (PyTuple_Check(object)) {
    for (; i < PyTuple_GET_SIZE(object); ++i) visit_child(nb::borrow(PyTuple_GET_ITEM(object, i)), key, keys, i);
  } else {
    for (; i < PyList_GET_SIZE(object); ++i) visit_child(nb::borrow(PyList_GET_ITEM(object, i)), key, keys, i);
  }
  return static_cast<uint32_t>(i);
}

uint32_t Flattener::visit_dict(PyObject* object, PyObject* keys) {
  Py_ssize_t size = PyTuple_GET_SIZE(keys);
  for (Py_ssize_t i = 0; i < size; ++i) {
    PyObject* key = PyTuple_GET_ITEM(keys, i);
    PyObject* value = PyDict_GetItemWithError(object, key);
    if (value == nullptr) {
      if (PyErr_Occurred()) throw nb::python_error();
      raise(PyExc_RuntimeError, "the dict lost its key %R while it was flattened", key);
    }
    visit_child(nb::borrow(value), dict_key, keys, i);
  }
  return static_cast<uint32_t>(size);
}

uint32_t Flattener::visit_custom(const Registration& registration, PyObject* object, nb::object& data) {
  bool with_keys = with_path_ && !registration.to_iterable_with_keys.is_none();
  auto result = call_to_iterable(registration, object, with_keys);
  PyObject* children = result.first.ptr();
  data = std::move(result.second);
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(children); ++i) {
    PyObject* child = PyTuple_GET_ITEM(children, i);
    if (with_keys) child = PyTuple_GET_ITEM(child, 1);
    visit_child(nb::borrow(child), with_keys ? given_key : flattened_index_key, children, i);
  }
  return static_cast<uint32_t>(PyTuple_GET_SIZE(children));
}

uint32_t Flattener::visit_dataclass(const Registration& registration, PyObject* object, nb::object& data) {
  data = attributes(object, registration.meta_fields);
  PyObject* names = registration.data_fields.ptr();
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); ++i) {
    visit_child(checked(PyObject_GetAttr(object, PyTuple_GET_ITEM(names, i))), attribute_key, names, i);
  }
  return static_cast<uint32_t>(PyTuple_GET_SIZE(names));
}

void Flattener::visit_call(nb::handle args, nb::handle kwargs) {
  if (!PyTuple_CheckExact(args.ptr())) raise(PyExc_TypeError, "args must be a tuple, got %R", args.ptr());
  if (!PyDict_CheckExact(kwargs.ptr())) raise(PyExc_TypeError, "kwargs must be a dict, got %R", kwargs.ptr());
  visit_node(Kind::kTuple, nullptr, nb::borrow(args));
  visit_node(Kind::kDict, nullptr, nb::borrow(kwargs));
  close_node(Kind::kTuple, 2, nullptr, nb::object(), 0, 0);
}

nb::object flatten_one_level(const Registry& registry, nb::handle object, bool with_keys) {
  const Registration* registration;
  Kind kind = registry.classify(object.ptr(), registration);
  if (kind == Kind::kLeaf) return nb::none();
  Level level = split_node(kind, registration, object.ptr(), with_keys);
  if (with_keys) {
    nb::object children = checked(PySequence_Tuple(level.children.ptr()));
    Objects pairs;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(children.ptr()); ++i) {
      nb::object key = level.key(level.keys.ptr(), i);
      pairs.emplace_back(checked(PyTuple_Pack(2, key.ptr(), PyTuple_GET_ITEM(children.ptr(), i))));
    }
    level.children = move_to_tuple(pairs.data(), pairs.size());
  }
  return checked(PyTuple_Pack(2, level.children.ptr(), level.data.ptr()));
}

}  // namespace sable
