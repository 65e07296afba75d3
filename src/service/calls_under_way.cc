#include "service/calls_under_way.h"

namespace lethe {

CallsUnderWay::Entry CallsUnderWay::Add(Call call) {
  const MutexLock lock(mutex_);
  if (is_cut_off_ && call.cut_off) std::exchange(call.cut_off, nullptr)();
  const std::uint64_t number = next_++;
  calls_.emplace(number, std::move(call));
  return {this, number};
}

std::size_t CallsUnderWay::Cancel(const Selector& selector) {
  // Under the lock: an entry that is being removed waits, so what `cancel` uses is still there.
  const MutexLock lock(mutex_);
  std::size_t cancelled = 0;
  for (auto& [number, call] : calls_) {
    if (call.cancel == nullptr) continue;
    if (selector.app_id && call.app_id != *selector.app_id) continue;
    if (selector.uin && call.uin != *selector.uin) continue;
    if (!selector.call_id.empty() && call.call_id != selector.call_id) continue;
    if (selector.is_call && !selector.is_call(call.call_id)) continue;
    if (!selector.subject.empty() && call.subject != selector.subject) continue;
    std::exchange(call.cancel, nullptr)();
    ++cancelled;
  }
  return cancelled;
}

void CallsUnderWay::CutOff() {
  const MutexLock lock(mutex_);  // as above
  is_cut_off_ = true;
  for (auto& [number, call] : calls_) {
    if (call.cut_off) std::exchange(call.cut_off, nullptr)();
  }
}

std::size_t CallsUnderWay::size() const {
  const MutexLock lock(mutex_);
  return calls_.size();
}

void CallsUnderWay::Remove(std::uint64_t number) {
  const MutexLock lock(mutex_);
  calls_.erase(number);
}

}  // namespace lethe
