#pragma once

// What calls used, written down behind their backs: no call waits for a disk because it ended.

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "store/operation_log.h"
#include "store/usage.h"

namespace lethe {

/// Thread: any. Lifetime: `usage` and `log` outlive it
class Meter {
 public:
  /// With an operation log, what was done is written there.
  explicit Meter(Usage& usage, OperationLog* log = nullptr);
  ~Meter();  // writes what is left
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;

  /// Takes a finished call. Never waits, but for room when the store is far behind.
  void Record(FinishedCall call);

  /// Waits until all that was recorded is in the store.
  void Flush();

  /// Calls since the start, by interface and result code; for metrics.
  std::map<std::pair<Interface, std::string>, std::uint64_t> counts() const;
  /// Rows that could not be written.
  std::uint64_t lost() const;

 private:
  void Run();

  static constexpr std::size_t kMostWaiting = 100'000;

  Status Write(std::vector<FinishedCall> calls);

  Usage& usage_;
  OperationLog* const log_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<FinishedCall> waiting_;
  std::map<std::pair<Interface, std::string>, std::uint64_t> counts_;
  std::uint64_t lost_ = 0;
  bool writing_ = false, stopping_ = false;
  std::thread thread_;
};

}  // namespace lethe
