#include "model/moonshine/internal/wave_convolution.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>

#include "base/check.h"

namespace lethe::moonshine {
namespace {

constexpr float kMaxSample = 32767;
// The sum of a channel's taps at most: times a sample it stays below 2^31, also when every tap was
// rounded up.
constexpr double kMaxSum = 65'000;

}  // namespace

WaveConvolution::WaveConvolution(std::span<const float> taps, int width, int channels)
    : width_(width), scale_(static_cast<std::size_t>(channels)) {
  LETHE_CHECK(width > 0 && channels % kLanes == 0);
  LETHE_CHECK(taps.size() == static_cast<std::size_t>(width) * channels);
  const int k = width + width % 2;
  weight_.resize(static_cast<std::size_t>(k) * channels);
  for (int n = 0; n < channels; ++n) {
    const auto tap = [&](int i) { return taps[static_cast<std::size_t>(i) * channels + n]; };
    double sum = 0, largest = 0;
    for (int i = 0; i < width; ++i) {
      sum += std::abs(tap(i));
      largest = std::max(largest, std::abs(double{tap(i)}));
    }
    const double scale = std::max(sum / kMaxSum, largest / 32767);
    scale_[n] = static_cast<float>(scale);
    std::int16_t* to = weight_.data() + static_cast<std::size_t>(n / kLanes) * k * kLanes;
    for (int i = 0; i < width && scale > 0; ++i) {
      to[i / 2 * 32 + n % kLanes * 2 + i % 2] =
          static_cast<std::int16_t>(std::lround(tap(i) / scale));
    }
  }
}

ShortWeights WaveConvolution::View() const {
  return {
      .n = channels(), .k = width_ + width_ % 2, .weight = weight_.data(), .scale = scale_.data()};
}

void WaveWindows::Convolve(const KernelTable& kernels, const float* samples, int count, int step,
                           const WaveConvolution& w, float* out) {
  const ShortWeights weights = w.View();
  const std::size_t size = static_cast<std::size_t>(count - 1) * step + w.width();
  // A tap that is not there may look at one sample more.
  if (samples_.size() < size + 1) samples_.resize(size + 1);
  // In lanes, and the last values by themselves: compilers make no vectors of one maximum.
  float lanes[kLanes] = {1e-30f};
  std::size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    for (int j = 0; j < kLanes; ++j) lanes[j] = std::max(lanes[j], std::abs(samples[i + j]));
  }
  for (; i < size; ++i) lanes[0] = std::max(lanes[0], std::abs(samples[i]));
  const float loudest = *std::max_element(std::begin(lanes), std::end(lanes));
  const float inverse = kMaxSample / loudest;
  for (i = 0; i < size; ++i) {
    const float value = samples[i] * inverse;
    const float cut = value > -kMaxSample ? std::min(value, kMaxSample) : -kMaxSample;
    samples_[i] =
        static_cast<std::int16_t>(static_cast<std::int32_t>(cut + std::copysign(0.5f, cut)));
  }
  samples_[size] = 0;
  kernels.gemm_s16(samples_.data(), count, step, loudest / kMaxSample, weights, out, weights.n);
}

void WaveWindows::Forget() { std::fill(samples_.begin(), samples_.end(), std::int16_t{0}); }

}  // namespace lethe::moonshine
