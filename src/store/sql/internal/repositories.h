#pragma once

// The repositories in SQL, and what their statements share.

#include <chrono>
#include <memory>

#include "base/clock.h"
#include "seal/master_key.h"
#include "seal/sealer.h"
#include "store/sql/internal/database.h"
#include "store/sql/internal/item_book.h"
#include "store/sql/internal/task_forgetting.h"
#include "store/store.h"

namespace lethe {

std::unique_ptr<Applications> MakeSqlApplications(Database& database, const Clock& clock,
                                                  KeyStore& keys, TaskForgetting forgetting);
std::unique_ptr<Keys> MakeSqlKeys(Database& database, const Clock& clock,
                                  const MasterKey& master_key);
std::unique_ptr<Vocabularies> MakeSqlVocabularies(Database& database, const Clock& clock);
std::unique_ptr<KeywordLibraries> MakeSqlKeywordLibraries(Database& database, const Clock& clock);
std::unique_ptr<Tasks> MakeSqlTasks(Database& database, const Clock& clock, Sealer& sealer,
                                    const ItemBook& items);
std::unique_ptr<Usage> MakeSqlUsage(Database& database, const Clock& clock, const ItemBook& items);
std::unique_ptr<Journal> MakeSqlJournal(Database& database, const ItemBook& items,
                                        TaskForgetting forgetting);
std::unique_ptr<OperationLog> MakeSqlOperationLog(Database& database, const Clock& clock,
                                                  Sealer& sealer, const ItemBook& items);
std::unique_ptr<RetentionPeriods> MakeSqlRetentionPeriods(Database& database, const Clock& clock,
                                                          const ItemBook& items);
std::unique_ptr<Consents> MakeSqlConsents(Database& database, const Clock& clock, KeyStore& keys);
std::unique_ptr<Decisions> MakeSqlDecisions(Database& database, const Clock& clock, KeyStore& keys,
                                            TaskForgetting forgetting);
std::unique_ptr<Cancellations> MakeSqlCancellations(Database& database, const Clock& clock,
                                                    const ItemBook& items);
std::unique_ptr<Holdings> MakeSqlHoldings(Database& database, const Clock& clock, Sealer& sealer,
                                          const ItemBook& items);

/// The period that an application chose for a class, if it did.
std::optional<Millis> PeriodOf(Connection& sql, AppId app_id, DataClass data_class);

inline Int ToMillis(WallTime time) { return time.time_since_epoch().count(); }
inline WallTime FromMillis(Int millis) { return WallTime(Millis(millis)); }

/// Whether there is such an application.
inline bool HasApplication(Connection& sql, AppId id) {
  return sql.Number("SELECT COUNT(*) FROM applications WHERE app_id = :id", id) > 0;
}

/// Whether there is such an application. Where others may write at the same time they wait from
/// here on, if they ask for the same: what is counted for an application stays so until the commit.
inline bool LockApplication(Connection& sql, AppId id) {
  return !sql.Rows<std::tuple<Int>>("SELECT app_id FROM applications WHERE app_id = :id {lock}", id)
              .empty();
}

/// Removes an application with all that is its, and says that that was decided. Errors: kNotFound;
/// kFailedPrecondition while an object store has recordings of it
Status RemoveApplication(Connection& sql, AppId id, const TaskForgetting& forgetting, WallTime now);
/// What is in an object store would be lost sight of with the row that names it.
Status CheckHoldsNoObject(Connection& sql, AppId id);

/// Within the transaction of what was decided: makes it pending (store/decisions.h).
void NoteDecision(Connection& sql, const Decision& decision);
void NoteKey(Connection& sql, AppId app_id, std::string_view key_id, std::string_view what,
             WallTime now);
/// Of a consent that was given where a withdrawal had been.
void NoteGivenConsent(Connection& sql, AppId app_id, std::string_view pseudonym);

/// The application with its quotas, or kNotFound.
Result<Application> ReadApplication(Connection& sql, AppId id);

}  // namespace lethe
