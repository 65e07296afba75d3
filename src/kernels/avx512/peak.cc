#include "kernels/peak.h"

#include <immintrin.h>

#include "kernels/avx512/peak_instructions.h"
#include "kernels/internal/peak_loops.h"

namespace lethe {
namespace {

struct Integers {
  using Register = __m512i;
  static constexpr std::int64_t kOperations = 2 * 64;
  static Register Zero() { return _mm512_setzero_si512(); }
  static void Step(Register* r) {
    __asm__ volatile("vpdpbusd %1, %1, %0" : "+v"(*r) : "v"(_mm512_set1_epi8(1)));
  }
};

}  // namespace

const PeakTable& Avx512Peak() {
  using namespace kernels_internal;
  static constexpr PeakTable table{"avx512",         "vpdpbusd",          "vpdpwssd",
                                   "vfmadd231ps",    Multiply<Integers>,  Multiply<Shorts>,
                                   Multiply<Floats>, Read<Reader, false>, Read<Reader, true>};
  return table;
}

}  // namespace lethe
