#include <algorithm>
#include <tuple>

#include "store/internal/checks.h"
#include "store/sql/internal/repositories.h"

namespace lethe {
namespace {

using std::chrono::seconds;

constexpr Millis kShortestResult = std::chrono::minutes(1);
// Calls find their turn between transactions of so many.
constexpr int kBatch = 200;

class SqlRetentionPeriods : public RetentionPeriods {
 public:
  SqlRetentionPeriods(Database& database, const Clock& clock, const ItemBook& items)
      : database_(database), clock_(clock), items_(items) {}

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
          "INSERT INTO retention_periods (app_id, data_class, period_ms, applied) "
          "VALUES (:app, :class, :period, 0)",
          app_id, data_class, period.count());
      sql.Run(
          "INSERT INTO ledger_outbox (kind, data_class, cause, item_count, due_s, item, reference, "
          "creation, from_s, to_s) VALUES (:kind, :class, 0, 0, 0, 0, '', -1, :from, :to)",
          LeafKind::kPolicyChanged, data_class, now / seconds(1), period / seconds(1));
      NoteDecision(sql, {.kind = DecisionKind::kPeriod,
                         .app_id = app_id,
                         .subject = std::to_string(static_cast<int>(data_class)),
                         .value = std::to_string(period.count()),
                         .made = clock_.Now(),
                         .ends = {}});
      return OkStatus();
    };
    RETURN_IF_ERROR(database_.Write("shorten a period", work));
    for (;;) {
      ASSIGN_OR_RETURN(const int applied, Apply(kBatch));
      if (applied < kBatch) return OkStatus();
    }
  }

  Result<int> Apply(int limit) override {
    RETURN_IF_ERROR(CheckLimit(limit));
    const auto look = [](Connection& sql) -> Result<bool> {
      return sql.Number("SELECT COUNT(*) FROM retention_periods WHERE applied = 0") > 0;
    };
    ASSIGN_OR_RETURN(const bool any, database_.Read("look for periods", look));
    if (!any) return 0;
    const auto work = [&](Connection& sql) -> Result<int> {
      int left = limit;
      for (const auto& [app, number, period] : sql.Rows<std::tuple<Int, Int, Int>>(
               "SELECT app_id, data_class, period_ms FROM retention_periods WHERE applied = 0")) {
        const auto data_class = static_cast<DataClass>(number);
        left -= data_class == DataClass::kOperationLog
                    ? ApplyToOperations(sql, app, period, left)
                    : ApplyToTasks(sql, app, data_class, period, left);
        if (left == 0) break;
        sql.Run(
            "UPDATE retention_periods SET applied = 1 WHERE app_id = :app AND "
            "data_class = :class AND period_ms = :period",
            app, number, period);
      }
      return limit - left;
    };
    return database_.Write("apply a shorter period", work);
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

  // What is stored already becomes due earlier, too. It cannot have been late before anybody asked
  // for that, so it is due now at the earliest.
  void MakeDue(Connection& sql, Int item, Int due) const {
    items_.Shorten(sql, item, std::max(due, ToMillis(clock_.Now())));
  }

  int ApplyToOperations(Connection& sql, Int app, Int period, int limit) const {
    const auto rows = sql.Rows<std::tuple<Int, Int, Int>>(
        "SELECT seq, item, created_ms FROM operations WHERE app_id = :app AND "
        "expires_ms > created_ms + :period LIMIT :limit {lock}",
        app, period, limit);
    for (const auto& [seq, item, created] : rows) {
      sql.Run("UPDATE operations SET expires_ms = :due WHERE seq = :seq", created + period, seq);
      MakeDue(sql, item, created + period);
    }
    return static_cast<int>(rows.size());
  }

  int ApplyToTasks(Connection& sql, Int app, DataClass data_class, Int period, int limit) const {
    const bool audio = data_class == DataClass::kAudio;
    const std::string item = audio ? "audio_item" : "item";
    const std::string expires = audio ? "audio_expires_ms" : "expires_ms";
    const auto rows = sql.Rows<std::tuple<Int, Int, Int>>(
        "SELECT task_id, " + item + ", created_ms FROM tasks WHERE app_id = :app AND " + expires +
            " > created_ms + :period LIMIT :limit {lock}",
        app, period, limit);
    for (const auto& [id, number, created] : rows) {
      const Int due = created + period;
      sql.Run("UPDATE tasks SET " + expires + " = :due WHERE task_id = :id", due, id);
      MakeDue(sql, number, due);
    }
    return static_cast<int>(rows.size());
  }

  Database& database_;
  const Clock& clock_;
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

std::unique_ptr<RetentionPeriods> MakeSqlRetentionPeriods(Database& database, const Clock& clock,
                                                          const ItemBook& items) {
  return std::make_unique<SqlRetentionPeriods>(database, clock, items);
}

}  // namespace lethe
