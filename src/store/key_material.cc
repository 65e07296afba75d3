#include "store/internal/key_material.h"

#include <span>

#include <sodium.h>

#include "base/check.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/sha256.h"

namespace lethe {

NewKey MakeKey(AppId app_id, KeyKind kind, WallTime created) {
  const bool pair = kind == KeyKind::kPair;
  NewKey made{
      .key = {.kind = kind,
              .id = pair ? "AKID" + RandomAlphanumeric(32) : "bearer-" + RandomAlphanumeric(12),
              .app_id = app_id,
              .created = created},
      .secret = Secret(pair ? RandomAlphanumeric(32) : "lethe-sk-" + RandomAlphanumeric(40))};
  const std::string_view secret = made.secret.Reveal();
  made.key.last4 = secret.substr(secret.size() - 4);
  return made;
}

std::string HashBearer(std::string_view bearer) {
  return Sha256Hex(std::as_bytes(std::span(bearer.data(), bearer.size())));
}

Status CheckNewPassword(const Secret& password) {
  const std::size_t size = password.Reveal().size();
  if (size < kMinConsolePassword || size > kMaxConsolePassword) {
    return InvalidArgument("a console password has " + std::to_string(kMinConsolePassword) +
                           " to " + std::to_string(kMaxConsolePassword) + " bytes");
  }
  return OkStatus();
}

Result<std::string> HashPassword(const Secret& password) {
  LETHE_CHECK(sodium_init() >= 0);
  char hash[crypto_pwhash_STRBYTES];
  const std::string_view text = password.Reveal();
  if (crypto_pwhash_str(hash, text.data(), text.size(), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                        crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0) {
    return ResourceExhausted("not enough memory to hash a password");
  }
  return std::string(hash);
}

bool PasswordMatches(const std::string& hash, std::string_view password) {
  LETHE_CHECK(sodium_init() >= 0);
  if (password.size() > kMaxConsolePassword) return false;
  static Mutex one_at_a_time;
  const MutexLock lock(one_at_a_time);
  return crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
}

Status NoConsolePassword() {
  return FailedPrecondition("no console password is set; set one with: lethe keys password");
}

}  // namespace lethe
