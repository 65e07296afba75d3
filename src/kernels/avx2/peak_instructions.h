#pragma once

// What the AVX2 and the AVX-VNNI loops have in common.

#include <cstdint>

#include <immintrin.h>

namespace lethe {
namespace {

struct Floats {
  using Register = __m256;
  static constexpr std::int64_t kOperations = 2 * 8;
  static Register Zero() { return _mm256_setzero_ps(); }
  static void Step(Register* r) {
    __asm__ volatile("vfmadd231ps %1, %1, %0" : "+x"(*r) : "x"(_mm256_set1_ps(1.0f)));
  }
};

struct Reader {
  using Register = __m256i;
  static constexpr int kBytes = 32;
  static Register Zero() { return _mm256_setzero_si256(); }
  static Register Load(const char* p) {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(p));
  }
  static Register Join(Register a, Register b) { return _mm256_xor_si256(a, b); }
  static std::uint64_t Low(Register r) {
    return static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm256_castsi256_si128(r)));
  }
};

}  // namespace
}  // namespace lethe
