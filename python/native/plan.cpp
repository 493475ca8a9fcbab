#include "plan.h"

#include <nanobind/stl/vector.h>

#include <complex>
#include <cstring>
#include <memory>

#include "inner_loops.h"

namespace sable {

namespace {

constexpr size_t kMaxRegisters = 192;   // bounds a run's frame on the stack; the planner knows it too
constexpr size_t kOnStack = 4096;       // bytes of scratch memory that need no allocation
constexpr size_t kAlignment = 64;       // bytes: a cache line, and the widest vector
constexpr npy_intp kLongLoop = 1 << 15; // turns beyond which other threads may run meanwhile

PyArrayObject* as_array(PyObject* object) { return reinterpret_cast<PyArrayObject*>(object); }

View view_of(nb::handle spec) {
  // (base, offset, shape, strides, dtype, whole)
  auto parts = nb::cast<nb::tuple>(spec);
  return View{nb::cast<uint32_t>(parts[0]),
              nb::cast<npy_intp>(parts[1]),
              nb::cast<std::vector<npy_intp>>(parts[2]),
              nb::cast<std::vector<npy_intp>>(parts[3]),
              nb::borrow(parts[4]),
              nb::cast<bool>(parts[5])};
}

void run_loop(const LoopStep& step, char* const* data) {
  constexpr size_t kOperands = 8;
  size_t count = step.bases.size(), inner = step.shape.size() - 1;
  char* pointers[kOperands];
  for (size_t k = 0; k < count; ++k) pointers[k] = data[step.bases[k]] + step.offsets[k];
  const npy_intp* strides = step.strides.data() + inner * count;
  if (inner == 0) {
    step.function(pointers, step.shape.data(), strides, step.data);
    return;
  }
  npy_intp index[NPY_MAXDIMS] = {0};
  char* current[kOperands];
  for (;;) {
    std::memcpy(current, pointers, count * sizeof(char*));  // a loop may change them
    step.function(current, step.shape.data() + inner, strides, step.data);
    size_t d = inner;
    while (d-- > 0) {
      const npy_intp* outer = step.strides.data() + d * count;
      if (++index[d] < step.shape[d]) {
        for (size_t k = 0; k < count; ++k) pointers[k] += outer[k];
        break;
      }
      for (size_t k = 0; k < count; ++k) pointers[k] -= outer[k] * (step.shape[d] - 1);
      index[d] = 0;
    }
    if (d == static_cast<size_t>(-1)) return;
  }
}

template <typename T>
bool store(char* place, T value) {
  std::memcpy(place, &value, sizeof value);
  return true;
}

bool store_integer(char* place, PyObject* scalar, int type) {
  int overflow = 0;
  long long value = PyLong_AsLongLongAndOverflow(scalar, &overflow);
  if (value == -1 && overflow == 0 && PyErr_Occurred()) return false;
  if (type == NPY_INT64 && overflow == 0) return store<int64_t>(place, value);
  if (type == NPY_INT32 && overflow == 0 && value == static_cast<int32_t>(value)) {
    return store<int32_t>(place, static_cast<int32_t>(value));
  }
  // the caller asks `fits` first
  PyErr_SetString(PyExc_OverflowError, "a Python int is out of the range of its dtype");
  return false;
}

bool store_complex(char* place, PyObject* scalar, int type) {
  Py_complex value = PyComplex_AsCComplex(scalar);
  if (type == NPY_COMPLEX64) {
    return store(place, std::complex<float>(static_cast<float>(value.real), static_cast<float>(value.imag)));
  }
  return store(place, std::complex<double>(value.real, value.imag));
}

}  // namespace

// The memory of one run: pointers to the registers' elements, and the arrays that own them.
struct Plan::Frame {
  char* data[kMaxRegisters];
  PyObject* owners[kMaxRegisters];
  npy_clongdouble scalars[16];
  alignas(kAlignment) char stack[kOnStack];
  std::unique_ptr<char[]> heap;
  char* scratch = stack;
  PyObject* const* leaves;
  size_t count;

  Frame(size_t registers, PyObject* const* given) : leaves(given), count(registers) {
    std::memset(owners, 0, count * sizeof(PyObject*));
  }
  ~Frame() {
    for (size_t i = 0; i < count; ++i) Py_XDECREF(owners[i]);
  }
  Frame(const Frame&) = delete;
};

Plan::Plan(nb::handle array_type, nb::handle run_quietly)
    : layout_(array_type), array_type_(nb::borrow(array_type)), run_quietly_(nb::borrow(run_quietly)) {}

void Plan::add_register(int origin, nb::handle descr, nb::handle constant, std::vector<npy_intp> shape, size_t place,
                        bool dense) {
  if (registers_.size() >= kMaxRegisters) raise(PyExc_ValueError, "a plan has at most %zu registers", kMaxRegisters);
  if (!PyArray_DescrCheck(descr.ptr())) raise(PyExc_TypeError, "expected a dtype, got %R", descr.ptr());
  if (static_cast<Origin>(origin) == Origin::kConstant && !PyArray_CheckExact(constant.ptr())) {
    raise(PyExc_TypeError, "expected an array, got %R", constant.ptr());
  }
  registers_.push_back({static_cast<Origin>(origin), nb::borrow(descr), nb::borrow(constant), std::move(shape), place,
                        dense});
}

void Plan::add_loop(LoopStep step) {
  step.size = 1;
  for (npy_intp n : step.shape) step.size *= n;
  bool fits = !step.shape.empty() && step.bases.size() <= 8 && step.offsets.size() == step.bases.size() &&
              step.strides.size() == step.bases.size() * step.shape.size() && step.shape.size() <= NPY_MAXDIMS;
  for (uint32_t base : step.bases) fits = fits && base < registers_.size();
  if (!fits) raise(PyExc_ValueError, "a loop whose operands, shape and strides do not belong together");
  if (step.size > 0) steps_.emplace_back(std::move(step));
}

void Plan::add_ufunc(nb::handle ufunc, size_t number, std::vector<uint32_t> bases, std::vector<npy_intp> offsets,
                     std::vector<npy_intp> shape, std::vector<npy_intp> strides) {
  if (!PyObject_TypeCheck(ufunc.ptr(), &PyUFunc_Type)) raise(PyExc_TypeError, "expected a ufunc, got %R", ufunc.ptr());
  auto* u = reinterpret_cast<PyUFuncObject*>(ufunc.ptr());
  if (number >= static_cast<size_t>(u->ntypes) || u->functions[number] == nullptr) {
    raise(PyExc_ValueError, "%R has no loop %zu", ufunc.ptr(), number);
  }
  void* data = u->data == nullptr ? nullptr : const_cast<void*>(u->data[number]);
  add_loop({u->functions[number], data, std::move(bases), std::move(offsets), std::move(shape), std::move(strides), 0});
}

void Plan::add_own_loop(const char* name, const char* types, std::vector<uint32_t> bases, std::vector<npy_intp> offsets,
                      std::vector<npy_intp> shape, std::vector<npy_intp> strides) {
  const InnerLoop* loop = find_inner_loop(name, types);
  if (loop == nullptr) raise(PyExc_ValueError, "there is no loop %s of %s", name, types);
  add_loop({loop->loop, nullptr, std::move(bases), std::move(offsets), std::move(shape), std::move(strides), 0});
}

void Plan::add_call(nb::handle function, nb::handle inputs, std::vector<uint32_t> results, bool multiple) {
  CallStep step{nb::borrow(function), {}, std::move(results), multiple};
  for (nb::handle spec : inputs) step.inputs.push_back(view_of(spec));
  steps_.emplace_back(std::move(step));
}

void Plan::add_result(nb::handle aval, nb::handle view) { results_.push_back({nb::borrow(aval), view_of(view)}); }

void Plan::finish(size_t scratch, nb::handle build) {
  scratch_ = scratch;
  build_ = nb::borrow(build);
}

// ---- a run ---------------------------------------------------------------------------------------------------

PyObject* Plan::run(PyObject* const* leaves) const {
  Frame frame(registers_.size(), leaves);
  if (scratch_ > kOnStack) {
    frame.heap.reset(new (std::nothrow) char[scratch_ + kAlignment]);
    if (frame.heap == nullptr) return PyErr_NoMemory();
    auto address = reinterpret_cast<uintptr_t>(frame.heap.get());
    frame.scratch = reinterpret_cast<char*>((address + kAlignment - 1) / kAlignment * kAlignment);
  }
  if (!open(frame, leaves)) return nullptr;
  for (const Step& step : steps_) {
    if (const auto* loop = std::get_if<LoopStep>(&step)) {
      if (loop->size > kLongLoop) {
        nb::gil_scoped_release release;
        run_loop(*loop, frame.data);
      } else {
        run_loop(*loop, frame.data);
      }
    } else if (!call(frame, std::get<CallStep>(step))) {
      return nullptr;
    }
  }
  return PyErr_Occurred() ? nullptr : built(frame);
}

bool Plan::open(Frame& frame, PyObject* const* leaves) const {
  size_t scalars = 0;
  for (uint32_t i = 0; i < registers_.size(); ++i) {
    const Register& r = registers_[i];
    switch (r.origin) {
      case Origin::kArgument:
        if (!load_argument(frame, i, leaves[r.place])) return false;
        break;
      case Origin::kScalar:
        frame.data[i] = reinterpret_cast<char*>(&frame.scalars[scalars++ % 16]);
        if (!load_scalar(frame, i, leaves[r.place])) return false;
        break;
      case Origin::kConstant:
        frame.owners[i] = Py_NewRef(r.constant.ptr());
        frame.data[i] = PyArray_BYTES(as_array(r.constant.ptr()));
        break;
      case Origin::kScratch:
        frame.data[i] = frame.scratch + r.place;
        break;
      case Origin::kMade: {
        PyObject* made = PyArray_NewFromDescr(&PyArray_Type, reinterpret_cast<PyArray_Descr*>(Py_NewRef(r.descr.ptr())),
                                              static_cast<int>(r.shape.size()), r.shape.data(), nullptr, nullptr, 0,
                                              nullptr);
        if (made == nullptr) return false;
        frame.owners[i] = made;
        frame.data[i] = PyArray_BYTES(as_array(made));
        break;
      }
      case Origin::kReturned:
        frame.data[i] = nullptr;
        break;
    }
  }
  return true;
}

bool Plan::load_argument(Frame& frame, uint32_t i, PyObject* array) const {
  PyObject* value = ArrayLayout::at(array, layout_.value);
  if (value == nullptr || value == Py_None) {
    static PyObject* const name = PyUnicode_InternFromString("numpy");
    value = PyObject_CallMethodNoArgs(array, name);
    if (value == nullptr) return false;
  } else {
    Py_INCREF(value);
  }
  return keep(frame, i, value);
}

bool Plan::load_scalar(Frame& frame, uint32_t i, PyObject* scalar) const {
  const Register& r = registers_[i];
  if (!r.dense) {  // a Python function takes it, as an array
    npy_intp none = 0;
    PyObject* made = PyArray_NewFromDescr(&PyArray_Type, reinterpret_cast<PyArray_Descr*>(Py_NewRef(r.descr.ptr())), 0,
                                          &none, nullptr, nullptr, 0, nullptr);
    if (made == nullptr) return false;
    frame.owners[i] = made;
    frame.data[i] = PyArray_BYTES(as_array(made));
  }
  char* place = frame.data[i];
  int type = reinterpret_cast<PyArray_Descr*>(r.descr.ptr())->type_num;
  switch (type) {
    case NPY_BOOL:
      return store<npy_bool>(place, scalar == Py_True);
    case NPY_FLOAT:
      return store(place, static_cast<float>(PyFloat_AS_DOUBLE(scalar)));
    case NPY_DOUBLE:
      return store(place, PyFloat_AS_DOUBLE(scalar));
    case NPY_COMPLEX64:
    case NPY_COMPLEX128:
      return store_complex(place, scalar, type);
    default:
      return store_integer(place, scalar, type);
  }
}

// Takes over an array that belongs into register i, in the layout that loops count on.
bool Plan::keep(Frame& frame, uint32_t i, PyObject* returned) const {
  const Register& r = registers_[i];
  auto* descr = reinterpret_cast<PyArray_Descr*>(r.descr.ptr());
  bool fits = PyArray_CheckExact(returned) && PyArray_DESCR(as_array(returned)) == descr &&
              (!r.dense || PyArray_ISCARRAY_RO(as_array(returned)));
  if (!fits) {
    Py_INCREF(descr);
    PyObject* dense = PyArray_FromAny(returned, descr, 0, 0, NPY_ARRAY_CARRAY_RO, nullptr);
    Py_DECREF(returned);
    if (dense == nullptr) return false;
    returned = dense;
  }
  PyArrayObject* array = as_array(returned);
  frame.owners[i] = returned;
  if (PyArray_NDIM(array) != static_cast<int>(r.shape.size()) ||
      !PyArray_CompareLists(PyArray_DIMS(array), r.shape.data(), PyArray_NDIM(array))) {
    PyErr_Format(PyExc_RuntimeError, "internal error: %R has another shape than its type rule says", returned);
    return false;
  }
  frame.data[i] = PyArray_BYTES(array);
  return true;
}

PyObject* Plan::boxed(const Frame& frame, const View& view) const {
  PyObject* owner = frame.owners[view.base];
  if (owner == nullptr) raise(PyExc_RuntimeError, "internal error: register %u is no array", view.base);
  if (view.whole) return Py_NewRef(owner);
  PyObject* made = PyArray_NewFromDescr(
      &PyArray_Type, reinterpret_cast<PyArray_Descr*>(Py_NewRef(view.descr.ptr())), static_cast<int>(view.shape.size()),
      view.shape.data(), view.strides.data(), frame.data[view.base] + view.offset, 0, nullptr);
  if (made == nullptr) return nullptr;
  PyArray_UpdateFlags(as_array(made), NPY_ARRAY_UPDATE_ALL);
  if (PyArray_SetBaseObject(as_array(made), Py_NewRef(owner)) < 0) {
    Py_DECREF(made);
    return nullptr;
  }
  return made;
}

bool Plan::call(Frame& frame, const CallStep& step) const {
  // run(function, *arrays): quietly, in a context where NumPy's warnings are off
  static PyObject* const name = PyUnicode_InternFromString("run");
  Objects arguments;
  arguments.emplace_back(checked(PyObject_GetAttr(run_quietly_.ptr(), name)));
  arguments.emplace_back(step.function);
  for (const View& view : step.inputs) arguments.emplace_back(checked(boxed(frame, view)));
  PyObject* pointers[1 + 1 + 64];
  if (arguments.size() > 66) raise(PyExc_ValueError, "an op of more than 64 operands");
  for (size_t i = 0; i < arguments.size(); ++i) pointers[i] = arguments[i].ptr();
  nb::object made = checked(PyObject_Vectorcall(pointers[0], pointers + 1, arguments.size() - 1, nullptr));
  if (!step.multiple) return keep(frame, step.results[0], made.release().ptr());
  nb::object sequence = checked(PySequence_Tuple(made.ptr()));
  if (PyTuple_GET_SIZE(sequence.ptr()) != static_cast<Py_ssize_t>(step.results.size())) {
    raise(PyExc_RuntimeError, "internal error: %R returned another number of results", step.function.ptr());
  }
  for (size_t i = 0; i < step.results.size(); ++i) {
    if (!keep(frame, step.results[i], Py_NewRef(PyTuple_GET_ITEM(sequence.ptr(), static_cast<Py_ssize_t>(i))))) {
      return false;
    }
  }
  return true;
}

PyObject* Plan::wrapped(const Frame& frame, const Result& result) const {
  const Register& r = registers_[result.view.base];
  if (r.origin == Origin::kArgument && result.view.whole) {
    PyObject* given = frame.leaves[r.place];
    if (ArrayLayout::at(given, layout_.aval) == result.aval.ptr()) return Py_NewRef(given);
  }
  PyObject* array = boxed(frame, result.view);
  return array == nullptr ? nullptr : layout_.make(result.aval.ptr(), array, nullptr, false);
}

PyObject* Plan::built(const Frame& frame) const {
  if (results_.empty()) raise(PyExc_RuntimeError, "internal error: a plan without results");
  if (build_.is_none()) return wrapped(frame, results_[0]);
  Objects arrays;
  for (const Result& result : results_) arrays.emplace_back(checked(wrapped(frame, result)));
  if (build_.ptr() == reinterpret_cast<PyObject*>(&PyTuple_Type)) {
    return move_to_tuple(arrays.data(), arrays.size()).release().ptr();
  }
  nb::object list = move_to_list(arrays.data(), arrays.size());
  if (build_.ptr() == reinterpret_cast<PyObject*>(&PyList_Type)) return list.release().ptr();
  return PyObject_CallOneArg(build_.ptr(), list.ptr());
}

// ---- garbage collection --------------------------------------------------------------------------------------

int Plan::traverse(visitproc visit, void* arg) const {
  Py_VISIT(array_type_.ptr());
  Py_VISIT(run_quietly_.ptr());
  Py_VISIT(build_.ptr());
  for (const Register& r : registers_) Py_VISIT(r.constant.ptr());
  for (const Step& step : steps_) {
    if (const auto* call = std::get_if<CallStep>(&step)) Py_VISIT(call->function.ptr());
  }
  return 0;
}

void Plan::clear() {
  build_ = nb::none();
  steps_.clear();
  results_.clear();
  registers_.clear();
}

namespace {

int traverse_plan(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  return nb::inst_ready(self) ? nb::inst_ptr<Plan>(self)->traverse(visit, arg) : 0;
}

int clear_plan(PyObject* self) {
  if (nb::inst_ready(self)) nb::inst_ptr<Plan>(self)->clear();
  return 0;
}

PyType_Slot plan_slots[] = {{Py_tp_traverse, reinterpret_cast<void*>(traverse_plan)},
                            {Py_tp_clear, reinterpret_cast<void*>(clear_plan)},
                            {0, nullptr}};

}  // namespace

void bind_plan(nb::module_& module) {
  module.def("has_inner_loop", [](const char* name, const char* types) { return find_inner_loop(name, types) != nullptr; },
             "has_inner_loop(name, types): whether there is an inner loop of ours of that name and types.");
  module.attr("MAX_REGISTERS") = kMaxRegisters;
  nb::class_<Plan>(module, "Plan", nb::type_slots(plan_slots), nb::is_final(),
                   "The steps of an eager call; see sable.library.native_plan, which writes it.")
      .def(nb::init<nb::handle, nb::handle>(), nb::arg("array_type"), nb::arg("state"))
      .def("add_register", &Plan::add_register, nb::arg("origin"), nb::arg("dtype"), nb::arg("constant").none(),
           nb::arg("shape"), nb::arg("place"), nb::arg("dense"))
      .def("add_ufunc", &Plan::add_ufunc)
      .def("add_own_loop", &Plan::add_own_loop)
      .def("add_call", &Plan::add_call)
      .def("add_result", &Plan::add_result)
      .def("finish", &Plan::finish, nb::arg("scratch"), nb::arg("build").none())
      .def("run", [](const Plan& plan, nb::list leaves) {
        std::vector<PyObject*> pointers;
        for (nb::handle leaf : leaves) pointers.push_back(leaf.ptr());
        return checked(plan.run(pointers.data()));
      });
}

}  // namespace sable
