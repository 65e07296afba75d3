#include "service/call_gate.h"

#include <algorithm>

namespace lethe {

std::map<Interface, GateLimits> DefaultGateLimits() {
  return {
      {Interface::kSentence, {.calls_per_second = 30}},
      {Interface::kRecording, {.calls_per_second = 20}},
      {Interface::kRecordingStatus, {.calls_per_second = 50}},
      {Interface::kFlash, {.concurrency = 20}},
      {Interface::kRealtime, {.concurrency = 200}},
      {Interface::kOpenAi, {.calls_per_second = 30}},
      {Interface::kOpenAiRealtime, {.concurrency = 200}},
      {Interface::kManagement, {.calls_per_second = 20}},
  };
}

void Permit::Leave() {
  if (gate_ != nullptr) gate_->Leave(key_);
  gate_ = nullptr;
}

std::variant<Permit, GateRefusal> CallGate::Enter(const Application& application,
                                                  Interface interface, Clock::time_point now) {
  GateLimits limits;
  if (const auto found = limits_.find(interface); found != limits_.end()) limits = found->second;
  if (const auto own = application.quotas.find(interface); own != application.quotas.end()) {
    if (own->second.calls_per_second) limits.calls_per_second = own->second.calls_per_second;
    if (own->second.concurrency) limits.concurrency = own->second.concurrency;
  }
  const Permit::Key key(application.id, interface);
  const MutexLock lock(mutex_);
  State& state = states_[key];
  if (limits.concurrency && state.inside >= *limits.concurrency) return GateRefusal::kConcurrency;
  if (limits.calls_per_second) {
    const double rate = *limits.calls_per_second;
    const std::chrono::duration<double> passed = now - state.filled;
    state.tokens =
        state.seen ? std::min(rate, state.tokens + rate * std::max(0.0, passed.count())) : rate;
    state.filled = now;
    state.seen = true;
    if (state.tokens < 1) return GateRefusal::kRate;
    state.tokens -= 1;
  }
  ++state.inside;
  return Permit(this, key);
}

void CallGate::Leave(Permit::Key key) {
  const MutexLock lock(mutex_);
  --states_[key].inside;
}

int CallGate::inside(AppId app_id, Interface interface) const {
  const MutexLock lock(mutex_);
  const auto found = states_.find({app_id, interface});
  return found == states_.end() ? 0 : found->second.inside;
}

}  // namespace lethe
