#include "store/internal/checks.h"
#include "store/sql/internal/repositories.h"

namespace lethe {
namespace {

using SumRow = std::tuple<Text, Int, Int, Int>;

class SqlUsage : public Usage {
 public:
  SqlUsage(Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  Status Record(std::span<const FinishedCall> calls) override {
    RETURN_IF_ERROR(CheckFinishedCalls(calls));
    const auto work = [&](Connection& sql) {
      for (const FinishedCall& call : calls) {
        sql.Run(
            "INSERT INTO finished_calls (app_id, interface, call_id, result_code, succeeded, "
            "start_ms, end_ms, expires_ms, audio_ms, counted_seconds, bytes) "
            "VALUES (:app, :interface, :call, :code, :succeeded, :start, :end, :expires, :audio, "
            ":seconds, :bytes)",
            call.app_id, InterfaceName(call.interface), call.call_id, call.result_code,
            call.succeeded, ToMillis(call.start), ToMillis(call.end),
            ToMillis(call.end + kUsageLifetime), call.audio.count(), CountedSeconds(call),
            call.bytes);
      }
      return OkStatus();
    };
    return database_.Write("record usage", work, Durability::kBuffered);
  }

  Result<std::vector<DayUsage>> ByDay(const UsageQuery& query) override {
    RETURN_IF_ERROR(CheckUsageQuery(query));
    const auto work = [&](Connection& sql) -> Result<std::vector<DayUsage>> {
      const Int now = ToMillis(clock_.Now());
      std::vector<DayUsage> sums;
      for (auto day = query.first; day <= query.last; day += std::chrono::days(1)) {
        const WallTime begin = day - query.utc_offset, end = begin + std::chrono::days(1);
        const auto rows = sql.Rows<SumRow>(
            "SELECT interface, SUM(succeeded), SUM(1 - succeeded), SUM(counted_seconds) "
            "FROM finished_calls "
            "WHERE app_id = :app AND end_ms >= :begin AND end_ms < :end AND expires_ms > :now "
            "GROUP BY interface",
            query.app_id, ToMillis(begin), ToMillis(end), now);
        AddDay(day, rows, sums);
      }
      return sums;
    };
    return database_.Read("sum up usage", work);
  }

  Result<int> RemoveExpired(int limit) override {
    RETURN_IF_ERROR(CheckLimit(limit));
    const auto work = [&](Connection& sql) -> Result<int> {
      const auto rows = sql.Rows<std::tuple<Int>>(
          "SELECT seq FROM finished_calls WHERE expires_ms <= :now ORDER BY expires_ms LIMIT "
          ":limit {free}",
          ToMillis(clock_.Now()), limit);
      for (const auto& [seq] : rows) sql.Run("DELETE FROM finished_calls WHERE seq = :seq", seq);
      return static_cast<int>(rows.size());
    };
    return database_.Write("remove expired usage", work);
  }

 private:
  // In the order of the interfaces, which is not the alphabet's.
  static void AddDay(std::chrono::sys_days day, const std::vector<SumRow>& rows,
                     std::vector<DayUsage>& sums) {
    for (const Interface interface : kInterfaces) {
      for (const auto& [name, calls, failed, seconds] : rows) {
        if (name != InterfaceName(interface)) continue;
        sums.push_back({.day = day,
                        .interface = interface,
                        .calls = static_cast<std::uint64_t>(calls),
                        .failed = static_cast<std::uint64_t>(failed),
                        .seconds = static_cast<std::uint64_t>(seconds)});
      }
    }
  }

  Database& database_;
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<Usage> MakeSqlUsage(Database& database, const Clock& clock) {
  return std::make_unique<SqlUsage>(database, clock);
}

}  // namespace lethe
