#pragma once

// Browsers in which somebody signed in to the console.

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/mutex.h"

namespace lethe::server_internal {

/// What a session is known by. Cookies go to every port of a host, so one alone opens nothing.
struct ConsoleTokens {
  std::string cookie;  // what the browser keeps and no script reads
  std::string page;    // what our page keeps, which pages of no other origin read
};

/// Sessions by their tokens, of which only hashes are here. They end when they were not used for a
/// while, when they are old, when the password is another one, and with the process.
///
/// Thread: any. Lifetime: the clock outlives it
class ConsoleSessions {
 public:
  static constexpr std::chrono::minutes kIdle{30};
  static constexpr std::chrono::hours kLongest{12};
  static constexpr std::size_t kMost = 100;  // then the one that was used longest ago makes room

  explicit ConsoleSessions(const Clock& clock) : clock_(clock) {}

  /// Begins one under the password of that mark (Keys::ConsolePasswordMark()). Each of its tokens
  /// is 256 bits that nobody can guess, 43 letters and digits.
  ConsoleTokens Begin(const std::string& password_mark);

  enum class Use { kYes, kNo };
  /// When a session ends if it is not used from now on; none: there is no such session.
  std::optional<WallTime> Find(std::string_view cookie, std::string_view page,
                               const std::string& password_mark, Use use);

  void End(std::string_view cookie);

  std::size_t size() const;

 private:
  struct Session {
    WallTime begun, used;
    std::string page;  // the hash of its token
    std::string password_mark;
  };
  static WallTime EndOf(const Session& session);
  static bool Over(const Session& session, WallTime now);

  const Clock& clock_;
  mutable Mutex mutex_;
  // By the hash of the cookie.
  std::map<std::string, Session, std::less<>> sessions_ GUARDED_BY(mutex_);
};

}  // namespace lethe::server_internal
