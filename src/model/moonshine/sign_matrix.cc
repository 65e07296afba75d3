#include "model/moonshine/internal/sign_matrix.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <numeric>

#include "base/check.h"
#include "tensor/quantized_linear.h"

namespace lethe::moonshine {
namespace {

constexpr int kSignsInByte = 6;

}  // namespace

SignMatrix::SignMatrix(const PackedWeights& w, std::span<const float> widths)
    : n_(w.n),
      k_(w.k),
      n_padded_(RoundUp(w.n, kSignOutputs)),
      k_padded_(RoundUp(w.k, kSignInputs)) {
  LETHE_CHECK(k_ <= kMaxSignDepth && widths.size() == static_cast<std::size_t>(k_));
  weight_ = LargePages(static_cast<std::size_t>(n_) * SignRowBytes(k_));
  code_ = LargePages(static_cast<std::size_t>(n_padded_) * k_padded_ / kSignsInByte);
  LETHE_CHECK(!weight_.bytes().empty() && !code_.bytes().empty());
  mean_.assign(static_cast<std::size_t>(k_), 0.0f);
  scale_.assign(static_cast<std::size_t>(n_padded_), 0.0f);
  error_.assign(scale_.size(), 0.0f);

  auto* weight = reinterpret_cast<std::int8_t*>(weight_.bytes().data());
  for (int n = 0; n < n_; ++n) {
    const std::int8_t* from =
        w.weight + std::int64_t{n / kLanes} * w.k_padded * kLanes + (n % kLanes) * 4;
    std::int8_t* to = weight + std::int64_t{n} * SignRowBytes(k_);
    const float scale = w.scale[n];
    const std::int32_t zero = w.zero[n];
    for (int i = 0; i < k_; i += 4, from += 64) {
      std::memcpy(to + i, from, static_cast<std::size_t>(std::min(4, k_ - i)));
    }
    const SignRowEnd end{scale, zero, w.correction[n]};
    std::memcpy(to + SignRowBytes(k_) - sizeof(end), &end, sizeof(end));
    for (int i = 0; i < k_; ++i) mean_[i] += scale * static_cast<float>(to[i] - zero);
  }
  for (float& mean : mean_) mean /= static_cast<float>(n_);

  auto* code = reinterpret_cast<std::uint8_t*>(code_.bytes().data());
  std::vector<float> squares(static_cast<std::size_t>(k_padded_));
  for (int n = 0; n < n_; ++n) {
    TakeSigns(w, n,
              code + std::int64_t{n / kSignOutputs} * (k_padded_ / kSignsInByte) * kSignOutputs +
                  SignByte(n % kSignOutputs),
              squares);
  }
  trusted_ = Trusted(squares, widths);
}

// An error is a sum over the inputs. It is taken to be normal if its parts are as even as half of k
// equal ones would be.
bool SignMatrix::Trusted(std::span<const float> squares, std::span<const float> widths) const {
  constexpr double kLeastEven = 0.5;
  double sum = 0, sum_of_squares = 0;
  for (int i = 0; i < k_; ++i) {
    const double part = double{squares[i]} * widths[i] * widths[i];
    sum += part;
    sum_of_squares += part * part;
  }
  // What is no number fails, too.
  return sum * sum >= kLeastEven * k_ * sum_of_squares && std::isfinite(sum_of_squares);
}

// Goes over ten million weights at start, and so in a form that compilers make vectors of: sums in
// lanes, and a sign is a byte before it is a bit.
void SignMatrix::TakeSigns(const PackedWeights& w, int n, std::uint8_t* code,
                           std::span<float> squares_of_inputs) {
  const auto* from = reinterpret_cast<const std::int8_t*>(weight_.bytes().data()) +
                     std::int64_t{n} * SignRowBytes(k_);
  const float weight_scale = w.scale[n];
  const std::int32_t zero = w.zero[n];
  float c[kMaxSignDepth] = {};
  std::uint8_t positive[kMaxSignDepth + 2] = {};
  for (int i = 0; i < k_; ++i) {
    c[i] = weight_scale * static_cast<float>(from[i] - zero) - mean_[i];
  }
  for (int i = 0; i < k_padded_; ++i) squares_of_inputs[i] += c[i] * c[i];
  float sums[kLanes] = {}, all_squares[kLanes] = {};
  for (int i = 0; i < k_padded_; i += kLanes) {
    for (int j = 0; j < kLanes; ++j) {
      sums[j] += std::abs(c[i + j]);
      all_squares[j] += c[i + j] * c[i + j];
    }
  }
  const double sum = std::accumulate(std::begin(sums), std::end(sums), 0.0);
  const double squares = std::accumulate(std::begin(all_squares), std::end(all_squares), 0.0);
  if (sum > 0) {
    const double scale = squares / sum;
    scale_[n] = static_cast<float>(scale);
    // |c - scale * sign|^2, for each input.
    const double error = std::sqrt(std::max(0.0, scale * scale - squares / k_));
    // That of normal weights is 0.6 of the scale.
    error_[n] = static_cast<float>(std::max(error, scale / 2));
  }
  for (int i = 0; i < k_padded_; ++i) positive[i] = c[i] > 0 ? 1 : 0;
  for (int i = 0; i < k_padded_; i += kSignsInByte, code += kSignOutputs) {
    std::uint64_t six;
    std::memcpy(&six, positive + i, sizeof(six));
    six &= 0xffffffffffff;
    // Byte r of the six comes to bit 56 + r.
    *code = static_cast<std::uint8_t>((six * 0x0102040810204080u) >> 56);
  }
}

SignWeights SignMatrix::View() const {
  return {.n = n_,
          .k = k_,
          .n_padded = n_padded_,
          .k_padded = k_padded_,
          .code = reinterpret_cast<const std::uint8_t*>(code_.bytes().data()),
          .mean = mean_.data(),
          .scale = scale_.data(),
          .error = error_.data(),
          .weight = reinterpret_cast<const std::int8_t*>(weight_.bytes().data())};
}

}  // namespace lethe::moonshine
