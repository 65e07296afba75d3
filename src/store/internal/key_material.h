#pragma once

// How keys are made and passwords are hashed.

#include <string>
#include <string_view>

#include "base/secret.h"
#include "store/keys.h"

namespace lethe {

/// A new key with its secret; `created` as given.
NewKey MakeKey(AppId app_id, KeyKind kind, WallTime created);

/// What is stored of a bearer key, and looked for. A fast hash will do: the key has 238 random
/// bits.
std::string HashBearer(std::string_view bearer);

Status CheckNewPassword(const Secret& password);

/// Argon2id with libsodium's interactive limits: 64 MiB, some tens of milliseconds.
/// Errors: kResourceExhausted when there is not that much memory
Result<std::string> HashPassword(const Secret& password);

/// Thread: one comparison at a time, so that many cannot take all memory; others wait
bool PasswordMatches(const std::string& hash, std::string_view password);

Status NoConsolePassword();

}  // namespace lethe
