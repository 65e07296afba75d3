#pragma once

// When each token was said, from where the decoder looked while writing it.

#include <span>
#include <vector>

namespace lethe {

/// A token's place: encoder frames [first, last).
struct FrameSpan {
  int first = 0;
  int last = 0;
};

/// Aligns tokens with frames by dynamic time warping: the path through attention, monotonous in
/// both, along which the tokens looked hardest.
///
/// Shapes: attention [tokens, frames] f32, non-negative -> [tokens]; spans cover all frames in
/// order Errors: none; no tokens or no frames give as many empty spans Source: Radford et al. 2022,
/// arXiv:2212.04356 (word timestamps of openai/whisper, timing.py):
///         standardise each frame over the tokens, smooth along time, warp
std::vector<FrameSpan> AlignTokens(std::span<const float> attention, int tokens, int frames);

}  // namespace lethe
