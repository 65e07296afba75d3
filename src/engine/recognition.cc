#include "engine/internal/recognition.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "engine/internal/alternatives.h"

namespace lethe {
namespace {

// A word or two fits into the shortest segment; the rate only bounds longer ones.
constexpr int kSpareTokens = 6;
// Of a search for alternatives, which has what rows are left.
constexpr int kAlternativesWidth = kMaxAlternatives;
// Of a joint search: what is less probable than the best by more than this logarithm does not go
// on.
constexpr double kJointMargin = 3;

// Of a greedy search, or of one for hot words.
template <class Search>
void Keep(const Search& search, Hypothesis* hypothesis) {
  hypothesis->tokens.assign(search.tokens().begin(), search.tokens().end());
  hypothesis->log_probabilities.assign(search.log_probabilities().begin(),
                                       search.log_probabilities().end());
  hypothesis->log_probability = SumOf(hypothesis->log_probabilities) + search.end_log_probability();
}

}  // namespace

Recognition::Recognition(const SpeechModel& model, const HearingOptions& hearing,
                         SpeechModelWorker* worker, std::vector<float>* surrounded)
    : model_(model),
      hearing_(hearing),
      worker_(worker),
      surrounded_(surrounded),
      sequence_(model.NewSequence()),
      hot_words_(
          [&model](std::span<const int> tokens) { return model.tokenizer().Decode(tokens); }) {}

void Recognition::Begin(Request request) {
  LETHE_CHECK(state_ == State::kFree);
  request_ = std::move(request);
  second_hearing_ = agreeing_ = false;
  draft_ = std::move(request_.draft);
  Hear(request_.utterance.samples, 0);
}

void Recognition::Hear(std::span<const float> samples, SampleIndex lead) {
  worker_->BeginEncode(samples, sequence_.get());
  state_ = State::kEncoding;
  now_.lead = lead;
  now_.attention.clear();
  draft_at_ = 0;
}

bool Recognition::FollowWish() {
  const Course::Wish wish = request_.course ? request_.course->wish : Course::Wish::kAsAsked;
  const bool cancelled = request_.cancelled && request_.cancelled->load(std::memory_order_relaxed);
  if (cancelled || wish == Course::Wish::kNothing) return false;
  if (wish == Course::Wish::kPartial) {
    request_.priority = Priority::kLivePartial;
    request_.second_hearing = false;
    request_.alternatives = 0;
  }
  return true;
}

bool Recognition::EncodeMore() {
  if (worker_->EncodeMore(sequence_.get())) return true;
  BeginSearch();
  return false;
}

GreedyOptions Recognition::SearchOptions() const {
  const ModelTraits& traits = model_.traits();
  const SampleIndex samples =
      static_cast<SampleIndex>(request_.utterance.samples.size()) + 2 * now_.lead;
  const double seconds = static_cast<double>(samples) / kSampleRate;
  const int by_rate =
      static_cast<int>(std::ceil(seconds * traits.max_tokens_per_second)) + kSpareTokens;
  return {.end_token = traits.end_token,
          .max_tokens = std::min(by_rate, traits.max_tokens - 1),
          .forbid_empty = request_.utterance.certain,
          .promised = request_.promised};
}

void Recognition::BeginSearch() {
  const GreedyOptions options = SearchOptions();
  search_.Begin(options);
  phase_ = second_hearing_ && !agreeing_ ? Phase::kJoint : Phase::kGreedy;
  if (agreeing_) draft_ = now_.tokens;
  if (request_.hot_words) hot_words_.Begin(*request_.hot_words, options);
  now_.frames = sequence_->num_frames();
  if (request_.words) {
    now_.attention.reserve(static_cast<std::size_t>(now_.frames) *
                           static_cast<std::size_t>(options.max_tokens + 1));
  }
  last_token_ = model_.traits().begin_token;
  state_ = State::kDecoding;
  if (request_.course) request_.course->being_written = !second_hearing_;
}

int Recognition::LeastRows() const {
  switch (phase_) {
    case Phase::kGreedy:
      return 1;
    case Phase::kJoint:
      return joint_->num_rows();
    case Phase::kTrials:
    case Phase::kReview:
      break;
  }
  return static_cast<int>(trial_.size());
}

int Recognition::AddRows(int spare, std::vector<DecoderRow>* rows) {
  first_row_ = static_cast<int>(rows->size());
  num_rows_ = LeastRows();
  if (phase_ == Phase::kJoint) {
    joint_->AddRows(rows);
    return 0;
  }
  if (phase_ != Phase::kGreedy) {
    for (const int token : trial_) rows->push_back({sequence_.get(), token, true});
    return 0;
  }
  // Hot words look at every logit. What a search found is written wherever it stands. A promise
  // changes nothing: mostly it is the largest, and then the answer has to be that of a recording,
  // to the last bit.
  const auto add = [this, rows](int token, std::size_t ahead) {
    const std::size_t at = search_.tokens().size() + ahead;
    int wanted = at < found_.size() ? found_[at] : -1;
    if (!found_.empty() && at == found_.size()) wanted = model_.traits().end_token;
    rows->push_back({.sequence = sequence_.get(),
                     .token = token,
                     .every_logit = request_.hot_words != nullptr,
                     .forbidden = at == 0 ? search_.Forbidden() : -1,
                     .wanted = wanted});
  };
  add(last_token_, 0);
  // A draft may be longer than what the model has room for.
  const int places = model_.traits().max_tokens - sequence_->num_tokens() - 1;
  const std::size_t left = draft_.size() - draft_at_;
  const auto count = std::min<std::size_t>(left, std::max(0, std::min(spare, places)));
  for (std::size_t i = 0; i < count; ++i) {
    add(draft_[draft_at_ + i], i + 1);
  }
  num_rows_ += static_cast<int>(count);
  return static_cast<int>(count);
}

bool Recognition::TakeRows() {
  if (phase_ == Phase::kJoint) return joint_->Take(worker_, first_row_) && EndSearch();
  const bool complete = phase_ == Phase::kGreedy ? TakeGreedyRows() : TakeTrialRows();
  if (!complete) return false;
  Keep(search_, &now_);
  if (WantsSecondHearing()) {
    HearAgain();
    return false;
  }
  if (request_.hot_words && !now_.tokens.empty()) Keep(hot_words_, &now_);
  now_.confidence = Confidence(now_.log_probabilities);
  if (request_.alternatives > 1 && !now_.tokens.empty()) {
    SearchAlternatives();
    return false;
  }
  return true;
}

bool Recognition::TakeGreedyRows() {
  for (int i = 0; i < num_rows_; ++i) {
    const int row = first_row_ + i;
    if (request_.words) TakeAttention(row);
    const int token = search_.Choose(model_.kernels(), worker_->Logits(row));
    if (agreeing_ && !Agrees(token)) {
      Disagree();
      return false;
    }
    if (request_.hot_words) hot_words_.Listen(worker_->Logits(row), search_.log_sum(), token);
    if (token == model_.traits().end_token) {
      if (!request_.hot_words || WantsSecondHearing()) return true;
      hot_words_.BeginTrials(search_);
      phase_ = Phase::kTrials;
      return PlanTrial();
    }
    last_token_ = token;
    const bool drafted = draft_at_ < draft_.size();
    if (drafted && draft_[draft_at_] == token) {
      ++draft_at_;  // the row of this token, if there is one, holds
      continue;
    }
    draft_.clear();
    draft_at_ = 0;
    sequence_->Truncate(sequence_->num_tokens() - (num_rows_ - 1 - i));
    break;
  }
  return false;
}

bool Recognition::TakeTrialRows() {
  for (int row = first_row_; row < first_row_ + num_rows_; ++row) {
    if (phase_ == Phase::kReview) {
      TakeAttention(row);
    } else if (!hot_words_.Take(model_.kernels(), worker_->Logits(row))) {
      break;
    }
  }
  return PlanTrial();
}

bool Recognition::PlanTrial() {
  if (phase_ == Phase::kTrials) {
    int keep = 0;
    if (hot_words_.Next(kMaxTrialRows, &keep, &trial_)) {
      sequence_->Truncate(keep);
      return false;
    }
    if (!request_.words || !hot_words_.changed()) return true;
    phase_ = Phase::kReview;
    reviewed_ = 0;
    now_.attention.clear();
    sequence_->Truncate(0);
  }
  trial_.clear();
  const std::span<const int> tokens = hot_words_.tokens();
  while (reviewed_ <= tokens.size() && trial_.size() < kMaxTrialRows) {
    trial_.push_back(reviewed_ == 0 ? model_.traits().begin_token : tokens[reviewed_ - 1]);
    ++reviewed_;
  }
  return trial_.empty();
}

void Recognition::TakeAttention(int row) {
  const std::span<const float> seen = worker_->Attention(row);
  now_.attention.insert(now_.attention.end(), seen.begin(), seen.end());
}

bool Recognition::WantsSecondHearing() const {
  if (!request_.second_hearing || second_hearing_ || hearing_.unsure <= 0) return false;
  if (search_.tokens().empty()) return false;
  return !search_.ended() || !IsSure();
}

bool Recognition::IsSure() const {
  return Confidence(search_.log_probabilities()) >= hearing_.unsure;
}

void Recognition::HearAgain() {
  second_hearing_ = true;
  agreeing_ = search_.ended();
  if (request_.course) request_.course->being_written = false;
  if (!first_hearing_) first_hearing_ = model_.NewSequence();
  std::swap(first_hearing_, sequence_);
  const std::vector<float>& samples = request_.utterance.samples;
  const SampleIndex silence = MillisToSamples(hearing_.silence);
  surrounded_->assign(samples.size() + 2 * static_cast<std::size_t>(silence), 0.0f);
  std::copy(samples.begin(), samples.end(), surrounded_->begin() + silence);
  Hear(*surrounded_, silence);
  // The model has what it needs; the voice would stay here until the next second hearing.
  std::fill(surrounded_->begin(), surrounded_->end(), 0.0f);
}

bool Recognition::WaitsForJointSearch() const {
  return state_ == State::kDecoding && phase_ == Phase::kJoint && joint_ == nullptr;
}

void Recognition::BeginJointSearch(JointSearch* joint) {
  joint_ = joint;
  SearchBoth({.width = kJointWidth, .margin = kJointMargin});
}

void Recognition::SearchBoth(const BeamSearch::Options& beam) {
  const std::array hearings = {first_hearing_.get(), sequence_.get()};
  joint_->Begin(SearchOptions(), hearings, beam);
}

// Made when it is wanted, for few want one, and its copies of the tokens are large. It looks for as
// many as there may be: two cost 2 % less, and then their list would not begin that of four.
void Recognition::SearchAlternatives() {
  phase_ = Phase::kJoint;
  if (request_.course) request_.course->being_written = false;
  own_search_ = std::make_unique<JointSearch>(model_);
  joint_ = own_search_.get();
  const std::array hearings = {first_hearing_.get(), sequence_.get()};
  joint_->Begin(SearchOptions(), std::span(hearings).subspan(second_hearing_ ? 0 : 1),
                {.width = kAlternativesWidth, .wanted = kMaxAlternatives});
}

bool Recognition::EndSearch() {
  if (!own_search_) {
    // Where both hearings run in circles, all else is far behind what is dropped for that.
    if (joint_->found().empty() && joint_->joined()) {
      joint_->End();
      SearchBoth({.width = kJointWidth});
    } else {
      WriteFound();
    }
    return false;
  }
  alternatives_.assign(joint_->found().begin(), joint_->found().end());
  if (second_hearing_ && !alternatives_.empty()) WeighBySecondHearing();
  return true;
}

// Both hearings know how far texts are apart, and the answer has the probability of the one that
// wrote it, whether there is a search or not.
void Recognition::WeighBySecondHearing() {
  const std::span<const int> written = search_.tokens();  // before hot words
  const auto same = std::find_if(
      alternatives_.begin(), alternatives_.end(), [&written](const BeamSearch::Hypothesis& found) {
        return std::equal(found.tokens.begin(), found.tokens.end(), written.begin(), written.end());
      });
  const bool found_it = same != alternatives_.end();
  const BeamSearch::Hypothesis& known = found_it ? *same : alternatives_.front();
  const double apart = (found_it ? SumOf(search_.log_probabilities()) : known.written) +
                       search_.end_log_probability() - known.sum;
  for (BeamSearch::Hypothesis& found : alternatives_) found.sum += apart;
}

bool Recognition::Agrees(int token) const {
  if (draft_at_ < draft_.size()) return token == draft_[draft_at_];
  // A guard's end is no end that the first hearing came to.
  return token == model_.traits().end_token && search_.ended() && IsSure();
}

void Recognition::Disagree() {
  agreeing_ = false;
  phase_ = Phase::kJoint;
  now_.attention.clear();
  draft_.clear();
  draft_at_ = 0;
}

void Recognition::WriteFound() {
  const std::span<const BeamSearch::Hypothesis> found = joint_->found();
  found_ = found.empty() ? now_.tokens : found.front().tokens;  // of the first hearing
  joint_->End();
  joint_ = nullptr;
  GreedyOptions options = SearchOptions();
  options.promised = found_;
  options.promised_whole = true;
  search_.Begin(options);
  phase_ = Phase::kGreedy;
  sequence_->Truncate(0);
  last_token_ = model_.traits().begin_token;
  draft_ = found_;
  draft_at_ = 0;
  if (request_.hot_words) hot_words_.Begin(*request_.hot_words, SearchOptions());
}

void Recognition::Finish() {
  Segment segment = SegmentOf(model_, request_, now_);
  if (request_.alternatives > 0) segment.alternatives = Alternatives(segment);
  const auto done = std::exchange(request_.done, nullptr);
  Request::Answer answer{.segment = std::move(segment),
                         .tokens = now_.tokens,
                         .log_probabilities = now_.log_probabilities};
  Drop();
  done(std::move(answer));
}

// What is held of the audio and the text ends here; it may stay free for long.
void Recognition::Drop() {
  state_ = State::kFree;
  if (joint_ != nullptr) joint_->End();
  joint_ = nullptr;
  own_search_.reset();
  alternatives_ = {};
  request_ = {};
  search_ = {};
  now_ = {};
  draft_ = {};
  found_ = {};
  trial_ = {};
  hot_words_.Forget();
}

std::vector<Alternative> Recognition::Alternatives(const Segment& answer) const {
  const auto text = [&](std::span<const int> tokens) {
    return WrittenText(model_, request_, tokens);
  };
  return ListAlternatives(answer, now_.log_probability, alternatives_, text, request_.alternatives);
}

}  // namespace lethe
