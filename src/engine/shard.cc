#include "engine/internal/shard.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace lethe {
namespace {

// A request that was passed over by so many more urgent ones goes first. Partials are made for
// reading along and may come late; somebody waits for a short call; a recording has time. Nothing
// is more urgent than a live final.
constexpr std::array<int, kPriorities> kMaxPassedOver = {std::numeric_limits<int>::max(), 16, 4,
                                                         16};

// Samples heard in a turn. A second takes about a millisecond, which is less than a layer of the
// encoder. Who pours may have all the time that is left over, but not so much at once that somebody
// who begins to speak would notice; beside others it goes on about as fast as a batch full of its
// speech could be decoded.
constexpr std::size_t kHeardAtPace = std::size_t{4} * kSampleRate;
constexpr std::size_t kHeardPouring = std::size_t{16} * kSampleRate;
constexpr std::size_t kHeardPouringBesideOthers = kSampleRate;

constexpr std::array<Priority, kPriorities> kByUrgency = {
    Priority::kLiveFinal, Priority::kLivePartial, Priority::kShortCall, Priority::kRecording};

constexpr std::size_t Index(Priority priority) { return static_cast<std::size_t>(priority); }

}  // namespace

Shard::Shard(const SpeechModel& model, const HearingOptions& hearing, RecordingQueue& recordings)
    : recordings_(recordings), batch_(model, hearing), thread_([this] { Work(); }) {}

Shard::~Shard() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  thread_.join();
}

void Shard::AddNews(std::shared_ptr<LiveSession> session) {
  {
    const MutexLock lock(mutex_);
    if (!session->listed_news) {
      session->listed_news = true;
      news_.push_back(std::move(session));
    }
    has_news_ = true;
  }
  changed_.NotifyOne();
}

bool Shard::WakeIfIdle() {
  if (!idle_.exchange(false)) return false;
  // The lock makes sure that it is asleep, or has not yet looked at the queue.
  { const MutexLock lock(mutex_); }
  changed_.NotifyOne();
  return true;
}

void Shard::Work() {
  using Time = std::chrono::steady_clock;
  while (WaitForWork()) {
    const Time::time_point begin = Time::now();
    TakeNews();
    Listen();
    Admit();
    batch_.Step([this] { return Interrupted(); });
    busy_ += std::chrono::nanoseconds(Time::now() - begin).count();
  }
}

bool Shard::WaitForWork() {
  if (stopping_) return false;
  // Who is listed gets a turn though the batch is empty: it was full of those that have hung up.
  const bool listed =
      !at_pace_.empty() || !pouring_.empty() || !finals_.empty() || !partials_.empty();
  if (listed || !batch_.empty()) return true;
  const MutexLock lock(mutex_);
  while (!stopping_ && !has_news_) {
    idle_ = true;
    if (recordings_.Has(Priority::kShortCall) || recordings_.Has(Priority::kRecording)) break;
    changed_.Wait(mutex_);
  }
  idle_ = false;
  return !stopping_;
}

void Shard::TakeNews() {
  if (!has_news_) return;
  {
    const MutexLock lock(mutex_);
    std::swap(taking_, news_);
    for (const auto& session : taking_) session->listed_news = false;
    has_news_ = false;
  }
  for (const auto& session : taking_) {
    if (session->abandoned()) {
      Forget(session);
    } else {
      ListToListen(session);
    }
  }
  taking_.clear();
}

// Whoever hung up has given its place back: its audio must not stay until its turn comes.
void Shard::Forget(const std::shared_ptr<LiveSession>& session) {
  const auto forget = [&session](auto* list, bool* listed) {
    if (std::exchange(*listed, false)) std::erase(*list, session);
  };
  forget(&finals_, &session->listed_final);
  forget(&partials_, &session->listed_partial);
  forget(&at_pace_, &session->listed_at_pace);
  forget(&pouring_, &session->listed_pouring);
}

void Shard::ListToListen(const std::shared_ptr<LiveSession>& session) {
  if (session->abandoned() || session->listed_at_pace) return;
  if (session->pours()) {
    if (!std::exchange(session->listed_pouring, true)) pouring_.push_back(session);
    return;
  }
  if (std::exchange(session->listed_pouring, false)) std::erase(pouring_, session);
  session->listed_at_pace = true;
  at_pace_.push_back(session);
}

void Shard::Listen() {
  ListenTo(&at_pace_, kHeardAtPace);
  ListenTo(&pouring_, SomebodyWaits() ? kHeardPouringBesideOthers : kHeardPouring);
}

// By turns, until so many samples were heard.
void Shard::ListenTo(std::deque<std::shared_ptr<LiveSession>>* sessions, std::size_t samples) {
  std::size_t heard = 0;
  while (heard < samples && !sessions->empty()) {
    const std::shared_ptr<LiveSession> session = std::move(sessions->front());
    sessions->pop_front();
    session->listed_at_pace = session->listed_pouring = false;
    if (session->abandoned()) continue;
    heard += session->Listen(&hearing_);
    List(session);
    if (session->WantsToListen()) ListToListen(session);
  }
}

// Whether anybody but those that pour waits for an answer.
bool Shard::SomebodyWaits() const {
  const auto any_at_pace = [](const auto& list) {
    return std::any_of(list.begin(), list.end(),
                       [](const auto& session) { return !session->pours(); });
  };
  return batch_.HoldsAwaited() || recordings_.waiting() > 0 || any_at_pace(finals_) ||
         any_at_pace(partials_);
}

void Shard::List(const std::shared_ptr<LiveSession>& session) {
  if (session->WantsFinal() && !std::exchange(session->listed_final, true)) {
    finals_.push_back(session);
  }
  if (session->WantsPartial() && !std::exchange(session->listed_partial, true)) {
    partials_.push_back(session);
  }
}

void Shard::Admit() {
  while (const std::optional<Priority> next = Next()) {
    std::optional<Request> request = Take(*next);
    if (!request) continue;  // another shard was faster
    if (request->cancelled && request->cancelled->load()) continue;
    batch_.Add(*std::move(request));
    passed_over_[Index(*next)] = 0;
    for (const Priority priority : kByUrgency) {
      if (priority > *next && Waiting(priority)) ++passed_over_[Index(priority)];
    }
  }
}

// The most urgent that has room. Who is overdue comes before it and needs but a place: whatever
// else the batch may hold room for, the next place that becomes free is theirs.
std::optional<Priority> Shard::Next() {
  std::optional<Priority> next;
  for (const Priority priority : kByUrgency) {
    if (!Waiting(priority)) continue;
    const bool overdue = passed_over_[Index(priority)] >= kMaxPassedOver[Index(priority)];
    if (overdue ? batch_.HasPlace() : !next && batch_.HasRoom(priority)) next = priority;
  }
  return next;
}

// Sessions that no longer want what they are listed for leave the list here.
bool Shard::Waiting(Priority priority) {
  const auto first_wants = [](auto* list, auto wants, bool LiveSession::*listed) {
    while (!list->empty()) {
      LiveSession& session = *list->front();
      if (!session.abandoned() && (session.*wants)()) return true;
      session.*listed = false;
      list->pop_front();
    }
    return false;
  };
  switch (priority) {
    case Priority::kLiveFinal:
      return first_wants(&finals_, &LiveSession::WantsFinal, &LiveSession::listed_final);
    case Priority::kLivePartial:
      return first_wants(&partials_, &LiveSession::WantsPartial, &LiveSession::listed_partial);
    case Priority::kShortCall:
    case Priority::kRecording:
      break;
  }
  return recordings_.Has(priority);
}

std::optional<Request> Shard::Take(Priority priority) {
  if (priority == Priority::kShortCall || priority == Priority::kRecording) {
    return recordings_.Take(priority);
  }
  const bool final = priority == Priority::kLiveFinal;
  auto& list = final ? finals_ : partials_;
  const std::shared_ptr<LiveSession> session = std::move(list.front());
  list.pop_front();
  (final ? session->listed_final : session->listed_partial) = false;
  Request request = final ? session->NextFinal() : session->NextPartial();
  List(session);
  if (session->WantsToListen()) ListToListen(session);
  return request;
}

// Asked between the layers of an encoding.
bool Shard::Interrupted() const {
  if (stopping_ || has_news_ || !at_pace_.empty() || !pouring_.empty()) return true;
  return recordings_.Has(Priority::kShortCall) && batch_.HasRoom(Priority::kShortCall);
}

}  // namespace lethe
