// The cached call of a jitted function: arguments to buffers, look-up by structure and avals, invocation, results.
//
// Only the usual case is handled here, in which every leaf is an Array with a buffer on the default device; anything
// else is a miss, and Python's way (api/compilation.py) does the work.
#include "array.h"

#include <iterator>
#include <memory>
#include <unordered_map>
#include <vector>

namespace sable {

namespace {

// One prepared call: what it is looked up by, and what it does.
struct Entry {
  PyTreeDef structure;
  std::vector<nb::object> avals;
  nb::object trace_key;
  nb::object invoke;                 // list of buffers -> list of buffers
  std::vector<nb::object> captures;  // buffers behind the arguments
  std::vector<nb::object> out_avals;
  nb::object out_tree;  // None where the result is one array
};

class CallCache {
 public:
  CallCache(nb::object registry, nb::handle array_type, nb::object miss, nb::object upload)
      : registry_(std::move(registry)),
        array_type_(nb::borrow(array_type)),
        layout_(array_type),
        miss_(std::move(miss)),
        upload_(std::move(upload)) {}

  CallCache(const CallCache&) = delete;
  CallCache& operator=(const CallCache&) = delete;

  nb::object call(nb::handle args, nb::handle kwargs, nb::handle trace_key) {
    Flattener flattener(nb::cast<const Registry&>(registry_), nb::handle(), false);
    flattener.visit_call(args, kwargs);
    Objects& leaves = flattener.leaves();
    for (size_t i = 0; i < leaves.size(); ++i) {
      if (!is_local(leaves.data()[i].ptr())) return miss_;
    }
    PyTreeDef structure(registry_, flattener.nodes());
    if (entries_.empty()) return miss_;
    std::shared_ptr<Entry> entry = find(hash(structure, leaves, trace_key), structure, leaves, trace_key);
    return entry == nullptr ? miss_ : run(*entry, leaves);
  }

  void insert(nb::handle args, nb::handle kwargs, nb::handle trace_key, nb::handle invoke, nb::handle captures,
              nb::handle out_avals, nb::handle out_tree) {
    Flattener flattener(nb::cast<const Registry&>(registry_), nb::handle(), false);
    flattener.visit_call(args, kwargs);
    std::vector<nb::object> avals;
    for (size_t i = 0; i < flattener.leaves().size(); ++i) {
      PyObject* leaf = flattener.leaves().data()[i].ptr();
      if (!is_local(leaf)) return;
      avals.push_back(nb::borrow(ArrayLayout::at(leaf, layout_.aval)));
    }
    PyTreeDef structure(registry_, flattener.nodes());
    uint64_t key = hash(structure, flattener.leaves(), trace_key);
    if (find(key, structure, flattener.leaves(), trace_key) != nullptr) return;
    entries_.emplace(key, std::make_shared<Entry>(Entry{std::move(structure), std::move(avals), nb::borrow(trace_key),
                                                        nb::borrow(invoke), to_vector(captures), to_vector(out_avals),
                                                        nb::borrow(out_tree)}));
  }

  void clear() {
    decltype(entries_) dropped;
    dropped.swap(entries_);  // what dies may call back
  }
  size_t size() const { return entries_.size(); }

  int traverse(visitproc visit, void* arg) {
    Py_VISIT(registry_.ptr());
    Py_VISIT(array_type_.ptr());
    Py_VISIT(miss_.ptr());
    Py_VISIT(upload_.ptr());
    for (auto& [key, entry] : entries_) {
      if (entry.use_count() > 1) continue;  // in use by a running call, which holds references of its own
      Py_VISIT(entry->invoke.ptr());
      Py_VISIT(entry->trace_key.ptr());
      Py_VISIT(entry->out_tree.ptr());
      for (nb::object& capture : entry->captures) Py_VISIT(capture.ptr());
      if (int status = entry->structure.traverse(visit, arg)) return status;
    }
    return 0;
  }

 private:
  static std::vector<nb::object> to_vector(nb::handle sequence) {
    std::vector<nb::object> found;
    for (nb::handle item : sequence) found.push_back(nb::borrow(item));
    return found;
  }

  // An Array on the default device.
  bool is_local(PyObject* leaf) const {
    return Py_TYPE(leaf) == layout_.type && ArrayLayout::at(leaf, layout_.device) == Py_None;
  }

  // The array's buffer, which Python makes where there is none yet; a new reference.
  PyObject* buffer_of(PyObject* array) const {
    PyObject* buffer = ArrayLayout::at(array, layout_.buffer);
    if (buffer == nullptr || buffer == Py_None) return checked(PyObject_CallOneArg(upload_.ptr(), array)).release().ptr();
    Py_INCREF(buffer);
    return buffer;
  }

  // Avals are interned: their addresses say what they are.
  uint64_t hash(const PyTreeDef& structure, Objects& leaves, nb::handle trace_key) const {
    Py_hash_t key = PyObject_Hash(trace_key.ptr());
    if (key == -1) throw nb::python_error();
    uint64_t hash = combine(static_cast<uint64_t>(structure.hash()), static_cast<uint64_t>(key));
    for (size_t i = 0; i < leaves.size(); ++i) {
      hash = combine(hash, reinterpret_cast<uintptr_t>(ArrayLayout::at(leaves.data()[i].ptr(), layout_.aval)));
    }
    return hash;
  }

  // By a multiplication with 2^64 divided by the golden ratio: the low bits of addresses are all alike.
  static uint64_t combine(uint64_t seed, uint64_t value) {
    uint64_t hash = (seed ^ value) * 0x9e3779b97f4a7c15ull;
    return hash ^ (hash >> 32);
  }

  // Comparing structures may run the user's code, which may change the entries: each is held while it is looked at.
  std::shared_ptr<Entry> find(uint64_t hash, const PyTreeDef& structure, Objects& leaves, nb::handle trace_key) {
    auto [first, last] = entries_.equal_range(hash);
    if (first == last) return nullptr;
    std::shared_ptr<Entry> entry = first->second;
    if (std::next(first) == last) return matches(*entry, structure, leaves, trace_key) ? entry : nullptr;
    std::vector<std::shared_ptr<Entry>> candidates;
    for (; first != last; ++first) candidates.push_back(first->second);
    for (std::shared_ptr<Entry>& candidate : candidates) {
      if (matches(*candidate, structure, leaves, trace_key)) return candidate;
    }
    return nullptr;
  }

  bool matches(const Entry& entry, const PyTreeDef& structure, Objects& leaves, nb::handle trace_key) const {
    if (entry.avals.size() != leaves.size()) return false;
    for (size_t i = 0; i < leaves.size(); ++i) {
      if (ArrayLayout::at(leaves.data()[i].ptr(), layout_.aval) != entry.avals[i].ptr()) return false;
    }
    if (entry.trace_key.ptr() != trace_key.ptr()) {
      int same = PyObject_RichCompareBool(entry.trace_key.ptr(), trace_key.ptr(), Py_EQ);
      check(same);
      if (!same) return false;
    }
    return entry.structure.equal(structure);
  }

  nb::object run(const Entry& entry, Objects& leaves) {
    size_t own = leaves.size(), total = own + entry.captures.size();
    nb::object buffers = checked(PyList_New(static_cast<Py_ssize_t>(total)));
    for (size_t i = 0; i < total; ++i) {
      PyObject* buffer = i < own ? buffer_of(leaves.data()[i].ptr()) : nb::object(entry.captures[i - own]).release().ptr();
      PyList_SET_ITEM(buffers.ptr(), static_cast<Py_ssize_t>(i), buffer);
    }
    bool is_committed = false;
    for (size_t i = 0; i < own && !is_committed; ++i) {
      is_committed = ArrayLayout::at(leaves.data()[i].ptr(), layout_.committed) == Py_True;
    }
    nb::object results = checked(PyObject_CallOneArg(entry.invoke.ptr(), buffers.ptr()));
    return wrap_results(entry, results, is_committed);
  }

  nb::object wrap_results(const Entry& entry, const nb::object& results, bool is_committed) const {
    size_t count = entry.out_avals.size();
    if (!PyList_CheckExact(results.ptr()) || static_cast<size_t>(PyList_GET_SIZE(results.ptr())) != count) {
      raise(PyExc_RuntimeError, "an executable returned another number of results than it was compiled with");
    }
    Objects arrays;
    for (size_t i = 0; i < count; ++i) {
      arrays.emplace_back(
          checked(layout_.make(entry.out_avals[i].ptr(), nullptr,
                               Py_NewRef(PyList_GET_ITEM(results.ptr(), static_cast<Py_ssize_t>(i))), is_committed)));
    }
    if (entry.out_tree.is_none()) return arrays.data()[0];
    return unwrap(entry.out_tree).unflatten(arrays.data());
  }

  nb::object registry_;
  nb::object array_type_;
  ArrayLayout layout_;
  nb::object miss_;
  nb::object upload_;
  std::unordered_multimap<uint64_t, std::shared_ptr<Entry>> entries_;
};

int traverse_cache(PyObject* self, visitproc visit, void* arg) {
#if PY_VERSION_HEX >= 0x03090000
  Py_VISIT(Py_TYPE(self));
#endif
  return nb::inst_ready(self) ? nb::inst_ptr<CallCache>(self)->traverse(visit, arg) : 0;
}

int clear_cache(PyObject* self) {
  if (nb::inst_ready(self)) nb::inst_ptr<CallCache>(self)->clear();
  return 0;
}

PyType_Slot cache_slots[] = {{Py_tp_traverse, reinterpret_cast<void*>(traverse_cache)},
                             {Py_tp_clear, reinterpret_cast<void*>(clear_cache)},
                             {0, nullptr}};

}  // namespace

void bind_call(nb::module_& module) {
  nb::class_<CallCache>(module, "CallCache", nb::type_slots(cache_slots), nb::is_final(),
                        "Prepared calls of a jitted function, by the structure and avals of its arguments.")
      .def(nb::init<nb::object, nb::handle, nb::object, nb::object>(), nb::arg("registry"), nb::arg("array_type"),
           nb::arg("miss"), nb::arg("upload"))
      .def("call", &CallCache::call, "The result of the prepared call that fits, or `miss`.")
      .def("insert", &CallCache::insert, nb::arg("args"), nb::arg("kwargs"), nb::arg("trace_key"), nb::arg("invoke"),
           nb::arg("captures"), nb::arg("out_avals"), nb::arg("out_tree").none())
      .def("clear", &CallCache::clear)
      .def("__len__", &CallCache::size);
}

}  // namespace sable
