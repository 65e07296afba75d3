// A tile reads its rows by an instruction that the compiler does not know: it has to be told that
// they are read, or it leaves out what was written there just before. Not in the folder of what it
// tests: all of that is compiled for AVX-512, and what GTest has inline must not be.

#include <cstdint>
#include <cstring>

#include <immintrin.h>

#include <gtest/gtest.h>

#include "kernels/dispatch.h"

// Clang is given a read that it knows.
#ifndef __clang__

#pragma GCC push_options
#pragma GCC target("avx512f")
#include "kernels/avx512/tile_rows.h"

namespace lethe {
namespace {

constexpr int kStride = 64, kRows = 6;

alignas(64) std::uint8_t known_rows[kRows * kStride];
alignas(64) std::uint32_t words[kRows * kStride / 4];

// What lanes hold; the other 15 have the same.
[[gnu::always_inline]] inline int First(__m512i lanes) {
  int first = 0;
  std::memcpy(&first, &lanes, sizeof(first));
  return first;
}

[[gnu::noinline]] int BesideAStore(std::uint8_t now) {
  const TileRows<1> tile(known_rows, kStride);
  const int before = First(tile.Broadcast<0>());
  known_rows[0] = now;
  return First(tile.Broadcast<0>()) - before;
}

// `rows` may be `words`.
[[gnu::noinline]] int BesideAStoreElsewhere(const std::uint32_t* rows, std::uint32_t now) {
  const TileRows<3> tile(rows, kStride);
  const int before = First(tile.Broadcast<1>());
  words[kStride / 4] = now;
  return First(tile.Broadcast<1>()) - before;
}

[[gnu::noinline]] int OfRowsThatNobodyElseReads(std::uint32_t from) {
  alignas(64) std::uint32_t rows[kRows * kStride / 4];
  for (std::uint32_t& word : rows) word = from++;
  TileRows<kRows> tile(rows, kStride);
  int sum = 0;
  for (int p = 0; p < kStride; p += 4, tile.Advance()) {
    kernels_internal::Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
      sum += First(tile.template Broadcast<i>());
    });
  }
  return sum;
}

}  // namespace
}  // namespace lethe

#pragma GCC pop_options

namespace lethe {
namespace {

TEST(TileRowsTest, RowsAreReadAsTheyAreNow) {
  if (!FindKernels("avx512").ok()) GTEST_SKIP() << "no AVX-512 in this CPU";
  EXPECT_EQ(BesideAStore(7), 7);
  EXPECT_EQ(BesideAStoreElsewhere(words, 9), 9);
  constexpr int kWords = kRows * kStride / 4;
  EXPECT_EQ(OfRowsThatNobodyElseReads(100), kWords * 100 + kWords * (kWords - 1) / 2);
}

}  // namespace
}  // namespace lethe

#endif
