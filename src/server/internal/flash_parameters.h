#pragma once

// What a flash call asks for, out of its query.

#include <string>

#include "base/status.h"
#include "server/http.h"
#include "text/post_processor.h"

namespace lethe::server_internal {

/// What is told about words.
enum class FlashWords {
  kNone = 0,
  kWithoutPunctuation = 1,
  kWithPunctuation = 2,
  kSubtitles = 3,  // with punctuation, and sentences are cut into lines
};

struct FlashParameters {
  std::string engine_type;
  std::string voice_format;
  std::string hotword_id, hotword_list;
  int pcm_rate = 0;  // 0: the engine's
  ProfanityFilter profanity = ProfanityFilter::kKeep;
  FillerFilter fillers = FillerFilter::kKeep;
  PunctuationFilter punctuation = PunctuationFilter::kKeep;
  NumberFormat numbers = NumberFormat::kDigits;
  FlashWords words = FlashWords::kNone;
  bool first_channel_only = true;
  int longest_line = 0;  // of subtitles, in words or Chinese characters; 0: no limit
};

/// Reads the parameters; one without a value counts as left out, names that nobody knows are
/// skipped. Errors: kInvalidArgument, naming the parameter
Result<FlashParameters> ReadFlashParameters(const NamedValues& query);

}  // namespace lethe::server_internal
