#include "engine/internal/offset_removal.h"

#include <algorithm>
#include <cmath>

#include "base/units.h"

namespace lethe {
namespace {

constexpr int kBlock = 16;  // a millisecond
// The mean of all blocks, and of some without an offset before the first, until they are half a
// second; then the older ones are forgotten. That is a high pass of 0.3 Hz.
constexpr int kBlocksBefore = 16;
constexpr int kMostBlocks = kSampleRate / 2 / kBlock;
// Below this nothing is changed. What has mattered may wander.
constexpr float kMatters = 0.015f;
constexpr float kMattersStill = kMatters / 2;

}  // namespace

void OffsetRemoval::Remove(std::span<float> samples) {
  while (!samples.empty()) {
    const auto left = static_cast<std::size_t>(kBlock - filled_);
    const auto part = samples.first(std::min(samples.size(), left));
    Take(part);
    samples = samples.subspan(part.size());
    if (filled_ == kBlock) EndBlock();
  }
}

// Of one block.
void OffsetRemoval::Take(std::span<float> part) {
  if (part.size() == kBlock) {
    for (int i = 0; i < kBlock; i += 4) {
      for (int j = 0; j < 4; ++j) sums_[j] += part[i + j];
    }
  } else {
    for (std::size_t i = 0; i < part.size(); ++i) sums_[(filled_ + i) % 4] += part[i];
  }
  if (from_ != 0 || to_ != 0) {
    const float step = (to_ - from_) / kBlock;
    float at = static_cast<float>(filled_);
    for (float& v : part) {
      v -= from_ + step * at;
      at += 1;
    }
  }
  filled_ += static_cast<int>(part.size());
}

void OffsetRemoval::EndBlock() {
  const float sum = (sums_[0] + sums_[1]) + (sums_[2] + sums_[3]);
  // The largest floats of either sign add up to what is no number.
  const float mean = std::isnan(sum) ? 0.0f : std::clamp(sum / kBlock, -1.0f, 1.0f);
  weight_ = std::min(std::max(weight_, kBlocksBefore) + 1, kMostBlocks);
  mean_ += (mean - mean_) / static_cast<float>(weight_);
  matters_ = std::abs(mean_) > (matters_ ? kMattersStill : kMatters);
  from_ = to_;
  to_ = matters_ ? mean_ : 0.0f;
  sums_ = {};
  filled_ = 0;
}

}  // namespace lethe
