// Code that is compiled once for each of several kinds of processors, each time into a namespace of the kind's name. Which of
// them runs is found when it is first wanted: the best that the processor at hand can do, or the one that the environment
// variable SABLE_PROCESSOR names (plain, avx2 or avx512) if it can do that, or else the plain one.
#pragma once

namespace sable {

enum class Processor { kPlain, kAvx2, kAvx512 };
Processor processor();

#ifdef SABLE_HAS_AVX
#define SABLE_FOR_EACH_PROCESSOR(declare) declare(plain) declare(avx2) declare(avx512)
// What the function of this name returns, of the kind of the processor at hand.
#define SABLE_OF_THIS_PROCESSOR(function)                    \
  (processor() == Processor::kAvx512 ? avx512::function()    \
   : processor() == Processor::kAvx2 ? avx2::function()      \
                                     : plain::function())
#else
#define SABLE_FOR_EACH_PROCESSOR(declare) declare(plain)
#define SABLE_OF_THIS_PROCESSOR(function) plain::function()
#endif

}  // namespace sable
