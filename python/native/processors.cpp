#include "processors.h"

#include <cstdlib>
#include <cstring>

namespace sable {

namespace {

Processor find_processor() {
#ifdef SABLE_HAS_AVX
  const char* asked = std::getenv("SABLE_PROCESSOR");
  auto may_be = [&](const char* name) { return asked == nullptr || *asked == '\0' || std::strcmp(asked, name) == 0; };
  if (may_be("avx512") && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    return Processor::kAvx512;
  if (may_be("avx2") && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Processor::kAvx2;
#endif
  return Processor::kPlain;
}

}  // namespace

Processor processor() {
  static const Processor found = find_processor();
  return found;
}

}  // namespace sable
