#pragma once

// The second convolution of Moonshine's stem in two products with fewer weights.
//
// The first convolution makes hidden channels of a window of 127 samples, so what it finds has
// 127 dimensions and what tanh adds to them, which is little. The second one need not multiply
// all channels for each of its seven taps: once for each frame they become kReducedChannels sums,
// and the taps go over those. The sums are chosen so that the error of the second convolution's
// outputs is least (a truncated singular value decomposition, weighted by the channels' second
// moments) for coloured noise of many loudnesses; no recording is needed.

#include <optional>
#include <span>

#include "tensor/quantized_linear.h"

namespace lethe {

constexpr int kReducedChannels = 128;

struct ReducedConvolution {
  LinearToPack reduce;  // [kReducedChannels, hidden], for each frame
  LinearToPack taps;    // [2 hidden, 7 kReducedChannels], input = tap * kReducedChannels + sum
};

/// What the two convolutions are and the group norm between them: conv1 [127, hidden], norm
/// weight and bias [hidden], conv2 [2 hidden, 7 hidden] with input = tap * hidden + channel.
struct StemWeights {
  int hidden = 0;
  std::span<const float> conv1, norm_weight, norm_bias, conv2, conv2_bias;
};

/// Nothing where it would spare less than a third of the products, or where more than a 2,000th of
/// the outputs' energy would be lost. The same bits on every machine. Takes a second for a hidden
/// size of 288.
std::optional<ReducedConvolution> ReduceConvolution(const StemWeights& stem);

}  // namespace lethe
