#pragma once

// The product of float matrices, over the vector of vector.h.

#include <cstdint>

#include "kernels/internal/unroll.h"
#include "kernels/internal/vector.h"

namespace lethe::kernels_internal {

// Rows x Columns vectors of c stay in registers while k runs.
template <class V, int kRows, int kColumns>
inline void SgemmTile(int k, const float* a, std::int64_t row_stride, std::int64_t column_stride,
                      const float* b, std::int64_t ldb, const float* bias, float* c,
                      std::int64_t ldc) {
  V sum[kRows][kColumns];
  Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
    Unroll<kColumns>([&]<int j>() __attribute__((always_inline)) {
      sum[i][j] = bias != nullptr ? V::Load(bias + j * kLanes) : V::Set(0.0f);
    });
  });
  for (int p = 0; p < k; ++p) {
    V column[kColumns];
    Unroll<kColumns>([&]<int j>()
                         __attribute__((always_inline)) { column[j] = V::Load(b + j * kLanes); });
    Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
      const V x = V::Set(a[i * row_stride]);
      Unroll<kColumns>([&]<int j>() __attribute__((always_inline)) {
        sum[i][j] = V::Fma(x, column[j], sum[i][j]);
      });
    });
    a += column_stride;
    b += ldb;
  }
  Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
    Unroll<kColumns>([&]<int j>() __attribute__((always_inline)) {
      sum[i][j].Store(c + i * ldc + j * kLanes);
    });
  });
}

template <class V, int kRows, int kColumns>
inline void SgemmRows(int n, int k, const float* a, std::int64_t row_stride,
                      std::int64_t column_stride, const float* b, std::int64_t ldb,
                      const float* bias, float* c, std::int64_t ldc) {
  int j = 0;
  for (; j + kColumns * kLanes <= n; j += kColumns * kLanes) {
    SgemmTile<V, kRows, kColumns>(k, a, row_stride, column_stride, b + j, ldb,
                                  bias != nullptr ? bias + j : nullptr, c + j, ldc);
  }
  for (; j < n; j += kLanes) {
    SgemmTile<V, kRows, 1>(k, a, row_stride, column_stride, b + j, ldb,
                           bias != nullptr ? bias + j : nullptr, c + j, ldc);
  }
}

template <class V>
void Sgemm(int m, int n, int k, const float* a, std::int64_t row_stride, std::int64_t column_stride,
           const float* b, std::int64_t ldb, const float* bias, float* c, std::int64_t ldc) {
  int i = 0;
  for (; i + 6 <= m; i += 6, a += 6 * row_stride, c += 6 * ldc) {
    SgemmRows<V, 6, V::kColumns>(n, k, a, row_stride, column_stride, b, ldb, bias, c, ldc);
  }
  for (; i + 4 <= m; i += 4, a += 4 * row_stride, c += 4 * ldc) {
    SgemmRows<V, 4, V::kColumns>(n, k, a, row_stride, column_stride, b, ldb, bias, c, ldc);
  }
  // One row waits for b, and reads as much of a row of it as there are registers.
  constexpr int kWide = V::kRowColumns * kLanes;
  const int wide = n / kWide * kWide;
  for (; i < m; ++i, a += row_stride, c += ldc) {
    SgemmRows<V, 1, V::kRowColumns>(wide, k, a, row_stride, column_stride, b, ldb, bias, c, ldc);
    SgemmRows<V, 1, 4>(n - wide, k, a, row_stride, column_stride, b + wide, ldb,
                       bias != nullptr ? bias + wide : nullptr, c + wide, ldc);
  }
}

}  // namespace lethe::kernels_internal
