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
// registers at every step: so it is told the instruction. Sanitizers see nothing of that, and get
// the read itself.
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
#if defined(__clang__) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    int four = 0;
    __builtin_memcpy(&four, three_[i / 3] + i % 3 * stride_, sizeof(four));
    return _mm512_set1_epi32(four);
#else
    __m512i four;
    const char* const rows = three_[i / 3];
    // An operand that no instruction names, without an end: whatever is in the rows is read.
    const auto& read = *reinterpret_cast<const char(*)[]>(rows);
    if constexpr (i % 3 == 0) {
      __asm__("vpbroadcastd (%1), %0" : "=v"(four) : "r"(rows), "m"(read));
    } else if constexpr (i % 3 == 1) {
      __asm__("vpbroadcastd (%1,%2), %0" : "=v"(four) : "r"(rows), "r"(stride_), "m"(read));
    } else {
      __asm__("vpbroadcastd (%1,%2,2), %0" : "=v"(four) : "r"(rows), "r"(stride_), "m"(read));
    }
    return four;
#endif
  }

  // To the next four bytes.
  void Advance() {
    Unroll<kPointers>([&]<int i>() __attribute__((always_inline)) { three_[i] += 4; });
  }

 private:
  static constexpr int kPointers = (kRows + 2) / 3;
  const char* three_[kPointers];
  std::int64_t stride_;
};

}  // namespace
}  // namespace lethe
