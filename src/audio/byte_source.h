#pragma once

// Where a recording's bytes come from: a file, a pipe, memory.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/status.h"

namespace lethe {

/// Bytes, in order; those of a file or of memory in any order.
/// Thread: one thread at a time
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  /// Reads at least one byte unless the end is reached; 0 is the end.
  virtual Result<size_t> Read(std::span<std::byte> bytes) = 0;

  /// The number of bytes, where it is known; a source with a size can Seek().
  virtual std::optional<uint64_t> size() const { return std::nullopt; }

  /// Goes to a position counted from the first byte; at or beyond size(), Read() gives 0.
  /// Errors: kUnimplemented if the source has no size
  virtual Status Seek(uint64_t position);
};

/// Reads a descriptor from where it stands; position 0 is there. Borrows it.
std::unique_ptr<ByteSource> BorrowDescriptor(int fd);

/// Opens a file, pipe or terminal for reading.
/// Errors: as ErrnoStatus(); kInvalidArgument for a directory
Result<std::unique_ptr<ByteSource>> OpenByteFile(const std::string& path);

/// Lifetime: bytes outlive the source
std::unique_ptr<ByteSource> BorrowBytes(std::span<const std::byte> bytes);

}  // namespace lethe
