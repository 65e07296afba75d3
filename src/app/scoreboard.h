#pragma once

// The figures of `lethe eval`: per set and in total.

#include <cstdint>
#include <map>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "text/word_error.h"

namespace lethe {

/// Sums over the clips of a set.
struct SetScore {
  int clips = 0;
  int empty_answers = 0;  // clips with words of which none was recognised
  WordErrors errors;
  std::int64_t oracle_errors = 0;  // with the best of the alternatives
  double audio_seconds = 0;
  double compute_seconds = 0;  // wall clock

  /// Real-time factor: compute time over audio time; 0 without audio.
  double rtf() const { return audio_seconds > 0 ? compute_seconds / audio_seconds : 0; }
  /// As WordErrors::rate(), of the best alternatives.
  double oracle_rate() const;
  SetScore& operator+=(const SetScore& other);
};

/// What came out of clips that are not scored: other languages, no speech, no transcript.
struct RobustnessScore {
  int clips = 0;
  int refused = 0;             // ended in an error message
  int without_speech = 0;      // clips known to hold no speech
  int words_from_nothing = 0;  // of these, how many gave words
};

class Scoreboard {
 public:
  /// With `oracle`, the error rate of the best alternatives is shown, too.
  explicit Scoreboard(bool oracle = false) : oracle_(oracle) {}

  void Add(const std::string& set, const SetScore& clip) { sets_[set] += clip; }
  RobustnessScore& robustness() { return robustness_; }

  SetScore Total() const;
  /// A table for people, one row for each set, by name, and the total.
  std::string Table() const;
  nlohmann::ordered_json Json() const;

 private:
  const bool oracle_;
  std::map<std::string, SetScore> sets_;
  RobustnessScore robustness_;
};

/// An alignment in one line: equal words as they are, "[said>heard]", "[said>]", "[>heard]".
std::string ShowAlignment(const std::vector<AlignedWord>& alignment);

}  // namespace lethe
