#pragma once

// Browsers in which somebody signed in to the console.

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace lethe::server_internal {

/// Sessions by their tokens, of which only hashes are here. They end when they were not used for a
/// while, when they are old, and with the process.
///
/// Thread: any. Lifetime: the clock outlives it
class ConsoleSessions {
 public:
  static constexpr std::chrono::minutes kIdle{30};
  static constexpr std::chrono::hours kLongest{12};
  static constexpr std::size_t kMost = 100;  // then the one that was used longest ago makes room

  explicit ConsoleSessions(const Clock& clock) : clock_(clock) {}

  /// Begins one and returns its token: 256 bits that nobody can guess, 43 letters and digits.
  std::string Begin();

  enum class Use { kYes, kNo };
  /// When a session ends if it is not used from now on; none: there is no such session.
  std::optional<WallTime> Find(std::string_view token, Use use);

  void End(std::string_view token);

  std::size_t size() const;

 private:
  struct Session {
    WallTime begun, used;
  };
  static WallTime EndOf(const Session& session);
  static bool Over(const Session& session, WallTime now);

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Session, std::less<>> sessions_;  // by the hash of the token
};

}  // namespace lethe::server_internal
