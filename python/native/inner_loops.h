// Inner loops with a ufunc's calling convention, by name and types.
#pragma once

#include <string>

#include "numpy_api.h"

namespace sable {

struct InnerLoop {
  const char* name;
  std::string types;  // the width in bytes where only that matters; else NumPy's names without the byte order
  PyUFuncGenericFunction loop;
};

// NULL where there is none.
const InnerLoop* find_inner_loop(const std::string& name, const std::string& types);

}  // namespace sable
