#include "kernels/peak.h"

#include "kernels/amx/tiles.h"
#include "kernels/avx512/peak_instructions.h"
#include "kernels/internal/peak_loops.h"
#include "kernels/internal/unroll.h"

namespace lethe {
namespace {

// Six tiles of sums: one takes 16 cycles at best and is ready after 52.
std::int64_t MultiplyTiles(std::int64_t rounds) {
  using kernels_internal::Unroll;
  constexpr int kTiles = 6;
  constexpr std::int64_t kOperations = 2 * 16 * 16 * 64;
  const TileScope<AmxTiles> scope(16);
  Unroll<8>([]<int i>() __attribute__((always_inline)) { AmxTiles::Zero<i>(); });
  for (std::int64_t n = 0; n < rounds; ++n) {
    Unroll<kTiles>([]<int i>()
                       __attribute__((always_inline)) { AmxTiles::MultiplyAdd<i, 6, 7>(); });
  }
  return rounds * kTiles * kOperations;
}

}  // namespace

const PeakTable& AmxPeak() {
  using namespace kernels_internal;
  static constexpr PeakTable table{"amx",
                                   "tdpbusd",
                                   "vpdpwssd",
                                   "vfmadd231ps",
                                   MultiplyTiles,
                                   Multiply<Shorts>,
                                   Multiply<Floats>,
                                   Read<Reader, false>,
                                   Read<Reader, true>};
  return table;
}

}  // namespace lethe
