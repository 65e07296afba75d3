// The tables, version by version. A step that was released is never changed; the next one changes
// what it made.
//
// Times are milliseconds since 1970, UTC. Nothing is NULL. What is SQLite's own is here and in
// database.cc; the statements elsewhere are plain SQL.

#include <array>
#include <span>

#include "store/sqlite/internal/database.h"

namespace lethe {
namespace {

constexpr std::array kVersion1 = {
    "CREATE TABLE counters (name VARCHAR(32) PRIMARY KEY, value BIGINT NOT NULL)",
    "INSERT INTO counters (name, value) VALUES ('app_id', 1300000000)",
    "INSERT INTO counters (name, value) VALUES ('uin', 100000000000)",

    // The hash of the console's password, and how to tell which master key belongs here.
    "CREATE TABLE settings (name VARCHAR(32) PRIMARY KEY, value TEXT NOT NULL)",

    "CREATE TABLE applications ("
    " app_id BIGINT PRIMARY KEY,"
    " uin BIGINT NOT NULL,"
    " name VARCHAR(64) NOT NULL UNIQUE,"
    " enabled INT NOT NULL,"
    " created_ms BIGINT NOT NULL)",

    "CREATE TABLE quotas ("
    " app_id BIGINT NOT NULL REFERENCES applications (app_id) ON DELETE CASCADE,"
    " interface VARCHAR(32) NOT NULL,"
    " calls_per_second INT NOT NULL,"  // -1: the default
    " concurrency INT NOT NULL,"       // -1: the default
    " PRIMARY KEY (app_id, interface))",

    "CREATE TABLE access_keys ("
    " seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    " key_id VARCHAR(64) NOT NULL UNIQUE,"
    " kind INT NOT NULL,"
    " app_id BIGINT NOT NULL REFERENCES applications (app_id) ON DELETE CASCADE,"
    " enabled INT NOT NULL,"
    " created_ms BIGINT NOT NULL,"
    " last4 VARCHAR(4) NOT NULL,"
    " lookup VARCHAR(64) NOT NULL UNIQUE,"  // of a pair its id, of a bearer key its hash
    " sealed TEXT NOT NULL)",               // of a pair its secret
    "CREATE INDEX access_keys_by_app ON access_keys (app_id)",

    "CREATE TABLE vocabularies ("
    " seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    " vocabulary_id VARCHAR(32) NOT NULL UNIQUE,"
    " app_id BIGINT NOT NULL REFERENCES applications (app_id) ON DELETE CASCADE,"
    " name TEXT NOT NULL,"
    " description TEXT NOT NULL,"
    " words TEXT NOT NULL,"  // lines of a weight, a blank and a word
    " is_default INT NOT NULL,"
    " created_ms BIGINT NOT NULL,"
    " updated_ms BIGINT NOT NULL)",
    "CREATE INDEX vocabularies_by_app ON vocabularies (app_id)",

    "CREATE TABLE keyword_libraries ("
    " seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    " library_id VARCHAR(32) NOT NULL UNIQUE,"
    " app_id BIGINT NOT NULL REFERENCES applications (app_id) ON DELETE CASCADE,"
    " name VARCHAR(128) NOT NULL,"
    " words TEXT NOT NULL,"  // lines
    " created_ms BIGINT NOT NULL,"
    " updated_ms BIGINT NOT NULL,"
    " UNIQUE (app_id, name))",

    "CREATE TABLE tasks ("
    " seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    " task_id BIGINT NOT NULL UNIQUE,"
    " app_id BIGINT NOT NULL REFERENCES applications (app_id) ON DELETE CASCADE,"
    " uin BIGINT NOT NULL,"
    " request_id TEXT NOT NULL,"
    " engine TEXT NOT NULL,"
    " request TEXT NOT NULL,"
    " holds_upload INT NOT NULL,"
    " callback_url TEXT NOT NULL,"
    " callback INT NOT NULL,"
    " callback_attempts INT NOT NULL,"
    " state INT NOT NULL,"
    " lease INT NOT NULL,"
    " created_ms BIGINT NOT NULL,"
    " expires_ms BIGINT NOT NULL,"
    " started_ms BIGINT NOT NULL,"   // 0: not yet
    " finished_ms BIGINT NOT NULL,"  // 0: not yet
    " error TEXT NOT NULL,"
    " result TEXT NOT NULL,"
    " audio_ms BIGINT NOT NULL)",
    "CREATE INDEX tasks_by_state ON tasks (state, seq)",
    "CREATE INDEX tasks_by_app ON tasks (app_id, state)",
    "CREATE INDEX tasks_by_callback ON tasks (callback, seq)",
    "CREATE INDEX tasks_by_expiry ON tasks (expires_ms)",

    // Without a reference to the application, which its usage may outlive.
    "CREATE TABLE finished_calls ("
    " seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    " app_id BIGINT NOT NULL,"
    " interface VARCHAR(32) NOT NULL,"
    " call_id TEXT NOT NULL,"
    " result_code TEXT NOT NULL,"
    " succeeded INT NOT NULL,"
    " start_ms BIGINT NOT NULL,"
    " end_ms BIGINT NOT NULL,"
    " expires_ms BIGINT NOT NULL,"
    " audio_ms BIGINT NOT NULL,"
    " counted_seconds BIGINT NOT NULL,"
    " bytes BIGINT NOT NULL)",
    "CREATE INDEX finished_calls_by_app ON finished_calls (app_id, end_ms)",
    "CREATE INDEX finished_calls_by_expiry ON finished_calls (expires_ms)",
};

constexpr std::array<std::span<const char* const>, 1> kSteps = {kVersion1};

}  // namespace

Status Migrate(Connection& connection) {
  connection.Run("CREATE TABLE IF NOT EXISTS schema_version (version INT NOT NULL)");
  const auto known = static_cast<Int>(kSteps.size());
  const Int version = connection.Number("SELECT COALESCE(MAX(version), 0) FROM schema_version");
  if (version > known) {
    return FailedPrecondition("the records were written by a newer lethe (version " +
                              std::to_string(version) + ", this one knows " +
                              std::to_string(known) + "); use that one");
  }
  for (Int step = version; step < known; ++step) {
    for (const char* sql : kSteps[static_cast<std::size_t>(step)]) connection.Run(sql);
    connection.Run("INSERT INTO schema_version (version) VALUES (:version)", step + 1);
  }
  return OkStatus();
}

}  // namespace lethe
