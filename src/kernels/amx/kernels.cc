// The AVX-512 table with the integer product on AMX tiles: 16 rows x 64 inputs times 64 inputs x 16
// outputs in one instruction. The packed layout of a panel, [k/4, 16, 4], is the tile's own.
//
// Source: Intel Architecture Instruction Set Extensions Programming Reference, chapter 3.

#include "kernels/kernels.h"

#include <immintrin.h>

#include "kernels/amx/tiles.h"
#include "kernels/avx512/coarse.h"
#include "kernels/avx512/integer.h"
#include "kernels/avx512/vector.h"
#include "kernels/internal/attend_frames.h"
#include "kernels/internal/float_kernels.h"

namespace lethe {
namespace {

// Up to 32 rows by two panels: four accumulators, two row tiles, two weight tiles. A block whose k
// is no multiple of 64 reads weights of the next panel against activations that are zero.
void TileBlock(const std::uint8_t* a0, const std::uint8_t* a1, int lda, const std::int8_t* b0,
               const std::int8_t* b1, int steps, std::int32_t (*sums)[16 * 16]) {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (int s = 0; s < steps; ++s) {
    _tile_loadd(4, a0 + s * 64, lda);
    _tile_loadd(6, b0 + s * 1024, 64);
    _tile_loadd(7, b1 + s * 1024, 64);
    _tile_dpbusd(0, 4, 6);
    _tile_dpbusd(1, 4, 7);
    _tile_loadd(5, a1 + s * 64, lda);
    _tile_dpbusd(2, 5, 6);
    _tile_dpbusd(3, 5, 7);
  }
  _tile_stored(0, sums[0], 64);
  _tile_stored(1, sums[1], 64);
  _tile_stored(2, sums[2], 64);
  _tile_stored(3, sums[3], 64);
}

void AmxGemmU8S8(const std::uint8_t* a, int m, int lda, const RowScale* rows,
                 const PackedWeights& w, float* y, std::int64_t ldy, bool accumulate) {
  if (m < 16) return VnniGemmU8S8(a, m, lda, rows, w, y, ldy, accumulate);
  const TileConfig config;
  _tile_loadconfig(&config);
  alignas(64) std::int32_t sums[4][16 * 16];
  const int steps = (w.k_padded + 63) / 64;
  const std::int64_t panel = std::int64_t{w.k_padded} * 16;
  for (int n = 0; n < w.n_padded; n += 32) {
    const bool two = n + 16 < w.n_padded;
    const std::int8_t* b0 = w.weight + (n / 16) * panel;
    const std::int8_t* b1 = two ? b0 + panel : b0;
    for (int i = 0; i < m; i += 32) {
      // The last blocks overlap their predecessors instead of being shorter; the rows they share
      // are written once.
      const int first = i + 16 <= m ? i : m - 16;
      const int second = i + 32 <= m ? i + 16 : m - 16;
      TileBlock(a + std::int64_t{first} * lda, a + std::int64_t{second} * lda, lda, b0, b1, steps,
                sums);
      const int end = i + 32 < m ? i + 32 : m;
      for (int row = i; row < end; ++row) {
        const bool in_first = row < first + 16;
        const int line = (in_first ? row - first : row - second) * 16;
        for (int j = 0; j < (two ? 2 : 1); ++j) {
          const std::int32_t* sum = sums[(in_first ? 0 : 2) + j] + line;
          Outputs(w, n + 16 * j)
              .Store(_mm512_load_si512(sum), rows[row], y + row * ldy + n + 16 * j, accumulate);
        }
      }
    }
  }
  _tile_release();
}

}  // namespace

const KernelTable& AmxKernels() {
  using namespace kernels_internal;
  static constexpr KernelTable table{
      "amx",
      QuantizeRows,
      AmxGemmU8S8,
      VnniGemmU8U4,
      VnniRefineLargest,
      Sgemm<Avx512Vector>,
      LayerNorm<Avx512Vector>,
      Moments<Avx512Vector>,
      ScaleColumns<Avx512Vector>,
      Spectrum<Avx512Vector>,
      Relu<Avx512Vector>,
      Rotate<Avx512Vector>,
      Gelu<Avx512Vector>,
      TanhAll<Avx512Vector>,
      SiluMultiply<Avx512Vector>,
      SoftmaxQuantize<Avx512Vector>,
      PackOutputs<Avx512Vector>,
      PackInputs<Avx512Vector>,
      AttendByProducts<QuantizeRows, AmxGemmU8S8, SoftmaxQuantize<Avx512Vector>>,
      ToHalf<Avx512Vector>,
      Attend<Avx512Vector>,
      ArgmaxLogSumExp<Avx512Vector>,
      LstmCell<Avx512Vector>};
  return table;
}

}  // namespace lethe
