#pragma once

// Files read whole, and files that appear whole or not at all.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"

namespace lethe {

/// Reads a regular file of at most `max_bytes`.
/// Errors: as ErrnoStatus(); kResourceExhausted for a larger one
Result<std::string> ReadFile(const std::string& path, std::size_t max_bytes);

/// A file that takes its name only when Commit() has brought all of it to the disk; until then, and
/// if it is never committed, there is at most a temporary neighbour, which the destructor removes.
class AtomicFileWriter {
 public:
  /// Who may read it: everybody whom the process' umask lets, or its owner only.
  enum class Readers { kEverybody, kOwner };

  /// Errors: as ErrnoStatus(), naming the path
  static Result<AtomicFileWriter> Create(const std::string& path,
                                         Readers readers = Readers::kEverybody);
  ~AtomicFileWriter();
  AtomicFileWriter(AtomicFileWriter&& other) noexcept;
  AtomicFileWriter& operator=(AtomicFileWriter&& other) noexcept;

  Status Write(std::string_view text);
  Status Write(std::span<const std::byte> bytes);
  Status Commit();

 private:
  AtomicFileWriter(std::string path, std::string temporary, int fd)
      : path_(std::move(path)), temporary_(std::move(temporary)), fd_(fd) {}

  std::string path_;
  std::string temporary_;  // empty once committed or moved from
  int fd_ = -1;
};

}  // namespace lethe
