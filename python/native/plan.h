// A plan: the straight line of steps that an eager call of a library function comes down to.
//
// A register holds the elements of one value. A step is an inner loop (a NumPy ufunc's or one of ours) over a nest of
// dimensions, run on pointers, or a call of a Python function on NumPy arrays. What only moves data by
// strides (reshapes, broadcasts, transposes, slices) is no step: it is a view, strides and an offset into a register.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "array.h"
#include "numpy_api.h"

namespace sable {

enum class Origin : uint8_t {
  kArgument = 0,  // an array that the caller gives
  kScalar = 1,    // a Python scalar that the caller gives
  kConstant = 2,  // an array that the plan holds
  kScratch = 3,   // memory that lives for one run
  kMade = 4,      // a new NumPy array
  kReturned = 5,  // what a Python function returns
};

struct Register {
  Origin origin;
  nb::object descr;     // NumPy's dtype
  nb::object constant;  // kConstant: a contiguous array
  std::vector<npy_intp> shape;
  size_t place;  // kArgument, kScalar: number of the leaf; kScratch: bytes from the start
  bool dense;    // loops and views use it, which count on C order; a scalar that is not is an array for Python
};

struct View {
  uint32_t base;
  npy_intp offset;  // bytes
  std::vector<npy_intp> shape, strides;
  nb::object descr;
  bool whole;  // the register itself
};

struct LoopStep {
  PyUFuncGenericFunction function;
  void* data;
  std::vector<uint32_t> bases;
  std::vector<npy_intp> offsets;
  std::vector<npy_intp> shape;    // outermost first; one dimension at least
  std::vector<npy_intp> strides;  // [dimension][operand], bytes
  npy_intp size;                  // turns of the whole nest
};

struct CallStep {
  nb::object function;
  std::vector<View> inputs;
  std::vector<uint32_t> results;
  bool multiple;  // returns a tuple
};

using Step = std::variant<LoopStep, CallStep>;

struct Result {
  nb::object aval;
  View view;
};

class Plan {
 public:
  Plan(nb::handle array_type, nb::handle run_quietly);
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  void add_register(int origin, nb::handle descr, nb::handle constant, std::vector<npy_intp> shape, size_t place,
                    bool dense);
  void add_ufunc(nb::handle ufunc, size_t number, std::vector<uint32_t> bases, std::vector<npy_intp> offsets,
                 std::vector<npy_intp> shape, std::vector<npy_intp> strides);
  void add_own_loop(const char* name, const char* types, std::vector<uint32_t> bases, std::vector<npy_intp> offsets,
                  std::vector<npy_intp> shape, std::vector<npy_intp> strides);
  void add_call(nb::handle function, nb::handle inputs, std::vector<uint32_t> results, bool multiple);
  void add_result(nb::handle aval, nb::handle view);
  // What the results are put into: None (one array), tuple, list, or a function of a list of arrays.
  void finish(size_t scratch, nb::handle build);

  // The leaves are Arrays and Python scalars, in the order of the arguments. NULL with a Python error.
  PyObject* run(PyObject* const* leaves) const;
  int traverse(visitproc visit, void* arg) const;
  void clear();

 private:
  struct Frame;
  void add_loop(LoopStep step);
  bool open(Frame& frame, PyObject* const* leaves) const;
  bool load_argument(Frame& frame, uint32_t i, PyObject* array) const;
  bool load_scalar(Frame& frame, uint32_t i, PyObject* scalar) const;
  bool call(Frame& frame, const CallStep& step) const;
  bool keep(Frame& frame, uint32_t i, PyObject* returned) const;
  PyObject* boxed(const Frame& frame, const View& view) const;
  PyObject* wrapped(const Frame& frame, const Result& result) const;
  PyObject* built(const Frame& frame) const;

  ArrayLayout layout_;
  nb::object array_type_, run_quietly_, build_;
  std::vector<Register> registers_;
  std::vector<Step> steps_;
  std::vector<Result> results_;
  size_t scratch_ = 0;
};

}  // namespace sable
