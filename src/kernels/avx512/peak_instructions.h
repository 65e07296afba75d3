#pragma once

// What the AVX-512 and the AMX loops have in common.

#include <cstdint>

#include <immintrin.h>

namespace lethe {
namespace {

struct Shorts {
  using Register = __m512i;
  static constexpr std::int64_t kOperations = 2 * 32;
  static Register Zero() { return _mm512_setzero_si512(); }
  static void Step(Register* r) {
    __asm__ volatile("vpdpwssd %1, %1, %0" : "+v"(*r) : "v"(_mm512_set1_epi16(1)));
  }
};

struct Floats {
  using Register = __m512;
  static constexpr std::int64_t kOperations = 2 * 16;
  static Register Zero() { return _mm512_setzero_ps(); }
  static void Step(Register* r) {
    __asm__ volatile("vfmadd231ps %1, %1, %0" : "+v"(*r) : "v"(_mm512_set1_ps(1.0f)));
  }
};

struct Reader {
  using Register = __m512i;
  static constexpr int kBytes = 64;
  static Register Zero() { return _mm512_setzero_si512(); }
  static Register Load(const char* p) { return _mm512_load_si512(p); }
  static Register Join(Register a, Register b) { return _mm512_xor_si512(a, b); }
  static std::uint64_t Low(Register r) {
    return static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm512_castsi512_si128(r)));
  }
};

}  // namespace
}  // namespace lethe
