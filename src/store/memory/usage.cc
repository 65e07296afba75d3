#include <algorithm>
#include <map>
#include <utility>

#include "store/internal/checks.h"
#include "store/memory/internal/records.h"

namespace lethe {
namespace {

class MemoryUsage : public Usage {
 public:
  explicit MemoryUsage(MemoryRecords& records) : records_(records) {}

  Status Record(std::span<const FinishedCall> calls) override {
    RETURN_IF_ERROR(CheckFinishedCalls(calls));
    const std::lock_guard lock(records_.mutex);
    for (const FinishedCall& call : calls) {
      records_.calls.push_back({call, call.end + kUsageLifetime});
    }
    return OkStatus();
  }

  Result<std::vector<DayUsage>> ByDay(const UsageQuery& query) override {
    RETURN_IF_ERROR(CheckUsageQuery(query));
    const std::lock_guard lock(records_.mutex);
    const WallTime now = records_.clock.Now();
    std::map<std::pair<std::chrono::sys_days, Interface>, DayUsage> sums;
    for (const auto& [call, expires] : records_.calls) {
      const auto day = std::chrono::floor<std::chrono::days>(call.end + query.utc_offset);
      if (call.app_id != query.app_id || expires <= now || day < query.first || day > query.last) {
        continue;
      }
      DayUsage& sum = sums[{day, call.interface}];
      sum.day = day;
      sum.interface = call.interface;
      ++(call.succeeded ? sum.calls : sum.failed);
      sum.seconds += CountedSeconds(call);
    }
    std::vector<DayUsage> rows;
    for (const auto& [key, sum] : sums) rows.push_back(sum);
    return rows;
  }

  Result<int> RemoveExpired(int limit) override {
    RETURN_IF_ERROR(CheckLimit(limit));
    const std::lock_guard lock(records_.mutex);
    const WallTime now = records_.clock.Now();
    int removed = 0;
    std::erase_if(records_.calls, [&](const MemoryCall& row) {
      return row.expires <= now && removed < limit && ++removed > 0;
    });
    return removed;
  }

 private:
  MemoryRecords& records_;
};

}  // namespace

std::unique_ptr<Usage> MakeMemoryUsage(MemoryRecords& records) {
  return std::make_unique<MemoryUsage>(records);
}

}  // namespace lethe
