#pragma once

// Sixteen lanes in plain C++: what the other vectors are compared with.

#include <cstdint>

namespace lethe {
namespace {

// IEEE 754 binary16 to binary32, exact.
inline float FromHalf(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000u) << 16, fraction = half & 1023u;
  const std::uint32_t exponent = (half >> 10) & 31u;
  if (exponent == 0) {
    const float tiny = static_cast<float>(fraction) * 0x1p-24f;
    return sign != 0 ? -tiny : tiny;
  }
  const std::uint32_t wide = exponent == 31 ? 255 : exponent + 112;
  return __builtin_bit_cast(float, sign | (wide << 23) | (fraction << 13));
}

// Rounds to even; too large becomes infinite.
inline std::uint16_t ToHalfBits(float x) {
  const auto bits = __builtin_bit_cast(std::uint32_t, x);
  const std::uint32_t sign = (bits >> 16) & 0x8000u;
  const float magnitude = __builtin_fabsf(x);
  if (!(magnitude == magnitude)) return static_cast<std::uint16_t>(sign | 0x7e00u);
  if (magnitude >= 65520.0f) return static_cast<std::uint16_t>(sign | 0x7c00u);
  if (magnitude < 0x1p-14f) {
    // In units of 2^-24, which an integer holds exactly; 1024 of them are the least normal number.
    const float units = __builtin_nearbyintf(magnitude * 0x1p24f);
    return static_cast<std::uint16_t>(sign | static_cast<std::uint32_t>(units));
  }
  const std::uint32_t whole = (bits & 0x7fffffffu) - (112u << 23);
  const std::uint32_t rounded = whole + 0xfffu + ((whole >> 13) & 1u);
  return static_cast<std::uint16_t>(sign | (rounded >> 13));
}

struct ScalarVector {
  static constexpr int kAttendVectors = 1;
  float lane[16];

  template <class F>
  static ScalarVector Each(F f) {
    ScalarVector r;
    for (int i = 0; i < 16; ++i) r.lane[i] = f(i);
    return r;
  }
  static ScalarVector Set(float x) {
    return Each([x](int) { return x; });
  }
  static ScalarVector Load(const float* p) {
    return Each([p](int i) { return p[i]; });
  }
  static ScalarVector LoadPartial(const float* p, int n) {
    return Each([p, n](int i) { return i < n ? p[i] : 0.0f; });
  }
  void Store(float* p) const { StorePartial(p, 16); }
  void StorePartial(float* p, int n) const {
    for (int i = 0; i < n; ++i) p[i] = lane[i];
  }
  static ScalarVector LoadHalf(const std::uint16_t* p) {
    return Each([p](int i) { return FromHalf(p[i]); });
  }
  void StoreHalf(std::uint16_t* p) const {
    for (int i = 0; i < 16; ++i) p[i] = ToHalfBits(lane[i]);
  }
  void StoreShorts(std::int16_t* p) const {
    for (int i = 0; i < 16; ++i) p[i] = static_cast<std::int16_t>(lane[i]);
  }
  void StoreBytes(std::uint8_t* p) const {
    for (int i = 0; i < 16; ++i) {
      p[i] = static_cast<std::uint8_t>(static_cast<std::int32_t>(lane[i]));
    }
  }
  struct Counts {
    std::int32_t lane[16];
  };
  static void StoreQuads(const ScalarVector* x, std::int8_t* p, Counts* counts) {
    for (int i = 0; i < 64; ++i) {
      const float rounded = __builtin_nearbyintf(x[i % 4].lane[i / 4]);
      p[i] = static_cast<std::int8_t>(static_cast<std::int32_t>(rounded));
      counts->lane[i / 4] += p[i];
    }
  }
  static void StoreCounts(const Counts& counts, std::int32_t* p) {
    for (int i = 0; i < 16; ++i) p[i] = counts.lane[i];
  }
  friend ScalarVector operator+(const ScalarVector& a, const ScalarVector& b) {
    return Each([&](int i) { return a.lane[i] + b.lane[i]; });
  }
  friend ScalarVector operator-(const ScalarVector& a, const ScalarVector& b) {
    return Each([&](int i) { return a.lane[i] - b.lane[i]; });
  }
  friend ScalarVector operator*(const ScalarVector& a, const ScalarVector& b) {
    return Each([&](int i) { return a.lane[i] * b.lane[i]; });
  }
  friend ScalarVector operator/(const ScalarVector& a, const ScalarVector& b) {
    return Each([&](int i) { return a.lane[i] / b.lane[i]; });
  }
  static ScalarVector Fma(const ScalarVector& a, const ScalarVector& b, const ScalarVector& c) {
    return Each([&](int i) { return __builtin_fmaf(a.lane[i], b.lane[i], c.lane[i]); });
  }
  // As maxps and minps do: the second operand when the two are equal.
  static ScalarVector Max(const ScalarVector& a, const ScalarVector& b) {
    return Each([&](int i) { return a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i]; });
  }
  static ScalarVector Min(const ScalarVector& a, const ScalarVector& b) {
    return Each([&](int i) { return a.lane[i] < b.lane[i] ? a.lane[i] : b.lane[i]; });
  }
  static ScalarVector Sqrt(const ScalarVector& a) {
    return Each([&](int i) { return __builtin_sqrtf(a.lane[i]); });
  }
  static ScalarVector Round(const ScalarVector& a) {
    return Each([&](int i) { return __builtin_nearbyintf(a.lane[i]); });
  }
  static ScalarVector Abs(const ScalarVector& a) {
    return Each([&](int i) { return __builtin_fabsf(a.lane[i]); });
  }
  static ScalarVector CopySign(const ScalarVector& a, const ScalarVector& sign) {
    return Each([&](int i) { return __builtin_copysignf(a.lane[i], sign.lane[i]); });
  }
  static ScalarVector Scale2(const ScalarVector& a, const ScalarVector& n) {
    return Each([&](int i) { return __builtin_ldexpf(a.lane[i], static_cast<int>(n.lane[i])); });
  }
  static void StoreTransposed(const float* x, std::int64_t ldx, int n, int m, float* y,
                              std::int64_t ldy) {
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < m; ++j) y[j * ldy + i] = x[i * ldx + j];
    }
  }
  static ScalarVector Turn(const ScalarVector& x, const ScalarVector& angles) {
    return Each([&](int i) {
      const float same = x.lane[i] * angles.lane[i / 2 * 2];
      const float other = x.lane[i ^ 1] * angles.lane[i | 1];
      return i % 2 == 0 ? same - other : same + other;
    });
  }
  static ScalarVector KeepFirst(const ScalarVector& a, int n, const ScalarVector& other) {
    return Each([&](int i) { return i < n ? a.lane[i] : other.lane[i]; });
  }
  std::uint32_t AtLeast(const ScalarVector& limit) const {
    std::uint32_t lanes = 0;
    for (int i = 0; i < kLanes; ++i) lanes |= (lane[i] >= limit.lane[i] ? 1u : 0u) << i;
    return lanes;
  }
  template <class F>
  float Fold(F f) const {
    ScalarVector r = *this;
    for (int half = 8; half > 0; half /= 2) {
      for (int i = 0; i < half; ++i) r.lane[i] = f(r.lane[i], r.lane[i + half]);
    }
    return r.lane[0];
  }
  static void SumFour(const ScalarVector* v, float* sums) {
    for (int i = 0; i < 4; ++i) sums[i] = v[i].Sum();
  }
  float Sum() const {
    return Fold([](float a, float b) { return a + b; });
  }
  float Largest() const {
    return Fold([](float a, float b) { return a > b ? a : b; });
  }
  float Smallest() const {
    return Fold([](float a, float b) { return a < b ? a : b; });
  }
};

}  // namespace
}  // namespace lethe
