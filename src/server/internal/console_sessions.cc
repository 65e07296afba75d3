#include "server/internal/console_sessions.h"

#include <algorithm>
#include <span>

#include "base/random.h"
#include "base/sha256.h"

namespace lethe::server_internal {
namespace {

constexpr std::size_t kTokenCharacters = 43;  // of 62: 256 bits

// Looked up by its hash, so that how long it takes says nothing about tokens.
std::string HashOf(std::string_view token) {
  return Sha256Hex(std::as_bytes(std::span(token.data(), token.size())));
}

}  // namespace

WallTime ConsoleSessions::EndOf(const Session& session) {
  return std::min<WallTime>(session.used + kIdle, session.begun + kLongest);
}

// A clock that was set back makes no session longer.
bool ConsoleSessions::Over(const Session& session, WallTime now) {
  return EndOf(session) <= now || now < session.begun;
}

ConsoleTokens ConsoleSessions::Begin(const std::string& password_mark) {
  ConsoleTokens tokens{.cookie = RandomAlphanumeric(kTokenCharacters),
                       .page = RandomAlphanumeric(kTokenCharacters)};
  const WallTime now = clock_.Now();
  const MutexLock lock(mutex_);
  std::erase_if(sessions_, [&](const auto& entry) { return Over(entry.second, now); });
  if (sessions_.size() >= kMost) {
    sessions_.erase(std::min_element(
        sessions_.begin(), sessions_.end(),
        [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
  }
  sessions_.emplace(
      HashOf(tokens.cookie),
      Session{
          .begun = now, .used = now, .page = HashOf(tokens.page), .password_mark = password_mark});
  return tokens;
}

std::optional<WallTime> ConsoleSessions::Find(std::string_view cookie, std::string_view page,
                                              const std::string& password_mark, Use use) {
  if (cookie.size() != kTokenCharacters || page.size() != kTokenCharacters) return std::nullopt;
  const WallTime now = clock_.Now();
  const MutexLock lock(mutex_);
  const auto found = sessions_.find(HashOf(cookie));
  if (found == sessions_.end() || found->second.page != HashOf(page)) return std::nullopt;
  if (Over(found->second, now) || found->second.password_mark != password_mark) {
    sessions_.erase(found);
    return std::nullopt;
  }
  if (use == Use::kYes) found->second.used = now;
  return EndOf(found->second);
}

void ConsoleSessions::End(std::string_view cookie) {
  const MutexLock lock(mutex_);
  sessions_.erase(HashOf(cookie));
}

std::size_t ConsoleSessions::size() const {
  const MutexLock lock(mutex_);
  return sessions_.size();
}

}  // namespace lethe::server_internal
