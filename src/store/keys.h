#pragma once

// What callers prove who they are with: key pairs (the SecretKey signs, so it has to be known here
// and is stored sealed), bearer keys (only a hash is stored) and the one password of the console
// (only a slow hash is stored). A secret is told once, when it is made.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"
#include "base/status.h"
#include "store/applications.h"

namespace lethe {

inline constexpr std::size_t kMaxKeysPerApplication = 100;
inline constexpr std::size_t kMinConsolePassword = 12;   // bytes
inline constexpr std::size_t kMaxConsolePassword = 256;  // bytes

enum class KeyKind { kPair, kBearer };

/// A key without its secret.
struct Key {
  KeyKind kind = KeyKind::kPair;
  std::string id;  // of a pair its SecretId, "AKID" and 32 letters and digits; of a bearer key
                   // "bearer-" and 12, which is a name and opens nothing
  AppId app_id = 0;
  bool enabled = true;
  WallTime created;
  std::string last4;  // how the secret ends, for telling keys apart

  bool operator==(const Key&) const = default;
};

/// A key at the one time its secret is told.
struct NewKey {
  Key key;
  Secret secret;  // of a pair 32 letters and digits; of a bearer key "lethe-sk-" and 40
};

/// Who a key belongs to.
struct KeyOwner {
  Application application;  // enabled
  std::string key_id;
  Secret secret;  // of a pair, to compute signatures with; empty for bearer keys
};

/// Thread: any; calls may wait for the disk
/// Errors: kNotFound for what does not exist; besides them, as said and as Store
class Keys {
 public:
  virtual ~Keys() = default;

  /// Errors: kResourceExhausted at kMaxKeysPerApplication
  virtual Result<NewKey> Create(AppId app_id, KeyKind kind) = 0;

  /// The keys of one application or of all, oldest first.
  virtual Result<std::vector<Key>> List(std::optional<AppId> app_id = std::nullopt) = 0;

  virtual Status SetEnabled(std::string_view id, bool enabled) = 0;
  virtual Status Remove(std::string_view id) = 0;

  /// Finds the key pair of a SecretId. Whether the caller has the key, the signature has to show.
  /// Errors: kNotFound when there is none or it is disabled; kPermissionDenied when its application
  /// is; kDataLoss when the stored secret cannot be opened
  virtual Result<KeyOwner> FindPair(std::string_view secret_id) = 0;

  /// Finds whose bearer key this is. Errors: kNotFound and kPermissionDenied as FindPair()
  virtual Result<KeyOwner> FindBearer(std::string_view bearer) = 0;

  /// Errors: kInvalidArgument unless it has kMinConsolePassword to kMaxConsolePassword bytes
  virtual Status SetConsolePassword(const Secret& password) = 0;

  /// Another text for each password that is set; it says nothing about the password. Empty: none
  /// is.
  virtual Result<std::string> ConsolePasswordMark() = 0;

  /// Compares, which takes tens of milliseconds and 64 MiB; one comparison at a time, others wait.
  /// Errors: kFailedPrecondition when none was ever set
  virtual Result<bool> CheckConsolePassword(std::string_view password) = 0;
};

}  // namespace lethe
