// The AVX2 table with integer products by AVX-VNNI.

#include "kernels/kernels.h"

#include <immintrin.h>

#include "kernels/avx2/shorts.h"
#include "kernels/avx2/vector.h"
#include "kernels/avxvnni/frames.h"
#include "kernels/avxvnni/integer.h"
#include "kernels/internal/attend_frames.h"
#include "kernels/internal/signs.h"

namespace lethe {
namespace {

void RefineLargest(const std::uint8_t* a, const RowScale& row, const SignWeights& w, float* y) {
  kernels_internal::RefineLargest<Avx2Vector>(
      a, row, w, y,
      kernels_internal::OneByOne([&](const std::int8_t* weight) __attribute__((always_inline)) {
        __m256i sum = _mm256_setzero_si256();
        for (int p = 0; p < w.k; p += 32) {
          MultiplyAddBytes(&sum, LoadBytes(a + p), LoadBytes(weight + p));
        }
        return SumOfEight(sum);
      }));
}

}  // namespace

const KernelTable& AvxVnniKernels() {
  static const KernelTable table = [] {
    KernelTable t = Avx2Kernels();
    t.name = "avxvnni";
    t.gemm_u8s8 = VnniGemmU8S8;
    t.gemm_s16 = GemmS16<MultiplyAddShorts>;
    t.refine_largest = RefineLargest;
    t.attend_frames = kernels_internal::AttendFrames<AvxVnniFrames>;
    return t;
  }();
  return table;
}

}  // namespace lethe
