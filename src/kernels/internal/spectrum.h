#pragma once

// Fourier transforms of sixteen real signals at once, over the vector of vector.h: a lane a signal.

#include <cstdint>

#include "kernels/kernels.h"

namespace lethe::kernels_internal {

// A complex number in each lane.
template <class V>
struct ComplexVector {
  V re, im;
};

template <class V>
inline ComplexVector<V> LoadComplex(const float* z) {
  return {V::Load(z), V::Load(z + kLanes)};
}

template <class V>
inline void StoreComplex(ComplexVector<V> x, float* z) {
  x.re.Store(z);
  x.im.Store(z + kLanes);
}

// (a, b) becomes (a + b, (a - b) * exp(-i angle)), of which `turn` holds (cos, sin).
template <class V>
inline void Butterfly(const float* turn, ComplexVector<V>* a, ComplexVector<V>* b) {
  const V c = V::Set(turn[0]), s = V::Set(turn[1]);
  const V re = a->re - b->re, im = a->im - b->im;
  *a = {a->re + b->re, a->im + b->im};
  *b = {V::Fma(re, c, im * s), im * c - re * s};
}

// z [points, 2, 16], complex, is transformed in place; element k is found at BitReversed(k).
// `turns` holds (cos, sin) of 2 pi k / (2 * points). Two steps at a time while there are two: what
// is between them stays in registers. `load(z)` is what the first step reads at z.
template <class V, class Load>
inline void TransformInPlace(int points, const float* turns, float* z, Load load) {
  constexpr int kPlace = 2 * kLanes;
  const auto two_steps = [&](int span, auto read) __attribute__((always_inline)) {
    const int step = points / span, half = span / 2;
    for (int j = 0; j < half; ++j) {
      for (int i = j; i < points; i += 2 * span) {
        float* at[4];
        ComplexVector<V> x[4];
        for (int r = 0; r < 4; ++r) {
          at[r] = z + (i + r * half) * kPlace;
          x[r] = read(at[r]);
        }
        Butterfly(turns + 2 * j * step, &x[0], &x[2]);
        Butterfly(turns + 2 * (j + half) * step, &x[1], &x[3]);
        Butterfly(turns + 4 * j * step, &x[0], &x[1]);
        Butterfly(turns + 4 * j * step, &x[2], &x[3]);
        for (int r = 0; r < 4; ++r) StoreComplex(x[r], at[r]);
      }
    }
  };
  const auto last_step = [&](auto read) __attribute__((always_inline)) {
    for (int i = 0; i < points; i += 2) {
      float* at = z + i * kPlace;
      ComplexVector<V> a = read(at), b = read(at + kPlace);
      Butterfly(turns, &a, &b);
      StoreComplex(a, at);
      StoreComplex(b, at + kPlace);
    }
  };
  if (points == 2) return last_step(load);
  two_steps(points / 2, load);
  int span = points / 8;
  for (; span > 1; span /= 4) two_steps(span, LoadComplex<V>);
  if (span == 1) last_step(LoadComplex<V>);
}

// `bits` of k in reverse order.
static constexpr int BitReversed(int k, int bits) {
  int reversed = 0;
  for (int i = 0; i < bits; ++i) reversed |= ((k >> i) & 1) << (bits - 1 - i);
  return reversed;
}

// Even samples are the real, odd ones the imaginary parts of half as many points; what belongs to
// either is told by the symmetry of a real signal's transform.
template <class V>
void Spectrum(const float* x, int m, int size, std::int64_t ldx, const float* window,
              const float* turns, float* scratch, float* y, std::int64_t ldy) {
  const int points = size / 2;
  int bits = 0;
  while ((1 << bits) < points) ++bits;
  float* magnitudes = scratch + std::int64_t{size} * kLanes;
  V::StoreTransposed(x, ldx, m, size, scratch, kLanes);
  TransformInPlace<V>(
      points, turns, scratch, [=](const float* z) __attribute__((always_inline)) {
        const float* w = window + (z - scratch) / kLanes;
        return ComplexVector<V>{V::LoadPartial(z, m) * V::Set(w[0]),
                                V::LoadPartial(z + kLanes, m) * V::Set(w[1])};
      });
  const V half = V::Set(0.5f);
  for (int k = 0; k <= points / 2; ++k) {
    const auto a = LoadComplex<V>(scratch + BitReversed(k, bits) * 2 * kLanes);
    const auto b = LoadComplex<V>(scratch + BitReversed((points - k) % points, bits) * 2 * kLanes);
    const V even_re = half * (a.re + b.re), even_im = half * (a.im - b.im);
    const V odd_re = half * (a.im + b.im), odd_im = half * (b.re - a.re);
    const V c = V::Set(turns[2 * k]), s = V::Set(turns[2 * k + 1]);
    const V turned_re = V::Fma(odd_re, c, odd_im * s), turned_im = odd_im * c - odd_re * s;
    const auto store = [](V re, V im, float* to) { V::Sqrt(V::Fma(re, re, im * im)).Store(to); };
    store(even_re + turned_re, even_im + turned_im, magnitudes + k * kLanes);
    store(even_re - turned_re, even_im - turned_im, magnitudes + (points - k) * kLanes);
  }
  V::StoreTransposed(magnitudes, kLanes, points + 1, m, y, ldy);
}

}  // namespace lethe::kernels_internal
