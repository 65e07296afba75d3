#include "store/sqlite_store.h"

#include "store/sqlite/internal/database.h"
#include "store/sqlite/internal/repositories.h"

namespace lethe {
namespace {

constexpr std::string_view kKeyCheck = "the master key of these records";

// Remembers, when the records are new, which master key is theirs; later, whether this is the one.
Status CheckMasterKey(Connection& sql, const MasterKey& key) {
  const auto rows =
      sql.Rows<std::tuple<Text>>("SELECT value FROM settings WHERE name = 'master_key_check'");
  if (rows.empty()) {
    sql.Run("INSERT INTO settings (name, value) VALUES ('master_key_check', :value)",
            key.Seal(Secret(), kKeyCheck));
    return OkStatus();
  }
  if (key.Open(std::get<0>(rows.front()), kKeyCheck).ok()) return OkStatus();
  return FailedPrecondition(
      "the records belong to another master key; restore the one they were made with");
}

class SqliteStore : public Store {
 public:
  SqliteStore(std::unique_ptr<Database> database, const Clock& clock, MasterKey master_key)
      : master_key_(std::move(master_key)),
        database_(std::move(database)),
        applications_(MakeSqliteApplications(*database_, clock)),
        keys_(MakeSqliteKeys(*database_, clock, master_key_)),
        vocabularies_(MakeSqliteVocabularies(*database_, clock)),
        keyword_libraries_(MakeSqliteKeywordLibraries(*database_, clock)),
        tasks_(MakeSqliteTasks(*database_, clock)),
        usage_(MakeSqliteUsage(*database_, clock)) {}

  Applications& applications() override { return *applications_; }
  Keys& keys() override { return *keys_; }
  Vocabularies& vocabularies() override { return *vocabularies_; }
  KeywordLibraries& keyword_libraries() override { return *keyword_libraries_; }
  Tasks& tasks() override { return *tasks_; }
  Usage& usage() override { return *usage_; }

 private:
  const MasterKey master_key_;
  const std::unique_ptr<Database> database_;
  const std::unique_ptr<Applications> applications_;
  const std::unique_ptr<Keys> keys_;
  const std::unique_ptr<Vocabularies> vocabularies_;
  const std::unique_ptr<KeywordLibraries> keyword_libraries_;
  const std::unique_ptr<Tasks> tasks_;
  const std::unique_ptr<Usage> usage_;
};

}  // namespace

Result<std::unique_ptr<Store>> OpenSqliteStore(const std::string& path, const Clock& clock,
                                               MasterKey master_key) {
  ASSIGN_OR_RETURN(std::unique_ptr<Database> database, Database::Open(path));
  const Status mine = database->Write(
      "check the master key", [&](Connection& sql) { return CheckMasterKey(sql, master_key); });
  if (!mine.ok()) return mine.WithContext(path);
  return std::unique_ptr<Store>(
      std::make_unique<SqliteStore>(std::move(database), clock, std::move(master_key)));
}

}  // namespace lethe
