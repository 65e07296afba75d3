#pragma once

// The eight tiles of AMX, and what is done with them. A tile has up to 16 rows of 64 bytes.
//
// The intrinsics of GCC 12 are not used: they are assembly that does not say what memory it reads,
// so that the compiler leaves out, or puts behind them, stores of what they are to read.
//
// Source: Intel Architecture Instruction Set Extensions Programming Reference, chapter 3.

#include <cstdint>

namespace lethe {
namespace {

// What LDTILECFG reads.
struct alignas(64) TileConfig {
  // Tiles 0 to 4 of so many rows, the others of 16.
  explicit constexpr TileConfig(int first_rows) {
    for (int i = 0; i < 8; ++i) {
      row_bytes[i] = 64;
      rows[i] = static_cast<std::uint8_t>(i < 5 ? first_rows : 16);
    }
  }
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};
};
static_assert(sizeof(TileConfig) == 64);

// A tile is named by a number that the compiler knows. Rows in memory are `stride` bytes apart.
struct AmxTiles {
  static void Configure(const TileConfig& config) {
    __asm__ volatile("ldtilecfg %0" : : "m"(config));
  }
  static void Release() { __asm__ volatile("tilerelease"); }

  template <int kTile>
  static void Zero() {
    __asm__ volatile("tilezero %%tmm%c0" : : "i"(kTile));
  }
  template <int kTile>
  static void Load(const void* rows, std::int64_t stride) {
    __asm__ volatile("tileloadd (%0,%1,1), %%tmm%c2"
                     :
                     : "r"(rows), "r"(stride), "i"(kTile)
                     : "memory");
  }
  template <int kTile>
  static void Store(void* rows, std::int64_t stride) {
    __asm__ volatile("tilestored %%tmm%c2, (%0,%1,1)"
                     :
                     : "r"(rows), "r"(stride), "i"(kTile)
                     : "memory");
  }
  // sum[i, j] += the sum over p of a[i, p] * b[p / 4, j, p % 4]; a unsigned, b signed.
  template <int kSum, int kA, int kB>
  static void MultiplyAdd() {
    __asm__ volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kSum), "i"(kA), "i"(kB));
  }
};

// While it lives, the tiles are configured on this thread. Configuring takes some 200 cycles (Intel
// 64 and IA-32 Architectures Optimization Reference Manual, chapter 20), so a kernel does it once.
// A thread that did not release them would have their 8 KiB saved whenever another one gets its
// core.
template <class Tiles>
class TileScope {
 public:
  explicit TileScope(int first_rows) { Tiles::Configure(TileConfig(first_rows)); }
  ~TileScope() { Tiles::Release(); }
  TileScope(const TileScope&) = delete;
  TileScope& operator=(const TileScope&) = delete;
};

}  // namespace
}  // namespace lethe
