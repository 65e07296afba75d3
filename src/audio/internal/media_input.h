#pragma once

// A ByteSource as FFmpeg's libraries want to read it.

#include <cstdint>
#include <memory>

#include "audio/byte_source.h"
#include "audio/internal/rewindable_bytes.h"
#include "base/status.h"

struct AVIOContext;

namespace lethe::audio_internal {

/// Feeds a ByteSource to a demuxer, and remembers why reading failed.
class MediaInput {
 public:
  explicit MediaInput(std::unique_ptr<ByteSource> bytes) : bytes_(std::move(bytes)) {}
  ~MediaInput();
  MediaInput(const MediaInput&) = delete;
  MediaInput& operator=(const MediaInput&) = delete;

  /// Errors: kResourceExhausted when memory is short
  Status Open();

  AVIOContext* context() { return context_; }
  /// The first error of the ByteSource. The demuxer sees it as an end, so ask when it ends.
  const Status& status() const { return status_; }

 private:
  static int ReadPacket(void* opaque, uint8_t* buffer, int size);
  static int64_t Seek(void* opaque, int64_t offset, int whence);

  std::unique_ptr<ByteSource> bytes_;
  AVIOContext* context_ = nullptr;
  int64_t position_ = 0;
  Status status_;
};

/// Reads an MP4 that comes through a pipe with its index at the end into memory, where it can be
/// read in the order it needs; hands everything else back as it is, at its first byte.
/// Errors: kResourceExhausted beyond 128 MiB; as ByteSource::Read()
Result<std::unique_ptr<ByteSource>> HoldIfIndexIsLast(std::unique_ptr<RewindableBytes> bytes);

}  // namespace lethe::audio_internal
