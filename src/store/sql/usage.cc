#include <algorithm>
#include <map>

#include "base/random.h"
#include "store/internal/checks.h"
#include "store/sql/internal/repositories.h"

namespace lethe {
namespace {

using SumRow = std::tuple<Text, Int, Int, Int>;
// seq, interface, call_id, result_code, succeeded, server_fault, region, start, end, audio, bytes,
// fee
using CallRow = std::tuple<Int, Text, Text, Text, Int, Int, Text, Int, Int, Int, Int, Int>;

constexpr int kPage = 1000;

class SqlUsage : public Usage {
 public:
  SqlUsage(Database& database, const Clock& clock, const ItemBook& items)
      : database_(database), clock_(clock), items_(items) {}

  Status Record(std::span<const FinishedCall> calls) override {
    RETURN_IF_ERROR(CheckFinishedCalls(calls));
    const auto work = [&](Connection& sql) {
      const WallTime now = clock_.Now();
      const std::map<AppId, Int> items = MakeItems(sql, calls, now);
      for (const FinishedCall& call : calls) {
        sql.Run(
            "INSERT INTO finished_calls (app_id, interface, call_id, result_code, succeeded, "
            "server_fault, region, start_ms, end_ms, expires_ms, audio_ms, counted_seconds, bytes, "
            "fee, item) VALUES (:app, :interface, :call, :code, :succeeded, :fault, :region, "
            ":start, :end, :expires, :audio, :seconds, :bytes, :fee, :item)",
            call.app_id, InterfaceName(call.interface), IdOf(call), call.result_code,
            call.succeeded, call.server_fault, call.region, ToMillis(call.start),
            ToMillis(call.end), ExpiresMillis(call, now), call.audio.count(), CountedSeconds(call),
            call.bytes, call.fee, items.at(call.app_id));
      }
      return OkStatus();
    };
    return database_.Write("record usage", work, Durability::kBuffered);
  }

  Result<bool> Has(const FinishedCall& call) override {
    const auto work = [&](Connection& sql) -> Result<bool> {
      return sql.Number(
                 "SELECT COUNT(*) FROM finished_calls WHERE app_id = :app AND end_ms = :end "
                 "AND start_ms = :start AND interface = :interface AND call_id = :call "
                 "AND result_code = :code AND bytes = :bytes",
                 call.app_id, ToMillis(call.end), ToMillis(call.start),
                 InterfaceName(call.interface), IdOf(call), call.result_code, call.bytes) > 0;
    };
    return database_.Read("look for a row of usage", work);
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

  Result<std::int64_t> Fees(AppId app_id, WallTime begin, WallTime end) override {
    const auto work = [&](Connection& sql) -> Result<std::int64_t> {
      return sql.Number(
          "SELECT COALESCE(SUM(fee), 0) FROM finished_calls WHERE app_id = :app "
          "AND end_ms >= :begin AND end_ms < :end AND expires_ms > :now",
          app_id, ToMillis(begin), ToMillis(end), ToMillis(clock_.Now()));
    };
    return database_.Read("sum up fees", work);
  }

  Result<std::vector<AppId>> Applications() override {
    const auto work = [&](Connection& sql) -> Result<std::vector<AppId>> {
      std::vector<AppId> ids;
      for (const auto& [id] : sql.Rows<std::tuple<Int>>(
               "SELECT DISTINCT app_id FROM finished_calls WHERE expires_ms > :now ORDER BY app_id",
               ToMillis(clock_.Now()))) {
        ids.push_back(static_cast<AppId>(id));
      }
      return ids;
    };
    return database_.Read("list who used something", work);
  }

  Result<UsageMark> Mark() override {
    const auto work = [](Connection& sql) -> Result<UsageMark> {
      return sql.Number("SELECT COALESCE(MAX(seq), 0) FROM finished_calls");
    };
    return database_.Read("look at usage", work);
  }

  Status Calls(const CallQuery& query, const CallSink& sink) override {
    RETURN_IF_ERROR(CheckCallQuery(query));
    Int after_end = ToMillis(query.begin), after_seq = -1;
    while (true) {
      const auto work = [&](Connection& sql) -> Result<std::vector<CallRow>> {
        return sql.Rows<CallRow>(
            "SELECT seq, interface, call_id, result_code, succeeded, server_fault, region, "
            "start_ms, end_ms, audio_ms, bytes, fee FROM finished_calls "
            "WHERE app_id = :app AND end_ms >= :from AND (end_ms > :same OR seq > :seq) "
            "AND end_ms < :end AND seq <= :upto AND expires_ms > :now "
            "ORDER BY end_ms, seq LIMIT :limit",
            query.app_id, after_end, after_end, after_seq, ToMillis(query.end), query.upto,
            ToMillis(clock_.Now()), kPage);
      };
      ASSIGN_OR_RETURN(const std::vector<CallRow> page, database_.Read("read usage", work));
      for (const CallRow& row : page) {
        RETURN_IF_ERROR(sink(ToCall(query.app_id, row)));
        after_seq = std::get<0>(row);
        after_end = std::get<8>(row);
      }
      if (page.size() < kPage) return OkStatus();
    }
  }

  Result<int> RemoveExpired(int limit) override {
    RETURN_IF_ERROR(CheckLimit(limit));
    const auto work = [&](Connection& sql) -> Result<int> {
      const auto rows = sql.Rows<std::tuple<Int, Int>>(
          "SELECT seq, item FROM finished_calls WHERE expires_ms <= :now ORDER BY expires_ms LIMIT "
          ":limit {free}",
          ToMillis(clock_.Now()), limit);
      std::map<Int, Int> by_item;
      for (const auto& [seq, item] : rows) {
        sql.Run("DELETE FROM finished_calls WHERE seq = :seq", seq);
        ++by_item[item];
      }
      for (const auto& [item, count] : by_item) {
        items_.Erase(sql, item, count, ErasureCause::kExpired);
      }
      return static_cast<int>(rows.size());
    };
    return database_.Write("remove expired usage", work);
  }

 private:
  // A call that is dated ahead of the store's clock is held no longer than one that ends now: the
  // machine's clock may have leapt, which nobody believes yet.
  static Int ExpiresMillis(const FinishedCall& call, WallTime now) {
    return ToMillis(std::min(call.end, now) + kUsageLifetime);
  }

  // Rows that are written together, for one application, are one thing to the ledger.
  std::map<AppId, Int> MakeItems(Connection& sql, std::span<const FinishedCall> calls,
                                 WallTime now) const {
    std::map<AppId, NewItem> wanted;
    for (const FinishedCall& call : calls) {
      NewItem& item = wanted.try_emplace(call.app_id, NewItem{.count = 0}).first->second;
      ++item.count;
      item.due_ms = std::max(item.due_ms, ExpiresMillis(call, now));
    }
    std::map<AppId, Int> items;
    for (auto& [app_id, item] : wanted) {
      const std::string id = "usage:" + RandomHex(32);
      item.data_class = DataClass::kMonitoring;
      item.id = id;
      items[app_id] = items_.Create(sql, item);
    }
    return items;
  }

  // The ids of live calls are their clients', who may put a name into them.
  std::string IdOf(const FinishedCall& call) const {
    return call.interface == Interface::kRealtime ? items_.CallKey(call.call_id) : call.call_id;
  }

  static FinishedCall ToCall(AppId app_id, const CallRow& row) {
    const auto& [seq, interface, call_id, code, succeeded, fault, region, start, end, audio, bytes,
                 fee] = row;
    return {.app_id = app_id,
            .interface = FindInterface(interface).value_or(Interface::kManagement),
            .call_id = call_id,
            .result_code = code,
            .succeeded = succeeded != 0,
            .server_fault = fault != 0,
            .region = region,
            .start = FromMillis(start),
            .end = FromMillis(end),
            .audio = Millis(audio),
            .bytes = static_cast<std::uint64_t>(bytes),
            .fee = fee};
  }

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
  const ItemBook& items_;
};

}  // namespace

std::unique_ptr<Usage> MakeSqlUsage(Database& database, const Clock& clock, const ItemBook& items) {
  return std::make_unique<SqlUsage>(database, clock, items);
}

}  // namespace lethe
