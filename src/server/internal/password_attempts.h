#pragma once

// How often somebody may guess at a password. Checking one costs much on purpose, so guesses are
// counted before they are looked at.

#include <cstddef>
#include <map>
#include <mutex>
#include <string>

#include "base/clock.h"

namespace lethe::server_internal {

/// Thread: any. Lifetime: the clock outlives it
class PasswordAttempts {
 public:
  static constexpr int kPerMinute = 10;        // of one address
  static constexpr int kPerMinuteOfAll = 300;  // of all addresses together
  static constexpr std::size_t kMostPeers = 10'000;

  explicit PasswordAttempts(const Clock& clock) : clock_(clock) {}
  PasswordAttempts(PasswordAttempts&& other) : PasswordAttempts(other.clock_) {}

  /// Counts an attempt; false when there were too many within the minute.
  bool MayTry(const std::string& peer);

  /// The last one was right, and so none of them is held against that address.
  void Succeeded(const std::string& peer);

 private:
  const Clock& clock_;
  std::mutex mutex_;
  WallTime minute_{};  // its beginning
  int all_ = 0;
  std::map<std::string, int> peers_;
};

}  // namespace lethe::server_internal
