#pragma once

// Frames of the encoder that say nearly what the frame behind them says become one with it, half
// way through the encoder and again before its last layer: what comes after has fewer to go
// through. And about there pairs of them go through a layer, or its feed-forward part, as one, and
// stay two: both move as their mean did.
//
// Source: Bolya et al. 2022, "Token Merging: Your ViT But Faster", arXiv:2210.09461; of neighbours
//         only, as time has an order: Li et al. 2023, "Accelerating Transducers through Adjacent
//         Token Merging", arXiv:2306.16009; and undone behind a layer: Bolya and Hoffman 2023,
//         "Token Merging for Fast Stable Diffusion", arXiv:2303.17604
// Differs: for good, in two steps instead of one in each block, by the likeness of what attention
//          found for a frame, or of the frame, not that of its key; a frame that is two already
//          counts as one in the next mean; nothing is added to the scores of a pair, which
//          attention in 8 bits has no room for; and what the frames of a pair differ by stays.
//          docs/decisions.md has what it costs in words

#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_vector.h"
#include "kernels/kernels.h"

namespace lethe::moonshine {

/// What of a layer of the encoder is done once for both frames of a pair.
enum class Shared { kNothing, kFeedForward, kLayer };

/// The first layers, and the attention by which frames become one half way through, hear every
/// frame; the attention of the last one hears all that are left.
Shared SharedByPairs(int layer, int layers);

/// Of the pairs of neighbours those that are most alike, by the cosine of their vectors; a frame is
/// in one pair at most, and of equals the first is taken. The likest first: where some 43 in a
/// hundred frames are wanted, few are left beside one that is in no pair.
///
/// Shapes: vectors [frames, n] f32; at most `most` pairs -> [frames], 1 for the first frame of a
///         pair. Vectors without a direction (of zeros, or not finite) count as at right angles to
///         all
std::vector<std::uint8_t> LikePairs(const KernelTable& kernels, const float* vectors, int frames,
                                    int n, int most);

/// The mean of every pair, and the frames that are in none.
///
/// Shapes: x [frames, n] -> means [frames - pairs, n], which may be `x`
/// Returns: frames - pairs
int PairMeans(std::span<const std::uint8_t> begins_pair, int n, const float* x, float* means);

/// The way back, with other means: a frame of a pair differs from its mean as it did.
///
/// Shapes: means [frames - pairs, n] -> x [frames, n]
void SpreadMeans(std::span<const std::uint8_t> begins_pair, int n, const float* means, float* x);

/// Where pairs and the others are: `first` [frames + 1], the first of the stem's frames that is in
/// each, and how many there are, becomes [frames - pairs + 1].
void MergePlaces(std::span<const std::uint8_t> begins_pair, std::vector<std::uint16_t>* first);

/// Makes the mean of every pair one frame.
///
/// Shapes: x [frames, n] becomes [frames - pairs, n]; `first` as in MergePlaces()
void MergePairs(std::span<const std::uint8_t> begins_pair, int n, AlignedVector<float>* x,
                std::vector<std::uint16_t>* first);

}  // namespace lethe::moonshine
