#include "kernels/peak.h"

#include <immintrin.h>

#include "kernels/avx2/peak_instructions.h"
#include "kernels/internal/peak_loops.h"

namespace lethe {
namespace {

struct Integers {
  using Register = __m256i;
  static constexpr std::int64_t kOperations = 2 * 32;
  static Register Zero() { return _mm256_setzero_si256(); }
  static void Step(Register* r) {
    __asm__ volatile("%{vex%} vpdpbusd %1, %1, %0" : "+x"(*r) : "x"(_mm256_set1_epi8(1)));
  }
};

struct Shorts {
  using Register = __m256i;
  static constexpr std::int64_t kOperations = 2 * 16;
  static Register Zero() { return _mm256_setzero_si256(); }
  static void Step(Register* r) {
    __asm__ volatile("%{vex%} vpdpwssd %1, %1, %0" : "+x"(*r) : "x"(_mm256_set1_epi16(1)));
  }
};

}  // namespace

const PeakTable& AvxVnniPeak() {
  using namespace kernels_internal;
  static constexpr PeakTable table{"avxvnni",        "vpdpbusd",          "vpdpwssd",
                                   "vfmadd231ps",    Multiply<Integers>,  Multiply<Shorts>,
                                   Multiply<Floats>, Read<Reader, false>, Read<Reader, true>};
  return table;
}

}  // namespace lethe
