#include "base/encoding.h"
#include "store/mysql_store.h"
#include "store/sql/internal/database.h"
#include "store/sql/internal/mysql_dialect.h"
#include "store/sql/internal/repositories.h"
#include "store/sql/internal/sqlite_dialect.h"
#include "store/sqlite_store.h"

namespace lethe {
namespace {

constexpr std::string_view kKeyCheck = "the master key of these records";

// Remembers, when the records are new, which master key is theirs; later, whether this is the one.
Status CheckMasterKey(Connection& sql, const MasterKey& key) {
  const auto rows = sql.Rows<std::tuple<Text>>(
      "SELECT value FROM settings WHERE name = 'master_key_check' {lock}");
  if (rows.empty()) {
    sql.Run("INSERT INTO settings (name, value) VALUES ('master_key_check', :value)",
            key.Seal(Secret(), kKeyCheck));
    return OkStatus();
  }
  if (key.Open(std::get<0>(rows.front()), kKeyCheck).ok()) return OkStatus();
  return FailedPrecondition(
      "the records belong to another master key; restore the one they were made with");
}

// The same of the key store: with other keys nothing sealed would open.
Status CheckKeyStore(Connection& sql, Keyring& keyring) {
  constexpr TenantId kNobody = 0;
  ASSIGN_OR_RETURN(const auto key, keyring.keys().TenantKey(kNobody));
  const auto rows = sql.Rows<std::tuple<Text>>(
      "SELECT value FROM settings WHERE name = 'key_store_check' {lock}");
  if (rows.empty()) {
    sql.Run("INSERT INTO settings (name, value) VALUES ('key_store_check', :value)",
            Base64Encode(key->Seal("", kKeyCheck)));
    return OkStatus();
  }
  const auto sealed = Base64Decode(std::get<0>(rows.front()));
  if (sealed && key->Open(*sealed, kKeyCheck).ok()) return OkStatus();
  return FailedPrecondition(
      "the records belong to another folder of keys; nodes share one, and a backup of records is "
      "nothing without the keys of its time");
}

// Records are of one region for ever.
Status CheckRegion(Connection& sql, const std::string& region) {
  const auto rows =
      sql.Rows<std::tuple<Text>>("SELECT value FROM settings WHERE name = 'region' {lock}");
  if (rows.empty()) {
    sql.Run("INSERT INTO settings (name, value) VALUES ('region', :region)", region);
    return OkStatus();
  }
  if (std::get<0>(rows.front()) == region) return OkStatus();
  return FailedPrecondition("the records are of the region " + std::get<0>(rows.front()) +
                            ", this node is in " + region + " (store.region)");
}

class SqlStore : public Store {
 public:
  SqlStore(std::unique_ptr<Database> database, ReferenceKey reference_key, const Clock& clock,
           Keyring& keyring)
      : database_(std::move(database)),
        reference_key_(std::move(reference_key)),
        items_(reference_key_, keyring.sealer().region()),
        applications_(
            MakeSqlApplications(*database_, clock, keyring.keys(), TaskForgetting(items_))),
        keys_(MakeSqlKeys(*database_, clock, keyring.master_key())),
        vocabularies_(MakeSqlVocabularies(*database_, clock)),
        keyword_libraries_(MakeSqlKeywordLibraries(*database_, clock)),
        tasks_(MakeSqlTasks(*database_, clock, keyring.sealer(), items_)),
        usage_(MakeSqlUsage(*database_, clock, items_)),
        journal_(MakeSqlJournal(*database_, items_, TaskForgetting(items_))),
        operation_log_(MakeSqlOperationLog(*database_, clock, keyring.sealer(), items_)),
        retention_periods_(MakeSqlRetentionPeriods(*database_, clock, items_)),
        consents_(MakeSqlConsents(*database_, clock, keyring.keys())),
        decisions_(MakeSqlDecisions(*database_, clock, keyring.keys(), TaskForgetting(items_))),
        cancellations_(MakeSqlCancellations(*database_, clock, items_)),
        holdings_(MakeSqlHoldings(*database_, clock, keyring.sealer(), items_)) {}

  Applications& applications() override { return *applications_; }
  Keys& keys() override { return *keys_; }
  Vocabularies& vocabularies() override { return *vocabularies_; }
  KeywordLibraries& keyword_libraries() override { return *keyword_libraries_; }
  Tasks& tasks() override { return *tasks_; }
  Usage& usage() override { return *usage_; }
  Journal& journal() override { return *journal_; }
  OperationLog& operation_log() override { return *operation_log_; }
  RetentionPeriods& retention_periods() override { return *retention_periods_; }
  Consents& consents() override { return *consents_; }
  Decisions& decisions() override { return *decisions_; }
  Cancellations& cancellations() override { return *cancellations_; }
  Holdings& holdings() override { return *holdings_; }

  Millis LogHeld() const override { return database_->LogHeld(); }

  Result<std::string> RecordingsPlace() override {
    return database_->Read("look for the object store",
                           [](Connection& sql) { return Result<std::string>(ReadPlace(sql, "")); });
  }

  Status UseRecordingsPlace(const std::string& mark) override {
    const auto work = [&](Connection& sql) {
      const std::string known = ReadPlace(sql, "{lock}");
      if (known == mark) return OkStatus();
      if (!known.empty() && sql.Number("SELECT COUNT(*) FROM tasks WHERE holds_object = 1") > 0) {
        return FailedPrecondition(
            "the records have recordings in another object store than store.objects names; let "
            "their tasks end there first");
      }
      sql.Run("DELETE FROM settings WHERE name = 'recordings_place'");
      sql.Run("INSERT INTO settings (name, value) VALUES ('recordings_place', :mark)", mark);
      return OkStatus();
    };
    return database_->Write("name the object store", work);
  }

 private:
  static std::string ReadPlace(Connection& sql, const std::string& locking) {
    const auto rows = sql.Rows<std::tuple<Text>>(
        "SELECT value FROM settings WHERE name = 'recordings_place' " + locking);
    return rows.empty() ? std::string() : std::get<0>(rows.front());
  }

  const std::unique_ptr<Database> database_;
  const ReferenceKey reference_key_;
  const ItemBook items_;
  const std::unique_ptr<Applications> applications_;
  const std::unique_ptr<Keys> keys_;
  const std::unique_ptr<Vocabularies> vocabularies_;
  const std::unique_ptr<KeywordLibraries> keyword_libraries_;
  const std::unique_ptr<Tasks> tasks_;
  const std::unique_ptr<Usage> usage_;
  const std::unique_ptr<Journal> journal_;
  const std::unique_ptr<OperationLog> operation_log_;
  const std::unique_ptr<RetentionPeriods> retention_periods_;
  const std::unique_ptr<Consents> consents_;
  const std::unique_ptr<Decisions> decisions_;
  const std::unique_ptr<Cancellations> cancellations_;
  const std::unique_ptr<Holdings> holdings_;
};

Result<std::unique_ptr<Store>> OpenStore(std::unique_ptr<Dialect> dialect, const Clock& clock,
                                         Keyring& keyring) {
  ASSIGN_OR_RETURN(std::unique_ptr<Database> database, Database::Open(std::move(dialect)));
  const auto check = [&](Connection& sql) {
    if (keyring.region_is_settled()) {
      RETURN_IF_ERROR(CheckRegion(sql, keyring.sealer().region()));
    }
    RETURN_IF_ERROR(CheckMasterKey(sql, keyring.master_key()));
    return CheckKeyStore(sql, keyring);
  };
  RETURN_IF_ERROR(database->Write("check the keys", check));
  // Nothing depends on it but the openings of receipts to come, so a lost one may be made anew.
  ASSIGN_OR_RETURN(ReferenceKey reference_key,
                   ReferenceKey::Load(keyring.folder() + "/ledger-reference.key", true));
  return std::unique_ptr<Store>(
      std::make_unique<SqlStore>(std::move(database), std::move(reference_key), clock, keyring));
}

// Under the other key, whichever of the two it is under now.
Result<std::string> Reseal(const std::string& sealed, std::string_view belongs_to,
                           const MasterKey& from, const MasterKey& to) {
  if (to.Open(sealed, belongs_to).ok()) return sealed;
  ASSIGN_OR_RETURN(const Secret secret, from.Open(sealed, belongs_to));
  return to.Seal(secret, belongs_to);
}

Status Reseal(std::unique_ptr<Dialect> dialect, const MasterKey& from, const MasterKey& to) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, Database::Open(std::move(dialect)));
  const auto work = [&](Connection& sql) -> Status {
    for (const auto& [check] : sql.Rows<std::tuple<Text>>(
             "SELECT value FROM settings WHERE name = 'master_key_check' {lock}")) {
      const auto resealed = Reseal(check, kKeyCheck, from, to);
      if (!resealed.ok()) return FailedPrecondition("the records belong to another master key");
      sql.Run("UPDATE settings SET value = :value WHERE name = 'master_key_check'", *resealed);
    }
    for (const auto& [id, sealed] : sql.Rows<std::tuple<Text, Text>>(
             "SELECT key_id, sealed FROM access_keys WHERE sealed <> '' {lock}")) {
      ASSIGN_OR_RETURN(const std::string resealed, Reseal(sealed, id, from, to));
      sql.Run("UPDATE access_keys SET sealed = :sealed WHERE key_id = :id", resealed, id);
    }
    return OkStatus();
  };
  RETURN_IF_ERROR(database->Write("seal secrets with another key", work));
  database->EmptyLog();
  return OkStatus();
}

}  // namespace

Status ResealSqliteStore(const std::string& path, const MasterKey& from, const MasterKey& to) {
  ASSIGN_OR_RETURN(std::unique_ptr<Dialect> dialect, MakeSqliteDialect(path));
  return Reseal(std::move(dialect), from, to).WithContext(path);
}

Status ResealMysqlStore(const MysqlOptions& options, const MasterKey& from, const MasterKey& to) {
  ASSIGN_OR_RETURN(std::unique_ptr<Dialect> dialect, MakeMysqlDialect(options));
  return Reseal(std::move(dialect), from, to);
}

Result<std::unique_ptr<Store>> OpenSqliteStore(const std::string& path, const Clock& clock,
                                               Keyring& keyring) {
  ASSIGN_OR_RETURN(std::unique_ptr<Dialect> dialect, MakeSqliteDialect(path));
  auto store = OpenStore(std::move(dialect), clock, keyring);
  if (!store.ok()) return store.status().WithContext(path);
  return store;
}

Result<std::unique_ptr<Store>> OpenMysqlStore(const MysqlOptions& options, const Clock& clock,
                                              Keyring& keyring) {
  ASSIGN_OR_RETURN(std::unique_ptr<Dialect> dialect, MakeMysqlDialect(options));
  return OpenStore(std::move(dialect), clock, keyring);
}

Result<bool> MysqlStoreIsNew(const MysqlOptions& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<Dialect> dialect, MakeMysqlDialect(options));
  const auto database = Database::OpenAsItIs(std::move(dialect));
  return database->Read("look at the records", [](Connection& sql) -> Result<bool> {
    return SchemaVersion(sql) == 0 ||
           sql.Number("SELECT COUNT(*) FROM settings WHERE name = 'master_key_check'") == 0;
  });
}

}  // namespace lethe
