#include "kernels/peak.h"

#include <immintrin.h>

#include "kernels/amx/tiles.h"
#include "kernels/avx512/peak_floats.h"
#include "kernels/internal/peak_loops.h"

namespace lethe {
namespace {

// Six tiles of sums: one takes 16 cycles at best and is ready after 52.
std::int64_t MultiplyTiles(std::int64_t rounds) {
  constexpr int kTiles = 6;
  constexpr std::int64_t kOperations = 2 * 16 * 16 * 64;
  const TileConfig config;
  _tile_loadconfig(&config);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(4);
  _tile_zero(5);
  _tile_zero(6);
  _tile_zero(7);
  for (std::int64_t n = 0; n < rounds; ++n) {
    _tile_dpbusd(0, 6, 7);
    _tile_dpbusd(1, 6, 7);
    _tile_dpbusd(2, 6, 7);
    _tile_dpbusd(3, 6, 7);
    _tile_dpbusd(4, 6, 7);
    _tile_dpbusd(5, 6, 7);
  }
  _tile_release();
  return rounds * kTiles * kOperations;
}

}  // namespace

const PeakTable& AmxPeak() {
  using namespace kernels_internal;
  static constexpr PeakTable table{"amx",
                                   "tdpbusd",
                                   "vfmadd231ps",
                                   MultiplyTiles,
                                   Multiply<Floats>,
                                   Read<Reader, false>,
                                   Read<Reader, true>};
  return table;
}

}  // namespace lethe
