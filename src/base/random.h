#pragma once

// Numbers nobody can guess, and the names made of them. All come from the kernel's generator.

#include <cstddef>
#include <span>
#include <string>

namespace lethe {

void FillRandom(std::span<std::byte> bytes);

/// So many lower-case hexadecimal digits.
std::string RandomHex(std::size_t digits);

/// So many characters of A-Z, a-z and 0-9, each equally likely.
std::string RandomAlphanumeric(std::size_t characters);

/// A random UUID (RFC 9562, version 4) in its 36 lower-case characters.
std::string RandomUuid();

}  // namespace lethe
