// The hash threefry2x32 as an inner loop: two words of keys and two words to hash in, two words out.
#pragma once

#include "numpy_api.h"

namespace sable {

void threefry_loop(char** args, const npy_intp* dims, const npy_intp* steps, void* unused);

}  // namespace sable
