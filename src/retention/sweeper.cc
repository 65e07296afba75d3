#include "retention/sweeper.h"

#include <utility>

namespace lethe {

Sweeper::Sweeper(std::vector<Forgetter> forgetters, SweeperOptions options)
    : options_(std::move(options)) {
  const Time::time_point now = Time::now();
  for (Forgetter& forgetter : forgetters) {
    Report report{.name = forgetter.name};
    entries_.push_back({std::move(forgetter), std::move(report), now});
  }
}

Status Sweeper::SweepAll() { return SweepAll(0); }

Status Sweeper::SweepAll(int rest) {
  const std::lock_guard sweeping(sweeping_);
  if (options_.held && options_.held()) return OkStatus();
  Status first_error;
  for (Entry& entry : entries_) {
    const Status status = SweepOne(entry, rest);
    if (first_error.ok() && !status.ok()) first_error = status.WithContext(entry.forgetter.name);
  }
  return first_error;
}

Status Sweeper::SweepOne(Entry& entry, int rest) {
  const Time::time_point began = Time::now();
  while (true) {
    const Time::time_point batch_began = Time::now();
    const auto removed = entry.forgetter.remove_expired(options_.batch);
    std::unique_lock lock(mutex_);
    if (!removed.ok()) {
      ++entry.report.failures;
      entry.report.error = removed.status().message();
      return removed.status();
    }
    entry.report.removed += static_cast<std::uint64_t>(*removed);
    if (*removed < options_.batch) {
      entry.report.error.clear();
      entry.clean_since = began;
      return OkStatus();
    }
    if (changed_.wait_for(lock, rest * (Time::now() - batch_began), [&] { return stopping_; })) {
      return OkStatus();
    }
  }
}

void Sweeper::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Sweeper::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Sweeper::Run() {
  while (true) {
    (void)SweepAll(options_.rest);  // its errors are in the reports
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, options_.interval, [&] { return stopping_; })) return;
  }
}

std::vector<Sweeper::Report> Sweeper::reports() const {
  const std::lock_guard lock(mutex_);
  const Time::time_point now = Time::now();
  std::vector<Report> reports;
  for (const Entry& entry : entries_) {
    reports.push_back(entry.report);
    reports.back().lateness = std::chrono::duration_cast<Millis>(now - entry.clean_since);
  }
  return reports;
}

}  // namespace lethe
