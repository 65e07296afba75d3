#pragma once

// Numbers in files: big-endian, as in the hashes and signatures beside them.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

namespace lethe {

template <std::unsigned_integral T>
void PutNumber(std::span<std::byte> to, T value) {
  for (std::size_t i = sizeof(T); i > 0; --i) {
    to[i - 1] = static_cast<std::byte>(value & 0xff);
    value = static_cast<T>(static_cast<std::uint64_t>(value) >> 8);
  }
}

template <std::unsigned_integral T>
T GetNumber(std::span<const std::byte> from) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = value << 8 | std::to_integer<std::uint64_t>(from[i]);
  }
  return static_cast<T>(value);
}

}  // namespace lethe
