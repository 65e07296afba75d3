#include "retention/sweeper.h"

#include <utility>

namespace lethe {

Sweeper::Sweeper(std::vector<Forgetter> forgetters, SweeperOptions options)
    : options_(options), forgetters_(std::move(forgetters)) {
  const Time::time_point now = Time::now();
  for (const Forgetter& forgetter : forgetters_) {
    standings_.push_back({.report = {.name = forgetter.name}, .clean_since = now});
  }
}

Status Sweeper::SweepAll() { return SweepAll(0); }

Status Sweeper::SweepAll(int rest) {
  const MutexLock sweeping(sweeping_);
  Status first_error;
  for (std::size_t i = 0; i < forgetters_.size(); ++i) {
    const Status status = SweepOne(i, rest);
    if (first_error.ok() && !status.ok()) first_error = status.WithContext(forgetters_[i].name);
  }
  return first_error;
}

Status Sweeper::SweepOne(std::size_t number, int rest) {
  const Time::time_point began = Time::now();
  while (true) {
    const Time::time_point batch_began = Time::now();
    const auto removed = forgetters_[number].remove_expired(options_.batch);
    const MutexLock lock(mutex_);
    Standing& standing = standings_[number];
    if (!removed.ok()) {
      ++standing.report.failures;
      standing.report.error = removed.status().message();
      return removed.status();
    }
    standing.report.removed += static_cast<std::uint64_t>(*removed);
    if (*removed < options_.batch) {
      standing.report.error.clear();
      standing.clean_since = began;
      return OkStatus();
    }
    const Time::time_point now = Time::now();
    if (AwaitStop(now + rest * (now - batch_began))) return OkStatus();
  }
}

bool Sweeper::AwaitStop(Time::time_point until) {
  while (!stopping_ && changed_.WaitUntil(mutex_, until)) {
  }
  return stopping_;
}

void Sweeper::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Sweeper::Stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  if (thread_.joinable()) thread_.join();
}

void Sweeper::Run() {
  while (true) {
    (void)SweepAll(options_.rest);  // its errors are in the reports
    const MutexLock lock(mutex_);
    if (AwaitStop(Time::now() + options_.interval)) return;
  }
}

std::vector<Sweeper::Report> Sweeper::reports() const {
  const MutexLock lock(mutex_);
  const Time::time_point now = Time::now();
  std::vector<Report> reports;
  for (const Standing& standing : standings_) {
    reports.push_back(standing.report);
    reports.back().lateness = std::chrono::duration_cast<Millis>(now - standing.clean_since);
  }
  return reports;
}

}  // namespace lethe
