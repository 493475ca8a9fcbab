// Library functions: callables which, outside of traces, look up a plan by the abstract values and plain arguments of
// the call and run it; everything else is the Python function's work.
#include "plan.h"

// Not self-contained: after the header that includes Python.h.
#include <structmember.h>

#include <memory>
#include <unordered_map>

namespace sable {

namespace {

constexpr size_t kEntries = 2048;  // of one function under one configuration, at most
constexpr Py_ssize_t kParts = 256; // of a list or tuple: long lists of numbers are nothing to look a plan up by
constexpr size_t kDepth = 8;       // of nested lists and tuples among the arguments
constexpr int kCalls = 3;          // before a plan is made: tracing costs as much as some twenty calls

// What all library functions share: the classes they know and where they ask whether they may act.
struct Environment {
  std::unique_ptr<ArrayLayout> array;
  PyObject* array_type = nullptr;
  PyObject* state = nullptr;           // the thread's state: `staged`
  PyObject* config = nullptr;          // `eager_key`
  std::vector<std::pair<PyTypeObject*, Py_ssize_t>> wrappers;  // classes that hold one array (typed random keys), in a slot
  PyTypeObject* enumeration = nullptr; // enum.Enum: instances are known by their identity
  PyObject* make_plan = nullptr;       // (function, args, kwargs, result) -> Plan or None
  PyObject* watched = nullptr;         // (function, args, kwargs): the call, where the configuration has ops watched
};

Environment environment;

// The array that an object of a wrapper class holds, where `found`.
struct Held {
  bool found;
  PyObject* array;
};

Held held_by(PyObject* x) {
  for (auto [type, slot] : environment.wrappers) {
    if (type == Py_TYPE(x)) return {true, ArrayLayout::at(x, slot)};
  }
  return {false, nullptr};
}

PyObject* interned(const char* text) { return PyUnicode_InternFromString(text); }

// The one object that stands for all texts of these characters, for as long as somebody holds it.
nb::object interned(PyObject* text) {
  PyObject* one = Py_NewRef(text);
  PyUnicode_InternInPlace(&one);
  return nb::steal(one);
}

// ---- keys ----------------------------------------------------------------------------------------------------

using Word = uintptr_t;
using Words = SmallVector<Word, 24>;

struct Tag {
  enum : Word { kArray = 1, kScalar, kInteger, kFloat, kComplex, kObject, kText, kTuple, kList, kSlice, kWrapper, kKeyword };
};

// The arguments of a call, taken apart: what decides the plan, and the leaves that the plan works on.
class Signature {
 public:
  // False where the call has to go the general way; with or without a Python error.
  bool read(PyObject* const* args, Py_ssize_t count, PyObject* kwnames, const std::vector<bool>& operands,
            PyObject* operand_names) {
    for (Py_ssize_t i = 0; i < count; ++i) {
      bool is_operand = static_cast<size_t>(i) < operands.size() && operands[static_cast<size_t>(i)];
      if (!read_part(args[i], is_operand, 0)) return false;
    }
    Py_ssize_t named = kwnames == nullptr ? 0 : PyTuple_GET_SIZE(kwnames);
    for (Py_ssize_t i = 0; i < named; ++i) {
      PyObject* name = PyTuple_GET_ITEM(kwnames, i);
      push(Tag::kKeyword, reinterpret_cast<Word>(name));
      int is_operand = operand_names == nullptr ? 0 : PySequence_Contains(operand_names, name);
      if (is_operand < 0 || !read_part(args[count + i], is_operand == 1, 0)) return false;
    }
    return arrays_ > 0;
  }

  size_t hash() {
    uint64_t h = 0xcbf29ce484222325u;
    for (Word w : words_) h = (h ^ w) * 0x9E3779B97F4A7C15u, h ^= h >> 29;
    return static_cast<size_t>(h);
  }
  Words& words() { return words_; }
  SmallVector<PyObject*, 8>& leaves() { return leaves_; }

 private:
  void push(Word tag, Word word) {
    words_.emplace_back(tag);
    words_.emplace_back(word);
  }

  bool read_part(PyObject* x, bool is_operand, size_t depth) {
    PyTypeObject* type = Py_TYPE(x);
    if (type == environment.array->type) return read_array(x);
    if (is_operand && read_operand(x, type)) return true;
    if (x == Py_None || x == Py_True || x == Py_False || x == Py_Ellipsis) {
      push(Tag::kObject, reinterpret_cast<Word>(x));
      return true;
    }
    if (type == &PyLong_Type) return read_integer(x);
    if (type == &PyFloat_Type) {
      push(Tag::kFloat, bits_of(PyFloat_AS_DOUBLE(x)));
      return true;
    }
    if (type == &PyTuple_Type || type == &PyList_Type) return read_sequence(x, type == &PyTuple_Type, depth);
    return read_rest(x, type);
  }

  bool read_array(PyObject* x) {
    const ArrayLayout& layout = *environment.array;
    if (ArrayLayout::at(x, layout.device) != Py_None || ArrayLayout::at(x, layout.committed) != Py_False) return false;
    push(Tag::kArray, reinterpret_cast<Word>(ArrayLayout::at(x, layout.aval)));
    leaves_.emplace_back(x);
    ++arrays_;
    return true;
  }

  // A Python scalar whose value the plan does not depend on.
  bool read_operand(PyObject* x, PyTypeObject* type) {
    if (type != &PyLong_Type && type != &PyFloat_Type && type != &PyBool_Type && type != &PyComplex_Type) return false;
    bool negative = false;  // unsigned operands have range errors
    if (type == &PyLong_Type) {
      // an int of more than 31 bits may be out of range: its value counts, and the general way judges it
      int overflow = 0;
      long value = PyLong_AsLongAndOverflow(x, &overflow);
      if (overflow != 0 || value != static_cast<int32_t>(value)) return false;
      negative = value < 0;
    }
    push(Tag::kScalar, reinterpret_cast<Word>(type) | (negative ? 1 : 0));
    leaves_.emplace_back(x);
    return true;
  }

  bool read_integer(PyObject* x) {
    int overflow = 0;
    long long value = PyLong_AsLongLongAndOverflow(x, &overflow);
    push(Tag::kInteger, static_cast<Word>(value));
    return overflow == 0;
  }

  static Word bits_of(double value) {  // 0.0 is not -0.0
    Word word = 0;
    std::memcpy(&word, &value, sizeof word);
    return word;
  }

  bool read_sequence(PyObject* x, bool is_tuple, size_t depth) {
    Py_ssize_t size = PySequence_Fast_GET_SIZE(x);
    if (depth >= kDepth || size > kParts) return false;
    push(is_tuple ? Tag::kTuple : Tag::kList, static_cast<Word>(size));
    for (Py_ssize_t i = 0; i < size; ++i) {
      if (!read_part(PySequence_Fast_GET_ITEM(x, i), false, depth + 1)) return false;
    }
    return true;
  }

  // Bounds are None or integers: other bounds are the general way's business.
  bool read_slice(PyObject* x) {
    const auto* slice = reinterpret_cast<PySliceObject*>(x);
    push(Tag::kSlice, 0);
    for (PyObject* bound : {slice->start, slice->stop, slice->step}) {
      if (bound != Py_None && Py_TYPE(bound) != &PyLong_Type) return false;
      if (!read_part(bound, false, kDepth)) return false;
    }
    return true;
  }

  bool read_rest(PyObject* x, PyTypeObject* type) {
    if (type == &PySlice_Type) return read_slice(x);
    if (auto [found, held] = held_by(x); found) {
      push(Tag::kWrapper, reinterpret_cast<Word>(type));
      return held != nullptr && Py_TYPE(held) == environment.array->type && read_array(held);
    }
    if (type == &PyUnicode_Type) {
      push(Tag::kText, reinterpret_cast<Word>(interned(x).ptr()));
      return true;
    }
    if (type == &PyComplex_Type) {
      Py_complex value = PyComplex_AsCComplex(x);
      push(Tag::kComplex, bits_of(value.real));
      words_.emplace_back(bits_of(value.imag));
      return true;
    }
    push(Tag::kObject, reinterpret_cast<Word>(x));
    if (PyType_Check(x) || PyArray_DescrCheck(x)) return true;
    return PyType_IsSubtype(type, environment.enumeration) != 0;
  }

  Words words_;
  SmallVector<PyObject*, 8> leaves_;
  size_t arrays_ = 0;
};

// ---- tables --------------------------------------------------------------------------------------------------

struct Entry {
  std::vector<Word> words;
  int calls = 0;          // so far without a plan; -1: there will be none
  nb::object plan = nb::none();
  std::vector<nb::object> held;  // the objects whose addresses are in `words`
};

// A function's plans under one configuration.
struct Table {
  std::unordered_multimap<size_t, std::shared_ptr<Entry>> entries;

  std::shared_ptr<Entry> find(Words& words, size_t hash) const {
    auto [first, last] = entries.equal_range(hash);
    for (; first != last; ++first) {
      const std::vector<Word>& own = first->second->words;
      if (own.size() == words.size() && std::equal(own.begin(), own.end(), words.begin())) return first->second;
    }
    return nullptr;
  }
};

using Tables = std::unordered_map<PyObject*, std::shared_ptr<Table>>;

struct LibraryFunction {
  PyObject_HEAD
  vectorcallfunc vectorcall;
  PyObject* dict;
  PyObject* weak_references;
  PyObject* function;
  PyObject* operand_names;
  PyObject* key;                    // the configuration of `current`; borrowed
  std::vector<bool>* operands;      // which positional parameters are
  std::shared_ptr<Table>* current;
  Tables* tables;
};

LibraryFunction* as_function(PyObject* self) { return reinterpret_cast<LibraryFunction*>(self); }

// True outside of staged traces; nothing is evaluated inside of one.
bool is_eager() {
  static PyObject* const name = interned("staged");
  nb::object staged = checked(PyObject_GetAttr(environment.state, name));
  return staged.is_none();
}

// None where an option is on that every op has to heed.
nb::object configuration() {
  static PyObject* const name = interned("eager_key");
  return checked(PyObject_GetAttr(environment.config, name));
}

// The function's plans under a configuration, whose keys live for ever and are one object if they are equal.
std::shared_ptr<Table> table_of(LibraryFunction* self, PyObject* key) {
  if (key == self->key) return *self->current;
  std::shared_ptr<Table>& found = (*self->tables)[key];
  if (found == nullptr) found = std::make_shared<Table>();
  self->key = key;
  *self->current = found;
  return found;
}

// Objects that a signature's words point to, so that no other object gets their addresses.
void hold(PyObject* x, std::vector<nb::object>& held) {
  PyTypeObject* type = Py_TYPE(x);
  if (type == environment.array->type) {
    held.push_back(nb::borrow(ArrayLayout::at(x, environment.array->aval)));
  } else if (auto [found, array] = held_by(x); found) {
    hold(array, held);
  } else if (type == &PyTuple_Type || type == &PyList_Type) {
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(x); ++i) hold(PySequence_Fast_GET_ITEM(x, i), held);
  } else {
    held.push_back(type == &PyUnicode_Type ? interned(x) : nb::borrow(x));
  }
}

nb::object general(LibraryFunction* self, PyObject* const* args, size_t flags, PyObject* kwnames) {
  return checked(PyObject_Vectorcall(self->function, args, flags, kwnames));
}

// function(object, positional arguments as a tuple, named ones as a dict[, result])
nb::object call_with(PyObject* function, PyObject* object, PyObject* const* args, Py_ssize_t count, PyObject* kwnames,
                     PyObject* result = nullptr) {
  nb::object positional = checked(PyTuple_New(count)), named = checked(PyDict_New());
  for (Py_ssize_t i = 0; i < count; ++i) PyTuple_SET_ITEM(positional.ptr(), i, Py_NewRef(args[i]));
  for (Py_ssize_t i = 0; kwnames != nullptr && i < PyTuple_GET_SIZE(kwnames); ++i) {
    check(PyDict_SetItem(named.ptr(), PyTuple_GET_ITEM(kwnames, i), args[count + i]));
  }
  return checked(PyObject_CallFunctionObjArgs(function, object, positional.ptr(), named.ptr(), result, nullptr));
}

// A call for which there is no plan yet: it goes the general way, and is counted.
nb::object first_calls(LibraryFunction* self, const std::shared_ptr<Table>& table, Signature& signature, size_t hash,
                       PyObject* const* args, size_t flags, PyObject* kwnames) {
  Py_ssize_t count = PyVectorcall_NARGS(flags);
  nb::object made = general(self, args, flags, kwnames);
  std::shared_ptr<Entry> entry = table->find(signature.words(), hash);
  if (entry == nullptr) {
    entry = std::make_shared<Entry>();
    entry->words.assign(signature.words().begin(), signature.words().end());
    Py_ssize_t named = kwnames == nullptr ? 0 : PyTuple_GET_SIZE(kwnames);
    for (Py_ssize_t i = 0; i < count + named; ++i) hold(args[i], entry->held);
    for (Py_ssize_t i = 0; i < named; ++i) entry->held.push_back(nb::borrow(PyTuple_GET_ITEM(kwnames, i)));
    if (table->entries.size() >= kEntries) table->entries.clear();
    table->entries.emplace(hash, entry);
  }
  if (entry->calls < 0 || !entry->plan.is_none() || ++entry->calls < kCalls) return made;
  entry->calls = -1;  // also where planning fails: an error is raised once
  entry->plan = call_with(environment.make_plan, reinterpret_cast<PyObject*>(self), args, count, kwnames, made.ptr());
  return made;
}

nb::object call(LibraryFunction* self, PyObject* const* args, size_t flags, PyObject* kwnames) {
  Signature signature;
  if (!signature.read(args, PyVectorcall_NARGS(flags), kwnames, *self->operands, self->operand_names)) {
    if (PyErr_Occurred()) throw nb::python_error();
    return general(self, args, flags, kwnames);
  }
  if (!is_eager()) return general(self, args, flags, kwnames);
  nb::object key = configuration();
  if (key.is_none()) {
    return call_with(environment.watched, self->function, args, PyVectorcall_NARGS(flags), kwnames);
  }
  std::shared_ptr<Table> table = table_of(self, key.ptr());
  size_t hash = signature.hash();
  std::shared_ptr<Entry> entry = table->find(signature.words(), hash);
  if (entry == nullptr || (entry->plan.is_none() && entry->calls >= 0)) {
    return first_calls(self, table, signature, hash, args, flags, kwnames);
  }
  nb::object plan = entry->plan;
  if (plan.is_none()) return general(self, args, flags, kwnames);
  return checked(nb::inst_ptr<Plan>(plan)->run(signature.leaves().data()));
}

PyObject* vectorcall(PyObject* self, PyObject* const* args, size_t flags, PyObject* kwnames) {
  try {
    return call(as_function(self), args, flags, kwnames).release().ptr();
  } catch (nb::python_error& error) {
    error.restore();
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  }
  return nullptr;
}

// ---- the type ------------------------------------------------------------------------------------------------

PyObject* new_function(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  static const char* names[] = {"function", "operands", nullptr};
  PyObject *function, *operands;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO!", const_cast<char**>(names), &function, &PyTuple_Type,
                                   &operands)) {
    return nullptr;
  }
  // operands: a pair of a tuple of truth values, by position, and a tuple of names
  PyObject *by_position, *by_name;
  if (!PyArg_ParseTuple(operands, "O!O!", &PyTuple_Type, &by_position, &PyTuple_Type, &by_name)) return nullptr;
  // Before Python 3.12 classes derived in Python do not inherit the way of calling.
  if (type->tp_call == PyVectorcall_Call) type->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL;
  auto* self = as_function(type->tp_alloc(type, 0));
  if (self == nullptr) return nullptr;
  self->vectorcall = vectorcall;
  self->function = Py_NewRef(function);
  self->operand_names = Py_NewRef(by_name);
  self->operands = new std::vector<bool>;
  self->current = new std::shared_ptr<Table>;
  self->tables = new Tables;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(by_position); ++i) {
    self->operands->push_back(PyTuple_GET_ITEM(by_position, i) == Py_True);
  }
  return reinterpret_cast<PyObject*>(self);
}

int traverse_function(PyObject* object, visitproc visit, void* arg) {
  LibraryFunction* self = as_function(object);
  Py_VISIT(Py_TYPE(object));
  Py_VISIT(self->dict);
  Py_VISIT(self->function);
  Py_VISIT(self->operand_names);
  if (self->tables == nullptr) return 0;
  for (auto& [key, table] : *self->tables) {
    for (auto& [hash, entry] : table->entries) {
      if (entry.use_count() > 1) continue;  // in use by a running call, which holds references of its own
      Py_VISIT(entry->plan.ptr());
      for (nb::object& held : entry->held) Py_VISIT(held.ptr());
    }
  }
  return 0;
}

int clear_function(PyObject* object) {
  LibraryFunction* self = as_function(object);
  Py_CLEAR(self->dict);
  Py_CLEAR(self->function);
  Py_CLEAR(self->operand_names);
  self->key = nullptr;
  if (self->current != nullptr) self->current->reset();
  if (self->tables != nullptr) {
    auto tables = std::move(*self->tables);
    self->tables->clear();
  }
  return 0;
}

void free_function(PyObject* object) {
  LibraryFunction* self = as_function(object);
  PyTypeObject* type = Py_TYPE(object);
  PyObject_GC_UnTrack(object);
  if (self->weak_references != nullptr) PyObject_ClearWeakRefs(object);
  clear_function(object);
  delete self->operands;
  delete self->current;
  delete self->tables;
  type->tp_free(object);
  Py_DECREF(type);
}

PyObject* bind_to(PyObject* self, PyObject* instance, PyObject*) {
  return instance == nullptr || instance == Py_None ? Py_NewRef(self) : PyMethod_New(self, instance);
}

PyObject* shown(PyObject* self) {
  nb::object module = nb::getattr(nb::handle(self), "__module__", nb::str("?"));
  nb::object name = nb::getattr(nb::handle(self), "__qualname__", nb::str("?"));
  return PyUnicode_FromFormat("<library function %U.%U>", module.ptr(), name.ptr());
}

PyObject* reduced(PyObject* self, PyObject*) { return PyObject_GetAttrString(self, "__qualname__"); }

PyObject* forget(PyObject* self, PyObject*) {
  as_function(self)->tables->clear();
  as_function(self)->current->reset();
  as_function(self)->key = nullptr;
  Py_RETURN_NONE;
}

// How many plans there are, and calls that will have none.
PyObject* counts(PyObject* self, PyObject*) {
  Py_ssize_t plans = 0, refused = 0;
  for (auto& [key, table] : *as_function(self)->tables) {
    for (auto& [hash, entry] : table->entries) {
      plans += !entry->plan.is_none();
      refused += entry->plan.is_none() && entry->calls < 0;
    }
  }
  return Py_BuildValue("(nn)", plans, refused);
}

PyMethodDef function_methods[] = {
    {"__reduce__", reduced, METH_NOARGS, "Pickled by name."},
    {"clear_plans", forget, METH_NOARGS, "Forget all plans."},
    {"plan_counts", counts, METH_NOARGS, "(plans, signatures that will have none)."},
    {nullptr, nullptr, 0, nullptr}};

PyMemberDef function_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(LibraryFunction, vectorcall), READONLY, nullptr},
    {"__dictoffset__", T_PYSSIZET, offsetof(LibraryFunction, dict), READONLY, nullptr},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(LibraryFunction, weak_references), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr}};

PyGetSetDef function_attributes[] = {{"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, nullptr, nullptr},
                                     {nullptr, nullptr, nullptr, nullptr, nullptr}};

PyType_Slot function_slots[] = {{Py_tp_new, reinterpret_cast<void*>(new_function)},
                                {Py_tp_dealloc, reinterpret_cast<void*>(free_function)},
                                {Py_tp_traverse, reinterpret_cast<void*>(traverse_function)},
                                {Py_tp_clear, reinterpret_cast<void*>(clear_function)},
                                {Py_tp_call, reinterpret_cast<void*>(PyVectorcall_Call)},
                                {Py_tp_descr_get, reinterpret_cast<void*>(bind_to)},
                                {Py_tp_repr, reinterpret_cast<void*>(shown)},
                                {Py_tp_methods, function_methods},
                                {Py_tp_members, function_members},
                                {Py_tp_getset, function_attributes},
                                {0, nullptr}};

PyType_Spec function_spec = {"sable._native.LibraryFunction", sizeof(LibraryFunction), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL |
                                 Py_TPFLAGS_METHOD_DESCRIPTOR,
                             function_slots};

void set_up(nb::handle array_type, nb::handle state, nb::handle config, nb::handle enumeration, nb::handle make_plan,
            nb::handle watched) {
  environment.array = std::make_unique<ArrayLayout>(array_type);
  Py_XSETREF(environment.array_type, Py_NewRef(array_type.ptr()));
  Py_XSETREF(environment.state, Py_NewRef(state.ptr()));
  Py_XSETREF(environment.config, Py_NewRef(config.ptr()));
  Py_INCREF(enumeration.ptr());
  environment.enumeration = reinterpret_cast<PyTypeObject*>(enumeration.ptr());
  Py_XSETREF(environment.make_plan, Py_NewRef(make_plan.ptr()));
  Py_XSETREF(environment.watched, Py_NewRef(watched.ptr()));
}

void set_wrapper(nb::handle type, const char* slot) {
  nb::object name = checked(PyUnicode_InternFromString(slot));
  Py_ssize_t offset = slot_offset(type.ptr(), name.ptr());
  if (offset < 0) raise(PyExc_TypeError, "%R has no slot %s", type.ptr(), slot);
  environment.wrappers.emplace_back(reinterpret_cast<PyTypeObject*>(Py_NewRef(type.ptr())), offset);
}

}  // namespace

void bind_library(nb::module_& module) {
  module.attr("LibraryFunction") = checked(PyType_FromSpec(&function_spec));
  module.def("library_set_up", set_up, nb::arg("array_type"), nb::arg("state"), nb::arg("config"),
             nb::arg("enumeration"), nb::arg("make_plan"), nb::arg("watched"),
             "Tell library functions what they have to know of the rest of Sable.");
  module.def("library_wrapper", set_wrapper, nb::arg("type"), nb::arg("slot"),
             "Instances of a class that holds one array in a slot are taken apart in arguments.");
}

}  // namespace sable
