#pragma once

// Four by four floats at a time.

#include <cstdint>

#include <immintrin.h>

namespace lethe {
namespace {

// x [n, m], rows ldx apart, becomes y [m, n], rows ldy apart.
inline void StoreTransposed(const float* x, std::int64_t ldx, int n, int m, float* y,
                            std::int64_t ldy) {
  const int whole_n = n / 4 * 4, whole_m = m / 4 * 4;
  for (int i = 0; i < whole_n; i += 4) {
    for (int j = 0; j < whole_m; j += 4) {
      const float* from = x + i * ldx + j;
      __m128 a = _mm_loadu_ps(from), b = _mm_loadu_ps(from + ldx);
      __m128 c = _mm_loadu_ps(from + 2 * ldx), d = _mm_loadu_ps(from + 3 * ldx);
      _MM_TRANSPOSE4_PS(a, b, c, d);
      float* to = y + j * ldy + i;
      _mm_storeu_ps(to, a);
      _mm_storeu_ps(to + ldy, b);
      _mm_storeu_ps(to + 2 * ldy, c);
      _mm_storeu_ps(to + 3 * ldy, d);
    }
  }
  for (int i = 0; i < n; ++i) {
    for (int j = i < whole_n ? whole_m : 0; j < m; ++j) y[j * ldy + i] = x[i * ldx + j];
  }
}

}  // namespace
}  // namespace lethe
