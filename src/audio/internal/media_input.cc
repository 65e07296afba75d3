#include "audio/internal/media_input.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>
#include <vector>

extern "C" {
#include <libavformat/avio.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>
}

namespace lethe::audio_internal {
namespace {

constexpr int kBufferBytes = 32 * 1024;
constexpr size_t kMaxHeld = size_t{128} * 1024 * 1024;

class HeldBytes final : public ByteSource {
 public:
  explicit HeldBytes(std::vector<std::byte> bytes)
      : bytes_(std::move(bytes)), reader_(BorrowBytes(bytes_)) {}

  Result<size_t> Read(std::span<std::byte> bytes) override { return reader_->Read(bytes); }
  std::optional<uint64_t> size() const override { return reader_->size(); }
  Status Seek(uint64_t position) override { return reader_->Seek(position); }

 private:
  const std::vector<std::byte> bytes_;
  const std::unique_ptr<ByteSource> reader_;
};

// An MP4 is a row of boxes: 32-bit length, four letters, and a 64-bit length where the first is 1.
// Source: ISO/IEC 14496-12, sec. 4.2
bool IndexIsLast(std::span<const std::byte> start) {
  const auto big_endian = [&](size_t at, size_t bytes) {
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; ++i) {
      value = value << 8 | std::to_integer<uint64_t>(start[at + i]);
    }
    return value;
  };
  const auto named = [&](size_t at, const char* name) {
    return std::memcmp(start.data() + at + 4, name, 4) == 0;
  };
  if (start.size() < 8 || !named(0, "ftyp")) return false;
  uint64_t at = 0;
  while (at + 16 <= start.size()) {
    const auto box = static_cast<size_t>(at);
    if (named(box, "moov") || named(box, "moof")) return false;
    if (named(box, "mdat")) return true;
    const uint64_t length = big_endian(box, 4) == 1 ? big_endian(box + 8, 8) : big_endian(box, 4);
    if (length < 8 || length > start.size()) return true;
    at += length;
  }
  return true;
}

}  // namespace

MediaInput::~MediaInput() {
  if (context_ == nullptr) return;
  av_freep(&context_->buffer);  // the library may have replaced the one it was given
  avio_context_free(&context_);
}

Status MediaInput::Open() {
  auto* buffer = static_cast<uint8_t*>(av_malloc(kBufferBytes));
  if (buffer == nullptr) return ResourceExhausted("no memory to decode");
  const bool seekable = bytes_->size().has_value();
  context_ = avio_alloc_context(buffer, kBufferBytes, 0, this, &MediaInput::ReadPacket, nullptr,
                                seekable ? &MediaInput::Seek : nullptr);
  if (context_ == nullptr) {
    av_free(buffer);
    return ResourceExhausted("no memory to decode");
  }
  context_->seekable = seekable ? AVIO_SEEKABLE_NORMAL : 0;
  return OkStatus();
}

int MediaInput::ReadPacket(void* opaque, uint8_t* buffer, int size) {
  auto& self = *static_cast<MediaInput*>(opaque);
  if (!self.status_.ok() || size <= 0) return AVERROR_EOF;
  const Result<size_t> n =
      self.bytes_->Read(std::as_writable_bytes(std::span(buffer, static_cast<size_t>(size))));
  if (!n.ok()) {
    self.status_ = n.status();
    return AVERROR(EIO);
  }
  if (*n == 0) return AVERROR_EOF;
  self.position_ += static_cast<int64_t>(*n);
  return static_cast<int>(*n);
}

int64_t MediaInput::Seek(void* opaque, int64_t offset, int whence) {
  auto& self = *static_cast<MediaInput*>(opaque);
  const auto size = static_cast<int64_t>(self.bytes_->size().value_or(0));
  int64_t base = 0;
  switch (whence & ~AVSEEK_FORCE) {
    case AVSEEK_SIZE:
      return size;
    case SEEK_SET:
      break;
    case SEEK_CUR:
      base = self.position_;
      break;
    case SEEK_END:
      base = size;
      break;
    default:
      return AVERROR(EINVAL);
  }
  // Offsets come out of the file: one that leaves it, or overflows, is refused.
  int64_t target = 0;
  if (__builtin_add_overflow(base, offset, &target) || target < 0) return AVERROR(EINVAL);
  target = std::min(target, size);
  if (const Status status = self.bytes_->Seek(static_cast<uint64_t>(target)); !status.ok()) {
    return AVERROR(EIO);
  }
  self.position_ = target;
  return target;
}

Result<std::unique_ptr<ByteSource>> HoldIfIndexIsLast(std::unique_ptr<RewindableBytes> bytes) {
  if (bytes->size()) return std::unique_ptr<ByteSource>(std::move(bytes));
  // ftyp first, whatever else: only an MP4 is worth waiting for more than its first bytes.
  ASSIGN_OR_RETURN(std::vector<std::byte> start, bytes->PeekFromStart(16));
  if (start.size() < 8 || std::memcmp(start.data() + 4, "ftyp", 4) != 0) {
    return std::unique_ptr<ByteSource>(std::move(bytes));
  }
  ASSIGN_OR_RETURN(start, bytes->PeekFromStart(RewindableBytes::kMaxKept));
  if (!IndexIsLast(start)) return std::unique_ptr<ByteSource>(std::move(bytes));
  std::vector<std::byte> held;
  while (true) {
    const size_t before = held.size();
    if (before > kMaxHeld) {
      return ResourceExhausted("is an MP4 with its index at its end, too long for a pipe (limit " +
                               std::to_string(kMaxHeld >> 20) + " MiB); give it as a file");
    }
    held.resize(before + kBufferBytes);
    ASSIGN_OR_RETURN(const size_t n, ReadFully(*bytes, std::span(held).subspan(before)));
    held.resize(before + n);
    if (n == 0) break;
  }
  return std::unique_ptr<ByteSource>(std::make_unique<HeldBytes>(std::move(held)));
}

}  // namespace lethe::audio_internal
