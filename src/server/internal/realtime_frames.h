#pragma once

// The text frames of a realtime call (contract, sections 5.3, 5.4 and 6).

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/stream.h"
#include "server/internal/realtime_parameters.h"

namespace lethe::server_internal {

/// One official client reads no longer frames.
inline constexpr std::size_t kMaxClassicFrame = 1000;

/// Writes a call's frames in their order: it counts messages and sentences.
///
/// Thread: one at a time
class RealtimeFrames {
 public:
  /// `language` is that of the words whose punctuation word_info=1 takes away.
  RealtimeFrames(const RealtimeParameters& parameters, std::string_view language);

  std::string Handshake();

  /// The frame of an event, in either mode; nothing where there is nothing to say.
  ///
  /// In classic mode an utterance begins with slice_type 0: at once, with an empty text, if empty
  /// results are wanted, else with the first text. Numbers go to utterances of which something was
  /// said, so they grow by one. Where a partial's word list would make the frame too long, its
  /// latest words are left.
  std::optional<std::string> Event(const StreamEvent& event);

  std::string Final();

  /// Of a call that was let in.
  std::string Failure(int code, std::string_view message);

 private:
  std::string MessageId(std::optional<std::uint64_t> sentence);
  std::string Classic(const StreamEvent& event, int slice_type);
  std::string Sentence(const StreamEvent& event);

  const std::string voice_id_;
  const std::string speaker_context_id_;  // empty: none is told
  const WordInfo word_info_;
  const bool confidence_, filter_empty_, sentence_mode_;
  std::optional<PostProcessor> bare_;  // takes punctuation away
  std::uint64_t num_messages_ = 0;
  std::uint64_t index_ = 0;  // of the utterance
  bool begun_ = false;       // something of it was sent
};

/// What a call that is not let in is told instead of the handshake.
std::string Refusal(int code, std::string_view message, std::string_view voice_id);

/// What a client's text frame says.
struct ClientText {
  enum class Kind {
    kEnd,      // {"type":"end"}
    kContext,  // hot words and prompts in the middle of a call
    kUnknown,
  };
  Kind kind = Kind::kUnknown;
  // Of a context. The texts of a prompt, a line each.
  std::string hot_word_list, prompt;
};
ClientText ReadClientText(std::string_view text);

}  // namespace lethe::server_internal
