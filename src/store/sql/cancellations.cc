#include <string>
#include <tuple>

#include "store/internal/checks.h"
#include "store/sql/internal/repositories.h"

namespace lethe {
namespace {

using Row = std::tuple<Int, Int, Int, Text, Text, Int>;

template <class Number>
std::optional<Number> NumberIfAny(Int number) {
  if (number == 0) return std::nullopt;
  return static_cast<Number>(number);
}

AskedCancellation ToCancellation(const Row& row) {
  const auto& [seq, app_id, uin, call_key, subject, cause] = row;
  return {.number = seq,
          .cancellation = {.app_id = NumberIfAny<AppId>(app_id),
                           .uin = NumberIfAny<Uin>(uin),
                           .call_key = call_key,
                           .subject = subject,
                           .cause = static_cast<ErasureCause>(cause)}};
}

class SqlCancellations : public Cancellations {
 public:
  SqlCancellations(Database& database, const Clock& clock, const ItemBook& items)
      : database_(database), clock_(clock), items_(items) {}

  std::string CallKey(std::string_view call_id) const override { return items_.CallKey(call_id); }

  Result<CancellationNumber> Ask(const Cancellation& wanted) override {
    const auto work = [&](Connection& sql) -> Result<CancellationNumber> {
      sql.Run(
          "INSERT INTO cancellations (asked_ms, app_id, uin, call_key, subject, cause) "
          "VALUES (:asked, :app, :uin, :call, :subject, :cause)",
          ToMillis(clock_.Now()), wanted.app_id.value_or(0), wanted.uin.value_or(0),
          wanted.call_key, wanted.subject, wanted.cause);
      return sql.Number("SELECT MAX(seq) FROM cancellations");
    };
    // Of what a power cut takes, no call is left that could be cancelled.
    return database_.Write("ask for calls to be cancelled", work, Durability::kBuffered);
  }

  Result<std::vector<AskedCancellation>> After(CancellationNumber after, int limit) override {
    RETURN_IF_ERROR(CheckLimit(limit));
    const auto work = [&](Connection& sql) -> Result<std::vector<AskedCancellation>> {
      std::vector<AskedCancellation> asked;
      for (const Row& row :
           sql.Rows<Row>("SELECT seq, app_id, uin, call_key, subject, cause FROM cancellations "
                         "WHERE seq > :after AND asked_ms > :over ORDER BY seq LIMIT :limit",
                         after, ToMillis(clock_.Now() - kCancellationLifetime), limit)) {
        asked.push_back(ToCancellation(row));
      }
      return asked;
    };
    return database_.Read("look for calls to be cancelled", work);
  }

  Result<CancellationNumber> Newest() override {
    const auto work = [](Connection& sql) -> Result<CancellationNumber> {
      return sql.Number("SELECT COALESCE(MAX(seq), 0) FROM cancellations");
    };
    return database_.Read("look for calls to be cancelled", work);
  }

  Result<int> RemoveExpired(int limit) override {
    RETURN_IF_ERROR(CheckLimit(limit));
    const auto work = [&](Connection& sql) -> Result<int> {
      const auto rows = sql.Rows<std::tuple<Int>>(
          "SELECT seq FROM cancellations WHERE asked_ms <= :over ORDER BY seq LIMIT :limit {free}",
          ToMillis(clock_.Now() - kCancellationLifetime), limit);
      for (const auto& [seq] : rows) {
        sql.Run("DELETE FROM cancellations WHERE seq = :seq", seq);
      }
      return static_cast<int>(rows.size());
    };
    return database_.Write("remove what was asked of calls", work, Durability::kBuffered);
  }

 private:
  Database& database_;
  const Clock& clock_;
  const ItemBook& items_;
};

}  // namespace

std::unique_ptr<Cancellations> MakeSqlCancellations(Database& database, const Clock& clock,
                                                    const ItemBook& items) {
  return std::make_unique<SqlCancellations>(database, clock, items);
}

}  // namespace lethe
