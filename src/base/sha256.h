#pragma once

// SHA-256 (FIPS 180-4), as the 64 lower-case hexadecimal digits that sha256sum prints.

#include <cstddef>
#include <span>
#include <string>

namespace lethe {

std::string Sha256Hex(std::span<const std::byte> bytes);

}  // namespace lethe
