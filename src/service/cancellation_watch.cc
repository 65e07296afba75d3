#include "service/cancellation_watch.h"

#include <algorithm>
#include <vector>

#include "service/internal/operation_erasure.h"

namespace lethe {
namespace {

// What was asked so long before the last look may be seen only now: clocks differ, and commits take
// their time.
constexpr std::chrono::minutes kLate{1};

}  // namespace

Status CancellationWatch::Begin() {
  const WallTime now = parts_.clock.Now();
  ASSIGN_OR_RETURN(const std::vector<AskedCancellation> asked,
                   parts_.store.cancellations().Since(now - kLate));
  const MutexLock lock(mutex_);
  looked_ = now;
  for (const AskedCancellation& old : asked) handled_[old.reference] = Progress::kDone;
  return OkStatus();
}

Millis CancellationWatch::silence() const {
  const MutexLock lock(mutex_);
  return std::chrono::duration_cast<Millis>(Time::now() - answered_);
}

void CancellationWatch::Skip(const std::string& reference) {
  const MutexLock lock(mutex_);
  handled_[reference] = Progress::kDone;
}

bool CancellationWatch::IsDone(const std::string& reference) const {
  const MutexLock lock(mutex_);
  const auto found = handled_.find(reference);
  return found != handled_.end() && found->second == Progress::kDone;
}

Status CancellationWatch::Look() {
  const MutexLock looking(looking_);
  const WallTime now = parts_.clock.Now();
  WallTime looked;
  {
    const MutexLock lock(mutex_);
    looked = looked_;
  }
  ASSIGN_OR_RETURN(const std::vector<AskedCancellation> asked,
                   parts_.store.cancellations().Since(looked - kLate));
  {
    const MutexLock lock(mutex_);
    answered_ = Time::now();
  }
  // Something may be over by now that nobody looked at.
  if (now - looked >= kCancellationLifetime - kLate) parts_.calls.Cancel({});
  // First what needs no records.
  std::map<std::string, Progress> handled;
  {
    const MutexLock lock(mutex_);
    for (const AskedCancellation& one : asked) {
      const auto [before, is_new] = handled_.try_emplace(one.reference, Progress::kCancelled);
      if (is_new) Cancel(one.cancellation);
      handled.insert(*before);
    }
  }
  // What was not cancelled has ended, and may not be written down yet.
  const auto is_open = [](const auto& one) { return one.second == Progress::kCancelled; };
  if (std::any_of(handled.begin(), handled.end(), is_open) && !parts_.meter.Flush()) {
    return Unavailable("what calls did cannot be written down, so that it cannot be erased yet");
  }
  Status first_error;
  for (const AskedCancellation& one : asked) {
    if (IsDone(one.reference)) continue;
    const Status erased = internal::EraseOperations(parts_.store, one.cancellation, one.asked,
                                                    [](const OperationLog::Erased&) {});
    if (first_error.ok()) first_error = erased;
    if (erased.ok()) handled[one.reference] = Progress::kDone;
  }
  const MutexLock lock(mutex_);
  // Those that were skipped meanwhile stay; what nobody will see again goes.
  for (const auto& [reference, progress] : handled) handled_[reference] = progress;
  if (!first_error.ok()) return first_error;
  looked_ = now;
  return OkStatus();
}

void CancellationWatch::Cancel(const Cancellation& wanted) {
  Cancellations& cancellations = parts_.store.cancellations();
  CallsUnderWay::Selector selector{.app_id = wanted.app_id,
                                   .uin = wanted.uin,
                                   .call_id = {},
                                   .subject = wanted.subject,
                                   .is_call = nullptr};
  if (!wanted.call_key.empty()) {
    selector.is_call = [&](const std::string& call_id) {
      return cancellations.CallKey(call_id) == wanted.call_key;
    };
  }
  parts_.calls.Cancel(selector);
}

void CancellationWatch::Start() {
  thread_ = std::thread([this] { Run(); });
}

void CancellationWatch::Stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  if (thread_.joinable()) thread_.join();
}

void CancellationWatch::Run() {
  MutexLock lock(mutex_);
  while (true) {
    const auto until = std::chrono::steady_clock::now() + interval_;
    while (!stopping_ && changed_.WaitUntil(mutex_, until)) {
    }
    if (stopping_) return;
    lock.Unlock();
    // When the records do not answer, they are asked again.
    (void)Look();
    lock.Lock();
  }
}

}  // namespace lethe
