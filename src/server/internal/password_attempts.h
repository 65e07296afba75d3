#pragma once

// How often somebody may guess at a password. Checking one costs much on purpose, so guesses are
// counted before they are looked at.

#include <cstddef>
#include <map>
#include <set>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"

namespace lethe::server_internal {

/// Peers are addresses; of IPv6, networks of 64 bits, since each customer has one.
///
/// Thread: any. Lifetime: the clock outlives it
class PasswordAttempts {
 public:
  static constexpr int kPerMinute = 10;        // wrong ones, of one peer
  static constexpr int kPerMinuteOfAll = 300;  // of all that never had it right
  static constexpr std::size_t kMostPeers = 10'000;
  static constexpr std::size_t kMostKnown = 100;

  explicit PasswordAttempts(const Clock& clock) : clock_(clock) {}
  PasswordAttempts(PasswordAttempts&& other) noexcept : PasswordAttempts(other.clock_) {}

  /// Counts an attempt; false when there were too many within the minute.
  bool MayTry(const std::string& address);

  /// The last one was right: it does not count, and strangers are in this peer's way no more.
  void Succeeded(const std::string& address);

 private:
  const Clock& clock_;
  Mutex mutex_;
  WallTime minute_ GUARDED_BY(mutex_){};  // its beginning
  int all_ GUARDED_BY(mutex_) = 0;
  std::map<std::string, int> peers_ GUARDED_BY(mutex_);
  std::set<std::string> known_ GUARDED_BY(mutex_);  // who had it right since the start
};

}  // namespace lethe::server_internal
