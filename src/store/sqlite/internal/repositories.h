#pragma once

// The repositories on SQLite, and what their statements share.

#include <chrono>
#include <memory>

#include "base/clock.h"
#include "seal/master_key.h"
#include "store/sqlite/internal/database.h"
#include "store/store.h"

namespace lethe {

std::unique_ptr<Applications> MakeSqliteApplications(Database& database, const Clock& clock);
std::unique_ptr<Keys> MakeSqliteKeys(Database& database, const Clock& clock,
                                     const MasterKey& master_key);
std::unique_ptr<Vocabularies> MakeSqliteVocabularies(Database& database, const Clock& clock);
std::unique_ptr<KeywordLibraries> MakeSqliteKeywordLibraries(Database& database,
                                                             const Clock& clock);
std::unique_ptr<Tasks> MakeSqliteTasks(Database& database, const Clock& clock);
std::unique_ptr<Usage> MakeSqliteUsage(Database& database, const Clock& clock);

inline Int ToMillis(WallTime time) { return time.time_since_epoch().count(); }
inline WallTime FromMillis(Int millis) { return WallTime(Millis(millis)); }

/// Whether there is such an application.
inline bool HasApplication(Connection& sql, AppId id) {
  return sql.Number("SELECT COUNT(*) FROM applications WHERE app_id = :id", id) > 0;
}

/// The application with its quotas, or kNotFound.
Result<Application> ReadApplication(Connection& sql, AppId id);

}  // namespace lethe
