#include "base/random_access_file.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace lethe {

Result<RandomAccessFile> RandomAccessFile::Open(const std::string& path, Mode mode) {
  int flags = O_CLOEXEC | (mode == Mode::kRead ? O_RDONLY : O_RDWR);
  if (mode == Mode::kWriteCreate) flags |= O_CREAT;
  const int fd = ::open(path.c_str(), flags, 0600);
  if (fd < 0) return ErrnoStatus(errno, "cannot open " + path);
  return RandomAccessFile(path, fd);
}

RandomAccessFile::~RandomAccessFile() {
  if (fd_ >= 0) ::close(fd_);
}

RandomAccessFile::RandomAccessFile(RandomAccessFile&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

RandomAccessFile& RandomAccessFile::operator=(RandomAccessFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  return *this;
}

Result<std::size_t> RandomAccessFile::Read(std::uint64_t offset, std::span<std::byte> bytes) const {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n =
        ::pread(fd_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (n == 0) break;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(errno, "cannot read " + path_);
    done += static_cast<std::size_t>(n);
  }
  return done;
}

Status RandomAccessFile::ReadFully(std::uint64_t offset, std::span<std::byte> bytes) const {
  ASSIGN_OR_RETURN(const std::size_t got, Read(offset, bytes));
  if (got != bytes.size()) {
    return DataLoss(path_ + " ends too early, behind byte " + std::to_string(offset + got));
  }
  return OkStatus();
}

Status RandomAccessFile::Write(std::uint64_t offset, std::span<const std::byte> bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t n =
        ::pwrite(fd_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(errno, "cannot write " + path_);
    done += static_cast<std::size_t>(n);
  }
  return OkStatus();
}

Status RandomAccessFile::Truncate(std::uint64_t size) {
  if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) {
    return ErrnoStatus(errno, "cannot shorten " + path_);
  }
  return OkStatus();
}

Status RandomAccessFile::Sync() {
  if (::fdatasync(fd_) != 0) return ErrnoStatus(errno, "cannot write " + path_);
  return OkStatus();
}

Result<std::uint64_t> RandomAccessFile::Size() const {
  struct stat about;
  if (::fstat(fd_, &about) != 0) return ErrnoStatus(errno, "cannot read " + path_);
  if (!S_ISREG(about.st_mode)) return InvalidArgument("this is no regular file: " + path_);
  return static_cast<std::uint64_t>(about.st_size);
}

bool RandomAccessFile::IsInPlace() const {
  struct stat open_file, named;
  return ::fstat(fd_, &open_file) == 0 && ::stat(path_.c_str(), &named) == 0 &&
         open_file.st_dev == named.st_dev && open_file.st_ino == named.st_ino;
}

Result<bool> RandomAccessFile::TryLock() {
  if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  return ErrnoStatus(errno, "cannot lock " + path_);
}

Status SyncFolder(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus(errno, "cannot open " + folder);
  const int error = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  return error == 0 ? OkStatus() : ErrnoStatus(error, "cannot write " + folder);
}

}  // namespace lethe
