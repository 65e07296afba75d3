#pragma once

// What a caller gets for one recording.

#include <string>
#include <vector>

#include "base/units.h"
#include "engine/engine.h"

namespace lethe {

struct Transcript {
  std::string source;    // a name to show: the file's path, or "-"
  std::string language;  // ISO 639-1
  std::string model;
  Millis duration{0};             // of the recording
  int sample_rate = 0;            // of the recording, before resampling
  int channels = 0;               // of the recording
  bool split = false;             // each channel was transcribed by itself
  std::string warning;            // what was wrong with a recording that could be read all the same
  std::vector<Segment> segments;  // by start; by channel where starts are equal

  /// The segments' texts in their order, a space between them.
  std::string Text() const;
};

}  // namespace lethe
