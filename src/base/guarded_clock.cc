#include "base/guarded_clock.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <utility>

#include "base/file.h"

namespace lethe {
namespace {

constexpr std::size_t kMostBytes = 32;
constexpr Millis kLeap = std::chrono::minutes(1);

GuardedClock::Elapsed SinceBoot() {
  timespec now{};
  LETHE_CHECK(::clock_gettime(CLOCK_BOOTTIME, &now) == 0);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

}  // namespace

GuardedClock::GuardedClock(const Clock& clock, std::string path, std::function<Elapsed()> elapsed,
                           WallTime seen)
    : clock_(clock),
      path_(std::move(path)),
      elapsed_(std::move(elapsed)),
      seen_(std::max(seen, clock.Now())),
      seen_at_(elapsed_()) {}

Result<std::unique_ptr<GuardedClock>> GuardedClock::Open(const Clock& clock, std::string path,
                                                         std::function<Elapsed()> elapsed) {
  WallTime seen{};
  const auto text = ReadFile(path, kMostBytes);
  if (text.ok()) {
    std::int64_t millis = 0;
    const char* const end = text->data() + text->size();
    const auto [stop, error] = std::from_chars(text->data(), end, millis);
    if (error != std::errc() || stop == text->data() || (stop != end && *stop != '\n')) {
      return DataLoss("this file holds no moment in milliseconds; remove it: " + path);
    }
    seen = WallTime(Millis(millis));
  } else if (text.status().code() != StatusCode::kNotFound) {
    return text.status();
  }
  if (!elapsed) elapsed = SinceBoot;
  return std::unique_ptr<GuardedClock>(
      new GuardedClock(clock, std::move(path), std::move(elapsed), seen));
}

WallTime GuardedClock::Now() const {
  const MutexLock lock(mutex_);
  const Elapsed elapsed = elapsed_();
  const WallTime expected = seen_ + std::chrono::duration_cast<Millis>(elapsed - seen_at_);
  const WallTime wall = clock_.Now();
  if (wall - expected >= kLeap) {
    leap_ = wall - expected;
    leap_at_ = elapsed;
  }
  if (wall >= expected) {
    seen_ = wall;
    seen_at_ = elapsed;
    return wall;
  }
  return expected;
}

GuardedClock::Leap GuardedClock::leapt() const {
  const MutexLock lock(mutex_);
  if (leap_ == Millis(0)) return {};
  return {leap_, std::chrono::duration_cast<Millis>(elapsed_() - leap_at_)};
}

Millis GuardedClock::behind() const {
  const WallTime now = Now();
  return std::max(Millis(0), now - clock_.Now());
}

Status GuardedClock::Save() {
  const std::string text = std::to_string(Now().time_since_epoch().count()) + "\n";
  ASSIGN_OR_RETURN(AtomicFileWriter file,
                   AtomicFileWriter::Create(path_, AtomicFileWriter::Readers::kOwner));
  RETURN_IF_ERROR(file.Write(text));
  return file.Commit();
}

}  // namespace lethe
