#pragma once

// What AmxTiles does, in plain code; see kernels.h.
//
// Source: Intel Architecture Instruction Set Extensions Programming Reference, chapter 3: LDTILECFG,
//         TILELOADD, TILESTORED, TILEZERO, TDPBUSD, TILERELEASE and the classes of exceptions.

#include <cstdint>

#include "kernels/amx/tiles.h"
#include "kernels/amx_emulated/kernels.h"

namespace lethe {
namespace {

struct EmulatedTiles {
  static constexpr int kTiles = 8, kMostRows = 16, kMostBytes = 64;

  struct Tile {
    std::uint8_t bytes[kMostRows][kMostBytes];
    bool filled;
  };
  struct State {
    TileConfig config{0};
    bool configured = false;
    Tile tiles[kTiles];
    ReadableMemory readable[8];
    int num_readable = 0;
    const char* fault = nullptr;
    std::int64_t products = 0;
  };
  static State state;

  static bool Check(bool right, const char* fault) {
    if (!right && state.fault == nullptr) state.fault = fault;
    return right;
  }

  static bool Valid(const TileConfig& c) {
    if (c.palette != 1 || c.start_row != 0) return false;
    for (const std::uint8_t byte : c.reserved) {
      if (byte != 0) return false;
    }
    for (int i = 0; i < 16; ++i) {
      if (c.rows[i] > (i < kTiles ? kMostRows : 0)) return false;
      if (c.row_bytes[i] > (i < kTiles ? kMostBytes : 0)) return false;
      if ((c.rows[i] == 0) != (c.row_bytes[i] == 0)) return false;
    }
    return true;
  }

  static void Configure(const TileConfig& config) {
    Check(!state.configured, "configured twice");
    if (!Check(Valid(config), "configuration")) return;
    __builtin_memcpy(&state.config, &config, sizeof(config));
    state.configured = true;
    for (Tile& tile : state.tiles) {
      __builtin_memset(tile.bytes, 0, sizeof(tile.bytes));
      tile.filled = false;
    }
  }
  static void Release() {
    Check(state.configured, "released twice");
    state.configured = false;
  }

  static bool Usable(int tile) {
    return Check(state.configured, "not configured") &&
           Check(state.config.rows[tile] != 0, "no such tile");
  }
  static int Rows(int tile) { return state.config.rows[tile]; }
  static int Bytes(int tile) { return state.config.row_bytes[tile]; }

  template <int kTile>
  static void Zero() {
    if (!Usable(kTile)) return;
    __builtin_memset(state.tiles[kTile].bytes, 0, sizeof(state.tiles[kTile].bytes));
    state.tiles[kTile].filled = true;
  }

  static bool Readable(const void* row, int bytes) {
    const auto at = reinterpret_cast<std::uintptr_t>(row);
    for (int i = 0; i < state.num_readable; ++i) {
      const ReadableMemory& part = state.readable[i];
      const auto begin = reinterpret_cast<std::uintptr_t>(part.begin);
      if (at >= begin && at + static_cast<unsigned>(bytes) <=
                             begin + static_cast<std::uintptr_t>(part.size)) {
        return true;
      }
    }
    return false;
  }

  template <int kTile>
  static void Load(const void* rows, std::int64_t stride) {
    if (!Usable(kTile)) return;
    Tile& tile = state.tiles[kTile];
    // Rows and bytes that the configuration has not, become zero.
    __builtin_memset(tile.bytes, 0, sizeof(tile.bytes));
    tile.filled = true;
    const char* from = static_cast<const char*>(rows);
    for (int i = 0; i < Rows(kTile); ++i) {
      if (!Check(Readable(from + i * stride, Bytes(kTile)), "row outside memory")) return;
      __builtin_memcpy(tile.bytes[i], from + i * stride, static_cast<unsigned>(Bytes(kTile)));
    }
  }

  template <int kTile>
  static void Store(void* rows, std::int64_t stride) {
    if (!Usable(kTile) || !Check(state.tiles[kTile].filled, "stored before it was filled")) return;
    if (!Check(stride >= Bytes(kTile), "rows stored over each other")) return;
    char* to = static_cast<char*>(rows);
    for (int i = 0; i < Rows(kTile); ++i) {
      __builtin_memcpy(to + i * stride, state.tiles[kTile].bytes[i],
                       static_cast<unsigned>(Bytes(kTile)));
    }
  }

  template <int kSum, int kA, int kB>
  static void MultiplyAdd() {
    if (!Usable(kSum) || !Usable(kA) || !Usable(kB)) return;
    if (!Check(kSum != kA && kSum != kB && kA != kB, "one tile twice")) return;
    if (!Check(Bytes(kSum) % 4 == 0 && Bytes(kA) % 4 == 0 && Bytes(kB) % 4 == 0 &&
                   Rows(kSum) == Rows(kA) && Bytes(kSum) == Bytes(kB) &&
                   Bytes(kA) / 4 == Rows(kB),
               "shapes")) {
      return;
    }
    Tile &sum = state.tiles[kSum], &a = state.tiles[kA], &b = state.tiles[kB];
    if (!Check(sum.filled && a.filled && b.filled, "multiplied before it was filled")) return;
    ++state.products;
    for (int m = 0; m < Rows(kSum); ++m) {
      for (int n = 0; n < Bytes(kSum) / 4; ++n) {
        std::uint32_t total;
        __builtin_memcpy(&total, &sum.bytes[m][4 * n], 4);
        for (int k = 0; k < Bytes(kA) / 4; ++k) {
          for (int i = 0; i < 4; ++i) {
            const std::int32_t left = a.bytes[m][4 * k + i];
            const std::int32_t right = static_cast<std::int8_t>(b.bytes[k][4 * n + i]);
            total += static_cast<std::uint32_t>(left * right);
          }
        }
        __builtin_memcpy(&sum.bytes[m][4 * n], &total, 4);
      }
    }
  }
};

EmulatedTiles::State EmulatedTiles::state;

}  // namespace
}  // namespace lethe
