#pragma once

// A lock that processes share by a file, and that goes with whoever holds it.

#include <string>
#include <utility>

#include "base/status.h"

namespace lethe {

/// Thread: any
class FileLock {
 public:
  enum class Kind { kShared, kExclusive };

  /// Takes the lock at once or not at all. The file is made if it is not there; it stays empty.
  /// Errors: kFailedPrecondition when others hold it in a way that excludes this; as ErrnoStatus()
  static Result<FileLock> Take(const std::string& path, Kind kind);

  FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileLock& operator=(FileLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}

  int fd_ = -1;
};

}  // namespace lethe
