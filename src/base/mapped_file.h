#pragma once

// A file as read-only memory.

#include <cstddef>
#include <span>
#include <string>

#include "base/status.h"

namespace lethe {

/// Maps a whole regular file. The pages are shared by every process that maps it.
/// Lifetime: bytes() is valid until the object is destroyed
class MappedFile {
 public:
  /// Errors: as ErrnoStatus(); kInvalidArgument for what is no regular file
  static Result<MappedFile> Open(const std::string& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  explicit MappedFile(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::span<const std::byte> bytes_;
};

}  // namespace lethe
