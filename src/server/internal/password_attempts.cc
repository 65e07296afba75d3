#include "server/internal/password_attempts.h"

namespace lethe::server_internal {

bool PasswordAttempts::MayTry(const std::string& peer) {
  const std::lock_guard lock(mutex_);
  const WallTime minute = std::chrono::floor<std::chrono::minutes>(clock_.Now());
  if (minute != minute_) {
    minute_ = minute;
    all_ = 0;
    peers_.clear();
  }
  if (all_ >= kPerMinuteOfAll || (peers_.size() >= kMostPeers && !peers_.contains(peer))) {
    return false;
  }
  if (peers_[peer] >= kPerMinute) return false;
  ++peers_[peer];
  ++all_;
  return true;
}

void PasswordAttempts::Succeeded(const std::string& peer) {
  const std::lock_guard lock(mutex_);
  const auto attempts = peers_.find(peer);
  if (attempts == peers_.end()) return;
  all_ -= attempts->second;
  peers_.erase(attempts);
}

}  // namespace lethe::server_internal
