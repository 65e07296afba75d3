#include "ledger/decision_file.h"

#include <algorithm>
#include <deque>
#include <filesystem>
#include <map>
#include <tuple>

#include "base/file.h"
#include "base/random.h"
#include "ledger/internal/wire.h"

namespace lethe {
namespace {

constexpr std::size_t kFrontBytes = 8 + 4;
constexpr std::size_t kPlainBytes =
    DecisionFile::kRecordBytes - kFrontBytes - SealingKey::kOverhead;
constexpr std::size_t kFixedBytes = 1 + 8 + 8 + 8 + 1 + 1;
static_assert(kFixedBytes + kMaxDecisionSubject + kMaxDecisionValue <= kPlainBytes);
static_assert(kMaxDecisionSubject < 256 && kMaxDecisionValue < 256);

constexpr std::size_t kRecordsAtOnce = 2048;  // 640 KiB

template <class T>
void Put(std::string& text, T value) {
  std::array<std::byte, sizeof(T)> bytes;
  PutNumber(std::span<std::byte>(bytes), value);
  text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void PutText(std::string& text, const std::string& value) {
  Put(text, static_cast<std::uint8_t>(value.size()));
  text += value;
}

std::uint64_t Millis64(WallTime time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

// All are equally long, so that a length tells nothing.
std::string Encode(const Decision& decision) {
  std::string plain;
  Put(plain, static_cast<std::uint8_t>(decision.kind));
  Put(plain, decision.app_id);
  Put(plain, Millis64(decision.made));
  Put(plain, decision.ends ? Millis64(*decision.ends) : std::uint64_t{0});
  PutText(plain, decision.subject);
  PutText(plain, decision.value);
  plain.resize(kPlainBytes, '\0');
  return plain;
}

// Of what nobody but us can have written.
Decision Decode(const std::string& plain) {
  const std::span<const std::byte> bytes = std::as_bytes(std::span(plain));
  Decision decision{.kind = static_cast<DecisionKind>(bytes[0]),
                    .app_id = GetNumber<std::uint64_t>(bytes.subspan(1)),
                    .subject = {},
                    .value = {},
                    .made = WallTime(Millis(GetNumber<std::uint64_t>(bytes.subspan(9)))),
                    .ends = std::nullopt};
  if (const auto ends = GetNumber<std::uint64_t>(bytes.subspan(17)); ends != 0) {
    decision.ends = WallTime(Millis(ends));
  }
  std::size_t at = 25;
  for (std::string* text : {&decision.subject, &decision.value}) {
    const auto size = std::to_integer<std::size_t>(bytes[at]);
    *text = plain.substr(at + 1, size);
    at += 1 + size;
    if (at >= plain.size()) break;
  }
  return decision;
}

// Of a file: anything but 0, and few enough for a signed number.
std::uint64_t NewName() {
  std::array<std::byte, 8> random;
  FillRandom(random);
  return (GetNumber<std::uint64_t>(std::span<const std::byte>(random)) >> 1) | 1;
}

bool IsFirst(const std::string& plain) { return plain.empty() || plain[0] == '\0'; }

std::string BelongsTo(std::uint64_t number, std::uint32_t batch_offset) {
  return "lethe decision v1 " + std::to_string(number) + " " + std::to_string(batch_offset);
}

Status SyncFolderOf(const std::string& path) {
  return SyncFolder(std::filesystem::path(path).parent_path().string());
}

// What a kill in the middle of Tidy() left, as AtomicFileWriter calls it: nobody would ever leave
// out of it what has to go.
void RemoveUnfinished(const std::string& path) {
  constexpr std::size_t kDigits = 16;
  const std::filesystem::path name(path);
  const std::string begin = name.filename().string() + ".";
  std::error_code ignored;
  std::filesystem::directory_iterator entry(name.parent_path(), ignored);
  for (; entry != std::filesystem::directory_iterator(); entry.increment(ignored)) {
    const std::string found = entry->path().filename().string();
    if (found.size() == begin.size() + kDigits && found.starts_with(begin) &&
        found.find_first_not_of("0123456789abcdef", begin.size()) == std::string::npos) {
      std::filesystem::remove(entry->path(), ignored);
    }
  }
}

}  // namespace

DecisionFile::Record DecisionFile::Make(std::uint64_t number, std::uint32_t batch_offset,
                                        const std::string& plain) const {
  Record record;
  PutNumber(std::span<std::byte>(record), number);
  PutNumber(std::span<std::byte>(record).subspan(8), batch_offset);
  const std::string sealed = key_.Seal(plain, BelongsTo(number, batch_offset));
  std::ranges::copy(std::as_bytes(std::span(sealed)), record.begin() + kFrontBytes);
  return record;
}

bool DecisionFile::Parse(std::span<const std::byte> record, Parsed& parsed) const {
  parsed.number = GetNumber<std::uint64_t>(record);
  parsed.batch_offset = GetNumber<std::uint32_t>(record.subspan(8));
  const auto sealed = record.subspan(kFrontBytes);
  auto plain = key_.Open({reinterpret_cast<const char*>(sealed.data()), sealed.size()},
                         BelongsTo(parsed.number, parsed.batch_offset));
  if (!plain.ok()) return false;
  parsed.plain = *std::move(plain);
  return true;
}

Status DecisionFile::ForEach(
    const std::function<void(std::uint64_t, std::span<const std::byte>)>& look) const {
  std::vector<std::byte> bytes;
  for (std::uint64_t done = 0; done < records_;) {
    const std::uint64_t count = std::min<std::uint64_t>(records_ - done, kRecordsAtOnce);
    bytes.resize(count * kRecordBytes);
    RETURN_IF_ERROR(file_.ReadFully(done * kRecordBytes, bytes));
    for (std::uint64_t i = 0; i < count; ++i, ++done) {
      look(done, std::span(bytes).subspan(i * kRecordBytes, kRecordBytes));
    }
  }
  return OkStatus();
}

Result<std::unique_ptr<DecisionFile>> DecisionFile::Open(const std::string& path, SealingKey key) {
  std::unique_ptr<DecisionFile> decisions(new DecisionFile(path, std::move(key)));
  RemoveUnfinished(path);
  std::error_code error;
  const bool is_new = !std::filesystem::exists(path, error);
  if (error) return ErrnoStatus(error.value(), "cannot read " + path);
  if (is_new) {
    decisions->name_ = NewName();
    RETURN_IF_ERROR(decisions->Write({}));
    return decisions;
  }
  ASSIGN_OR_RETURN(decisions->file_, RandomAccessFile::Open(path, RandomAccessFile::Mode::kWrite));
  RETURN_IF_ERROR(decisions->Scan());
  RETURN_IF_ERROR(decisions->Rename());
  return decisions;
}

std::string DecisionFile::First() const {
  std::string plain;
  Put(plain, std::uint8_t{0});
  Put(plain, name_);
  Put(plain, name_before_);
  plain.resize(kPlainBytes, '\0');
  return plain;
}

Status DecisionFile::Rename() {
  name_before_ = name_;
  name_ = NewName();
  // Where there is no first record to be read, the whole file is written anew.
  if (is_to_be_written_anew_) return OkStatus();
  RETURN_IF_ERROR(file_.Write(0, Make(next_, 0, First())));
  return file_.Sync();
}

Status DecisionFile::Scan() {
  ASSIGN_OR_RETURN(const std::uint64_t size, file_.Size());
  records_ = size / kRecordBytes;
  cut_off_bytes_ = size % kRecordBytes;
  // Unreadable ones of which nothing says yet that they were whole once.
  std::deque<std::uint64_t> unreadable;
  bool first_is_good = true;
  RETURN_IF_ERROR(ForEach([&](std::uint64_t place, std::span<const std::byte> record) {
    Parsed parsed;
    if (Parse(record, parsed)) {
      next_ = std::max(next_, parsed.number + (IsFirst(parsed.plain) ? 0 : 1));
      if (IsFirst(parsed.plain)) {
        name_ = GetNumber<std::uint64_t>(std::as_bytes(std::span(parsed.plain)).subspan(1));
      }
      // What is before its batch was on the disk when that was begun.
      while (!unreadable.empty() && unreadable.front() + parsed.batch_offset < place) {
        unreadable.pop_front();
        ++damaged_;
      }
    } else if (place == 0) {
      first_is_good = false;  // which was there before the file had its name
      ++damaged_;
    } else {
      unreadable.push_back(place);
    }
    if (unreadable.size() > kMostOfBatch) {
      unreadable.pop_front();
      ++damaged_;
    }
  }));
  if (records_ == 0) damaged_ = 1;
  // Where not even the first can be read this is no power cut, and perhaps the wrong key.
  if (!first_is_good) damaged_ += unreadable.size();
  is_to_be_written_anew_ = damaged_ > 0;
  if (!unreadable.empty() && first_is_good) {
    cut_off_bytes_ += (records_ - unreadable.front()) * kRecordBytes;
    records_ = unreadable.front();
  }
  if (cut_off_bytes_ == 0) return OkStatus();
  RETURN_IF_ERROR(file_.Truncate(records_ * kRecordBytes));
  return file_.Sync();
}

void DecisionFile::SkipTo(std::uint64_t at_least) {
  if (at_least <= next_) return;
  next_ = at_least;
  is_to_be_written_anew_ = true;
}

Result<std::vector<NumberedDecision>> DecisionFile::ReadFrom(std::uint64_t first,
                                                             WallTime now) const {
  using Subject = std::tuple<DecisionKind, std::uint64_t, std::string>;
  std::map<Subject, NumberedDecision> newest;
  std::map<std::uint64_t, std::uint64_t> removed;  // applications, and the number that says so
  RETURN_IF_ERROR(ForEach([&](std::uint64_t, std::span<const std::byte> record) {
    Parsed parsed;
    if (GetNumber<std::uint64_t>(record) < first || !Parse(record, parsed)) return;
    if (IsFirst(parsed.plain)) return;
    NumberedDecision found{.number = parsed.number, .decision = Decode(parsed.plain)};
    const Decision& decision = found.decision;
    if (decision.kind == DecisionKind::kApplication && decision.value == decided::kRemoved) {
      std::uint64_t& number = removed[decision.app_id];
      number = std::max(number, found.number);
    }
    NumberedDecision& known = newest[{decision.kind, decision.app_id, decision.subject}];
    if (found.number >= known.number) known = std::move(found);
  }));
  std::vector<NumberedDecision> matter;
  for (auto& [subject, found] : newest) {
    const auto removal = removed.find(found.decision.app_id);
    if (removal != removed.end() && found.number < removal->second) continue;
    if (found.decision.ends && *found.decision.ends <= now) continue;
    matter.push_back(std::move(found));
  }
  std::ranges::sort(matter, {}, &NumberedDecision::number);
  return matter;
}

Status DecisionFile::Append(std::span<const Decision> decisions) {
  if (broken_) {
    return Unavailable("the decisions beside the ledger could not be written earlier: " + path_);
  }
  if (decisions.size() > kMostOfBatch) return InvalidArgument("so many decisions are no batch");
  std::vector<std::byte> bytes;
  bytes.reserve(decisions.size() * kRecordBytes);
  std::uint32_t offset = 0;
  for (const Decision& decision : decisions) {
    if (decision.subject.size() > kMaxDecisionSubject ||
        decision.value.size() > kMaxDecisionValue) {
      return InvalidArgument("a decision is too long for the file beside the ledger");
    }
    const Record record = Make(next_ + offset, offset, Encode(decision));
    bytes.insert(bytes.end(), record.begin(), record.end());
    ++offset;
  }
  const std::uint64_t at = records_ * kRecordBytes;
  if (Status written = file_.Write(at, bytes); !written.ok()) {
    // A full disk is nothing to be broken by; what is there of the batch goes.
    broken_ = !file_.Truncate(at).ok();
    return written;
  }
  if (Status synced = file_.Sync(); !synced.ok()) {
    broken_ = true;  // nobody knows what is on the disk
    return synced;
  }
  records_ += decisions.size();
  next_ += decisions.size();
  return OkStatus();
}

Status DecisionFile::Tidy(WallTime now) {
  ASSIGN_OR_RETURN(const std::vector<NumberedDecision> matter, ReadFrom(0, now));
  if (matter.size() + 1 == records_ && !is_to_be_written_anew_) return OkStatus();
  return Write(matter);
}

// The whole file. Each record is a batch of its own: none of them is ever written again.
Status DecisionFile::Write(std::span<const NumberedDecision> decisions) {
  ASSIGN_OR_RETURN(AtomicFileWriter writer,
                   AtomicFileWriter::Create(path_, AtomicFileWriter::Readers::kOwner));
  RETURN_IF_ERROR(writer.Write(Make(next_, 0, First())));
  for (const auto& [number, decision] : decisions) {
    RETURN_IF_ERROR(writer.Write(Make(number, 0, Encode(decision))));
  }
  RETURN_IF_ERROR(writer.Commit());
  broken_ = true;  // until the new one is open
  ASSIGN_OR_RETURN(file_, RandomAccessFile::Open(path_, RandomAccessFile::Mode::kWrite));
  RETURN_IF_ERROR(SyncFolderOf(path_));
  records_ = decisions.size() + 1;
  broken_ = is_to_be_written_anew_ = false;
  return OkStatus();
}

}  // namespace lethe
