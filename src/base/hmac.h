#pragma once

// Keyed hashes (RFC 2104) of SHA-1 and SHA-256, as raw bytes, and how to compare them.

#include <string>
#include <string_view>

namespace lethe {

std::string HmacSha1(std::string_view key, std::string_view text);    ///< 20 bytes
std::string HmacSha256(std::string_view key, std::string_view text);  ///< 32 bytes

/// Compares in a time that depends on the lengths alone.
bool EqualInConstantTime(std::string_view a, std::string_view b);

/// Overwrites a secret before its memory goes to somebody else; the string is empty afterwards.
void WipeSecret(std::string& secret);

}  // namespace lethe
