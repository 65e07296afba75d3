#pragma once

// What calls used, written down behind their backs: no call waits for a disk because it ended.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "service/call_figures.h"
#include "service/calls_under_way.h"
#include "store/operation_log.h"
#include "store/usage.h"

namespace lethe {

/// Whether a call that ended so was the service's own fault, by the contract's words for what
/// counts against it (section 11): InternalError and what is under it, negative codes, 5xx of HTTP,
/// 5xxx of the sockets; and by ours, for they say the same: ServiceUnavailable and
/// ResourceInsufficient.
///
/// So calls are ours that were shed because the service was full or stopping. Those are not that an
/// application's own limits refused (RequestLimitExceeded, 4006, 429), nor those whose client left
/// (4009, 499) or whose subject had them erased.
bool IsServerFault(std::string_view result_code);

struct MeterOptions {
  /// Where this node is.
  std::string region;
  /// Sets the fees of calls that are about to be written; none: nothing costs anything. It may wait
  /// for the records, and is called by one thread at a time.
  std::function<void(std::span<FinishedCall> calls)> price;
  /// What was done is written there; none: nowhere.
  OperationLog* log = nullptr;
};

/// Thread: any. Lifetime: `usage`, `log` and what `price` refers to outlive it
class Meter {
 public:
  explicit Meter(Usage& usage, MeterOptions options = {});
  ~Meter();  // writes what is left
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;

  /// Takes a finished call, whose region, fee and fault it sets itself. Never waits: who
  /// calls may be a thread that many connections share. Of a call that is erased before it is
  /// written, the operation log gets nothing.
  void Record(FinishedCall call, ErasedFlag erased = nullptr);

  /// Waits until all that was recorded so far is in the store, or lost. False: the store does not
  /// take it now, and it is kept to be written later.
  bool Flush();

  /// Calls since the start, by interface and result code; for metrics.
  std::map<std::pair<Interface, std::string>, std::uint64_t> counts() const;
  /// What they came to, of each interface that had any.
  std::map<Interface, CallFigures> figures() const;
  /// Rows that could not be written: the store refused them, did not answer for minutes, or is
  /// so far behind that there was no room.
  std::uint64_t lost() const;

 private:
  // What is written together.
  struct Batch {
    std::vector<FinishedCall> calls;
    std::vector<ErasedFlag> erased;  // of each
    bool tried = false;
    bool in_usage = false;
  };

  void Run();
  // Writes it, as often as that takes and makes sense; whether it is written.
  bool WriteOrGiveUp(Batch& batch) EXCLUDES(mutex_);
  // Errors: kUnavailable when it is to be tried again
  Status Write(Batch& batch);
  Status WriteUsage(Batch& batch);
  Status WriteLog(const Batch& batch);

  // More are lost.
  static constexpr std::size_t kMostWaiting = 100'000;

  // Constant after construction.
  Usage& usage_;
  const MeterOptions options_;
  // Any thread.
  mutable Mutex mutex_;
  CondVar changed_;  // for who waits for the writer
  CondVar work_;     // for the writer
  std::vector<FinishedCall> waiting_ GUARDED_BY(mutex_);
  std::vector<ErasedFlag> erased_ GUARDED_BY(mutex_);  // of those that wait, in their order
  std::uint64_t recorded_ GUARDED_BY(mutex_) = 0, written_ GUARDED_BY(mutex_) = 0;
  std::map<std::pair<Interface, std::string>, std::uint64_t> counts_ GUARDED_BY(mutex_);
  std::map<Interface, CallFigures> figures_ GUARDED_BY(mutex_);
  std::uint64_t lost_ GUARDED_BY(mutex_) = 0;
  std::uint64_t failures_ GUARDED_BY(mutex_) = 0;  // of attempts to write that are made again
  int flushing_ GUARDED_BY(mutex_) = 0;            // how many wait in Flush()
  std::uint64_t flushes_ GUARDED_BY(mutex_) = 0;   // how many came there
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace lethe
