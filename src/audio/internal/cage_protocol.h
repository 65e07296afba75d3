#pragma once

// What a decoder's process and ours say to each other over one socket.
//
// A message is a header and a body. The child asks (kRead, kSeek) and each question has one answer
// (kBytes, kPosition, kFailed); what it has decoded (kSamples) it sends unasked, and the socket's
// buffer holds it back when nobody reads. Bodies other than bytes and samples have one size each.
// Both ends are the same program on the same machine, so numbers are in its order.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace lethe::audio_internal {

enum class CageMessage : uint32_t {
  // To the child.
  kConfine = 1,  // CageConfine: the limits, before all else
  kOpen,         // CageOpen: begin
  kBytes,        // up to as many bytes as were asked for; none is the end
  kPosition,     // empty: the position is reached
  kFailed,       // empty: the recording cannot be read; why, only the parent knows
  // From the child.
  kReady = 101,  // CageReady: confined
  kRead,         // CageRead
  kSeek,         // CageSeek
  kOpened,       // CageOpened: samples follow
  kSamples,      // interleaved f32
  kEnd,          // CageEnd: no more samples
  kError,        // CageError: instead of what was expected
};

struct CageHeader {
  CageMessage type;
  uint32_t body_bytes;
};

inline constexpr size_t kMaxCageBody = size_t{64} * 1024;
inline constexpr uint64_t kUnknownSize = UINT64_MAX;

struct CageConfine {
  uint64_t max_memory_bytes;
  uint32_t max_cpu_seconds;
  uint32_t allow_unconfined;
};
struct CageOpen {
  uint64_t size;  // or kUnknownSize: a pipe, which cannot seek
};
struct CageReady {
  uint32_t seccomp;
  int32_t landlock_abi;
};
struct CageRead {
  uint32_t max_bytes;
};
struct CageSeek {
  uint64_t position;
};

// Text of a fixed size, filled up with zeros.
template <size_t kSize>
using CageText = std::array<char, kSize>;

struct CageOpened {
  double declared_seconds;  // below 0: not known
  int32_t sample_rate;
  int32_t channels;
  CageText<64> container;
  CageText<64> codec;
};
struct CageEnd {
  CageText<512> warning;
};
struct CageError {
  uint32_t code;  // a StatusCode
  CageText<508> message;
};

/// The exit code of a child that ran out of memory.
inline constexpr int kCageExitNoMemory = 12;

template <size_t kSize>
CageText<kSize> ToCageText(std::string_view text) {
  CageText<kSize> fixed{};
  std::copy_n(text.begin(), std::min(text.size(), kSize), fixed.begin());
  return fixed;
}

template <size_t kSize>
std::string FromCageText(const CageText<kSize>& fixed) {
  return std::string(fixed.begin(), std::find(fixed.begin(), fixed.end(), '\0'));
}

template <class Body>
std::span<const std::byte> AsBytes(const Body& body) {
  return std::as_bytes(std::span(&body, 1));
}

/// Takes a body that must have exactly the size of a Body.
template <class Body>
bool FromBytes(std::span<const std::byte> bytes, Body* body) {
  if (bytes.size() != sizeof(Body)) return false;
  std::memcpy(body, bytes.data(), sizeof(Body));
  return true;
}

}  // namespace lethe::audio_internal
