#include <span>

#include "base/sha256.h"
#include "store/internal/checks.h"
#include "store/internal/key_material.h"
#include "store/sql/internal/repositories.h"

namespace lethe {
namespace {

using KeyRow = std::tuple<Text, Int, Int, Int, Int, Text>;
using OwnerRow = std::tuple<Text, Int, Text>;

Key ToKey(const KeyRow& row) {
  const auto& [id, kind, app_id, enabled, created, last4] = row;
  return {.kind = kind == static_cast<Int>(KeyKind::kPair) ? KeyKind::kPair : KeyKind::kBearer,
          .id = id,
          .app_id = static_cast<AppId>(app_id),
          .enabled = enabled != 0,
          .created = FromMillis(created),
          .last4 = last4};
}

class SqlKeys : public Keys {
 public:
  SqlKeys(Database& database, const Clock& clock, const MasterKey& master_key)
      : database_(database), clock_(clock), master_key_(master_key) {}

  Result<NewKey> Create(AppId app_id, KeyKind kind) override {
    NewKey made = MakeKey(app_id, kind, clock_.Now());
    const bool pair = kind == KeyKind::kPair;
    const std::string lookup = pair ? made.key.id : HashBearer(made.secret.Reveal());
    const std::string sealed = pair ? master_key_.Seal(made.secret, made.key.id) : "";
    const auto work = [&](Connection& sql) {
      if (!LockApplication(sql, app_id)) return NoSuchApplication();
      if (sql.Number("SELECT COUNT(*) FROM access_keys WHERE app_id = :app", app_id) >=
          Int{kMaxKeysPerApplication}) {
        return TooMany("keys of an application", kMaxKeysPerApplication);
      }
      sql.Run(
          "INSERT INTO access_keys "
          "(key_id, kind, app_id, enabled, created_ms, last4, lookup, sealed) "
          "VALUES (:id, :kind, :app, 1, :created, :last4, :lookup, :sealed)",
          made.key.id, kind, app_id, ToMillis(made.key.created), made.key.last4, lookup, sealed);
      return OkStatus();
    };
    RETURN_IF_ERROR(database_.Write("create a key", work));
    return made;
  }

  Result<std::vector<Key>> List(std::optional<AppId> app_id) override {
    const auto work = [app_id](Connection& sql) -> Result<std::vector<Key>> {
      if (app_id && !HasApplication(sql, *app_id)) return NoSuchApplication();
      const std::vector<KeyRow> rows =
          app_id ? sql.Rows<KeyRow>(
                       "SELECT key_id, kind, app_id, enabled, created_ms, last4 "
                       "FROM access_keys WHERE app_id = :app ORDER BY seq",
                       *app_id)
                 : sql.Rows<KeyRow>(
                       "SELECT key_id, kind, app_id, enabled, created_ms, last4 "
                       "FROM access_keys ORDER BY seq");
      std::vector<Key> keys;
      for (const KeyRow& row : rows) keys.push_back(ToKey(row));
      return keys;
    };
    return database_.Read("list the keys", work);
  }

  Status SetEnabled(std::string_view id, bool enabled) override {
    const auto work = [&](Connection& sql) -> Status {
      ASSIGN_OR_RETURN(const AppId app_id, FindApplicationOf(sql, id));
      sql.Run("UPDATE access_keys SET enabled = :enabled WHERE key_id = :id", enabled, id);
      NoteKey(sql, app_id, id, enabled ? decided::kEnabled : decided::kDisabled, clock_.Now());
      return OkStatus();
    };
    return database_.Write("change a key", work);
  }

  Status Remove(std::string_view id) override {
    const auto work = [&](Connection& sql) -> Status {
      ASSIGN_OR_RETURN(const AppId app_id, FindApplicationOf(sql, id));
      sql.Run("DELETE FROM access_keys WHERE key_id = :id", id);
      NoteKey(sql, app_id, id, decided::kRemoved, clock_.Now());
      return OkStatus();
    };
    RETURN_IF_ERROR(database_.Write("remove a key", work));
    database_.EmptyLog();
    return OkStatus();
  }

  Result<KeyOwner> FindPair(std::string_view secret_id) override {
    const auto work = [&](Connection& sql) -> Result<KeyOwner> {
      ASSIGN_OR_RETURN(const OwnerRow row, FindRow(sql, KeyKind::kPair, secret_id));
      ASSIGN_OR_RETURN(KeyOwner owner, FindOwner(sql, row));
      ASSIGN_OR_RETURN(owner.secret, master_key_.Open(std::get<2>(row), owner.key_id));
      return owner;
    };
    return database_.Read("find a key", work);
  }

  Result<KeyOwner> FindBearer(std::string_view bearer) override {
    const std::string hash = HashBearer(bearer);
    const auto work = [&](Connection& sql) -> Result<KeyOwner> {
      ASSIGN_OR_RETURN(const OwnerRow row, FindRow(sql, KeyKind::kBearer, hash));
      return FindOwner(sql, row);
    };
    return database_.Read("find a key", work);
  }

  Status SetConsolePassword(const Secret& password) override {
    RETURN_IF_ERROR(CheckNewPassword(password));
    ASSIGN_OR_RETURN(const std::string hash, HashPassword(password));
    const auto work = [&](Connection& sql) {
      sql.Run("DELETE FROM settings WHERE name = 'console_password'");
      sql.Run("INSERT INTO settings (name, value) VALUES ('console_password', :hash)", hash);
      NoteDecision(sql, {.kind = DecisionKind::kConsolePassword,
                         .app_id = 0,
                         .subject = {},
                         .value = hash,
                         .made = clock_.Now(),
                         .ends = {}});
      return OkStatus();
    };
    return database_.Write("set the console password", work);
  }

  Result<std::string> ConsolePasswordMark() override {
    const auto work = [](Connection& sql) -> Result<std::string> {
      const auto rows =
          sql.Rows<std::tuple<Text>>("SELECT value FROM settings WHERE name = 'console_password'");
      if (rows.empty()) return std::string();
      const std::string& hash = std::get<0>(rows.front());  // with a salt of its own
      return Sha256Hex(std::as_bytes(std::span(hash)));
    };
    return database_.Read("look for the console password", work);
  }

  Result<bool> CheckConsolePassword(std::string_view password) override {
    const auto work = [](Connection& sql) -> Result<std::string> {
      const auto rows =
          sql.Rows<std::tuple<Text>>("SELECT value FROM settings WHERE name = 'console_password'");
      if (rows.empty()) return NoConsolePassword();
      return std::get<0>(rows.front());
    };
    ASSIGN_OR_RETURN(const std::string hash, database_.Read("find the console password", work));
    return PasswordMatches(hash, password);
  }

 private:
  static Result<AppId> FindApplicationOf(Connection& sql, std::string_view id) {
    const auto rows =
        sql.Rows<std::tuple<Int>>("SELECT app_id FROM access_keys WHERE key_id = :id {lock}", id);
    if (rows.empty()) return NoSuchKey();
    return static_cast<AppId>(std::get<0>(rows.front()));
  }

  static Result<OwnerRow> FindRow(Connection& sql, KeyKind kind, std::string_view lookup) {
    const auto rows = sql.Rows<OwnerRow>(
        "SELECT key_id, app_id, sealed FROM access_keys "
        "WHERE lookup = :lookup AND kind = :kind AND enabled = 1",
        lookup, kind);
    if (rows.empty()) return NoSuchKey();
    return rows.front();
  }

  static Result<KeyOwner> FindOwner(Connection& sql, const OwnerRow& row) {
    const auto& [id, app_id, sealed] = row;
    ASSIGN_OR_RETURN(Application application, ReadApplication(sql, static_cast<AppId>(app_id)));
    if (!application.enabled) return ApplicationIsDisabled(application.id);
    return KeyOwner{std::move(application), id, Secret()};
  }

  Database& database_;
  const Clock& clock_;
  const MasterKey& master_key_;
};

}  // namespace

std::unique_ptr<Keys> MakeSqlKeys(Database& database, const Clock& clock,
                                  const MasterKey& master_key) {
  return std::make_unique<SqlKeys>(database, clock, master_key);
}

}  // namespace lethe
