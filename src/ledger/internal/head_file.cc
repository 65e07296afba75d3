#include "ledger/internal/head_file.h"

#include <algorithm>
#include <optional>

#include "ledger/internal/wire.h"

namespace lethe {
namespace {

constexpr std::size_t kFrontBytes = 8, kChecksumBytes = 8;
constexpr std::size_t kMaxFrameBytes = kFrontBytes + kMaxNoteBytes + kChecksumBytes;
constexpr std::size_t kBytesAtOnce = 1 << 20;

std::vector<std::byte> MakeFrame(std::string_view note) {
  std::vector<std::byte> frame(kFrontBytes + note.size() + kChecksumBytes);
  const std::span<std::byte> all(frame);
  const auto length = static_cast<std::uint32_t>(note.size());
  PutNumber(all, length);
  PutNumber(all.subspan(4), ~length);
  std::ranges::copy(std::as_bytes(std::span(note)), frame.begin() + kFrontBytes);
  const Sha256Digest digest = Sha256({all.first(kFrontBytes + note.size())});
  std::copy_n(digest.begin(), kChecksumBytes, frame.end() - kChecksumBytes);
  return frame;
}

// The length of the note in a frame. Nothing if its front was spoilt.
std::optional<std::size_t> NoteLength(std::span<const std::byte> frame) {
  const auto length = GetNumber<std::uint32_t>(frame);
  if (GetNumber<std::uint32_t>(frame.subspan(4)) != static_cast<std::uint32_t>(~length) ||
      length == 0 || length > kMaxNoteBytes) {
    return std::nullopt;
  }
  return length;
}

std::string_view NoteOf(std::span<const std::byte> frame, std::size_t length) {
  return {reinterpret_cast<const char*>(frame.data()) + kFrontBytes, length};
}

// Whether a frame at the end of the file, which is not whole, can be what a power cut left of it:
// the last frame, or one of which the disk has written no more than the front.
bool IsTorn(std::span<const std::byte> rest) {
  if (rest.size() < kFrontBytes) return true;
  if (const auto length = NoteLength(rest)) {
    return kFrontBytes + *length + kChecksumBytes >= rest.size();
  }
  return std::ranges::all_of(rest.subspan(kFrontBytes),
                             [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

Result<std::unique_ptr<HeadFile>> HeadFile::Open(const std::string& path, bool writable) {
  ASSIGN_OR_RETURN(RandomAccessFile file,
                   RandomAccessFile::Open(path, writable ? RandomAccessFile::Mode::kWriteCreate
                                                         : RandomAccessFile::Mode::kRead));
  std::unique_ptr<HeadFile> heads(new HeadFile(std::move(file)));
  const MutexLock lock(heads->mutex_);
  RETURN_IF_ERROR(heads->Scan());
  if (writable && heads->cut_off_bytes_ > 0) {
    RETURN_IF_ERROR(heads->file_.Truncate(heads->end_));
    RETURN_IF_ERROR(heads->file_.Sync());
  }
  return heads;
}

void HeadFile::Add(const TreeHead& head) {
  entries_.push_back({.offset = end_, .size = head.size});
  if (head.next_key) next_keys_.push_back(*head.next_key);
}

Status HeadFile::Scan() {
  const auto spoilt = [&] {
    mutex_.AssertHeld();
    return DataLoss("the ledger's head is not what was written: number " +
                    std::to_string(entries_.size()));
  };
  ASSIGN_OR_RETURN(const std::uint64_t file_size, file_.Size());
  std::vector<std::byte> buffer;
  std::span<const std::byte> rest;
  while (end_ < file_size) {
    if (rest.size() < kMaxFrameBytes && end_ + rest.size() < file_size) {
      buffer.resize(std::min<std::uint64_t>(kBytesAtOnce, file_size - end_));
      RETURN_IF_ERROR(file_.ReadFully(end_, buffer));
      rest = buffer;
    }
    const auto length = rest.size() < kFrontBytes ? std::nullopt : NoteLength(rest);
    const std::size_t frame_size = kFrontBytes + length.value_or(0) + kChecksumBytes;
    if (!length || frame_size > rest.size() ||
        !std::ranges::equal(MakeFrame(NoteOf(rest, *length)), rest.first(frame_size))) {
      if (end_ + rest.size() < file_size || !IsTorn(rest)) return spoilt();
      break;
    }
    const Result<SignedHead> head = SignedHead::Parse(NoteOf(rest, *length));
    if (!head.ok() || (!entries_.empty() && head->head().size < entries_.back().size)) {
      return spoilt();
    }
    Add(head->head());
    end_ += frame_size;
    rest = rest.subspan(frame_size);
  }
  cut_off_bytes_ = file_size - end_;
  return OkStatus();
}

std::uint64_t HeadFile::count() const {
  const MutexLock lock(mutex_);
  return entries_.size();
}

std::uint64_t HeadFile::FirstOf(std::uint64_t size) const {
  const MutexLock lock(mutex_);
  const auto found = std::ranges::lower_bound(entries_, size, {}, &Entry::size);
  return static_cast<std::uint64_t>(found - entries_.begin());
}

std::vector<VerifierKey> HeadFile::next_keys() const {
  const MutexLock lock(mutex_);
  return next_keys_;
}

Result<SignedHead> HeadFile::Read(std::uint64_t number) const {
  std::uint64_t begin = 0, end = 0;
  {
    const MutexLock lock(mutex_);
    if (number >= entries_.size()) {
      return NotFound("the ledger has no head with the number " + std::to_string(number));
    }
    begin = entries_[number].offset;
    end = number + 1 < entries_.size() ? entries_[number + 1].offset : end_;
  }
  std::vector<std::byte> frame(end - begin);
  RETURN_IF_ERROR(file_.ReadFully(begin, frame));
  const auto length = NoteLength(frame);
  if (!length || *length + kFrontBytes + kChecksumBytes != frame.size() ||
      MakeFrame(NoteOf(frame, *length)) != frame) {
    return DataLoss("the ledger's head is not what was written: number " + std::to_string(number));
  }
  return SignedHead::Parse(NoteOf(frame, *length));
}

Status HeadFile::Append(const SignedHead& head) {
  const std::vector<std::byte> frame = MakeFrame(head.note());
  MutexLock lock(mutex_);
  const std::uint64_t end = end_;
  lock.Unlock();
  RETURN_IF_ERROR(file_.Write(end, frame));
  RETURN_IF_ERROR(file_.Sync());
  lock.Lock();
  Add(head.head());
  end_ += frame.size();
  return OkStatus();
}

}  // namespace lethe
