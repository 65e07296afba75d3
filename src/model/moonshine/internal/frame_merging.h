#pragma once

// Frames of the encoder that say nearly what the frame behind them says become one with it, half
// way through the encoder: what comes after has fewer to go through.
//
// Source: Bolya et al. 2022, "Token Merging: Your ViT But Faster", arXiv:2210.09461, and of
//         neighbours only, as time has an order: Li et al. 2023, "Accelerating Transducers through
//         Adjacent Token Merging", arXiv:2306.16009
// Differs: likeness is that of what attention found for a frame, not that of its key; one step
//          instead of one in each block; nothing is added to the scores of a pair, which attention
//          in 8 bits has no room for. docs/decisions.md has what it costs in words

#include <cstdint>
#include <vector>

#include "base/aligned_vector.h"

namespace lethe::moonshine {

/// Of the pairs of neighbours those that are most alike, by the cosine of their vectors; a frame is
/// in one pair at most, and of equals the first is taken.
///
/// Shapes: vectors [frames, n] f32, n a multiple of 16; at most `most` pairs -> [frames], 1 for the
///         first frame of a pair. Vectors without a direction (of zeros, or not finite) count as at
///         right angles to all
std::vector<std::uint8_t> LikePairs(const float* vectors, int frames, int n, int most);

/// Makes the mean of every pair one frame.
///
/// Shapes: x [frames, n] becomes [frames - pairs, n]; `first` [frames + 1], the first of the
///         stem's frames that is in each, and how many there are, becomes that of the new ones
void MergePairs(const std::vector<std::uint8_t>& begins_pair, int n, AlignedVector<float>* x,
                std::vector<std::uint16_t>* first);

}  // namespace lethe::moonshine
