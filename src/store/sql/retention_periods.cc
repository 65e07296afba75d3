#include <algorithm>
#include <tuple>

#include "store/internal/checks.h"
#include "store/sql/internal/repositories.h"

namespace lethe {
namespace {

using std::chrono::seconds;

constexpr Millis kShortestResult = std::chrono::minutes(1);

class SqlRetentionPeriods : public RetentionPeriods {
 public:
  SqlRetentionPeriods(Database& database, const ItemBook& items)
      : database_(database), items_(items) {}

  Result<std::map<DataClass, Millis>> Find(AppId app_id) override {
    const auto work = [&](Connection& sql) -> Result<std::map<DataClass, Millis>> {
      if (!HasApplication(sql, app_id)) return NoSuchApplication();
      std::map<DataClass, Millis> periods;
      for (const auto& [data_class, period] : sql.Rows<std::tuple<Int, Int>>(
               "SELECT data_class, period_ms FROM retention_periods WHERE app_id = :app", app_id)) {
        periods[static_cast<DataClass>(data_class)] = Millis(period);
      }
      return periods;
    };
    return database_.Read("read periods", work);
  }

  Status Shorten(AppId app_id, DataClass data_class, Millis period) override {
    RETURN_IF_ERROR(Check(data_class, period));
    const auto work = [&](Connection& sql) -> Status {
      if (!LockApplication(sql, app_id)) return NoSuchApplication();
      const Millis now = PeriodOf(sql, app_id, data_class).value_or(MaxLifetime(data_class));
      if (period > now) {
        return FailedPrecondition("a period can only become shorter; it is now, in seconds: " +
                                  std::to_string(now / seconds(1)));
      }
      if (period == now) return OkStatus();
      sql.Run("DELETE FROM retention_periods WHERE app_id = :app AND data_class = :class", app_id,
              data_class);
      sql.Run(
          "INSERT INTO retention_periods (app_id, data_class, period_ms) "
          "VALUES (:app, :class, :period)",
          app_id, data_class, period.count());
      Apply(sql, app_id, data_class, period);
      sql.Run(
          "INSERT INTO ledger_outbox (kind, data_class, cause, item_count, due_s, item, reference, "
          "creation, from_s, to_s) VALUES (:kind, :class, 0, 0, 0, 0, '', -1, :from, :to)",
          LeafKind::kPolicyChanged, data_class, now / seconds(1), period / seconds(1));
      return OkStatus();
    };
    return database_.Write("shorten a period", work);
  }

 private:
  static Status Check(DataClass data_class, Millis period) {
    if (data_class == DataClass::kMonitoring) {
      return InvalidArgument("monitoring is what bills are made of; its period stays");
    }
    if (period < Millis(0) || period % seconds(1) != Millis(0)) {
      return InvalidArgument("a period is whole seconds, zero or more");
    }
    if (data_class == DataClass::kResult && period < kShortestResult) {
      return InvalidArgument("results are held for a minute at least, or nobody could fetch them");
    }
    return OkStatus();
  }

  // What is stored already becomes due earlier, too.
  void Apply(Connection& sql, AppId app_id, DataClass data_class, Millis period) const {
    if (data_class == DataClass::kOperationLog) {
      sql.Run(
          "UPDATE operations SET expires_ms = created_ms + :period "
          "WHERE app_id = :app AND expires_ms > created_ms + :also_period",
          period.count(), app_id, period.count());
      return;
    }
    const bool audio = data_class == DataClass::kAudio;
    const std::string item = audio ? "audio_item" : "item";
    const std::string expires = audio ? "audio_expires_ms" : "expires_ms";
    for (const auto& [id, number, created] : sql.Rows<std::tuple<Int, Int, Int>>(
             "SELECT task_id, " + item + ", created_ms FROM tasks WHERE app_id = :app AND " +
                 expires + " > created_ms + :period {lock}",
             app_id, period.count())) {
      const Int due = created + period.count();
      sql.Run("UPDATE tasks SET " + expires + " = :due WHERE task_id = :id", due, id);
      items_.Shorten(sql, number, due);
    }
  }

  Database& database_;
  const ItemBook& items_;
};

}  // namespace

std::optional<Millis> PeriodOf(Connection& sql, AppId app_id, DataClass data_class) {
  const auto rows = sql.Rows<std::tuple<Int>>(
      "SELECT period_ms FROM retention_periods WHERE app_id = :app AND data_class = :class", app_id,
      data_class);
  if (rows.empty()) return std::nullopt;
  return Millis(std::get<0>(rows.front()));
}

std::unique_ptr<RetentionPeriods> MakeSqlRetentionPeriods(Database& database,
                                                          const ItemBook& items) {
  return std::make_unique<SqlRetentionPeriods>(database, items);
}

}  // namespace lethe
