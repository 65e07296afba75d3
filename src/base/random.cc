#include "base/random.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <string_view>
#include <vector>

#include <sys/random.h>

#include "base/check.h"

namespace lethe {

void FillRandom(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t got = getrandom(bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    LETHE_CHECK(got > 0);
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

std::string RandomHex(std::size_t digits) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::vector<std::byte> bytes(digits);
  FillRandom(bytes);
  std::string text;
  text.reserve(digits);
  for (const std::byte byte : bytes) text += kDigits[std::to_integer<std::size_t>(byte) % 16];
  return text;
}

std::string RandomAlphanumeric(std::size_t characters) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  // The largest multiple of 62 in a byte: what lies above it would favour the first letters.
  constexpr std::size_t kFair = 256 / kAlphabet.size() * kAlphabet.size();
  std::string text;
  text.reserve(characters);
  std::array<std::byte, 64> bytes;
  while (text.size() < characters) {
    FillRandom(bytes);
    for (const std::byte byte : bytes) {
      const auto value = std::to_integer<std::size_t>(byte);
      if (value < kFair && text.size() < characters) text += kAlphabet[value % kAlphabet.size()];
    }
  }
  return text;
}

std::string RandomUuid() {
  std::string text = RandomHex(32);
  text[12] = '4';
  text[16] = "89ab"[text[16] % 4];
  for (const std::size_t at : {8U, 13U, 18U, 23U}) text.insert(at, 1, '-');
  return text;
}

}  // namespace lethe
