#include "engine/internal/live_events.h"

#include <cmath>
#include <iterator>
#include <string>
#include <utility>

#include "engine/internal/alternatives.h"

namespace lethe {
namespace {

// Events nobody takes, before a session stops listening.
constexpr std::size_t kMaxEvents = 256;

std::size_t CountWords(std::string_view text) {
  std::size_t words = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != ' ' && (i == 0 || text[i - 1] == ' ')) ++words;
  }
  return words;
}

}  // namespace

LiveEvents::LiveEvents(const LiveOptions& options)
    : partials_(options.partials),
      channel_(options.channel),
      alternatives_(options.alternatives),
      call_(options.notify) {}

std::vector<StreamEvent> LiveEvents::Take(bool* was_full) {
  const MutexLock lock(mutex_);
  *was_full = events_.size() >= kMaxEvents;
  std::vector<StreamEvent> events(std::make_move_iterator(events_.begin()),
                                  std::make_move_iterator(events_.end()));
  events_.clear();
  return events;
}

bool LiveEvents::full() const {
  const MutexLock lock(mutex_);
  return events_.size() >= kMaxEvents;
}

void LiveEvents::Close() {
  {
    const MutexLock lock(call_mutex_);
    call_ = nullptr;
  }
  const MutexLock lock(mutex_);
  events_.clear();
}

void LiveEvents::Spoken::Add(const Segment& more, int alternatives) {
  if (!std::exchange(any, true)) segment.start = more.start;
  segment.end = more.end;
  if (more.num_tokens == 0) return;
  // A part that is alone keeps its confidence to the last bit.
  const bool first = segment.num_tokens == 0;
  if (!segment.text.empty() && !more.text.empty()) segment.text += ' ';
  segment.text += more.text;
  segment.words.insert(segment.words.end(), more.words.begin(), more.words.end());
  segment.num_tokens += more.num_tokens;
  log_probability += more.num_tokens * std::log(static_cast<double>(more.confidence));
  segment.confidence =
      first ? more.confidence : static_cast<float>(std::exp(log_probability / segment.num_tokens));
  segment.alternatives = JoinAlternatives(segment.alternatives, more.alternatives, alternatives);
  // Its confidence is a sum of logarithms over all parts, which rounds in its own way.
  if (!segment.alternatives.empty()) segment.alternatives[0].confidence = segment.confidence;
}

void LiveEvents::Begin(int utterance, SampleIndex start, Millis heard) {
  StreamEvent event{
      .kind = StreamEvent::Kind::kBegin, .utterance = utterance, .segment = {}, .heard = heard};
  event.segment.start = event.segment.end = SamplesToMillis(start);
  begins_.push_back(std::move(event));
  PublishBegin();
}

void LiveEvents::AddPart(const Segment& segment) { spoken_.Add(segment, alternatives_); }

// An utterance is published to its end before the next begins, however fast the audio came.
void LiveEvents::PublishBegin() {
  if (begins_.empty() || begins_.front().utterance != published_utterance_) return;
  Emit(std::move(begins_.front()));
  begins_.pop_front();
}

void LiveEvents::PublishFinal(Millis heard) {
  Emit({.kind = StreamEvent::Kind::kFinal,
        .utterance = published_utterance_++,
        .segment = std::exchange(spoken_, {}).segment,
        .heard = heard});
  PublishBegin();
}

void LiveEvents::PublishPartial(const Segment* guess, std::string_view promised, Millis heard) {
  if (!partials_) return;
  Spoken partial = spoken_;
  StreamEvent event{.kind = StreamEvent::Kind::kPartial,
                    .utterance = published_utterance_,
                    .segment = {},
                    .heard = heard};
  event.stable_bytes = partial.segment.text.size();
  if (guess != nullptr) {
    const std::size_t space = promised.find_first_not_of(' ');
    if (space != std::string_view::npos) {
      event.stable_bytes += (event.stable_bytes > 0 ? 1 : 0) + promised.size() - space;
    }
    partial.Add(*guess, 0);
  }
  event.segment = std::move(partial.segment);
  event.segment.alternatives.clear();
  event.stable_words =
      CountWords(std::string_view(event.segment.text).substr(0, event.stable_bytes));
  Emit(std::move(event));
}

void LiveEvents::Emit(StreamEvent event) {
  event.segment.channel = channel_;
  if (event.kind == StreamEvent::Kind::kFinal) {
    event.stable_bytes = event.segment.text.size();
    event.stable_words = CountWords(event.segment.text);
  }
  call_due_ = true;
  const MutexLock lock(mutex_);
  const bool partial = event.kind == StreamEvent::Kind::kPartial;
  if (partial && !events_.empty() && events_.back().kind == StreamEvent::Kind::kPartial) {
    events_.back() = std::move(event);
  } else {
    events_.push_back(std::move(event));
  }
}

void LiveEvents::Call() {
  if (!std::exchange(call_due_, false)) return;
  const MutexLock lock(call_mutex_);
  if (call_) call_();
}

}  // namespace lethe
