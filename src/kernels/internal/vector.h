#pragma once

// What the float kernels are made of: a vector of 16 lanes, and functions of one.
//
// V is the vector of one instruction set. It is a type of an unnamed namespace in the file that
// includes this header, so that every instantiation stays local to that file. V supplies
//   V::Load(p) Store(p) LoadPartial(p, n) (missing lanes 0) StorePartial(p, n) V::Set(x)
//   a + b, a - b, a * b, a / b, V::Fma(a, b, c) = a * b + c rounded once, V::Max, V::Min
//   V::Sqrt, V::Round (to even), V::Abs, V::CopySign(magnitude, sign), V::Scale2(x, n) = x * 2^n
//   for integral n in [-126, 127], V::Turn(x, angles): pairs (a, b) of x by pairs (c, s) of angles,
//   (a * c - b * s, b * c + a * s), V::KeepFirst(v, n, other): the first n lanes of v, the rest of
//   other; AtLeast(limit): a bit for each lane that is no less than that of limit
//   Sum(), Largest(), Smallest(): over the lanes, in the order kernels.h describes
//   V::LoadHalf(p), StoreHalf(p): 16 values in half precision, rounded to even
//   V::SumFour(v, sums): Sum() of four vectors
//   of integral values: StoreShorts(p) as s16, StoreBytes(p) their low 8 bits
//   V::StoreQuads(x, p, counts): the low 8 bits of four vectors, rounded to even, interleaved,
//   those of a lane together; adds these four to the lane's of V::Counts, which begins with zeros
//   and is written as s32 by StoreCounts(counts, p)
//   V::StoreTransposed(x, ldx, n, m, y, ldy): x [n, m] becomes y [m, n], rows ldx and ldy apart
// and kAttendVectors, the number of vectors that Attend keeps side by side for its values.

#include <cstdint>

#include "kernels/kernels.h"

namespace lethe::kernels_internal {

// exp(x), x clamped to [-86, 88]. Cody and Waite's reduction to |r| <= ln2/2, then a polynomial
// with the coefficients of the Taylor series; relative error below 2e-7.
template <class V>
inline V Exp(V x) {
  x = V::Min(V::Max(x, V::Set(-86.0f)), V::Set(88.0f));
  const V n = V::Round(x * V::Set(1.44269504088896341f));
  V r = V::Fma(n, V::Set(-0.693359375f), x);
  r = V::Fma(n, V::Set(2.12194440054690583e-4f), r);
  V p = V::Set(1.0f / 5040.0f);
  p = V::Fma(p, r, V::Set(1.0f / 720.0f));
  p = V::Fma(p, r, V::Set(1.0f / 120.0f));
  p = V::Fma(p, r, V::Set(1.0f / 24.0f));
  p = V::Fma(p, r, V::Set(1.0f / 6.0f));
  p = V::Fma(p, r, V::Set(0.5f));
  p = V::Fma(p, r, V::Set(1.0f));
  p = V::Fma(p, r, V::Set(1.0f));
  return V::Scale2(p, n);
}

// 255 * exp(s - top) for bytes, s <= top, out of offset = ByteExpOffset(top); relative error below
// 5e-6. 2^f between -1/2 and 1/2 is interpolated at Chebyshev's five points. What is below 2^-16
// stays there, and is 0 when it is rounded.
constexpr float kLog2E = 1.44269504088896341f;

template <class V>
inline V ByteExpOffset(V top) {
  return V::Set(0.0f) - top * V::Set(kLog2E);
}

// 255 * 2^f.
template <class V>
inline V ByteExp2(V f) {
  V p = V::Set(2.464923971f);
  p = V::Fma(p, f, V::Set(14.260103840f));
  p = V::Fma(p, f, V::Set(61.256990047f));
  p = V::Fma(p, f, V::Set(176.745866527f));
  return V::Fma(p, f, V::Set(255.0f));
}

// 255 * 2^t.
template <class V>
inline V ByteScale2(V t) {
  const V n = V::Round(t);
  return V::Scale2(ByteExp2(t - n), n);
}

template <class V>
inline V ByteExp(V s, V offset) {
  return ByteScale2<V>(V::Max(V::Fma(s, V::Set(kLog2E), offset), V::Set(-16.0f)));
}

template <class V>
inline V Sigmoid(V x) {
  const V one = V::Set(1.0f);
  return one / (one + Exp(V::Set(0.0f) - x));
}

template <class V>
inline V Tanh(V x) {
  // 1 - 2 / (exp(2|x|) + 1) has no cancellation that matters at 3e-7 absolute.
  const V one = V::Set(1.0f);
  const V magnitude = V::Min(V::Abs(x), V::Set(20.0f));
  const V e = Exp(magnitude + magnitude);
  return V::CopySign(one - V::Set(2.0f) / (e + one), x);
}

// erf(x / sqrt 2), x cut to [-4.2, 4.2]: x * p(x * x). p is 1 / 4.2 at the ends, so beyond them it
// is 1, but for 1.2e-7; and it is as close as it can be to what GELU is, x / 2 * (1 + erf): |error|
// of that <= 8e-5 between them. No exponential and no division: bytes are made of what comes of it.
template <class V>
inline V ErfOfNormal(V x) {
  const V z = V::Min(V::Max(x, V::Set(-4.2f)), V::Set(4.2f));
  const V u = V::Fma(z * z, V::Set(2.0f / 17.64f), V::Set(-1.0f));
  V p = V::Set(-0.0074886037f);
  p = V::Fma(p, u, V::Set(0.022351531f));
  p = V::Fma(p, u, V::Set(-0.032934308f));
  p = V::Fma(p, u, V::Set(0.047555413f));
  p = V::Fma(p, u, V::Set(-0.075852394f));
  p = V::Fma(p, u, V::Set(0.11189743f));
  p = V::Fma(p, u, V::Set(-0.16314295f));
  p = V::Fma(p, u, V::Set(0.33570912f));
  return z * p;
}

// f(i, count) for each vector of n values: i is where it begins, count how many lanes it has. All
// but the last have the constant kLanes, for which masks fall away.
template <class F>
[[gnu::always_inline]] inline void EachVector(int n, F f) {
  int i = 0;
  for (; i + kLanes <= n; i += kLanes) f(i, kLanes);
  if (i < n) f(i, n - i);
}

// Applies f to n values in place.
template <class V, class F>
inline void Map(float* x, std::int64_t n, F f) {
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) f(V::Load(x + i)).Store(x + i);
  if (i < n) {
    const int rest = static_cast<int>(n - i);
    f(V::LoadPartial(x + i, rest)).StorePartial(x + i, rest);
  }
}

}  // namespace lethe::kernels_internal
