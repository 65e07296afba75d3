#include <algorithm>
#include <string>
#include <tuple>

#include "base/random.h"
#include "store/internal/checks.h"
#include "store/sql/internal/repositories.h"

namespace lethe {
namespace {

using Row = std::tuple<Text, Int, Int, Int, Text, Text, Int>;

template <class Number>
std::optional<Number> NumberIfAny(Int number) {
  if (number == 0) return std::nullopt;
  return static_cast<Number>(number);
}

AskedCancellation ToCancellation(const Row& row) {
  const auto& [reference, asked, app_id, uin, call_key, subject, cause] = row;
  return {.reference = reference,
          .asked = FromMillis(asked),
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

  Result<std::string> Ask(const Cancellation& wanted) override {
    const std::string reference = RandomHex(32);
    const auto work = [&](Connection& sql) {
      sql.Run(
          "INSERT INTO cancellations (asked_ms, app_id, uin, call_key, subject, cause, reference) "
          "VALUES (:asked, :app, :uin, :call, :subject, :cause, :reference)",
          ToMillis(clock_.Now()), wanted.app_id.value_or(0), wanted.uin.value_or(0),
          wanted.call_key, wanted.subject, wanted.cause, reference);
      return OkStatus();
    };
    // Of what a power cut takes, no call is left that could be cancelled.
    RETURN_IF_ERROR(database_.Write("ask for calls to be cancelled", work, Durability::kBuffered));
    return reference;
  }

  Result<std::vector<AskedCancellation>> Since(WallTime since) override {
    const auto work = [&](Connection& sql) -> Result<std::vector<AskedCancellation>> {
      const WallTime over = clock_.Now() - kCancellationLifetime + Millis(1);
      std::vector<AskedCancellation> asked;
      for (const Row& row :
           sql.Rows<Row>("SELECT reference, asked_ms, app_id, uin, call_key, subject, cause "
                         "FROM cancellations WHERE asked_ms >= :since ORDER BY asked_ms, seq",
                         ToMillis(std::max(since, over)))) {
        asked.push_back(ToCancellation(row));
      }
      return asked;
    };
    return database_.Read("look for calls to be cancelled", work);
  }

  Result<int> RemoveExpired(int limit) override {
    RETURN_IF_ERROR(CheckLimit(limit));
    const auto work = [&](Connection& sql) -> Result<int> {
      const auto rows = sql.Rows<std::tuple<Int>>(
          "SELECT seq FROM cancellations WHERE asked_ms <= :over ORDER BY asked_ms LIMIT :limit "
          "{free}",
          ToMillis(clock_.Now() - kCancellationLifetime), limit);
      for (const auto& [seq] : rows) {
        sql.Run("DELETE FROM cancellations WHERE seq = :seq", seq);
      }
      return static_cast<int>(rows.size());
    };
    ASSIGN_OR_RETURN(const int removed, database_.Write("remove what was asked of calls", work,
                                                        Durability::kBuffered));
    database_.EmptyLogAfter(removed, limit);
    return removed;
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
