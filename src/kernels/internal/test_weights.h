#pragma once

// What the tests of the kernels work on: random values, weights in every layout, rows in bytes,
// signals, heads.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/kernels.h"

namespace lethe::kernels_internal {

inline std::vector<float> RandomFloats(std::size_t n, unsigned seed, float spread = 3.0f) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0f, spread);
  std::vector<float> values(n);
  for (float& v : values) v = normal(random);
  return values;
}

// A random matrix in the packed layout, with the arrays that PackedWeights points into.
struct Weights {
  Weights(int n, int k, unsigned seed, bool with_bias) {
    view.n = n;
    view.k = k;
    view.n_padded = (n + 15) / 16 * 16;
    view.k_padded = (k + 3) / 4 * 4;
    std::mt19937 random(seed);
    std::uniform_int_distribution<int> any(-128, 127);
    q.resize(static_cast<std::size_t>(view.n_padded) * view.k_padded + 1024);
    for (auto& v : q) v = static_cast<std::int8_t>(any(random));
    scale = RandomFloats(view.n_padded, seed + 1, 0.02f);
    bias = RandomFloats(view.n_padded, seed + 2);
    for (int i = 0; i < view.n_padded; ++i) {
      zero.push_back(any(random));
      for (int p = k; p < view.k_padded; ++p) At(i, p) = static_cast<std::int8_t>(zero[i]);
      int sum = 0;
      for (int p = 0; p < k; ++p) sum += At(i, p) - zero[i];
      correction.push_back(sum);
    }
    view.weight = q.data();
    view.scale = scale.data();
    view.zero = zero.data();
    view.correction = correction.data();
    view.bias = with_bias ? bias.data() : nullptr;
  }
  std::int8_t& At(int n, int k) {
    return q[static_cast<std::size_t>(n / 16) * view.k_padded * 16 +
             static_cast<std::size_t>(k / 4) * 64 + (n % 16) * 4 + k % 4];
  }
  std::vector<std::int8_t> q;
  std::vector<float> scale, bias;
  std::vector<std::int32_t> zero, correction;
  PackedWeights view;
};

// The signs of w, in the layout of SignWeights.
struct Signs {
  explicit Signs(Weights* w) {
    const int n = w->view.n, k = w->view.k;
    view = {.n = n, .k = k, .n_padded = (n + 255) / 256 * 256, .k_padded = (k + 23) / 24 * 24};
    code.resize(static_cast<std::size_t>(view.n_padded) * view.k_padded / 6);
    scale.resize(view.n_padded);
    error.resize(view.n_padded);
    weight.resize(static_cast<std::size_t>(n) * SignRowBytes(k));
    const auto exact = [w](int i, int p) {
      return w->scale[i] * static_cast<double>(w->At(i, p) - w->zero[i]);
    };
    for (int p = 0; p < k; ++p) {
      double sum = 0;
      for (int i = 0; i < n; ++i) sum += exact(i, p);
      mean.push_back(static_cast<float>(sum / n));
    }
    for (int i = 0; i < n; ++i) {
      double sum = 0, squares = 0, off = 0;
      for (int p = 0; p < k; ++p) {
        const double c = exact(i, p) - mean[p];
        sum += std::abs(c);
        squares += c * c;
        if (c > 0) {
          code[static_cast<std::size_t>(i / 256) * (view.k_padded / 6) * 256 + p / 6 * 256 +
               SignByte(i % 256)] |= 1 << (p % 6);
        }
        Row(i)[p] = w->At(i, p);
      }
      const SignRowEnd end{w->scale[i], w->zero[i], w->correction[i]};
      std::memcpy(Row(i + 1) - sizeof(end), &end, sizeof(end));
      if (sum > 0) scale[i] = static_cast<float>(squares / sum);
      for (int p = 0; p < k; ++p) {
        const double c = exact(i, p) - mean[p];
        off += std::pow(c - (c > 0 ? scale[i] : -scale[i]), 2);
      }
      error[i] = std::max(static_cast<float>(std::sqrt(off / k)), scale[i] / 2);
    }
    view.code = code.data();
    view.mean = mean.data();
    view.scale = scale.data();
    view.error = error.data();
    view.weight = weight.data();
  }
  std::int8_t* Row(int i) {
    return weight.data() + static_cast<std::size_t>(i) * SignRowBytes(view.k);
  }
  std::vector<std::uint8_t> code;
  std::vector<float> mean, scale, error;
  std::vector<std::int8_t> weight;
  SignWeights view;
};

struct Quantized {
  Quantized(const KernelTable& table, const std::vector<float>& x, int m, int k) {
    lda = (k + kActivationAlign - 1) / kActivationAlign * kActivationAlign;
    // What is behind k has to be written, what is behind the last row must not be.
    bytes.assign(static_cast<std::size_t>(m) * lda + 64, 9);
    rows.resize(m);
    table.quantize_rows(x.data(), m, k, k, bytes.data(), lda, rows.data());
  }
  int lda;
  std::vector<std::uint8_t> bytes;
  std::vector<RowScale> rows;
};

inline void ExpectSameBits(const std::vector<float>& a, const std::vector<float>& b,
                           const std::string& what) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(std::bit_cast<std::uint32_t>(a[i]), std::bit_cast<std::uint32_t>(b[i]))
        << what << " at " << i << ": " << a[i] << " and " << b[i];
  }
}

// Some real signals, rows a little longer than they are.
struct Signals {
  Signals(int count, int length) : m(count), size(length), ldx(length + 3) {
    x = RandomFloats(static_cast<std::size_t>(kLanes) * ldx, count + length);
    window = RandomFloats(size, 2, 1.0f);
    for (int k = 0; k < size / 2; ++k) {
      turns.push_back(static_cast<float>(std::cos(2 * std::numbers::pi * k / size)));
      turns.push_back(static_cast<float>(std::sin(2 * std::numbers::pi * k / size)));
    }
  }
  std::vector<float> Spectrum(const KernelTable& table) const {
    std::vector<float> scratch(std::size_t{2} * size * kLanes, 5.0f);
    std::vector<float> y(static_cast<std::size_t>(m) * ldy(), 7.0f);
    table.spectrum(x.data(), m, size, ldx, window.data(), turns.data(), scratch.data(), y.data(),
                   ldy());
    return y;
  }
  // Two behind each row stay 7.
  int ldy() const { return size / 2 + 3; }
  int m, size, ldx;
  std::vector<float> x, window, turns;
};

// Keys and values of a head, packed, and queries; all out of normal x [frames, 3d].
struct Head {
  Head(int num_frames, int dimensions, float spread = 1.0f)
      : frames(num_frames),
        d(dimensions),
        x(RandomFloats(static_cast<std::size_t>(3) * d * frames + kLanes, frames + d, spread)),
        keys(frames, d, 1, false),
        values(d, frames, 2, false) {
    for (Weights* w : {&keys, &values}) std::fill(w->zero.begin(), w->zero.end(), 0);
    const KernelTable& table = ScalarKernels();
    table.pack_outputs(x.data() + d, frames, d, 3 * d, keys.q.data(), keys.scale.data(),
                       keys.correction.data());
    table.pack_inputs(x.data() + 2 * d, frames, d, 3 * d, values.q.data(), values.scale.data(),
                      values.correction.data());
  }
  // What the first m frames see, in rows of d + 3, of which three stay 7.
  std::vector<float> Attend(const KernelTable& table, int m) const {
    struct alignas(64) Line {
      char bytes[64];
    };
    std::vector<Line> scratch(static_cast<std::size_t>(AttendScratchBytes(frames, d)) / 64 + 1);
    std::vector<float> out(static_cast<std::size_t>(m) * (d + 3), 7.0f);
    table.attend_frames(x.data(), m, 3 * d, keys.view, values.view, scratch.data(), out.data(),
                        d + 3);
    return out;
  }
  int frames, d;
  std::vector<float> x;
  Weights keys, values;
};

}  // namespace lethe::kernels_internal
