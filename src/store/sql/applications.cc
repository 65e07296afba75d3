#include "store/internal/checks.h"
#include "store/sql/internal/repositories.h"

namespace lethe {
namespace {

using ApplicationRow = std::tuple<Int, Int, Text, Int, Int, Int, Int, Int>;
using QuotaRow = std::tuple<Int, Text, Int, Int>;

constexpr const char* kApplicationColumns =
    "app_id, uin, name, enabled, created_ms, consent_required, monthly_limit, overdue_since_ms";

static_assert(kFirstAppId == 1'300'000'001 && kFirstUin == 100'000'000'001, "as in the schema");

Application ToApplication(const ApplicationRow& row) {
  const auto& [id, uin, name, enabled, created, consent_required, limit, overdue] = row;
  return {.id = static_cast<AppId>(id),
          .uin = static_cast<Uin>(uin),
          .name = name,
          .enabled = enabled != 0,
          .created = FromMillis(created),
          .quotas = {},
          .consent_required = consent_required != 0,
          .monthly_limit = limit < 0 ? std::nullopt : std::optional(limit),
          .overdue_since = overdue == 0 ? std::nullopt : std::optional(FromMillis(overdue))};
}

void AddQuota(Application& application, const QuotaRow& row) {
  const auto& [id, name, calls_per_second, concurrency] = row;
  const std::optional<Interface> interface = FindInterface(name);
  if (!interface) return;
  Quota& quota = application.quotas[*interface];
  if (calls_per_second >= 0) quota.calls_per_second = static_cast<int>(calls_per_second);
  if (concurrency >= 0) quota.concurrency = static_cast<int>(concurrency);
}

// The next number of a kind, never given again.
Int NextNumber(Connection& sql, std::string_view counter) {
  sql.Run("UPDATE counters SET value = value + 1 WHERE name = :name", counter);
  return sql.Number("SELECT value FROM counters WHERE name = :name", counter);
}

// Whoever else wants to number or name an application waits from here on.
void LockNames(Connection& sql) {
  sql.Rows<std::tuple<Int>>("SELECT value FROM counters WHERE name = 'app_id' {lock}");
}

bool IsTaken(Connection& sql, std::string_view name, AppId but_for) {
  return sql.Number("SELECT COUNT(*) FROM applications WHERE name = :name AND app_id <> :id", name,
                    but_for) > 0;
}

class SqlApplications : public Applications {
 public:
  SqlApplications(Database& database, const Clock& clock, KeyStore& keys, TaskForgetting forgetting)
      : database_(database), clock_(clock), sealing_keys_(keys), forgetting_(forgetting) {}

  Result<Application> Create(const NewApplication& wanted) override {
    RETURN_IF_ERROR(CheckApplicationName(wanted.name));
    const auto work = [&](Connection& sql) -> Result<Application> {
      LockNames(sql);
      if (wanted.uin &&
          sql.Number("SELECT COUNT(*) FROM applications WHERE uin = :uin", *wanted.uin) == 0) {
        return NoSuchAccount();
      }
      if (IsTaken(sql, wanted.name, 0)) return NameIsTaken("an application");
      if (sql.Number("SELECT COUNT(*) FROM applications") >= Int{kMaxApplications}) {
        return TooMany("applications", kMaxApplications);
      }
      const auto id = static_cast<AppId>(NextNumber(sql, "app_id"));
      const Uin uin = wanted.uin ? *wanted.uin : static_cast<Uin>(NextNumber(sql, "uin"));
      const Int overdue = sql.Number(
          "SELECT COALESCE(MAX(overdue_since_ms), 0) FROM applications WHERE uin = :uin", uin);
      sql.Run(
          "INSERT INTO applications (app_id, uin, name, enabled, created_ms, overdue_since_ms) "
          "VALUES (:id, :uin, :name, 1, :created, :overdue)",
          id, uin, wanted.name, ToMillis(clock_.Now()), overdue);
      return ReadApplication(sql, id);
    };
    return database_.Write("create an application", work);
  }

  Result<Application> Find(AppId id) override {
    return database_.Read("find an application",
                          [id](Connection& sql) { return ReadApplication(sql, id); });
  }

  Result<Application> FindByName(std::string_view name) override {
    const auto work = [name](Connection& sql) -> Result<Application> {
      const auto rows =
          sql.Rows<std::tuple<Int>>("SELECT app_id FROM applications WHERE name = :name", name);
      if (rows.empty()) return NoSuchApplication();
      return ReadApplication(sql, static_cast<AppId>(std::get<0>(rows.front())));
    };
    return database_.Read("find an application", work);
  }

  Result<std::vector<Application>> List() override {
    const auto work = [](Connection& sql) -> Result<std::vector<Application>> {
      std::map<AppId, Application> all;
      for (const auto& row : sql.Rows<ApplicationRow>(std::string("SELECT ") + kApplicationColumns +
                                                      " FROM applications")) {
        Application application = ToApplication(row);
        all.emplace(application.id, std::move(application));
      }
      for (const auto& row : sql.Rows<QuotaRow>(
               "SELECT app_id, interface, calls_per_second, concurrency FROM quotas")) {
        AddQuota(all.at(static_cast<AppId>(std::get<0>(row))), row);
      }
      std::vector<Application> list;
      for (auto& [id, application] : all) list.push_back(std::move(application));
      return list;
    };
    return database_.Read("list the applications", work);
  }

  Status Rename(AppId id, std::string_view name) override {
    RETURN_IF_ERROR(CheckApplicationName(name));
    const auto work = [&](Connection& sql) {
      LockNames(sql);
      if (IsTaken(sql, name, id)) return NameIsTaken("an application");
      return Changed(sql.Run("UPDATE applications SET name = :name WHERE app_id = :id", name, id));
    };
    return database_.Write("rename an application", work);
  }

  Status SetEnabled(AppId id, bool enabled) override {
    const auto work = [&](Connection& sql) {
      RETURN_IF_ERROR(Changed(
          sql.Run("UPDATE applications SET enabled = :enabled WHERE app_id = :id", enabled, id)));
      NoteDecision(sql, {.kind = DecisionKind::kApplication,
                         .app_id = id,
                         .subject = {},
                         .value = std::string(enabled ? decided::kEnabled : decided::kDisabled),
                         .made = clock_.Now(),
                         .ends = {}});
      return OkStatus();
    };
    return database_.Write("change an application", work);
  }

  Status SetConsentRequired(AppId id, bool required) override {
    const auto work = [&](Connection& sql) {
      RETURN_IF_ERROR(
          Changed(sql.Run("UPDATE applications SET consent_required = :required WHERE app_id = :id",
                          required, id)));
      NoteDecision(sql, {.kind = DecisionKind::kConsentRequired,
                         .app_id = id,
                         .subject = {},
                         .value = required ? "1" : "0",
                         .made = clock_.Now(),
                         .ends = {}});
      return OkStatus();
    };
    return database_.Write("change an application", work);
  }

  Status SetMonthlyLimit(AppId id, std::optional<std::int64_t> limit) override {
    if (limit.value_or(0) < 0) return InvalidArgument("a limit of spending is not below 0");
    const auto work = [&](Connection& sql) {
      return Changed(sql.Run("UPDATE applications SET monthly_limit = :limit WHERE app_id = :id",
                             limit.value_or(-1), id));
    };
    return database_.Write("limit what an application spends", work);
  }

  Status SetOverdue(Uin uin, std::optional<WallTime> since) override {
    const auto work = [&](Connection& sql) {
      LockNames(sql);  // no application is added to the account meanwhile
      const Int rows = sql.Run("UPDATE applications SET overdue_since_ms = :since WHERE uin = :uin",
                               since ? ToMillis(*since) : 0, uin);
      return rows == 0 ? NoSuchAccount() : OkStatus();
    };
    return database_.Write("change an account", work);
  }

  Status SetQuota(AppId id, Interface interface, const Quota& quota) override {
    RETURN_IF_ERROR(CheckQuota(quota));
    const auto work = [&](Connection& sql) {
      if (!LockApplication(sql, id)) return NoSuchApplication();
      const std::string_view name = InterfaceName(interface);
      sql.Run("DELETE FROM quotas WHERE app_id = :id AND interface = :name", id, name);
      if (quota != Quota{}) {
        sql.Run(
            "INSERT INTO quotas (app_id, interface, calls_per_second, concurrency) "
            "VALUES (:id, :name, :rate, :concurrency)",
            id, name, quota.calls_per_second.value_or(-1), quota.concurrency.value_or(-1));
      }
      return OkStatus();
    };
    return database_.Write("change a quota", work);
  }

  Status Remove(AppId id) override {
    RETURN_IF_ERROR(Find(id).status());
    const auto look = [&](Connection& sql) { return CheckHoldsNoObject(sql, id); };
    RETURN_IF_ERROR(database_.Read("look for recordings", look));
    // First its key, and every copy of what was sealed for it is noise. If we stop in between, it
    // can be removed again; the other way round nobody would know of the key.
    RETURN_IF_ERROR(sealing_keys_.DestroyTenant(id));
    const auto work = [&](Connection& sql) {
      return RemoveApplication(sql, id, forgetting_, clock_.Now());
    };
    RETURN_IF_ERROR(database_.Write("remove an application", work));
    database_.EmptyLog();
    return OkStatus();
  }

 private:
  static Status Changed(Int rows) { return rows == 0 ? NoSuchApplication() : OkStatus(); }

  Database& database_;
  const Clock& clock_;
  KeyStore& sealing_keys_;
  const TaskForgetting forgetting_;
};

}  // namespace

Status CheckHoldsNoObject(Connection& sql, AppId id) {
  const Int held =
      sql.Number("SELECT COUNT(*) FROM tasks WHERE app_id = :id AND holds_object = 1", id);
  if (held == 0) return OkStatus();
  return FailedPrecondition("the object store still has recordings of it, erase them first: " +
                            std::to_string(held));
}

Status RemoveApplication(Connection& sql, AppId id, const TaskForgetting& forgetting,
                         WallTime now) {
  // No task is created from here on.
  if (!LockApplication(sql, id)) return NoSuchApplication();
  RETURN_IF_ERROR(CheckHoldsNoObject(sql, id));
  for (const auto& [task] :
       sql.Rows<std::tuple<Int>>("SELECT task_id FROM tasks WHERE app_id = :id", id)) {
    forgetting.Wipe(sql, static_cast<TaskId>(task), ErasureCause::kTenantRemoved);
  }
  // What else belongs to it goes with it: the tables say ON DELETE CASCADE.
  sql.Run("DELETE FROM applications WHERE app_id = :id", id);
  sql.Run("DELETE FROM decisions WHERE app_id = :id", id);
  NoteDecision(sql, {.kind = DecisionKind::kApplication,
                     .app_id = id,
                     .subject = {},
                     .value = std::string(decided::kRemoved),
                     .made = now,
                     .ends = {}});
  return OkStatus();
}

Result<Application> ReadApplication(Connection& sql, AppId id) {
  const auto rows = sql.Rows<ApplicationRow>(
      std::string("SELECT ") + kApplicationColumns + " FROM applications WHERE app_id = :id", id);
  if (rows.empty()) return NoSuchApplication();
  Application application = ToApplication(rows.front());
  for (const auto& row : sql.Rows<QuotaRow>("SELECT app_id, interface, calls_per_second, "
                                            "concurrency FROM quotas WHERE app_id = :id",
                                            id)) {
    AddQuota(application, row);
  }
  return application;
}

std::unique_ptr<Applications> MakeSqlApplications(Database& database, const Clock& clock,
                                                  KeyStore& keys, TaskForgetting forgetting) {
  return std::make_unique<SqlApplications>(database, clock, keys, forgetting);
}

}  // namespace lethe
