#include "server/internal/password_attempts.h"

#include <boost/asio/ip/address.hpp>

namespace lethe::server_internal {
namespace {

std::string PeerOf(const std::string& address) {
  boost::system::error_code error;
  const auto parsed = boost::asio::ip::make_address(address, error);
  if (error || !parsed.is_v6() || parsed.to_v6().is_v4_mapped()) return address;
  constexpr std::size_t kNetwork = 8;
  const auto bytes = parsed.to_v6().to_bytes();
  return std::string(bytes.begin(), bytes.begin() + kNetwork);
}

}  // namespace

bool PasswordAttempts::MayTry(const std::string& address) {
  const std::string peer = PeerOf(address);
  const MutexLock lock(mutex_);
  const WallTime minute = std::chrono::floor<std::chrono::minutes>(clock_.Now());
  if (minute != minute_) {
    minute_ = minute;
    all_ = 0;
    peers_.clear();
  }
  const bool known = known_.contains(peer);
  const bool crowded =
      all_ >= kPerMinuteOfAll || (peers_.size() >= kMostPeers && !peers_.contains(peer));
  if (crowded && !known) return false;
  if (peers_[peer] >= kPerMinute) return false;
  ++peers_[peer];
  if (!known) ++all_;
  return true;
}

void PasswordAttempts::Succeeded(const std::string& address) {
  const std::string peer = PeerOf(address);
  const MutexLock lock(mutex_);
  const auto attempts = peers_.find(peer);
  if (attempts != peers_.end() && attempts->second > 0) --attempts->second;
  if (known_.contains(peer)) return;
  if (all_ > 0) --all_;
  if (known_.size() < kMostKnown) known_.insert(peer);
}

}  // namespace lethe::server_internal
