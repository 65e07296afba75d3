#include "audio/byte_source.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace lethe {
namespace {

// A regular file is read with pread(): whoever else holds the descriptor keeps its own position.
class DescriptorBytes final : public ByteSource {
 public:
  DescriptorBytes(int fd, bool owned) : fd_(fd), owned_(owned) {
    struct stat info {};
    const off_t here = lseek(fd, 0, SEEK_CUR);
    if (here < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return;
    base_ = here;
    size_ = static_cast<uint64_t>(std::max<off_t>(info.st_size - here, 0));
  }
  ~DescriptorBytes() override {
    if (owned_) close(fd_);
  }
  DescriptorBytes(const DescriptorBytes&) = delete;
  DescriptorBytes& operator=(const DescriptorBytes&) = delete;

  Result<size_t> Read(std::span<std::byte> bytes) override {
    if (size_ && position_ >= *size_) return size_t{0};
    ssize_t n = 0;
    do {
      n = size_ ? pread(fd_, bytes.data(), bytes.size(), base_ + static_cast<off_t>(position_))
                : read(fd_, bytes.data(), bytes.size());
    } while (n < 0 && errno == EINTR);
    if (n < 0) return ErrnoStatus(errno, "cannot be read");
    position_ += static_cast<uint64_t>(n);
    return static_cast<size_t>(n);
  }

  std::optional<uint64_t> size() const override { return size_; }

  Status Seek(uint64_t position) override {
    if (!size_) return ByteSource::Seek(position);
    position_ = std::min(position, *size_);
    return OkStatus();
  }

 private:
  const int fd_;
  const bool owned_;
  off_t base_ = 0;
  std::optional<uint64_t> size_;
  uint64_t position_ = 0;
};

class MemoryBytes final : public ByteSource {
 public:
  explicit MemoryBytes(std::span<const std::byte> bytes) : bytes_(bytes) {}

  Result<size_t> Read(std::span<std::byte> bytes) override {
    const size_t n = std::min(bytes.size(), bytes_.size() - position_);
    if (n > 0) std::memcpy(bytes.data(), bytes_.data() + position_, n);
    position_ += n;
    return n;
  }

  std::optional<uint64_t> size() const override { return bytes_.size(); }

  Status Seek(uint64_t position) override {
    position_ = static_cast<size_t>(std::min<uint64_t>(position, bytes_.size()));
    return OkStatus();
  }

 private:
  const std::span<const std::byte> bytes_;
  size_t position_ = 0;
};

}  // namespace

Status ByteSource::Seek(uint64_t /*position*/) {
  return Unimplemented("a pipe is read from beginning to end only");
}

std::unique_ptr<ByteSource> BorrowDescriptor(int fd) {
  return std::make_unique<DescriptorBytes>(fd, false);
}

Result<std::unique_ptr<ByteSource>> OpenByteFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus(errno, "cannot be opened");
  std::unique_ptr<ByteSource> bytes = std::make_unique<DescriptorBytes>(fd, true);
  struct stat info {};
  if (fstat(fd, &info) != 0) return ErrnoStatus(errno, "cannot be opened");
  if (S_ISDIR(info.st_mode)) return InvalidArgument("is a directory; name the recordings in it");
  return bytes;
}

std::unique_ptr<ByteSource> BorrowBytes(std::span<const std::byte> bytes) {
  return std::make_unique<MemoryBytes>(bytes);
}

}  // namespace lethe
