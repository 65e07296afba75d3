#pragma once

// The decisions (ledger/decision.h) in a file beside the ledger, of which the records bring back
// what they have lost.
//
// A record is 320 bytes: its number (8), its distance from the first record of its batch (4), and
// the decision, sealed, with the former two bound to it; so all look alike, and none can be changed
// or put elsewhere. The first record says which number is next, and the file's name and the one
// before: it has another after each opening, because numbers are given twice where an older copy of
// it, or none, was there for a while. That record is written over where it lies. A batch is on the
// disk before the next one is begun, as in the ledger's leaves: what a power cut leaves can only be
// unreadable records of the last batch, and those are cut off. Any other that cannot be read is
// damage; the rest counts.
//
// Tidy() writes the file anew, whole or not at all, without what no longer matters. Numbers stay.

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random_access_file.h"
#include "base/status.h"
#include "ledger/decision.h"
#include "seal/sealing_key.h"

namespace lethe {

struct NumberedDecision {
  std::uint64_t number = 0;
  Decision decision;
};

/// Memory: what matters of the file, while ReadFrom() and Tidy() are at it
/// Thread: one at a time, of one process: that which has the ledger
class DecisionFile {
 public:
  static constexpr std::size_t kRecordBytes = 320;
  static constexpr std::size_t kMostOfBatch = 1'000;

  /// Opens the file, which is made if it is not there. Errors: as ErrnoStatus()
  static Result<std::unique_ptr<DecisionFile>> Open(const std::string& path, SealingKey key);

  /// Records that could not be read when it was opened, and are not what a power cut leaves.
  std::uint64_t damaged() const { return damaged_; }
  /// Of what a power cut left.
  std::uint64_t cut_off_bytes() const { return cut_off_bytes_; }

  /// Its name, and the one that it had before it was opened; never 0, but 0 before
  /// there was a file.
  std::uint64_t name() const { return name_; }
  std::uint64_t name_before() const { return name_before_; }
  bool is_new() const { return name_before_ == 0; }

  /// In it, whether or not they matter.
  std::uint64_t records() const { return records_; }
  /// Whether its path still leads to it.
  bool IsInPlace() const { return file_.IsInPlace(); }

  /// The number of the next decision. It becomes `at_least`, if somebody remembers that a file
  /// which is lost had those before.
  std::uint64_t next() const { return next_; }
  void SkipTo(std::uint64_t at_least);

  /// What matters of those from `first` on at `now`: the newest of each subject, oldest first.
  /// Errors: as ErrnoStatus()
  Result<std::vector<NumberedDecision>> ReadFrom(std::uint64_t first, WallTime now) const;

  /// Adds at most kMostOfBatch; they are on the disk when this returns.
  /// Errors: kInvalidArgument for one that is too long; as ErrnoStatus(). Then none was added, or
  ///         it has to be opened again before it takes more: kUnavailable
  Status Append(std::span<const Decision> decisions);

  /// Leaves out what does not matter at `now`: all but the newest of each subject, what has ended,
  /// and what was decided about an application before it was removed. Errors: as ErrnoStatus()
  Status Tidy(WallTime now);

 private:
  using Record = std::array<std::byte, kRecordBytes>;

  DecisionFile(std::string path, SealingKey key) : path_(std::move(path)), key_(std::move(key)) {}
  // Nothing for what cannot be read. Of the first record the kind is 0.
  struct Parsed {
    std::uint64_t number = 0;
    std::uint32_t batch_offset = 0;
    std::string plain;
  };
  bool Parse(std::span<const std::byte> record, Parsed& parsed) const;
  Record Make(std::uint64_t number, std::uint32_t batch_offset, const std::string& plain) const;
  Status Write(std::span<const NumberedDecision> decisions);
  Status Scan();
  std::string First() const;
  // Takes another name.
  Status Rename();
  // Calls with the place of each record and its bytes.
  Status ForEach(const std::function<void(std::uint64_t, std::span<const std::byte>)>& look) const;

  const std::string path_;
  const SealingKey key_;
  RandomAccessFile file_;
  std::uint64_t records_ = 0;  // in the file, readable or not
  std::uint64_t name_ = 0, name_before_ = 0;
  std::uint64_t next_ = 0, damaged_ = 0, cut_off_bytes_ = 0;
  bool broken_ = false, is_to_be_written_anew_ = false;
};

}  // namespace lethe
