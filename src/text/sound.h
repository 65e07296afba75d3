#pragma once

// How alike two spellings sound, roughly and without a dictionary.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lethe {

/// Spells English text as it may sound: a letter for each consonant sound and each run of vowels,
/// spaces and silent letters gone ("Knight glow" = "nitglo", "psalters" = "salters").
///
/// Accents and case are folded first. Letters of other scripts, and signs, have no sound.
std::string SoundOf(std::string_view text);

/// The cost of turning one sound into another, both out of SoundOf(): 0 for the same, about 1 for
/// each consonant that has nothing to do with its counterpart, less for vowels and for consonants
/// that are easily taken for each other ("b" and "p", "m" and "n").
///
/// Returns the cost against every prefix of `other`: element i belongs to its first i sounds.
/// Shapes: -> [other.size() + 1]
std::vector<float> SoundDistances(std::string_view sound, std::string_view other);

/// How alike two sounds of these lengths are at such a distance: 1 for the same, 0 or less for what
/// has nothing to do with each other.
float SoundLikeness(float distance, std::size_t sounds, std::size_t other_sounds);

}  // namespace lethe
