#include "engine/internal/utterance_batch.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"

namespace lethe {
namespace {

// Joint searches at a time: all utterances together stay within what a pass takes, but for those
// whose answer is complete.
constexpr int kJointSearches = 2;
static_assert(kJointSearches * Recognition::kMaxJointRows +
                  (UtteranceBatch::kMaxUtterances - kJointSearches) * Recognition::kMaxTrialRows <=
              SpeechModelWorker::kMaxRows);

// A request of each priority may be added while less than so many places are taken.
constexpr int kMost = UtteranceBatch::kMaxUtterances;
constexpr std::array<int, kPriorities> kRoom = {kMost, kMost - 2, kMost - 1, kMost - 2};

// Utterances that may wait for the encoder inside the batch.
constexpr int kMaxEncoding = 2;

// Passes with fewer utterances than this are preceded by another encoding, if there is one: a pass
// costs nearly the same for one as for some. Of recordings nobody is begun while there are so many
// of their kind, and then all that wait: an encoding drives the decoder's weights, and what many
// utterances look at, out of the caches, and should not come between passes more often than it has
// to.
constexpr int kFewDecoding = 3;

// While somebody waits for tokens, utterances that are less urgent get a layer of the encoder, and
// recordings a pass of the decoder, only every so many passes: slowly, but they go on. A layer
// takes as long as several passes.
constexpr int kDeferredPasses = 8;
constexpr int kDeferredLayers = 16;

// A recording that was passed over by so many joint searches of who came later gets the next one.
constexpr int kMaxJointPassedOver = 4;

constexpr std::size_t Index(Priority priority) { return static_cast<std::size_t>(priority); }
constexpr bool IsLive(Priority priority) { return priority < Priority::kShortCall; }

}  // namespace

UtteranceBatch::UtteranceBatch(const SpeechModel& model, const HearingOptions& hearing)
    : worker_(model.NewWorker()) {
  slots_.reserve(kMaxUtterances);
  for (int i = 0; i < kMaxUtterances; ++i) {
    slots_.push_back({.recognition = Recognition(model, hearing, worker_.get(), &surrounded_)});
  }
  for (int i = 0; i < kJointSearches; ++i) joint_.emplace_back(model);
  rows_.reserve(SpeechModelWorker::kMaxRows);
}

UtteranceBatch::~UtteranceBatch() = default;

bool UtteranceBatch::HasRoom(Priority priority) const {
  if (live_ >= kRoom[Index(priority)] || !MayBegin(priority)) return false;
  int before = 0;
  for (const Slot& slot : slots_) {
    if (slot.recognition.state() == State::kEncoding && slot.recognition.priority() <= priority) {
      ++before;
    }
  }
  return before < kMaxEncoding;
}

bool UtteranceBatch::HoldsAwaited() const {
  return std::any_of(slots_.begin(), slots_.end(), [](const Slot& slot) {
    return slot.recognition.state() != State::kFree && !slot.recognition.poured();
  });
}

void UtteranceBatch::Add(Request request) {
  LETHE_CHECK(HasPlace());
  Slot& slot = *std::find_if(slots_.begin(), slots_.end(),
                             [](const Slot& s) { return s.recognition.state() == State::kFree; });
  ++live_;
  slot.order = next_order_++;
  slot.passed_over = 0;
  slot.recognition.Begin(std::move(request));
}

void UtteranceBatch::Step(const std::function<bool()>& interrupt) {
  TakeWishes();
  if (!Encode(interrupt)) Pass();
}

// Drops what is not wanted any more, and knows for a partial what is no final now.
void UtteranceBatch::TakeWishes() {
  for (Slot& slot : slots_) {
    if (slot.recognition.state() == State::kFree || slot.recognition.FollowWish()) continue;
    slot.recognition.Drop();
    --live_;
  }
}

// Of the utterances that are not encoded the most urgent, or the one that came first.
UtteranceBatch::Slot* UtteranceBatch::NextToEncode(bool by_urgency) {
  Slot* next = nullptr;
  const auto key = [by_urgency](const Slot& slot) {
    return std::pair(by_urgency ? slot.recognition.priority() : Priority{}, slot.order);
  };
  for (Slot& slot : slots_) {
    if (slot.recognition.state() != State::kEncoding) continue;
    if (next == nullptr || key(slot) < key(*next)) next = &slot;
  }
  return next;
}

bool UtteranceBatch::Encode(const std::function<bool()>& interrupt) {
  // Who came first gets a layer now and then, whatever came after it.
  if (passes_ % kDeferredLayers == 0) {
    Slot* first = NextToEncode(false);
    if (first != nullptr) first->recognition.EncodeMore();
  }
  while (Slot* slot = NextToEncode(true)) {
    const Priority priority = slot->recognition.priority();
    // Of the more urgent nobody waits.
    std::fill_n(filling_.begin(), Index(priority), false);
    if (MostUrgentDecoding() < priority || !MayBegin(priority)) return false;
    filling_[Index(priority)] = true;
    while (slot->recognition.EncodeMore()) {
      if (interrupt()) return true;
    }
    // Others may be admitted before the next.
    if (!IsLive(priority)) return true;
    if (CountSlots(State::kDecoding) >= kFewDecoding) return false;
  }
  filling_.fill(false);
  return false;
}

// Of a turn's recordings the first begins when few of their kind are being decoded. Who waits for a
// joint search has no row in a pass.
bool UtteranceBatch::MayBegin(Priority priority) const {
  if (IsLive(priority) || filling_[Index(priority)]) return true;
  const auto decoding = std::count_if(slots_.begin(), slots_.end(), [priority](const Slot& slot) {
    const Recognition& recognition = slot.recognition;
    return recognition.state() == State::kDecoding && recognition.priority() == priority &&
           !recognition.WaitsForJointSearch();
  });
  return decoding < kFewDecoding;
}

// kRecording when nothing is decoded.
Priority UtteranceBatch::MostUrgentDecoding() const {
  Priority urgent = Priority::kRecording;
  for (const Slot& slot : slots_) {
    if (slot.recognition.state() == State::kDecoding) {
      urgent = std::min(urgent, slot.recognition.priority());
    }
  }
  return urgent;
}

int UtteranceBatch::CountSlots(State state) const {
  return static_cast<int>(std::count_if(slots_.begin(), slots_.end(), [state](const Slot& slot) {
    return slot.recognition.state() == state;
  }));
}

bool UtteranceBatch::TakesPart(const Slot& slot) const {
  const Recognition& recognition = slot.recognition;
  if (recognition.state() != State::kDecoding || recognition.WaitsForJointSearch()) return false;
  const bool patient = recognition.priority() == Priority::kRecording;
  return !patient || passes_ % kDeferredPasses == 0 || MostUrgentDecoding() == Priority::kRecording;
}

void UtteranceBatch::Pass() {
  ++passes_;
  AssignJointSearches();
  const std::vector<Slot*>& part = taking_part_;
  int spare = ChooseParts();
  if (part.empty()) return;
  rows_.clear();
  for (Slot* slot : part) spare -= slot->recognition.AddRows(spare, &rows_);
  worker_->RecordAttention(std::any_of(part.begin(), part.end(), [](const Slot* slot) {
    return slot->recognition.wants_attention();
  }));
  worker_->Step(rows_);
  for (Slot* slot : part) {
    if (!slot->recognition.TakeRows()) continue;
    --live_;
    slot->recognition.Finish();
  }
}

// Every utterance has a row, or those of its trial or joint search. Drafts and searches for
// alternatives share what is left; of these, those that came first, and others that fit beside
// them.
int UtteranceBatch::ChooseParts() {
  taking_part_.clear();
  for (Slot& slot : slots_) {
    if (TakesPart(slot)) taking_part_.push_back(&slot);
  }
  std::sort(taking_part_.begin(), taking_part_.end(), [](const Slot* a, const Slot* b) {
    return std::pair(a->recognition.SearchesAlternatives(), a->order) <
           std::pair(b->recognition.SearchesAlternatives(), b->order);
  });
  int spare = SpeechModelWorker::kMaxRows;
  std::erase_if(taking_part_, [&spare](const Slot* slot) {
    const int rows = slot->recognition.LeastRows();
    if (rows > spare) return true;
    spare -= rows;
    return false;
  });
  return spare;
}

void UtteranceBatch::AssignJointSearches() {
  while (Slot* next = NextForJointSearch()) {
    next->recognition.BeginJointSearch(&*std::find_if(
        joint_.begin(), joint_.end(), [](const JointSearch& search) { return !search.busy(); }));
    for (Slot& slot : slots_) {
      if (slot.recognition.WaitsForJointSearch() && slot.order < next->order) ++slot.passed_over;
    }
  }
}

// Recordings have one at a time, and leave the last that is free to live streams until they have
// been passed over often enough: where everybody is unsure there would be none for them ever.
UtteranceBatch::Slot* UtteranceBatch::NextForJointSearch() {
  const auto free = std::count_if(joint_.begin(), joint_.end(),
                                  [](const JointSearch& search) { return !search.busy(); });
  const auto recording = [](const Slot& slot) {
    return slot.recognition.priority() == Priority::kRecording;
  };
  const bool recording_has_one =
      std::any_of(slots_.begin(), slots_.end(), [&recording](const Slot& slot) {
        return slot.recognition.HoldsJointSearch() && recording(slot);
      });
  Slot* next = nullptr;
  for (Slot& slot : slots_) {
    if (!slot.recognition.WaitsForJointSearch()) continue;
    const bool overdue = slot.passed_over >= kMaxJointPassedOver;
    if (recording(slot) && (recording_has_one || (free < kJointSearches && !overdue))) continue;
    if (next == nullptr || slot.order < next->order) next = &slot;
  }
  return free > 0 ? next : nullptr;
}

}  // namespace lethe
