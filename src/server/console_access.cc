#include "server/console_access.h"

#include <utility>

#include "server/internal/console_hosts.h"
#include "server/internal/console_sessions.h"
#include "server/internal/password_attempts.h"

namespace lethe {

using server_internal::ConsoleSessions;
using server_internal::PasswordAttempts;

ConsoleAccess::ConsoleAccess(Keys& keys, const Clock& clock, std::set<std::string> hosts)
    : keys_(keys),
      clock_(clock),
      hosts_(std::move(hosts)),
      attempts_(std::make_unique<PasswordAttempts>(clock)),
      sessions_(std::make_unique<ConsoleSessions>(clock)) {}

ConsoleAccess::~ConsoleAccess() = default;

bool ConsoleAccess::IsOwnHost(std::string_view host, std::string_view peer) const {
  return server_internal::IsConsoleHost(hosts_, host, peer);
}

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

std::string ConsoleAccess::PasswordMark() {
  // A page asks often; a changed password may wait for seconds.
  constexpr std::chrono::seconds kKnown{2};
  const WallTime now = clock_.Now();
  {
    const MutexLock lock(mutex_);
    if (looked_ && now >= *looked_ && now - *looked_ < kKnown) return password_mark_;
  }
  const auto mark = keys_.ConsolePasswordMark();
  const MutexLock lock(mutex_);
  if (mark.ok()) {
    password_mark_ = *mark;
    looked_ = now;
  }
  return password_mark_;
}

server_internal::ConsoleTokens ConsoleAccess::Begin() {
  {
    // Somebody has just given the password that there is now.
    const MutexLock lock(mutex_);
    looked_.reset();
  }
  return sessions_->Begin(PasswordMark());
}

std::optional<WallTime> ConsoleAccess::Find(std::string_view cookie, std::string_view page,
                                            bool is_use) {
  return sessions_->Find(cookie, page, PasswordMark(),
                         is_use ? ConsoleSessions::Use::kYes : ConsoleSessions::Use::kNo);
}

void ConsoleAccess::End(std::string_view cookie) { sessions_->End(cookie); }

}  // namespace lethe
