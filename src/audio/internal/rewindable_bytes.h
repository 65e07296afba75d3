#pragma once

// A source whose beginning can be read twice, so that one can look before deciding who reads it.

#include <memory>
#include <vector>

#include "audio/byte_source.h"

namespace lethe::audio_internal {

/// Keeps the first kMaxKept bytes of a pipe; passes files and memory through.
class RewindableBytes final : public ByteSource {
 public:
  // WAV headers with metadata before the format, and what tells one MP4 from another, fit easily.
  static constexpr size_t kMaxKept = size_t{64} * 1024;

  explicit RewindableBytes(std::unique_ptr<ByteSource> inner) : inner_(std::move(inner)) {}

  /// Reads up to n <= kMaxKept bytes from the beginning, and returns there.
  Result<std::vector<std::byte>> PeekFromStart(size_t n);

  /// Goes back to the first byte.
  /// Errors: kInvalidArgument if more than kMaxKept bytes of a pipe have been read
  Status Rewind();

  Result<size_t> Read(std::span<std::byte> bytes) override;
  std::optional<uint64_t> size() const override { return inner_->size(); }
  Status Seek(uint64_t position) override { return inner_->Seek(position); }

 private:
  std::unique_ptr<ByteSource> inner_;
  std::vector<std::byte> kept_;
  size_t position_ = 0;     // within kept_; equal to its size: at the inner source's position
  bool overflown_ = false;  // more was read than is kept
};

/// Reads until `bytes` is full or the end is reached; returns how many were read.
Result<size_t> ReadFully(ByteSource& source, std::span<std::byte> bytes);

}  // namespace lethe::audio_internal
