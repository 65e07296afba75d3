#pragma once

// What AmxTiles does, in plain code; see kernels.h.
//
// Source: Intel Architecture Instruction Set Extensions Programming Reference, chapter 3:
// LDTILECFG,
//         TILELOADD, TILESTORED, TILEZERO, TDPBUSD, TILERELEASE and the classes of exceptions.

#include <cstdint>

#include "kernels/amx/tiles.h"
#include "kernels/amx_emulated/kernels.h"

namespace lethe {
namespace {

inline std::int32_t SignExtended(std::uint8_t byte) { return (byte ^ 128) - 128; }

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
    Zero(kTile);
  }
  template <int kTile>
  static void Load(const void* rows, std::int64_t stride) {
    Load(kTile, rows, stride);
  }
  template <int kTile>
  static void Store(void* rows, std::int64_t stride) {
    Store(kTile, rows, stride);
  }
  template <int kSum, int kA, int kB>
  static void MultiplyAdd() {
    MultiplyAdd(kSum, kA, kB);
  }

  static void Zero(int number) {
    if (!Usable(number)) return;
    Tile& tile = state.tiles[number];
    __builtin_memset(tile.bytes, 0, sizeof(tile.bytes));
    tile.filled = true;
  }

  static bool Readable(const void* row, int bytes) {
    const auto at = reinterpret_cast<std::uintptr_t>(row);
    for (int i = 0; i < state.num_readable; ++i) {
      const ReadableMemory& part = state.readable[i];
      const auto begin = reinterpret_cast<std::uintptr_t>(part.begin);
      if (at >= begin &&
          at + static_cast<unsigned>(bytes) <= begin + static_cast<std::uintptr_t>(part.size)) {
        return true;
      }
    }
    return false;
  }

  static void Load(int number, const void* rows, std::int64_t stride) {
    if (!Usable(number)) return;
    Tile& tile = state.tiles[number];
    // Rows and bytes that the configuration has not, become zero.
    __builtin_memset(tile.bytes, 0, sizeof(tile.bytes));
    tile.filled = true;
    const char* from = static_cast<const char*>(rows);
    for (int i = 0; i < Rows(number); ++i) {
      if (!Check(Readable(from + i * stride, Bytes(number)), "row outside memory")) return;
      __builtin_memcpy(tile.bytes[i], from + i * stride, static_cast<unsigned>(Bytes(number)));
    }
  }

  static void Store(int number, void* rows, std::int64_t stride) {
    if (!Usable(number)) return;
    const Tile& tile = state.tiles[number];
    if (!Check(tile.filled, "stored before it was filled")) return;
    if (!Check(stride >= Bytes(number), "rows stored over each other")) return;
    char* to = static_cast<char*>(rows);
    for (int i = 0; i < Rows(number); ++i) {
      __builtin_memcpy(to + i * stride, tile.bytes[i], static_cast<unsigned>(Bytes(number)));
    }
  }

  static void MultiplyAdd(int sum_number, int a_number, int b_number) {
    if (!Usable(sum_number) || !Usable(a_number) || !Usable(b_number)) return;
    if (!Check(sum_number != a_number && sum_number != b_number && a_number != b_number,
               "one tile twice")) {
      return;
    }
    const int rows = Rows(sum_number), columns = Bytes(sum_number) / 4;
    const int quads = Bytes(a_number) / 4;
    if (!Check(Bytes(sum_number) % 4 == 0 && Bytes(a_number) % 4 == 0 && Bytes(b_number) % 4 == 0 &&
                   Rows(a_number) == rows && Bytes(b_number) / 4 == columns &&
                   Rows(b_number) == quads,
               "shapes")) {
      return;
    }
    Tile& sum = state.tiles[sum_number];
    const Tile &a = state.tiles[a_number], &b = state.tiles[b_number];
    if (!Check(sum.filled && a.filled && b.filled, "multiplied before it was filled")) return;
    ++state.products;
    for (int m = 0; m < rows; ++m) {
      for (int n = 0; n < columns; ++n) {
        std::uint32_t total;
        __builtin_memcpy(&total, &sum.bytes[m][4 * n], 4);
        for (int k = 0; k < quads; ++k) {
          for (int i = 0; i < 4; ++i) {
            const std::int32_t left = a.bytes[m][4 * k + i];
            const std::int32_t right = SignExtended(b.bytes[k][4 * n + i]);
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
