#include "engine/internal/live_session.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/finite.h"

namespace lethe {
namespace {

// Parts whose final is outstanding, and audio of those that the batch has no place for yet, before
// a session stops listening: its audio then stays with the client. What is with the batch is
// bounded by the batch.
constexpr std::size_t kMaxParts = 3;
constexpr std::size_t kMaxUntaken = std::size_t{5} * kSampleRate;

// The longest part of an utterance. One ends behind a part when another as long might make it too
// long: if two parts fit, it is more than half as long as it may be by then.
Millis LongestPart(Millis longest, Millis max_utterance) {
  return max_utterance <= longest ? max_utterance : std::min(longest, max_utterance / 2);
}

SegmenterOptions ForLive(SegmenterOptions segmenter, const LiveOptions& options) {
  segmenter = WithNoiseThreshold(segmenter, options.noise_threshold);
  segmenter.trailing_silence = options.trailing_silence;
  segmenter.max_length = LongestPart(segmenter.max_length, options.max_utterance);
  return segmenter;
}

}  // namespace

LiveSession::LiveSession(const VoiceActivityModel& voice_activity,
                         const SegmenterOptions& segmenter, const Tokenizer& tokenizer,
                         const LiveOptions& options,
                         std::function<void(std::shared_ptr<LiveSession>)> news)
    : options_(options),
      tokenizer_(tokenizer),
      max_part_(MillisToSamples(ForLive(segmenter, options).max_length)),
      news_(std::move(news)),
      next_hot_words_(options.hot_words),
      events_(options),
      listener_(voice_activity, ForLive(segmenter, options), Listener::Growth::kBySecond) {}

// ---- The client's side.

Result<std::size_t> LiveSession::PushSamples(std::span<const float> samples) {
  // No more than may be taken: who pushes an hour pushes the rest of it some thousand times.
  if (!AllFinite(samples.first(std::min(samples.size(), kMaxUnheardSamples)))) {
    return InvalidArgument("the audio holds values that are not numbers");
  }
  std::size_t taken = 0;
  {
    const MutexLock lock(mutex_);
    if (finished_) return FailedPrecondition("the audio has ended");
    taken = std::min(samples.size(), kMaxUnheardSamples - unheard_.size());
    unheard_.Append(samples.first(taken));
    turned_away_ = taken < samples.size();
    if (turned_away_) pours_ = true;
  }
  if (taken > 0) news_(shared_from_this());
  return taken;
}

void LiveSession::SetHotWords(std::shared_ptr<const HotWords> hot_words) {
  const MutexLock lock(mutex_);
  next_hot_words_ = std::move(hot_words);
}

void LiveSession::FinishAudio() {
  {
    const MutexLock lock(mutex_);
    finished_ = true;
    pours_ = false;
  }
  news_(shared_from_this());
}

std::vector<StreamEvent> LiveSession::TakeEvents() {
  bool was_full = false;
  std::vector<StreamEvent> events = events_.Take(&was_full);
  if (was_full) news_(shared_from_this());
  return events;
}

bool LiveSession::complete() const {
  const MutexLock lock(mutex_);
  return complete_;
}

void LiveSession::Abandon() {
  events_.Close();
  abandoned_->store(true);
  {
    const MutexLock lock(mutex_);
    unheard_ = {};
  }
  news_(shared_from_this());
}

// ---- The shard's side: listening.

bool LiveSession::stalled() const {
  if (parts_.size() >= kMaxParts) return true;
  std::size_t untaken = 0;
  for (const Part& part : parts_) {
    if (part.request) untaken += part.request->utterance.samples.size();
  }
  return untaken >= kMaxUntaken || events_.full();
}

bool LiveSession::WantsToListen() const {
  if (stalled()) return false;
  const MutexLock lock(mutex_);
  return unheard_.size() > 0 || (finished_ && !listener_finished_);
}

std::size_t LiveSession::Listen(std::vector<float>* buffer) {
  buffer->clear();
  bool finished = false;
  const bool listens = !stalled();
  {
    const MutexLock lock(mutex_);
    if (listens) unheard_.Take(kMaxListen, buffer);
    if (unheard_.size() == 0) pours_ = false;
    // Not for each bit of room: who is told pushes as much as there is.
    const bool room = unheard_.size() <= kMaxUnheardSamples / 2;
    if (room && std::exchange(turned_away_, false)) events_.WantCall();
    finished = finished_ && unheard_.size() == 0;
  }
  if (!buffer->empty()) Hear(*buffer);
  // The shard's, which may hear nobody for long.
  std::fill(buffer->begin(), buffer->end(), 0.0f);
  if (finished && !std::exchange(listener_finished_, true)) {
    for (const HeardSpan& span : listener_.Finish()) AddPart(span);
    if (begun_) EndUtterance();
  }
  Publish();
  return buffer->size();
}

void LiveSession::Publish() {
  PublishParts();
  CheckComplete();
  events_.Call();
}

void LiveSession::Hear(std::span<const float> samples) {
  for (const HeardSpan& span : listener_.Push(samples)) AddPart(span);
  const Segmenter& segmenter = listener_.segmenter();
  // What was left behind the last cut was no speech.
  if (begun_ && (!segmenter.in_speech() || listener_.stretches() != stretch_)) EndUtterance();
  const std::optional<SpeechSpan> open = segmenter.Open();
  if (open && !begun_) {
    Begin(open->start, listener_.stretches());
    guess_end_ = open->end;
  }
  const std::optional<SpeechSpan> expected = segmenter.Expected();
  if (!expected) {
    OvertakeEarly(true);  // speech went on, or its endpoint came
  } else if (!early_ || early_->span != *expected) {
    OvertakeEarly(false);
    early_ = Early{.span = *expected, .course = {}, .answer = {}};
  }
}

// It is no final: at most the partial that is due, if that is wanted and it has come far enough not
// to be overtaken by a newer one.
void LiveSession::OvertakeEarly(bool partial_wanted) {
  const std::optional<Early> early = std::exchange(early_, std::nullopt);
  if (!early || !early->course || early->answer) return;
  if (partial_wanted && WantsPartial() && early->course->being_written) {
    early->course->wish = Course::Wish::kPartial;
    guess_taken_ = true;
    guess_end_ = early->span.end;
  } else {
    early->course->wish = Course::Wish::kNothing;
  }
}

void LiveSession::Begin(SampleIndex start, std::int64_t stretch) {
  begun_ = true;
  stretch_ = stretch;
  utterance_start_ = start;
  // Guesses at what turned out to be no speech are not what this one begins with.
  promise_.Clear();
  hypothesis_end_ = 0;
  {
    const MutexLock lock(mutex_);
    hot_words_ = next_hot_words_;
  }
  events_.Begin(utterance_, start, SamplesToMillis(listener_.total()));
}

void LiveSession::AddPart(const HeardSpan& span) {
  if (begun_ && span.stretch != stretch_) EndUtterance();
  if (!begun_) Begin(span.start, span.stretch);
  Part part{.span = span, .heard = SamplesToMillis(span.known_at), .request = {}, .answer = {}};
  // The next span could not end before the utterance is longer than it may be.
  const SampleIndex longest = span.end - utterance_start_ + max_part_;
  part.ends_utterance = !span.cut || longest > MillisToSamples(options_.max_utterance);
  if (early_ && early_->span == span && early_->course) {
    part.answer = std::move(early_->answer);  // or it comes later
    early_.reset();
  } else {
    part.request = NewRequest(span, Priority::kLiveFinal);
    OvertakeEarly(false);
  }
  promise_.Clear();
  hypothesis_end_ = 0;
  const bool ends = part.ends_utterance;
  parts_.push_back(std::move(part));
  if (ends) {
    begun_ = false;
    ++utterance_;
  }
}

// Ends an utterance whose last part was cut off from nothing.
void LiveSession::EndUtterance() {
  begun_ = false;
  ++utterance_;
  if (!parts_.empty()) {
    parts_.back().ends_utterance = true;
    return;
  }
  events_.PublishFinal(SamplesToMillis(listener_.total()));
}

// ---- Asking for answers.

bool LiveSession::WantsFinal() const {
  if (early_ && !early_->course) return true;
  return std::any_of(parts_.begin(), parts_.end(),
                     [](const Part& part) { return part.request.has_value(); });
}

bool LiveSession::WantsPartial() const {
  if (!options_.partials || guess_taken_ || early_ || !parts_.empty()) return false;
  const std::optional<SpeechSpan> open = listener_.segmenter().Open();
  return open && begun_ && open->end - guess_end_ >= MillisToSamples(options_.partial_interval);
}

Request LiveSession::NewRequest(const SpeechSpan& span, Priority priority) const {
  Request request{.utterance = listener_.Copy(span),
                  .priority = priority,
                  .words = options_.words,
                  .alternatives = priority == Priority::kLiveFinal ? options_.alternatives : 0,
                  .second_hearing = priority == Priority::kLiveFinal,
                  .poured = pours_,
                  .draft = {},
                  .promised = {},
                  .hot_words = hot_words_,
                  .cancelled = abandoned_,
                  .course = {},
                  .done = {}};
  request.draft.assign(promise_.guess().begin(), promise_.guess().end());
  request.promised.assign(promise_.promised().begin(), promise_.promised().end());
  return request;
}

Request LiveSession::NextFinal() {
  const auto self = shared_from_this();
  std::uint64_t number = first_part_;
  for (Part& part : parts_) {
    if (part.request) {
      Request request = *std::exchange(part.request, std::nullopt);
      request.done = [self, number](Request::Answer answer) {
        self->TakeFinal(number, std::move(answer));
      };
      return request;
    }
    ++number;
  }
  LETHE_CHECK(early_ && !early_->course);
  early_->course = std::make_shared<Course>();
  Request request = NewRequest(early_->span, Priority::kLiveFinal);
  request.course = early_->course;
  request.done = [self, span = early_->span, course = early_->course](Request::Answer answer) {
    self->TakeEarly(span, *course, std::move(answer));
  };
  return request;
}

Request LiveSession::NextPartial() {
  const SpeechSpan open = *listener_.segmenter().Open();
  guess_taken_ = true;
  guess_end_ = open.end;
  Request request = NewRequest(open, Priority::kLivePartial);
  request.done = [self = shared_from_this(), open](const Request::Answer& answer) {
    self->TakeGuess(open, answer);
  };
  return request;
}

// ---- Taking answers.

void LiveSession::TakeFinal(std::uint64_t number, Request::Answer answer) {
  parts_[number - first_part_].answer = std::move(answer);
  Publish();
  news_(shared_from_this());  // what it could not hear meanwhile, it may hear now
}

void LiveSession::TakeEarly(const SpeechSpan& span, const Course& course, Request::Answer answer) {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    Part& part = parts_[i];
    if (part.span != span || part.request || part.answer) continue;
    TakeFinal(first_part_ + i, std::move(answer));
    return;
  }
  if (course.wish == Course::Wish::kPartial) guess_taken_ = false;
  // A newer one that is with the batch knows nothing of what would be promised now.
  const bool overtaken = early_ && early_->course && early_->span != span;
  if (!overtaken) TakeHypothesis(span, answer);
  if (early_ && early_->span == span) early_->answer = std::move(answer);
  events_.Call();
  NewsIfPartialDue();
}

// It came due while the one before was with the batch; the client's next samples may take long.
void LiveSession::NewsIfPartialDue() {
  if (WantsPartial()) news_(shared_from_this());
}

void LiveSession::TakeGuess(const SpeechSpan& span, const Request::Answer& answer) {
  guess_taken_ = false;
  // While a final answer is under way, which knows more, it is too late for a guess.
  if (!early_) TakeHypothesis(span, answer);
  events_.Call();
  NewsIfPartialDue();
}

// Takes an answer for what is still being spoken, if it still is and nothing newer was heard.
void LiveSession::TakeHypothesis(const SpeechSpan& span, const Request::Answer& answer) {
  const std::optional<SpeechSpan> open = listener_.segmenter().Open();
  if (!open || open->start != span.start || !parts_.empty() || span.end < hypothesis_end_) return;
  hypothesis_end_ = span.end;
  if (answer.segment.text.empty()) return;
  // Speech that gets too long is cut in its second half: what is heard of that half may become the
  // next part's, and must not be promised of this one.
  const bool before_any_cut = span.end - span.start <= max_part_ / 2;
  if (hot_words_) {
    promise_.SetGuess(answer.tokens);
  } else if (!promise_.Add(answer.tokens, answer.log_probabilities, tokenizer_, before_any_cut)) {
    return;
  }
  events_.PublishPartial(&answer.segment, tokenizer_.Decode(promise_.promised()),
                         SamplesToMillis(span.end));
}

// ---- Telling the client.

void LiveSession::PublishParts() {
  while (!parts_.empty() && parts_.front().answer) {
    const Part part = std::move(parts_.front());
    parts_.pop_front();
    ++first_part_;
    events_.AddPart(part.answer->segment);
    if (part.ends_utterance) {
      events_.PublishFinal(part.heard);
    } else {
      events_.PublishPartial(nullptr, {}, part.heard);
    }
  }
}

void LiveSession::CheckComplete() {
  if (!listener_finished_ || !parts_.empty()) return;
  const MutexLock lock(mutex_);
  if (!std::exchange(complete_, true)) events_.WantCall();
}

}  // namespace lethe
