#pragma once

// Who may act as the operator: whoever knows the console's password, and a browser in which
// somebody gave it.

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "store/keys.h"

namespace lethe {

namespace server_internal {
class ConsoleSessions;
class PasswordAttempts;
}  // namespace server_internal

/// Thread: any. Lifetime: keys and clock outlive it
class ConsoleAccess {
 public:
  ConsoleAccess(Keys& keys, const Clock& clock);
  ~ConsoleAccess();

  enum class Verdict {
    kRight,
    kWrong,            // also when no password was ever set
    kTooManyAttempts,  // of this peer or of all; the password was not looked at
    kUnavailable,      // the records do not answer
  };
  /// Blocks on the store, and as long as a password takes. Guesses are counted for all who ask.
  Verdict CheckPassword(std::string_view password, const std::string& peer);

  server_internal::ConsoleSessions& sessions() { return *sessions_; }

 private:
  Keys& keys_;
  const std::unique_ptr<server_internal::PasswordAttempts> attempts_;
  const std::unique_ptr<server_internal::ConsoleSessions> sessions_;
};

}  // namespace lethe
