#pragma once

// Fourier transforms of sixteen real signals at once, over the vector of vector.h: a lane a signal.

#include <cstdint>

#include "kernels/kernels.h"

namespace lethe::kernels_internal {

// z [points, 2, 16], complex, is transformed in place; element k is found at BitReversed(k).
// `turns` holds (cos, sin) of 2 pi k / (2 * points).
template <class V>
inline void TransformInPlace(int points, const float* turns, float* z) {
  for (int span = points / 2; span >= 1; span /= 2) {
    const int step = points / span;
    for (int j = 0; j < span; ++j) {
      const V c = V::Set(turns[2 * j * step]), s = V::Set(turns[2 * j * step + 1]);
      for (int i = j; i < points; i += 2 * span) {
        float* a = z + i * 2 * kLanes;
        float* b = a + span * 2 * kLanes;
        const V a_re = V::Load(a), a_im = V::Load(a + kLanes);
        const V b_re = V::Load(b), b_im = V::Load(b + kLanes);
        (a_re + b_re).Store(a);
        (a_im + b_im).Store(a + kLanes);
        const V re = a_re - b_re, im = a_im - b_im;
        V::Fma(re, c, im * s).Store(b);
        (im * c - re * s).Store(b + kLanes);
      }
    }
  }
}

// `bits` of k in reverse order.
constexpr int BitReversed(int k, int bits) {
  int reversed = 0;
  for (int i = 0; i < bits; ++i) reversed |= ((k >> i) & 1) << (bits - 1 - i);
  return reversed;
}

// Even samples are the real, odd ones the imaginary parts of half as many points; what belongs to
// either is told by the symmetry of a real signal's transform.
template <class V>
void Spectrum(const float* x, int m, int size, std::int64_t ldx, const float* window,
              const float* turns, float* scratch, float* y) {
  const int points = size / 2;
  int bits = 0;
  while ((1 << bits) < points) ++bits;
  V::StoreTransposed(x, ldx, m, size, scratch, kLanes);
  for (int n = 0; n < size; ++n) {
    float* sample = scratch + n * kLanes;
    (V::LoadPartial(sample, m) * V::Set(window[n])).Store(sample);
  }
  TransformInPlace<V>(points, turns, scratch);
  const V half = V::Set(0.5f);
  for (int k = 0; k <= points / 2; ++k) {
    const float* a = scratch + BitReversed(k, bits) * 2 * kLanes;
    const float* b = scratch + BitReversed((points - k) % points, bits) * 2 * kLanes;
    const V a_re = V::Load(a), a_im = V::Load(a + kLanes);
    const V b_re = V::Load(b), b_im = V::Load(b + kLanes);
    const V even_re = half * (a_re + b_re), even_im = half * (a_im - b_im);
    const V odd_re = half * (a_im + b_im), odd_im = half * (b_re - a_re);
    const V c = V::Set(turns[2 * k]), s = V::Set(turns[2 * k + 1]);
    const V turned_re = V::Fma(odd_re, c, odd_im * s), turned_im = odd_im * c - odd_re * s;
    const auto store = [](V re, V im, float* to) { V::Sqrt(V::Fma(re, re, im * im)).Store(to); };
    store(even_re + turned_re, even_im + turned_im, y + k * kLanes);
    store(even_re - turned_re, even_im - turned_im, y + (points - k) * kLanes);
  }
}

}  // namespace lethe::kernels_internal
