#pragma once

// The signed heads on disk, one behind the other. A frame is the length of the note (4), the same
// with all bits turned (4), the note, and the first 8 bytes of the SHA-256 of what is before.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/random_access_file.h"
#include "base/status.h"
#include "ledger/signed_head.h"

namespace lethe {

/// Thread: any, but Append() from one at a time
class HeadFile {
 public:
  /// Reads all heads. If it is `writable`, what a power cut left of the last one is cut off. No
  /// signature is verified.
  /// Errors: kDataLoss
  static Result<std::unique_ptr<HeadFile>> Open(const std::string& path, bool writable);

  std::uint64_t count() const;
  std::uint64_t cut_off_bytes() const { return cut_off_bytes_; }
  Result<SignedHead> Read(std::uint64_t number) const;
  /// The number of the first head of at least so many leaves; count() if there is none.
  std::uint64_t FirstOf(std::uint64_t size) const;
  /// The keys that took over, in order.
  std::vector<VerifierKey> next_keys() const;

  /// Adds a head; it is on the disk when this returns. After an error the file has to be opened
  /// again.
  Status Append(const SignedHead& head);

 private:
  struct Entry {
    std::uint64_t offset = 0, size = 0;  // of the frame; leaves
  };

  explicit HeadFile(RandomAccessFile file) : file_(std::move(file)) {}
  Status Scan() REQUIRES(mutex_);
  void Add(const TreeHead& head) REQUIRES(mutex_);

  // Constant after opening; the file is written to by Append() only.
  RandomAccessFile file_;
  std::uint64_t cut_off_bytes_ = 0;
  // Any thread.
  mutable Mutex mutex_;
  std::uint64_t end_ GUARDED_BY(mutex_) = 0;
  std::vector<Entry> entries_ GUARDED_BY(mutex_);
  std::vector<VerifierKey> next_keys_ GUARDED_BY(mutex_);
};

}  // namespace lethe
