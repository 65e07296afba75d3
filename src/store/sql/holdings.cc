#include "store/holdings.h"

#include <tuple>
#include <utility>

#include "base/encoding.h"
#include "store/internal/checks.h"
#include "store/sql/internal/operation_identity.h"
#include "store/sql/internal/repositories.h"

namespace lethe {
namespace {

// What is looked for, as a condition with one value.
struct Condition {
  std::string column;
  std::string text;  // the value, if it is one
  Int number = 0;    // otherwise
  bool is_text = false;
};

std::optional<Condition> ConditionOf(const TaskSelector& selector) {
  const auto number = [](const char* column, std::uint64_t value) {
    return Condition{.column = column, .text = {}, .number = static_cast<Int>(value)};
  };
  const auto text = [](const char* column, const std::string& value) {
    return Condition{.column = column, .text = value, .number = 0, .is_text = true};
  };
  if (selector.task) return number("task_id", *selector.task);
  if (!selector.request_id.empty()) return text("call_id", selector.request_id);
  if (selector.app_id) return number("app_id", *selector.app_id);
  if (selector.uin) return number("uin", *selector.uin);
  if (!selector.subject.empty()) return text("subject", selector.subject);
  return std::nullopt;
}

class SqlHoldings : public Holdings {
 public:
  SqlHoldings(Database& database, const Clock& clock, Sealer& sealer, const ItemBook& items)
      : database_(database), clock_(clock), sealer_(sealer), items_(items) {}

  Result<std::vector<HeldItem>> List(DataClass data_class, const TaskSelector& selector,
                                     std::int64_t before, int limit) override {
    RETURN_IF_ERROR(CheckLimit(limit));
    const auto condition = ConditionOf(selector);
    if (!condition) return InvalidArgument("say what to look for");
    const Window window{.now = ToMillis(clock_.Now()),
                        .within = static_cast<Int>(selector.within.value_or(0)),
                        .before = before,
                        .limit = limit};
    const auto work = [&](Connection& sql) -> Result<std::vector<HeldItem>> {
      switch (data_class) {
        case DataClass::kAudio:
          return ListTasks(sql, *condition, window, "audio_expires_ms", "AND object_key <> ''");
        case DataClass::kResult:
          return ListTasks(sql, *condition, window, "expires_ms", "");
        case DataClass::kOperationLog:
          return ListOperations(sql, *condition, window);
        default:
          return InvalidArgument("no things of this class are listed");
      }
    };
    return database_.Read("list what is held", work);
  }

 private:
  struct Window {
    Int now = 0, within = 0, before = 0;  // nobody has the number 0
    int limit = 0;
  };

  template <class Row>
  static std::vector<Row> Select(Connection& sql, const std::string& select,
                                 const std::string& expires, const Condition& condition,
                                 const std::string& column, const Window& window) {
    const std::string statement =
        select + " WHERE " + column + " AND " + expires +
        " > :now AND (app_id = :within OR :any = 0) AND (seq < :before OR :first = 0) ORDER BY seq "
        "DESC LIMIT :limit";
    const auto run = [&](const auto& value) {
      return sql.Rows<Row>(statement, value, window.now, window.within, window.within,
                           window.before, window.before, window.limit);
    };
    return condition.is_text ? run(condition.text) : run(condition.number);
  }

  static std::vector<HeldItem> ListTasks(Connection& sql, const Condition& condition,
                                         const Window& window, const std::string& expires,
                                         const std::string& besides) {
    using Row = std::tuple<Int, Int, Int, Int, Text, Text, Int, Int>;
    std::vector<HeldItem> list;
    for (const auto& [seq, app_id, task, state, call_id, subject, created, ends] :
         Select<Row>(sql,
                     "SELECT seq, app_id, task_id, state, call_id, subject, created_ms, " +
                         expires + " FROM tasks",
                     expires, condition, condition.column + " = :value " + besides, window)) {
      list.push_back({.place = seq,
                      .app_id = static_cast<AppId>(app_id),
                      .task = static_cast<TaskId>(task),
                      .state = static_cast<TaskState>(state),
                      .call_id = call_id,
                      .subject = subject,
                      .facts = {},
                      .created = FromMillis(created),
                      .expires = FromMillis(ends)});
    }
    return list;
  }

  Result<std::vector<HeldItem>> ListOperations(Connection& sql, Condition condition,
                                               const Window& window) const {
    std::string column = condition.column + " = :value";
    if (condition.column == "uin") {
      column = "app_id IN (SELECT app_id FROM applications WHERE uin = :value)";
    }
    if (condition.column == "task_id") {
      const auto calls = sql.Rows<std::tuple<Text>>(
          "SELECT call_id FROM tasks WHERE task_id = :id AND expires_ms > :now", condition.number,
          window.now);
      if (calls.empty()) return std::vector<HeldItem>();
      condition = {.column = "call_id", .text = std::get<0>(calls.front()), .is_text = true};
    }
    if (condition.column == "call_id") {
      condition.text = items_.CallKey(condition.text);
      column = "call_key = :value";
    }
    using Row = std::tuple<Int, Int, Text, Text, Text, Int, Int>;
    std::vector<HeldItem> list;
    for (const auto& [seq, app_id, key, sealed_text, subject, created, ends] :
         Select<Row>(sql,
                     "SELECT seq, app_id, call_key, facts, subject, created_ms, expires_ms FROM "
                     "operations",
                     "expires_ms", condition, column, window)) {
      const auto sealed = Base64Decode(sealed_text);
      if (!sealed) return DataLoss("a row of the operation log cannot be read");
      auto facts = sealer_.Open(OperationIdentity(static_cast<AppId>(app_id), key), *sealed);
      // Its key is destroyed: the row is there, and nobody reads it.
      if (facts.status().code() == StatusCode::kNotFound) facts = std::string("{}");
      if (!facts.ok()) return facts.status();
      list.push_back({.place = seq,
                      .app_id = static_cast<AppId>(app_id),
                      .call_id = {},
                      .subject = subject,
                      .facts = *std::move(facts),
                      .created = FromMillis(created),
                      .expires = FromMillis(ends)});
    }
    return list;
  }

  Database& database_;
  const Clock& clock_;
  Sealer& sealer_;
  const ItemBook& items_;
};

}  // namespace

std::unique_ptr<Holdings> MakeSqlHoldings(Database& database, const Clock& clock, Sealer& sealer,
                                          const ItemBook& items) {
  return std::make_unique<SqlHoldings>(database, clock, sealer, items);
}

}  // namespace lethe
