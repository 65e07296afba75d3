#pragma once

// For tests of what is done when the records do not take rows of usage.

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "store/usage.h"

namespace lethe {

/// Usage of another store, which gives no answer as often as a test says, before or after it has
/// written.
class FlakyUsage : public Usage {
 public:
  explicit FlakyUsage(Usage& inner) : inner_(inner) {}

  std::atomic<int> unwritten = 0, unanswered = 0;

  Status Record(std::span<const FinishedCall> calls) override {
    if (unwritten > 0) {
      --unwritten;
      return Unavailable("no answer");
    }
    const Status written = inner_.Record(calls);
    if (unanswered == 0) return written;
    --unanswered;
    return Unavailable("no answer, but it was done");
  }
  Result<bool> Has(const FinishedCall& call) override { return inner_.Has(call); }
  Result<std::vector<DayUsage>> ByDay(const UsageQuery& query) override {
    return inner_.ByDay(query);
  }
  Result<std::int64_t> Fees(AppId app_id, WallTime begin, WallTime end) override {
    return inner_.Fees(app_id, begin, end);
  }
  Result<std::vector<AppId>> Applications() override { return inner_.Applications(); }
  Result<UsageMark> Mark() override { return inner_.Mark(); }
  Status Calls(const CallQuery& query, const CallSink& sink) override {
    return inner_.Calls(query, sink);
  }
  Result<int> RemoveExpired(int limit) override { return inner_.RemoveExpired(limit); }

 private:
  Usage& inner_;
};

}  // namespace lethe
