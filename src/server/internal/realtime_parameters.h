#pragma once

// What a realtime call asks for, read from its query (contract, sections 5.1 and 6).

#include <string>

#include "base/status.h"
#include "base/units.h"
#include "server/http.h"
#include "service/live_call.h"
#include "text/post_processor.h"

namespace lethe::server_internal {

enum class WordInfo { kNone, kPlain, kPunctuated };

struct RealtimeParameters {
  std::string engine;
  std::string voice_id;
  LiveFormat format = LiveFormat::kMedia;
  int pcm_rate = 0;  // 0: the engine's
  std::string hot_word_list, vocabulary_id;
  PostOptions post;
  bool filter_empty = true;
  WordInfo word_info = WordInfo::kNone;
  bool confidence = false;  // ours: of each word, from 0 to 1
  Millis trailing_silence{1'000};
  Millis max_utterance{60'000};
  float noise_threshold = 0;
  bool sentence_mode = false;
  bool speaker_context = false;
  std::string speaker_context_id;
};

/// The voice_id of a query, as far as it may be repeated in an answer: empty if it is none.
std::string VoiceId(const NamedValues& query);

/// Reads a decoded query. The first of several values counts, an empty one is none, unknown names
/// are passed over. Errors: kInvalidArgument, naming the parameter and what it may be, never the
/// value
Result<RealtimeParameters> ParseRealtimeParameters(const NamedValues& query);

}  // namespace lethe::server_internal
