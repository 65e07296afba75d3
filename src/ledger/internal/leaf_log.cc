#include "ledger/internal/leaf_log.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/check.h"
#include "ledger/internal/wire.h"

namespace lethe {
namespace {

constexpr std::string_view kPrefix = "leaves-";
constexpr std::size_t kChecksumBytes = 8;
constexpr std::size_t kRecordsAtOnce = 4096;  // 432 KiB

Status Spoilt(std::uint64_t number) {
  return DataLoss("the ledger's leaf is not what was written: number " + std::to_string(number));
}

}  // namespace

LeafLog::Record LeafLog::MakeRecord(std::uint64_t number, std::uint32_t batch_offset,
                                    const LeafBytes& leaf) {
  constexpr std::byte kPrefixByte{2};  // no leaf and no node
  std::array<std::byte, 8> number_bytes;
  PutNumber(std::span<std::byte>(number_bytes), number);
  Record record;
  PutNumber(std::span<std::byte>(record), batch_offset);
  std::copy(leaf.begin(), leaf.end(), record.begin() + 4);
  const Sha256Digest digest = Sha256({std::span(&kPrefixByte, 1), number_bytes,
                                      std::span<const std::byte>(record).first(4 + kLeafBytes)});
  std::copy_n(digest.begin(), kChecksumBytes, record.begin() + 4 + kLeafBytes);
  return record;
}

bool LeafLog::ParseRecord(std::uint64_t number, std::span<const std::byte> record, Parsed& parsed) {
  parsed.batch_offset = GetNumber<std::uint32_t>(record);
  std::copy_n(record.begin() + 4, kLeafBytes, parsed.leaf.begin());
  return std::ranges::equal(MakeRecord(number, parsed.batch_offset, parsed.leaf), record);
}

std::string LeafLog::SegmentPath(std::uint64_t segment) const {
  char name[32];
  std::snprintf(name, sizeof(name), "%s%08llu", kPrefix.data(),
                static_cast<unsigned long long>(segment));
  return options_.folder + "/" + name;
}

Result<const RandomAccessFile*> LeafLog::Segment(std::uint64_t segment) const {
  const MutexLock lock(mutex_);
  LETHE_CHECK(segment < segments_.size());
  if (segments_[segment] == nullptr) {
    ASSIGN_OR_RETURN(RandomAccessFile file,
                     RandomAccessFile::Open(SegmentPath(segment), RandomAccessFile::Mode::kRead));
    segments_[segment] = std::make_unique<RandomAccessFile>(std::move(file));
  }
  return segments_[segment].get();
}

std::uint64_t LeafLog::NumSegments() const {
  const MutexLock lock(mutex_);
  return segments_.size();
}

RandomAccessFile& LeafLog::LastSegment() const {
  const MutexLock lock(mutex_);
  return *segments_.back();
}

Status LeafLog::FindSegments() {
  std::error_code error;
  std::uint64_t found = 0, bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(options_.folder, error)) {
    if (entry.path().filename().string().starts_with(kPrefix)) ++found;
  }
  if (error) return ErrnoStatus(error.value(), "cannot read " + options_.folder);
  for (std::uint64_t segment = 0; segment < found; ++segment) {
    bytes = std::filesystem::file_size(SegmentPath(segment), error);
    if (error) return DataLoss("a file of the ledger is missing: " + SegmentPath(segment));
    const std::uint64_t full = options_.records_per_segment * kRecordBytes;
    if (segment + 1 < found ? bytes != full : bytes > full) {
      return DataLoss("a file of the ledger has not its size: " + SegmentPath(segment));
    }
  }
  const std::uint64_t before = found == 0 ? 0 : (found - 1) * options_.records_per_segment;
  size_ = before + bytes / kRecordBytes;
  cut_off_bytes_ = bytes % kRecordBytes;
  const MutexLock lock(mutex_);
  segments_.resize(found);
  if (options_.writable && found > 0) {
    ASSIGN_OR_RETURN(RandomAccessFile last, RandomAccessFile::Open(SegmentPath(found - 1),
                                                                   RandomAccessFile::Mode::kWrite));
    segments_.back() = std::make_unique<RandomAccessFile>(std::move(last));
  }
  return OkStatus();
}

Result<std::unique_ptr<LeafLog>> LeafLog::Open(const Options& options, std::uint64_t signed_size) {
  LETHE_CHECK(options.records_per_segment > 0);
  std::unique_ptr<LeafLog> log(new LeafLog(options));
  RETURN_IF_ERROR(log->FindSegments());
  if (log->size_ < signed_size) {
    return DataLoss("the ledger's last head vouches for " + std::to_string(signed_size) +
                    " leaves, of which there are only " + std::to_string(log->size_));
  }
  if (options.writable) {
    RETURN_IF_ERROR(log->CutOffTornTail(signed_size));
  } else {
    log->size_ = signed_size;
    log->cut_off_bytes_ = 0;
  }
  return log;
}

Status LeafLog::CutOffTornTail(std::uint64_t from) {
  std::uint64_t torn = size_;
  std::vector<std::byte> bytes;
  for (std::uint64_t number = from; number < size_;) {
    const std::uint64_t in_segment = number % options_.records_per_segment;
    const std::uint64_t count = std::min<std::uint64_t>(
        {size_ - number, options_.records_per_segment - in_segment, kRecordsAtOnce});
    ASSIGN_OR_RETURN(const RandomAccessFile* file, Segment(number / options_.records_per_segment));
    bytes.resize(count * kRecordBytes);
    RETURN_IF_ERROR(file->ReadFully(in_segment * kRecordBytes, bytes));
    for (std::uint64_t i = 0; i < count; ++i, ++number) {
      Parsed parsed;
      const bool whole =
          ParseRecord(number, std::span(bytes).subspan(i * kRecordBytes, kRecordBytes), parsed);
      if (!whole) {
        torn = std::min(torn, number);
      } else if (torn < number && number - parsed.batch_offset > torn) {
        return Spoilt(torn);  // its batch was complete before this one was begun
      }
    }
  }
  // Only the last segment can be written to. A spoilt record in an earlier one is lost, too: a
  // segment is on the disk before the next one is made.
  if (torn < size_ && torn / options_.records_per_segment + 1 < NumSegments()) {
    return Spoilt(torn);
  }
  cut_off_bytes_ += (size_ - torn) * kRecordBytes;
  size_ = torn;
  if (cut_off_bytes_ == 0) return OkStatus();
  RandomAccessFile& last = LastSegment();
  const std::uint64_t before = (NumSegments() - 1) * options_.records_per_segment;
  RETURN_IF_ERROR(last.Truncate((size_ - before) * kRecordBytes));
  return last.Sync();
}

Status LeafLog::AddSegment() {
  const std::string path = SegmentPath(NumSegments());
  ASSIGN_OR_RETURN(RandomAccessFile file,
                   RandomAccessFile::Open(path, RandomAccessFile::Mode::kWriteCreate));
  RETURN_IF_ERROR(SyncFolder(options_.folder));
  const MutexLock lock(mutex_);
  segments_.push_back(std::make_unique<RandomAccessFile>(std::move(file)));
  return OkStatus();
}

Status LeafLog::AppendToSegment(std::uint64_t batch, std::span<const LeafBytes> leaves) {
  std::vector<std::byte> bytes;
  bytes.reserve(leaves.size() * kRecordBytes);
  for (std::uint64_t i = 0; i < leaves.size(); ++i) {
    const auto offset = static_cast<std::uint32_t>(size_ + i - batch);
    const Record record = MakeRecord(size_ + i, offset, leaves[i]);
    bytes.insert(bytes.end(), record.begin(), record.end());
  }
  RandomAccessFile& last = LastSegment();
  const std::uint64_t at = size_ % options_.records_per_segment * kRecordBytes;
  if (Status written = last.Write(at, bytes); !written.ok()) {
    // A full disk is nothing to be broken by; what is there of the batch goes.
    broken_ = !last.Truncate(at).ok();
    return written;
  }
  if (Status synced = last.Sync(); !synced.ok()) {
    broken_ = true;  // nobody knows what is on the disk
    return synced;
  }
  return OkStatus();
}

Status LeafLog::Append(std::span<const LeafBytes> leaves) {
  if (!options_.writable) return FailedPrecondition("the ledger is opened for reading only");
  if (broken_) {
    return Unavailable("the ledger could not be written earlier; start the service anew");
  }
  const std::uint64_t batch = size_;
  while (!leaves.empty()) {
    if (size_ == NumSegments() * options_.records_per_segment) RETURN_IF_ERROR(AddSegment());
    const std::uint64_t room = NumSegments() * options_.records_per_segment - size_;
    const auto part = leaves.first(std::min<std::uint64_t>(room, leaves.size()));
    if (Status added = AppendToSegment(batch, part); !added.ok()) {
      broken_ = broken_ || size_ != batch;  // the first part is there already
      return added;
    }
    size_ += part.size();
    leaves = leaves.subspan(part.size());
  }
  return OkStatus();
}

Status LeafLog::Read(std::uint64_t first, std::span<LeafBytes> leaves) const {
  std::vector<std::byte> bytes;
  for (std::uint64_t done = 0; done < leaves.size();) {
    const std::uint64_t number = first + done, in_segment = number % options_.records_per_segment;
    const std::uint64_t count = std::min<std::uint64_t>(
        {leaves.size() - done, options_.records_per_segment - in_segment, kRecordsAtOnce});
    ASSIGN_OR_RETURN(const RandomAccessFile* file, Segment(number / options_.records_per_segment));
    bytes.resize(count * kRecordBytes);
    RETURN_IF_ERROR(file->ReadFully(in_segment * kRecordBytes, bytes));
    for (std::uint64_t i = 0; i < count; ++i, ++done) {
      Parsed parsed;
      if (!ParseRecord(first + done, std::span(bytes).subspan(i * kRecordBytes, kRecordBytes),
                       parsed)) {
        return Spoilt(first + done);
      }
      leaves[done] = parsed.leaf;
    }
  }
  return OkStatus();
}

}  // namespace lethe
