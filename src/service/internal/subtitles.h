#pragma once

// A transcript cut into what a viewer can read at a time.

#include <string>
#include <vector>

#include "base/units.h"
#include "service/transcript.h"

namespace lethe::internal {

// What subtitlers agree on: two lines of 42 characters, seven seconds.
inline constexpr std::size_t kMaxCueCharacters = 84;
inline constexpr Millis kMaxCueDuration{7'000};

struct Cue {
  Millis start{0};
  Millis end{0};
  int channel = 0;
  std::string text;  // one line
};

/// Cuts the segments that are too long for one cue between words: where a sentence ends if there
/// is such a place, else behind a comma or in a pause, and never so that a word or two are left
/// alone when it can be helped. A segment that fits is one cue.
///
/// Segments without words, or whose text is not their words with a space between, stay whole, and
/// so does a word longer than a cue may be.
///
/// Shapes: by start; by the order of the segments where starts are equal
std::vector<Cue> CutIntoCues(const Transcript& transcript);

}  // namespace lethe::internal
