#pragma once

// Who may act as the operator: whoever knows the console's password, and a browser in which
// somebody gave it.

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/mutex.h"
#include "store/keys.h"

namespace lethe {

namespace server_internal {
class ConsoleSessions;
class PasswordAttempts;
struct ConsoleTokens;
}  // namespace server_internal

/// Thread: any. Lifetime: keys and clock outlive it
class ConsoleAccess {
 public:
  /// `hosts` are names by which browsers may reach the console, in small letters, without ports:
  /// see server/internal/console_hosts.h.
  ConsoleAccess(Keys& keys, const Clock& clock, std::set<std::string> hosts = {});
  ~ConsoleAccess();

  /// Whether the console answers under that Host to that peer (HttpRequest::peer).
  bool IsOwnHost(std::string_view host, std::string_view peer) const;

  enum class Verdict {
    kRight,
    kWrong,            // also when no password was ever set
    kTooManyAttempts,  // of this peer or of all; the password was not looked at
    kUnavailable,      // the records do not answer
  };
  /// Blocks on the store, and as long as a password takes. Guesses are counted for all who ask.
  Verdict CheckPassword(std::string_view password, const std::string& peer);

  /// Begins a session of a browser in which the password was given. Blocks on the store.
  server_internal::ConsoleTokens Begin();

  /// When the session of a cookie and a page ends if it is not used from now on; none: there is no
  /// such session, or the password was changed since. While the records do not answer, the password
  /// that was known counts. Blocks on the store.
  std::optional<WallTime> Find(std::string_view cookie, std::string_view page, bool is_use);

  void End(std::string_view cookie);

 private:
  std::string PasswordMark();

  // Constant after construction; they lock for themselves.
  Keys& keys_;
  const Clock& clock_;
  const std::set<std::string> hosts_;
  const std::unique_ptr<server_internal::PasswordAttempts> attempts_;
  const std::unique_ptr<server_internal::ConsoleSessions> sessions_;
  // Any thread.
  Mutex mutex_;
  std::string password_mark_ GUARDED_BY(mutex_);  // as it was
  std::optional<WallTime> looked_ GUARDED_BY(mutex_);
};

}  // namespace lethe
