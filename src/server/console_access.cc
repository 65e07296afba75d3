#include "server/console_access.h"

#include "server/internal/console_sessions.h"
#include "server/internal/password_attempts.h"

namespace lethe {

using server_internal::ConsoleSessions;
using server_internal::PasswordAttempts;

ConsoleAccess::ConsoleAccess(Keys& keys, const Clock& clock)
    : keys_(keys),
      attempts_(std::make_unique<PasswordAttempts>(clock)),
      sessions_(std::make_unique<ConsoleSessions>(clock)) {}

ConsoleAccess::~ConsoleAccess() = default;

ConsoleAccess::Verdict ConsoleAccess::CheckPassword(std::string_view password,
                                                    const std::string& peer) {
  if (!attempts_->MayTry(peer)) return Verdict::kTooManyAttempts;
  const auto right = keys_.CheckConsolePassword(password);
  if (right.ok() && *right) {
    attempts_->Succeeded(peer);
    return Verdict::kRight;
  }
  if (right.ok() || right.status().code() == StatusCode::kFailedPrecondition) {
    return Verdict::kWrong;
  }
  return Verdict::kUnavailable;
}

}  // namespace lethe
