#pragma once

// A file read and written at any place, and brought to the disk on demand.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/status.h"

namespace lethe {

/// Thread: reading from any; writing from one at a time
/// Errors: as ErrnoStatus(), naming the path
class RandomAccessFile {
 public:
  enum class Mode {
    kRead,         ///< the file has to be there
    kWrite,        ///< the file has to be there
    kWriteCreate,  ///< made with a mode of 0600 if it is not there
  };

  RandomAccessFile() = default;
  static Result<RandomAccessFile> Open(const std::string& path, Mode mode);
  ~RandomAccessFile();
  RandomAccessFile(RandomAccessFile&& other) noexcept;
  RandomAccessFile& operator=(RandomAccessFile&& other) noexcept;

  bool is_open() const { return fd_ >= 0; }
  const std::string& path() const { return path_; }

  /// Reads until `bytes` is full or the file ends. Returns how many bytes there were.
  Result<std::size_t> Read(std::uint64_t offset, std::span<std::byte> bytes) const;
  /// As Read(), but less than all is kDataLoss.
  Status ReadFully(std::uint64_t offset, std::span<std::byte> bytes) const;

  Status Write(std::uint64_t offset, std::span<const std::byte> bytes);
  Status Truncate(std::uint64_t size);
  /// Returns when what was written, and the size, are on the disk.
  Status Sync();
  Result<std::uint64_t> Size() const;
  /// Whether its path still leads to it.
  bool IsInPlace() const;

  /// Takes the lock that only one process can have; it is given up when the file is closed.
  /// Returns false if somebody has it.
  Result<bool> TryLock();

 private:
  RandomAccessFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}

  std::string path_;
  int fd_ = -1;
};

/// Returns when the names in the folder are on the disk: a file that was made or renamed needs
/// that.
Status SyncFolder(const std::string& folder);

}  // namespace lethe
