#include "kernels/peak.h"

#include <immintrin.h>

#include "kernels/internal/peak_loops.h"

namespace lethe {
namespace {

// The baseline of amd64 has SSE2: what the compiler can make of plain code.
struct Integers {
  using Register = __m128i;
  static constexpr std::int64_t kOperations = 2 * 8;
  static Register Zero() { return _mm_setzero_si128(); }
  static void Step(Register* r) {
    Register product;
    __asm__ volatile("movdqa %2, %1\n\tpmaddwd %2, %1\n\tpaddd %1, %0"
                     : "+x"(*r), "=&x"(product)
                     : "x"(_mm_set1_epi16(1)));
  }
};

struct Floats {
  using Register = __m128;
  static constexpr std::int64_t kOperations = 2 * 4;
  static Register Zero() { return _mm_setzero_ps(); }
  static void Step(Register* r) {
    Register product;
    __asm__ volatile("movaps %2, %1\n\tmulps %2, %1\n\taddps %1, %0"
                     : "+x"(*r), "=&x"(product)
                     : "x"(_mm_set1_ps(1.0f)));
  }
};

struct Reader {
  using Register = __m128i;
  static constexpr int kBytes = 16;
  static Register Zero() { return _mm_setzero_si128(); }
  static Register Load(const char* p) {
    return _mm_load_si128(reinterpret_cast<const __m128i*>(p));
  }
  static Register Join(Register a, Register b) { return _mm_xor_si128(a, b); }
  static std::uint64_t Low(Register r) { return static_cast<std::uint64_t>(_mm_cvtsi128_si64(r)); }
};

}  // namespace

const PeakTable& ScalarPeak() {
  using namespace kernels_internal;
  static constexpr PeakTable table{"scalar",         "pmaddwd",           "pmaddwd",
                                   "mulps",          Multiply<Integers>,  Multiply<Integers>,
                                   Multiply<Floats>, Read<Reader, false>, Read<Reader, true>};
  return table;
}

}  // namespace lethe
