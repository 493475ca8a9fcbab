// Where in the user's program an op comes from: the innermost frame that is not Sable's.
#include "pytree.h"

#include <unordered_map>
#include <vector>

namespace sable {

namespace {

// Code objects are told apart by their addresses, since hashing one reads its constants; each is held as long as the
// memo knows it.
class UserLocations {
 public:
  UserLocations(nb::handle prefixes, nb::object make) : make_(std::move(make)) {
    for (nb::handle prefix : prefixes) prefixes_.push_back(nb::borrow(prefix));
  }

  // The location of the running user's code, as `make(file, line)` gives it; None where all frames are Sable's.
  nb::object find() {
    nb::object frame = nb::steal(reinterpret_cast<PyObject*>(PyThreadState_GetFrame(PyThreadState_Get())));
    while (frame.is_valid()) {
      auto* current = reinterpret_cast<PyFrameObject*>(frame.ptr());
      nb::object code = nb::steal(reinterpret_cast<PyObject*>(PyFrame_GetCode(current)));
      if (!is_internal(code)) return location(current, code);
      frame = nb::steal(reinterpret_cast<PyObject*>(PyFrame_GetBack(current)));
    }
    return nb::none();
  }

  int traverse(visitproc visit, void* arg) {
    Py_VISIT(make_.ptr());
    return 0;
  }

  void clear() {
    forget();
    nb::object dropped = std::move(make_);
  }

 private:
  struct Place {
    PyObject* code;
    int position;
    bool operator==(const Place& other) const { return code == other.code && position == other.position; }
  };
  struct Hash {
    size_t operator()(const Place& place) const {
      return (reinterpret_cast<uintptr_t>(place.code) ^ static_cast<unsigned>(place.position)) * 0x9e3779b97f4a7c15ull;
    }
  };

  // Bound of both memos: code objects made anew all the time (exec) must not pile up.
  static constexpr size_t kSize = 8192;

  bool is_internal(const nb::object& code) {
    auto found = internal_.find(code.ptr());
    if (found != internal_.end()) return found->second.second;
    if (internal_.size() >= kSize) forget();
    nb::object name = checked(PyObject_GetAttrString(code.ptr(), "co_filename"));
    bool internal = false;
    for (const nb::object& prefix : prefixes_) {
      Py_ssize_t matches = PyUnicode_Tailmatch(name.ptr(), prefix.ptr(), 0, PY_SSIZE_T_MAX, -1);
      check(static_cast<int>(matches));
      internal = internal || matches == 1;
    }
    internal_.emplace(code.ptr(), std::make_pair(code, internal));
    return internal;
  }

  nb::object location(PyFrameObject* frame, const nb::object& code) {
#if PY_VERSION_HEX >= 0x030B0000
    int position = PyFrame_GetLasti(frame);  // the line of an instruction takes a walk through a table
#else
    int position = PyFrame_GetLineNumber(frame);
#endif
    auto found = locations_.find({code.ptr(), position});
    if (found != locations_.end()) return found->second;
    nb::object name = checked(PyObject_GetAttrString(code.ptr(), "co_filename"));
    nb::object made = make_(name, PyFrame_GetLineNumber(frame));
    if (locations_.size() >= kSize) forget();
    internal_.emplace(code.ptr(), std::make_pair(code, false));  // what holds the code
    locations_.emplace(Place{code.ptr(), position}, made);
    return made;
  }

  void forget() {
    decltype(internal_) codes;
    decltype(locations_) locations;
    codes.swap(internal_);  // what dies may call back
    locations.swap(locations_);
  }

  std::vector<nb::object> prefixes_;
  nb::object make_;
  std::unordered_map<PyObject*, std::pair<nb::object, bool>> internal_;
  std::unordered_map<Place, nb::object, Hash> locations_;
};

int traverse_locations(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  return nb::inst_ready(self) ? nb::inst_ptr<UserLocations>(self)->traverse(visit, arg) : 0;
}

int clear_locations(PyObject* self) {
  if (nb::inst_ready(self)) nb::inst_ptr<UserLocations>(self)->clear();
  return 0;
}

PyType_Slot location_slots[] = {{Py_tp_traverse, reinterpret_cast<void*>(traverse_locations)},
                                {Py_tp_clear, reinterpret_cast<void*>(clear_locations)},
                                {0, nullptr}};

}  // namespace

void bind_location(nb::module_& module) {
  nb::class_<UserLocations>(module, "UserLocations", nb::type_slots(location_slots), nb::is_final(),
                            "Finds the innermost frame whose file has none of the prefixes.")
      .def(nb::init<nb::handle, nb::object>(), nb::arg("prefixes"), nb::arg("make"))
      .def("__call__", &UserLocations::find, "`make(file, line)` of that frame, memoised; None where there is none.");
}

}  // namespace sable
