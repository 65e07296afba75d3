#pragma once

// SHA-256 (FIPS 180-4), as 32 bytes or as the 64 lower-case hexadecimal digits that sha256sum
// prints.

#include <array>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>

namespace lethe {

using Sha256Digest = std::array<std::byte, 32>;

/// Hashes the parts one behind the other.
Sha256Digest Sha256(std::initializer_list<std::span<const std::byte>> parts);

std::string Sha256Hex(std::span<const std::byte> bytes);

}  // namespace lethe
