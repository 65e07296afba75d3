#pragma once

// The loops of peak.h, spelled once over types of an unnamed namespace that an instruction set's
// file supplies:
//   Instruction   Register, Zero(), Step(Register*): one multiplication and addition that the
//                 compiler can neither move nor leave out, kOperations of it
//   Reader        Register, Zero(), kBytes, Load(p) of so many, Join(a, b), Low(r): 64 bits of it

#include <cstdint>

#include "kernels/internal/unroll.h"
#include "kernels/peak.h"

namespace lethe::kernels_internal {

// More chains than the latest instruction has cycles, times the number a core begins in one.
inline constexpr int kChains = 12;

template <class Instruction>
std::int64_t Multiply(std::int64_t rounds) {
  typename Instruction::Register r[kChains];
  Unroll<kChains>([&]<int i>() __attribute__((always_inline)) { r[i] = Instruction::Zero(); });
  for (std::int64_t n = 0; n < rounds; ++n) {
    Unroll<kChains>([&]<int i>() __attribute__((always_inline)) { Instruction::Step(&r[i]); });
  }
  return rounds * kChains * Instruction::kOperations;
}

template <class Reader, bool kAhead>
std::uint64_t Read(const void* data, std::int64_t bytes) {
  constexpr int kLoads = kReadBlock / Reader::kBytes, kSums = kLoads < 8 ? kLoads : 8;
  constexpr int kDistance = 8192;
  typename Reader::Register sum[kSums];
  Unroll<kSums>([&]<int i>() __attribute__((always_inline)) { sum[i] = Reader::Zero(); });
  const char* p = static_cast<const char*>(data);
  for (const char* end = p + bytes; p < end; p += kReadBlock) {
    if constexpr (kAhead) {
      Unroll<kReadBlock / 64>([&]<int i>() __attribute__((always_inline)) {
        __builtin_prefetch(p + kDistance + 64 * i, 0, 3);
      });
    }
    Unroll<kLoads>([&]<int i>() __attribute__((always_inline)) {
      sum[i % kSums] = Reader::Join(sum[i % kSums], Reader::Load(p + i * Reader::kBytes));
    });
  }
  std::uint64_t low = 0;
  Unroll<kSums>([&]<int i>() __attribute__((always_inline)) { low ^= Reader::Low(sum[i]); });
  return low;
}

}  // namespace lethe::kernels_internal
