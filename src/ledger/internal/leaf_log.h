#pragma once

// The leaves on disk: segments of a fixed number of records, each record with a checksum.
//
// A record is 108 bytes: the distance to the first leaf of its batch (4), the leaf (96), and the
// first 8 bytes of SHA-256(0x02 || number of the leaf || distance || leaf). A batch is on the disk
// before the next one is begun. So when the power fails, only records of the last batch can be
// missing or spoilt, in whatever order the disk wrote them: what stands behind a spoilt record and
// belongs to a later batch proves that the record was whole once, and that is no power cut but
// loss.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/random_access_file.h"
#include "base/status.h"
#include "ledger/leaf.h"

namespace lethe {

using LeafBytes = std::array<std::byte, kLeafBytes>;

inline constexpr std::size_t kRecordBytes = 4 + kLeafBytes + 8;

/// Thread: Read() from any, of leaves that are there; Append() from one at a time
class LeafLog {
 public:
  struct Options {
    std::string folder;
    std::uint64_t records_per_segment = 0;
    bool writable = false;
  };

  /// Opens what is there. `signed_size` leaves are vouched for by a head and have to be there. If
  /// it is writable, the records behind them are checked, and what a power cut left of the last
  /// batch is cut off; otherwise nothing behind them is seen. Errors: kDataLoss
  static Result<std::unique_ptr<LeafLog>> Open(const Options& options, std::uint64_t signed_size);

  std::uint64_t size() const { return size_; }
  std::uint64_t cut_off_bytes() const { return cut_off_bytes_; }

  /// Adds leaves; they are on the disk when this returns. After an error none was added, or the log
  /// is broken: it takes nothing more until it is opened again.
  Status Append(std::span<const LeafBytes> leaves);

  /// Reads the leaves from `first` on. Errors: kDataLoss for a record that is not what was written
  Status Read(std::uint64_t first, std::span<LeafBytes> leaves) const;

 private:
  using Record = std::array<std::byte, kRecordBytes>;
  struct Parsed {
    LeafBytes leaf;
    std::uint32_t batch_offset = 0;
  };

  explicit LeafLog(Options options) : options_(std::move(options)) {}
  std::string SegmentPath(std::uint64_t segment) const;
  Result<const RandomAccessFile*> Segment(std::uint64_t segment) const;
  std::uint64_t NumSegments() const;
  // The one that is written to, while the log is writable.
  RandomAccessFile& LastSegment() const;
  /// Counts the segments and how many whole records they hold.
  Status FindSegments();
  Status CutOffTornTail(std::uint64_t from);
  Status AddSegment();
  Status AppendToSegment(std::uint64_t batch, std::span<const LeafBytes> leaves);
  static Record MakeRecord(std::uint64_t number, std::uint32_t batch_offset, const LeafBytes& leaf);
  static bool ParseRecord(std::uint64_t number, std::span<const std::byte> record, Parsed& parsed);

  // Constant after construction.
  const Options options_;
  // Constant after opening, but for Append().
  std::uint64_t size_ = 0, cut_off_bytes_ = 0;
  bool broken_ = false;
  // Any thread.
  mutable Mutex mutex_;
  // Opened when first needed.
  mutable std::vector<std::unique_ptr<RandomAccessFile>> segments_ GUARDED_BY(mutex_);
};

}  // namespace lethe
