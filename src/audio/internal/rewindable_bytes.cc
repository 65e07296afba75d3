#include "audio/internal/rewindable_bytes.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace lethe::audio_internal {

Result<std::vector<std::byte>> RewindableBytes::PeekFromStart(size_t n) {
  LETHE_CHECK(n <= kMaxKept);
  RETURN_IF_ERROR(Rewind());
  std::vector<std::byte> bytes(n);
  ASSIGN_OR_RETURN(const size_t got, ReadFully(*this, bytes));
  bytes.resize(got);
  RETURN_IF_ERROR(Rewind());
  return bytes;
}

Status RewindableBytes::Rewind() {
  if (inner_->size()) return inner_->Seek(0);
  if (overflown_) {
    return InvalidArgument(
        "cannot be read through a pipe, its header is too long; give it as a file");
  }
  position_ = 0;
  return OkStatus();
}

Result<size_t> RewindableBytes::Read(std::span<std::byte> bytes) {
  if (inner_->size()) return inner_->Read(bytes);
  if (position_ < kept_.size()) {
    const size_t n = std::min(bytes.size(), kept_.size() - position_);
    if (n > 0) std::memcpy(bytes.data(), kept_.data() + position_, n);
    position_ += n;
    return n;
  }
  ASSIGN_OR_RETURN(const size_t n, inner_->Read(bytes));
  if (overflown_) return n;
  if (kept_.size() + n > kMaxKept) {
    overflown_ = true;
    position_ = 0;
    kept_ = {};
    return n;
  }
  kept_.insert(kept_.end(), bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(n));
  position_ = kept_.size();
  return n;
}

Result<size_t> ReadFully(ByteSource& source, std::span<std::byte> bytes) {
  size_t got = 0;
  while (got < bytes.size()) {
    ASSIGN_OR_RETURN(const size_t n, source.Read(bytes.subspan(got)));
    if (n == 0) break;
    got += n;
  }
  return got;
}

}  // namespace lethe::audio_internal
