#include "engine/internal/utterance_batch.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "engine/internal/alternatives.h"

namespace lethe {
namespace {

// A word or two fits into the shortest segment; the rate only bounds longer ones.
constexpr int kSpareTokens = 6;
// Rows in which a finished hypothesis is searched for hot words, and joint searches at a time: all
// utterances together stay within what a pass takes, but for those whose answer is complete.
constexpr int kMaxTrialRows = 3;
constexpr int kJointSearches = 2;
constexpr int kJointWidth = 4;
// Of a search for alternatives, which has what rows are left.
constexpr int kAlternativesWidth = kMaxAlternatives;
static_assert(kJointSearches * JointSearch::MaxRows(2, kJointWidth) +
                  (UtteranceBatch::kMaxUtterances - kJointSearches) * kMaxTrialRows <=
              SpeechModelWorker::kMaxRows);

// A request of each priority may be added while less than so many places are taken.
constexpr int kMost = UtteranceBatch::kMaxUtterances;
constexpr std::array<int, kPriorities> kRoom = {kMost, kMost - 2, kMost - 1, kMost - 2};

// Utterances that may wait for the encoder inside the batch.
constexpr int kMaxEncoding = 2;

// Passes with fewer utterances than this are preceded by another encoding, if there is one: a pass
// costs nearly the same for one as for some.
constexpr int kFewDecoding = 3;

// While somebody waits for tokens, utterances that are less urgent get a layer of the encoder, and
// recordings a pass of the decoder, only every so many passes: slowly, but they go on. A layer
// takes as long as several passes.
constexpr int kDeferredPasses = 8;
constexpr int kDeferredLayers = 16;

// A recording that was passed over by so many joint searches of who came later gets the next one.
constexpr int kMaxJointPassedOver = 4;

}  // namespace

UtteranceBatch::UtteranceBatch(const SpeechModel& model, const HearingOptions& hearing)
    : model_(model), hearing_(hearing), worker_(model.NewWorker()), slots_(kMaxUtterances) {
  for (Slot& slot : slots_) {
    slot.sequence = model.NewSequence();
    slot.hot_words = HotWordSearch(
        [&model](std::span<const int> tokens) { return model.tokenizer().Decode(tokens); });
  }
  for (int i = 0; i < kJointSearches; ++i) joint_.emplace_back(model);
  rows_.reserve(SpeechModelWorker::kMaxRows);
}

UtteranceBatch::~UtteranceBatch() = default;

bool UtteranceBatch::HasRoom(Priority priority) const {
  if (live_ >= kRoom[static_cast<std::size_t>(priority)]) return false;
  int before = 0;
  for (const Slot& slot : slots_) {
    if (slot.state == State::kEncoding && slot.request.priority <= priority) ++before;
  }
  return before < kMaxEncoding;
}

bool UtteranceBatch::HoldsAwaited() const {
  return std::any_of(slots_.begin(), slots_.end(), [](const Slot& slot) {
    return slot.state != State::kFree && !slot.request.poured;
  });
}

void UtteranceBatch::Add(Request request) {
  LETHE_CHECK(HasPlace());
  Slot& slot = *std::find_if(slots_.begin(), slots_.end(),
                             [](const Slot& s) { return s.state == State::kFree; });
  ++live_;
  slot.order = next_order_++;
  slot.request = std::move(request);
  slot.second_hearing = false;
  slot.passed_over = 0;
  slot.draft = std::move(slot.request.draft);
  Hear(&slot, slot.request.utterance.samples, 0);
}

void UtteranceBatch::Hear(Slot* slot, std::span<const float> samples, SampleIndex lead) {
  worker_->BeginEncode(samples, slot->sequence.get());
  slot->state = State::kEncoding;
  slot->now.lead = lead;
  slot->now.attention.clear();
  slot->draft_at = 0;
}

GreedyOptions UtteranceBatch::SearchOptions(const Slot& slot) const {
  const ModelTraits& traits = model_.traits();
  const SampleIndex samples =
      static_cast<SampleIndex>(slot.request.utterance.samples.size()) + 2 * slot.now.lead;
  const double seconds = static_cast<double>(samples) / kSampleRate;
  const int by_rate =
      static_cast<int>(std::ceil(seconds * traits.max_tokens_per_second)) + kSpareTokens;
  return {.end_token = traits.end_token,
          .max_tokens = std::min(by_rate, traits.max_tokens - 1),
          .forbid_empty = slot.request.utterance.certain,
          .promised = slot.request.promised};
}

void UtteranceBatch::BeginSearch(Slot* slot) {
  const GreedyOptions options = SearchOptions(*slot);
  slot->search.Begin(options);
  slot->phase = slot->second_hearing ? Slot::Phase::kJoint : Slot::Phase::kGreedy;
  if (slot->request.hot_words) slot->hot_words.Begin(*slot->request.hot_words, options);
  slot->now.frames = slot->sequence->num_frames();
  if (slot->request.words) {
    slot->now.attention.reserve(static_cast<std::size_t>(slot->now.frames) *
                                static_cast<std::size_t>(options.max_tokens + 1));
  }
  slot->last_token = model_.traits().begin_token;
  slot->state = State::kDecoding;
  if (slot->request.course) slot->request.course->being_written = !slot->second_hearing;
}

void UtteranceBatch::Step(const std::function<bool()>& interrupt) {
  TakeWishes();
  if (!Encode(interrupt)) Pass();
}

// Drops what is not wanted any more, and knows for a partial what is no final now.
void UtteranceBatch::TakeWishes() {
  for (Slot& slot : slots_) {
    if (slot.state == State::kFree) continue;
    Request& request = slot.request;
    const Course::Wish wish = request.course ? request.course->wish : Course::Wish::kAsAsked;
    const bool cancelled = request.cancelled && request.cancelled->load(std::memory_order_relaxed);
    if (cancelled || wish == Course::Wish::kNothing) {
      Free(&slot);
    } else if (wish == Course::Wish::kPartial) {
      request.priority = Priority::kLivePartial;
      request.second_hearing = false;
      request.alternatives = 0;
    }
  }
}

// Of the utterances that are not encoded the most urgent, or the one that came first.
UtteranceBatch::Slot* UtteranceBatch::NextToEncode(bool by_urgency) {
  Slot* next = nullptr;
  const auto key = [by_urgency](const Slot& slot) {
    return std::pair(by_urgency ? slot.request.priority : Priority{}, slot.order);
  };
  for (Slot& slot : slots_) {
    if (slot.state != State::kEncoding) continue;
    if (next == nullptr || key(slot) < key(*next)) next = &slot;
  }
  return next;
}

bool UtteranceBatch::Encode(const std::function<bool()>& interrupt) {
  // Who came first gets a layer now and then, whatever came after it.
  if (passes_ % kDeferredLayers == 0) {
    Slot* first = NextToEncode(false);
    if (first != nullptr && !worker_->EncodeMore(first->sequence.get())) BeginSearch(first);
  }
  while (Slot* slot = NextToEncode(true)) {
    if (MostUrgentDecoding() < slot->request.priority) return false;
    while (worker_->EncodeMore(slot->sequence.get())) {
      if (interrupt()) return true;
    }
    BeginSearch(slot);
    if (CountSlots(State::kDecoding) >= kFewDecoding) break;
  }
  return false;
}

// kRecording when nothing is decoded.
Priority UtteranceBatch::MostUrgentDecoding() const {
  Priority urgent = Priority::kRecording;
  for (const Slot& slot : slots_) {
    if (slot.state == State::kDecoding) urgent = std::min(urgent, slot.request.priority);
  }
  return urgent;
}

int UtteranceBatch::CountSlots(State state) const {
  return static_cast<int>(std::count_if(slots_.begin(), slots_.end(),
                                        [state](const Slot& slot) { return slot.state == state; }));
}

bool UtteranceBatch::TakesPart(const Slot& slot) const {
  if (slot.state != State::kDecoding) return false;
  if (slot.phase == Slot::Phase::kJoint && slot.joint == nullptr) return false;
  const bool patient = slot.request.priority == Priority::kRecording;
  return !patient || passes_ % kDeferredPasses == 0 || MostUrgentDecoding() == Priority::kRecording;
}

void UtteranceBatch::Pass() {
  ++passes_;
  AssignJointSearches();
  const std::vector<Slot*>& part = taking_part_;
  int spare = ChooseParts();
  if (part.empty()) return;
  rows_.clear();
  for (Slot* slot : part) {
    AddRows(slot, spare);
    spare -= slot->num_rows - LeastRows(*slot);
  }
  worker_->RecordAttention(
      std::any_of(part.begin(), part.end(), [](const Slot* slot) { return slot->request.words; }));
  worker_->Step(rows_);
  for (Slot* slot : part) {
    if (!TakeRows(slot)) continue;
    if (slot->phase == Slot::Phase::kJoint) {
      EndSearch(slot);
      continue;
    }
    const auto keep = [slot](const auto& search) {
      slot->now.tokens.assign(search.tokens().begin(), search.tokens().end());
      slot->now.log_probabilities.assign(search.log_probabilities().begin(),
                                         search.log_probabilities().end());
      slot->now.log_probability = SumOf(slot->now.log_probabilities) + search.end_log_probability();
    };
    keep(slot->search);
    if (WantsSecondHearing(*slot)) {
      HearAgain(slot);
      continue;
    }
    if (slot->request.hot_words && !slot->now.tokens.empty()) keep(slot->hot_words);
    slot->now.confidence = Confidence(slot->now.log_probabilities);
    const bool searched = slot->second_hearing || slot->now.tokens.empty();
    if (slot->request.alternatives > 1 && !searched) {
      SearchAlternatives(slot);
      continue;
    }
    Finish(slot);
  }
}

// Every utterance has a row, or those of its trial or joint search. Drafts and searches for
// alternatives share what is left; of these, those that came first go on.
int UtteranceBatch::ChooseParts() {
  taking_part_.clear();
  for (Slot& slot : slots_) {
    if (TakesPart(slot)) taking_part_.push_back(&slot);
  }
  std::sort(taking_part_.begin(), taking_part_.end(), [](const Slot* a, const Slot* b) {
    return std::pair(a->own_search != nullptr, a->order) <
           std::pair(b->own_search != nullptr, b->order);
  });
  int spare = SpeechModelWorker::kMaxRows;
  std::erase_if(taking_part_, [&spare](const Slot* slot) {
    const int rows = LeastRows(*slot);
    if (rows > spare) return true;
    spare -= rows;
    return false;
  });
  return spare;
}

bool UtteranceBatch::WantsSecondHearing(const Slot& slot) const {
  return slot.request.second_hearing && !slot.second_hearing && !slot.search.tokens().empty() &&
         Confidence(slot.search.log_probabilities()) < hearing_.unsure;
}

int UtteranceBatch::LeastRows(const Slot& slot) {
  switch (slot.phase) {
    case Slot::Phase::kGreedy:
      return 1;
    case Slot::Phase::kJoint:
      return slot.joint->num_rows();
    case Slot::Phase::kTrials:
    case Slot::Phase::kReview:
      break;
  }
  return static_cast<int>(slot.trial.size());
}

void UtteranceBatch::AssignJointSearches() {
  while (Slot* next = NextForJointSearch()) {
    next->joint = &*std::find_if(joint_.begin(), joint_.end(),
                                 [](const JointSearch& search) { return !search.busy(); });
    const std::array hearings = {next->first_hearing.get(), next->sequence.get()};
    next->joint->Begin(
        SearchOptions(*next), hearings,
        {.width = kJointWidth, .wanted = next->request.alternatives > 1 ? kMaxAlternatives : 1});
    for (Slot& slot : slots_) {
      if (WaitsForJointSearch(slot) && slot.order < next->order) ++slot.passed_over;
    }
  }
}

bool UtteranceBatch::WaitsForJointSearch(const Slot& slot) {
  return slot.state == State::kDecoding && slot.phase == Slot::Phase::kJoint &&
         slot.joint == nullptr;
}

// Recordings have one at a time, and leave the last that is free to live streams until they have
// been passed over often enough: where everybody is unsure there would be none for them ever.
UtteranceBatch::Slot* UtteranceBatch::NextForJointSearch() {
  const auto free = std::count_if(joint_.begin(), joint_.end(),
                                  [](const JointSearch& search) { return !search.busy(); });
  const auto recording = [](const Slot& slot) {
    return slot.request.priority == Priority::kRecording;
  };
  const bool recording_has_one =
      std::any_of(slots_.begin(), slots_.end(), [&recording](const Slot& slot) {
        return slot.joint != nullptr && !slot.own_search && recording(slot);
      });
  Slot* next = nullptr;
  for (Slot& slot : slots_) {
    if (!WaitsForJointSearch(slot)) continue;
    const bool overdue = slot.passed_over >= kMaxJointPassedOver;
    if (recording(slot) && (recording_has_one || (free < kJointSearches && !overdue))) continue;
    if (next == nullptr || slot.order < next->order) next = &slot;
  }
  return free > 0 ? next : nullptr;
}

// Made when it is wanted, for few want one, and its copies of the tokens are large. It looks for as
// many as there may be: two cost 2 % less, and then their list would not begin that of four.
void UtteranceBatch::SearchAlternatives(Slot* slot) {
  slot->phase = Slot::Phase::kJoint;
  if (slot->request.course) slot->request.course->being_written = false;
  slot->own_search = std::make_unique<JointSearch>(model_);
  slot->joint = slot->own_search.get();
  const std::array hearings = {slot->sequence.get()};
  slot->joint->Begin(SearchOptions(*slot), hearings,
                     {.width = kAlternativesWidth, .wanted = kMaxAlternatives});
}

void UtteranceBatch::EndSearch(Slot* slot) {
  if (slot->request.alternatives > 0) {
    slot->alternatives.assign(slot->joint->found().begin(), slot->joint->found().end());
  }
  if (slot->own_search) {
    Finish(slot);
  } else {
    WriteFound(slot);
  }
}

void UtteranceBatch::WriteFound(Slot* slot) {
  const std::span<const BeamSearch::Hypothesis> found = slot->joint->found();
  slot->found = found.empty() ? slot->now.tokens : found.front().tokens;  // of the first hearing
  slot->joint->End();
  slot->joint = nullptr;
  GreedyOptions options = SearchOptions(*slot);
  options.promised = slot->found;
  options.promised_whole = true;
  slot->search.Begin(options);
  slot->phase = Slot::Phase::kGreedy;
  slot->sequence->Truncate(0);
  slot->last_token = model_.traits().begin_token;
  slot->draft = slot->found;
  slot->draft_at = 0;
}

void UtteranceBatch::AddRows(Slot* slot, int spare) {
  slot->first_row = static_cast<int>(rows_.size());
  if (slot->phase == Slot::Phase::kJoint) {
    slot->joint->AddRows(&rows_);
    slot->num_rows = LeastRows(*slot);
    return;
  }
  if (slot->phase != Slot::Phase::kGreedy) {
    for (const int token : slot->trial) rows_.push_back({slot->sequence.get(), token, true});
    slot->num_rows = LeastRows(*slot);
    return;
  }
  // Not the largest logit alone matters to hot words, where a search found what is to be written,
  // and at the beginning, which may not be the end. A promise changes nothing: mostly it is the
  // largest, and then the answer has to be that of a recording, to the last bit.
  const std::size_t taken = slot->search.tokens().size();
  const std::size_t given = slot->second_hearing ? slot->found.size() : 0;
  const auto every = [slot, taken, given](std::size_t i) {
    return slot->request.hot_words || taken + i < std::max<std::size_t>(1, given);
  };
  rows_.push_back({slot->sequence.get(), slot->last_token, every(0)});
  // A draft may be longer than what the model has room for.
  const int places = model_.traits().max_tokens - slot->sequence->num_tokens() - 1;
  const std::size_t left = slot->draft.size() - slot->draft_at;
  const auto count = std::min<std::size_t>(left, std::max(0, std::min(spare, places)));
  for (std::size_t i = 0; i < count; ++i) {
    rows_.push_back({slot->sequence.get(), slot->draft[slot->draft_at + i], every(i + 1)});
  }
  slot->num_rows = static_cast<int>(rows_.size()) - slot->first_row;
}

bool UtteranceBatch::TakeRows(Slot* slot) {
  if (slot->phase == Slot::Phase::kJoint) return slot->joint->Take(worker_.get(), slot->first_row);
  if (slot->phase != Slot::Phase::kGreedy) return TakeTrialRows(slot);
  for (int i = 0; i < slot->num_rows; ++i) {
    const int row = slot->first_row + i;
    if (slot->request.words) {
      const std::span<const float> seen = worker_->Attention(row);
      slot->now.attention.insert(slot->now.attention.end(), seen.begin(), seen.end());
    }
    const int token = slot->search.Choose(model_.kernels(), worker_->Logits(row));
    if (slot->request.hot_words) {
      slot->hot_words.Listen(worker_->Logits(row), slot->search.log_sum(), token);
    }
    if (token == model_.traits().end_token) {
      if (!slot->request.hot_words || WantsSecondHearing(*slot)) return true;
      slot->hot_words.BeginTrials(slot->search);
      slot->phase = Slot::Phase::kTrials;
      return PlanTrial(slot);
    }
    slot->last_token = token;
    const bool drafted = slot->draft_at < slot->draft.size();
    if (drafted && slot->draft[slot->draft_at] == token) {
      ++slot->draft_at;  // the row of this token, if there is one, holds
      continue;
    }
    slot->draft.clear();
    slot->draft_at = 0;
    slot->sequence->Truncate(slot->sequence->num_tokens() - (slot->num_rows - 1 - i));
    break;
  }
  return false;
}

bool UtteranceBatch::TakeTrialRows(Slot* slot) {
  for (int row = slot->first_row; row < slot->first_row + slot->num_rows; ++row) {
    if (slot->phase == Slot::Phase::kReview) {
      const std::span<const float> seen = worker_->Attention(row);
      slot->now.attention.insert(slot->now.attention.end(), seen.begin(), seen.end());
    } else if (!slot->hot_words.Take(model_.kernels(), worker_->Logits(row))) {
      break;
    }
  }
  return PlanTrial(slot);
}

bool UtteranceBatch::PlanTrial(Slot* slot) {
  if (slot->phase == Slot::Phase::kTrials) {
    int keep = 0;
    if (slot->hot_words.Next(kMaxTrialRows, &keep, &slot->trial)) {
      slot->sequence->Truncate(keep);
      return false;
    }
    if (!slot->request.words || !slot->hot_words.changed()) return true;
    slot->phase = Slot::Phase::kReview;
    slot->reviewed = 0;
    slot->now.attention.clear();
    slot->sequence->Truncate(0);
  }
  slot->trial.clear();
  const std::span<const int> tokens = slot->hot_words.tokens();
  while (slot->reviewed <= tokens.size() && slot->trial.size() < kMaxTrialRows) {
    slot->trial.push_back(slot->reviewed == 0 ? model_.traits().begin_token
                                              : tokens[slot->reviewed - 1]);
    ++slot->reviewed;
  }
  return slot->trial.empty();
}

void UtteranceBatch::HearAgain(Slot* slot) {
  slot->second_hearing = true;
  if (slot->request.course) slot->request.course->being_written = false;
  if (!slot->first_hearing) slot->first_hearing = model_.NewSequence();
  std::swap(slot->first_hearing, slot->sequence);
  const std::vector<float>& samples = slot->request.utterance.samples;
  const SampleIndex silence = MillisToSamples(hearing_.silence);
  surrounded_.assign(samples.size() + 2 * static_cast<std::size_t>(silence), 0.0f);
  std::copy(samples.begin(), samples.end(), surrounded_.begin() + silence);
  Hear(slot, surrounded_, silence);
}

void UtteranceBatch::Finish(Slot* slot) {
  const Hypothesis& best = slot->now;
  Segment segment = SegmentOf(model_, slot->request, best);
  if (slot->request.alternatives > 0) segment.alternatives = Alternatives(*slot, segment);
  const auto done = std::exchange(slot->request.done, nullptr);
  Request::Answer answer{.segment = std::move(segment),
                         .tokens = best.tokens,
                         .log_probabilities = best.log_probabilities};
  Free(slot);
  done(std::move(answer));
}

// What is held of the audio ends here; the slot may stay empty for long.
void UtteranceBatch::Free(Slot* slot) {
  slot->state = State::kFree;
  --live_;
  if (slot->joint != nullptr) slot->joint->End();
  slot->joint = nullptr;
  slot->own_search.reset();
  slot->alternatives.clear();
  slot->request = {};
  slot->draft.clear();
}

std::vector<Alternative> UtteranceBatch::Alternatives(const Slot& slot,
                                                      const Segment& answer) const {
  // Both hearings know more of what they found together than the one that wrote it.
  const bool joint = slot.second_hearing && !slot.alternatives.empty() &&
                     slot.alternatives.front().tokens == slot.now.tokens;
  const double log_probability = joint ? slot.alternatives.front().sum : slot.now.log_probability;
  const auto text = [&](std::span<const int> tokens) {
    return WrittenText(model_, slot.request, tokens);
  };
  return ListAlternatives(answer, log_probability, slot.alternatives, text,
                          slot.request.alternatives);
}

}  // namespace lethe
