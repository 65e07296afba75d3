#pragma once

// The rows of a tile of a product, four bytes of each at a time.

#include <cstdint>

#include <immintrin.h>

#include "kernels/internal/unroll.h"

namespace lethe {
namespace {

using kernels_internal::Unroll;

// A pointer serves three rows, as far as an address reaches with one distance. Left to itself, GCC
// 12 keeps the distance of each of twelve rows and moves what finds no register through vector
// registers at every step.
template <int kRows>
class TileRows {
 public:
  // Rows are `stride` bytes apart.
  TileRows(const void* first, std::int64_t stride) : stride_(stride) {
    for (int i = 0; i < kPointers; ++i) {
      three_[i] = static_cast<const char*>(first) + std::int64_t{3 * i} * stride;
    }
  }

  // The four bytes of row i in every lane.
  template <int i>
  __m512i Broadcast() const {
    __m512i four;
    const char* const rows = three_[i / 3];
    // An operand that no instruction names: it tells the compiler that memory is read.
    const auto& read = *reinterpret_cast<const Bytes*>(rows);
    if constexpr (i % 3 == 0) {
      __asm__("vpbroadcastd (%1), %0" : "=v"(four) : "r"(rows), "m"(read));
    } else if constexpr (i % 3 == 1) {
      __asm__("vpbroadcastd (%1,%2), %0" : "=v"(four) : "r"(rows), "r"(stride_), "m"(read));
    } else {
      __asm__("vpbroadcastd (%1,%2,2), %0" : "=v"(four) : "r"(rows), "r"(stride_), "m"(read));
    }
    return four;
  }

  // To the next four bytes.
  void Advance() {
    Unroll<kPointers>([&]<int i>() __attribute__((always_inline)) { three_[i] += 4; });
  }

 private:
  static constexpr int kPointers = (kRows + 2) / 3;
  // Whatever may be in the rows from here on.
  struct [[gnu::may_alias]] Bytes {
    char bytes[1 << 30];
  };

  const char* three_[kPointers];
  std::int64_t stride_;
};

}  // namespace
}  // namespace lethe
