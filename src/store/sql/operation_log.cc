#include <algorithm>
#include <map>
#include <tuple>

#include <nlohmann/json.hpp>

#include "base/encoding.h"
#include "base/json.h"
#include "base/random.h"
#include "store/internal/checks.h"
#include "store/sql/internal/operation_identity.h"
#include "store/sql/internal/repositories.h"

namespace lethe {
namespace {

using Json = nlohmann::ordered_json;

std::string Write(const Operation& operation) {
  Json facts = {{"interface", InterfaceName(operation.interface)},
                {"start", ToMillis(operation.start)},
                {"end", ToMillis(operation.end)},
                {"result", operation.result_code}};
  for (const Fact& fact :
       std::span(operation.facts).first(std::min(operation.facts.size(), kMaxFacts))) {
    Json& place = facts[std::string(fact.name.text())];
    if (const auto* number = std::get_if<std::int64_t>(&fact.value)) place = *number;
    if (const auto* yes = std::get_if<bool>(&fact.value)) place = *yes;
    if (const auto* word = std::get_if<Label>(&fact.value)) place = word->text();
    if (const auto* time = std::get_if<Millis>(&fact.value)) place = time->count();
  }
  return WriteJson(facts);
}

class SqlOperationLog : public OperationLog {
 public:
  SqlOperationLog(Database& database, const Clock& clock, Sealer& sealer, const ItemBook& items)
      : database_(database), clock_(clock), sealer_(sealer), items_(items) {}

  Status Record(std::span<const Operation> operations) override {
    if (operations.empty()) return OkStatus();
    const auto work = [&](Connection& sql) -> Status {
      std::map<AppId, std::vector<const Operation*>> by_application;
      for (const Operation& operation : operations) {
        by_application[operation.app_id].push_back(&operation);
      }
      for (const auto& [app_id, rows] : by_application) {
        RETURN_IF_ERROR(RecordOf(sql, app_id, rows));
      }
      return OkStatus();
    };
    return database_.Write("record what was done", work, Durability::kBuffered);
  }

  Result<std::vector<LoggedOperation>> Find(const std::string& call_id) override {
    const std::string key = items_.CallKey(call_id);
    const auto work = [&](Connection& sql) -> Result<std::vector<LoggedOperation>> {
      std::vector<LoggedOperation> found;
      for (const auto& [app, created, facts] : sql.Rows<std::tuple<Int, Int, Text>>(
               "SELECT app_id, created_ms, facts FROM operations WHERE call_key = :key AND "
               "expires_ms > :now ORDER BY seq LIMIT 1000",
               key, ToMillis(clock_.Now()))) {
        const auto sealed = Base64Decode(facts);
        if (!sealed) return DataLoss("a row of the operation log cannot be read");
        auto opened = sealer_.Open(OperationIdentity(static_cast<AppId>(app), key), *sealed);
        if (opened.status().code() == StatusCode::kNotFound) continue;
        if (!opened.ok()) return opened.status();
        found.push_back({.app_id = static_cast<AppId>(app),
                         .created = FromMillis(created),
                         .facts = *std::move(opened)});
      }
      return found;
    };
    return database_.Read("look into the operation log", work);
  }

  Result<Erased> Erase(const OperationSelector& selector, ErasureCause cause, int limit) override {
    RETURN_IF_ERROR(CheckLimit(limit));
    const std::string call_key =
        selector.call_id.empty() ? selector.call_key : items_.CallKey(selector.call_id);
    const bool by_call = !call_key.empty(), by_app = selector.app_id.has_value();
    if (!by_call && !by_app && selector.subject.empty()) return Erased();
    const auto work = [&](Connection& sql) -> Result<Erased> {
      const AppId within = selector.within.value_or(0);  // nobody has the number 0
      const std::string which = by_call  ? "call_key = :value"
                                : by_app ? "app_id = :value"
                                         : "subject = :value";
      const std::string select = "SELECT seq, item FROM operations WHERE " + which +
                                 " AND (app_id = :within OR :any = 0) AND created_ms >= :since "
                                 "ORDER BY seq LIMIT :limit {lock}";
      const Int since = selector.written_since ? ToMillis(*selector.written_since) : 0;
      const auto find = [&](const auto& value) {
        return sql.Rows<std::tuple<Int, Int>>(select, value, within, within, since, limit);
      };
      return Remove(sql,
                    by_call  ? find(call_key)
                    : by_app ? find(*selector.app_id)
                             : find(selector.subject),
                    cause);
    };
    auto erased = database_.Write("erase rows of the operation log", work);
    if (erased.ok() && erased->rows > 0) database_.EmptyLog();
    return erased;
  }

  Result<int> RemoveExpired(int limit) override {
    RETURN_IF_ERROR(CheckLimit(limit));
    const auto work = [&](Connection& sql) -> Result<Erased> {
      return Remove(sql,
                    sql.Rows<std::tuple<Int, Int>>(
                        "SELECT seq, item FROM operations WHERE expires_ms <= :now "
                        "ORDER BY expires_ms LIMIT :limit {free}",
                        ToMillis(clock_.Now()), limit),
                    ErasureCause::kExpired);
    };
    ASSIGN_OR_RETURN(const Erased erased,
                     database_.Write("remove expired operations", work, Durability::kBuffered));
    database_.EmptyLogAfter(erased.rows, limit);
    return erased.rows;
  }

 private:
  // Rows that are written together, for one application, are one thing to the ledger: they are due
  // together, and nobody else's are among them.
  Status RecordOf(Connection& sql, AppId app_id, const std::vector<const Operation*>& rows) const {
    // Of one that was removed nothing is kept; and its period stays the same until the commit.
    if (!LockApplication(sql, app_id)) return OkStatus();
    const WallTime now = clock_.Now();
    const Millis period =
        PeriodOf(sql, app_id, DataClass::kOperationLog).value_or(kOperationLogLifetime);
    if (period == Millis(0)) return OkStatus();
    const Int expires = ToMillis(now + std::min(period, kOperationLogLifetime));
    const Int item = items_.Create(sql, {.data_class = DataClass::kOperationLog,
                                         .id = "operations:" + RandomHex(32),
                                         .count = static_cast<Int>(rows.size()),
                                         .due_ms = expires});
    for (const Operation* operation : rows) {
      const std::string key = items_.CallKey(operation->call_id);
      ASSIGN_OR_RETURN(const std::string sealed,
                       sealer_.Seal(OperationIdentity(app_id, key), now, Write(*operation)));
      sql.Run(
          "INSERT INTO operations (app_id, call_key, item, created_ms, expires_ms, facts, subject) "
          "VALUES (:app, :key, :item, :created, :expires, :facts, :subject)",
          app_id, key, item, ToMillis(now), expires, Base64Encode(sealed), operation->subject);
    }
    return OkStatus();
  }

  Result<Erased> Remove(Connection& sql, const std::vector<std::tuple<Int, Int>>& rows,
                        ErasureCause cause) const {
    Erased erased{.rows = static_cast<int>(rows.size())};
    std::map<Int, Int> by_item;
    for (const auto& [seq, item] : rows) {
      sql.Run("DELETE FROM operations WHERE seq = :seq", seq);
      ++by_item[item];
    }
    for (const auto& [item, count] : by_item) {
      if (auto described = items_.Describe(sql, item)) erased.items.push_back(*described);
      items_.Erase(sql, item, count, cause);
    }
    return erased;
  }

  Database& database_;
  const Clock& clock_;
  Sealer& sealer_;
  const ItemBook& items_;
};

}  // namespace

std::unique_ptr<OperationLog> MakeSqlOperationLog(Database& database, const Clock& clock,
                                                  Sealer& sealer, const ItemBook& items) {
  return std::make_unique<SqlOperationLog>(database, clock, sealer, items);
}

}  // namespace lethe
