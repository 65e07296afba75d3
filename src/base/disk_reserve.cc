#include "base/disk_reserve.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace lethe {
namespace {

// To make it larger by less is not worth the work.
constexpr std::uint64_t kStep = std::uint64_t{256} << 10;

// What cannot be asked for is taken to be enough.
std::uint64_t FreeBytes(const std::string& path) {
  struct statvfs disk {};
  const std::string folder = path.substr(0, path.rfind('/') + 1) + ".";
  if (::statvfs(folder.c_str(), &disk) != 0) return std::numeric_limits<std::uint64_t>::max();
  return std::uint64_t{disk.f_bavail} * disk.f_frsize;
}

std::uint64_t SizeOf(const std::string& path) {
  struct stat about {};
  const bool is_file = ::stat(path.c_str(), &about) == 0 && S_ISREG(about.st_mode);
  return is_file ? static_cast<std::uint64_t>(about.st_size) : 0;
}

}  // namespace

DiskReserve::DiskReserve(std::string path, std::function<std::uint64_t()> free_bytes)
    : path_(std::move(path)),
      free_bytes_(free_bytes ? std::move(free_bytes) : [this] { return FreeBytes(path_); }) {}

void DiskReserve::Fill() {
  const MutexLock lock(mutex_);
  const std::uint64_t have = SizeOf(path_);
  if (have >= kSize) return;
  const std::uint64_t wanted = std::min(kSize, have + free_bytes_() / 2);
  if (wanted < have + kStep) return;
  const int fd = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return;
  // What was allocated before it failed is given back.
  if (::posix_fallocate(fd, 0, static_cast<off_t>(wanted)) != 0) {
    (void)::ftruncate(fd, static_cast<off_t>(have));
  }
  ::close(fd);
}

bool DiskReserve::GiveUpIfFull() {
  const MutexLock lock(mutex_);
  if (free_bytes_() >= kSize || SizeOf(path_) == 0) return false;
  return ::unlink(path_.c_str()) == 0;
}

}  // namespace lethe
