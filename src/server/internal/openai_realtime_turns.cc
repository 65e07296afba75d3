#include "server/internal/openai_realtime_turns.h"

#include <algorithm>
#include <span>
#include <utility>

#include "server/internal/openai_realtime_events.h"

namespace lethe::server_internal {
namespace {

using MaybeError = std::optional<OpenAiError>;
using Kind = StreamEvent::Kind;

constexpr Millis kLeastCommit{100};
// Without turn detection a pause ends nothing; the model gets its audio in pieces all the same,
// those that a recording is cut into.
constexpr Millis kManualSilence{600};
constexpr Millis kMaxUtterance{60'000};

// As much of the beginning as ends with a whole character of UTF-8.
std::string_view WholeCharacters(std::string_view text, std::size_t size) {
  text = text.substr(0, size);
  // Where the last character begins, and how long it says it is.
  std::size_t begin = text.size();
  while (begin > 0 && text.size() - begin < 3 &&
         (static_cast<unsigned char>(text[begin - 1]) & 0xC0) == 0x80) {
    --begin;
  }
  if (begin == 0) return text;
  const auto lead = static_cast<unsigned char>(text[begin - 1]);
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
  return length > text.size() - begin + 1 ? text.substr(0, begin - 1) : text;
}

OpenAiError ErrorOf(const Status& status) {
  if (status.code() == StatusCode::kResourceExhausted ||
      status.code() == StatusCode::kUnavailable) {
    return NoService("The service is busy. Try again later.");
  }
  return {.status = 500, .message = "The transcription failed.", .type = "server_error"};
}

}  // namespace

RealtimeTurns::RealtimeTurns(RealtimeAnswers& answers, LiveDecoders& decoders, Millis max_ahead,
                             Millis partial_interval, Tell tell, std::function<void()> notify)
    : answers_(answers),
      decoders_(decoders),
      max_ahead_(max_ahead),
      partial_interval_(partial_interval),
      tell_(std::move(tell)),
      notify_(std::move(notify)) {}

Millis RealtimeTurns::Turn::length() const {
  return Millis(call->bytes() * 1000 / static_cast<std::uint64_t>(encoding.bytes_per_second()));
}

RealtimeTurns::Turn* RealtimeTurns::open() {
  return turns_.empty() || turns_.back().finished ? nullptr : &turns_.back();
}

MaybeError RealtimeTurns::SetHearing(Hearing hearing) {
  const RealtimeSettings& next = hearing.settings;
  Turn* turn = open();
  if (turn != nullptr && turn->manual) {
    if (!(turn->encoding == next.encoding) || next.turn_detection) {
      return OpenAiError{.message =
                             "The format of the audio and the way turns are found cannot change "
                             "while audio waits for a commit; commit or clear it first.",
                         .param = "session",
                         .code = "invalid_value"};
    }
  } else if (turn != nullptr && !(next == hearing_.settings)) {
    turn->call->Finish();
    turn->finished = true;
  }
  hearing_ = std::move(hearing);
  return std::nullopt;
}

MaybeError RealtimeTurns::Open() {
  const RealtimeSettings& settings = hearing_.settings;
  Turn turn{.encoding = settings.encoding,
            .manual = !settings.turn_detection,
            .logprobs = settings.logprobs};
  turn.offset = appended_;
  for (const Turn& before : turns_) turn.offset += before.length();
  // One append may be longer than what is taken ahead of the engine; none follows it then.
  const Millis append(std::int64_t{1000} * static_cast<std::int64_t>(kMaxAppendBytes) /
                      settings.encoding.bytes_per_second());
  LiveCallOptions options{
      .engine = hearing_.engine,
      .format = settings.encoding.format,
      .pcm_rate = settings.encoding.rate,
      .live = {.words = settings.logprobs,
               .hot_words = hearing_.hot_words,
               .partials = !turn.manual,
               .partial_interval = partial_interval_,
               .trailing_silence =
                   turn.manual ? kManualSilence : settings.turn_detection->trailing_silence(),
               .max_utterance = kMaxUtterance,
               .noise_threshold = turn.manual ? 0.0F : settings.turn_detection->noise_threshold(),
               .notify = {}},
      .max_ahead = max_ahead_ + append,
      .notify = notify_};
  auto call = LiveCall::Open(std::move(options), decoders_);
  if (!call.ok()) return ErrorOf(call.status());
  turn.call = *std::move(call);
  turns_.push_back(std::move(turn));
  return std::nullopt;
}

MaybeError RealtimeTurns::Append(std::string_view bytes) {
  if (bytes.empty()) return std::nullopt;
  if (open() == nullptr) {
    if (MaybeError error = Open()) return error;
  }
  bytes_ += bytes.size();
  // Its errors are told by the next Pump(), with the items they cost.
  static_cast<void>(open()->call->PushBytes(std::as_bytes(std::span(bytes))));
  return std::nullopt;
}

MaybeError RealtimeTurns::Commit() {
  Turn* turn = open();
  const Millis length = turn == nullptr ? Millis(0) : turn->length() - turn->item_end;
  if (turn == nullptr || length < kLeastCommit) {
    return OpenAiError{.message = "There are " +
                                  std::to_string(std::max(length.count(), Millis::rep{0})) +
                                  " ms of audio to commit; 100 ms are the least.",
                       .code = "input_audio_buffer_commit_empty"};
  }
  turn->call->Finish();
  turn->finished = true;
  turn->owed = true;
  if (turn->manual) {
    turn->owed = false;
    turn->item = NewItemId();
    TellCommitted(turn->item);
    TellDelta(*turn, turn->text);
  }
  return std::nullopt;
}

void RealtimeTurns::Clear() {
  if (open() != nullptr) Forget();
  tell_(answers_.Cleared());
}

void RealtimeTurns::Forget() {
  const Turn& turn = turns_.back();
  appended_ += turn.length();
  heard_ += turn.call->audio();
  turns_.pop_back();
}

void RealtimeTurns::Drop() {
  while (!turns_.empty()) Forget();
}

void RealtimeTurns::Pump() {
  for (Turn& turn : turns_) static_cast<void>(turn.call->Pump());
  while (!turns_.empty()) {
    Turn& turn = turns_.front();
    // Before the events are taken: what is complete now, is told now.
    const Status status = turn.call->Pump();
    const bool complete = turn.finished && turn.call->complete();
    for (StreamEvent& event : turn.call->TakeEvents()) Take(turn, std::move(event));
    if (status.ok() && !complete) return;
    if (status.ok()) {
      End(turn);
    } else {
      Fail(turn, status);
    }
    appended_ += turn.length();
    heard_ += turn.call->audio();
    turns_.pop_front();
  }
}

void RealtimeTurns::Take(Turn& turn, StreamEvent event) {
  if (turn.manual) {
    TakeManual(turn, std::move(event));
  } else {
    TakeDetected(turn, event);
  }
}

void RealtimeTurns::TakeDetected(Turn& turn, const StreamEvent& event) {
  const Segment& segment = event.segment;
  if (turn.item.empty()) {
    turn.item = NewItemId();
    tell_(answers_.SpeechStarted(turn.item, turn.offset + segment.start));
  }
  if (event.kind == Kind::kPartial) {
    TellDelta(turn, WholeCharacters(segment.text, event.stable_bytes));
  }
  if (event.kind != Kind::kFinal) return;
  // The silence that was waited for belongs to it, as far as there was any.
  turn.item_end = std::min(std::max(event.heard, segment.end), turn.length());
  tell_(answers_.SpeechStopped(turn.item, turn.offset + turn.item_end));
  TellCommitted(turn.item);
  TellDelta(turn, segment.text);
  TellCompleted(turn, segment.text, segment.end - segment.start, segment.words);
  turn.owed = false;
}

void RealtimeTurns::TakeManual(Turn& turn, StreamEvent event) {
  if (event.kind != Kind::kFinal || event.segment.text.empty()) return;
  turn.text += (turn.text.empty() ? "" : " ") + event.segment.text;
  for (Word& word : event.segment.words) turn.words.push_back(std::move(word));
  if (!turn.item.empty()) TellDelta(turn, turn.text);
}

void RealtimeTurns::End(Turn& turn) {
  if (turn.owed) {
    // Whoever commits waits for an item, also where nobody spoke.
    turn.item = NewItemId();
    TellCommitted(turn.item);
    TellCompleted(turn, "", turn.length() - turn.item_end, {});
  } else if (!turn.item.empty()) {
    TellCompleted(turn, turn.text, turn.length(), turn.words);
  }
}

void RealtimeTurns::TellCommitted(std::string_view item) {
  for (std::string& event : answers_.Committed(item)) tell_(std::move(event));
}

// `text` begins with what was told: the engine keeps what its partials promise.
void RealtimeTurns::TellDelta(Turn& turn, std::string_view text) {
  if (text.size() <= turn.told.size()) return;
  tell_(answers_.Delta(turn.item, text.substr(turn.told.size())));
  turn.told = text;
}

void RealtimeTurns::TellCompleted(Turn& turn, std::string_view text, Millis audio,
                                  const std::vector<Word>& words) {
  tell_(answers_.Completed(turn.item, text, audio, turn.logprobs ? &words : nullptr));
  turn.item.clear();
  turn.told.clear();
}

void RealtimeTurns::Fail(Turn& turn, const Status& status) {
  failed_ = true;
  const OpenAiError error = ErrorOf(status);
  if (turn.item.empty()) {
    tell_(answers_.Error(error, ""));
  } else {
    tell_(answers_.Failed(turn.item, error));
  }
}

Millis RealtimeTurns::waiting() const {
  Millis waiting{0};
  for (const Turn& turn : turns_) waiting += turn.length() - turn.call->audio();
  return waiting;
}

Millis RealtimeTurns::audio() const {
  Millis audio = heard_;
  for (const Turn& turn : turns_) audio += turn.call->audio();
  return audio;
}

}  // namespace lethe::server_internal
