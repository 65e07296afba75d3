#include "base/guarded_clock.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"

namespace lethe {
namespace {

constexpr std::size_t kMostBytes = 32;
// The end of the year 9999: with moments up to here nothing overflows.
constexpr std::int64_t kLastMoment = 253'402'300'799'999;

GuardedClock::Elapsed SinceBoot() {
  timespec now{};
  LETHE_CHECK(::clock_gettime(CLOCK_BOOTTIME, &now) == 0);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

// Takes a line off the front.
std::optional<WallTime> TakeMoment(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  std::int64_t millis = 0;
  const char* const end = line.data() + line.size();
  const auto [stop, error] = std::from_chars(line.data(), end, millis);
  if (error != std::errc() || stop != end || millis < 0 || millis > kLastMoment) return {};
  return WallTime(Millis(millis));
}

std::string MomentLine(WallTime time) {
  return std::to_string(time.time_since_epoch().count()) + "\n";
}

// A text as long as the one that is there, so it needs no room. A few bytes of one block: of a
// process that dies the disk has them all or none.
Status OverwriteInPlace(const std::string& path, std::string_view text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus(errno, "cannot write " + path);
  Status status;
  if (::pwrite(fd, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()) ||
      ::fdatasync(fd) != 0) {
    status = ErrnoStatus(errno, "cannot write " + path);
  }
  ::close(fd);
  return status;
}

Status Replace(const std::string& path, std::string_view text) {
  ASSIGN_OR_RETURN(AtomicFileWriter file,
                   AtomicFileWriter::Create(path, AtomicFileWriter::Readers::kOwner));
  RETURN_IF_ERROR(file.Write(text));
  return file.Commit();
}

}  // namespace

GuardedClock::GuardedClock(const Clock& clock, std::string path, std::function<Elapsed()> elapsed,
                           const Saved& saved)
    : clock_(clock), path_(std::move(path)), elapsed_(std::move(elapsed)), seen_at_(elapsed_()) {
  const WallTime machine = clock_.Now();
  const Millis passed = std::max(Millis(0), machine - saved.machine);
  const bool in_doubt = saved.machine - saved.time >= kLeap && machine >= saved.machine;
  const bool was_behind = saved.time - saved.machine >= kBehind;
  seen_ = saved.time + (in_doubt || was_behind ? passed : Millis(0));
  if (!in_doubt) seen_ = std::max(seen_, machine);
}

Result<GuardedClock::Saved> GuardedClock::Read(const std::string& path) {
  const auto text = ReadFile(path, kMostBytes);
  if (text.status().code() == StatusCode::kNotFound) return Saved{};
  if (text.status().code() == StatusCode::kPermissionDenied) {
    const std::string folder = std::filesystem::path(path).parent_path().string();
    return PermissionDenied(
        text.status().message() +
        "; another user, such as root, may have run the service: give all of its folder back to "
        "whose it is: chown -R --reference=" +
        folder + " " + folder);
  }
  if (!text.ok()) return text.status();
  std::string_view rest = *text;
  const std::optional<WallTime> time = TakeMoment(rest);
  // Older versions wrote one moment, and read no more than that.
  const std::optional<WallTime> machine = rest.empty() ? time : TakeMoment(rest);
  if (!time || !machine || !rest.empty()) {
    return DataLoss("this file holds no moment in milliseconds; remove it: " + path);
  }
  return Saved{.time = *time, .machine = *machine};
}

Result<std::unique_ptr<GuardedClock>> GuardedClock::Open(const Clock& clock, std::string path,
                                                         std::function<Elapsed()> elapsed) {
  ASSIGN_OR_RETURN(const Saved saved, Read(path));
  if (!elapsed) elapsed = SinceBoot;
  return std::unique_ptr<GuardedClock>(
      new GuardedClock(clock, std::move(path), std::move(elapsed), saved));
}

GuardedClock::Saved GuardedClock::Look() const {
  const MutexLock lock(mutex_);
  const Elapsed elapsed = elapsed_();
  const WallTime machine = clock_.Now();
  // What is less than a millisecond is kept for the next look.
  const Millis passed = std::chrono::duration_cast<Millis>(elapsed - seen_at_);
  seen_ += passed;
  seen_at_ += passed;
  const Millis ahead = machine - seen_;
  const bool is_new = leap_ == Millis(0) || std::chrono::abs(ahead - leap_) >= kLeap;
  if (ahead < kLeap || (!is_new && elapsed - leapt_at_ >= kDoubt)) {
    leap_ = Millis(0);
  } else if (is_new) {
    leap_ = ahead;
    leapt_at_ = elapsed;
  }
  if (leap_ == Millis(0) && ahead >= Millis(0)) {
    seen_ = machine;
    seen_at_ = elapsed;
  }
  return {.time = seen_, .machine = machine};
}

WallTime GuardedClock::Now() const { return Look().time; }

Millis GuardedClock::leap() const {
  const Saved now = Look();
  return now.machine - now.time >= kLeap ? now.machine - now.time : Millis(0);
}

Millis GuardedClock::behind() const {
  const Saved now = Look();
  return std::max(Millis(0), now.time - now.machine);
}

Status GuardedClock::Save() {
  const Saved now = Look();
  const std::string text = MomentLine(now.time) + MomentLine(now.machine);
  Status replaced = Replace(path_, text);
  if (replaced.code() != StatusCode::kResourceExhausted) return replaced;
  const auto there = ReadFile(path_, kMostBytes);
  if (!there.ok() || there->size() != text.size()) return replaced;
  return OverwriteInPlace(path_, text).ok() ? OkStatus() : replaced;
}

}  // namespace lethe
