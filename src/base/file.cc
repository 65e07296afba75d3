#include "base/file.h"

#include <cerrno>
#include <cstdlib>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"

namespace lethe {

Result<std::string> ReadFile(const std::string& path, std::size_t max_bytes) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus(errno, "cannot open " + path);
  std::string text;
  char buffer[1 << 16];
  Status status;
  while (status.ok()) {
    const ssize_t n = ::read(fd, buffer, sizeof(buffer));
    if (n == 0) break;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      status = ErrnoStatus(errno, "cannot read " + path);
    } else if (text.size() + static_cast<std::size_t>(n) > max_bytes) {
      status = ResourceExhausted(path + " is larger than " + std::to_string(max_bytes) + " bytes");
    } else {
      text.append(buffer, static_cast<std::size_t>(n));
    }
  }
  ::close(fd);
  if (!status.ok()) return status;
  return text;
}

Result<AtomicFileWriter> AtomicFileWriter::Create(const std::string& path, Readers readers) {
  constexpr std::size_t kDigits = 16;
  std::string temporary = path + "." + RandomHex(kDigits);
  // The kernel applies the umask: to read it is to change it for all threads.
  const mode_t mode = readers == Readers::kEverybody ? 0666 : 0600;
  const int fd = ::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return ErrnoStatus(errno, "cannot write " + path);
  return AtomicFileWriter(path, std::move(temporary), fd);
}

AtomicFileWriter::~AtomicFileWriter() {
  if (fd_ >= 0) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

AtomicFileWriter::AtomicFileWriter(AtomicFileWriter&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      fd_(std::exchange(other.fd_, -1)) {}

AtomicFileWriter& AtomicFileWriter::operator=(AtomicFileWriter&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(temporary_, other.temporary_);
  std::swap(fd_, other.fd_);
  return *this;
}

Status AtomicFileWriter::Write(std::string_view text) {
  return Write(std::as_bytes(std::span(text)));
}

Status AtomicFileWriter::Write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(errno, "cannot write " + path_);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return OkStatus();
}

Status AtomicFileWriter::Commit() {
  if (::fsync(fd_) != 0) return ErrnoStatus(errno, "cannot write " + path_);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
    return ErrnoStatus(errno, "cannot write " + path_);
  }
  temporary_.clear();
  return OkStatus();
}

}  // namespace lethe
