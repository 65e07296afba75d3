#include "kernels/peak.h"

#include <immintrin.h>

#include "kernels/avx2/peak_instructions.h"
#include "kernels/internal/peak_loops.h"

namespace lethe {
namespace {

// As in the products of kernels.cc: s16 by s16 for bytes as well, because vpmaddubsw would
// saturate.
struct Integers {
  using Register = __m256i;
  static constexpr std::int64_t kOperations = 2 * 16;
  static Register Zero() { return _mm256_setzero_si256(); }
  static void Step(Register* r) {
    Register product;
    __asm__ volatile("vpmaddwd %2, %2, %1\n\tvpaddd %1, %0, %0"
                     : "+x"(*r), "=&x"(product)
                     : "x"(_mm256_set1_epi16(1)));
  }
};

}  // namespace

const PeakTable& Avx2Peak() {
  using namespace kernels_internal;
  static constexpr PeakTable table{"avx2",           "vpmaddwd",          "vpmaddwd",
                                   "vfmadd231ps",    Multiply<Integers>,  Multiply<Integers>,
                                   Multiply<Floats>, Read<Reader, false>, Read<Reader, true>};
  return table;
}

}  // namespace lethe
