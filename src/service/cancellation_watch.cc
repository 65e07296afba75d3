#include "service/cancellation_watch.h"

#include <algorithm>
#include <vector>

#include "service/internal/operation_erasure.h"

namespace lethe {
namespace {

constexpr int kBatch = 100;
// So many numbers back, one may appear that was given before.
constexpr CancellationNumber kLate = 100;

}  // namespace

Status CancellationWatch::Begin() {
  ASSIGN_OR_RETURN(const CancellationNumber newest, parts_.store.cancellations().Newest());
  const std::lock_guard lock(mutex_);
  seen_ = newest;
  for (CancellationNumber old = newest - kLate; old <= newest; ++old) done_.insert(old);
  return OkStatus();
}

void CancellationWatch::Skip(CancellationNumber number) {
  const std::lock_guard lock(mutex_);
  done_.insert(number);
}

bool CancellationWatch::IsDone(CancellationNumber number) const {
  const std::lock_guard lock(mutex_);
  return done_.contains(number);
}

Status CancellationWatch::Look() {
  const std::lock_guard looking(looking_);
  CancellationNumber after;
  {
    const std::lock_guard lock(mutex_);
    after = seen_ - kLate;
  }
  while (true) {
    ASSIGN_OR_RETURN(const std::vector<AskedCancellation> asked,
                     parts_.store.cancellations().After(after, kBatch));
    for (const auto& [number, cancellation] : asked) {
      if (!IsDone(number)) RETURN_IF_ERROR(Apply(cancellation));
      const std::lock_guard lock(mutex_);
      done_.insert(number);
      seen_ = std::max(seen_, number);
      after = number;
    }
    if (asked.size() < static_cast<std::size_t>(kBatch)) break;
  }
  const std::lock_guard lock(mutex_);
  done_.erase(done_.begin(), done_.upper_bound(seen_ - kLate));
  return OkStatus();
}

Status CancellationWatch::Apply(const Cancellation& wanted) {
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
  // What was not cancelled has ended, and may not be written down yet.
  parts_.meter.Flush();
  return internal::EraseOperations(parts_.store, wanted, [](const OperationLog::Erased&) {});
}

void CancellationWatch::Start() {
  thread_ = std::thread([this] { Run(); });
}

void CancellationWatch::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void CancellationWatch::Run() {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, interval_, [this] { return stopping_; })) {
    lock.unlock();
    // When the records do not answer, they are asked again.
    (void)Look();
    lock.lock();
  }
}

}  // namespace lethe
